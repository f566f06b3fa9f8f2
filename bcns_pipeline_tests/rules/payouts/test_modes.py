"""Whose booking a line takes out again: clearing, summary, before the cutover, and what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bcns_pipeline.rules.payouts.books import Booked, Books, OrderFacts, Split
from bcns_pipeline.rules.payouts.modes import refuses_documents
from bcns_pipeline.rules.payouts.plan import PayoutPlan
from bcns_pipeline_tests.rules.payouts.examples import POLICY, line, payout, planned, rows

SUMMARY = replace(POLICY, summary_channels=frozenset({3}))
CUTOVER = datetime(2026, 3, 1, tzinfo=UTC)
CHARGE = line(
    "a", "charge", 10665, 339, order_id=7, transaction_id=70, occurred_at=CUTOVER + timedelta(hours=1)
)
BOOKED = {"a": Booked("bc-h-deposit-7-70", 1133)}


def told(plan: PayoutPlan) -> dict[str, tuple[str, ...]]:
    return {one.code: one.members for one in plan.findings}


def test_a_capture_that_is_posted_is_taken_out_of_the_account_it_was_posted_to() -> None:
    plan = planned(payout([CHARGE]), Books(orders={7: OrderFacts(7, 1)}, booked=BOOKED))
    assert rows(plan.entries[0]) == [(1010, 10326, 0), (1133, 0, 10665), (6110, 339, 0)]
    assert plan.findings == ()


def test_a_payout_waits_for_captures_and_refunds_that_are_not_posted() -> None:
    refund = line("b", "refund", -500, order_id=7, transaction_id=71)
    plan = planned(payout([CHARGE, refund]), Books(orders={7: OrderFacts(7, 1)}))
    assert told(plan) == {"CAPTURE_NOT_POSTED": ("a", "b")}
    assert not plan.postable
    assert "a of order 7" in plan.findings[0].message


def test_a_refund_that_only_the_provider_knows_and_a_line_of_nobody_are_posted_and_told() -> None:
    refund = line("b", "refund", -500, order_id=7)
    plan = planned(payout([refund, line("c", "charge", 100)]))
    assert told(plan) == {"PAYOUT_LINE_UNMATCHED": ("c",), "PSP_REFUND_WITHOUT_BC": ("b",)}
    assert plan.postable
    waits = planned(payout([line("c", "charge", 100)]), policy=replace(POLICY, unmatched_waits=True))
    assert not waits.postable


def test_a_charge_that_failed_after_all_is_posted_and_its_order_named() -> None:
    plan = planned(payout([line("a", "charge_failure", -500, order_id=7, transaction_id=70)]))
    assert told(plan) == {"CAPTURE_FAILED": ("a",)}
    assert plan.postable


def test_what_is_older_than_the_cutover_goes_to_its_own_account_unless_it_was_opened() -> None:
    old = replace(CHARGE, occurred_at=CUTOVER - timedelta(seconds=1))
    plan = planned(payout([old]), Books(cutover=CUTOVER))
    assert rows(plan.entries[0])[1] == (6110, 339, 0)
    assert (2900, 0, 10665) in rows(plan.entries[0])
    assert plan.findings == ()
    opened = planned(payout([old]), Books(cutover=CUTOVER, opened=frozenset({"a"})))
    assert (1130, 0, 10665) in rows(opened.entries[0])
    assert opened.findings == ()
    by_order = planned(payout([CHARGE]), Books(cutover=CUTOVER, orders={7: OrderFacts(7, 1, old=True)}))
    assert (2900, 0, 10665) in rows(by_order.entries[0])
    # A late capture of an old order that we did post is ours.
    posted = planned(payout([old]), Books(cutover=CUTOVER, booked=BOOKED))
    assert (1133, 0, 10665) in rows(posted.entries[0])


def test_a_summary_order_posts_its_revenue_and_a_refund_gives_it_back() -> None:
    books = Books(orders={7: OrderFacts(7, 3)}, splits={"a": Split(9807, 0, 858), "b": Split(1000, 500, 100)})
    refund = line("b", "refund", -1600, order_id=7, transaction_id=71)
    plan = planned(payout([CHARGE, refund]), books, SUMMARY)
    assert plan.postable
    assert sorted(rows(plan.entries[0])) == sorted(
        [
            (1010, 8726, 0),
            (6110, 339, 0),
            (4000, 0, 9807),
            (2340, 0, 858),
            (4050, 1000, 0),
            (4010, 500, 0),
            (2340, 100, 0),
        ]
    )


def test_a_summary_order_with_documents_and_one_of_unknown_parts_wait() -> None:
    split = {"a": Split(10665)}
    twice = Books(orders={7: OrderFacts(7, 3, frozenset({"bc-h-invoice-7-1"}))}, splits=split)
    assert told(planned(payout([CHARGE]), twice, SUMMARY)) == {"DOUBLE_REVENUE": ("a",)}
    unknown = Books(orders={7: OrderFacts(7, 3)})
    assert told(planned(payout([CHARGE]), unknown, SUMMARY)) == {"SUMMARY_UNKNOWN": ("a",)}
    assert refuses_documents(3, SUMMARY)
    assert not refuses_documents(1, SUMMARY)


def test_an_order_stays_in_the_mode_that_it_began_in() -> None:
    began = OrderFacts(7, 3, summarised=True)
    plan = planned(payout([CHARGE]), Books(orders={7: began}, splits={"a": Split(10665)}))
    assert plan.postable
    assert (4000, 0, 10665) in rows(plan.entries[0])
    both = replace(began, documents=frozenset({"bc-h-invoice-7-1"}))
    again = planned(payout([CHARGE]), Books(orders={7: both}, booked=BOOKED, splits={"a": Split(10665)}))
    assert told(again) == {"DOUBLE_REVENUE": ("a",)}


def test_a_dispute_of_a_refunded_order_is_told() -> None:
    dispute = line("d", "dispute", -5000, 1500, order_id=7)
    plan = planned(payout([dispute]), Books(orders={7: OrderFacts(7, 1, refunded=5000)}))
    assert told(plan) == {"DISPUTE_AFTER_REFUND": ("d",)}
    assert plan.postable
    assert told(planned(payout([dispute]), Books(orders={7: OrderFacts(7, 1)}))) == {}
