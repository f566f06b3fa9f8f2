"""Links, exceptions, cursors, usage, and the pin of the two accounts."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from bcns_pipeline.outcomes import Call, System
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.store import State
from bcns_pipeline.state.usage import Usage, UsageMeter

FLOW = "inventory"


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def audit_kinds(state: State) -> list[str]:
    return [row.kind for row in state.audit.rows()]


def items(*rows: tuple[int, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["item_id", "sku", "variant_id"])
    return frame.assign(product_id=frame["variant_id"] + 100, tracking="variant")


def test_item_links_come_back_as_they_were_given(state: State) -> None:
    assert state.links.items().dtypes.astype(str)["item_id"] == "int64"
    given = items((1, "NA", 11), (2, "007", 12), (3, 'a,"b"\t\\n', 13), (4, "1e3", 14))
    assert state.links.put_items(given) == 4
    assert state.links.put_items(given) == 0
    pd.testing.assert_frame_equal(
        state.links.items(),
        given[["item_id", "sku", "product_id", "variant_id", "tracking"]],
        check_dtype=False,
    )
    assert state.links.items()["sku"].tolist() == given["sku"].tolist()
    assert audit_kinds(state) == ["link.written"]


def test_two_items_may_swap_their_variants(state: State) -> None:
    state.links.put_items(items((1, "A", 11), (2, "B", 12)))
    state.links.put_items(items((1, "A", 12), (2, "B", 11)))
    assert state.links.items()["variant_id"].tolist() == [12, 11]
    state.links.put_items(items((3, "C", 12)))
    assert state.links.items()["item_id"].tolist() == [2, 3]


def test_a_record_is_found_from_either_side(state: State) -> None:
    link = Link("77", "5", "order 5", {"total": 1}, origin="adopted")
    state.links.put("order", [link])
    found = state.links.get("order", "77")
    assert found == state.links.find("order", "5")
    assert found is not None
    assert (found.label, found.detail, found.origin) == ("order 5", {"total": 1}, "adopted")
    assert state.links.get("customer", "77") is None
    assert state.links.remove("order", ["77", "78"]) == 1
    assert state.links.get("order", "77") is None


def test_several_shoppers_may_be_one_customer_and_each_has_one(state: State) -> None:
    state.links.put("customer", [Link("77", "5"), Link("77", "guest:ab"), Link("78", "6")])
    assert [one.bigcommerce_id for one in state.links.get_many("customer", ["77"])["77"]] == ["5", "guest:ab"]
    assert {
        key: one.netsuite_id for key, one in state.links.find_many("customer", ["5", "6", "7"]).items()
    } == {
        "5": "77",
        "6": "78",
    }
    assert state.links.put("customer", [Link("78", "5")]) == 1
    assert state.links.find("customer", "5") is not None
    assert sorted(state.links.get_many("customer", ["77", "78", "79"])) == ["77", "78"]
    found = state.links.find("customer", "guest:ab")
    assert found is not None
    assert found.netsuite_id == "77"
    assert state.links.put("customer", [Link("78", "5")]) == 0


def test_linked_shoppers_are_walked_by_number_and_guests_are_passed_over(state: State) -> None:
    names = ("9", "10", "guest:0123456789abcdef", "10@3", "2")
    state.links.put("customer", [Link(str(n), name) for n, name in enumerate(names)])
    state.links.put("order", [Link("7", "3")])
    assert state.links.numbered("customer", 0, 2) == [2, 9]
    assert state.links.numbered("customer", 9, 2) == [10]


def test_an_order_is_still_linked_one_to_one(state: State) -> None:
    state.links.put("order", [Link("77", "5")])
    state.links.put("order", [Link("77", "6")])
    assert state.links.find("order", "5") is None
    state.links.put("order", [Link("78", "6")])
    assert state.links.get("order", "77") is None
    with pytest.raises(sa.exc.IntegrityError), state.engine.begin() as conn:
        conn.exec_driver_sql(
            "insert into bcns.link (store, kind, netsuite_id, bigcommerce_id, origin) "
            "values ('h1', 'order', '78', '9', 'x')"
        )


def test_a_merge_moves_the_links_and_is_obeyed_over_any_number_of_merges(state: State) -> None:
    state.links.put("customer", [Link("1", "10"), Link("2", "20")])
    assert state.merges.put("1", "2", "same person", actor="ann")
    assert not state.merges.put("1", "2", "same person", actor="ann")
    assert state.merges.put("2", "3", "same again", actor="bob")
    assert state.merges.resolve(["1", "2", "3"]) == {"1": "3", "2": "3"}
    assert {one.bigcommerce_id for one in state.links.get_many("customer", ["3"])["3"]} == {"10", "20"}
    # A late merge into one that is gone already goes to the one that is left.
    state.links.put("customer", [Link("4", "40")])
    state.merges.put("4", "1", "late", actor="ann")
    found = state.links.find("customer", "40")
    assert found is not None
    assert found.netsuite_id == "3"
    assert [(one.from_id, one.actor) for one in state.merges.all()] == [
        ("1", "ann"),
        ("2", "bob"),
        ("4", "ann"),
    ]
    assert isinstance(state.verify_audit(), Verified)


def test_merges_do_not_go_in_a_circle(state: State) -> None:
    state.merges.put("1", "2", "same", actor="ann")
    state.merges.put("2", "3", "same", actor="ann")
    for into in ("1", "2", "3"):
        with pytest.raises(BadInput, match="can't be merged"):
            state.merges.put("3", into, "back", actor="ann")


def question(code: str, subject: str, message: str = "Why?") -> Question:
    return Question(code, subject, message)


def test_the_same_question_is_counted_and_not_asked_twice(state: State) -> None:
    assert state.exceptions.open_many(FLOW, [question("SKU_AMBIGUOUS", f"sku:{n}") for n in range(3)]) == 3
    assert state.exceptions.open_many(FLOW, [question("SKU_AMBIGUOUS", "sku:1", "Still?")]) == 0
    rows = state.exceptions.find(code="SKU_AMBIGUOUS")
    assert [(row.subject, row.count, row.message) for row in rows] == [
        ("sku:0", 1, "Why?"),
        ("sku:1", 2, "Still?"),
        ("sku:2", 1, "Why?"),
    ]
    assert state.exceptions.counts() == {(FLOW, "SKU_AMBIGUOUS"): 3}
    assert audit_kinds(state) == ["exception.opened"]


def test_a_question_given_twice_in_one_call_is_one_question(state: State) -> None:
    twice = [question("SKU_STALE", "sku:1"), question("SKU_STALE", "sku:1", "newer")]
    assert state.exceptions.open_many(FLOW, twice) == 1
    assert state.exceptions.find()[0].message == "newer"


def test_a_question_heals_when_its_cause_is_gone_and_can_be_asked_anew(state: State) -> None:
    state.exceptions.open_many(FLOW, [question("SKU_STALE", f"sku:{n}") for n in range(3)])
    state.exceptions.open("other", question("SKU_STALE", "sku:9"))
    assert state.exceptions.keep_only(FLOW, "SKU_STALE", ["sku:1"]) == ["sku:0", "sku:2"]
    assert state.exceptions.heal(FLOW, "SKU_STALE", ["sku:1", "sku:2"]) == ["sku:1"]
    assert not state.exceptions.is_open(FLOW, "SKU_STALE")
    assert state.exceptions.open_many(FLOW, [question("SKU_STALE", "sku:1")]) == 1
    closed = [row for row in state.exceptions.find(flow=FLOW, open_only=False) if row.resolved_at]
    assert {row.resolution for row in closed} == {"healed"}


def test_a_person_resolves_with_name_and_reason_and_only_once(state: State) -> None:
    state.exceptions.open(FLOW, question("INVENTORY_BREAKER", "flow:inventory"))
    (row,) = state.exceptions.find()
    resolved = state.exceptions.resolve(row.id, "approved", "season change", actor="ann")
    assert resolved is not None
    assert (resolved.resolved_by, resolved.resolution_reason) == ("ann", "season change")
    assert state.exceptions.resolve(row.id, "dismissed", "again", actor="bob") is None
    last = state.audit.rows()[-1]
    assert (last.kind, last.actor) == ("exception.resolved", "ann")
    assert isinstance(state.verify_audit(), Verified)


def test_thousands_of_questions_are_asked_at_once(state: State) -> None:
    many = [question("SKU_STALE", f"sku:{n}") for n in range(5_000)]
    assert state.exceptions.open_many(FLOW, many) == 5_000
    assert len(state.exceptions.keep_only(FLOW, "SKU_STALE", [one.subject for one in many[:4_990]])) == 10


def test_a_question_is_assigned_and_retried_by_a_person_with_a_trace(state: State) -> None:
    state.exceptions.open_many("orders", [question("ITEM_UNMAPPED", f"order:{n}") for n in (1, 2)])
    one, two = state.exceptions.find(flow="orders")
    assigned = state.exceptions.assign(one.id, "cleo", actor="ann")
    assert assigned is not None
    assert (assigned.assigned_to, assigned.assigned_at is not None) == ("cleo", True)
    assert [row.id for row in state.exceptions.request_retry([one.id, two.id, 99], actor="ann")] == [
        one.id,
        two.id,
    ]
    assert state.exceptions.take_retries(FLOW) == []
    assert [row.subject for row in state.exceptions.take_retries("orders")] == ["order:1", "order:2"]
    assert state.exceptions.take_retries("orders") == []
    kinds = [(row.kind, row.actor) for row in state.audit.rows(subject=f"exception:{one.id}")]
    assert kinds == [("exception.assigned", "ann"), ("exception.retry_requested", "ann")]
    state.exceptions.resolve(one.id, "dismissed", "gone", actor="ann")
    assert state.exceptions.assign(one.id, "dan", actor="ann") is None
    assert state.exceptions.request_retry([one.id], actor="ann") == []


def test_alarms_see_how_many_are_open_and_for_how_long(state: State, engine: sa.Engine) -> None:
    state.exceptions.open_many("orders", [question("ITEM_UNMAPPED", f"order:{n}") for n in range(3)])
    state.exceptions.open(FLOW, question("SKU_STALE", "sku:1"))
    with engine.begin() as conn:
        conn.execute(
            sa.text(
                "update bcns.exception set opened_at = now() - interval '2 hours' where subject = 'order:1'"
            )
        )
    assert [(one.flow, one.code, one.count) for one in state.exceptions.backlog()] == [
        ("orders", "ITEM_UNMAPPED", 3),
        (FLOW, "SKU_STALE", 1),
    ]
    ages = {one.code: datetime.now(UTC) - one.oldest for one in state.exceptions.backlog()}
    assert ages["ITEM_UNMAPPED"] >= timedelta(hours=2) > ages["SKU_STALE"]
    state.exceptions.heal("orders", "ITEM_UNMAPPED", ["order:1"])
    (healed, _) = state.exceptions.backlog()
    assert (healed.count, datetime.now(UTC) - healed.oldest < timedelta(hours=1)) == (2, True)


def test_a_cursor_moves_only_with_the_transaction(state: State) -> None:
    assert state.cursors.get("levels") is None
    state.cursors.move("levels", {"at": "2026-11-21 08:00:00"})
    with state.engine.connect() as conn, conn.begin() as transaction:
        state.cursors.move("levels", {"at": "later"}, conn=conn)
        transaction.rollback()
    assert state.cursors.get("levels") == {"at": "2026-11-21 08:00:00"}


def test_calls_are_counted_by_many_threads_and_added_up_per_run(state: State) -> None:
    meter = UsageMeter()

    def call() -> None:
        for status in (200, 200, 429, None):
            meter.record(Call(System.NETSUITE, "POST suiteql", status, 0.25))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.status, one.calls, one.seconds) for one in meter.snapshot()] == [
        ("200", 16, 4.0),
        ("429", 8, 2.0),
        ("none", 8, 2.0),
    ]
    state.usage.flush(meter, FLOW)
    assert meter.snapshot() == []
    call()
    state.usage.flush(meter, FLOW)
    assert state.usage.of_run("run-1", FLOW)[0] == Usage(System.NETSUITE, "POST suiteql", "200", 18, 4.5)


def test_the_database_is_pinned_to_its_two_accounts(state: State, engine: sa.Engine) -> None:
    state.pin("1234567_SB1")
    state.pin("1234567_SB1")
    assert audit_kinds(state) == ["installation.pinned"]
    with pytest.raises(BadInput) as raised:
        State(engine, "h2").pin("7654321")
    assert len(raised.value.faults) == 2
    assert all("belongs to" in fault for fault in raised.value.faults)
