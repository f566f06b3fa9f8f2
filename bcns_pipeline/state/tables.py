"""The tables of schema `bcns`, as SQLAlchemy Core objects: the foundation, the outbox and the flow of stock.

Columns, keys and what one row means stand here and in `tables_*.py` beside it, and nowhere else; the Alembic
migrations create exactly this. Do not put queries here. `store` is the BigCommerce store hash in every table.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bcns_pipeline.state import tables_cash, tables_orders, tables_payouts, tables_refunds
from bcns_pipeline.state.schema import SCHEMA, Timestamp
from bcns_pipeline.state.schema import metadata as metadata

_now = sa.func.now()

# Whoever asks for all tables gets those of other flows too.
assert tables_orders.order_state.metadata is metadata
assert tables_payouts.payout.metadata is metadata
assert tables_cash.tender.metadata is metadata
assert tables_refunds.refund_state.metadata is metadata

# Kinds of links where several BigCommerce records may be one NetSuite record.
MANY_TO_ONE = ("customer", "shipment")

# The one row that says which two accounts this database belongs to.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("only", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("netsuite_account", sa.Text, nullable=False),
    sa.Column("pinned_at", Timestamp, nullable=False, server_default=_now),
    sa.CheckConstraint('"only"', name="installation_has_one_row"),
)

# How far a reader got, in the source's own clock. Losing a row re-reads; it never re-sends.
cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("moved_at", Timestamp, nullable=False, server_default=_now),
)

# One raw record, or one page of a list read, as read. Append-only.
document = sa.Table(
    "document",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # netsuite | bigcommerce | ...
    sa.Column("kind", sa.Text, nullable=False),  # inventory_levels, order, ...
    sa.Column("natural_key", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("read_seq", sa.BigInteger),  # drawn before the page was asked for
    sa.Column("content_hash", sa.LargeBinary, nullable=False),  # sha256 of `body` as stored
    sa.Column("encoding", sa.Text, nullable=False),  # json+zlib | json+zlib+aesgcm
    sa.Column("subject_key_id", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("fetched_at", Timestamp, nullable=False, server_default=_now),
    # HMAC of the body as read, under the shopper's key (sha256 without one): is the record as it was?
    sa.Column("fingerprint", sa.Text),
    sa.Index("document_by_run", "run_id", "kind"),
    sa.Index("document_by_key", "store", "kind", "natural_key", "id"),
)

# What a run would do.
plan = sa.Table(
    "plan",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),  # apply | plan
    sa.Column("as_of", Timestamp, nullable=False),
    sa.Column("config_digest", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # sha256 over the lines in order
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("summary", JSONB, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("applied_at", Timestamp),
    sa.Index("plan_by_run", "run_id"),
)

# One intended call that writes. planned -> sending -> confirmed, or held, failed, ambiguous, superseded.
operation = sa.Table(
    "operation",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # inventory_adjustment, sales_order, ...
    sa.Column("natural_key", sa.Text, nullable=False),
    sa.Column("plan_id", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.plan.id")),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", sa.BigInteger),
    sa.Column("answer", JSONB),
    sa.Column("reason", sa.Text),
    sa.Column("staged_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("sending_at", Timestamp),
    sa.Column("settled_at", Timestamp),
    # Operations of one group are sent one after the other, in the order of their ids.
    sa.Column("group_key", sa.Text),
    sa.Column("amount_minor", sa.BigInteger),  # the money it moves, in minor units of `currency`
    sa.Column("currency", sa.Text),
    sa.Column("staged_by", sa.Text),  # the person who staged it by hand; NULL = the pipeline
    sa.CheckConstraint(
        "state in ('planned','sending','confirmed','held','failed','ambiguous','superseded')",
        name="operation_state_known",
    ),
    # A second intention for the same record waits until the first one is settled.
    sa.Index(
        "operation_open_once",
        "store",
        "kind",
        "natural_key",
        unique=True,
        postgresql_where=sa.text("state in ('planned','sending','held','ambiguous')"),
    ),
    sa.Index("operation_by_sending", "store", "sending_at"),
    sa.Index(
        "operation_by_group",
        "store",
        "group_key",
        "id",
        postgresql_where=sa.text("state in ('planned','sending','ambiguous') and group_key is not null"),
    ),
    sa.Index(
        "operation_to_do",
        "store",
        "flow",
        "id",
        postgresql_where=sa.text("state in ('planned','sending','ambiguous')"),
    ),
    # What became of a record's writes, among all that were ever settled.
    sa.Index("operation_by_key", "store", "natural_key"),
)

# One SKU and location that changed in a run. Quantities are whole units as BigCommerce takes them; the
# NetSuite terms are as read (NetSuite allows fractions). Partitioned by month, kept 13 months.
inventory_change = sa.Table(
    "inventory_change",
    metadata,
    sa.Column("plan_id", sa.BigInteger, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("planned_at", Timestamp, primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("item_id", sa.BigInteger, nullable=False),  # NetSuite internal id
    sa.Column("sku", sa.Text, nullable=False),
    sa.Column("product_id", sa.BigInteger, nullable=False),
    sa.Column("variant_id", sa.BigInteger, nullable=False),
    sa.Column("tracking", sa.Text, nullable=False),  # product | variant
    sa.Column("location_id", sa.Integer, nullable=False),  # BigCommerce location
    sa.Column("available", sa.Numeric(20, 8)),
    sa.Column("on_hand", sa.Numeric(20, 8)),
    sa.Column("committed", sa.Numeric(20, 8)),
    sa.Column("in_transit", sa.Numeric(20, 8)),
    sa.Column("backordered", sa.Numeric(20, 8)),
    sa.Column("on_order", sa.Numeric(20, 8)),
    sa.Column(
        "rule", sa.Text, nullable=False
    ),  # "available", "kit(min): ...", the expression; with safety stock
    sa.Column("netsuite_changed_at", sa.Text),  # NetSuite's own clock, YYYY-MM-DD HH:MM:SS
    sa.Column("old", sa.Integer),  # last value confirmed; NULL = never confirmed
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("read_seq", sa.BigInteger, nullable=False),
    # What became of the line: NULL until settled, or `released` to be sent again; then confirmed, superseded,
    # refused, unconfirmed. Whether it is on its way is what its operation says.
    sa.Column("outcome", sa.Text),
    sa.Column("pushed", sa.Integer),
    sa.Column("read_back", sa.Integer),
    sa.Column("settled_at", Timestamp),
    sa.Column("unposted", sa.Numeric(20, 8)),  # sold and not in NetSuite, subtracted; NULL = nothing
    sa.Index("inventory_change_by_item", "item_id", "location_id", "planned_at"),
    postgresql_partition_by="RANGE (planned_at)",
)

# Last value confirmed per item and BigCommerce location; `confirmed` moves only on read-back.
inventory_state = sa.Table(
    "inventory_state",
    metadata,
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("item_id", sa.BigInteger, nullable=False),
    sa.Column("location_id", sa.Integer, nullable=False),
    sa.Column("confirmed", sa.Integer),
    sa.Column("confirmed_at", Timestamp),
    sa.Column("origin", sa.Text),  # adopted (first seen in the store) | pushed
    sa.Column("netsuite_changed_at", sa.Text),  # of the read behind `confirmed`
    sa.Column("sent_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("sent", sa.Integer),
    sa.Column("live", sa.Integer),  # last value seen in the store
    sa.Column("live_at", Timestamp),
    sa.Column("pending_since", Timestamp),  # wanted <> confirmed since; NULL = in step
    # The numbers first: every line that is sent looks itself up here, and texts are slow to compare.
    sa.PrimaryKeyConstraint("item_id", "location_id", "store"),
)

# What kits and groups take of their members, as NetSuite said when it was last asked for the kit.
kit_member = sa.Table(
    "kit_member",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("kit_id", sa.BigInteger, primary_key=True),  # NetSuite internal ids
    sa.Column("item_id", sa.BigInteger, primary_key=True),
    sa.Column("need", sa.BigInteger, nullable=False),  # in 1/100,000,000, rounded up; 0 = unreadable
)

# "This record there is that record here." For kind `item`, label is the SKU and detail has product_id,
# variant_id and tracking; bigcommerce_id is the variant id. Several shoppers may be one NetSuite customer, and
# several shipments one fulfilment; every other kind is one to one.
link = sa.Table(
    "link",
    metadata,
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("netsuite_id", sa.Text, nullable=False),
    sa.Column("bigcommerce_id", sa.Text, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("detail", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("linked_at", Timestamp, nullable=False, server_default=_now),
    sa.PrimaryKeyConstraint("store", "kind", "bigcommerce_id"),
    sa.Index(
        "link_one_to_one",
        "store",
        "kind",
        "netsuite_id",
        unique=True,
        postgresql_where=sa.text(f"kind not in {MANY_TO_ONE}"),
    ),
    sa.Index(
        "link_many_to_one",
        "store",
        "kind",
        "netsuite_id",
        postgresql_where=sa.text(f"kind in {MANY_TO_ONE}"),
    ),
)

# One open question. `subject` ("sku:RE-130") and the texts carry no personal data.
exception = sa.Table(
    "exception",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),  # error | warning
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    sa.Column("detail", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("run_id", sa.Text),
    sa.Column("count", sa.Integer, nullable=False, server_default="1"),
    sa.Column("opened_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("last_seen_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("resolved_at", Timestamp),
    sa.Column("resolved_by", sa.Text),
    sa.Column("resolution", sa.Text),  # healed | approved | dismissed
    sa.Column("resolution_reason", sa.Text),
    sa.Column("assigned_to", sa.Text),
    sa.Column("assigned_at", Timestamp),
    sa.Column("retry_requested_at", Timestamp),  # a person asked for it to be tried again; NULL once taken up
    sa.Index(
        "exception_open_once",
        "store",
        "flow",
        "code",
        "subject",
        unique=True,
        postgresql_where=sa.text("resolved_at is null"),
    ),
    sa.Index("exception_by_subject", "store", "subject"),
)

# One thing that happened, or one batch of alike things with the digest of its lines. Append-only.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column(
        "kind", sa.Text, nullable=False
    ),  # operation.planned, operation.sending, exception.resolved, ...
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("body", sa.Text, nullable=False),  # canonical JSON
    sa.Column("lines", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lines_digest", sa.Text),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("audit_by_subject", "subject"),
)

# One shopper's data key, wrapped by BCNS_DATA_KEY. Erasing the shopper is deleting the row.
subject_key = sa.Table(
    "subject_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # keyed hash, never the e-mail itself
    sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False, server_default=_now),
    sa.UniqueConstraint("store", "subject", name="subject_key_one_per_subject"),
)

# Calls made, by run, flow, system and operation: the API cost ledger.
api_usage = sa.Table(
    "api_usage",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, primary_key=True),
    sa.Column("system", sa.Text, primary_key=True),
    sa.Column("operation", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, primary_key=True),  # "200", "429", "none"
    sa.Column("calls", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Numeric(12, 3), nullable=False),
    sa.Column("first_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("last_at", Timestamp, nullable=False, server_default=_now),
)

# Drawn before a page of stock is asked for, so that an older read is recognised (design 5.8).
read_seq = sa.Sequence("read_seq", metadata=metadata, start=1)

# What SQLAlchemy's CREATE TABLE can't say stands in the migrations alone: `audit`, `document` and `order_step`
# are append-only by trigger, and `inventory_state` has fillfactor 50, which keeps its two updates per push out of
# the index.
