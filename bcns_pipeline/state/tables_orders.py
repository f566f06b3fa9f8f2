"""The tables of schema `bcns` that came with orders: the inbox, the lines of a plan, where an order stands.

Columns, keys and what one row means stand here; `tables.py` has the others. Do not put queries here. No
personal data stands in clear in any of them: what a shopper gave is in sealed payloads and documents.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bcns_pipeline.state.schema import SCHEMA, Timestamp, metadata

_now = sa.func.now()

# "This resource changed", merged per resource over all sources. Open while generation > done_generation.
inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),  # order | customer | fulfilment | item | ...
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),  # grows with each new event
    sa.Column("done_generation", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("count", sa.BigInteger, nullable=False, server_default="1"),  # events so far, repeated ones too
    sa.Column("sources", sa.ARRAY(sa.Text), nullable=False),  # poll, webhook, netsuite, backfill, replay
    sa.Column("first_seen", Timestamp, nullable=False),
    sa.Column("last_seen", Timestamp, nullable=False),
    sa.Column("opened_at", Timestamp, nullable=False),  # of the first event that nobody has dealt with yet
    sa.Column("seq", sa.BigInteger, nullable=False),  # grows with each event of any row
    sa.Column("claimed_generation", sa.BigInteger),
    sa.Column("worker", sa.BigInteger),
    sa.Column("run_id", sa.Text),
    sa.Column("claimed_at", Timestamp),
    sa.Index(
        "inbox_open",
        "store",
        "resource",
        "opened_at",
        postgresql_where=sa.text("generation > done_generation"),
    ),
)
inbox_seq = sa.Sequence("inbox_seq", metadata=metadata, start=1)

# One thing that a plan would do. Written with the plan and never changed, but for `fate` and `operation_id`.
plan_line = sa.Table(
    "plan_line",
    metadata,
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.plan.id"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # sales_order, customer, ... as in `operation`
    sa.Column("natural_key", sa.Text, nullable=False),
    sa.Column("group_key", sa.Text),
    sa.Column("label", sa.Text, nullable=False),  # what it is about: order:1001
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("fate", sa.Text),  # planned | held | left_out; NULL = the plan was not applied
    sa.Column("operation_id", sa.BigInteger),
    sa.CheckConstraint("action in ('create','patch','close','adopt','link')", name="plan_line_action_known"),
    sa.Index("plan_line_by_label", "store", "label"),
)

# The units of an order that a poll has listed: stock must not wait until somebody has read and judged the order.
# It counts until `order_state` has this version or a later one.
order_glimpse = sa.Table(
    "order_glimpse",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("order_id", sa.BigInteger, primary_key=True),
    sa.Column("modified_at", Timestamp, nullable=False),
    sa.Column("status_id", sa.Integer, nullable=False),
    sa.Column("lines", JSONB, nullable=False),  # as in `order_state`
)

# Where one BigCommerce order stands. Amounts are minor units of `currency`, which is the order's own.
order_state = sa.Table(
    "order_state",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("order_id", sa.BigInteger, primary_key=True),
    sa.Column("placed_at", Timestamp, nullable=False),
    sa.Column("modified_at", Timestamp, nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # on which it was placed, in the store's time zone
    sa.Column("channel_id", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # storefront, marketplace, manual, ...
    sa.Column("status_id", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("lines", JSONB, nullable=False),  # [{line_id, product_id, variant_id, sku, quantity}, ...]
    sa.Column("content_hash", sa.Text, nullable=False),  # of the version last read; keyed, see documents.py
    sa.Column("document_id", sa.BigInteger),
    sa.Column("read_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("disposition", sa.Text, nullable=False, server_default="open"),
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("retry_at", Timestamp),
    sa.Column("decided_at", Timestamp),
    sa.Column("record_type", sa.Text),  # salesOrder | cashSale
    sa.Column("netsuite_id", sa.Text),
    sa.Column("netsuite_number", sa.Text),
    sa.Column("expected_total_minor", sa.BigInteger),
    sa.Column("expected_tax_minor", sa.BigInteger),
    sa.Column("applied_hash", sa.Text),  # content_hash of the version that NetSuite has
    sa.Column("posted_at", Timestamp),
    sa.Column("read_total_minor", sa.BigInteger),
    sa.Column("read_tax_minor", sa.BigInteger),
    sa.Column("read_back_at", Timestamp),
    sa.Column("referenced_at", Timestamp),
    sa.Column("planner", sa.BigInteger),  # the worker that has planned it; it has it in hand while it lives
    # What others call it: the id of its payment at the provider, a marketplace's number (finance.md 1.7).
    sa.Column("aliases", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("customer_id", sa.BigInteger),  # of its record in NetSuite, as it was read last
    sa.CheckConstraint(
        "disposition in ('open','held','ignored','waiting','planned','posted','adopted','listed')",
        name="order_state_disposition_known",
    ),
    sa.Index("order_state_by_day", "store", "day"),
    sa.Index("order_state_by_alias", "aliases", postgresql_using="gin"),
    sa.Index("order_state_by_disposition", "store", "disposition", "retry_at"),
    sa.Index(
        "order_state_by_netsuite",
        "store",
        "netsuite_id",
        postgresql_where=sa.text("netsuite_id is not null"),
    ),
    sa.Index(
        "order_state_to_reference",
        "store",
        "order_id",
        postgresql_where=sa.text("netsuite_id is not null and referenced_at is null"),
    ),
    sa.Index(
        "order_state_to_read_back",
        "store",
        "order_id",
        postgresql_where=sa.text("netsuite_id is not null and read_back_at is null"),
    ),
    sa.Index(
        "order_state_partly_shipped",
        "store",
        "read_at",
        postgresql_where=sa.text("status_id = 3"),
    ),
    sa.Index(
        "order_state_cancelled",
        "store",
        "order_id",
        postgresql_where=sa.text("status_id = 5 and netsuite_id is not null"),
    ),
    sa.Index(
        "order_state_edited",
        "store",
        "order_id",
        postgresql_where=sa.text("applied_hash <> content_hash"),
    ),
)

# One step in the life of an order, as the audit chain proves it. Append-only.
order_step = sa.Table(
    "order_step",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column(
        "step", sa.Text, nullable=False
    ),  # seen, decided, posted, adopted, read_back, referenced, taxed
    sa.Column("disposition", sa.Text, nullable=False),  # after the step
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("facts", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("state_digest", sa.Text, nullable=False),  # sha256 of the row of `order_state` after the step
    sa.Column("run_id", sa.Text),
    sa.Column("at", Timestamp, nullable=False, server_default=_now),
    sa.Index("order_step_by_order", "store", "order_id", "id"),
)

# "This NetSuite customer was merged into that one": a person's decision, or read from NetSuite.
customer_merge = sa.Table(
    "customer_merge",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("from_id", sa.Text, primary_key=True),
    sa.Column("into_id", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False, server_default=_now),
    sa.CheckConstraint("from_id <> into_id", name="customer_merge_is_not_itself"),
    sa.Index("customer_merge_by_survivor", "store", "into_id"),
)
