"""Where each refund stands: which version counts, when it is posted, and that its records are written once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.refund_models import (
    RefundDecision,
    RefundPlanned,
    RefundRead,
    RefundRecordRow,
    RefundSeen,
)
from bcns_pipeline.state.store import State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
TOTAL, TAX = Money(13065, "USD"), Money(1065, "USD")
KEYS = ("bc-h1-refund-7", "bc-h1-refundpay-7-1")


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def seen(refund: int = 7, version: str = "v1") -> RefundSeen:
    return RefundSeen(refund, 1001, NOW, DAY, TOTAL, TAX, TOTAL, version, refund * 10)


def record(key: str, n: int, *references: str) -> RefundRecordRow:
    return RefundRecordRow(
        key, 7, 1001, n, "creditMemo", f"ns-{n}", TOTAL, DAY, 113, "gateway", "stripe", references
    )


def test_a_refund_that_did_not_change_stays_as_it_is_and_a_new_version_opens_it_again(state: State) -> None:
    assert state.refunds.note([seen()]) == [7]
    state.refunds.decide(
        [RefundDecision(7, "waiting", "REFUND_BEFORE_ORDER", "Its order is not there.", NOW)]
    )
    assert state.refunds.note([seen()]) == []
    assert [one.refund_id for one in state.refunds.find(disposition="waiting", due_before=NOW)] == [7]
    assert state.refunds.note([seen(version="v2")]) == [7]
    assert state.refunds.many([7])[7].disposition == "open"


def test_it_is_posted_only_once_all_of_its_records_are_there(state: State) -> None:
    state.refunds.note([seen()])
    state.refunds.planned([RefundPlanned(7, "credit_memo", KEYS)])
    assert state.refunds.record([record(KEYS[0], 0)]) == 1
    assert state.refunds.finish([7]) == []
    assert state.refunds.record([record(KEYS[0], 0), record(KEYS[1], 1, "re_1")]) == 1
    assert state.refunds.finish([7]) == [7]
    assert [one.refund_id for one in state.refunds.unread()] == [7]

    state.refunds.read_back([RefundRead(7, TOTAL, Money(0, "USD"))])

    assert state.refunds.unread() == []
    found = state.refunds.many([7])[7]
    assert (found.disposition, found.read_total, found.open) == ("posted", TOTAL, Money(0, "USD"))
    assert [one.natural_key for one in state.refunds.by_provider(["re_1", "re_2"])] == [KEYS[1]]
    assert [one.n for one in state.refunds.records([7])[7]] == [0, 1]
    (count,) = state.refunds.counts(DAY)
    assert (count.refunds, count.total, count.read) == (1, TOTAL, TOTAL)
    assert isinstance(state.verify_audit(), Verified)


def test_another_store_s_refunds_are_not_seen(engine: sa.Engine, state: State) -> None:
    state.refunds.note([seen()])
    other = State(engine, "h2", run_id="run-1")
    assert other.refunds.of_orders([1001]) == {1001: []}
    assert [one.refund_id for one in state.refunds.of_orders([1001])[1001]] == [7]
