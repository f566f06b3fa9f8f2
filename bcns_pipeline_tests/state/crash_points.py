"""Runs a send cycle in a forked process and kills it before every commit and around every call, one after another.

Put the cycle, the recording remote and the killing here; it runs as a script of its own, because it forks. Do
not put assertions on the product's insides here: it prints one JSON line per crash point for the test to
judge.

A crash point is a number: the moments before each commit, and before and after each call to the remote, count
up; when the number is reached the process ends by SIGKILL. Nothing that a transaction does is there before its
commit, so between one commit and the next there is one moment to the database, however many statements there are.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import psycopg2
import sqlalchemy as sa

from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.crash_findings import FarSide
from bcns_pipeline_tests.state.stock_frames import FLOW, changes, confirmed, write_plan

ITEMS = [1, 2, 3]
WANTED = {1: 11, 2: 12, 3: 13}
BATCH = 2
RECORDS = ("bc-order-1",)
ORDERS, ORDER_KIND = "orders", "sales_order"
PATIENCE_SECONDS = 60.0
_ADJUST = "insert into remote.adjustment (store, item, value, seq) values (%s, %s, %s, %s)"
_STOCK = "select distinct on (item) item, value from remote.adjustment where store = %s order by item, n desc"


class Countdown:
    """Ends the process at the event with the given number; None lets it live."""

    def __init__(self, at: int | None) -> None:
        self._at = at
        self._seen = 0

    def tick(self, *_: Any, **__: Any) -> None:
        self._seen += 1
        if self._seen == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine: sa.Engine) -> None:
        """Each commit counts, before it is made."""
        sa.event.listen(engine, "commit", self.tick)


class Remote(FarSide):
    """The other side: tables that survive the sender, written at once as an HTTP server would."""

    def __init__(self, url: str, store: str, countdown: Countdown) -> None:
        super().__init__(url, store)
        self._countdown = countdown

    def adjust(self, lines: list[tuple[int, int, int]]) -> None:
        """Absolute stock values: item, value, and the read_seq behind it, for the log only."""
        self._countdown.tick()
        for item, value, seq in lines:
            self.ask(
                _ADJUST,
                item,
                value,
                seq,
            )
        self._countdown.tick()

    def create(self, key: str) -> str:
        """A record that is made anew by each call, as one without a unique key would be."""
        self._countdown.tick()
        ((made,),) = self.ask("insert into remote.record (store, key) values (%s, %s) returning id", key)
        self._countdown.tick()
        return str(made)

    def find(self, key: str) -> str | None:
        found = self.ask("select id from remote.record where store = %s and key = %s order by id", key)
        return str(found[0][0]) if found else None

    def stock(self) -> dict[int, int]:
        return dict(self.ask(_STOCK))


def run(state: State, remote: Remote) -> None:
    """What an apply asset does, for stock and for records: settle what is in doubt, plan, send, settle."""
    with state.worker() as worker:
        settle_doubtful_stock(state, remote)
        settle_doubtful_records(state, remote)
        known = confirmed(state)
        seq = state.inventory.draw_read_seq()
        differing = [item for item in ITEMS if known.get(item, -1) != WANTED[item]]
        everything = changes(ITEMS, [WANTED[item] for item in ITEMS], read_seq=seq)
        state.inventory.note_read(everything)
        if differing:
            old = [known.get(item, -1) for item in differing]
            frame = changes(differing, [WANTED[item] for item in differing], read_seq=seq, old=old)
            state.inventory.stage_batches(write_plan(state, frame), BATCH)
        state.outbox.stage(
            ORDERS, [Intent(ORDER_KIND, key, {}) for key in RECORDS if not is_done(state, key)]
        )
        while True:
            with worker.exclusive("stock"):
                batch = state.inventory.claim(worker, FLOW)
                if batch is None:
                    break
                worker.assert_alive()
                lines = batch.lines
                remote.adjust(list(zip(lines["item_id"], lines["new"], lines["read_seq"], strict=True)))
                op = state.outbox.record_answer(batch.operation, {"transaction_id": "t"})
            settle(state, remote, op)
        while ops := state.outbox.claim(worker, ORDERS, [ORDER_KIND]):
            worker.assert_alive()
            state.outbox.confirm(ops[0], answer={"id": remote.create(ops[0].natural_key)})


def settle_doubtful_stock(state: State, remote: Remote) -> None:
    for op in state.outbox.recover(FLOW):
        settle(state, remote, op)


def settle(state: State, remote: Remote, op: Operation) -> None:
    there = remote.stock()
    lines = state.inventory.lines(op).query("outcome == 'pushed'")
    seen = [there.get(item) for item in lines["item_id"]]
    ends = [
        "confirmed" if live == new else "unconfirmed" for live, new in zip(seen, lines["new"], strict=True)
    ]
    state.inventory.settle(op, lines["line"], seen, ends)


def settle_doubtful_records(state: State, remote: Remote) -> None:
    for op in state.outbox.recover(ORDERS):
        made = remote.find(op.natural_key)
        if made is None:
            state.outbox.release(op, "looked up: not there")
        else:
            state.outbox.confirm(op, answer={"id": made}, reason="looked up: there")


def is_done(state: State, key: str) -> bool:
    return bool(state.outbox.find(natural_key=key, states=("confirmed",)))


def facts(state: State, remote: Remote) -> dict[str, Any]:
    """What the test judges after the recovery."""
    with state.engine.connect() as conn:
        lost = conn.execute(
            sa.text(
                "select count(*) filter (where p.id is not null), count(*) filter (where p.id is null) "
                "from bcns.inventory_change c left join bcns.plan p on p.id = c.plan_id "
                "where c.store = :s and c.outcome is null"
            ),
            {"s": state.store},
        ).one()
        staged = conn.execute(
            sa.text("select count(*) from bcns.plan where store = :s and applied_at is null"),
            {"s": state.store},
        ).scalar_one()
        claims = conn.execute(
            sa.text("select coalesce(sum(attempts), 0) from bcns.operation where store = :s and flow = :f"),
            {"s": state.store, "f": ORDERS},
        ).scalar_one()
    log = remote.ask("select item, value, seq from remote.adjustment where store = %s order by n")
    return {
        "open": len(state.outbox.find()),
        "lines_without_end": lost[0],
        "lines_without_plan": lost[1],
        "plans_not_applied": staged,
        "record_claims": int(claims),
        "records": [
            key for (key,) in remote.ask("select key from remote.record where store = %s order by key")
        ],
        "stock": remote.stock() == WANTED,
        "confirmed": confirmed(state) == WANTED,
        "sends_per_line": max([sum(1 for row in log if row == line) for line in log], default=0),
        "old_after_new": any(
            one[0] == two[0] and one[2] > two[2] for n, one in enumerate(log) for two in log[n + 1 :]
        ),
        "head": state.head_hash(),
    }


def forked(engine: sa.Engine, work: Callable[[], None]) -> int:
    """Run `work` in a fork; returns its exit code, negative for a signal.

    A fork inherits loaded modules and compiled statements; the engine's connections remain its parent's.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            engine.dispose(close=False)
            work()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attempt(engine: sa.Engine, url: str, store: str, at: int) -> None:
    countdown = Countdown(at)
    countdown.watch(engine)
    run(State(engine, store, run_id=f"first-{at}"), Remote(url, store, countdown))


def recover(engine: sa.Engine, url: str, store: str, at: int) -> None:
    state = State(engine, store, run_id=f"second-{at}")
    begun = time.monotonic()
    with closing(Remote(url, store, Countdown(None))) as remote:
        while True:
            run(state, remote)
            # The server may need a moment to notice a killed client; a schedule would simply come again.
            if not state.outbox.find() or time.monotonic() - begun > PATIENCE_SECONDS:
                break
            time.sleep(0.002)
        print(json.dumps({"at": at, **facts(state, remote)}), flush=True)


def main() -> None:
    url, step = sys.argv[1], int(sys.argv[2])
    setup = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with setup, setup.cursor() as cursor:
        cursor.execute("create schema remote")
        cursor.execute(
            "create table remote.adjustment (n bigserial, store text, item int, value int, seq bigint)"
        )
        cursor.execute("create table remote.record (id bigserial, store text, key text)")
    setup.close()
    # All that recovers is done here, where connections have met every table already.
    engine = create_engine(url, pool_size=2)
    with closing(Remote(url, "warm", Countdown(None))) as remote:
        run(State(engine, "warm"), remote)
    gc.freeze()
    at = 1
    while True:
        store = f"crash-{at}"
        ended = forked(engine, partial(attempt, engine, url, store, at))
        if ended not in (0, -signal.SIGKILL):
            raise SystemExit(f"crash point {at}: the first process ended with {ended}")
        recover(engine, url, store, at)
        if ended == 0:
            break
        at += step
    # The chain only grows, so its end proves it after each of the kills; their heads are looked up in it.
    print(json.dumps({"chain": str(State(engine, "").verify_audit())}))


if __name__ == "__main__":
    main()
