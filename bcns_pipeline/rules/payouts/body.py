"""A planned entry as NetSuite takes it, and as it shows it again.

Put NetSuite's field names and the comparison of what was read back here (facts/finance.md 2.4, facts/netsuite.md
3.6). Do not put sums here. The body depends on the entry and the mapping alone, with no time and no run in it, so
that one that is made again from the stored bytes is equal to the byte.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.entry import Entry, JournalLine
from bcns_pipeline.rules.payouts.policy import PayoutPolicy

RECORD = "journalEntry"


def body(entry: Entry, currency: int, policy: PayoutPolicy) -> dict[str, Any]:
    """The record to create; `currency` is NetSuite's id of the entry's currency. Amounts are `Decimal`."""
    found: dict[str, Any] = {"externalId": entry.key, "currency": {"id": str(currency)}}
    if entry.subsidiary is not None:
        found["subsidiary"] = {"id": str(entry.subsidiary)}
    if entry.exchange_rate is not None:
        found["exchangeRate"] = entry.exchange_rate
    found |= {"tranDate": entry.day.isoformat(), "memo": entry.memo, "approved": policy.approved}
    if entry.reverse_on is not None:
        found["reversalDate"] = entry.reverse_on.isoformat()
    if policy.payout_field:
        found[policy.payout_field] = entry.subject
    if policy.economic_date_field:
        found[policy.economic_date_field] = entry.economic_day.isoformat()
    if policy.source_field and entry.sources:
        found[policy.source_field] = source_hash(entry.sources)
    found["line"] = {"items": [_line(line, entry.currency) for line in entry.lines]}
    return found


def source_hash(sources: Sequence[str]) -> str:
    """The hash of the one document, or of the sorted hashes of all: a NetSuite field has no room for 250 pages."""
    if len(sources) == 1:
        return sources[0]
    return hashlib.sha256("\n".join(sorted(sources)).encode()).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, numbers digit for digit: equal entries give equal bytes. TypeError for a float."""
    return _text(value).encode()


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line as NetSuite shows it: minor units of the entry's currency, debit positive."""

    account: int
    amount: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as NetSuite shows it."""

    key: str
    day: date
    currency: int
    lines: Sequence[ShownLine]


def differences(entry: Entry, currency: int, shown: Shown) -> list[str]:
    """What NetSuite shows otherwise than was planned, a sentence each; memos count, the order of lines does not."""
    said = []
    if shown.key != entry.key:
        said.append(f"It has the external id {shown.key}, and {entry.key} was written.")
    if shown.day != entry.day:
        said.append(f"Its date is {shown.day}, and {entry.day} was written.")
    if shown.currency != currency:
        said.append(f"Its currency is {shown.currency}, and {currency} was written.")
    planned = Counter((line.account, line.signed, line.memo) for line in entry.lines)
    there = Counter((line.account, line.amount, line.memo) for line in shown.lines)
    for account, amount, memo in sorted((planned - there).elements()):
        said.append(f"A line is missing: {_side(amount, entry.currency)} on account {account}, {memo!r}.")
    for account, amount, memo in sorted((there - planned).elements()):
        said.append(
            f"A line was not written by us: {_side(amount, entry.currency)} on account {account}, {memo!r}."
        )
    return said


def _side(amount: int, currency: str) -> str:
    return f"{'debit' if amount >= 0 else 'credit'} {Money(abs(amount), currency)}"


def _line(line: JournalLine, currency: str) -> dict[str, Any]:
    side = "debit" if line.debit else "credit"
    amount = Money(line.debit or line.credit, currency).amount
    return {"account": {"id": str(line.account)}, side: amount, "memo": line.memo}


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(str(key))}:{_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is no number that JSON can hold")
        return f"{value:f}"
    if isinstance(value, str | bool | int) or value is None:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ",".join(_text(item) for item in value) + "]"
    raise TypeError(f"a {type(value).__name__} can't be written as JSON")
