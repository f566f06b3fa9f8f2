"""An entry of the rules as the state keeps it, and back: without its members, which have rows of their own.

Put the two directions here and nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, JournalLine, Part
from bcns_pipeline.rules.payouts.model import LineClass


def as_json(entry: Entry) -> dict[str, Any]:
    """For `payout_journal.entry`."""
    return {
        "key": entry.key,
        "kind": entry.kind.value,
        "provider": entry.provider,
        "account": entry.account,
        "subject": entry.subject,
        "currency": entry.currency,
        "day": entry.day.isoformat(),
        "economic_day": entry.economic_day.isoformat(),
        "memo": entry.memo,
        "subsidiary": entry.subsidiary,
        "exchange_rate": entry.exchange_rate,
        "reverse_on": None if entry.reverse_on is None else entry.reverse_on.isoformat(),
        "sources": list(entry.sources),
        "lines": [_line(one) for one in entry.lines],
    }


def as_entry(content: Mapping[str, Any]) -> Entry:
    """What `as_json` wrote; its lines have no members."""
    rate, reverse_on = content["exchange_rate"], content["reverse_on"]
    return Entry(
        key=content["key"],
        kind=EntryKind(content["kind"]),
        provider=content["provider"],
        account=content["account"],
        subject=content["subject"],
        currency=content["currency"],
        day=date.fromisoformat(content["day"]),
        economic_day=date.fromisoformat(content["economic_day"]),
        memo=content["memo"],
        lines=tuple(
            JournalLine(
                account=one["account"],
                role=Role(one["role"]),
                part=Part(one["part"]),
                cls=None if one["cls"] is None else LineClass(one["cls"]),
                debit=one["debit"],
                credit=one["credit"],
                memo=one["memo"],
                members_sha256=one["members_sha256"],
            )
            for one in content["lines"]
        ),
        subsidiary=content["subsidiary"],
        exchange_rate=None if rate is None else Decimal(str(rate)),
        reverse_on=None if reverse_on is None else date.fromisoformat(reverse_on),
        sources=tuple(content["sources"]),
    )


def members_of(entry: Entry, numbers: Mapping[str, int]) -> dict[int, Sequence[int]]:
    """{line of the entry, from 1: the numbers of the payout's lines behind it}; `numbers` by line id."""
    return {
        place: sorted(numbers[one] for one in line.members if one in numbers)
        for place, line in enumerate(entry.lines, start=1)
        if line.members
    }


def _line(one: JournalLine) -> dict[str, Any]:
    return {
        "account": one.account,
        "role": one.role.value,
        "part": one.part.value,
        "cls": None if one.cls is None else one.cls.value,
        "debit": one.debit,
        "credit": one.credit,
        "memo": one.memo,
        "count": one.count,
        "members_sha256": one.members_sha256,
    }
