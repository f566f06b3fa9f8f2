"""Ways to one record among millions: what became of its writes, its questions, and what is still to be done.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = """
create index operation_by_key on bcns.operation (store, natural_key);
create index exception_by_subject on bcns.exception (store, subject);
create index order_state_to_read_back on bcns.order_state (store, order_id)
    where netsuite_id is not null and read_back_at is null;
create index order_state_edited on bcns.order_state (store, order_id) where applied_hash <> content_hash;
"""


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(INDEXES)
