"""Amazon's settlement flat file (V2), and marketplaces that write it alike: one row per component of an amount.

Put the reading of the file here. The first row of a settlement holds only its total, which the components must add up
to. European files write decimal commas and days first. Facts: facts/finance.md 1.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Row, table
from bcns_pipeline.clients.files.values import ContentIds, currency_of, date_of, minor_of, moment_of
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile

PROVIDER: Final = "amazon"
SIGNATURE: Final = ("settlement-id", "total-amount", "amount-type", "amount-description")
_NEEDED: Final = (
    *SIGNATURE,
    *("deposit-date", "currency", "transaction-type", "order-id", "amount", "posted-date"),
)
_DAY_FIRST: Final = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})")
_REFERENCES: Final = ("order-id", "merchant-order-id", "adjustment-id", "shipment-id")


@dataclass(slots=True)
class _Head:
    """The row with a settlement's total."""

    row: Row
    currency: str
    total: int
    arrival: date
    lines: list[SourceLine] = field(default_factory=list)


def read_amazon(text: str, profile: FileProfile) -> list[Settlement]:
    """One settlement per settlement id. BadFile TOTALS where the components are not the total."""
    decimal = _decimal_mark(text)
    heads: dict[str, _Head] = {}
    ids = ContentIds()
    for row in table(text, _NEEDED, delimiter="\t"):
        settlement = row.need("settlement-id")
        if row["total-amount"]:
            if settlement in heads:
                raise BadFile("DUPLICATE", f"settlement {settlement} has a second total", row=row.number)
            heads[settlement] = _head(row, decimal)
        elif settlement not in heads:
            text_ = (
                f"settlement {settlement} has rows before the one with its total; the file was sorted or cut"
            )
            raise BadFile("SHAPE", text_, row=row.number)
        else:
            heads[settlement].lines.append(_line(row, heads[settlement].currency, decimal, ids))
    return [_settlement(name, head, profile) for name, head in heads.items()]


def _decimal_mark(text: str) -> str:
    """Whether the file writes 12,34 or 12.34, by its amounts; both in one file is a fault of `minor_of`."""
    names = text.split("\n", 1)[0].strip("\r").split("\t")
    wanted = [at for at, name in enumerate(names) if name.strip().strip('"') in {"amount", "total-amount"}]
    for line in text.split("\n")[1:]:
        fields = line.strip("\r").split("\t")
        for at in wanted:
            if at < len(fields) and "," in fields[at]:
                return ","
            if at < len(fields) and "." in fields[at]:
                return "."
    return "."


def _head(row: Row, decimal: str) -> _Head:
    currency = currency_of(row["currency"], row.number)
    total = minor_of(row["total-amount"], currency, row.number, "total-amount", decimal=decimal)
    column = "deposit-date" if row["deposit-date"] else "settlement-end-date"
    return _Head(row, currency, total, date_of(_year_first(row[column]), row.number, column))


def _settlement(name: str, head: _Head, profile: FileProfile) -> Settlement:
    found = sum(line.net for line in head.lines)
    if found != head.total:
        text = f"settlement {name} says {head.total}, its rows make {found} (minor units); it was cut off or changed"
        raise BadFile("TOTALS", text, row=head.row.number)
    payout = SourcePayout(
        provider=PROVIDER,
        account=profile.account(PROVIDER),
        id=name,
        currency=head.currency,
        amount=head.total,
        status=PayoutStatus.PAID,
        arrival_date=head.arrival,
        descriptor="AMAZON",
    )
    return Settlement(payout, tuple(head.lines), rows=len(head.lines) + 1)


def _line(row: Row, currency: str, decimal: str, ids: ContentIds) -> SourceLine:
    if row["currency"] and currency_of(row["currency"], row.number) != currency:
        raise BadFile("CURRENCY", f"{row['currency']} in a settlement in {currency}", row=row.number)
    amount = minor_of(row["amount"], currency, row.number, "amount", decimal=decimal)
    column = "posted-date-time" if row["posted-date-time"] else "posted-date"
    return SourceLine(
        id=ids(row["settlement-id"], list(row.values.values())),
        category="/".join((row.need("transaction-type"), row.need("amount-type"), row["amount-description"])),
        gross=amount,
        fee=0,
        net=amount,
        currency=currency,
        occurred_at=_moment(row.need(column), row.number, column),
        row_sha256=row.sha256,
        kind=row["transaction-type"],
        references=tuple(dict.fromkeys(row[name] for name in _REFERENCES if row[name])),
        order_hints=tuple(dict.fromkeys(row[name] for name in _REFERENCES[:2] if row[name])),
        description=row["amount-description"],
        method=row["marketplace-name"],
        sku=row["sku"],
    )


def _moment(text: str, row: int, column: str) -> datetime:
    return moment_of(_year_first(text), row, column)


def _year_first(text: str) -> str:
    return _DAY_FIRST.sub(r"\3-\2-\1", text)
