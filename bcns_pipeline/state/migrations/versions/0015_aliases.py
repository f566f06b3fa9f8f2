"""What others call an order, by which lines of settlements find it. Orders that were read before have none until they
are read again.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute("alter table bcns.order_state add column aliases text[] default '{}' not null;")
    op.execute("create index order_state_by_alias on bcns.order_state using gin (aliases);")
