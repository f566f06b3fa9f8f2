"""A drain sends each operation once, keeps groups in order, and looks up before it would send again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline.defs.dispatch import dispatch
from bcns_pipeline.defs.dispatch_models import Dispatched, Sender, Settled, Why
from bcns_pipeline.outcomes import (
    Ambiguous,
    Outcome,
    RateLimited,
    Refused,
    Sent,
    System,
    Unauthorised,
    Unavailable,
)
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.store import State
from bcns_pipeline.state.worker import WorkerLost
from bcns_pipeline_tests.defs.far_side import FLOW, KIND, LEADER, FarSide

DOWN = Unavailable(System.NETSUITE, "POST suiteql", "it does not answer")
KEY = b"k" * 32


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1", data_key=KEY)


def intents(*keys: str, group: str | None = None, kind: str = KIND) -> list[Intent]:
    return [Intent(kind, key, {"memo": key}, group_key=group) for key in keys]


def drain(
    state: State,
    far: FarSide,
    *,
    senders: Sequence[Sender] | None = None,
    parallel: int = 4,
    on_settled: Callable[[Sequence[Settled], Any], None] | None = None,
    **options: Any,
) -> Dispatched:
    connections: Any = SimpleNamespace(state=state)
    chosen = senders or [far.sender()]
    return dispatch(connections, FLOW, chosen, parallel=parallel, on_settled=on_settled, **options)


def stands(state: State, key: str) -> Operation:
    every = ("planned", "sending", "held", "ambiguous", "confirmed", "failed", "superseded")
    return state.outbox.find(natural_key=key, states=every)[-1]


def left_behind(state: State, *keys: str) -> None:
    """As a process that was killed after it had claimed these."""
    state.outbox.stage(FLOW, intents(*keys))
    with state.worker() as worker:
        assert len(state.outbox.claim(worker, FLOW, [KIND], len(keys))) == len(keys)


def test_every_operation_is_sent_once_and_a_second_drain_sends_nothing(state: State) -> None:
    keys = [f"k{n}" for n in range(30)]
    state.outbox.stage(FLOW, intents(*keys))
    far, ends = FarSide(), []
    done = drain(state, far, on_settled=lambda settled, _conn: ends.extend(settled))
    assert far.made == dict.fromkeys(keys, 1)
    assert (done.confirmed, done.left, done.sends, done.look_ups) == (30, 0, 30, 0)
    assert {one.op.natural_key: one.record_id for one in ends} == {key: f"id-{key}-1" for key in keys}
    assert stands(state, "k7").answer == {"id": "id-k7-1"}
    again = drain(state, far)
    assert (again.sends, again.look_ups, len(far.calls)) == (0, 0, 30)
    assert isinstance(state.verify_audit(), Verified)


def test_a_group_is_sent_in_order_and_one_at_a_time_while_groups_run_beside_each_other(state: State) -> None:
    for n in range(8):
        state.outbox.stage(FLOW, intents(f"a{n}", group="a") + intents(f"b{n}", group="b"))
    state.outbox.stage(FLOW, intents("c0", "c1", "c2"))
    far = FarSide(seconds=0.005)
    assert drain(state, far).confirmed == 19
    for group in "ab":
        assert [key for key in far.calls if key[0] == group] == [f"{group}{n}" for n in range(8)]
    assert far.crossed == []
    assert far.most_at_once > 1


def test_an_order_waits_for_its_customer_in_another_flow(state: State) -> None:
    state.outbox.stage("customers", intents("customer-1", group="g", kind=LEADER))
    state.outbox.stage(FLOW, intents("order-1", group="g") + intents("order-2", group="other"))
    far = FarSide()
    assert drain(state, far).left == 1
    assert far.made == {"order-2": 1}
    with state.worker() as worker:
        (op,) = state.outbox.claim(worker, "customers", [LEADER])
        state.outbox.confirm(op)
    assert drain(state, far).left == 0
    assert far.made == {"order-1": 1, "order-2": 1}


def test_a_call_in_doubt_that_happened_is_found_and_not_repeated(state: State) -> None:
    state.outbox.stage(FLOW, intents("a", "b"))
    far, ends = FarSide(), []

    def lost(make: Callable[[], Outcome]) -> Outcome:
        make()
        return Ambiguous("timed out")

    far.answers["a"] = [lost]
    done = drain(state, far, on_settled=lambda settled, _conn: ends.extend(settled))
    assert far.made == {"a": 1, "b": 1}
    assert (done.confirmed, done.adopted) == (1, 1)
    assert {one.op.natural_key: (one.record_id, one.adopted) for one in ends} == {
        "a": ("id-a-1", True),
        "b": ("id-b-1", False),
    }


def test_a_call_in_doubt_that_did_not_happen_is_sent_again_after_the_look_up(state: State) -> None:
    state.outbox.stage(FLOW, intents("a", "b", group="g"))
    far = FarSide()
    far.answers["a"] = [Ambiguous("reset")]
    done = drain(state, far)
    assert far.calls == ["a", "a", "b"]
    assert far.look_ups == [["a"]]
    assert (done.confirmed, done.doubtful) == (2, [])


def test_a_refusal_in_doubt_is_believed_once_nothing_is_found_and_stops_nobody(state: State) -> None:
    """NetSuite says USER_ERROR for whatever a script throws, and was seen to say it with the record made."""
    state.outbox.stage(FLOW, intents("a", "b", "c"))
    far = FarSide()
    doubt = Ambiguous("400 USER_ERROR: memo a", Refused(400, "USER_ERROR", "Not in July: a"))
    far.answers["a"] = [doubt]

    def made_all_the_same(make: Callable[[], Outcome]) -> Outcome:
        make()
        return doubt

    far.answers["b"] = [made_all_the_same]
    done = drain(state, far)
    assert [(op.natural_key, refused.detail) for op, refused in done.refused] == [("a", "Not in July: a")]
    assert (stands(state, "a").state, stands(state, "b").state) == ("failed", "confirmed")
    assert (done.adopted, done.doubtful, far.made) == (1, [], {"b": 1, "c": 1})


def test_doubt_twice_in_a_row_is_left_to_the_next_drain_and_its_group_with_it(state: State) -> None:
    state.outbox.stage(FLOW, intents("a", "b", group="g") + intents("c"))
    far = FarSide()
    far.answers["a"] = [Ambiguous("reset")] * 2
    done = drain(state, far)
    assert [op.natural_key for op in done.doubtful] == ["a"]
    assert (far.made, done.left) == ({"c": 1}, 1)
    assert drain(state, far).confirmed == 2
    assert far.made == {"a": 1, "b": 1, "c": 1}


def test_a_duplicate_is_looked_up_and_its_record_taken(state: State) -> None:
    state.outbox.stage(FLOW, intents("a"))
    far = FarSide(answers={"a": [Refused(400, "DUPLICATE", "it exists")]})
    far.make("a")
    done = drain(state, far)
    assert (done.adopted, done.refused, far.made) == (1, [], {"a": 1})
    assert stands(state, "a").answer == {"id": "id-a-1"}


def test_a_duplicate_of_something_else_stays_refused(state: State) -> None:
    state.outbox.stage(FLOW, intents("a"))
    far = FarSide(answers={"a": [Refused(400, "DUPLICATE", "the name is taken")]})
    assert [refused.code for _, refused in drain(state, far).refused] == ["DUPLICATE"]
    assert stands(state, "a").state == "failed"


def test_one_refused_record_never_stops_the_others(state: State) -> None:
    state.outbox.stage(FLOW, intents(*(f"k{n}" for n in range(20))))
    far = FarSide()
    far.answers["k3"] = [Refused(400, "INVALID_FIELD", "no such item")]
    done = drain(state, far)
    assert (done.confirmed, [op.natural_key for op, _ in done.refused]) == (19, ["k3"])
    assert stands(state, "k3").reason == "400 INVALID_FIELD: no such item"


def test_what_needs_a_refused_leader_is_given_up_and_told_so(state: State) -> None:
    state.outbox.stage(
        FLOW, intents("cust", group="g", kind=LEADER) + intents("o1", "o2", group="g") + intents("o3")
    )
    far, ends = FarSide(), []
    far.answers["cust"] = [Refused(400, "MISSING_FIELD", "no name")]
    senders = [far.sender(LEADER, leads=True), far.sender()]
    done = drain(state, far, senders=senders, on_settled=lambda settled, _conn: ends.extend(settled))
    assert sorted(op.natural_key for op in done.stranded) == ["o1", "o2"]
    assert (far.made, done.left) == ({"o3": 1}, 0)
    by_key = {one.op.natural_key: one for one in ends}
    assert by_key["o1"].because is by_key["cust"]
    assert by_key["o1"].payload == {"memo": "o1"}
    assert stands(state, "o2").state == "superseded"


def test_a_rate_limit_stops_the_drain_and_loses_nothing(state: State) -> None:
    keys = [f"k{n}" for n in range(20)]
    state.outbox.stage(FLOW, intents(*keys))
    far = FarSide(seconds=0.002)
    far.answers["k5"] = [RateLimited(30.0)]
    done = drain(state, far)
    assert done.stop is not None
    assert done.stop.why is Why.RATE_LIMITED
    assert done.left == 20 - done.confirmed > 0
    with pytest.raises(Unavailable, match="30"):
        done.raise_if_stopped(System.NETSUITE, "POST salesOrder")
    assert {op.state for op in state.outbox.find(flow=FLOW)} == {"planned"}
    drain(state, far)
    assert far.made == dict.fromkeys(keys, 1)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_the_drain_and_fail_no_record(state: State, status: int) -> None:
    keys = [f"k{n}" for n in range(12)]
    state.outbox.stage(FLOW, intents(*keys))
    far = FarSide()
    for key in keys:
        far.answers[key] = [Refused(status, "PERMISSION", "revoked")]
    done = drain(state, far)
    assert (done.refused, done.left) == ([], 12)
    assert done.sends < 12
    with pytest.raises(Unauthorised, match="revoked"):
        done.raise_if_stopped(System.NETSUITE, "POST salesOrder")
    far.answers.clear()
    assert drain(state, far).confirmed == 12


def test_what_a_dead_process_left_is_looked_up_in_one_call_before_anything_is_sent(state: State) -> None:
    keys = [f"k{n}" for n in range(30)]
    left_behind(state, *keys)
    far = FarSide()
    for key in keys[:10]:
        far.make(key)
    done = drain(state, far)
    assert [len(asked) for asked in far.look_ups] == [30]
    assert (done.adopted, done.confirmed) == (10, 20)
    assert far.made == dict.fromkeys(keys, 1)


def test_what_was_tried_and_given_back_is_looked_up_before_it_is_sent_again(state: State) -> None:
    left_behind(state, "a", "b", "c")
    for op in state.outbox.recover(FLOW):
        state.outbox.release(op, "an earlier run looked it up")
    far = FarSide()
    # Arrived late: after that look-up, before this drain.
    far.make("b")
    done = drain(state, far)
    assert (far.look_ups, done.adopted, done.confirmed) == ([["a", "b", "c"]], 1, 2)
    assert far.made == {"a": 1, "b": 1, "c": 1}


def test_nothing_is_sent_where_leftovers_can_not_be_looked_up(state: State) -> None:
    left_behind(state, "a")
    state.outbox.stage(FLOW, intents("b"))
    far = FarSide(broken=DOWN)
    done = drain(state, far)
    assert done.stop is not None
    assert done.stop.why is Why.UNREACHABLE
    assert far.calls == []
    with pytest.raises(Unavailable, match="does not answer"):
        done.raise_if_stopped(System.NETSUITE, "POST salesOrder")
    far.broken = None
    drain(state, far)
    assert far.made == {"a": 1, "b": 1}


def test_unknown_is_not_absent(state: State) -> None:
    left_behind(state, "a")
    far = FarSide(unknown={"a"})
    assert [op.natural_key for op in drain(state, far).doubtful] == ["a"]
    assert far.calls == []


def test_a_call_in_doubt_gets_its_time_to_end_before_it_is_looked_up(state: State) -> None:
    state.outbox.stage(FLOW, intents("a"))
    far = FarSide()

    def late(make: Callable[[], Outcome]) -> Outcome:
        threading.Timer(0.15, make).start()
        return Ambiguous("timed out")

    far.answers["a"] = [late]
    assert drain(state, far, senders=[far.sender(settle_seconds=0.5)]).adopted == 1
    assert far.made == {"a": 1}


def test_a_lost_session_stops_sending(state: State) -> None:
    keys = [f"k{n}" for n in range(40)]
    state.outbox.stage(FLOW, intents(*keys))
    far = FarSide(seconds=0.005)

    def cut(make: Callable[[], Outcome]) -> Outcome:
        with state.engine.begin() as conn:
            conn.execute(
                sa.text(
                    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1"
                    " and (classid::bigint << 32 | objid::bigint) = "
                    "(select worker from bcns.operation where natural_key = 'k4')"
                )
            )
        return make()

    far.answers["k4"] = [cut]
    with pytest.raises(WorkerLost):
        drain(state, far, parallel=2)
    assert len(far.calls) < 12
    drain(state, far)
    assert far.made == dict.fromkeys(keys, 1)


def test_what_the_flow_remembers_moves_with_the_end_of_the_operation_or_not_at_all(state: State) -> None:
    state.outbox.stage(FLOW, intents("a"))
    far = FarSide()

    def fails(settled: Sequence[Settled], conn: Any) -> None:
        state.cursors.move("seen", [one.record_id for one in settled], conn=conn)
        raise RuntimeError("a fault in the flow")

    with pytest.raises(RuntimeError, match="fault in the flow"):
        drain(state, far, on_settled=fails)
    assert state.cursors.get("seen") is None
    told: list[tuple[str | None, bool]] = []
    drain(
        state,
        far,
        on_settled=lambda settled, _conn: told.extend((one.record_id, one.adopted) for one in settled),
    )
    assert (told, far.made) == ([("id-a-1", True)], {"a": 1})


def test_an_erased_shopper_is_not_sent_and_says_why(state: State) -> None:
    subject = state.vault.subject("ann@example.org")
    state.outbox.stage(FLOW, [Intent(KIND, "a", {"body": {"name": "Ann"}}, subject=subject), *intents("b")])
    state.vault.erase(subject, "asked", actor="bob")
    far = FarSide()
    done = drain(state, far)
    assert (far.made, [refused.code for _, refused in done.refused]) == ({"b": 1}, ["ERASED"])


def test_what_a_refusal_repeats_of_a_shopper_is_masked(state: State) -> None:
    subject = state.vault.subject("ann@example.org")
    body = {"firstName": "Ann", "lastName": "Featherstone", "entity": {"externalId": "bc-h1-customer-7"}}
    state.outbox.stage(FLOW, [Intent(KIND, "a", {"body": body}, subject=subject)])
    far = FarSide()
    said = "Customer 'Featherstone, Ann' <ann@example.org> (bc-h1-customer-7) is on hold"
    far.answers["a"] = [Refused(400, "INACTIVE", said, named=("Ann Featherstone",))]
    ((op, refused),) = drain(state, far).refused
    for text in (refused.detail, stands(state, "a").reason or "", *refused.named, repr(op)):
        assert "Ann" not in text
        assert "Featherstone" not in text
        assert "example.org" not in text
    assert "bc-h1-customer-7" in refused.detail


def test_only_named_fields_of_an_answer_are_kept(state: State) -> None:
    state.outbox.stage(FLOW, intents("a"))
    far = FarSide(answers={"a": [Sent({"number": "SO1", "shipTo": "Ann"}, record_id="7")]})
    drain(state, far, senders=[far.sender(keep=("number",))])
    assert stands(state, "a").answer == {"id": "7", "number": "SO1"}


def test_a_used_up_budget_begins_no_new_call(state: State) -> None:
    state.outbox.stage(FLOW, intents(*(f"k{n}" for n in range(40))))
    far = FarSide(seconds=0.05)
    done = drain(state, far, parallel=2, budget_seconds=0.2)
    assert 0 < done.confirmed < 40
    assert done.left == 40 - done.confirmed
    assert done.stop is not None
    done.raise_if_stopped(System.NETSUITE, "POST salesOrder")


def test_a_fault_of_our_own_is_raised_once_the_others_are_done(state: State) -> None:
    state.outbox.stage(FLOW, intents(*(f"k{n}" for n in range(10))))
    far = FarSide()

    def fault(_make: Callable[[], Outcome]) -> Outcome:
        raise KeyError("shipTo")

    far.answers["k2"] = [fault, fault]
    with pytest.raises(KeyError, match="shipTo"):
        drain(state, far)
    assert far.made == {f"k{n}": 1 for n in range(10) if n != 2}
    assert stands(state, "k2").state == "ambiguous"


def test_a_held_operation_stays_and_does_not_hold_up_its_group(state: State) -> None:
    state.outbox.stage(FLOW, intents("big", group="g"), held="above the limit")
    state.outbox.stage(FLOW, intents("small", group="g"))
    far = FarSide()
    drain(state, far)
    assert far.made == {"small": 1}
    state.outbox.approve(stands(state, "big"), "looked at it", actor="ann")
    drain(state, far)
    assert far.made == {"small": 1, "big": 1}


def test_two_drains_at_once_send_every_operation_once(state: State) -> None:
    keys = [f"k{n}" for n in range(60)]
    for n, key in enumerate(keys):
        state.outbox.stage(FLOW, intents(key, group=f"g{n % 7}"))
    far = FarSide(seconds=0.002)
    done: list[Dispatched] = []
    threads = [threading.Thread(target=lambda: done.append(drain(state, far))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever came last may have left what the other had in its hands.
    drain(state, far)
    assert far.made == dict.fromkeys(keys, 1)
    assert far.crossed == []
    assert [key for key in far.calls if int(key[1:]) % 7 == 0] == [f"k{n}" for n in range(0, 60, 7)]


def test_progress_is_told_now_and_then(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bcns_pipeline.defs.dispatch.PROGRESS_SECONDS", 0.0)
    state.outbox.stage(FLOW, intents("a", "b"))
    said: list[str] = []
    drain(state, FarSide(), progress=said.append)
    assert said[-1] == "2 written"
