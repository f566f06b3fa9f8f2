"""`bcns exceptions`: found, shown, taken, closed, and tried again at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.order_models import Decision
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.cli.orders_seed import TOTAL, see, wait


def ask(state: State, order_id: int, code: str = "ITEM_UNMAPPED", flow: str = "orders") -> int:
    """Open a question about an order; returns its number."""
    question = Question(
        code,
        f"order:{order_id}",
        f"Order {order_id}: the SKU X-1 is on no NetSuite item.",
        owner="merchandising",
        amount_minor=TOTAL.minor,
        currency="USD",
        detail={"fact": "sku:X-1", "item": 123456},
    )
    state.exceptions.open(flow, question)
    return state.exceptions.find(code=code, subject=f"order:{order_id}")[0].id


def test_the_list_is_cut_by_owner_flow_and_age(bcns: Bcns, state: State, engine: sa.Engine) -> None:
    ask(state, 1001)
    ask(state, 1002, "TAX_MISMATCH", "intake")
    with engine.begin() as conn:
        conn.execute(
            sa.text(
                "update bcns.exception set opened_at = now() - interval '5 hours' where code like 'ITEM%'"
            )
        )

    assert "order:1002" not in bcns("exceptions", "list", "--flow", "orders").output
    assert "No open exception" in bcns("exceptions", "list", "--owner", "finance").output
    old = bcns("exceptions", "list", "--age", "4h").output
    assert "order:1001" in old
    assert "order:1002" not in old
    assert "no age" in bcns("exceptions", "list", "--age", "long").output


def test_the_list_as_json_has_the_money_and_the_runbook(bcns: Bcns, state: State) -> None:
    ask(state, 1001)

    (found,) = json.loads(bcns("exceptions", "list", "--format", "json").output)

    assert (found["amount"], found["currency"]) == ("116.73", "USD")
    assert found["runbook"] == "docs/runbooks/ITEM_UNMAPPED.md"
    within = datetime.fromisoformat(found["answer_by"]) - datetime.fromisoformat(found["opened_at"])
    assert within == timedelta(hours=8)
    assert bcns("exceptions", "list", "--format", "xml").exit_code == 2


def test_one_exception_is_shown_with_cause_fix_runbook_and_history(bcns: Bcns, state: State) -> None:
    number = ask(state, 1001)
    bcns("exceptions", "assign", str(number), "grace")
    bcns("exceptions", "resolve", str(number), "--reason", "the SKU was a typo")
    shown = bcns("exceptions", "show", str(number)).output

    for text in (
        "ITEM_UNMAPPED about order:1001",
        "116.73 USD",
        "merchandising (grace)",
        "A line's SKU is on no NetSuite item",
        "Give one NetSuite item that SKU",
        "docs/runbooks/ITEM_UNMAPPED.md",
        "assigned by ada: to grace",
        "resolved by ada: resolution dismissed, reason the SKU was a typo",
        "bcns explain order 1001",
        # An id is no amount: it has no thousands.
        "123456",
    ):
        assert text in shown, text


def test_an_assignee_finds_what_is_theirs(bcns: Bcns, state: State) -> None:
    number = ask(state, 1001)
    bcns("exceptions", "assign", str(number), "grace")

    assert "order:1001" in bcns("exceptions", "list", "--owner", "grace").output


def test_a_retry_makes_the_order_due_at_once(bcns: Bcns, state: State) -> None:
    wait(state, 1001)
    number = ask(state, 1001)
    result = bcns("exceptions", "retry", str(number))

    assert result.exit_code == 0
    assert "order 1001: tried again at once" in result.output
    due = state.orders.find(due_before=datetime.now(UTC) + timedelta(seconds=1))
    assert [one.order_id for one in due] == [1001]
    assert state.inbox.open_ids("order") == ["1001"]
    assert state.exceptions.find()[0].retry_requested_at is not None


def test_a_retry_decides_a_held_order_anew(bcns: Bcns, state: State) -> None:
    see(state, 1001)
    state.orders.decide([Decision(1001, "held", "STATUS", "Its status is Pending.")])
    number = ask(state, 1001, "MISSING_ORDER", "intake")

    assert "decided anew" in bcns("exceptions", "retry", str(number)).output
    found = state.orders.get(1001)
    assert found is not None
    assert found.disposition == "open"


def test_whoever_dismisses_is_told_what_that_means(bcns: Bcns, state: State) -> None:
    for code, said in (("ORDER_TOTAL_LEFT", "NetSuite's total stands"), ("BANK_DIFF", "It is asked again")):
        state.exceptions.open("orders", Question(code, "order:7", "a sentence"))
        (asked,) = state.exceptions.find(code=code)
        done = bcns("exceptions", "resolve", str(asked.id), "--reason", "agreed with the shopper")
        assert done.exit_code == 0, done.output
        assert said in " ".join(done.output.split())


def test_nothing_is_decided_about_what_is_closed_or_unknown(bcns: Bcns, state: State) -> None:
    number = ask(state, 1001)
    bcns("exceptions", "resolve", str(number), "--reason", "done")

    for command in (("assign", str(number), "grace"), ("retry", str(number))):
        refused = bcns("exceptions", *command)
        assert refused.exit_code == 2
        assert "is closed already: dismissed by ada" in refused.output
    assert "There is no exception 999" in bcns("exceptions", "retry", "999").output
    assert bcns("exceptions", "show", "999").exit_code == 2
    assert bcns("exceptions", "resolve", str(number), "--reason", " ").exit_code == 2


def test_duplicates_stand_in_the_report_until_a_merge_answers(bcns: Bcns, state: State) -> None:
    assert bcns("duplicates").exit_code == 0
    groups = [["email", 110, 112], ["name_and_phone", 7, 8, 9]]
    for found in (groups[:1], groups):
        state.plans.create(
            "customers",
            mode="apply",
            as_of=datetime.now(UTC),
            config_digest="",
            summary={"duplicate_groups": found},
        )

    told = bcns("duplicates")

    assert told.exit_code == 1
    assert told.output.count("110") == 1
    assert "8, 9" in told.output
    bcns("merge", "112", "110", "--reason", "one person")
    bcns("merge", "8", "7", "--reason", "one person")
    left = bcns("duplicates").output
    assert "110" not in left
    assert "8, 9" not in left
    assert bcns("duplicates", "--days", "0").exit_code == 2


def test_a_merge_is_obeyed_from_then_on_and_what_waited_for_it_is_due(bcns: Bcns, state: State) -> None:
    wait(state, 1001)
    number = ask(state, 1001, "CUSTOMER_AMBIGUOUS")
    state.links.put("customer", [Link("110", "9")])

    said = bcns("merge", "110", "112", "--reason", "one person").output

    assert "customer 110 is 112 from now on, said ada: one person" in said
    assert "order 1001: tried again at once" in said
    found = state.links.find("customer", "9")
    assert found is not None
    assert found.netsuite_id == "112"
    assert [one.id for one in state.exceptions.find() if one.retry_requested_at] == [number]
    assert "is 112 already" in bcns("merge", "110", "112", "--reason", "again").output
    assert "one person" in bcns("merge").output
    for words in (("112", "110"), ("110", "110"), ("110",), ("110", "115")):
        refused = bcns("merge", *words, *(() if words == ("110", "115") else ("--reason", "why not")))
        assert refused.exit_code == 2, words
