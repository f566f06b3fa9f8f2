"""Braintree's report of fees by payment: one row per sale or credit, and no payout of its own.

Put its columns here. Do not put what moves money here. Source: facts/finance.md 1.3: amounts are unsigned, the type
gives the sign, and (merchant account, disbursement date) is all that names a payout.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.units import major

COLUMNS = (
    "merchant_account",
    "transaction_id",
    "type",
    "disbursement_date",
    "settlement_amount",
    "settlement_currency",
    "presentment_amount",
    "presentment_currency",
    "discount",
    "discount_credit",
    "per_transaction_fee",
    "braintree_total_amount",
    "card_brand",
    "card_type",
    "country_of_issuance",
    "acquirer_reference_number",
    "order_id",
)
TYPES = {"charge": "sale", "refund": "credit", "unknown": "quantum_settlement"}


def sheet(provider: Provider, payouts: Sequence[Payout]) -> Sheet:
    """The rows of a day's disbursements."""
    rows = [_row(provider, payout, one) for payout in payouts for one in payout.lines]
    day = datetime.fromtimestamp(payouts[0].arrival, UTC)
    account = provider.contract.account
    return Sheet(
        f"braintree_payment_level_fees_{account}_{day:%Y-%m-%d}_{payouts[0].order}.csv",
        list(COLUMNS),
        rows,
        note=COLUMNS.index("order_id"),
        money=COLUMNS.index("settlement_amount"),
        currency=COLUMNS.index("settlement_currency"),
        newline="\n",
    )


def _row(provider: Provider, payout: Payout, one: Movement) -> Row:
    if one.kind not in TYPES:
        raise ValueError(f"Braintree's report of fees has no rows for a {one.kind}.")
    day = datetime.fromtimestamp(payout.arrival, UTC)
    shown, presented = (one.presented_currency, one.presented) if one.presented else (one.currency, one.gross)
    fixed = min(one.fee, provider.units(provider.contract.fixed, one.currency))
    return [
        provider.contract.account,
        one.source,
        one.word or TYPES[one.kind],
        f"{day:%Y-%m-%d}",
        _amount(abs(one.gross), one.currency),
        one.currency,
        _amount(abs(presented), shown),
        shown,
        _amount(one.fee - fixed, one.currency),
        _amount(0, one.currency),
        _amount(fixed, one.currency),
        _amount(one.fee, one.currency),
        "Visa",
        "Credit",
        "USA",
        one.id.removeprefix("txn_")[:23],
        one.order_id,
    ]


def _amount(value: int, currency: str) -> str:
    return str(major(value, currency))
