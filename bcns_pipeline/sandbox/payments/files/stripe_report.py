"""Stripe's itemised payout reconciliation report as CSV.

Put its columns here. Do not put the API here (../stripe). Source: facts/finance.md 1.2: amounts are in major units,
moments without a zone are UTC here, and the payout's own row is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.kinds import KINDS
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.units import major

COLUMNS = (
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "regulatory_tag",
    "charge_id",
    "payment_intent_id",
    "payment_method_type",
    "card_brand",
    "card_country",
    "payment_metadata[order_id]",
)


def sheet(_: Provider, payouts: Sequence[Payout]) -> Sheet:
    """The report over some automatic payouts; `ValueError` for one that nobody itemises."""
    if by_hand := next((one for one in payouts if not one.automatic), None):
        raise ValueError(f"Stripe does not itemise {by_hand.id}, which was paid out by hand.")
    rows = [_row(payout, one) for payout in payouts for one in payout.lines]
    name = f"stripe-payout_reconciliation.itemized.5-{payouts[0].id}.csv"
    return Sheet(
        name,
        list(COLUMNS),
        rows,
        note=COLUMNS.index("description"),
        money=COLUMNS.index("net"),
        currency=COLUMNS.index("currency"),
        newline="\n",
    )


def _row(payout: Payout, one: Movement) -> Row:
    charge = one.kind == "charge"
    shown = one.presented_currency or one.currency
    intent = "pi_" + hashlib.sha256(one.reference.encode()).hexdigest()[:24] if one.reference else ""
    return [
        payout.id,
        _moment(payout.arrival),
        one.id,
        _moment(one.created),
        _moment(one.available),
        one.currency.lower(),
        _amount(one.gross, one.currency),
        _amount(one.fee, one.currency),
        _amount(one.net, one.currency),
        one.word or KINDS[one.kind].stripe[1],
        one.source,
        one.description,
        _amount(one.presented, shown) if one.presented else "",
        shown.lower() if one.presented else "",
        "",
        one.reference,
        intent,
        "card" if charge else "",
        "visa" if charge else "",
        "US" if charge else "",
        one.order_id,
    ]


def _amount(value: int, currency: str) -> str:
    return str(major(value, currency, "stripe"))


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
