"""Orders that the store shows as partly shipped or cancelled are found without a walk over all of them: runs of
fulfilments and of refunds ask for them every two minutes.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(
        "create index order_state_partly_shipped on bcns.order_state (store, read_at) where status_id = 3;"
    )
    op.execute(
        "create index order_state_cancelled on bcns.order_state (store, order_id) "
        "where status_id = 5 and netsuite_id is not null;"
    )
