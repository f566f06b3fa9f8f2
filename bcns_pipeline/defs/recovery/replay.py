"""Replay: orders that a person wants looked at again, and what that does to each of them.

Put here which orders are meant and what a replay means for an order that stands where it stands. Nothing is sent
here: rows of the inbox are written and orders made due, and the order flow takes them from there. What is in
NetSuite already is found under its key, so that a replay never writes it twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bcns_pipeline import config
from bcns_pipeline.defs.orders.reperform import Remade, reperform
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import IN_NETSUITE, Decision, OrderState
from bcns_pipeline.state.store import State

# In an audit row so many ids stand in clear; the count covers all.
SAMPLE = 50
READ, DUE, ANEW, STAGED, THERE, ERASED = (
    "read for the first time",
    "tried again at once",
    "decided anew",
    "only read anew",
    "compared with NetSuite",
    "left alone",
)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a replay does to one order: `what` is one of the words above, `why` says where the order stands."""

    order_id: int
    what: str
    why: str
    state: OrderState | None = None


def effects(state: State, order_ids: Collection[int]) -> list[Effect]:
    """What a replay of these orders would do, by id; nothing is written."""
    known = state.orders.many(order_ids)
    return [_effect(one, known.get(one)) for one in sorted(set(order_ids))]


def _effect(order_id: int, one: OrderState | None) -> Effect:
    if one is None:
        return Effect(order_id, READ, "It was never read.")
    if one.disposition in IN_NETSUITE:
        number = one.netsuite_number or one.netsuite_id
        return Effect(
            order_id, THERE, f"It is in NetSuite as {number}; only a later version makes an edit.", one
        )
    if one.disposition == "planned" or one.code == "MATERIALITY":
        return Effect(order_id, STAGED, "Its write is staged already (`bcns operations`).", one)
    if one.code == "ERASED":
        return Effect(order_id, ERASED, "Its shopper was erased.", one)
    if one.disposition in ("waiting", "open"):
        return Effect(order_id, DUE, one.reason or "It was read and not decided yet.", one)
    return Effect(order_id, ANEW, one.reason or f"It is {one.disposition}.", one)


def made_again(state: State, mapping: config.Mapping, found: Iterable[Effect]) -> dict[int, list[Remade]]:
    """Those that are in NetSuite, planned again from stored bytes by today's mapping file: what else would be sent?

    Each write of an order is one, oldest first.
    """
    again: dict[int, list[Remade]] = {}
    for one in reperform(state, mapping, [one.order_id for one in found if one.what == THERE]):
        again.setdefault(one.order_id, []).append(one)
    return again


def replay(state: State, found: Iterable[Effect], *, actor: str, reason: str) -> Counter[str]:
    """Write it down: inbox rows of source `replay`, orders made due or open again, one audit row. Returns counts."""
    wanted = [one for one in found if one.what != ERASED]
    if not wanted:
        return Counter()
    ids = [one.order_id for one in wanted]
    now = datetime.now(UTC)
    with state.scope.transaction() as conn:
        # The chain's lock comes first (state/audit.py); the inbox's rows are locked last and for an instant.
        body = {"orders": len(ids), "ids": ids[:SAMPLE], "reason": reason}
        state.audit.append(conn, "orders.replayed", "orders", body, actor=actor)
        state.orders.decide([Decision(one.order_id, "open") for one in wanted if one.what == ANEW], conn=conn)
        state.orders.make_due([one.order_id for one in wanted if one.what == DUE], now, conn=conn)
        state.orders.read_again([one.order_id for one in wanted if one.what == THERE], conn=conn)
        state.inbox.record([Event("order", str(one), "replay") for one in ids], conn=conn)
    return Counter(one.what for one in wanted)


def of_code(state: State, code: str) -> list[int]:
    """The orders that stand under this code, and those with an open exception of it."""
    ids = set(state.orders.ids(code=code))
    asked = (order_of(one.subject) for one in state.exceptions.find(code=code))
    return sorted(ids | {one for one in asked if one is not None})


def order_of(subject: str) -> int | None:
    """The order that an exception's subject names ("order:1001"); None for any other subject."""
    kind, _, number = subject.partition(":")
    return int(number) if kind == "order" and number.isdecimal() else None
