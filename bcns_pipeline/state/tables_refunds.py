"""The tables of schema `bcns` that came with refunds: where a refund stands, and the records made of it.

Columns, keys and what one row means stand here. Do not put queries here (`refunds.py`). No personal data stands in
clear in any of them: why a refund was made is in the sealed document.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bcns_pipeline.state.schema import Timestamp, metadata

_now = sa.func.now()

# Where one BigCommerce refund stands. Amounts are minor units of `currency`, which is the order's.
refund_state = sa.Table(
    "refund_state",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("refund_id", sa.BigInteger, primary_key=True),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # on which it was made, in the store's time zone
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("tax_minor", sa.BigInteger, nullable=False),
    sa.Column("paid_minor", sa.BigInteger, nullable=False),  # of payments that were not declined
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("document_id", sa.BigInteger),
    sa.Column("read_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("disposition", sa.Text, nullable=False, server_default="open"),
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("retry_at", Timestamp),
    sa.Column("route", sa.Text),  # credit_memo | cash_refund | deposit | deposit_and_credit
    sa.Column("expected", JSONB, nullable=False, server_default=sa.text("'[]'")),  # keys of all its records
    sa.Column("posted_at", Timestamp),
    sa.Column(
        "read_total_minor", sa.BigInteger
    ),  # of the credit memo or cash refund, or of what was paid back
    sa.Column("open_minor", sa.BigInteger),  # of the credit: not applied to anything
    sa.Column("read_back_at", Timestamp),
    sa.CheckConstraint(
        "disposition in ('open','waiting','planned','posted','declined','reversed','ignored')",
        name="refund_state_disposition_known",
    ),
    sa.Index("refund_state_by_order", "store", "order_id"),
    sa.Index("refund_state_by_day", "store", "day"),
    sa.Index("refund_state_by_disposition", "store", "disposition", "retry_at"),
    sa.Index("refund_state_by_time", "store", "created_at"),
)

# One record in NetSuite that a refund became. Written once, when it is known to be there.
refund_record = sa.Table(
    "refund_record",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("natural_key", sa.Text, primary_key=True),  # its external id
    sa.Column("refund_id", sa.BigInteger, nullable=False),
    sa.Column("order_id", sa.BigInteger, nullable=False),
    sa.Column(
        "n", sa.Integer, nullable=False
    ),  # which payment it settles; 0 for the credit, and for a reversal
    sa.Column("record_type", sa.Text, nullable=False),
    sa.Column("netsuite_id", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # of the posting
    sa.Column("account", sa.BigInteger),  # that the money was taken from
    sa.Column("way", sa.Text, nullable=False, server_default=""),
    sa.Column("provider", sa.Text, nullable=False, server_default=""),
    sa.Column("provider_refs", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("at", Timestamp, nullable=False, server_default=_now),
    sa.Column("transaction_id", sa.BigInteger),  # BigCommerce's, of the payment that it settles
    sa.Index("refund_record_by_refund", "store", "refund_id"),
    sa.Index("refund_record_by_order", "store", "order_id"),
    sa.Index("refund_record_by_provider", "provider_refs", postgresql_using="gin"),
)
