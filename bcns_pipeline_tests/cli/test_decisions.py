"""Held writes: listed with their money, approved by somebody else, or given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.cli.orders_seed import hold, see, wait


def stands(state: State, order_id: int) -> tuple[str, str | None]:
    found = state.orders.get(order_id)
    assert found is not None
    return found.disposition, found.code


def test_held_writes_are_listed_with_their_money_summed(bcns: Bcns, state: State) -> None:
    hold(state, 1001)
    hold(state, 1002)
    shown = bcns("operations", "--state", "held").output

    assert f"bc-{state.store}-order-1001" in shown
    assert "233.46 USD in all" in shown
    assert "No such operation." in bcns("operations", "--state", "planned").output
    assert "There is no state 'hold'" in bcns("operations", "--state", "hold").output


def test_an_approved_write_is_planned_and_its_order_with_it(bcns: Bcns, state: State) -> None:
    operation = hold(state, 1001)
    result = bcns("approve", "operation", str(operation.id), "--reason", "a known wholesaler")

    assert result.exit_code == 0, result.output
    assert "116.73 USD" in result.output
    assert [one.state for one in state.outbox.find()] == ["planned"]
    assert stands(state, 1001) == ("planned", None)
    last = state.audit.rows(subject=f"operation:{operation.id}")[-1]
    assert (last.kind, last.actor) == ("operation.approved", "ada")


def test_whoever_staged_a_write_by_hand_can_not_approve_it(
    bcns: Bcns, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = hold(state, 1001, staged_by="ada")
    refused = bcns("approve", "operation", str(operation.id), "--reason", "it is fine")

    assert refused.exit_code == 2
    assert "somebody else has to approve it" in refused.output
    assert stands(state, 1001) == ("held", "MATERIALITY")
    monkeypatch.setenv("BCNS_ACTOR", "grace")
    assert bcns("approve", "operation", str(operation.id), "--reason", "it is fine").exit_code == 0


def test_a_plan_is_approved_as_a_whole_or_not_at_all(bcns: Bcns, state: State) -> None:
    plan = state.plans.create("orders", mode="apply", as_of=datetime.now(UTC), config_digest="c")
    hold(state, 1001, plan=plan.id)
    hold(state, 1002, plan=plan.id, staged_by="ada")

    assert bcns("approve", "operation", "--plan", str(plan.id), "--reason", "all of it").exit_code == 2
    assert [one.state for one in state.outbox.find()] == ["held", "held"]
    assert "holds no operation" in bcns("approve", "operation", "--plan", "999", "--reason", "x").output


def test_a_write_that_is_given_up_leaves_its_order_held_with_the_reason(bcns: Bcns, state: State) -> None:
    operation = hold(state, 1001)

    given_up = bcns("approve", "operation", str(operation.id), "--reason", "a fraud", "--dismiss")

    assert given_up.exit_code == 0
    assert state.outbox.find() == []
    assert stands(state, 1001) == ("held", "NOT_APPROVED")
    again = bcns("approve", "operation", str(operation.id), "--reason", "after all")
    assert "is failed and waits for no approval" in again.output


def test_an_unknown_operation_or_word_is_refused(bcns: Bcns, state: State) -> None:
    assert "There is no operation 999" in bcns("approve", "operation", "999", "--reason", "x").output
    assert bcns("approve", "operation", "--reason", "x").exit_code == 2
    assert bcns("approve", "everything", "--reason", "x").exit_code == 2


def test_status_names_held_writes_backlogs_and_the_money_that_waits(
    bcns: Bcns, state: State, engine: sa.Engine
) -> None:
    hold(state, 1001)
    wait(state, 1002)
    then = datetime.now(UTC) - timedelta(hours=1)
    state.inbox.record([Event("order", "1003", "webhook", then)])
    see(state, 1004)
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "update bcns.order_state set read_at = read_at - interval '1 hour' where order_id = 1004"
        )
    result = bcns("status")

    assert result.exit_code == 1
    for text in (
        "1 operations are held until somebody decides",
        "1 events about orders wait, the oldest for 60 min",
        "1 orders were read and are not decided, or are due again, the oldest for 60 min",
        "ITEM_UNMAPPED",
        "MATERIALITY",
        "116.73 USD",
    ):
        assert text in result.output, text
