"""From booked captures and refunds and settled lines to the items of the clearing roll-forward.

Put the sorting here; the arithmetic is rules/payouts/roll_forward.py. Do not put reads here. What an entry moves on
the account beyond the lines that it settles is an item of its own, so nothing is left out. A record that a payout in
another currency settles leaves its own currency and comes into the payout's at what NetSuite carried, so that both
close; a companion entry is the rest of such a conversion, of an account that has nothing left to convert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """One per account and currency on which anything was ever booked, or that NetSuite was asked about."""
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
    known = {account for account, _ in items}
    known |= {row["account"] for row in entries if row["role"] == "clearing"}
    heads = {row["natural_key"]: row for row in entries}
    sums: dict[tuple[str, int], int] = defaultdict(int)
    kept: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    transfers: dict[tuple[str, int], int] = defaultdict(int)
    for row in entries:
        place, amount = (row["natural_key"], row["account"]), row["debit"] - row["credit"]
        sums[place] += amount
        if row.get("not_itemised"):
            transfers[place] += amount
        if row.get("kept_by"):
            kept[place][row["kept_by"]] += amount
    lines = _by_account(settled, entries)
    for (key, account), moved in sums.items():
        if account in known:
            # What an entry settled is open again once it is taken back.
            first_of = heads[key]["reverses"] or key
            sign = -1 if heads[key]["reverses"] else 1
            mine = [_Share.of(row, sign) for row in lines.get((first_of, account), ())]
            companion = heads.get(first_of, heads[key])["kind"] == "fx_residual"
            beside = kept[key, account], transfers[key, account]
            for where, item in _moved(heads[key], account, moved, mine, *beside, companion=companion):
                items[where].append(item)
    return [
        roll_forward(*where, found, first, last, ledger=says.posted, waiting=says.waiting)
        for where, found in sorted(items.items())
        for says in (outside.of_ledger(where),)
    ]


@dataclass(frozen=True, slots=True)
class _Share:
    """What one settled line moves: `amount` in the entry's currency, `given` in that of its record."""

    row: Row
    amount: int
    given: int

    @classmethod
    def of(cls, row: Row, sign: int) -> _Share:
        """`sign`: -1 where the entry takes back the one that settled it."""
        given = abs(row["given"] or 0)
        return cls(row, sign * row["amount"], sign * (given if row["amount"] > 0 else -given))


def _by_account(settled: Sequence[Row], entries: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """{(entry, account): the lines that it settles there}; a line without a record is on the account of the others."""
    clearing: dict[str, set[int]] = defaultdict(set)
    for row in entries:
        if row["role"] == "clearing":
            clearing[row["natural_key"]].add(row["account"])
    own: dict[str, set[int]] = defaultdict(set)
    for row in settled:
        if row["account"] is not None and row["record_currency"] == row["currency"]:
            own[row["journal"]].add(row["account"])
    found: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in settled:
        journal = row["journal"]
        account = row["account"]
        if account is None:
            account = min(own[journal] or clearing[journal], default=None)
        if account is not None:
            found[journal, account].append(row)
    return found


def _moved(
    head: Row,
    account: int,
    moved: int,
    mine: Sequence[_Share],
    kept: Mapping[str, int],
    transfer: int,
    *,
    companion: bool,
) -> Iterator[tuple[tuple[int, str], Item]]:
    """What one entry moves on one account: the lines that it settles, what it converts, what providers keep, what was
    paid out without saying of what (`transfer`), and the rest."""
    where, day, approved = (account, head["currency"]), head["tran_date"], head["approved"] is True
    for one in mine:
        row = one.row
        movement = Movement.CHARGE_SETTLED if row["gross"] >= 0 else Movement.REFUND_SETTLED
        about = (day, row["order_id"], row["line_id"], approved)
        yield where, Item(row["key"], movement, one.amount, *about)
        if row["record_currency"] not in (None, row["currency"]):
            yield where, Item(row["key"], Movement.CONVERTED, -one.amount, *about)
            yield (account, row["record_currency"]), Item(row["key"], Movement.CONVERTED, one.given, *about)
    for who, amount in kept.items():
        # One payout holds it back and the next one pays it: all of them move one balance.
        about = (day, None, head["natural_key"], approved)
        yield where, Item(f"balance kept by {who}", Movement.OTHER_SETTLED, amount, *about, rolls=True)
    # An entry and what takes it back close each other.
    name, key = head["reverses"] or head["natural_key"], head["natural_key"]
    if transfer:
        yield where, Item(name, Movement.NOT_ITEMISED, transfer, day, None, key, approved)
    rest = moved - sum(one.amount for one in mine) - sum(kept.values()) - transfer
    if rest:
        movement = Movement.TAKEN_OVER if head["kind"] == "opening" else Movement.OTHER_SETTLED
        yield where, Item(name, movement, rest, day, None, key, approved)
        if companion:
            yield where, Item(name, Movement.CONVERTED, -rest, day, None, key, approved)


# `account` is what people call it; `account_id` is NetSuite's, for whoever asks NetSuite again.
COLUMNS = ("account", "currency", "line", "amount_minor", "oldest_days", "unexplained_minor", "account_id")
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
        *(
            (movement.value, amount, None, None)
            for movement, amount in found.movements.items()
            # Most merchants have none.
            if amount or movement is not Movement.NOT_ITEMISED
        ),
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
    shown = found.settled_ledger
    if shown is None:
        yield "closing in the ledger, by NetSuite: not asked", None, None, None
        return
    yield "closing in the ledger, by NetSuite", found.ledger, None, found.unexplained
    if found.converted:
        yield "the same, with what payouts converted (NetSuite keeps both currencies)", shown, None, None
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
    rest = shown - provider.balance - sum(parts.values())
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


# Who and when, by NetSuite's ids of people and its clock (facts/finance.md 5.1, AS 2401); never a name.
TOUCHED = ("created_by", "created_at", "modified_by", "modified_at")
NOT_KNOWN = "not known"
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
    *TOUCHED,
    "account_id",
)


def shown_others(outside: Outside, first: date) -> list[dict[str, Any]]:
    """What nobody of ours has booked since `first`, oldest first; of a person it has the id."""
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
            **{name: row.get(name, NOT_KNOWN) for name in TOUCHED},
        }
        for row in outside.others
        if date.fromisoformat(row["day"]) >= first
    ]
    return sorted(rows, key=lambda row: (row["account"], row["date"], row["netsuite"]))
