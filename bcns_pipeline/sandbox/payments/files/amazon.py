"""Amazon's settlement report as a flat file: a row with the total, then one row per component of an amount.

Put its columns here. Do not put what moves money here. Source: facts/finance.md 1.6: tab-separated, the sum of all
components is the total, and European files write a comma for the decimal point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.kinds import KINDS
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.units import major

COLUMNS = (
    "settlement-id",
    "settlement-start-date",
    "settlement-end-date",
    "deposit-date",
    "total-amount",
    "currency",
    "transaction-type",
    "order-id",
    "merchant-order-id",
    "adjustment-id",
    "shipment-id",
    "marketplace-name",
    "amount-type",
    "amount-description",
    "amount",
    "fulfillment-id",
    "posted-date",
    "posted-date-time",
    "order-item-code",
    "merchant-order-item-id",
    "merchant-adjustment-item-id",
    "sku",
    "quantity-purchased",
    "promotion-id",
)
EURO_PLACES = {"EUR", "SEK", "PLN"}


def sheet(_: Provider, payouts: Sequence[Payout], *, comma: bool | None = None) -> Sheet:
    """The report of one settlement; `comma` for the decimal point of its amounts, by currency where None."""
    if len(payouts) != 1:
        raise ValueError("An Amazon settlement report is of one settlement; drop one payout at a time.")
    payout = payouts[0]
    point = "," if (payout.currency in EURO_PLACES if comma is None else comma) else "."
    number = str(10_000_000_000 + int(hashlib.sha256(payout.id.encode()).hexdigest()[:9], 16) % 9_000_000_000)
    first = dict.fromkeys(COLUMNS, "")
    start = min((one.created for one in payout.lines), default=payout.created)
    first["settlement-id"], first["currency"] = number, payout.currency
    first["settlement-start-date"], first["settlement-end-date"] = _moment(start), _moment(payout.created)
    first["deposit-date"] = _moment(payout.arrival)
    first["total-amount"] = _amount(payout.amount, payout.currency, point)
    rows = [list(first.values())]
    rows += [_row(number, one, part, point) for one in payout.lines for part in _parts(one)]
    return Sheet(
        f"amazon-settlement-{number}.txt",
        list(COLUMNS),
        rows,
        note=COLUMNS.index("promotion-id"),
        money=COLUMNS.index("amount"),
        currency=COLUMNS.index("currency"),
        total=("rows", 0, COLUMNS.index("total-amount")),
        delimiter="\t",
        newline="\n",
    )


def _parts(one: Movement) -> Iterator[tuple[str, str, int, str]]:
    """Amount type, description, amount and SKU of each component; the commission is one more."""
    if one.parts:
        yield from one.parts
    else:
        kind, text = KINDS[one.kind].amazon
        if not kind:
            raise ValueError(f"Amazon has no amount type for a {one.kind}.")
        yield kind, one.word or text, one.gross, ""
    if one.fee:
        yield "ItemFees", "Commission", -one.fee, ""


def _row(number: str, one: Movement, part: tuple[str, str, int, str], point: str) -> Row:
    kind, text, amount, sku = part
    found = dict.fromkeys(COLUMNS, "")
    sold = one.kind in ("charge", "refund")
    found["settlement-id"] = number
    found["transaction-type"] = {"charge": "Order", "refund": "Refund"}.get(one.kind, "other-transaction")
    found["amount-type"], found["amount-description"] = kind, text
    found["amount"] = _amount(amount, one.currency, point)
    found["posted-date"] = datetime.fromtimestamp(one.created, UTC).strftime("%Y-%m-%d")
    found["posted-date-time"] = _moment(one.created)
    if sold:
        # A merchant has no number of its own there for what was ordered at the marketplace.
        found["order-id"] = one.reference
        found["marketplace-name"], found["fulfillment-id"] = "Amazon.com", "MFN"
        found["shipment-id"], found["sku"] = "D" + number[-8:], sku
        found["order-item-code"] = str(int(hashlib.sha256((one.source + sku).encode()).hexdigest()[:11], 16))
        if one.kind == "refund":
            found["adjustment-id"] = one.source
    return list(found.values())


def _amount(value: int, currency: str, point: str) -> str:
    return str(major(value, currency)).replace(".", point)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
