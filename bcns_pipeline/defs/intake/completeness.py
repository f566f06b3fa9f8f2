"""Every hour: the ids that the store has against the ids that we have, so that a silent failure makes a noise; and once
a day each order that is in NetSuite against the total that it had there, because people change and delete records.

Put the comparisons here. Do not put here how an order gets in: what is missing is put into the inbox like anything
else, and its exception heals once it was read. What differs in NetSuite is read back by the order flow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bcns_pipeline.defs.intake.backfill import FLOW, question
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.intake import Listed, Missing, missing_orders
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.exceptions import ExceptionRow, Question
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.store import State

CODE = "MISSING_ORDER"
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison of orders placed in [`start`, `until`) found; `healed` are subjects.

    `looked_at` were compared with NetSuite, `changed` of them differ from what it showed last, or are gone.
    """

    start: datetime
    until: datetime
    listed: int
    eligible: int
    missing: tuple[Missing, ...]
    healed: tuple[str, ...]
    looked_at: int = 0
    changed: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        """The comparison in one line."""
        gone = f"{len(self.missing):,} missing" if self.missing else "none missing"
        return (
            f"{self.listed:,} orders of the store compared, {self.eligible:,} of them ours to post: {gone}; "
            f"{self.looked_at:,} looked at in NetSuite: {len(self.changed):,} changed or gone there"
        )


def compare(connections: Connections, mode: Mode = Mode.APPLY) -> Compared:
    """List what was placed in the last days, open MISSING_ORDER for what we never heard of, heal what we read.

    A plan only lists and compares. Raises OutsideError where the list is not to be had: an hour without answer is no
    hour without orders.
    """
    state, shop, intake = connections.state, connections.bigcommerce(Lane.BULK), connections.mapping.intake
    now = shop.now()
    after = timedelta(minutes=intake.missing_after_minutes)
    start = max(now - timedelta(days=intake.missing_days), cutover_of(connections.mapping) or now)
    until = now - after
    if start >= until:
        return Compared(start, until, 0, 0, (), ())
    heads = shop.orders.ids(start, until)
    listed = [
        Listed(
            one.id,
            one.status_id,
            _money(one.total, one.currency)[0],
            one.currency,
            one.created_at,
        )
        for one in heads
    ]
    known = {one.order_id for one in listed} - _unheard(state, {one.order_id for one in listed})
    statuses = connections.order_policy.statuses
    missing = missing_orders(listed, known, now, after, statuses)
    eligible = {one.order_id for one in listed if one.status_id in statuses}
    found = Compared(start, until, len(listed), len(eligible), tuple(missing), ())
    if mode is Mode.PLAN:
        return _with_netsuite(connections, found, known, now)
    subjects = {f"order:{one.order_id}" for one in missing}
    with state.scope.transaction() as conn:
        state.inbox.record([Event("order", str(one.order_id), "backfill") for one in missing], conn=conn)
        kept = _still_open(state, eligible, start)
        healed = state.exceptions.keep_only(FLOW, CODE, sorted(subjects | kept), conn=conn)
        state.exceptions.open_many(FLOW, [_question(one, now) for one in missing], conn=conn)
    # Only now: an hour without NetSuite is no hour without the watch over the store.
    found = _with_netsuite(connections, replace(found, healed=tuple(healed)), known, now)
    state.orders.read_again(found.changed)
    return found


def _with_netsuite(connections: Connections, found: Compared, known: set[int], now: datetime) -> Compared:
    turn = _turn(connections.state, known, now)
    return replace(found, looked_at=len(turn), changed=tuple(_changed(connections, turn)))


def _turn(state: State, known: set[int], now: datetime) -> dict[int, OrderState]:
    """{NetSuite's id: the order}, of those whose hour it is: each comes round once a day, and an hour costs little."""
    whose = state.orders.many([one for one in known if one % _HOURS == now.hour])
    return {int(one.netsuite_id): one for one in whose.values() if one.netsuite_id and one.read_total}


def _changed(connections: Connections, turn: Mapping[int, OrderState]) -> Iterator[int]:
    """Orders whose record shows another total than when it was read last, or is gone. Raises OutsideError.

    A person who has answered for one that is gone is not asked again every day.
    """
    shown = connections.netsuite(Lane.BULK).sales.totals(turn)
    asked = connections.state.exceptions.find(flow="orders", code="ORDER_TOTAL_DRIFT", open_only=False)
    answered = {one.subject for one in asked if one.resolution not in (None, "healed")}
    for number, one in turn.items():
        there = shown.get(number)
        if there is None:
            if f"order:{one.order_id}" not in answered:
                yield one.order_id
        elif one.read_total is None or there.foreign_total != one.read_total.amount:
            yield one.order_id


def _unheard(state: State, ids: set[int]) -> set[int]:
    """Those without a row of their own and without one in the inbox."""
    unread = state.orders.missing(ids)
    return {int(one) for one in state.inbox.missing("order", [str(one) for one in unread])}


def _still_open(state: State, eligible: set[int], start: datetime) -> set[str]:
    """Subjects found missing earlier and not read since, although they are in the inbox now.

    One that the store does not list any more, or not as ours to post, is over; one that is too old to be listed
    is not.
    """
    open_rows = {
        int(one.subject.partition(":")[2]): one for one in state.exceptions.find(flow=FLOW, code=CODE)
    }
    waiting = {int(one) for one in state.inbox.open_ids("order")}
    return {
        row.subject
        for order_id, row in open_rows.items()
        if order_id in waiting and (order_id in eligible or _placed(row) < start)
    }


def _placed(row: ExceptionRow) -> datetime:
    return datetime.fromisoformat(str(row.detail["placed_at"]))


def _question(one: Missing, now: datetime) -> Question:
    asked = question(CODE, Problem(CODE, one.sentence), f"order:{one.order_id}")
    _, money = _money(one.total, one.currency)
    return Question(
        asked.code,
        asked.subject,
        asked.message,
        asked.severity,
        asked.owner,
        {"placed_at": (now - one.age).isoformat()},
        money.minor if money else None,
        money.currency if money else None,
    )


def _money(total: Decimal, currency: str) -> tuple[Decimal, Money | None]:
    """The amount as people read it; one order of an unknown currency must not end the watch over all others."""
    try:
        money = Money.of(total, currency)
    except ValueError:
        return total, None
    return money.amount, money
