from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.orders.compare import differences
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import Patch, plan_edit
from bcns_pipeline.rules.orders.model import Details
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline_tests.rules.orders.books import Record
from bcns_pipeline_tests.rules.orders.carts import carts, policies, products_of
from bcns_pipeline_tests.rules.orders.examples import FACTS, SUITE_FACTS
from bcns_pipeline_tests.rules.orders.shop import DIGITS, Cart, document


@st.composite
def versions(draw: st.DrawFn, count: int) -> tuple[OrderPolicy, list[Draft]]:
    """Drafts of `count` versions of one order: lines taken off, added and changed, charges and notes too."""
    note = {"custbody_note": parse_path("customer_message")}
    policy = replace(draw(policies()), handling_item=920, fields=note)
    cart = draw(carts())
    found = []
    for number in range(count):
        if number:
            _edit(draw, cart)
        shown = document(cart, customer_message=draw(st.sampled_from(["", "please ring", "no ring"])))
        # A line that was taken off keeps its place in the cart with 0 units, and BigCommerce drops it.
        for group in shown["consignments"]["shipping"] + shown["consignments"]["downloads"]:
            group["line_items"] = [one for one in group["line_items"] if one["quantity"]]
        assume(any(one["quantity"] for one in products_of(shown)))
        facts = SUITE_FACTS if policy.tax.default.code else FACTS
        draft = build(read_order(shown), Details(), facts, policy)
        assert isinstance(draft, Draft), draft
        found.append(draft)
    return policy, found


def _edit(draw: st.DrawFn, cart: Cart) -> None:
    line = cart.lines[draw(st.integers(0, len(cart.lines) - 1))]
    match draw(st.sampled_from(["units", "off", "add", "shipping", "coupon", "nothing"])):
        case "units":
            line.quantity, line.off = draw(st.integers(1, 15)), Decimal(0)
        case "off":
            line.quantity, line.off, line.wrap = 0, Decimal(0), Decimal(0)
        case "add":
            # Of the same SKU at times: the warehouse sees two lines that only their number tells apart.
            sku = draw(st.sampled_from(["", line.sku or f"SKU-{cart.lines.index(line)}"]))
            cart.lines.append(replace(line, quantity=draw(st.integers(1, 9)), off=Decimal(0), sku=sku))
        case "shipping":
            cart.shipping = draw(st.integers(0, 5000)) * cart.step
        case "coupon":
            cart.coupon = draw(st.integers(0, 3000)) * cart.step


def patched(record: Record, before: Draft, after: Draft, policy: OrderPolicy) -> Record:
    """The record after the edit."""
    patch = plan_edit(before, after, record.shown(policy.line_id_field), policy)
    assert not isinstance(patch, Problem), patch
    new = deepcopy(record)
    if patch is not None:
        new.write(patch.body)
    return new


def figures(record: Record) -> list[tuple[Any, ...]]:
    """What a record says, without lines on which nothing is left."""
    lines = [
        (line["item"]["id"], line.get("quantity"), line["amount"])
        for line in record.lines.values()
        if line["amount"] or line.get("quantity")
    ]
    return sorted(lines, key=str)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(versions(2))
def test_a_patch_leads_to_the_new_version_and_says_nothing_twice(
    given_versions: tuple[OrderPolicy, list[Draft]],
) -> None:
    policy, (before, after) = given_versions
    currency = before.expected.currency
    record = Record.made(before.body(), currency, DIGITS[currency])
    new = patched(record, before, after, policy)
    assert new.total == after.expected.total
    assert differences(after.expected, new.shown(policy.line_id_field)) == []
    shown = new.shown(policy.line_id_field)
    assert plan_edit(after, after, shown, policy) is None
    again = plan_edit(before, after, shown, policy)
    if isinstance(again, Patch):
        once_more = deepcopy(new)
        once_more.write(again.body)
        assert figures(once_more) == figures(new)
        assert once_more.total == new.total
        assert len(once_more.lines) == len(new.lines)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(versions(3))
def test_patches_compose(given_versions: tuple[OrderPolicy, list[Draft]]) -> None:
    policy, (first, second, third) = given_versions
    currency = first.expected.currency
    record = Record.made(first.body(), currency, DIGITS[currency])
    step_by_step = patched(patched(record, first, second, policy), second, third, policy)
    at_once = patched(record, first, third, policy)
    assert figures(step_by_step) == figures(at_once)
    assert step_by_step.total == at_once.total == third.expected.total
    assert step_by_step.header == at_once.header


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(versions(2), st.data())
def test_what_has_left_is_never_taken_back(
    given_versions: tuple[OrderPolicy, list[Draft]], data: st.DataObject
) -> None:
    policy, (before, after) = given_versions
    currency = before.expected.currency
    record = Record.made(before.body(), currency, DIGITS[currency])
    for number, line in record.lines.items():
        record.fulfilled[number] = data.draw(st.integers(0, line.get("quantity", 0)))
    patch = plan_edit(before, after, record.shown(policy.line_id_field), policy)
    if isinstance(patch, Problem):
        assert patch.code == "ORDER_EDIT_CONFLICT"
        assert any(record.fulfilled.values())
    elif patch is not None:
        record.write(patch.body)  # refuses to go below what was fulfilled
        assert record.total == after.expected.total


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(versions(2))
def test_a_billed_order_is_never_opened_again(given_versions: tuple[OrderPolicy, list[Draft]]) -> None:
    policy, (before, after) = given_versions
    currency = before.expected.currency
    record = Record.made(before.body(), currency, DIGITS[currency])
    record.status = "G"
    record.billed = {number: line.get("quantity", 0) for number, line in record.lines.items()}
    patch = plan_edit(before, after, record.shown(policy.line_id_field), policy)
    if isinstance(patch, Patch):
        assert not {"item", "taxDetails", "shippingCost", "handlingCost"} & patch.body.keys()
        assert before.expected.total == after.expected.total
