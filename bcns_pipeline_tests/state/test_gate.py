"""The Gate: never more calls at once than our share, whoever asks and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bcns_pipeline.outcomes import Lane, System
from bcns_pipeline.state.gate import GateLost, PgGate, Share

NETSUITE, BIGCOMMERCE = System.NETSUITE, System.BIGCOMMERCE


class Crowd:
    """Counts who is inside, who has left, and the most that ever were inside; nobody leaves before `full` were."""

    def __init__(self, full: int) -> None:
        self._lock = threading.Lock()
        self._full = full
        self.enough = threading.Event()
        self.inside = 0
        self.left = 0
        self.most = 0

    def stay(self, gate: PgGate, system: System) -> None:
        with gate.admit(system):
            with self._lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
                if self.most >= self._full:
                    self.enough.set()
            self.enough.wait(20)
            # One too many would come in now.
            time.sleep(0.01)
            with self._lock:
                self.inside -= 1
                self.left += 1


def run(*works: threading.Thread) -> None:
    for work in works:
        work.start()
    for work in works:
        work.join(30)


def end_session_of(engine: sa.Engine, gate: PgGate) -> None:
    with engine.connect() as conn:
        conn.execute(sa.text("select pg_terminate_backend(:pid)"), {"pid": gate._session.info.backend_pid})


def test_threads_of_one_process_use_the_whole_share_and_no_more(engine: sa.Engine) -> None:
    gate = PgGate(engine, "h1", {NETSUITE: Share(3)})
    crowd = Crowd(3)
    run(*(threading.Thread(target=crowd.stay, args=(gate, NETSUITE)) for _ in range(12)))
    assert (crowd.most, crowd.inside, crowd.left) == (3, 0, 12)
    gate.close()


def test_two_gates_share_the_slots(engine: sa.Engine) -> None:
    gates = [PgGate(engine, "h1", {NETSUITE: Share(2)}) for _ in range(2)]
    crowd = Crowd(2)
    run(*(threading.Thread(target=crowd.stay, args=(gates[n % 2], NETSUITE)) for n in range(10)))
    assert (crowd.most, crowd.left) == (2, 10)
    for gate in gates:
        gate.close()


def test_systems_and_stores_do_not_hold_each_other_up(engine: sa.Engine) -> None:
    shares = {NETSUITE: Share(1), BIGCOMMERCE: Share(1)}
    one, other = PgGate(engine, "h1", shares), PgGate(engine, "h2", shares)
    with one.admit(NETSUITE), one.admit(BIGCOMMERCE), other.admit(NETSUITE), one.admit(System.ALERTS):
        pass
    one.close()
    other.close()


def test_the_fast_lane_gets_through_while_bulk_work_fills_its_slots(engine: sa.Engine) -> None:
    shares = {BIGCOMMERCE: Share(3, reserved=1)}
    bulk, fast = PgGate(engine, "h1", shares), PgGate(engine, "h1", shares, Lane.FAST)
    crowd = Crowd(6)
    hogs = [threading.Thread(target=crowd.stay, args=(bulk, BIGCOMMERCE)) for _ in range(6)]
    for hog in hogs:
        hog.start()
    while crowd.inside < 2:
        time.sleep(0.005)
    with fast.admit(BIGCOMMERCE):
        # No bulk call has ended, and the other four still wait.
        assert (crowd.inside, crowd.left) == (2, 0)
    crowd.enough.set()
    for hog in hogs:
        hog.join(30)
    assert (crowd.most, crowd.left) == (2, 6)
    bulk.close()
    fast.close()


def test_a_newcomer_does_not_push_in_front_of_another_process_that_waits(engine: sa.Engine) -> None:
    greedy, patient = (PgGate(engine, "h1", {NETSUITE: Share(1)}) for _ in range(2))
    turns: list[int] = []
    waits: list[int] = []
    stop = threading.Event()

    def hog() -> None:
        while not stop.is_set():
            with greedy.admit(NETSUITE):
                turns.append(1)
                time.sleep(0.01)

    hogging = threading.Thread(target=hog)
    hogging.start()
    for _ in range(10):
        before = len(turns)
        with patient.admit(NETSUITE):
            waits.append(len(turns) - before)
    stop.set()
    hogging.join(30)
    # In turns of the other one, which a busy machine does not change as it does seconds.
    assert sorted(waits)[5] < 10
    greedy.close()
    patient.close()


def test_an_admit_without_a_queue_costs_two_round_trips(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = PgGate._ask
    monkeypatch.setattr(
        PgGate, "_ask", lambda gate, query, values: asked.append(query) or ask(gate, query, values)
    )
    gate = PgGate(engine, "h1", {NETSUITE: Share(5, reserved=1)})
    for _ in range(10):
        with gate.admit(NETSUITE):
            pass
    gate.close()
    assert ["unlock" in query for query in asked] == [False, True] * 10


def test_a_lost_session_is_replaced_and_its_slots_are_not_believed_in(engine: sa.Engine) -> None:
    gate, other = (PgGate(engine, "h1", {NETSUITE: Share(2)}) for _ in range(2))
    with gate.admit(NETSUITE):
        end_session_of(engine, gate)
        # The slot is free for others, and our own call that runs on still counts here.
        with gate.admit(NETSUITE):
            assert not admitted_within(gate, 0.05)
        with other.admit(NETSUITE), other.admit(NETSUITE):
            assert not admitted_within(gate, 0.05)
    with gate.admit(NETSUITE), gate.admit(NETSUITE):
        assert not admitted_within(other, 0.05)
    gate.close()
    other.close()


def test_without_its_database_nobody_is_let_through(engine: sa.Engine) -> None:
    nowhere = sa.create_engine(
        "postgresql+psycopg2://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1}
    )
    gate = PgGate(nowhere, "h1", {NETSUITE: Share(1)}, sleep=lambda _: None)
    with pytest.raises(GateLost), gate.admit(NETSUITE):
        pytest.fail("let through")


def test_a_closed_gate_lets_nobody_through(engine: sa.Engine) -> None:
    gate = PgGate(engine, "h1", {NETSUITE: Share(1)})
    gate.close()
    with pytest.raises(GateLost), gate.admit(NETSUITE):
        pytest.fail("let through")


def test_a_share_must_leave_something_for_the_bulk_lane() -> None:
    with pytest.raises(ValueError, match="nothing for the bulk lane"):
        Share(2, reserved=2)


CALLS = """
import os, sys, time
from bcns_pipeline.outcomes import System
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.gate import PgGate, Share
from threading import Thread
gate = PgGate(create_engine(sys.argv[1]), "h1", {System.NETSUITE: Share(3)})
log = open(sys.argv[2], "a", buffering=1)
def work():
    while not os.path.exists(sys.argv[3]):
        with gate.admit(System.NETSUITE):
            log.write(f"{time.monotonic()} 1\\n")
            time.sleep(0.005)
            log.write(f"{time.monotonic()} -1\\n")
threads = [Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.kill
def test_processes_together_stay_within_the_share_and_a_killed_one_frees_its_slots(
    engine: sa.Engine, database_url: str, tmp_path: Path
) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(3)]
    stop = tmp_path / "stop"
    processes = [
        subprocess.Popen([sys.executable, "-c", CALLS, database_url, str(log), str(stop)]) for log in logs
    ]

    def until_each_has_called(those: Sequence[Path], times: int) -> None:
        end = time.monotonic() + 60
        while min(len(log.read_text().splitlines()) if log.exists() else 0 for log in those) < 2 * times:
            assert time.monotonic() < end, "they do not get in"
            time.sleep(0.02)

    try:
        until_each_has_called(logs, 20)
        os.kill(processes[0].pid, signal.SIGKILL)
        made = max(len(log.read_text().splitlines()) for log in logs[1:])
        until_each_has_called(logs[1:], made // 2 + 20)
    finally:
        stop.touch()
        for process in processes:
            process.wait(20)
    events = []
    for log in logs:
        lines = [line.split() for line in log.read_text().splitlines() if line.count(" ") == 1]
        if log == logs[0]:
            # What the killed process held ends, for the server, when its socket does.
            open_calls = sum(int(step) for _, step in lines)
            lines += [[lines[-1][0], "-1"]] * open_calls
        events += [(float(at), int(step)) for at, step in lines]
    # A slot is free a little before the log says so, never after: sort ends before begins.
    inside = most = 0
    for _, step in sorted(events):
        inside += step
        most = max(most, inside)
    assert most == 3
    gate = PgGate(engine, "h1", {NETSUITE: Share(3)})
    with gate.admit(NETSUITE), gate.admit(NETSUITE), gate.admit(NETSUITE):
        pass
    gate.close()


def admitted_within(gate: PgGate, seconds: float) -> bool:
    """Whether another thread gets in within that time; it leaves again, now or when it gets in."""
    entered = threading.Event()

    def enter() -> None:
        with suppress(GateLost), gate.admit(NETSUITE):
            entered.set()

    threading.Thread(target=enter, daemon=True).start()
    return entered.wait(seconds)
