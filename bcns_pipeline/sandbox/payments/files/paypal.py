"""PayPal's settlement report (STL): one file a day, all currencies in one section, footers per currency.

Put its rows here. Do not put what moves money here. Source: facts/finance.md 1.3: amounts are unsigned whole minor
units and CR or DR gives the sign; a fee that PayPal takes is DR; footers give credits, debits, fees and balances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bcns_pipeline.sandbox.payments.files.sheet import Row, Sheet
from bcns_pipeline.sandbox.payments.kinds import KINDS
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider

COLUMNS = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
    "Consumer ID",
    "Payment Tracking ID",
    "Store ID",
    "Bank Reference ID",
    "Credit Transactional Fee",
    "Credit Promotional Fee",
    "Credit Term",
)
CONVERSION, DISPUTE_FEE, WITHDRAWAL, DEPOSIT = "T0200", "T0106", "T0400", "T0300"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the body: an amount with its sign, and a fee that is positive where PayPal takes it."""

    id: str
    code: str
    moment: int
    amount: int
    currency: str
    fee: int = 0
    fee_currency: str = ""
    invoice: str = ""
    reference: str = ""
    bank: str = ""


def sheet(provider: Provider, payouts: Sequence[Payout]) -> Sheet:
    """The report of the day on which the payouts were made."""
    entries = [entry for payout in payouts for entry in _entries(payout)]
    day = datetime.fromtimestamp(payouts[0].created, UTC)
    account = provider.contract.account
    start, end = day.strftime("%Y/%m/%d 00:00:00 +0000"), day.strftime("%Y/%m/%d 23:59:59 +0000")
    footers = [_footer(entries, code) for code in sorted(_currencies(entries))]
    count = str(len(entries))
    return Sheet(
        f"STL-{day:%Y%m%d}.{payouts[0].order:02d}.009.CSV",
        list(COLUMNS),
        [_row(one) for one in entries],
        note=COLUMNS.index("Custom Field"),
        money=COLUMNS.index("Gross Transaction Amount"),
        currency=COLUMNS.index("Gross Transaction Currency"),
        lead=("CH", "SB"),
        before=[
            ["RH", day.strftime("%Y/%m/%d %H:%M:%S +0000"), "X", account, "009", ""],
            ["FH", "01"],
            ["SH", start, end, account, ""],
        ],
        after=[
            *(["SF", *one] for one in footers),
            ["SC", count],
            *(["RF", *one] for one in footers),
            ["RC", count],
            ["FF", count],
        ],
        total=("after", 0, 2),
    )


def _entries(payout: Payout) -> Iterator[Entry]:
    for one in payout.lines:
        yield from _entries_of(one)
    if payout.amount:
        code = WITHDRAWAL if payout.amount > 0 else DEPOSIT
        name = _id(payout.id)
        yield Entry(name, code, payout.created, -payout.amount, payout.currency, bank=payout.trace)


def _entries_of(one: Movement) -> Iterator[Entry]:
    """A movement as PayPal tells it: a chargeback's fee apart, and a conversion as two rows of its own."""
    code = one.word or KINDS[one.kind].paypal
    if not code:
        raise ValueError(f"PayPal has no code for a {one.kind}.")
    name = one.source if one.kind in ("charge", "refund") else _id(one.id)
    reference = "" if one.kind == "charge" else one.reference
    if one.rate is not None and one.presented:
        converted = _id(one.id + "/converted")
        yield Entry(
            name,
            code,
            one.created,
            one.presented,
            one.presented_currency,
            one.fee,
            one.currency,
            one.order_id,
            reference,
        )
        yield Entry(
            converted, CONVERSION, one.created, -one.presented, one.presented_currency, reference=name
        )
        yield Entry(
            _id(one.id + "/conversion"), CONVERSION, one.created, one.gross, one.currency, reference=name
        )
        return
    apart = one.kind.startswith("dispute") and one.fee
    fee = 0 if apart else one.fee
    yield Entry(name, code, one.created, one.gross, one.currency, fee, one.currency, one.order_id, reference)
    if apart:
        more = _id(one.id + "/fee")
        yield Entry(more, DISPUTE_FEE, one.created, -one.fee, one.currency, reference=reference)


def _row(one: Entry) -> Row:
    moment = datetime.fromtimestamp(one.moment, UTC).strftime("%Y/%m/%d %H:%M:%S +0000")
    return [
        one.id,
        one.invoice,
        one.reference,
        "TXN" if one.reference else "",
        one.code,
        moment,
        moment,
        _sign(one.amount),
        str(abs(one.amount)),
        one.currency,
        "CR" if one.fee < 0 else "DR",
        str(abs(one.fee)),
        one.fee_currency or one.currency,
        "",
        "",
        "",
        "",
        one.bank,
        "",
        "",
        "",
    ]


def _currencies(entries: Sequence[Entry]) -> set[str]:
    return {one.currency for one in entries} | {one.fee_currency for one in entries if one.fee}


def _footer(entries: Sequence[Entry], currency: str) -> Row:
    """Credits and debits of amounts and of fees, the balances before and after, and the number of rows."""
    amounts = [one.amount for one in entries if one.currency == currency]
    fees = [-one.fee for one in entries if one.fee_currency == currency]
    opening, closing = 0, sum(amounts) + sum(fees)
    balances = [value for _ in range(2) for value in _balance(opening, closing)]
    return [
        currency,
        str(sum(one for one in amounts if one > 0)),
        str(-sum(one for one in amounts if one < 0)),
        str(sum(one for one in fees if one > 0)),
        str(-sum(one for one in fees if one < 0)),
        *balances,
        *_balance(0, 0),
        str(len(amounts)),
    ]


def _balance(opening: int, closing: int) -> Row:
    return [_sign(opening), str(abs(opening)), _sign(closing), str(abs(closing))]


def _sign(value: int) -> str:
    return "DR" if value < 0 else "CR"


def _id(text: str) -> str:
    """17 capital letters and digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:17].upper()
