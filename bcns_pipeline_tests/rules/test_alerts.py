from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.alert_text import email, event_body, lines, slack_text, title, webhook_body
from bcns_pipeline.rules.alerts import (
    Alert,
    AlertPolicy,
    Limit,
    Open,
    Sink,
    Waiting,
    alerts,
    backlog_problems,
    remember,
    unrouted,
)
from bcns_pipeline.rules.exceptions import Owner, Severity
from bcns_pipeline.rules.money import Money

START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
POLICY = AlertPolicy(group_minutes=15, repeat_hours=24)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def question(
    number: int, code: str = "ITEM_UNMAPPED", severity: Severity = "error", flow: str = "orders", **given: Any
) -> Open:
    return Open(number, flow, code, severity, f"order:{number}", at(0), **given)


def told(*told_alerts: Alert, minutes: float = 0) -> dict[str, Any]:
    return json.loads(json.dumps(remember(None, told_alerts, at(minutes))))


def test_a_hundred_records_of_one_code_are_one_message() -> None:
    asked = [question(n, message=f"Order {n}: SKU X is on no item.") for n in range(1, 101)]
    (alert,) = alerts(asked, None, at(0), POLICY)
    assert (alert.kind, alert.count, alert.new, alert.sink) == ("open", 100, 100, "slack")
    assert alert.subjects == ("order:100", "order:99", "order:98", "order:97", "order:96")
    assert alert.messages == tuple(f"Order {n}: SKU X is on no item." for n in (100, 99, 98))
    assert alert.messages[0] in slack_text(alert, RUNBOOKS)
    assert alert.messages[0] in webhook_body(alert, "abc123", RUNBOOKS)["text"]
    assert alert.owner == Owner.MERCHANDISING


def test_what_was_told_is_not_told_again() -> None:
    first = alerts([question(1)], None, at(0), POLICY)
    for minutes in (1, 16, 60):
        assert alerts([question(1)], told(*first), at(minutes), POLICY) == []


def test_news_of_a_group_waits_until_its_window_is_over() -> None:
    memory = told(*alerts([question(1)], None, at(0), POLICY))
    both = [question(1), question(2)]
    assert alerts(both, memory, at(14), POLICY) == []
    (alert,) = alerts(both, memory, at(15), POLICY)
    assert (alert.kind, alert.count, alert.new) == ("update", 2, 1)


def test_an_error_that_stays_is_told_again_the_next_day_unless_somebody_has_it() -> None:
    memory = told(*alerts([question(1)], None, at(0), POLICY))
    (alert,) = alerts([question(1)], memory, at(24 * 60), POLICY)
    assert alert.kind == "repeat"
    assert alerts([question(1, assigned=True)], memory, at(24 * 60), POLICY) == []
    mild = [question(1, "CARRIER_UNMAPPED", "warning")]
    assert alerts(mild, told(*alerts(mild, None, at(0), POLICY)), at(24 * 60), POLICY) == []


def test_the_end_is_told_once_and_only_to_those_who_heard_of_the_beginning() -> None:
    memory = told(*alerts([question(1)], None, at(0), POLICY))
    (alert,) = alerts([], memory, at(15), POLICY)
    assert (alert.kind, alert.group) == ("resolve", "orders/ITEM_UNMAPPED")
    assert alerts([], remember(memory, [alert], at(15)), at(60), POLICY) == []
    assert alerts([], None, at(60), POLICY) == []


def test_a_code_that_comes_and_goes_each_minute_rings_once_in_its_window() -> None:
    memory: dict[str, Any] | None = None
    sent = []
    for minute in range(60):
        found = alerts([question(minute + 1)] if minute % 2 == 0 else [], memory, at(minute), POLICY)
        memory = remember(memory, found, at(minute))
        sent += found
    assert len(sent) <= 4


def test_a_message_that_was_not_delivered_is_sent_again() -> None:
    policy = AlertPolicy(default=("slack", "webhook"))
    slack, webhook = alerts([question(1)], None, at(0), policy)
    assert alerts([question(1)], told(slack), at(1), policy) == [webhook]


def test_each_owner_hears_where_its_route_leads_and_each_sink_of_what_is_bad_enough() -> None:
    policy = AlertPolicy(
        routes={"merchandising": ("email", "slack"), "operations": ("events",)}, default=("webhook",)
    )
    asked = [
        question(1),
        question(2, "SKU_UNTRACKED", "warning"),
        question(3, "CARRIER_UNMAPPED", "warning"),
        question(4, "TAX_MISMATCH"),
    ]
    found = {(alert.code, alert.sink) for alert in alerts(asked, None, at(0), policy)}
    assert found == {
        ("ITEM_UNMAPPED", "email"),
        ("ITEM_UNMAPPED", "slack"),
        ("SKU_UNTRACKED", "slack"),
        ("TAX_MISMATCH", "webhook"),
    }


def test_a_code_can_be_given_to_another_owner() -> None:
    policy = AlertPolicy(owners={"ITEM_UNMAPPED": Owner.SERVICE}, routes={"service": ("email",)})
    (alert,) = alerts([question(1)], None, at(0), policy)
    assert (alert.owner, alert.sink) == (Owner.SERVICE, "email")
    assert AlertPolicy().owner("NEVER_HEARD_OF") == Owner.INTEGRATION


def test_a_group_that_gets_worse_is_news() -> None:
    mild = [question(1, "STOCK_DRIFT", "warning")]
    memory = told(*alerts(mild, None, at(0), POLICY))
    (alert,) = alerts([question(1, "STOCK_DRIFT", "error")], memory, at(15), POLICY)
    assert (alert.kind, alert.severity) == ("update", "error")


def test_amounts_are_summed_by_currency() -> None:
    asked = [question(n, amount=Money(100 * n, "USD")) for n in (1, 2)]
    asked += [question(3, amount=Money(5, "JPY")), question(4)]
    (alert,) = alerts(asked, None, at(0), POLICY)
    assert alert.amounts == (Money(5, "JPY"), Money(300, "USD"))


@pytest.mark.parametrize(
    "memory",
    [
        {},
        {"told": []},
        {"version": 9, "told": {"slack:orders/ITEM_UNMAPPED": {"at": "soon"}}},
        {"told": {"pigeon:orders/X": {"at": "2026-03-01T00:00:00+00:00", "newest_id": 1, "open": True}}},
        {"told": {"slack:orders/ITEM_UNMAPPED": None}},
    ],
)
def test_a_memory_that_cannot_be_understood_tells_once_more(memory: dict[str, Any]) -> None:
    assert [one.kind for one in alerts([question(1)], memory, at(0), POLICY)] == ["open"]


def test_a_backlog_is_an_alarm_by_count_or_by_age() -> None:
    limits = {"orders": Limit(500, 30), "customers": Limit(500, 30)}

    def asked(flow: str, count: int, minutes: int) -> list[str]:
        found = backlog_problems([Waiting(flow, count, at(-minutes))], at(0), limits)
        return [problem.sentence for problem in found.values()]

    assert asked("orders", 501, 1) == [
        "501 of orders wait, the oldest for 1 minutes; the limits are 500 and 30 minutes."
    ]
    assert len(asked("orders", 1, 31)) == 1
    assert asked("orders", 500, 30) == []
    assert asked("inventory", 9999, 9999) == []
    assert backlog_problems([Waiting("orders", 0, None)], at(0), limits) == {}


def test_an_owner_that_nobody_would_hear_of_is_named() -> None:
    assert unrouted(AlertPolicy()) == []
    assert unrouted(AlertPolicy(default=())) == sorted(owner.value for owner in Owner)
    assert unrouted(AlertPolicy(routes={"finance": ()})) == ["finance"]


def sample(kind: Any = "open") -> Alert:
    return Alert(
        "slack",
        kind,
        "orders",
        "ITEM_UNMAPPED",
        Owner.MERCHANDISING,
        "error",
        count=7,
        new=2,
        subjects=("order:1001", "order:1000"),
        amounts=(Money(11673, "USD"),),
        oldest=at(0),
        newest_id=9,
    )


RUNBOOKS = "https://docs.test/{code}.md"


def test_a_message_says_what_why_how_and_where_to_read_on() -> None:
    assert title(sample()) == "ITEM_UNMAPPED in orders: 7 open (merchandising)"
    assert title(sample("update")) == "ITEM_UNMAPPED in orders: 7 open, 2 of them new (merchandising)"
    text = slack_text(sample(), RUNBOOKS)
    assert text.startswith(":red_circle: *ITEM_UNMAPPED in orders")
    assert "order:1001, order:1000 and 5 more" in text
    assert "Amount: 116.73 USD" in text
    assert "Oldest: 2026-03-01 10:00 UTC" in text
    assert "Runbook: https://docs.test/ITEM_UNMAPPED.md" in text
    assert email(sample(), "abc123", RUNBOOKS)[0] == f"[bcns abc123] {title(sample())}"


def test_the_end_of_a_group_says_so() -> None:
    assert title(sample("resolve")) == "ITEM_UNMAPPED in orders is over"
    assert lines(sample("resolve"), RUNBOOKS) == ["Nothing of it is open any more."]


def test_a_pager_gets_one_key_from_the_first_event_to_the_last() -> None:
    opened, ended = (event_body(sample(kind), "abc123", RUNBOOKS) for kind in ("open", "resolve"))
    assert opened["dedup_key"] == ended["dedup_key"] == "bcns/abc123/orders/ITEM_UNMAPPED"
    assert (opened["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert opened["payload"]["severity"] == "error"
    assert opened["links"] == [{"href": "https://docs.test/ITEM_UNMAPPED.md", "text": "Runbook"}]
    assert "links" not in event_body(sample(), "abc123", "docs/runbooks/{code}.md")


def test_every_body_is_plain_json_without_fractions() -> None:
    body = webhook_body(sample(), "abc123", RUNBOOKS)
    assert json.loads(json.dumps(body)) == body
    assert body["amounts"] == [{"amount": "116.73", "currency": "USD"}]
    json.dumps(event_body(sample(), "abc123", RUNBOOKS))


questions = st.lists(
    st.builds(
        question,
        st.integers(1, 30),
        st.sampled_from(["ITEM_UNMAPPED", "CARRIER_UNMAPPED", "BACKLOG"]),
        st.sampled_from(["error", "warning"]),
        st.sampled_from(["orders", "fulfilment"]),
    ),
    max_size=6,
)
sinks: st.SearchStrategy[tuple[Sink, ...]] = st.sampled_from(
    [("slack",), ("slack", "events"), ("email", "webhook")]
)


@given(st.lists(st.tuples(st.integers(1, 40), questions, st.booleans()), max_size=12), sinks)
def test_every_group_is_opened_before_it_is_anything_else_and_never_rings_twice_in_its_window(
    ticks: list[tuple[int, list[Open], bool]], default: tuple[Sink, ...]
) -> None:
    """`delivered` False is a sink that is down: nothing of that tick is remembered, and nothing is lost."""
    policy = AlertPolicy(default=default, group_minutes=15)
    memory: dict[str, Any] | None = None
    last: dict[tuple[str, str], tuple[str, int]] = {}
    now = 0
    for pause, asked, delivered in ticks:
        now += pause
        found = alerts(asked, memory, at(now), policy)
        assert len({(one.sink, one.group) for one in found}) == len(found)
        if not delivered:
            continue
        memory = remember(memory, found, at(now))
        for one in found:
            before = last.get((one.sink, one.group))
            if before is None or before[0] == "resolve":
                assert one.kind == "open"
            else:
                assert one.kind != "open"
            assert before is None or now - before[1] >= 15
            last[one.sink, one.group] = (one.kind, now)
    ended = remember(memory, alerts([], memory, at(now + 20_000), policy), at(now + 20_000))
    assert alerts([], ended, at(now + 40_000), policy) == []
