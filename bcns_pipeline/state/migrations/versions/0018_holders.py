"""Whose certificate or store credit a transaction moved, and the balances that BigCommerce told of it. What was read
before has none until its order is read again.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(
        "alter table bcns.tender add column holder text, add column original_minor bigint, "
        "add column starting_minor bigint, add column remaining_minor bigint;"
    )
    op.execute("alter table bcns.cash_order add column shopper_id bigint;")
    op.execute("alter table bcns.refund_record add column transaction_id bigint;")
