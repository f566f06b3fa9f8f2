"""That a stock line is on its way is said by its operation alone: the mark on each line goes.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute("update bcns.inventory_change set outcome = null, pushed = null where outcome = 'pushed';")
