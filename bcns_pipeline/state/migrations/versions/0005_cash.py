"""Cash: transactions as read, where each order's money stands, and what NetSuite has of it.

Put here what was true on the day of this revision, as plain SQL; the tables go on, this file never changes
once it has been released. A test compares the two. There is no way back: a backup is.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
create table bcns.cash_order (
    store text not null,
    order_id bigint not null,
    content_hash text,
    mark text,
    document_id bigint,
    read_at timestamptz,
    currency text,
    captured_minor bigint,
    authorised_minor bigint,
    refunded_minor bigint,
    disposition text not null default 'open',
    code text,
    reason text,
    retry_at timestamptz,
    read_again_at timestamptz,
    decided_at timestamptz,
    primary key (store, order_id),
    constraint cash_order_disposition_known
        check (disposition in ('open','waiting','settled','skipped'))
);
create index cash_order_by_disposition on bcns.cash_order (store, disposition, retry_at);
create index cash_order_to_read_again on bcns.cash_order (store, read_again_at) where read_again_at is not null;

create table bcns.tender (
    store text not null,
    transaction_id bigint not null,
    order_id bigint not null,
    event text not null,
    method text not null,
    gateway text not null,
    gateway_id text not null default '',
    reference_id bigint,
    amount_minor bigint not null,
    currency text not null,
    status text not null,
    test boolean not null,
    happened_at timestamptz,
    read_at timestamptz not null default now(),
    primary key (store, transaction_id)
);
create index tender_by_order on bcns.tender (store, order_id);
create index tender_by_gateway_id on bcns.tender (store, gateway_id) where gateway_id <> '';
create index tender_by_gateway_part_1 on bcns.tender (store, split_part(gateway_id, '|', 1))
    where strpos(gateway_id, '|') > 0;
create index tender_by_gateway_part_2 on bcns.tender (store, split_part(gateway_id, '|', 2))
    where strpos(gateway_id, '|') > 0;

create table bcns.cash_record (
    store text not null,
    natural_key text not null,
    order_id bigint not null,
    transaction_id bigint,
    kind text not null,
    netsuite_id text not null,
    currency text not null,
    amount_minor bigint,
    account bigint,
    day date not null,
    invoice_id bigint,
    origin text not null,
    posted_at timestamptz not null default now(),
    read_minor bigint,
    read_open_minor bigint,
    read_account bigint,
    read_back_at timestamptz,
    primary key (store, natural_key),
    constraint cash_record_kind_known
        check (kind in ('deposit','payment','credit','invoice','application','cash_sale'))
);
create index cash_record_by_order on bcns.cash_record (store, order_id);
create index cash_record_by_transaction on bcns.cash_record (store, transaction_id)
    where transaction_id is not null;
create index cash_record_to_read_back on bcns.cash_record (store, order_id) where read_back_at is null;
"""


def upgrade() -> None:
    """Run by Alembic inside the one transaction of the whole upgrade."""
    op.execute(TABLES)
