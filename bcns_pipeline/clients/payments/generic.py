"""Payouts in our own CSV, for providers that have no reader yet: docs/payout-csv.md describes it.

Put the reading of that one format here. Amounts are in major units with a decimal point and a sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Row, table
from bcns_pipeline.clients.files.values import Once, currency_of, date_of, minor_of, moment_of, number_of
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile

SIGNATURE: Final = ("provider", "payout_id", "line_id", "category")
NEEDED: Final = (*SIGNATURE, "payout_date", "currency", "gross", "fee", "net")
OPTIONAL: Final = (
    *("account", "payout_amount", "payout_status", "bank_reference", "occurred_at", "references", "order"),
    *("description", "presentment_amount", "presentment_currency", "exchange_rate", "method", "country"),
)
# What every row of one payout must say alike.
_OF_THE_PAYOUT: Final = ("currency", "payout_date", "payout_amount", "payout_status", "bank_reference")
_STATES: Final = {one.value: one for one in PayoutStatus}


@dataclass(slots=True)
class _Found:
    first: Row
    lines: list[SourceLine] = field(default_factory=list)


def read_generic(text: str, profile: FileProfile) -> list[Settlement]:
    """One settlement per provider, account and payout id. BadFile for anything unclear."""
    found: dict[tuple[str, str, str], _Found] = {}
    once = Once("line_id")
    for row in table(text, NEEDED, delimiter=";" if ";" in text.split("\n", 1)[0] else ","):
        unknown = sorted(name for name in row.values if name and name not in NEEDED and name not in OPTIONAL)
        if unknown:
            raise BadFile("COLUMNS", f"column {unknown[0]} is not one of docs/payout-csv.md", row=1)
        provider = row.need("provider").lower()
        key = (provider, row["account"] or profile.account(provider), row.need("payout_id"))
        one = found.setdefault(key, _Found(row))
        for name in _OF_THE_PAYOUT:
            if row[name] != one.first[name]:
                before = f"{one.first[name]!r} in row {one.first.number}, of the same payout"
                text_ = f"{name} is {row[name]!r} here and {before}"
                raise BadFile("CURRENCY" if name == "currency" else "SHAPE", text_, row=row.number)
        one.lines.append(_line(row, once, key))
    return [_settlement(key, one) for key, one in found.items()]


def _settlement(key: tuple[str, str, str], found: _Found) -> Settlement:
    row, currency = found.first, found.lines[0].currency
    status = row["payout_status"].lower() or PayoutStatus.PAID.value
    if status not in _STATES:
        raise BadFile("SHAPE", f"payout_status {status!r} is not one of {', '.join(_STATES)}", row=row.number)
    amount = row["payout_amount"]
    payout = SourcePayout(
        provider=key[0],
        account=key[1],
        id=key[2],
        currency=currency,
        amount=minor_of(amount, currency, row.number, "payout_amount")
        if amount
        else sum(line.net for line in found.lines),
        status=_STATES[status],
        arrival_date=date_of(row["payout_date"], row.number, "payout_date"),
        status_word=row["payout_status"],
        bank_reference=row["bank_reference"],
    )
    return Settlement(payout, tuple(found.lines), rows=len(found.lines))


def _line(row: Row, once: Once, key: tuple[str, str, str]) -> SourceLine:
    currency = currency_of(row["currency"], row.number)
    gross, fee, net = (minor_of(row[name], currency, row.number, name) for name in ("gross", "fee", "net"))
    if gross - fee != net:
        text = f"gross {row['gross']} less fee {row['fee']} is not net {row['net']}"
        raise BadFile("AMOUNT", text, row=row.number)
    once("/".join((*key[:2], row.need("line_id"))), row.number)
    shown, rate, when = row["presentment_amount"], row["exchange_rate"], row["occurred_at"]
    paid_in = currency_of(row["presentment_currency"], row.number, "presentment_currency") if shown else None
    return SourceLine(
        id=row["line_id"],
        category=row.need("category"),
        gross=gross,
        fee=fee,
        net=net,
        currency=currency,
        occurred_at=moment_of(when, row.number, "occurred_at") if when else None,
        row_sha256=row.sha256,
        presentment_amount=minor_of(shown, paid_in, row.number, "presentment_amount") if paid_in else None,
        presentment_currency=paid_in,
        rate=number_of(rate, row.number, "exchange_rate") if rate else None,
        references=tuple(dict.fromkeys(filter(None, (one.strip() for one in row["references"].split("|"))))),
        order_hints=(row["order"],) if row["order"] else (),
        description=row["description"],
        method=row["method"],
        country=row["country"],
    )
