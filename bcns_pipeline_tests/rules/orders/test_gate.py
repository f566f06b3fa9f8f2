from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.rules.orders.gate import (
    Hold,
    Ignore,
    List,
    Post,
    Source,
    has_refund,
    is_marketplace,
    judge,
    source_of,
)
from bcns_pipeline.rules.orders.model import Detail, Details, Tender
from bcns_pipeline.rules.orders.needs import needs
from bcns_pipeline.rules.orders.policy import Channel, Sources, TaxCode
from bcns_pipeline.rules.orders.status import NEVER_POSTED, Status, label
from bcns_pipeline_tests.rules.orders.examples import EXAMPLE_C, POLICY, D, order_of
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine

ROOT = Path(__file__).resolve().parents[3]


def tender(*, test: bool) -> Tender:
    return Tender(1, "purchase", "credit_card", D("5"), "USD", "ok", test)


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_posted_held_or_ignored_with_a_reason(status: Status) -> None:
    verdict = judge(order_of(EXAMPLE_C, status_id=int(status)), POLICY)
    if status in (2, 3, 4, 8, 9, 10, 11, 14):
        assert verdict == Post()
    elif status in (Status.INCOMPLETE, Status.DECLINED):
        assert isinstance(verdict, Ignore)
        assert status.label in verdict.reason
    else:
        assert isinstance(verdict, Hold)
        assert verdict.reason.endswith(".")


def test_the_allow_list_is_the_merchants() -> None:
    policy = replace(POLICY, statuses=frozenset({7}))
    assert judge(order_of(EXAMPLE_C, status_id=7), policy) == Post()
    held = judge(order_of(EXAMPLE_C, status_id=11), policy)
    assert held == Hold("STATUS", "Its status is Awaiting Fulfillment, which orders.statuses does not have.")


def test_a_status_that_bigcommerce_added_since_is_held() -> None:
    verdict = judge(order_of(EXAMPLE_C, status_id=15), POLICY)
    assert isinstance(verdict, Hold)
    assert "status 15" in verdict.reason


def test_a_test_is_told_by_all_its_transactions_and_by_nothing_else() -> None:
    order = order_of(EXAMPLE_C, payment_method="Test Payment Gateway")
    assert judge(order, POLICY) == Post()
    assert judge(order, POLICY, Details(transactions=())) == Post()
    assert judge(order, POLICY, Details(transactions=(tender(test=True), tender(test=False)))) == Post()
    assert isinstance(judge(order, POLICY, Details(transactions=(tender(test=True),))), Ignore)


def test_orders_from_before_the_cutover_are_listed_to_the_second() -> None:
    placed = order_of(EXAMPLE_C).placed_at
    at = replace(POLICY, cutover=placed)
    assert judge(order_of(EXAMPLE_C), at) == Post()
    later = replace(POLICY, cutover=datetime(2019, 3, 5, 21, 40, 12, tzinfo=UTC))
    assert isinstance(judge(order_of(EXAMPLE_C), later), List)
    assert isinstance(judge(order_of(EXAMPLE_C, status_id=5), later), List)


def test_an_archived_order_is_not_ours() -> None:
    assert isinstance(judge(order_of(EXAMPLE_C, is_deleted=True), POLICY), Ignore)


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({}, Source.STOREFRONT),
        ({"order_source": "manual"}, Source.MANUAL),
        ({"order_source": "Amazon"}, Source.MARKETPLACE),
        ({"order_source": "external", "external_source": "TikTok Shop"}, Source.MARKETPLACE),
        ({"order_source": "external", "external_id": "112-3"}, Source.MARKETPLACE),
        ({"order_source": "external", "external_source": "Recharge v2"}, Source.SUBSCRIPTION),
        ({"order_source": "checkout_api", "external_source": "B2B Edition"}, Source.QUOTE),
        ({"order_source": "checkout_api"}, Source.STOREFRONT),
    ],
)
def test_the_origin_of_an_order_is_told_by_its_own_fields(fields: dict[str, Any], source: Source) -> None:
    policy = replace(POLICY, sources=Sources(subscription=("recharge*",), quote=("b2b*",)))
    assert source_of(order_of(EXAMPLE_C, **fields), policy) is source


def test_a_channel_may_say_that_it_is_a_marketplace_or_is_not() -> None:
    amazon, shop = order_of(EXAMPLE_C, order_source="amazon"), order_of(EXAMPLE_C)
    assert is_marketplace(amazon, Channel(1), POLICY)
    assert is_marketplace(amazon, None, POLICY)
    assert not is_marketplace(amazon, Channel(1, marketplace=False), POLICY)
    assert is_marketplace(shop, Channel(1, marketplace=True), POLICY)
    assert not is_marketplace(shop, Channel(1), POLICY)


def test_a_refund_is_told_by_status_payment_or_units() -> None:
    order = order_of(EXAMPLE_C)
    assert not has_refund(order)
    assert has_refund(replace(order, status_id=14))
    assert has_refund(replace(order, payment_status="partially refunded"))
    assert has_refund(replace(order, lines=(replace(order.lines[0], quantity_refunded=1), *order.lines[1:])))


def test_by_default_no_order_costs_a_call_of_its_own() -> None:
    assert needs(order_of(EXAMPLE_C), POLICY) == frozenset()


def test_each_detail_is_read_only_where_it_matters() -> None:
    by_name = replace(POLICY, tax=replace(POLICY.tax, codes={"vat": TaxCode(1)}))
    untaxed = order_of(Cart([CartLine(D(5))]))
    assert needs(order_of(EXAMPLE_C), by_name) == {Detail.TAXES}
    assert needs(untaxed, by_name) == frozenset()
    assert needs(order_of(EXAMPLE_C, order_source="amazon"), by_name) == frozenset()
    assert needs(order_of(EXAMPLE_C), replace(by_name, gross_lines=True)) == frozenset()
    assert needs(untaxed, replace(POLICY, capture="flag")) == {Detail.TRANSACTIONS}
    test = order_of(Cart([CartLine(D(5))]), payment_method="test payment gateway")
    assert needs(test, POLICY) == {Detail.TRANSACTIONS}
    assert needs(replace(untaxed, coupon_discount=D(4)), POLICY) == {Detail.COUPONS}
    assert needs(order_of(EXAMPLE_C, channel_id=99), by_name) == frozenset()


def test_statuses_have_bigcommerces_own_names() -> None:
    assert [Status(number).label for number in (0, 3, 11, 12, 14)] == [
        "Incomplete",
        "Partially Shipped",
        "Awaiting Fulfillment",
        "Manual Verification Required",
        "Partially Refunded",
    ]
    # The file that a merchant edits names each of them.
    said = " ".join((ROOT / "bcns.yaml").read_text().replace("#", " ").split())
    assert [one for one in Status if f"{int(one)} {one.label}" not in said] == []
    assert label(99) == "status 99"
    assert {0, 5, 6} == NEVER_POSTED
