from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.rules.orders.capture import settled
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.model import Details, Tender
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline_tests.rules.orders.books import Record
from bcns_pipeline_tests.rules.orders.examples import (
    EXAMPLE_C,
    FACTS,
    MARKETPLACE_ITEM,
    POLICY,
    D,
    amounts,
    drafted,
    order_of,
    problems,
)

BLOCK = replace(POLICY, capture="block")
TOTAL = "116.73"


def tender(event: str, amount: str, number: int = 1, **more: Any) -> Tender:
    return Tender(
        number,
        event,
        more.pop("method", "credit_card"),
        Decimal(amount),
        more.pop("currency", "USD"),
        more.pop("status", "ok"),
        more.pop("test", False),
        **more,
    )


def whole(*tenders: Tender, **more: Any) -> Decimal:
    return settled(order_of(EXAMPLE_C, **more), tenders, POLICY).whole.amount


@pytest.mark.parametrize(
    ("tenders", "amount"),
    [
        ([tender("purchase", TOTAL)], TOTAL),
        ([tender("authorization", TOTAL)], TOTAL),
        ([tender("authorization", TOTAL), tender("capture", TOTAL, 2, reference_id=1)], TOTAL),
        ([tender("authorization", TOTAL), tender("capture", "100", 2, reference_id=1)], TOTAL),
        ([tender("authorization", TOTAL), tender("capture", "120", 2, reference_id=1)], "120"),
        ([tender("authorization", TOTAL), tender("void", TOTAL, 2, reference_id=1)], "0"),
        ([tender("purchase", TOTAL), tender("void", TOTAL, 2, reference_id=1)], "0"),
        ([tender("pending", TOTAL), tender("purchase", TOTAL, 2, reference_id=1)], TOTAL),
        ([tender("purchase", TOTAL), tender("settled", TOTAL, 2, reference_id=1)], TOTAL),
        ([tender("purchase", TOTAL), tender("refund", TOTAL, 2, reference_id=1)], TOTAL),
        ([tender("purchase", TOTAL, status="error")], "0"),
        ([tender("purchase", TOTAL, test=True)], "0"),
        ([tender("purchase", TOTAL, currency="EUR")], "0"),
        ([tender("purchase", "60"), tender("purchase", "56.73", 2)], TOTAL),
        ([], "0"),
    ],
)
def test_what_settles_an_order(tenders: list[Tender], amount: str) -> None:
    assert whole(*tenders) == D(amount)


def test_gift_certificate_and_store_credit_settle_once_though_they_are_shown_twice() -> None:
    tenders = (
        tender("purchase", "66.73"),
        tender("purchase", "30", 2, method="gift_certificate"),
        tender("purchase", "20", 3, method="store_credit"),
    )
    assert whole(*tenders, gift_certificate_amount="30", store_credit_amount="20") == D(TOTAL)


def test_what_is_paid_later_counts_as_the_rest() -> None:
    assert whole(payment_method="Bank Deposit") == D(TOTAL)
    assert whole(payment_method="Credit Card") == D(0)
    order = order_of(EXAMPLE_C, payment_method="bank deposit", gift_certificate_amount="16.73")
    found = settled(order, (), POLICY)
    assert str(found) == "stored value 16.73, paid later 100.00"


def test_money_that_does_not_match_stops_the_order_or_is_flagged() -> None:
    short = Details(transactions=(tender("purchase", "100"),))
    assert problems(EXAMPLE_C, BLOCK, details=short) == {
        "ORDER_NOT_CAPTURED": "The order came to 116.73 USD, and 100.00 USD settle it (taken 100.00)."
    }
    flagged = drafted(EXAMPLE_C, replace(POLICY, capture="flag"), details=short)
    assert [flag.code for flag in flagged.flags] == ["ORDER_NOT_CAPTURED"]
    assert flagged.expected.total == D(TOTAL)
    exact = Details(transactions=(tender("purchase", TOTAL),))
    assert drafted(EXAMPLE_C, BLOCK, details=exact).sources["settled"] == "taken 116.73"
    assert "(nothing)" in problems(EXAMPLE_C, BLOCK, details=Details(transactions=()))["ORDER_NOT_CAPTURED"]


def test_an_order_made_smaller_and_paid_back_is_settled_and_so_is_one_only_paid_back() -> None:
    paid, back = tender("purchase", "120"), tender("refund", "3.27", 2, reference_id=1)
    details = Details(transactions=(paid, back))
    assert (
        drafted(EXAMPLE_C, BLOCK, details=details).sources["settled"] == "taken 120.00, since refunded 3.27"
    )
    whole_order = Details(transactions=(tender("purchase", TOTAL), back))
    assert drafted(EXAMPLE_C, BLOCK, details=whole_order)
    assert "ORDER_NOT_CAPTURED" in problems(EXAMPLE_C, BLOCK, details=Details(transactions=(paid,)))


def test_an_earlier_version_is_built_without_asking_for_its_money() -> None:
    order = order_of(EXAMPLE_C)
    assert isinstance(build(order, Details(), FACTS, BLOCK, check_capture=False), Draft)


def test_cents_of_money_may_become_a_rounding_line() -> None:
    policy = replace(POLICY, capture="residual")
    near = Details(transactions=(tender("purchase", "116.75"),))
    draft = drafted(EXAMPLE_C, policy, details=near)
    assert amounts(draft)["rounding"] == D("0.02")
    assert draft.expected.total == D("116.75") == Record.made(draft.body(), "USD", 2).total
    far = Details(transactions=(tender("purchase", "116.78"),))
    assert "ORDER_NOT_CAPTURED" in problems(EXAMPLE_C, policy, details=far)


def test_a_marketplace_settles_outside_bigcommerce() -> None:
    policy = replace(BLOCK, tax=replace(POLICY.tax, marketplace_item=MARKETPLACE_ITEM))
    assert drafted(order_of(EXAMPLE_C, order_source="amazon"), policy)


def test_transactions_that_were_not_read_are_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="were not read"):
        drafted(EXAMPLE_C, BLOCK)
