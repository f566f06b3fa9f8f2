"""The clearing account from opening to closing, and the open items that the closing is made of.

Put the arithmetic of facts/finance.md 2.5 here. Do not put reads here. The closing must equal the list of what is
open; whatever is left over is computed and labelled, never spread. Entries that wait for approval in NetSuite are in
no ledger yet, so they are a line of their own. Amounts are minor units of one currency, debit positive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.findings import Finding, named


class Movement(StrEnum):
    """Why something stands on the clearing account."""

    OPENING = "opening"
    # What the provider held at the cutover, out of the books of before.
    TAKEN_OVER = "taken over at the cutover"
    CAPTURE = "captures booked"
    REFUND = "refunds booked"
    CHARGE_SETTLED = "charges settled by payouts"
    REFUND_SETTLED = "refunds settled by payouts"
    OTHER_SETTLED = "other movements of payouts"
    # Manual and instant payouts: what they paid stays open beside them, for nobody can say which of it that is.
    NOT_ITEMISED = "paid out, not itemised by the provider"
    # A record in one currency that a payout in another has settled: out of the first, into the second.
    CONVERTED = "converted by payouts"
    # On the account, and written by nobody whom we know.
    FOREIGN = "booked by others"


@dataclass(frozen=True, slots=True)
class Item:
    """One movement. `key` says what it is about: movements of one key that come to 0 close each other.

    `amount` is as it stands on the account. A line of a payout has the key of the capture or refund that it settles,
    and a key of its own where it settles none. `approved`: it is in the ledger. `rolls`: it is a part of a balance that
    each payout moves, so that what is left of it is as old as its last movement.
    """

    key: str
    movement: Movement
    amount: int
    day: date
    order_id: int | None = None
    reference: str = ""
    approved: bool = True
    rolls: bool = False


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is left of one key, and since when."""

    key: str
    amount: int
    since: date
    age: int
    order_id: int | None
    reference: str
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True)
class RollForward:
    """One account, one currency, one span of days.

    `closing` is what the items come to, approved or not; `ledger` what NetSuite shows, None where it was not asked.
    `waiting` is what waits for approval, as NetSuite says where it was asked. NetSuite keeps each entry in one currency
    and knows no conversion between two, so `converted` (of what is approved) is added to its balance, and `awaiting`
    has the conversions of what waits as well. `settled_ledger` should be `closing` less `awaiting`.
    """

    account: int
    currency: str
    first: date
    last: date
    opening: int
    movements: dict[Movement, int]
    closing: int
    awaiting: int
    open_items: tuple[OpenItem, ...]
    ledger: int | None = None
    awaiting_keys: tuple[str, ...] = ()
    waiting: int = 0
    converted: int = 0

    @property
    def settled_ledger(self) -> int | None:
        """What NetSuite shows, once what payouts converted is out of one currency and in the other."""
        return None if self.ledger is None else self.ledger + self.converted

    @property
    def unexplained(self) -> int:
        """What NetSuite shows beyond items and approvals; 0 is the only good value, and says nothing without it."""
        shown = self.settled_ledger
        return 0 if shown is None else shown - (self.closing - self.awaiting)

    @property
    def awaits(self) -> bool:
        """Whether an entry of this account waits for approval."""
        return self.waiting != 0 or self.awaiting != 0

    @property
    def closed(self) -> bool:
        """Whether it may be claimed that the account is right: nothing unexplained, nothing waiting."""
        return self.unexplained == 0 and not self.awaits and self.ledger is not None


def roll_forward(
    account: int,
    currency: str,
    items: Iterable[Item],
    first: date,
    last: date,
    *,
    opening: int = 0,
    ledger: int | None = None,
    waiting: int | None = None,
) -> RollForward:
    """The roll-forward of the days from `first` to `last`. `opening` is what stood there before any item given.

    `ledger` and `waiting` are what posts and what waits by NetSuite, None where it was not asked: what was approved
    since it was read back is then no difference. Items before `first` are part of the opening; later ones than `last`
    are left out. The order of items is no matter.
    """
    movements: dict[Movement, int] = defaultdict(int)
    groups: dict[str, list[Item]] = defaultdict(list)
    before, awaiting = opening, 0
    converted = {True: 0, False: 0}
    keys: set[str] = set()
    for item in items:
        if item.day > last:
            continue
        groups[item.key].append(item)
        if item.day < first or item.movement is Movement.OPENING:
            before += item.amount
        else:
            movements[item.movement] += item.amount
        if item.movement is Movement.CONVERTED:
            converted[item.approved] += item.amount
        elif not item.approved:
            awaiting += item.amount
        if not item.approved:
            keys.add(item.key)
    awaiting = awaiting if waiting is None else waiting
    open_ = tuple(sorted(_open(groups, last), key=lambda one: (one.since, one.key)))
    if opening:
        open_ = (OpenItem("opening balance", opening, first, 0, None, "", (Movement.OPENING,)), *open_)
    return RollForward(
        account=account,
        currency=currency,
        first=first,
        last=last,
        opening=before,
        movements={one: movements.get(one, 0) for one in Movement if one is not Movement.OPENING},
        closing=before + sum(movements.values()),
        awaiting=awaiting + converted[False],
        open_items=open_,
        ledger=ledger,
        awaiting_keys=tuple(sorted(keys)),
        waiting=awaiting,
        converted=converted[True],
    )


def _open(groups: dict[str, list[Item]], last: date) -> Iterable[OpenItem]:
    for key, items in groups.items():
        amount = sum(item.amount for item in items)
        if not amount:
            continue
        last_of = max(items, key=lambda item: (item.day, item.reference))
        if last_of.rolls:
            items = [last_of]
        since = min(item.day for item in items)
        orders = sorted({item.order_id for item in items if item.order_id is not None})
        references = sorted({item.reference for item in items if item.reference})
        yield OpenItem(
            key=key,
            amount=amount,
            since=since,
            age=(last - since).days,
            order_id=orders[0] if orders else None,
            reference=", ".join(references),
            movements=tuple(sorted({item.movement for item in items})),
        )


def stale(found: RollForward, days: int, name: str = "") -> list[Finding]:
    """Items that have been open for longer than `days`, in one finding. `name`: what people call the account."""
    old: Sequence[OpenItem] = [one for one in found.open_items if one.age > days]
    if not old:
        return []
    amount = Money(sum(one.amount for one in old), found.currency)
    return [
        Finding(
            "STALE_CLEARING",
            f"Account {name or found.account}: {len(old)} items, {amount} together, are open for more than {days} "
            f"days: {named(one.key for one in old)}.",
            blocks=False,
            members=tuple(one.key for one in old),
            amount=amount,
        )
    ]
