"""Where each order's money stands: what is due, what was booked, and how a provider's id finds its order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.cash_models import CashDecision, MoneyRead, Recorded, RecordRead, TenderRow
from bcns_pipeline.state.order_models import OrderSeen, Posted
from bcns_pipeline.state.store import State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
TOTAL = Money(1999, "USD")
ZERO = Money(0, "USD")


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def posted(state: State, *orders: int, version: str = "v1", minute: int = 0) -> None:
    seen = [
        OrderSeen(
            one, NOW, NOW + timedelta(minutes=minute), DAY, 1, "storefront", 11, TOTAL, (), version, one
        )
        for one in orders
    ]
    state.orders.note(seen)
    state.orders.posted([Posted(one, str(5000 + one), "salesOrder", version, TOTAL, ZERO) for one in orders])


def tender(order: int, number: int, gateway_id: str = "ch_1", **more: object) -> TenderRow:
    given = {"event": "purchase", "method": "credit_card", "gateway": "stripe", "status": "ok", "test": False}
    return TenderRow(
        number,
        order,
        gateway_id=gateway_id,
        reference_id=None,
        amount=TOTAL,
        happened_at=NOW,
        **{**given, **more},
    )  # type: ignore[arg-type]


def read(order: int, version: str = "v1", *tenders: TenderRow, again: datetime | None = None) -> MoneyRead:
    return MoneyRead(order, version, f"mark-{version}", 7, TOTAL, ZERO, ZERO, tenders, again)


def unlooked(state: State, **more: object) -> list[tuple[int, bool]]:
    return [(one.order_id, one.again) for one in state.cash.unlooked(NOW, 10, **more)]  # type: ignore[arg-type]


def due(state: State, now: datetime = NOW) -> list[int]:
    return [one.order_id for one in state.cash.due(now, 10)]


def test_an_order_is_looked_at_when_it_was_posted_when_it_changed_and_when_its_time_has_come(
    state: State,
) -> None:
    state.orders.note([OrderSeen(9, NOW, NOW, DAY, 1, "storefront", 11, TOTAL, (), "v1", 9)])
    posted(state, 1, 2, 3)
    assert unlooked(state) == [(1, False), (2, False), (3, False)]
    state.cash.read([read(1), read(2), read(3, again=NOW + timedelta(hours=1))])
    assert unlooked(state) == []
    posted(state, 2, version="v2", minute=1)
    assert [(one.order_id, one.mark) for one in state.cash.unlooked(NOW, 10)] == [(2, "mark-v1")]
    assert [one.order_id for one in state.cash.unlooked(NOW + timedelta(hours=2), 10)] == [2, 3]
    state.cash.looked({2: "v2"}, {2: "mark-v2"})
    assert unlooked(state) == []
    assert unlooked(state, days=(DAY, DAY)) == [(1, True), (2, True), (3, True)]
    assert unlooked(state, days=(date(2026, 11, 20), date(2026, 11, 20))) == []


def test_what_was_read_is_due_until_it_is_decided_and_again_when_something_changes(state: State) -> None:
    posted(state, 1, 2, 3)
    state.cash.read([read(1), read(2), read(3)])
    assert due(state) == [1, 2, 3]
    state.cash.decide(
        [
            CashDecision(1, "settled"),
            CashDecision(2, "waiting", "TENDER_UNMAPPED", "No account.", NOW + timedelta(minutes=5)),
            CashDecision(3, "skipped", "SUMMARY"),
            CashDecision(4, "settled"),
        ]
    )
    assert due(state) == []
    assert due(state, NOW + timedelta(minutes=5)) == [2]
    assert state.cash.reopen([1, 2, 3, 4]) == 2
    assert due(state) == [1, 2]
    found = state.cash.many([2, 4])
    assert list(found) == [2]
    assert (found[2].captured, found[2].code, found[2].mark) == (TOTAL, "TENDER_UNMAPPED", "mark-v1")
    assert [one.order_id for one in state.cash.due(NOW, 10, days=(DAY, DAY))] == [1, 2, 3]
    assert [one.order_id for one in state.cash.of_days(DAY, after=1)] == [2, 3]


def test_what_a_living_planner_has_in_hand_is_neither_read_nor_planned_nor_reopened_by_another(
    state: State,
) -> None:
    posted(state, 1, 2, 3)
    state.cash.read([read(1), read(2), read(3)])
    with state.worker() as first, state.worker() as second:
        assert [one.order_id for one in state.cash.take_due(first, NOW, 2)] == [1, 2]
        # Left out before the limit, so that the next run gets a whole batch.
        assert [one.order_id for one in state.cash.take_due(second, NOW, 2)] == [3]
        assert due(state) == []
        assert state.cash.in_hand([1, 3, 9]) == {1, 3}
        posted(state, 1, version="v2", minute=1)
        assert unlooked(state) == []
        state.cash.decide([CashDecision(2, "settled")])
        assert state.cash.reopen([2]) == 0
        # A step that is tried again has what it had.
        assert [one.order_id for one in state.cash.take_due(first, NOW, 9)] == [1]
    assert unlooked(state) == [(1, False)]
    assert due(state) == [1, 3]
    assert state.cash.reopen([2]) == 1


def test_an_order_that_we_billed_ourselves_is_no_news_as_long_as_nothing_of_it_is_open(state: State) -> None:
    posted(state, 1, 2)
    state.cash.read([read(1), read(2)])
    deposit = Recorded("bc-h1-deposit-1-11", 1, "deposit", "6001", "USD", DAY, "created", TOTAL, 11, 1130)
    invoice = Recorded("bc-h1-invoice-1-1", 1, "invoice", "7001", "USD", DAY, "created")
    state.cash.recorded([deposit, invoice])
    state.cash.decide([CashDecision(1, "settled"), CashDecision(2, "settled")])
    for left, unpaid, reopened in ((TOTAL, ZERO, 2), (ZERO, TOTAL, 2), (ZERO, ZERO, 1)):
        state.cash.read_back(
            [
                RecordRead("bc-h1-deposit-1-11", TOTAL, left, 1130),
                RecordRead("bc-h1-invoice-1-1", TOTAL, unpaid),
            ]
        )
        assert state.cash.reopen([1, 2], billed=[1, 2]) == reopened
        state.cash.decide([CashDecision(1, "settled"), CashDecision(2, "settled")])
    # In part on invoices, or waiting for somebody: then it is.
    assert state.cash.reopen([1]) == 1
    state.cash.decide(
        [CashDecision(1, "waiting", "TENDER_UNMAPPED", "No account.", NOW + timedelta(hours=1))]
    )
    assert state.cash.reopen([1], billed=[1]) == 1


def test_a_providers_id_finds_its_transaction_and_a_capture_its_receipt(state: State) -> None:
    posted(state, 1, 2)
    square = tender(2, 21, "sq_a|sq_b", gateway="squarev2")
    state.cash.read([read(1, "v1", tender(1, 11, "ch_1"), tender(1, 12, "")), read(2, "v1", square)])
    found = state.cash.by_gateway_ids(["ch_1", "sq_b", "sq_a|sq_b", "pi_9", ""])
    assert {name: [one.transaction_id for one in some] for name, some in found.items()} == {
        "ch_1": [11],
        "sq_b": [21],
        "sq_a|sq_b": [21],
    }
    # Read once more: what the provider calls it came later.
    state.cash.read([read(1, "v2", tender(1, 12, "ch_2", status="error"))])
    assert [(one.transaction_id, one.gateway_id, one.status) for one in state.cash.tenders([1])[1]] == [
        (11, "ch_1", "ok"),
        (12, "ch_2", "error"),
    ]

    key = "bc-h1-deposit-1-11"
    deposit = Recorded(key, 1, "deposit", "6001", "USD", DAY, "created", TOTAL, 11, 1130)
    application = Recorded(
        "bc-h1-apply-1-11-7001", 1, "application", "6002", "USD", DAY, "created", TOTAL, 11, invoice_id=7001
    )
    state.cash.recorded([deposit, application])
    assert {one: row.natural_key for one, row in state.cash.postings([11, 12]).items()} == {11: key}
    assert state.cash.doubled() == []
    state.cash.recorded(
        [Recorded("bc-h1-deposit-2-21", 2, "deposit", "6001", "USD", DAY, "found", TOTAL, 21)]
    )
    assert state.cash.doubled() == ["6001"]
    assert isinstance(state.verify_audit(), Verified)


def test_what_was_written_is_read_back_once_and_again_when_a_write_of_ours_changed_it(state: State) -> None:
    posted(state, 1)
    key = "bc-h1-deposit-1-11"
    invoice = Recorded("bc-h1-invoice-1-1", 1, "invoice", "7001", "USD", DAY, "created")
    state.cash.recorded(
        [Recorded(key, 1, "deposit", "6001", "USD", DAY, "created", TOTAL, 11, 1130), invoice]
    )
    assert [one.natural_key for one in state.cash.unread()] == [key, "bc-h1-invoice-1-1"]
    state.cash.read_back([RecordRead(key, TOTAL, TOTAL, 1130), RecordRead("bc-h1-invoice-1-1", TOTAL, ZERO)])
    assert state.cash.unread() == []
    state.cash.stale([key])
    assert len(state.cash.unread()) == 2
    (found,) = [one for one in state.cash.records([1])[1] if one.kind == "deposit"]
    assert (found.read, found.read_open, found.read_account) == (TOTAL, TOTAL, 1130)
    assert state.cash.unread(after=1) == []
