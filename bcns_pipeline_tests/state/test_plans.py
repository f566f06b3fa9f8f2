"""Lines of plans: sealed, proven, staged once and in order; approvals need a second person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.audit_verify import Broken, Verified
from bcns_pipeline.state.operations import Intent, Move, Operation, Overtaken, SelfApproval
from bcns_pipeline.state.plan_lines import Action, PlanLine
from bcns_pipeline.state.plans import Mode, Plan
from bcns_pipeline.state.store import State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FLOW, KIND = "orders", "sales_order"


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1", data_key=b"k" * 32)


def line(
    number: int, action: Action = "create", group: str | None = None, amount: Money | None = None, **body: Any
) -> PlanLine:
    return PlanLine(
        action,
        KIND,
        f"bc-h1-order-{number}",
        {"order_id": number, "body": {"shipTo": "Ann Featherstone", **body}},
        "not there yet",
        f"order:{number}",
        group_key=group,
        subject="s" * 64,
        amount=amount or Money(11673, "USD"),
    )


def written(state: State, *lines: PlanLine, mode: Mode = "apply") -> Plan:
    made = state.plans.create(FLOW, mode=mode, as_of=NOW, config_digest="c", summary={"orders": len(lines)})
    return state.plans.write_lines(made, lines)


def keys(operations: tuple[Operation, ...]) -> list[str]:
    return [op.natural_key for op in operations]


def test_lines_come_back_in_order_with_their_decimals_digit_by_digit(state: State) -> None:
    total = Decimal("116.730")
    given = [line(2, total=total, rate=Decimal("0.00000001"), big=Decimal("1E+3")), line(1)]
    made = written(state, *given)
    first, second = state.plans.lines(made)
    assert (first.label, second.label, first.amount) == ("order:2", "order:1", Money(11673, "USD"))
    body = first.payload["body"]
    assert (str(body["total"]), str(body["rate"]), body["big"]) == ("116.730", "1E-8", 1000)
    assert made.lines == 2


def test_a_summary_counts_actions_and_adds_up_the_money_of_each_currency(state: State) -> None:
    made = written(
        state, line(1), line(2, "patch", amount=Money(-500, "USD")), line(3, "adopt", amount=Money(7, "JPY"))
    )
    assert made.summary == {
        "orders": 3,
        "actions": {"adopt": 1, "create": 1, "patch": 1},
        "amounts": {"JPY": "7", "USD": "111.73"},
    }


def test_equal_plans_have_equal_digests_which_are_keyed(state: State, engine: sa.Engine) -> None:
    one, two = written(state, line(1), line(2)), written(state, line(1), line(2))
    assert one.digest == two.digest
    assert written(state, line(1), line(2, total=Decimal("1.00"))).digest != one.digest
    assert written(state, line(2), line(1)).digest != one.digest
    other = State(engine, "h2", data_key=b"x" * 32)
    assert written(other, line(1), line(2)).digest != one.digest


def test_nothing_personal_is_in_clear(state: State) -> None:
    state.plans.stage(written(state, line(1)))
    with state.engine.connect() as conn:
        for table in ("plan", "plan_line", "operation", "audit"):
            for row in conn.execute(sa.text(f"select t::text from bcns.{table} t")).scalars():
                assert "Featherstone" not in row
    assert "Featherstone" not in repr(state.plans.lines(written(state, line(2))))


def test_only_lines_that_write_are_staged_with_group_and_money_and_only_once(state: State) -> None:
    made = written(
        state,
        line(1, group="g"),
        line(2, "patch", group="g"),
        line(3, "adopt"),
        line(4, "link"),
        line(5, "close"),
    )
    staged = state.plans.stage(made)
    assert keys(staged.operations) == ["bc-h1-order-1", "bc-h1-order-2", "bc-h1-order-5"]
    first = staged.operations[0]
    assert (first.group_key, first.amount_minor, first.currency) == ("g", 11673, "USD")
    assert state.outbox.payload(first) == state.plans.lines(made)[0].payload
    again = state.plans.stage(made)
    assert (again.first_time, again.operations) == (False, ())
    fates = {one.label: one.fate for one in state.plans.lines(made)}
    assert fates["order:1"] == "planned"
    assert fates["order:3"] is None
    assert isinstance(state.verify_audit(), Verified)


def test_a_plan_that_is_only_looked_at_is_never_staged(state: State) -> None:
    assert not state.plans.stage(written(state, line(1), mode="plan")).first_time
    assert state.outbox.find() == []


def test_lines_above_the_limit_are_held_with_their_reason(state: State) -> None:
    made = written(state, line(1), line(2, amount=Money(2_000_000, "USD")), line(3))

    def limit(one: PlanLine) -> str | None:
        assert one.amount is not None
        return "above 10000.00 USD" if one.amount.minor > 1_000_000 else None

    staged = state.plans.stage(made, held=limit)
    assert (keys(staged.operations), keys(staged.held)) == (
        ["bc-h1-order-1", "bc-h1-order-3"],
        ["bc-h1-order-2"],
    )
    assert staged.held[0].reason == "above 10000.00 USD"
    assert [one.fate for one in state.plans.lines(made)] == ["planned", "held", "planned"]
    named = state.plans.stage(written(state, line(4)), held={"bc-h1-order-4": "asked for"})
    assert keys(named.held) == ["bc-h1-order-4"]


def test_a_line_whose_record_is_on_its_way_already_is_left_out(state: State) -> None:
    state.plans.stage(written(state, line(1)))
    made = written(state, line(1), line(2))
    staged = state.plans.stage(made)
    assert (keys(staged.operations), staged.left_out) == (["bc-h1-order-2"], ("bc-h1-order-1",))
    assert [one.fate for one in state.plans.lines(made)] == ["left_out", "planned"]


def test_nothing_is_staged_when_the_callers_transaction_fails(state: State) -> None:
    made = written(state, line(1))
    with state.engine.connect() as conn, conn.begin() as transaction:
        state.plans.stage(made, conn=conn)
        transaction.rollback()
    assert state.outbox.find() == []
    assert state.plans.stage(made).first_time


@pytest.mark.parametrize("change", ["amount_minor = 1", "payload = '{}'", "natural_key = 'x'", "reason = ''"])
def test_a_changed_line_breaks_the_row_that_proved_it(state: State, change: str) -> None:
    written(state, line(1), line(2))
    with state.engine.begin() as conn:
        conn.exec_driver_sql(f"update bcns.plan_line set {change} where line = 1")
    found = state.verify_audit()
    assert isinstance(found, Broken)
    assert "digest" in found.why


def test_an_erased_shoppers_line_stays_without_its_content(state: State) -> None:
    made = written(state, line(1), replace(line(2), subject=None))
    state.vault.erase("s" * 64, "asked", actor="ann")
    first, second = state.plans.lines(made)
    assert (first.payload, first.label, second.payload["order_id"]) == ({}, "order:1", 2)
    assert isinstance(state.verify_audit(), Verified)


def test_a_thousand_lines_are_staged_in_the_order_of_the_plan(state: State) -> None:
    made = written(state, *(line(n, group=f"g{n % 10}") for n in range(1_000)))
    staged = state.plans.stage(made)
    assert keys(staged.operations) == [f"bc-h1-order-{n}" for n in range(1_000)]
    assert [one.operation_id for one in state.plans.lines(made)] == [op.id for op in staged.operations]
    groups = state.outbox.groups(FLOW)
    assert [(one.key, one.operations) for one in groups] == [(f"g{n}", 100) for n in range(10)]


def test_whoever_staged_by_hand_does_not_approve(state: State) -> None:
    staged = state.plans.stage(written(state, line(1)), held={"bc-h1-order-1": "big"}, staged_by="ann")
    (op,) = staged.held
    with pytest.raises(SelfApproval, match="ann"):
        state.outbox.approve(op, "fine", actor="ann")
    approved = state.outbox.approve(op, "looked at it", actor="bob")
    assert approved.state == "planned"
    row = state.audit.rows(subject=f"operation:{op.id}")[-1]
    assert (row.kind, row.actor) == ("operation.approved", "bob")
    assert state.audit.rows(subject=f"operation:{op.id}")[0].actor == "ann"
    with pytest.raises(Overtaken):
        state.outbox.approve(op, "again", actor="bob")


def test_what_may_have_been_sent_can_not_be_cancelled(state: State) -> None:
    one, two = state.outbox.stage(FLOW, [Intent(KIND, "a", {}), Intent(KIND, "b", {})])
    with state.worker() as worker:
        (sending,) = state.outbox.claim(worker, FLOW, [KIND], ids=[one.id])
        with pytest.raises(Overtaken):
            state.outbox.cancel(sending, "not wanted", actor="ann")
    assert state.outbox.cancel(two, "not wanted", actor="ann").state == "failed"


def test_many_moves_leave_out_what_somebody_else_has_moved(state: State) -> None:
    state.outbox.stage(FLOW, [Intent(KIND, key, {}) for key in "abc"])
    with state.worker() as worker:
        one, two, three = state.outbox.claim(worker, FLOW, [KIND], 3)
        state.outbox.doubt(two, "timed out")
        moved = state.outbox.move_many(
            [
                Move(one, "confirmed", answer={"id": "1"}),
                Move(two, "confirmed"),
                Move(three, "failed", "refused"),
            ]
        )
    assert [(op.natural_key, op.state, op.reason) for op in moved] == [
        ("a", "confirmed", None),
        ("c", "failed", "refused"),
    ]
    assert moved[0].settled_at is not None
    kinds = [row.kind for row in state.audit.rows(subject=f"operation:{one.id}")]
    assert kinds == ["operation.planned", "operation.sending", "operation.confirmed"]
    with pytest.raises(ValueError, match="does not go"):
        state.outbox.move_many([Move(moved[0], "planned")])


def test_a_payload_in_clear_keeps_its_digits_too(state: State) -> None:
    (op,) = state.outbox.stage(FLOW, [Intent(KIND, "a", {"rate": Decimal("19.9900")})])
    assert str(op.payload["rate"]) == "19.9900"
    assert str(state.outbox.find(ids=[op.id])[0].payload["rate"]) == "19.9900"
    assert isinstance(state.verify_audit(), Verified)
