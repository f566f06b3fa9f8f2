"""Where each order stands: which version counts, what a decision moves, and that every step is proven."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.audit_verify import Broken, Verified
from bcns_pipeline.state.order_models import (
    Adopted,
    Decision,
    Disposition,
    Noted,
    OrderLine,
    OrderSeen,
    Posted,
    ReadBack,
)
from bcns_pipeline.state.store import State
from bcns_pipeline.state.worker import Worker, WorkerLost

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
TOTAL, TAX = Money(1999, "USD"), Money(163, "USD")


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def seen(
    order: int,
    version: str = "v1",
    minute: int = 0,
    *,
    status: int = 11,
    total: Money = TOTAL,
    lines: tuple[OrderLine, ...] = (),
) -> OrderSeen:
    at = NOW + timedelta(minutes=minute)
    return OrderSeen(order, NOW, at, DAY, 1, "storefront", status, total, lines, version, order * 10)


def test_an_order_is_found_by_what_others_call_it_unless_two_are_called_so(state: State) -> None:
    both = ("pi_1", "111-1")
    state.orders.note([replace(seen(1), aliases=both), replace(seen(2), aliases=("111-2", "twice"))])
    state.orders.note([replace(seen(3), aliases=("twice",))])
    wanted = [*both, "111-2", "twice", "111-3"]
    assert state.orders.by_alias(wanted) == {"pi_1": 1, "111-1": 1, "111-2": 2}
    state.orders.note([replace(seen(2, "v2", 1), aliases=())])
    assert state.orders.by_alias(wanted) == {"pi_1": 1, "111-1": 1, "twice": 3}
    assert state.orders.by_alias([]) == {}


def posted(order: int, version: str = "v1") -> Posted:
    return Posted(order, f"ns-{order}", "salesOrder", version, TOTAL, TAX)


def stands(state: State, order: int) -> str:
    found = state.orders.get(order)
    assert found is not None
    return found.disposition


def steps(state: State, order: int) -> list[str]:
    return [step.step for step in state.orders.steps(order)]


def test_an_order_is_new_once_and_changed_when_its_content_did(state: State) -> None:
    assert state.orders.note([seen(1), seen(2)]) == Noted((1, 2), ())
    assert state.orders.note([seen(1), seen(2, "v2", 1), seen(3)]) == Noted((3,), (2,))
    assert state.orders.note([seen(1), seen(2, "v2", 1), seen(3)]) == Noted((), ())
    assert (steps(state, 1), steps(state, 2)) == (["seen"], ["seen", "seen"])


def test_an_older_read_never_replaces_a_newer_one(state: State) -> None:
    state.orders.note([seen(1, "v3", 3)])
    assert state.orders.note([seen(1, "v2", 2)]) == Noted((), ())
    # Of several versions in one call the newest counts, wherever it stands.
    assert state.orders.note([seen(2, "v3", 3), seen(2, "v1", 1)]).new == (2,)
    assert [one.content_hash for one in state.orders.many([1, 2]).values()] == ["v3", "v3"]


def test_a_change_of_time_alone_is_no_new_version_and_still_counts_as_newer(state: State) -> None:
    state.orders.note([seen(1, "v1", 0)])
    assert state.orders.note([seen(1, "v1", 5)]) == Noted((), ())
    assert state.orders.note([seen(1, "old", 3)]) == Noted((), ())


@pytest.mark.parametrize("before", ["held", "ignored", "waiting", "listed"])
def test_a_new_version_is_decided_anew(state: State, before: Disposition) -> None:
    state.orders.note([seen(1)])
    state.orders.decide([Decision(1, before, "STATUS", "not yet")])
    state.orders.note([seen(1, "v2", 1)])
    assert stands(state, 1) == "open"


def test_a_new_version_of_a_posted_order_shows_as_edited(state: State) -> None:
    state.orders.note([seen(1), seen(2), seen(3)])
    state.orders.posted([posted(1), posted(2)])
    state.orders.adopted([Adopted(3, "ns-3", "salesOrder", "otherRefNum")])
    state.orders.note([seen(1, "v2", 1), seen(3, "v2", 1)])
    assert [one.order_id for one in state.orders.find(edited=True)] == [1]
    assert [one.order_id for one in state.orders.find(edited=False)] == [2, 3]
    state.orders.posted([posted(1, "v2")])
    assert state.orders.find(edited=True) == []


def test_what_is_in_netsuite_stays_so_whatever_is_decided(state: State) -> None:
    state.orders.note([seen(1)])
    state.orders.posted([posted(1)])
    state.orders.decide([Decision(1, "waiting", "ORDER_EDIT_CONFLICT", "billed already", NOW)])
    order = state.orders.get(1)
    assert order is not None
    assert (order.disposition, order.code, order.retry_at) == ("posted", "ORDER_EDIT_CONFLICT", NOW)
    state.orders.posted([posted(1, "v2")])
    order = state.orders.get(1)
    assert order is not None
    assert (order.code, order.reason, order.retry_at) == (None, None, None)


def test_the_same_decision_again_is_no_news_but_moves_the_retry(state: State) -> None:
    state.orders.note([seen(1)])
    later = NOW + timedelta(hours=1)
    assert state.orders.decide([Decision(1, "waiting", "ITEM_UNMAPPED", "RE-1", NOW)]) == [1]
    assert state.orders.decide([Decision(1, "waiting", "ITEM_UNMAPPED", "RE-1", later)]) == []
    assert state.orders.decide([Decision(7, "held", "STATUS", "unknown order")]) == []
    assert [one.retry_at for one in state.orders.find()] == [later]
    assert steps(state, 1) == ["seen", "decided"]


def test_waiting_orders_come_back_when_they_are_due(state: State) -> None:
    state.orders.note([seen(n) for n in (1, 2, 3)])
    state.orders.decide(
        [
            Decision(1, "waiting", "ITEM_UNMAPPED", "RE-1", NOW),
            Decision(2, "waiting", "ITEM_UNMAPPED", "RE-2", NOW + timedelta(hours=1)),
            Decision(3, "held", "STATUS", "not paid"),
        ]
    )
    assert [one.order_id for one in state.orders.find(disposition="waiting", due_before=NOW)] == [1]
    assert state.orders.make_due([2, 3], NOW) == [2, 3]
    assert [one.order_id for one in state.orders.find(disposition="waiting", due_before=NOW)] == [1, 2]
    assert [one.order_id for one in state.orders.find(code="ITEM_UNMAPPED", after=1)] == [2]


def test_money_is_kept_on_both_sides_and_summed_by_currency(state: State) -> None:
    state.orders.note([seen(1), seen(2), seen(3, total=Money(500, "JPY"))])
    state.orders.posted([posted(1)])
    state.orders.read_back([ReadBack(1, Money(2000, "USD"), TAX, "SO1")])
    order = state.orders.get(1)
    assert order is not None
    assert (order.total, order.expected_total, order.expected_tax) == (TOTAL, TOTAL, TAX)
    assert (order.read_total, order.read_tax, order.netsuite_number) == (Money(2000, "USD"), TAX, "SO1")
    counted = {(one.disposition, one.total.currency): one for one in state.orders.counts(DAY)}
    assert counted["posted", "USD"].read == Money(2000, "USD")
    assert counted["open", "USD"].total == TOTAL
    assert counted["open", "JPY"].total == Money(500, "JPY")
    assert state.orders.counts(DAY + timedelta(days=1)) == []


def test_a_read_back_before_an_edit_does_not_speak_of_the_edit(state: State) -> None:
    state.orders.note([seen(1)])
    state.orders.posted([posted(1)])
    state.orders.read_back([ReadBack(1, TOTAL, TAX, "SO1")])
    state.orders.posted([replace(posted(1, "v2"), expected_total=Money(1500, "USD"))])
    order = state.orders.get(1)
    assert order is not None
    assert (order.read_total, order.read_back_at, order.netsuite_number) == (None, None, "SO1")


def test_an_order_is_referenced_once_its_number_is_known(state: State) -> None:
    state.orders.note([seen(n) for n in (1, 2, 3)])
    state.orders.posted([posted(1), posted(2)])
    assert state.orders.unreferenced() == []
    state.orders.read_back([ReadBack(1, netsuite_number="SO1"), ReadBack(2, netsuite_number="SO2")])
    assert [one.order_id for one in state.orders.unreferenced(1)] == [1]
    assert state.orders.referenced([1, 3, 9]) == [1, 3]
    assert state.orders.referenced([1]) == []
    assert [one.order_id for one in state.orders.unreferenced()] == [2]
    # Another record took its place in NetSuite, so another number has to be written.
    state.orders.posted([replace(posted(1), netsuite_id="ns-9", netsuite_number="SO9")])
    assert [one.order_id for one in state.orders.unreferenced()] == [1, 2]


def test_orders_are_found_from_netsuite_and_missing_ones_named(state: State) -> None:
    state.orders.note([seen(1), seen(2)])
    state.orders.posted([posted(1)])
    assert {key: one.order_id for key, one in state.orders.by_netsuite(["ns-1", "ns-2"]).items()} == {
        "ns-1": 1
    }
    assert state.orders.missing([3, 2, 1, 4]) == [3, 4]
    assert state.orders.get(9) is None


def test_a_day_is_complete_when_every_order_is_there_or_says_why(state: State) -> None:
    state.orders.note([seen(n) for n in (1, 2, 3, 4)])
    state.orders.posted([posted(1)])
    state.orders.decide([Decision(2, "held", "STATUS", "not paid"), Decision(3, "ignored")])
    day = state.orders.completeness(DAY, DAY)
    assert day.orders == {"posted": 1, "held": 1, "ignored": 1, "open": 1}
    assert (day.unexplained, day.accounted, day.complete) == ((3, 4), False, False)
    assert (
        state.orders.undecided(DAY, DAY),
        state.orders.undecided(DAY + timedelta(days=1), DAY + timedelta(days=9)),
    ) == ({4}, set())
    state.orders.decide(
        [Decision(3, "ignored", None, "test order"), Decision(4, "waiting", "ITEM_UNMAPPED", "RE-1")]
    )
    day = state.orders.completeness(DAY, DAY)
    assert (day.accounted, day.complete) == (True, False)
    state.orders.adopted([Adopted(4, "ns-4", "salesOrder", "otherRefNum")])
    assert state.orders.completeness(DAY, DAY).complete


def line(variant: int, quantity: int, sku: str | None = None) -> OrderLine:
    return OrderLine(variant, variant + 100, variant, sku or f"SKU-{variant}", quantity)


def test_units_not_yet_in_netsuite_are_counted_by_variant(state: State) -> None:
    state.orders.note(
        [
            seen(1, lines=(line(1, 2), line(2, 1))),
            seen(2, lines=(line(1, 3), line(1, 4))),
            seen(3, lines=(line(1, 10),)),
            seen(4, status=0, lines=(line(1, 50),)),
            seen(5, status=5, lines=(line(1, 60),)),
            seen(6, lines=(line(1, 70),)),
            seen(7, lines=(line(1, 80),)),
            seen(8, lines=(OrderLine(1, None, None, "GIFT", 1),)),
        ]
    )
    state.orders.decide(
        [
            Decision(2, "waiting", "ITEM_UNMAPPED", "RE-1"),
            Decision(6, "ignored", None, "test order"),
            Decision(7, "listed", None, "before the cutover"),
        ]
    )
    state.orders.posted([posted(3)])
    frame = state.orders.unposted_units()
    rows = {(row.variant_id, row.product_id, row.sku): (row.units, row.orders) for row in frame.itertuples()}
    assert rows == {(1, 101, "SKU-1"): (9, 2), (2, 102, "SKU-2"): (1, 1), (0, 0, "GIFT"): (1, 1)}
    assert frame.dtypes.astype(str).to_dict()["units"] == "int64"
    # Stock that was read before order 3 was posted does not know of its units.
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    assert state.orders.unposted_units(posted_since=earlier)["units"].tolist() == [1, 19, 1]
    assert state.orders.unposted_units(posted_since=datetime.now(UTC))["units"].tolist() == [1, 9, 1]


def test_a_store_without_open_orders_has_no_unposted_units(state: State) -> None:
    frame = state.orders.unposted_units()
    assert frame.empty
    assert frame.dtypes.astype(str).to_dict() == {
        "variant_id": "int64",
        "product_id": "int64",
        "sku": "object",
        "units": "int64",
        "orders": "int64",
    }


def lived(state: State) -> None:
    state.orders.note([seen(n, lines=(line(1, 1),)) for n in (1, 2)])
    state.orders.decide([Decision(1, "planned"), Decision(2, "waiting", "ITEM_UNMAPPED", "RE-1")])
    state.orders.posted([posted(1)])
    state.orders.read_back([ReadBack(1, TOTAL, TAX, "SO1")])
    state.orders.referenced([1])


def as_owner(state: State, statement: str) -> None:
    with state.engine.begin() as conn:
        conn.execute(sa.text("set local session_replication_role = 'replica'"))
        assert conn.exec_driver_sql(statement).rowcount != 0


def test_each_batch_is_one_audit_row_that_can_be_proven(state: State) -> None:
    lived(state)
    kinds = [row.kind for row in state.audit.rows()]
    assert kinds == [f"orders.{one}" for one in ("seen", "decided", "posted", "read_back", "referenced")]
    assert [row.lines for row in state.audit.rows()] == [2, 2, 1, 1, 1]
    verified = state.verify_audit()
    assert isinstance(verified, Verified)
    assert verified.proofs == 5


def due(state: State, **asked: Any) -> list[int]:
    return sorted(one.order_id for one in state.orders.due(NOW, limit=10, **asked))


def test_what_is_due_is_open_or_its_time_has_come_or_it_was_edited(state: State) -> None:
    state.orders.note([seen(one) for one in range(1, 6)])
    hour = timedelta(hours=1)
    state.orders.decide([Decision(2, "waiting", "ITEM_UNMAPPED", "RE-1", NOW - hour)])
    state.orders.decide([Decision(3, "waiting", "ITEM_UNMAPPED", "RE-1", NOW + hour), Decision(4, "planned")])
    state.orders.posted([posted(5)])
    state.orders.note([seen(5, "v2", 1)])
    assert due(state) == [1, 2, 5]
    assert due(state, edits="none") == [1, 2]
    state.orders.decide(
        [Decision(1, "held", "STATUS", "not ours yet"), Decision(2, "held", "CANCELLED", "off")]
    )
    status = state.orders.many([1])[1].status_id
    assert (due(state), due(state, allowed=[status])) == ([5], [1, 5])
    state.orders.decide([Decision(1, "open"), Decision(2, "open")])
    assert due(state, days=(DAY - timedelta(days=2), DAY - timedelta(days=1))) == []


def test_what_a_living_planner_has_in_hand_is_due_to_nobody_else(state: State) -> None:
    state.orders.note([seen(one) for one in range(1, 6)])
    head = state.audit.head()
    with state.worker() as first, state.worker() as second:
        assert taken(state, first, 2) == [1, 2]
        # Left out before the limit, so that the next run gets a whole batch.
        assert taken(state, second, 2) == [3, 4]
        assert due(state) == [5]
        # A step that is tried again has what it had.
        assert taken(state, first, 2) == [1, 2]
    assert due(state) == [1, 2, 3, 4, 5]
    # Whose it is is no step in the life of an order.
    assert state.audit.head() == head


def test_a_planner_that_is_killed_frees_what_it_had(state: State) -> None:
    state.orders.note([seen(1)])
    with state.worker() as first:
        assert taken(state, first, 2) == [1]
        end_session(state, first)
        with state.worker() as second:
            assert taken(state, second, 2) == [1]
        with pytest.raises(WorkerLost):
            taken(state, first, 2)
    assert due(state) == [1]


def test_two_that_plan_at_the_same_moment_take_different_orders(state: State) -> None:
    state.orders.note([seen(one) for one in range(1, 201)])
    with state.worker() as first, state.worker() as second, ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda planner: taken(state, planner, 100), (first, second)))
        both += [taken(state, first, 200), taken(state, second, 200)]
    had = [set(both[0]) | set(both[2]), set(both[1]) | set(both[3])]
    assert not had[0] & had[1]
    assert had[0] | had[1] == set(range(1, 201))


def taken(state: State, planner: Worker, limit: int) -> list[int]:
    return sorted(one.order_id for one in state.orders.take_due(planner, NOW, limit=limit))


def end_session(state: State, worker: Worker) -> None:
    """As if its process had been killed; returns once the server has noticed."""
    with state.engine.connect() as conn:
        conn.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
                "and (classid::bigint << 32) | objid::bigint = :id"
            ),
            {"id": worker.id},
        )
    for _ in range(100):
        if not held(state, worker):
            return
        time.sleep(0.05)
    raise AssertionError("the session is still there")


def held(state: State, worker: Worker) -> bool:
    with state.engine.begin() as conn:
        return not conn.execute(
            sa.text("select pg_try_advisory_xact_lock(:id)"), {"id": worker.id}
        ).scalar_one()


@pytest.mark.parametrize(
    "change",
    [
        "total_minor = total_minor + 1",
        "netsuite_id = 'ns-2'",
        "disposition = 'held'",
        "expected_total_minor = 1",
        "applied_hash = 'v9'",
        "referenced_at = null",
        "lines = '[]'",
    ],
)
def test_a_row_changed_behind_our_back_is_named(state: State, change: str) -> None:
    lived(state)
    as_owner(state, f"update bcns.order_state set {change} where order_id = 1")
    found = state.verify_audit()
    assert isinstance(found, Broken)
    assert "order 1 " in found.why


def test_a_removed_order_is_named(state: State) -> None:
    lived(state)
    as_owner(state, "delete from bcns.order_state where order_id = 2")
    found = state.verify_audit()
    assert isinstance(found, Broken)
    assert "order 2 " in found.why


@pytest.mark.parametrize("change", ["reason = 'x'", 'facts = \'{"netsuite_id": "ns-2"}\''])
def test_a_changed_step_breaks_the_row_that_proved_it(state: State, change: str) -> None:
    lived(state)
    as_owner(state, f"update bcns.order_step set {change} where step = 'posted'")
    found = state.verify_audit()
    assert isinstance(found, Broken)
    assert found.seq == 3


@pytest.mark.parametrize("verb", ["update bcns.order_step set step = 'x'", "delete from bcns.order_step"])
def test_steps_are_append_only(state: State, verb: str) -> None:
    lived(state)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), state.engine.begin() as conn:
        conn.execute(sa.text(verb))


def test_nothing_is_left_of_a_transaction_that_fails(state: State) -> None:
    with state.engine.connect() as conn, conn.begin() as transaction:
        state.orders.note([seen(1)], conn=conn)
        transaction.rollback()
    assert state.orders.get(1) is None
    assert state.audit.head().seq == 0


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reads=st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_in_whatever_order_versions_are_read_the_newest_one_stands(
    engine: sa.Engine, reads: list[int]
) -> None:
    state = State(engine, secrets.token_hex(8))
    for number in reads:
        state.orders.note([seen(1, f"v{number}", number)])
    order = state.orders.get(1)
    assert order is not None
    assert order.content_hash == f"v{max(reads)}"


def test_two_thousand_orders_are_noted_in_a_few_statements(state: State) -> None:
    many = [seen(n, lines=(line(1, 1), line(2, 2))) for n in range(1, 2_001)]
    assert len(state.orders.note(many).new) == 2_000
    assert state.orders.note(many) == Noted((), ())
    assert len(state.orders.decide([Decision(n, "planned") for n in range(1, 2_001)])) == 2_000
    assert [one.orders for one in state.orders.counts()] == [2_000]
