"""The inbox: any mix of sources, in any order, any number of times, is one effect, and none is lost."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcns_pipeline.state.inbox import Event, Inbox, Recorded, Source
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.store import State
from bcns_pipeline.state.worker import WorkerLost

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCES: tuple[Source, ...] = ("poll", "webhook", "netsuite", "backfill", "replay")


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def orders(*ids: int, source: Source = "poll", at: datetime | None = None) -> list[Event]:
    return [Event("order", str(one), source, at) for one in ids]


def test_events_of_one_resource_become_one_row_that_names_all_sources(state: State) -> None:
    assert state.inbox.record(orders(1, 1, 2) + orders(1, source="webhook")) == Recorded(2, 0, 2)
    assert state.inbox.record(orders(1, source="backfill")) == Recorded(0, 0, 1)
    with state.worker() as worker:
        claims = {claim.resource_id: claim for claim in state.inbox.claim("order", 10, worker)}
    assert (claims["1"].count, claims["1"].sources) == (4, ("backfill", "poll", "webhook"))
    assert (claims["2"].count, claims["2"].sources) == (1, ("poll",))


def test_resources_and_stores_do_not_mix(state: State, engine: sa.Engine) -> None:
    state.inbox.record([Event("order", "1", "poll"), Event("customer", "1", "poll")])
    other = State(engine, "h2")
    with other.worker() as worker:
        assert other.inbox.claim("order", 10, worker) == []
    with state.worker() as worker:
        assert len(state.inbox.claim("customer", 10, worker)) == 1
        assert state.inbox.waiting("order").free == 1


def test_the_oldest_is_claimed_first_and_named_ones_alone_on_request(state: State) -> None:
    for minute, order in ((3, 30), (1, 10), (2, 20)):
        state.inbox.record(orders(order, at=NOW + timedelta(minutes=minute)))
    with state.worker() as worker:
        assert [claim.resource_id for claim in state.inbox.claim("order", 1, worker, ids=["20", "30"])] == [
            "20"
        ]
        assert [claim.resource_id for claim in state.inbox.claim("order", 5, worker)] == ["10", "30"]


def test_what_is_done_stays_closed_and_a_later_event_opens_it_again(state: State) -> None:
    state.inbox.record(orders(1))
    with state.worker() as worker:
        assert state.inbox.done(state.inbox.claim("order", 10, worker)) == 1
        assert state.inbox.claim("order", 10, worker) == []
        assert state.inbox.record(orders(1)) == Recorded(0, 1, 0)
        (again,) = state.inbox.claim("order", 10, worker)
    assert again.generation == 2


def test_an_event_during_the_work_leaves_the_row_open(state: State) -> None:
    state.inbox.record(orders(1))
    with state.worker() as worker:
        claims = state.inbox.claim("order", 10, worker)
        assert state.inbox.record(orders(1, source="webhook")) == Recorded(0, 0, 1)
        # It is in our hands still: nobody else begins on it meanwhile.
        assert state.inbox.claim("order", 10, worker) == []
        assert state.inbox.done(claims) == 0
        (again,) = state.inbox.claim("order", 10, worker)
        assert state.inbox.done([again]) == 1
    assert state.inbox.waiting("order").count == 0


def test_what_is_released_can_be_claimed_by_another(state: State) -> None:
    state.inbox.record(orders(1))
    with state.worker() as one, state.worker() as two:
        claims = state.inbox.claim("order", 10, one)
        assert state.inbox.claim("order", 10, two) == []
        assert state.inbox.release(claims) == 1
        (taken,) = state.inbox.claim("order", 10, two)
        # Too late: it is not ours any more, so it neither closes nor comes free.
        assert state.inbox.done(claims) == state.inbox.release(claims) == 0
        assert state.inbox.waiting("order").free == 0
        assert state.inbox.done([taken]) == 1


def test_a_worker_that_lost_its_session_can_not_claim(state: State) -> None:
    state.inbox.record(orders(1))
    worker = state.worker()
    with pytest.raises(WorkerLost):
        state.inbox.claim("order", 10, worker)


@pytest.mark.kill
def test_a_killed_claimer_frees_its_claims(state: State, database_url: str) -> None:
    state.inbox.record(orders(1, 2))
    script = (
        "import sys, time; from bcns_pipeline.state.engine import create_engine\n"
        "from bcns_pipeline.state.store import State\n"
        "state = State(create_engine(sys.argv[1]), 'h1')\n"
        "with state.worker() as worker:\n"
        "    print(len(state.inbox.claim('order', 10, worker)), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, database_url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"2\n"
        assert state.inbox.waiting("order").free == 0
        os.kill(process.pid, signal.SIGKILL)
    with state.worker() as worker:
        deadline = time.monotonic() + 60
        while not (claims := state.inbox.claim("order", 10, worker)) and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [claim.resource_id for claim in claims] == ["1", "2"]


def test_many_claimers_never_get_the_same_row(state: State) -> None:
    state.inbox.record(orders(*range(200)))
    claimed: list[str] = []

    def work() -> None:
        with state.worker() as worker:
            while claims := state.inbox.claim("order", 7, worker):
                claimed.extend(claim.resource_id for claim in claims)
                state.inbox.done(claims)

    in_threads(work, 5)
    assert len(claimed) == len(set(claimed)) == 200


def test_writers_and_readers_at_once_lose_no_event(state: State) -> None:
    """Each event that was recorded is followed by a read of its resource that began later."""
    said: dict[str, float] = {}
    read: dict[str, float] = {}
    guard = threading.Lock()
    finished = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(number)
        for _ in range(40):
            some = [str(chance.randrange(30)) for _ in range(20)]
            with guard:
                said.update(dict.fromkeys(some, time.monotonic()))
            state.inbox.record([Event("order", one, chance.choice(SOURCES)) for one in some])

    def work() -> None:
        with state.worker() as worker:
            while not finished.is_set() or state.inbox.waiting("order").count:
                claims = state.inbox.claim("order", 10, worker)
                with guard:
                    read.update({claim.resource_id: time.monotonic() for claim in claims})
                state.inbox.done(claims)

    readers = [threading.Thread(target=work) for _ in range(3)]
    for thread in readers:
        thread.start()
    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    finished.set()
    for thread in readers:
        thread.join()
    assert {one for one, at in said.items() if read.get(one, 0.0) < at} == set()
    assert state.inbox.waiting("order").count == 0
    with state.engine.connect() as conn:
        assert conn.execute(sa.text("select sum(count) from bcns.inbox")).scalar_one() == 4 * 40 * 20


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.tuples(st.integers(1, 4), st.sampled_from(SOURCES)), min_size=1, max_size=6),
            st.sampled_from(["claim", "done", "release"]),
        ),
        max_size=14,
    ),
)
def test_a_row_is_open_exactly_when_an_event_came_after_the_claim_that_was_done(
    state: State, steps: list[list[tuple[int, Source]] | str]
) -> None:
    """Against a model: a set of resources with unread events, and of those in our hands."""
    inbox = Inbox(Scope(state.engine, secrets.token_hex(8)))
    unread: set[int] = set()
    held: set[int] = set()
    during: set[int] = set()
    claims = []
    with state.worker() as worker:
        for step in steps:
            if step == "claim":
                taken = inbox.claim("order", 100, worker)
                assert {int(claim.resource_id) for claim in taken} == unread - held
                held |= unread
                claims += taken
            elif step == "done":
                assert inbox.done(claims) == len(held - during)
                unread -= held - during
                held, during, claims = set(), set(), []
            elif step == "release":
                assert inbox.release(claims) == len(held)
                held, during, claims = set(), set(), []
            else:
                assert not isinstance(step, str)
                ids = {order for order, _ in step}
                during |= ids & held
                inbox.record([Event("order", str(order), source) for order, source in step])
                unread |= ids
            waiting = inbox.waiting("order")
            assert (waiting.count, waiting.free) == (len(unread), len(unread - held))


def test_a_sensor_sees_the_age_and_whether_anything_is_new(state: State) -> None:
    assert state.inbox.waiting("order").oldest is None
    state.inbox.record(orders(1, at=NOW))
    state.inbox.record(orders(2, at=NOW - timedelta(minutes=5)))
    first = state.inbox.waiting("order")
    assert (first.count, first.free, first.oldest) == (2, 2, NOW - timedelta(minutes=5))
    assert state.inbox.waiting("order") == first
    state.inbox.record(orders(1))
    assert state.inbox.waiting("order").newest_seq > first.newest_seq


def test_a_window_names_the_resources_with_an_event_in_it(state: State) -> None:
    for hour, order in ((0, 10), (1, 9), (2, 100)):
        state.inbox.record(orders(order, at=NOW + timedelta(hours=hour)))
    assert state.inbox.ids("order", NOW, NOW + timedelta(hours=2)) == ["9", "10"]
    assert state.inbox.ids("order", NOW + timedelta(hours=2), NOW + timedelta(hours=3)) == ["100"]
    assert state.inbox.missing("order", ["9", "10", "11", "12"]) == ["11", "12"]


def test_only_what_is_closed_and_old_is_forgotten(state: State) -> None:
    state.inbox.record(orders(1, 2, 3, at=NOW))
    state.inbox.record(orders(3, at=NOW + timedelta(days=2)))
    with state.worker() as worker:
        state.inbox.done(state.inbox.claim("order", 10, worker, ids=["1", "3"]))
    assert state.inbox.purge(NOW + timedelta(days=1)) == 1
    assert state.inbox.missing("order", ["1", "2", "3"]) == ["1"]


def test_a_thousand_copies_of_one_event_are_one_row(state: State) -> None:
    in_threads(lambda: [state.inbox.record(orders(7)) for _ in range(100)], 10)
    with state.worker() as worker:
        (claim,) = state.inbox.claim("order", 10, worker)
    assert claim.count == 1_000


def test_more_rows_than_fit_one_statement_are_recorded_and_counted(state: State) -> None:
    assert state.inbox.record(orders(*range(1_200), *range(100))) == Recorded(1_200, 0, 100)
    assert state.inbox.record(orders(*range(1_200))) == Recorded(0, 0, 1_200)


def in_threads(work: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
