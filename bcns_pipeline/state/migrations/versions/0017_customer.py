"""The customer of an order in NetSuite, for reports that speak of receivables. Orders that were read back before have
none until cash looks at them again.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute("alter table bcns.order_state add column customer_id bigint;")
