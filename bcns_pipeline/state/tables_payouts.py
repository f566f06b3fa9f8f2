"""The tables of schema `bcns` that came with payouts: what providers and banks sent, and what the ledger got.

Columns, keys and what one row means stand here; `tables.py` has the others. Do not put queries here. Amounts are
minor units of the row's `currency`, with the provider's or the bank's own sign. No personal data stands in clear in
any of them: what a provider or a bank wrote is in sealed documents.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from bcns_pipeline.state.schema import SCHEMA, Timestamp, metadata

_now = sa.func.now()

# Bytes that came from a provider or a bank, by their hash: the same file twice is one row.
settlement_document = sa.Table(
    "settlement_document",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, primary_key=True),  # of the bytes as received
    sa.Column("document_id", sa.BigInteger, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # stripe/api, drop/payouts, drop/bank
    sa.Column("name", sa.Text, nullable=False),  # file name, or the request that it answers
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("fetched_at", Timestamp, nullable=False),
    sa.Column("fate", sa.Text, nullable=False, server_default="kept"),
    sa.Column("reason", sa.Text),
    sa.Column("run_id", sa.Text),
    sa.CheckConstraint("fate in ('kept','taken','rejected')", name="settlement_document_fate_known"),
)

# Where one payout stands.
payout = sa.Table(
    "payout",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),  # merchant account at the provider
    sa.Column("payout_id", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),  # > 0 arrives at the bank
    sa.Column("source_status", sa.Text, nullable=False),  # pending, in_transit, paid, failed, canceled
    sa.Column("arrival_date", sa.Date, nullable=False),
    sa.Column("created_at", Timestamp),
    sa.Column("itemisation", sa.Text, nullable=False),  # complete, pending, never
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
    # Grows when the provider restates what the payout is made of; its lines and documents carry it.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sources_digest", sa.Text),  # over the hashes of the documents last read, in their order
    sa.Column("lines_digest", sa.Text),  # over what the lines say, whatever the bytes around it
    sa.Column("rows", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lines", sa.Integer, nullable=False, server_default="0"),
    sa.Column("status", sa.Text, nullable=False, server_default="new"),
    sa.Column("code", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("retry_at", Timestamp),
    sa.Column("journal_key", sa.Text),  # natural key of its live journal entry
    sa.Column("bank_line", sa.Text),
    sa.Column("bank_account", sa.Text),
    sa.Column("seen_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("moved_at", Timestamp, nullable=False, server_default=_now),
    sa.UniqueConstraint("store", "provider", "account", "payout_id", name="payout_is_one"),
    sa.CheckConstraint(
        "status in ('new','fetched','balanced','mapped','draft_posted','approved','bank_matched','closed',"
        "'held','failed','reversed')",
        name="payout_status_known",
    ),
    sa.Index("payout_by_day", "store", "arrival_date"),
    sa.Index("payout_by_status", "store", "status"),
)

# Which documents a version of a payout was read from: role `list` says that it is, `lines` what it is made of.
payout_document = sa.Table(
    "payout_document",
    metadata,
    sa.Column("payout", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.payout.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("document_id", sa.BigInteger, nullable=False),
    sa.Index("payout_document_by_hash", "sha256"),
)

# One line of a payout, as finance.md 1.8 has it. What it means and which order it is of may be decided again.
payout_line = sa.Table(
    "payout_line",
    metadata,
    sa.Column("payout", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.payout.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),  # in the provider's order, from 0
    sa.Column("line_id", sa.Text, nullable=False),
    sa.Column("cls", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("gross", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("fee_tax", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("presentment_amount", sa.BigInteger),
    sa.Column("presentment_currency", sa.Text),
    sa.Column("rate", sa.Numeric),
    sa.Column("occurred_at", Timestamp),
    sa.Column("refs", sa.Text, nullable=False),  # ids of the provider, one a line of text
    sa.Column("hints", sa.Text, nullable=False, server_default=""),  # texts that may be an order's number
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False, server_default=""),
    sa.Column("row_sha256", sa.Text, nullable=False),
    # The link, once there is one: which step of the ladder (finance.md 1.7) found it.
    sa.Column("order_id", sa.BigInteger),
    sa.Column("transaction_id", sa.BigInteger),
    sa.Column("step", sa.Text),
    sa.Column("journal_key", sa.Text),  # of the record that booked the capture or refund
    sa.Column("carrying", sa.BigInteger),  # what NetSuite carries for it, minor units of the base currency
    sa.Index("payout_line_by_id", "line_id"),
    sa.Index("payout_line_by_order", "order_id", postgresql_where=sa.text("order_id is not null")),
    sa.Index(
        "payout_line_by_transaction",
        "transaction_id",
        postgresql_where=sa.text("transaction_id is not null"),
    ),
)

# One journal entry that we mean to write or have written. Never changed once it was sent, but for what NetSuite says.
payout_journal = sa.Table(
    "payout_journal",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("natural_key", sa.Text, nullable=False),
    sa.Column("payout", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.payout.id")),
    sa.Column(
        "kind", sa.Text, nullable=False
    ),  # payout, failed, reversal, dispute_lost, dispute_won, fx_residual, fx_reversal, accrual, opening
    sa.Column("version", sa.Integer, nullable=False),  # of the payout's lines that it is made of
    sa.Column("reverses", sa.Text),  # natural key of the journal that it takes back
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),  # sum of its debits
    sa.Column("tran_date", sa.Date, nullable=False),
    sa.Column("economic_date", sa.Date, nullable=False),
    # As the rules planned it: {day, currency, memo, lines: [{account, role, part, debit, credit, memo, count, ...}]}
    sa.Column("entry", JSONB, nullable=False),
    sa.Column("inputs", JSONB, nullable=False),  # what it was made from besides the documents
    sa.Column("body_sha256", sa.Text, nullable=False),  # of the bytes that are sent
    sa.Column("mapping_digest", sa.Text, nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    sa.Column("operation_id", sa.BigInteger),
    sa.Column("netsuite_id", sa.Text),
    sa.Column("netsuite_number", sa.Text),
    sa.Column("approved", sa.Boolean),  # NULL until it was read back
    sa.Column("differences", JSONB),  # NULL until it was read back; [] = equal line by line
    sa.Column("planned_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("sent_at", Timestamp),
    sa.Column("read_back_at", Timestamp),
    sa.Column("reversed_by", sa.Text),
    # {created_by, created_at, modified_by, modified_at}: NetSuite's ids of people and times, what is not known left out
    sa.Column("touched", JSONB),
    sa.UniqueConstraint("store", "natural_key", name="payout_journal_is_one"),
    sa.Index("payout_journal_by_payout", "payout"),
)

# Which lines of a payout stand behind a line of its journal: runs of line numbers, both ends included.
payout_member = sa.Table(
    "payout_member",
    metadata,
    sa.Column("journal", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.payout_journal.id"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),  # line of the journal, from 1
    sa.Column("lines", JSONB, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)

# One booked movement of a bank account. The descriptor is kept only where it looks like a payout.
bank_line = sa.Table(
    "bank_line",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("line_id", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),  # > 0 came in
    sa.Column("booked_on", sa.Date, nullable=False),
    sa.Column("value_date", sa.Date),
    sa.Column("descriptor", sa.Text, nullable=False),
    sa.Column("refs", sa.Text, nullable=False),
    sa.Column("returned", sa.Boolean, nullable=False),
    sa.Column("row_sha256", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),  # of the statement
    sa.Column("payout", sa.BigInteger, sa.ForeignKey(f"{SCHEMA}.payout.id")),
    sa.Column("matched_by", sa.Text),
    sa.Column("matched_at", Timestamp),
    sa.Column("seen_at", Timestamp, nullable=False, server_default=_now),
    sa.Index("bank_line_by_day", "store", "booked_on"),
    sa.Index("bank_line_by_payout", "payout", postgresql_where=sa.text("payout is not null")),
)

# What a provider held at the cutover: captures and refunds that somebody else has booked.
opening_item = sa.Table(
    "opening_item",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("line_id", sa.Text, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("gross", sa.BigInteger, nullable=False),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("occurred_at", Timestamp),
    sa.Column("refs", sa.Text, nullable=False),
    sa.Column("row_sha256", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Timestamp, nullable=False, server_default=_now),
)

# What somebody outside says of clearing accounts as of a day, once per asking: nothing is ever overwritten.
clearing_evidence = sa.Table(
    "clearing_evidence",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # netsuite, or provider/account
    sa.Column("as_of", sa.Date, nullable=False),  # the end of this day of the store
    sa.Column("asked_at", Timestamp, nullable=False, server_default=_now),
    sa.Column("said", JSONB, nullable=False),  # rules/close/evidence.py has the shapes
    sa.Column("sha256", sa.Text, nullable=False),  # of `said` as canonical JSON
    sa.Column("run_id", sa.Text),
    sa.Index("clearing_evidence_by_day", "store", "as_of", "source", "id"),
)
