"""status, exceptions and approve: what a person on call reads and decides.

Put here what is shown of what waits, and what becomes of a decision.
"""

from __future__ import annotations

import sqlalchemy as sa

from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.order_models import Decision
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.cli.orders_seed import see, wait
from bcns_pipeline_tests.state.stock_frames import changes, stage, write_plan


def ask(state: State, code: str = "INVENTORY_BREAKER", subject: str = "flow:inventory", **more: str) -> int:
    """Open a question; returns its number."""
    state.exceptions.open("inventory", Question(code, subject, f"{subject} has a question", **more))  # type: ignore[arg-type]
    return state.exceptions.find(code=code, subject=subject)[0].id


def test_an_idle_store_has_nothing_stuck(bcns: Bcns, state: State) -> None:
    result = bcns("status")

    assert result.exit_code == 0
    assert "Nothing is stuck." in result.output
    assert "No flow has run yet." in result.output


def test_status_shows_runs_waiting_operations_and_open_questions_by_owner(
    bcns: Bcns, state: State, engine: sa.Engine
) -> None:
    stage(state, [1, 2], [5, 6])
    for number in range(5):
        ask(state, "SKU_AMBIGUOUS", f"sku:S-{number}", owner="merchandising")
    with engine.begin() as conn:
        conn.execute(sa.text("update bcns.operation set staged_at = now() - interval '1 hour'"))
    result = bcns("status")

    assert result.exit_code == 1
    for text in (
        "applied",
        "planned",
        "SKU_AMBIGUOUS",
        "merchandising",
        "sku:S-0, sku:S-1, sku:S-2 and 2 more",
        "60 min",
    ):
        assert text in result.output, text
    assert "1 operations wait for more than 5 minutes" in result.output


def test_a_plan_on_its_way_is_not_called_failed(bcns: Bcns, state: State, engine: sa.Engine) -> None:
    write_plan(state, changes([1], [5], read_seq=state.inventory.draw_read_seq()))
    assert "not applied yet" in bcns("status").output
    with engine.begin() as conn:
        conn.execute(sa.text("update bcns.plan set created_at = now() - interval '1 hour'"))
    assert "not applied: pushing was paused, or it failed" in bcns("status").output


def test_orders_are_listed_by_where_they_stand(bcns: Bcns, state: State) -> None:
    see(state, 1001, status=7)
    state.orders.decide([Decision(1001, "held", "STATUS", "Its status is Awaiting Payment.")])
    wait(state, 1002)
    held = bcns("orders", "--state", "held", "--code", "STATUS")
    everything, nothing = bcns("orders"), bcns("orders", "--day", "2026-11-19")

    for text in ("1001", "Awaiting Payment", "STATUS", "116.73 USD", "1 orders; charged: 116.73 USD."):
        assert text in held.output, text
    assert "1002" not in held.output
    assert "2 orders; charged: 233.46 USD." in everything.output
    assert "No order stands so." in nothing.output
    refused = bcns("orders", "--state", "lost", "--day", "yesterday")
    assert (refused.exit_code, refused.stderr.count("There is no"), refused.stderr.count("no day")) == (
        2,
        1,
        1,
    )


def test_a_warning_alone_leaves_the_code_at_0(bcns: Bcns, state: State) -> None:
    ask(state, "STOCK_DRIFT", severity="warning")
    result = bcns("status")

    assert result.exit_code == 0
    assert "STOCK_DRIFT" in result.output


def test_exceptions_show_owner_cause_and_fix(bcns: Bcns, state: State) -> None:
    number = ask(state, "SKU_AMBIGUOUS", "sku:[bold]RE-130[/bold]", owner="merchandising")
    result = bcns("exceptions")

    assert str(number) in result.output
    assert "sku:[bold]RE-130[/bold]" in result.output
    assert "SKU_AMBIGUOUS: A SKU is blank" in result.output
    assert "fix: " in result.output
    assert "No open exception of code STOCK_REFUSED." in bcns("exceptions", "--code", "stock_refused").output


def test_approve_writes_who_why_and_when_into_the_chain(bcns: Bcns, state: State, engine: sa.Engine) -> None:
    number = ask(state)
    result = bcns("approve", str(number), "--reason", "a new season, all prices of stock move")

    assert result.exit_code == 0
    assert "approved by ada" in result.output
    closed = state.exceptions.find(open_only=False)[0]
    assert (closed.resolution, closed.resolved_by) == ("approved", "ada")
    assert closed.resolution_reason == "a new season, all prices of stock move"
    with engine.connect() as conn:
        kind, actor = conn.execute(
            sa.text("select kind, actor from bcns.audit order by seq desc limit 1")
        ).one()
    assert (kind, actor) == ("exception.resolved", "ada")
    assert "approved by ada" in bcns("exceptions", "--all").output


def test_a_dismissed_question_is_closed_without_allowing_anything(bcns: Bcns, state: State) -> None:
    number = ask(state)

    assert bcns("approve", str(number), "--reason", "a test", "--dismiss").exit_code == 0
    assert state.exceptions.find(open_only=False)[0].resolution == "dismissed"


def test_an_unknown_or_closed_number_is_refused_with_a_sentence(bcns: Bcns, state: State) -> None:
    number = ask(state)
    bcns("approve", str(number), "--reason", "first")
    again, unknown = (
        bcns("approve", str(number), "--reason", "second"),
        bcns("approve", "999", "--reason", "x"),
    )

    assert again.exit_code == 2
    assert "is closed already: approved by ada" in again.output
    assert unknown.exit_code == 2
    assert "There is no exception 999" in unknown.output


def test_a_decision_needs_a_reason(bcns: Bcns, state: State) -> None:
    number = ask(state)

    assert bcns("approve", str(number), "--reason", "  ").exit_code == 2
    assert bcns("approve", str(number)).exit_code == 2
    assert state.exceptions.find()[0].id == number
