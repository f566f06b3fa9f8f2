"""Which order a payout's line is of: the ladder of facts/finance.md 1.7, from ids down to a guess.

Put the steps here, and how sure each is. Do not put reads of orders or transactions here: the flow hands them over.
A step that is taken never depends on the order in which lines come. The weak step only ever proposes: a person
accepts it, or the line stays open. Matching is one look-up a line; nothing here grows with the square of anything.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from bcns_pipeline.rules.payouts.model import DISPUTED, SETTLES, LineClass, PayoutLine

Confidence = Literal["exact", "strong", "weak"]
_NEAR: Final = timedelta(minutes=15)
_REFUNDS: Final = frozenset({LineClass.REFUND, LineClass.REFUND_RETURNED})
_CHARGES: Final = SETTLES - _REFUNDS
_OF_ORDERS: Final = SETTLES | DISPUTED


class Step(StrEnum):
    """How a line was linked, the surest first."""

    TRANSACTION = "transaction"
    ORDER = "order"
    REFUND = "refund"
    HINT = "hint"
    WEAK = "weak"


CONFIDENCE: Final[Mapping[Step, Confidence]] = {
    Step.TRANSACTION: "exact",
    Step.ORDER: "exact",
    Step.REFUND: "exact",
    Step.HINT: "strong",
    Step.WEAK: "weak",
}


class Link(NamedTuple):
    """The order of a line, and its transaction where exactly one of the order's is meant."""

    order_id: int
    transaction_id: int | None
    step: Step

    @property
    def proposal(self) -> bool:
        """Whether a person has to accept it first."""
        return self.step is Step.WEAK


class ShopTransaction(NamedTuple):
    """A capture, or a refund, as BigCommerce tells it. `amount` is in minor units of `currency`, without sign.

    `ids` are the gateway's ids as they stand ("a|b" is two). `parent` is the transaction that a refund gives back.
    """

    id: int
    order_id: int
    refund: bool
    amount: int
    currency: str
    ids: tuple[str, ...] = ()
    parent: int | None = None
    happened_at: datetime | None = None


# (order, transaction); transaction 0: several of that order have the id. None: several orders have it.
_Target = tuple[int, int] | None


class LinkIndex:
    """What lines are looked up in. `orders` are further orders that hints may name, `external` further ids of orders:
    their payment provider's id, a marketplace's order number. `taken`: transactions that other payouts have settled;
    what a step infers is never one of them.
    """

    def __init__(
        self,
        transactions: Iterable[ShopTransaction],
        orders: Iterable[int] = (),
        external: Mapping[str, int] | None = None,
        taken: Collection[int] = (),
    ) -> None:
        self.external: Mapping[str, int] = external or {}
        self.orders: set[int] = set(orders)
        self.taken: Set[int] = frozenset(taken)
        self.captures: dict[str, _Target] = {}
        self.refunds: dict[str, _Target] = {}
        self.of_order: dict[int, list[ShopTransaction]] = defaultdict(list)
        for one in transactions:
            self.orders.add(one.order_id)
            self.of_order[one.order_id].append(one)
            table = self.refunds if one.refund else self.captures
            for raw in one.ids:
                for identity in raw.split("|") if "|" in raw else (raw,):
                    _put(table, identity, one)

    def meant(self, order: int, line: PayoutLine, *, refund: bool, free: Callable[[int], bool]) -> int | None:
        """The one transaction of an order that a line can mean: by its amount, or because there is no other."""
        open_ = [one for one in self.of_order.get(order, ()) if one.refund is refund and free(one.id)]
        amount, currency = paid(line)
        equal = [one for one in open_ if one.amount == amount and one.currency == currency]
        if equal and refund:
            # Refunds of one amount can stand for one another; the oldest comes first.
            return min(equal, key=lambda one: (one.happened_at is None, str(one.happened_at), one.id)).id
        found = equal or ([] if refund else open_)
        return found[0].id if len(found) == 1 else None


def _put(table: dict[str, _Target], identity: str, one: ShopTransaction) -> None:
    if not identity:
        return
    if identity not in table:
        table[identity] = (one.order_id, one.id)
        return
    there = table[identity]
    if there is not None and there != (one.order_id, one.id):
        table[identity] = (one.order_id, 0) if there[0] == one.order_id else None


def paid(line: PayoutLine) -> tuple[int, str]:
    """What the shopper paid or got back, without sign, in their own currency.

    In the payout's own currency it is what leaves the clearing account, whatever the provider says besides: of a charge
    that was captured in part some say all of it.
    """
    if line.foreign and line.presentment_amount is not None and line.presentment_currency is not None:
        return abs(line.presentment_amount), line.presentment_currency
    return abs(line.gross), line.currency


def link(
    lines: Sequence[PayoutLine],
    index: LinkIndex,
    hints: Sequence[str] = (),
    taken: Set[int] | None = None,
) -> dict[str, Link]:
    """The links of classified lines, by line id; a line that belongs to no known order is absent.

    `taken` stands for the index's own where one index serves several payouts, one after the other.
    """
    found: dict[str, Link] = {}
    rest: list[PayoutLine] = []
    captures, refunds, external = index.captures, index.refunds, index.external
    for line in lines:
        cls = line.cls
        table = refunds if cls in _REFUNDS else captures
        target: _Target = None
        for reference in line.references:
            target = table.get(reference)
            if target is not None:
                break
        if target is not None and target[1] and cls in SETTLES:
            found[line.id] = Link(target[0], target[1], Step.TRANSACTION)
        elif cls in _OF_ORDERS or (external and line.references):
            rest.append(line)
    if rest:
        _Rest(index, hints, found, index.taken if taken is None else taken).link(rest)
    return found


class _Rest:
    """The lines that no id of a transaction of their own has linked, in the order in which they happened."""

    def __init__(
        self, index: LinkIndex, hints: Sequence[str], found: dict[str, Link], taken: Set[int]
    ) -> None:
        self._index = index
        self._hints = [re.compile(hint) for hint in hints]
        self._found = found
        self._used = {one.transaction_id for one in found.values() if one.transaction_id is not None}
        self._taken = taken

    def link(self, lines: list[PayoutLine]) -> None:
        """Each by the surest step that it takes."""
        open_ = []
        for line in sorted(lines, key=_age):
            made = self._by_reference(line) or self._by_hint(line)
            if made is not None:
                self._keep(line, made)
            elif line.cls is LineClass.GROSS_SALES:
                open_.append(line)
        for identity, made in _weak(open_, self._index, self._free).items():
            self._found[identity] = made

    def _free(self, transaction: int) -> bool:
        return transaction not in self._used and transaction not in self._taken

    def _not_settled(self, transaction: int) -> bool:
        return transaction not in self._taken

    def _keep(self, line: PayoutLine, made: Link) -> None:
        self._found[line.id] = made
        # Parts of one sale (principal, tax) are lines of one transaction; a refund is one line.
        if made.transaction_id is not None and line.cls in _REFUNDS:
            self._used.add(made.transaction_id)

    def _by_reference(self, line: PayoutLine) -> Link | None:
        index = self._index
        for reference in line.references:
            for identity in reference.split("|"):
                target = index.captures.get(identity) or index.refunds.get(identity)
                if target is not None:
                    step = Step.REFUND if line.cls in _REFUNDS else Step.TRANSACTION
                    return Link(target[0], self._transaction(target[0], line), step)
                order = index.external.get(identity)
                if order is not None:
                    return Link(order, self._transaction(order, line), Step.ORDER)
        return None

    def _by_hint(self, line: PayoutLine) -> Link | None:
        if line.cls not in _OF_ORDERS:
            return None
        orders = {
            int(match[1])
            for text in line.order_hints
            for pattern in self._hints
            if (match := pattern.search(text)) and match[1].isdecimal()
        } & self._index.orders
        if len(orders) != 1:
            return None
        (order,) = orders
        return Link(order, self._transaction(order, line), Step.HINT)

    def _transaction(self, order: int, line: PayoutLine) -> int | None:
        if line.cls in _REFUNDS:
            return self._index.meant(order, line, refund=True, free=self._free)
        if line.cls in _CHARGES:
            return self._index.meant(order, line, refund=False, free=self._not_settled)
        return None


def _age(line: PayoutLine) -> tuple[str, str]:
    return (line.occurred_at.isoformat() if line.occurred_at else "", line.id)


def _weak(lines: Sequence[PayoutLine], index: LinkIndex, free: Callable[[int], bool]) -> dict[str, Link]:
    """Amount, currency and a quarter of an hour, where there is exactly one of each on both sides."""
    wanted: dict[tuple[int, str], list[tuple[datetime, str]]] = defaultdict(list)
    for line in lines:
        if line.occurred_at is not None:
            wanted[paid(line)].append((line.occurred_at, line.id))
    if not wanted:
        return {}
    there: dict[tuple[int, str], list[tuple[datetime, int, int]]] = defaultdict(list)
    for listed in index.of_order.values():
        for one in listed:
            key = (one.amount, one.currency)
            if key in wanted and not one.refund and one.happened_at is not None and free(one.id):
                there[key].append((one.happened_at, one.order_id, one.id))
    found: dict[str, Link] = {}
    for key, candidates in there.items():
        candidates.sort()
        ours = sorted(wanted[key])
        moments, line_moments = [one[0] for one in candidates], [one[0] for one in ours]
        for moment, identity in ours:
            near = _within(moments, moment)
            if near[1] - near[0] == 1:
                at, order, transaction = candidates[near[0]]
                back = _within(line_moments, at)
                if back[1] - back[0] == 1:
                    found[identity] = Link(order, transaction, Step.WEAK)
    return found


def _within(moments: Sequence[datetime], moment: datetime) -> tuple[int, int]:
    return bisect_left(moments, moment - _NEAR), bisect_right(moments, moment + _NEAR)
