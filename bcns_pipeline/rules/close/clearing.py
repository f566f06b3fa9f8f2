"""From booked captures and refunds and settled lines to the items of the clearing roll-forward.

Put the sorting here; the arithmetic is rules/payouts/roll_forward.py. Do not put reads here. What an entry moves on
the account beyond the lines that it settles is an item of its own, so nothing is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bcns_pipeline.rules.payouts.roll_forward import Item, Movement, RollForward, roll_forward

Row = Mapping[str, Any]


def roll_forwards(
    booked: Sequence[Row], entries: Sequence[Row], settled: Sequence[Row], first: date, last: date
) -> list[RollForward]:
    """One per account and currency on which a capture or refund was ever booked. NetSuite is not asked here."""
    items: dict[tuple[int, str], list[Item]] = defaultdict(list)
    for row in booked:
        movement = Movement.CAPTURE if row["movement"] == "capture" else Movement.REFUND
        items[row["account"], row["currency"]].append(
            Item(row["natural_key"], movement, row["amount"] or 0, row["day"], row["order_id"])
        )
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in settled:
        lines[row["journal"]].append(row)
    sums: dict[tuple[str, int], int] = defaultdict(int)
    heads: dict[str, Row] = {}
    for row in entries:
        heads[row["natural_key"]] = row
        sums[row["natural_key"], row["account"]] += row["debit"] - row["credit"]
    for (key, account), moved in sums.items():
        head = heads[key]
        where = (account, head["currency"])
        if where not in items:
            continue
        approved = head["approved"] is True
        mine = lines.pop(key, [])
        for row in mine:
            movement = Movement.CHARGE_SETTLED if row["gross"] >= 0 else Movement.REFUND_SETTLED
            items[where].append(
                Item(
                    row["key"],
                    movement,
                    row["amount"],
                    head["tran_date"],
                    row["order_id"],
                    row["line_id"],
                    approved,
                )
            )
        rest = moved - sum(row["amount"] for row in mine)
        if rest:
            # An entry and what takes it back close each other.
            name = head["reverses"] or key
            items[where].append(
                Item(name, Movement.OTHER_SETTLED, rest, head["tran_date"], None, key, approved)
            )
    return [
        roll_forward(account, currency, found, first, last)
        for (account, currency), found in sorted(items.items())
    ]


COLUMNS = ("account", "currency", "line", "amount_minor", "oldest_days", "unexplained_minor")
OPEN_COLUMNS = ("account", "currency", "item", "order", "reference", "since", "age", "amount_minor", "why")


def shown(found: RollForward, waiting: int | None) -> list[dict[str, Any]]:
    """The roll-forward as lines. `waiting`: age in days of the oldest entry that awaits approval."""
    open_sum = sum(one.amount for one in found.open_items)
    oldest = max((one.age for one in found.open_items), default=None)
    lines: list[tuple[str, int, int | None, int | None]] = [
        ("opening", found.opening, None, None),
        *((movement.value, amount, None, None) for movement, amount in found.movements.items()),
        ("closing, with entries that await approval", found.closing, None, None),
        ("journals awaiting approval", -found.awaiting, waiting, None),
        ("closing in the ledger, by our records", found.closing - found.awaiting, None, None),
        ("open items", open_sum, oldest, found.closing - open_sum),
    ]
    return [
        {
            "account": found.account,
            "currency": found.currency,
            "line": name,
            "amount_minor": amount,
            "oldest_days": age,
            "unexplained_minor": left,
        }
        for name, amount, age, left in lines
    ]


def shown_open(found: RollForward) -> list[dict[str, Any]]:
    """The open items, oldest first."""
    return [
        {
            "account": found.account,
            "currency": found.currency,
            "item": one.key,
            "order": one.order_id,
            "reference": one.reference,
            "since": one.since,
            "age": one.age,
            "amount_minor": one.amount,
            "why": ", ".join(one.movements),
        }
        for one in found.open_items
    ]
