"""From booked captures and refunds and settled lines to the items of the clearing roll-forward.

Put the sorting here; the arithmetic is rules/payouts/roll_forward.py. Do not put reads here. What an entry moves on
the account beyond the lines that it settles is an item of its own, so nothing is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from bcns_pipeline.rules.close.evidence import NOT_EVIDENCED, Outside, Provider, explained
from bcns_pipeline.rules.payouts.roll_forward import Item, Movement, RollForward, roll_forward

Row = Mapping[str, Any]
NOTHING = Outside()


def roll_forwards(
    booked: Sequence[Row],
    entries: Sequence[Row],
    settled: Sequence[Row],
    first: date,
    last: date,
    outside: Outside = NOTHING,
) -> list[RollForward]:
    """One per account and currency on which a capture or refund was ever booked, or that NetSuite was asked about."""
    items: dict[tuple[int, str], list[Item]] = defaultdict(
        list, {where: [] for where in outside.ledger or ()}
    )
    for where, item in outside.items():
        items[where].append(item)
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
        roll_forward(*where, found, first, last, ledger=says.posted, waiting=says.waiting)
        for where, found in sorted(items.items())
        for says in (outside.of_ledger(where),)
    ]


COLUMNS = ("account", "currency", "line", "amount_minor", "oldest_days", "unexplained_minor")
OPEN_COLUMNS = ("account", "currency", "item", "order", "reference", "since", "age", "amount_minor", "why")


def shown(
    found: RollForward, waiting: int | None, outside: Outside = NOTHING, fees: int = 0
) -> list[dict[str, Any]]:
    """The roll-forward as lines. `waiting`: age in days of the oldest entry that awaits approval.

    `fees` of what is open are taken by later payouts: the account shows gross, the provider's balance is less them.
    Only what can be proven has a number in its last column.
    """
    open_sum = sum(one.amount for one in found.open_items)
    oldest = max((one.age for one in found.open_items), default=None)
    lines: list[tuple[str, int | None, int | None, int | None]] = [
        ("opening", found.opening, None, None),
        *((movement.value, amount, None, None) for movement, amount in found.movements.items()),
        ("closing, with entries that await approval", found.closing, None, None),
        ("journals awaiting approval", -found.awaiting, waiting, None),
        ("closing in the ledger, by our records", found.closing - found.awaiting, None, None),
        *_outside(found, outside),
        ("open items", open_sum, oldest, found.closing - open_sum),
        ("fees of open items, taken by later payouts", -fees, None, None),
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


def _outside(
    found: RollForward, outside: Outside
) -> Iterator[tuple[str, int | None, int | None, int | None]]:
    if found.ledger is None:
        yield "closing in the ledger, by NetSuite: not asked", None, None, None
        return
    yield "closing in the ledger, by NetSuite", found.ledger, None, found.unexplained
    for number, amount in outside.of_ledger((found.account, found.currency)).subsidiaries.items():
        yield f"of it in subsidiary {number}", amount, None, None
    for row in outside.differ_on((found.account, found.currency)):
        yield f"NetSuite above our records: {row['name']}", row["netsuite"] - row["ours"], None, None
    provider = outside.providers.get((found.account, found.currency), Provider())
    if provider.balance is None:
        yield NOT_EVIDENCED, None, None, None
        return
    yield "provider balance", provider.balance, None, None
    parts = explained(found, provider)
    for name, amount in parts.items():
        yield f"ledger above the provider: {name}", amount, None, None
    rest = found.ledger - provider.balance - sum(parts.values())
    if provider.proves:
        yield "ledger above the provider: nothing of these", rest, None, rest
    elif provider.foreign:
        yield "ledger above the provider: booked in several currencies, not comparable", rest, None, None
    else:
        name = f"ledger above the provider: fees of {provider.open} records that no payout names yet, and the rest"
        yield name, rest, None, None


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


OTHERS_COLUMNS = (
    "account",
    "currency",
    "date",
    "type",
    "number",
    "netsuite",
    "subsidiary",
    "approval",
    "amount_minor",
)


def shown_others(outside: Outside, first: date) -> list[dict[str, Any]]:
    """What nobody of ours has booked since `first`, oldest first; nothing of it names a person."""
    rows = [
        {
            "account": row["account"],
            "currency": row["currency"],
            "date": date.fromisoformat(row["day"]),
            "type": row["type"],
            "number": row["number"],
            "netsuite": row["id"],
            "subsidiary": row["subsidiary"],
            "approval": "approved" if row["posting"] else "awaiting approval",
            "amount_minor": row["amount"],
        }
        for row in outside.others
        if date.fromisoformat(row["day"]) >= first
    ]
    return sorted(rows, key=lambda row: (row["account"], row["date"], row["netsuite"]))
