"""Refunds: where each one stands, and the records in NetSuite that it became.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
create table bcns.refund_state (
    store text not null,
    refund_id bigint not null,
    order_id bigint not null,
    created_at timestamptz not null,
    day date not null,
    currency text not null,
    total_minor bigint not null,
    tax_minor bigint not null,
    paid_minor bigint not null,
    content_hash text not null,
    document_id bigint,
    read_at timestamptz default now() not null,
    disposition text default 'open' not null,
    code text,
    reason text,
    retry_at timestamptz,
    route text,
    expected jsonb default '[]' not null,
    posted_at timestamptz,
    read_total_minor bigint,
    open_minor bigint,
    read_back_at timestamptz,
    primary key (store, refund_id),
    constraint refund_state_disposition_known check (
        disposition in ('open','waiting','planned','posted','declined','reversed','ignored')
    )
);

create index refund_state_by_day on bcns.refund_state (store, day);
create index refund_state_by_disposition on bcns.refund_state (store, disposition, retry_at);
create index refund_state_by_order on bcns.refund_state (store, order_id);
create index refund_state_by_time on bcns.refund_state (store, created_at);

create table bcns.refund_record (
    store text not null,
    natural_key text not null,
    refund_id bigint not null,
    order_id bigint not null,
    n integer not null,
    record_type text not null,
    netsuite_id text not null,
    amount_minor bigint not null,
    currency text not null,
    day date not null,
    account bigint,
    way text default '' not null,
    provider text default '' not null,
    provider_refs text[] default '{}' not null,
    at timestamptz default now() not null,
    primary key (store, natural_key)
);

create index refund_record_by_order on bcns.refund_record (store, order_id);
create index refund_record_by_provider on bcns.refund_record using gin (provider_refs);
create index refund_record_by_refund on bcns.refund_record (store, refund_id);
"""


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(TABLES)
