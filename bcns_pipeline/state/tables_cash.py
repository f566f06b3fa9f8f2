"""The tables of schema `bcns` that came with cash: what shoppers paid, and what NetSuite has of it.

Columns, keys and what one row means stand here. Do not put queries here. No personal data: cards and certificates
stand in the sealed documents. Amounts are minor units of `currency`, which is the order's own.
"""

from __future__ import annotations

import sqlalchemy as sa

from bcns_pipeline.state.schema import Timestamp, metadata

_now = sa.func.now()

# Where the money of one order stands. `mark` is of the version of the order whose transactions were read last.
cash_order = sa.Table(
    "cash_order",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("order_id", sa.BigInteger, primary_key=True),
    sa.Column("content_hash", sa.Text),  # of the order when it was looked at last; as in `order_state`
    sa.Column("mark", sa.Text),  # of what in that order says how it was paid
    sa.Column("document_id", sa.BigInteger),  # the transactions as read
    sa.Column("read_at", Timestamp),
    sa.Column("currency", sa.Text),
    sa.Column("captured_minor", sa.BigInteger),
    sa.Column("authorised_minor", sa.BigInteger),
    sa.Column("refunded_minor", sa.BigInteger),
    sa.Column("disposition", sa.Text, nullable=False, server_default="open"),
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("retry_at", Timestamp),  # its plan is due then
    sa.Column("read_again_at", Timestamp),  # its transactions are due then
    sa.Column("decided_at", Timestamp),
    sa.Column("planner", sa.BigInteger),  # the worker that has planned it; it has it in hand while it lives
    sa.Column("shopper_id", sa.BigInteger),  # BigCommerce's customer; null for a guest
    sa.CheckConstraint(
        "disposition in ('open','waiting','settled','skipped')", name="cash_order_disposition_known"
    ),
    sa.Index("cash_order_by_disposition", "store", "disposition", "retry_at"),
    sa.Index(
        "cash_order_to_read_again",
        "store",
        "read_again_at",
        postgresql_where=sa.text("read_again_at is not null"),
    ),
)

# One BigCommerce transaction as read last. `gateway_id` is what the provider calls it.
tender = sa.Table(
    "tender",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("transaction_id", sa.BigInteger, primary_key=True),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column("event", sa.Text, nullable=False),  # purchase, capture, authorization, refund, void, ...
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("gateway", sa.Text, nullable=False),
    sa.Column("gateway_id", sa.Text, nullable=False, server_default=""),
    sa.Column("reference_id", sa.BigInteger),  # the transaction that it belongs to
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # ok | error
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("happened_at", Timestamp),
    sa.Column("read_at", Timestamp, nullable=False, server_default=_now),
    # Of stored value: whose it is (rules/cash/tenders.py; never a code), and what BigCommerce told of it: what a
    # certificate was worth at first, what there was before this transaction, what was left after it.
    sa.Column("holder", sa.Text),
    sa.Column("original_minor", sa.BigInteger),
    sa.Column("starting_minor", sa.BigInteger),
    sa.Column("remaining_minor", sa.BigInteger),
    sa.Index("tender_by_order", "store", "order_id"),
    sa.Index("tender_by_gateway_id", "store", "gateway_id", postgresql_where=sa.text("gateway_id <> ''")),
    # Some gateways write two ids in one, "a|b".
    *(
        sa.Index(
            f"tender_by_gateway_part_{number}",
            "store",
            sa.text(f"split_part(gateway_id, '|'::text, {number})"),
            postgresql_where=sa.text("strpos(gateway_id, '|'::text) > 0"),
        )
        for number in (1, 2)
    ),
)

# One record of an order's money in NetSuite: a receipt, an invoice of ours, an application.
cash_record = sa.Table(
    "cash_record",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("natural_key", sa.Text, primary_key=True),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column("transaction_id", sa.BigInteger),  # the capture; null for an invoice
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("netsuite_id", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column(
        "amount_minor", sa.BigInteger
    ),  # as written; null for an invoice, whose total is NetSuite's to say
    sa.Column("account", sa.BigInteger),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("invoice_id", sa.BigInteger),  # what an application settles
    sa.Column("origin", sa.Text, nullable=False),  # created | found
    sa.Column("posted_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("read_minor", sa.BigInteger),  # as NetSuite shows it
    sa.Column("read_open_minor", sa.BigInteger),  # of that, not applied or not paid yet
    sa.Column("read_account", sa.BigInteger),
    sa.Column("read_back_at", Timestamp),
    sa.CheckConstraint(
        "kind in ('deposit','payment','credit','invoice','application','cash_sale')",
        name="cash_record_kind_known",
    ),
    sa.Index("cash_record_by_order", "store", "order_id"),
    sa.Index(
        "cash_record_by_transaction",
        "store",
        "transaction_id",
        postgresql_where=sa.text("transaction_id is not null"),
    ),
    sa.Index(
        "cash_record_to_read_back", "store", "order_id", postgresql_where=sa.text("read_back_at is null")
    ),
)
