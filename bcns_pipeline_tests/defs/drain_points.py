"""Runs an order flow in miniature in a forked process and kills it at every step, one after another.

Put the miniature flow, its far side (tables that survive the sender) and the killing here; it runs as a script
of its own, because it forks. Do not put assertions here: it prints one JSON line per crash point for the test
to judge. Crash points are counted as in `state/crash_points.py`: before each commit, and before and after each call
to the far side.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import psycopg2
import sqlalchemy as sa

from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Sender, Settled
from bcns_pipeline.outcomes import Outcome, Sent
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.order_models import Decision, OrderLine, OrderSeen, Posted
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.crash_findings import FarSide
from bcns_pipeline_tests.state.crash_points import Countdown, forked

FLOW, ORDER, CUSTOMER = "orders", "sales_order", "customer"
# Two orders of one new shopper, and one of a known one: a leader, a group, and something beside it.
ORDERS = {1: "new", 2: "new", 3: "known"}
KEYS = ("customer-new", "order-1", "order-2", "order-3")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOTAL = Money(1999, "USD")
PATIENCE_SECONDS = 60.0


class FarTables(FarSide):
    """The other side: each call makes a record anew; the keys of earlier ones can be asked for."""

    def __init__(self, url: str, store: str, countdown: Countdown, seconds: float = 0.0) -> None:
        super().__init__(url, store)
        self._seconds = seconds
        self._countdown = countdown

    def send(self, op: Operation, _payload: Mapping[str, Any]) -> Outcome:
        self._countdown.tick()
        ((made,),) = self.ask(
            "insert into far.record (store, key) values (%s, %s) returning id", op.natural_key
        )
        time.sleep(self._seconds)
        self._countdown.tick()
        return Sent(record_id=str(made))

    def look_up(self, ops: Sequence[Operation]) -> Mapping[str, str | None]:
        self._countdown.tick()
        keys = [op.natural_key for op in ops]
        found = self.ask(
            "select key, min(id) from far.record where store = %s and key = any(%s) group by key", keys
        )
        return {**dict.fromkeys(keys), **{key: str(made) for key, made in found}}


def run(state: State, far: FarTables) -> None:
    """Claim, note, plan, apply, drain, close: what the order flow does, for one batch."""
    with state.worker() as worker:
        claims = state.inbox.claim("order", 500, worker)
        state.orders.note([seen(int(claim.resource_id)) for claim in claims])
        undecided = state.orders.find(disposition="open")
        if undecided:
            plan(state, [one.order_id for one in undecided])
        senders = [
            Sender(CUSTOMER, far.send, far.look_up, leads=True),
            Sender(ORDER, far.send, far.look_up),
        ]
        connections: Any = SimpleNamespace(state=state)

        def remember(settled: Sequence[Settled], conn: Any) -> None:
            posted = [
                Posted(one.payload["order_id"], str(one.record_id), "salesOrder", "v1", TOTAL, None)
                for one in settled
                if one.op.kind == ORDER
            ]
            state.orders.posted(posted, conn=conn)

        dispatch(connections, FLOW, senders, parallel=2, on_settled=remember)
        state.inbox.done(claims)


def plan(state: State, orders: list[int]) -> None:
    made = state.plans.create(FLOW, mode="apply", as_of=NOW, config_digest="c")
    lines = []
    if any(ORDERS[order] == "new" for order in orders) and not is_made(state, "customer-new"):
        lines.append(line(CUSTOMER, "customer-new", "new", {}))
    lines += [line(ORDER, f"order-{order}", ORDERS[order], {"order_id": order}) for order in orders]
    made = state.plans.write_lines(made, lines)
    with state.scope.transaction() as tx:
        state.plans.stage(made, conn=tx)
        state.orders.decide([Decision(order, "planned") for order in orders], conn=tx)


def line(kind: str, key: str, group: str, payload: dict[str, Any]) -> PlanLine:
    return PlanLine("create", kind, key, payload, "new", key, group_key=group, subject="s", amount=TOTAL)


def seen(order: int) -> OrderSeen:
    lines = (OrderLine(1, 10, 20, "SKU-1", 1),)
    return OrderSeen(order, NOW, NOW, date(2026, 11, 21), 1, "storefront", 11, TOTAL, lines, "v1")


def is_made(state: State, key: str) -> bool:
    return bool(state.outbox.find(natural_key=key, states=("confirmed",)))


def facts(state: State, far: FarTables) -> dict[str, Any]:
    """What the test judges after the recovery."""
    records = far.ask(
        "select key, min(id), count(*) from far.record where store = %s group by key order by key"
    )
    numbers = {key: str(first) for key, first, _ in records}
    orders = state.orders.many(ORDERS)
    return {
        "open": len(state.outbox.find()),
        "records": {key: count for key, _, count in records},
        "posted": sorted(one for one, order in orders.items() if order.disposition == "posted"),
        "right_ids": all(order.netsuite_id == numbers[f"order-{one}"] for one, order in orders.items()),
        "customer_first": int(numbers["customer-new"]) < min(int(numbers[f"order-{n}"]) for n in (1, 2)),
        "inbox": state.inbox.waiting("order").count,
        "head": state.head_hash(),
    }


def a_state(engine: sa.Engine, store: str, run_id: str) -> State:
    return State(engine, store, run_id=run_id, data_key=b"k" * 32)


def attempt(engine: sa.Engine, url: str, store: str, at: int) -> None:
    countdown = Countdown(at)
    countdown.watch(engine)
    run(a_state(engine, store, f"first-{at}"), FarTables(url, store, countdown))


def recover(engine: sa.Engine, url: str, store: str, at: int) -> None:
    state = a_state(engine, store, f"second-{at}")
    begun = time.monotonic()
    with closing(FarTables(url, store, Countdown(None))) as far:
        while True:
            run(state, far)
            # The server may need a moment to notice a killed client; a schedule would simply come again.
            waits = state.outbox.find() or state.inbox.waiting("order").count
            if not waits or time.monotonic() - begun > PATIENCE_SECONDS:
                break
            time.sleep(0.002)
        print(json.dumps({"at": at, **facts(state, far)}), flush=True)


def race(engine: sa.Engine, url: str) -> None:
    """Two processes drain the same 60 operations at once; one of them is killed on the way."""
    state = a_state(engine, "race", "stage")
    keys = [f"k{n:02d}" for n in range(60)]
    state.outbox.stage(FLOW, [Intent(ORDER, key, {}, group_key=f"g{n % 9}") for n, key in enumerate(keys)])
    children = []
    for kill_at in (None, 20):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                engine.dispose(close=False)
                countdown = Countdown(kill_at)
                countdown.watch(engine)
                drain(a_state(engine, "race", f"until-{kill_at}"), FarTables(url, "race", countdown, 0.02))
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    far = FarTables(url, "race", Countdown(None))
    begun = time.monotonic()
    while state.outbox.find() and time.monotonic() - begun < PATIENCE_SECONDS:
        drain(state, far)
    records = far.ask(
        "select key, count(*), min(id) from far.record where store = %s group by key order by 3"
    )
    print(
        json.dumps(
            {
                "race": ends,
                "records": {key: count for key, count, _ in records},
                "in_order": all(
                    [key for key, _, _ in records if int(key[1:]) % 9 == n] == keys[n::9] for n in range(9)
                ),
                "workers": len({op.worker for op in state.outbox.find(states=("confirmed",))}),
            }
        ),
        flush=True,
    )
    far.close()


def drain(state: State, far: FarTables) -> None:
    connections: Any = SimpleNamespace(state=state)
    dispatch(connections, FLOW, [Sender(ORDER, far.send, far.look_up)], parallel=3)


def events(engine: sa.Engine, store: str) -> None:
    a_state(engine, store, "").inbox.record([Event("order", str(order), "poll") for order in ORDERS])


def main() -> None:
    url, step = sys.argv[1], int(sys.argv[2])
    setup = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with setup, setup.cursor() as cursor:
        cursor.execute("create schema far")
        cursor.execute("create table far.record (id bigserial, store text, key text)")
    setup.close()
    # All that recovers is done here, where connections have met every table already.
    engine = create_engine(url, pool_size=2)
    events(engine, "warm")
    with closing(FarTables(url, "warm", Countdown(None))) as far:
        run(a_state(engine, "warm", "warm"), far)
    gc.freeze()
    race(engine, url)
    at = 1
    while True:
        store = f"crash-{at}"
        events(engine, store)
        ended = forked(engine, partial(attempt, engine, url, store, at))
        if ended not in (0, -signal.SIGKILL):
            raise SystemExit(f"crash point {at}: the first process ended with {ended}")
        recover(engine, url, store, at)
        if ended == 0:
            break
        at += step
    print(json.dumps({"chain": str(State(engine, "").verify_audit())}))


if __name__ == "__main__":
    main()
