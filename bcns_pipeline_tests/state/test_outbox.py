"""The life of an operation: what each transition allows, writes down, and refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.operations import Intent, Operation, Overtaken
from bcns_pipeline.state.store import State
from bcns_pipeline.state.worker import Worker, WorkerLost

FLOW, KIND = "orders", "sales_order"


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def stage(state: State, *keys: str) -> list[Operation]:
    return state.outbox.stage(FLOW, [Intent(KIND, key, {"memo": key}) for key in keys])


def claim_one(state: State, worker: Worker) -> Operation:
    (op,) = state.outbox.claim(worker, FLOW, [KIND])
    return op


def kinds(state: State, op: Operation) -> list[str]:
    return [row.kind.removeprefix("operation.") for row in state.audit.rows(subject=f"operation:{op.id}")]


def test_no_more_is_claimed_than_asked_for_where_the_table_was_analysed_with_one_row(state: State) -> None:
    """Then it is read first, and a subquery that locks and skips would be run anew for each of its rows."""

    def analysed(table: str) -> None:
        with state.engine.begin() as conn:
            conn.execute(sa.text(f"analyze bcns.{table}"))

    stage(state, "k1")
    analysed("operation")
    stage(state, "k2", "k3", "k4")
    state.inbox.record([Event("order", "1", "poll")])
    analysed("inbox")
    state.inbox.record([Event("order", one, "poll") for one in "234"])
    with state.worker() as worker:
        assert len(state.outbox.claim(worker, FLOW, [KIND], 2)) == 2
        assert len(state.inbox.claim("order", 2, worker)) == 2


def test_every_transition_writes_exactly_one_audit_row(state: State) -> None:
    (op,) = stage(state, "k1")
    with state.worker() as worker:
        op = claim_one(state, worker)
        op = state.outbox.release(op, "rate limited")
        op = claim_one(state, worker)
        op = state.outbox.doubt(op, "timed out")
        op = state.outbox.release(op, "looked up: not there")
        op = state.outbox.hold(op, "a person should look")
        op = state.outbox.release(op, "looked", actor="ann")
        op = claim_one(state, worker)
        op = state.outbox.record_answer(op, {"id": "77"})
        op = state.outbox.confirm(op)
    assert (op.state, op.attempts, op.answer) == ("confirmed", 3, {"id": "77"})
    assert op.settled_at is not None
    assert kinds(state, op) == [
        *("planned", "sending", "released", "sending", "ambiguous", "released", "held", "released"),
        *("sending", "answered", "confirmed"),
    ]
    assert state.audit.rows(subject=f"operation:{op.id}")[7].actor == "ann"
    assert isinstance(state.verify_audit(), Verified)


def test_a_second_intention_waits_until_the_first_is_settled(state: State) -> None:
    (first,) = stage(state, "k1")
    assert stage(state, "k1") == []
    state.outbox.supersede(first, "not wanted any more")
    (second,) = stage(state, "k1")
    assert second.id != first.id


def test_nothing_is_written_when_the_callers_transaction_fails(state: State) -> None:
    with state.engine.connect() as conn, conn.begin() as transaction:
        state.outbox.stage(FLOW, [Intent(KIND, "k1", {})], conn=conn)
        transaction.rollback()
    assert state.outbox.find(flow=FLOW) == []
    assert state.audit.head().seq == 0


def test_operations_are_claimed_oldest_first_and_up_to_the_limit(state: State) -> None:
    staged = stage(state, "a", "b", "c")
    with state.worker() as worker:
        assert [op.id for op in state.outbox.claim(worker, FLOW, [KIND], 2)] == [op.id for op in staged[:2]]
        assert state.outbox.claim(worker, FLOW, ["other"]) == []
        assert state.outbox.claim(worker, "other", [KIND]) == []


def test_many_workers_never_claim_the_same_operation(state: State) -> None:
    stage(state, *(f"k{number}" for number in range(60)))
    claimed: list[int] = []

    def work() -> None:
        with state.worker() as worker:
            while ops := state.outbox.claim(worker, FLOW, [KIND], 2):
                claimed.extend(op.id for op in ops)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60


def test_a_settled_operation_cannot_be_settled_again(state: State) -> None:
    stage(state, "k1")
    with state.worker() as worker:
        op = claim_one(state, worker)
        state.outbox.confirm(op, answer={"id": "1"})
        for again in (state.outbox.confirm, lambda stale: state.outbox.fail(stale, "no")):
            with pytest.raises(Overtaken):
                again(op)
    assert kinds(state, op) == ["planned", "sending", "confirmed"]


def test_a_look_up_from_before_a_later_attempt_cannot_release_that_attempt(state: State) -> None:
    stage(state, "k1")
    with state.worker() as worker:
        looked_up = state.outbox.doubt(claim_one(state, worker), "timed out")
        state.outbox.release(looked_up, "not there")
        state.outbox.doubt(claim_one(state, worker), "timed out again")
        with pytest.raises(Overtaken):
            state.outbox.release(looked_up, "not there, as it was a while ago")


def test_what_a_living_worker_sends_is_not_recovered(state: State) -> None:
    stage(state, "k1")
    with state.worker() as worker:
        claim_one(state, worker)
        assert state.outbox.recover(FLOW) == []
    assert [op.state for op in state.outbox.recover(FLOW)] == ["ambiguous"]
    # Asked again, it is still there to be looked up, and no second audit row was written.
    (op,) = state.outbox.recover(FLOW)
    assert kinds(state, op) == ["planned", "sending", "ambiguous"]


def test_a_worker_whose_session_ended_can_neither_claim_nor_settle(state: State) -> None:
    stage(state, "k1", "k2")
    with state.worker() as worker:
        op = claim_one(state, worker)
        worker.assert_alive()
        end_session_of(state, worker)
        with pytest.raises(WorkerLost):
            state.outbox.claim(worker, FLOW, [KIND])
        with pytest.raises(WorkerLost):
            worker.assert_alive()
        (doubted,) = state.outbox.recover(FLOW)
        assert doubted.id == op.id
        with pytest.raises(Overtaken):
            state.outbox.confirm(op)


def test_an_exclusive_block_lets_one_in_at_a_time_across_threads_and_workers(state: State) -> None:
    inside: list[int] = []
    seen: list[int] = []

    def enter(worker: Worker) -> None:
        for _ in range(5):
            with worker.exclusive("stock"):
                inside.append(1)
                seen.append(len(inside))
                time.sleep(0.002)
                inside.pop()

    with state.worker() as one, state.worker() as two:
        threads = [threading.Thread(target=enter, args=(worker,)) for worker in (one, one, two, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [1] * 20


def test_an_exclusive_block_whose_session_ended_raises_at_its_end(state: State) -> None:
    with state.worker() as worker, pytest.raises(WorkerLost), worker.exclusive("stock"):
        end_session_of(state, worker)


def test_a_held_operation_is_not_claimed(state: State) -> None:
    state.outbox.stage(FLOW, [Intent(KIND, "k1", {})], held="needs approval")
    with state.worker() as worker:
        assert state.outbox.claim(worker, FLOW, [KIND]) == []


def test_leftovers_are_found_by_age(state: State) -> None:
    (op,) = stage(state, "k1")
    assert state.outbox.open_older_than(5) == []
    with state.engine.begin() as conn:
        conn.execute(sa.text("update bcns.operation set staged_at = now() - interval '6 minutes'"))
    assert [found.id for found in state.outbox.open_older_than(5, FLOW)] == [op.id]


@pytest.mark.kill
def test_a_killed_worker_frees_its_id_by_itself(state: State, database_url: str) -> None:
    stage(state, "k1")
    script = (
        "import sys, time; from bcns_pipeline.state.engine import create_engine\n"
        "from bcns_pipeline.state.store import State\n"
        "state = State(create_engine(sys.argv[1]), 'h1')\n"
        "with state.worker() as worker:\n"
        f"    state.outbox.claim(worker, {FLOW!r}, [{KIND!r}])\n"
        "    print('sending', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, database_url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sending\n"
        assert state.outbox.recover(FLOW) == []
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not (found := state.outbox.recover(FLOW)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [op.state for op in found] == ["ambiguous"]


def end_session_of(state: State, worker: Worker) -> None:
    """As a restarted server or a cut line would."""
    with state.engine.connect() as conn:
        conn.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": worker._session.info.backend_pid})
        deadline = time.monotonic() + 60
        free = sa.text("select pg_try_advisory_xact_lock(:id)")
        while not conn.execute(free, {"id": worker.id}).scalar_one() and time.monotonic() < deadline:
            time.sleep(0.005)
