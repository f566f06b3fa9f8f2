"""Who has planned an order: a plan belongs to the run that made it, as long as that run lives and has not applied it.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute("alter table bcns.order_state add column planner bigint;")
