"""Invariants that no property reaches: accounts that are missing, fees of the contract, keys of entries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import payout_key
from bcns_pipeline.rules.payouts.accounts import AccountBook
from bcns_pipeline.rules.payouts.invariants import (
    fi5_every_line_once,
    fi6_amounts_are_the_shops,
    fi11_fees_are_as_agreed,
)
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline.rules.payouts.policy import FeeBand
from bcns_pipeline_tests.rules.payouts.examples import POLICY, STRIPE, accounts, line, payout, planned

BAND = FeeBand(Decimal("2.9"), {"USD": Decimal("0.30")})


def test_an_account_that_nobody_named_stops_the_payout_and_is_named_with_its_lines() -> None:
    policy = replace(POLICY, book=AccountBook((accounts(reserves=0),)))
    made = payout([line("a", "charge", 1000), line("b", "risk_reserved_funds", -300)])
    plan = planned(made, policy=policy)
    assert plan.entries == ()
    (finding,) = [one for one in plan.findings if one.blocks]
    assert (finding.code, finding.check, finding.members) == ("PAYOUT_ACCOUNT_UNMAPPED", "FI5", ("b",))
    assert "reserves account" in finding.message
    nobody = planned(made, policy=replace(POLICY, book=AccountBook()))
    assert {one.code for one in nobody.findings if one.blocks} == {"PAYOUT_ACCOUNT_UNMAPPED"}


def test_a_category_may_have_an_account_of_its_own() -> None:
    (chart,) = STRIPE.charts
    own = replace(STRIPE, charts=(replace(chart, categories={"contribution": 6801}),))
    policy = replace(POLICY, book=AccountBook((own,)))
    plan = planned(
        payout([line("a", "contribution", -50), line("b", "climate_order_purchase", -70)]), policy=policy
    )
    assert {one.account: one.debit for one in plan.entries[0].lines if one.debit} == {6801: 50, 6800: 70}


def test_a_line_that_is_left_out_or_put_twice_into_an_entry_is_named() -> None:
    plan = planned(payout([line("a", "charge", 1000, 59), line("b", "refund", -300)]))
    (entry,) = plan.entries
    for lines in (entry.lines[:1] + entry.lines[2:], (*entry.lines, entry.lines[1])):
        (finding,) = fi5_every_line_once(plan.payout, [replace(entry, lines=lines)])
        assert (finding.code, finding.members) == ("PAYOUT_ENTRY_WRONG", ("a",))
    other = replace(entry.lines[1], members=("a", "stranger"))
    (finding,) = fi5_every_line_once(plan.payout, [replace(entry, lines=(other, *entry.lines[2:]))])
    assert "stranger" in finding.members


def test_captures_less_their_reversal_are_what_the_shop_says() -> None:
    whole = replace(line("a", "charge", 10000, transaction_id=1, order_id=7), cls=LineClass.GROSS_SALES)
    less = replace(
        line("b", "partial_capture_reversal", -2500, transaction_id=1, order_id=7),
        cls=LineClass.PARTIAL_CAPTURE_REVERSAL,
    )
    made = payout([whole, less])
    assert list(fi6_amounts_are_the_shops(made, {1: Money(7500, "USD")})) == []
    (finding,) = fi6_amounts_are_the_shops(made, {1: Money(7501, "USD")})
    assert (finding.members, finding.amount, finding.blocks) == (("a", "b"), Money(-1, "USD"), False)
    # In the payout's own currency what leaves the clearing account counts, whatever is said to have been paid.
    said = replace(made, lines=tuple(replace(one, presentment_amount=one.gross + 300, presentment_currency="USD")
                                     for one in made.lines))  # fmt: skip
    assert list(fi6_amounts_are_the_shops(said, {1: Money(7500, "USD")})) == []
    (finding,) = fi6_amounts_are_the_shops(made, {1: Money(7500, "EUR")})
    assert finding.code == "PAYOUT_AMOUNT_MISMATCH"


@pytest.mark.parametrize(("fee", "good"), [(320, True), (383, True), (387, False), (257, True), (253, False)])
def test_fees_outside_the_contract_are_told_and_stop_nothing(fee: int, good: bool) -> None:
    made = payout([replace(line("a", "charge", 10000, fee), cls=LineClass.GROSS_SALES)])
    found = list(fi11_fees_are_as_agreed(made, BAND))
    assert [one.members for one in found] == ([] if good else [("a",)])
    assert not any(one.blocks for one in found)
    assert list(fi11_fees_are_as_agreed(made, None)) == []


def test_keys_of_different_payouts_are_never_the_same() -> None:
    keys = [
        payout_key("stripe", "acct1", "po_1"),
        payout_key("stripe", "acct1", "po_1", "EUR"),
        payout_key("stripe", "acct1", "po_1-EUR"),
        payout_key("stripe", "acct1", "po_1-in-EUR"),
        payout_key("stripe", "acct1", "po_1-v2"),
        payout_key("stripe", "acct1", "po_1-rev1"),
        payout_key("stripe", "acct1", "po_1-failed"),
        payout_key("stripe", "a-payout-b", "c"),
        payout_key("stripe", "a", "b-payout-c"),
        payout_key("stripe", "acct1", "2026/03/04"),
    ]
    assert keys[0] == "psp-stripe-acct1-payout-po_1"
    assert keys[1] == "psp-stripe-acct1-payout-po_1-in-EUR"
    later = {f"{keys[0]}-{end}" for end in ("v2", "rev1", "failed")}
    assert len(set(keys) | later) == len(keys) + len(later)
    assert all(
        set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") for key in keys
    )
