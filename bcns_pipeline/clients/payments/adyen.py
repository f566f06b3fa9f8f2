"""Adyen's settlement details report: one row per movement, and one MerchantPayout row per batch.

Put the reading of the report here. Columns come in any order and newer reports have more of them. Amounts are in major
units in a debit and a credit column, in the shopper's currency (GC) and in the settlement's (NC). A sale may have a
net debit, where the fees are more than the sale. In one currency the fee of a row is its gross less its net, whatever
columns name of it. Facts: facts/finance.md 1.4.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta, timezone
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Row, table
from bcns_pipeline.clients.files.values import (
    ContentIds,
    Once,
    currency_of,
    date_of,
    moment_of,
    number_of,
    optional_minor,
)
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile

PROVIDER: Final = "adyen"
SIGNATURE: Final = ("Psp Reference", "Modification Reference", "Net Debit (NC)", "Batch Number")
_NEEDED: Final = (
    *SIGNATURE,
    *("Merchant Account", "Merchant Reference", "Creation Date", "TimeZone", "Type", "Gross Currency"),
    *("Gross Debit (GC)", "Gross Credit (GC)", "Exchange Rate", "Net Currency", "Net Credit (NC)"),
)
_PAYOUT: Final = "MerchantPayout"
_FEES: Final = {
    "commission": "Commission (NC)",
    "markup": "Markup (NC)",
    "scheme_fees": "Scheme Fees (NC)",
    "interchange": "Interchange (NC)",
}
_ALL_FEES: Final = "Payment Fees (NC)"
# Each of these has a modification reference of its own, so the same one twice is the same row twice.
_IDENTIFIED: Final = frozenset(
    {
        *("Settled", "SettledBulk", "Refunded", "RefundedBulk", "RefundedReversed"),
        *("Chargeback", "SecondChargeback", "ChargebackReversed"),
    }
)
_TRANSFER: Final = re.compile(r"\bTX\w+XT\b")
_HOURS: Final = {
    "UTC": 0,
    "GMT": 0,
    "BST": 1,
    "IST": 5.5,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "BRT": -3,
    "SGT": 8,
    "HKT": 8,
    "JST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
}


@dataclass(slots=True)
class _Batch:
    """Rows of one merchant account, batch and net currency."""

    lines: list[SourceLine] = field(default_factory=list)
    payout: Row | None = None
    amount: int = 0
    last_day: date = date.min
    last_row: int = 0


def read_adyen(text: str, profile: FileProfile) -> list[Settlement]:  # noqa: ARG001 - readers are called alike
    """One settlement per merchant account, batch and currency. BadFile for anything unclear."""
    batches: dict[tuple[str, str, str], _Batch] = defaultdict(_Batch)
    once, ids = Once("modification reference"), ContentIds()
    for row in table(text, _NEEDED):
        currency = currency_of(row["Net Currency"], row.number, "Net Currency")
        batch = batches[row.need("Merchant Account"), row.need("Batch Number"), currency]
        batch.last_day, batch.last_row = max(batch.last_day, _day(row)), row.number
        if row["Type"] != _PAYOUT:
            batch.lines.append(_line(row, currency, once, ids))
        elif batch.payout is not None:
            text_ = f"batch {row['Batch Number']} has a second {_PAYOUT} row in {currency}"
            raise BadFile("DUPLICATE", text_, row=row.number)
        else:
            batch.payout, batch.amount = row, -_net(row, currency)
    return [_settlement(key, batch) for key, batch in batches.items()]


def _settlement(key: tuple[str, str, str], batch: _Batch) -> Settlement:
    account, number, currency = key
    if batch.payout is None and sum(line.net for line in batch.lines) != 0:
        text = (
            f"batch {number} of {account} has no {_PAYOUT} row in {currency}; it is cut off or not closed yet"
        )
        raise BadFile("TRUNCATED", text, row=batch.last_row)
    transfer = _TRANSFER.search(batch.payout["Modification Reference"]) if batch.payout else None
    return Settlement(
        SourcePayout(
            provider=PROVIDER,
            account=account,
            # With its currency even where the batch has no other one: a later file may have.
            id=f"{number}-{currency}",
            currency=currency,
            amount=batch.amount,
            status=PayoutStatus.PAID,
            arrival_date=_day(batch.payout) if batch.payout else batch.last_day,
            bank_reference=transfer[0] if transfer else "",
            descriptor=batch.payout["Modification Reference"] if batch.payout else "",
        ),
        tuple(batch.lines),
        rows=len(batch.lines) + (batch.payout is not None),
    )


def _line(row: Row, currency: str, once: Once, ids: ContentIds) -> SourceLine:
    kind = row.need("Type")
    net = _net(row, currency)
    parts = tuple(
        (name, amount)
        for name, column in _FEES.items()
        if (amount := optional_minor(row[column], currency, row.number, column))
    )
    shown_currency = row["Gross Currency"]
    shown = None
    if row["Gross Debit (GC)"] or row["Gross Credit (GC)"]:
        shown_currency = currency_of(shown_currency, row.number, "Gross Currency")
        shown = _credit_less_debit(row, "Gross", "GC", shown_currency)
        all_fees = optional_minor(row[_ALL_FEES], currency, row.number, _ALL_FEES)
        if not parts and all_fees:
            parts = (("payment_fees", all_fees),)
        # What was kept beyond the named fees is a fee as well; through an exchange rate that can't be told.
        rest = shown - net - sum(amount for _, amount in parts) if shown_currency == currency else 0
        parts = (*parts, ("other", rest)) if rest else parts
    fee = sum(amount for _, amount in parts)
    reference, psp = row["Modification Reference"], row["Psp Reference"]
    if kind in _IDENTIFIED and (reference or psp):
        identity = once(f"{kind}-{reference or psp}", row.number)
    else:
        day = row["Booking Date"] or row["Creation Date"]
        identity = ids(f"{kind}-{row['Batch Number']}", (kind, psp, reference, currency, net, day))
    rate = row["Exchange Rate"]
    return SourceLine(
        id=identity,
        category=kind,
        gross=net + fee,
        fee=fee,
        net=net,
        currency=currency,
        occurred_at=moment_of(row["Creation Date"], row.number, "Creation Date", zone=zone)
        if row["Creation Date"] and (zone := _zone(row["TimeZone"]))
        else None,
        row_sha256=row.sha256,
        presentment_amount=shown,
        presentment_currency=shown_currency if shown is not None else None,
        rate=number_of(rate, row.number, "Exchange Rate") if rate else None,
        references=_texts(row, "Psp Reference", "Modification Reference", "Dispute Reference"),
        order_hints=_texts(
            row, "Merchant Reference", "Merchant Order Reference", "Modification Merchant Reference"
        ),
        description=reference if not psp else "",
        fee_parts=parts,
        method=row["Payment Method"],
        country=row["Shopper Country"],
    )


def _texts(row: Row, *columns: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[column] for column in columns if row[column]))


def _net(row: Row, currency: str) -> int:
    if not row["Net Debit (NC)"] and not row["Net Credit (NC)"]:
        raise BadFile("AMOUNT", "neither Net Debit (NC) nor Net Credit (NC)", row=row.number)
    return _credit_less_debit(row, "Net", "NC", currency)


def _credit_less_debit(row: Row, what: str, unit: str, currency: str) -> int:
    credit, debit = f"{what} Credit ({unit})", f"{what} Debit ({unit})"
    return optional_minor(row[credit], currency, row.number, credit) - optional_minor(
        row[debit], currency, row.number, debit
    )


def _day(row: Row) -> date:
    column = "Booking Date" if row["Booking Date"] else "Creation Date"
    return date_of(row[column], row.number, column)


def _zone(name: str) -> timezone | None:
    """The zone of an abbreviation; None for one that we do not know: then the moment is unknown, the day is not."""
    if name == "UTC" or not name:
        return UTC
    hours = _HOURS.get(name)
    return None if hours is None else timezone(timedelta(hours=hours))
