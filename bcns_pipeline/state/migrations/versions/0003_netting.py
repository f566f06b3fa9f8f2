"""Stock net of orders: what a poll has listed, what kits are made of, and the term that is subtracted.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGED = """
alter table bcns.inventory_change add column unposted numeric(20, 8);
"""

TABLES = """
create table bcns.order_glimpse (
    store text not null,
    order_id bigint not null,
    modified_at timestamptz not null,
    status_id integer not null,
    lines jsonb not null,
    primary key (store, order_id)
);

create table bcns.kit_member (
    store text not null,
    kit_id bigint not null,
    item_id bigint not null,
    need bigint not null,
    primary key (store, kit_id, item_id)
);
"""


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(CHANGED)
    op.execute(TABLES)
