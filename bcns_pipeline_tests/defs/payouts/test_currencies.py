"""Payouts in other currencies than captures: what NetSuite carries is taken out to the cent, whichever way round.

Put expectations of exchange rates as a flow here. The entries' arithmetic is in rules/payouts/test_examples.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.payout_flow import ENTRIES, PayoutFlow


@pytest.fixture
def trader(till: PayoutFlow) -> Iterator[PayoutFlow]:
    """A merchant whose clearing account takes every currency, and who has a bank account in euros."""
    stripe = till.sections["payouts"]["providers"]["stripe"]
    stripe["bank"] = {"USD": till.account("1010"), "EUR": till.account("1011")}
    till.decide("payouts", fx_residual="companion")
    yield till
    till.control.exchange_rate("EUR", "1.08")


def paid_out(till: PayoutFlow, currency: str, **terms: Any) -> str:
    """An order is captured in this currency, and Stripe pays it out by these terms; the payout's id."""
    till.control.payment_terms(**terms)
    till.control.shop_order(currency=currency, restock=True)
    (made,) = till.pay_out("stripe", arrives=0, status="paid")
    return str(made["id"])


def clearing(till: PayoutFlow) -> Decimal:
    """What the clearing account holds in dollars once everything is approved."""
    return till.balances().get("1130", Decimal(0))


def tied(till: PayoutFlow) -> None:
    """The clearing account is asked about, and neither NetSuite nor the provider leaves anything over."""
    run = till.day(till.today(), job="daily_tie_out")
    asked = [one.message for one in till.state().exceptions.find(code="CLEARING_UNEXPLAINED")]
    assert (asked, run.checks["fi7_the_outside_says_the_same"]) == ([], True)
    today = till.today()
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(till.state(), today, today + timedelta(days=1), mapping)
    rolled, _ = reports.roll_forwards(till.state(), about)
    found = {one.currency: one for one in rolled if one.account == till.account("1130")}
    assert {one: (found[one].settled_ledger, found[one].unexplained) for one in ("EUR", "USD")} == {
        "EUR": (0, 0),
        "USD": (0, 0),
    }
    assert found["EUR"].ledger != 0


def test_whatever_was_captured_and_paid_out_in_nothing_is_left_in_clearing(trader: PayoutFlow) -> None:
    # Captured in euros at 1.0850: one paid out in dollars at 1.0791, one in euros. And captured in dollars, paid out in
    # euros. The books have another rate by then.
    trader.control.exchange_rate("EUR", "1.0850")
    into_dollars = paid_out(trader, "EUR", settles=["USD"], rates={"EUR": "1.0791"})
    euros = paid_out(trader, "EUR", settles=[])
    dollars = paid_out(trader, "USD", settles=["EUR"], home="EUR", rates={"USD": "0.92"})
    trader.sync()
    trader.cash()
    assert clearing(trader) > 0
    trader.control.exchange_rate("EUR", "1.0791")

    run = trader.post()

    for one in (into_dollars, euros, dollars):
        assert trader.payout(one).status == "draft_posted", trader.payout(one).reason
    assert run.checks["fi7_clearing_is_explained"]
    # The one that went into dollars realises its difference itself; of the others something is left, until companions
    # in dollars take it.
    assert trader.moved(into_dollars)["7100"] != 0
    assert clearing(trader) != 0
    run = trader.post()
    assert run.checks["fi7_clearing_is_explained"]
    assert clearing(trader) == 0
    keys = {str(one["external_id"]) for one in trader.journals()}
    assert {key for key in keys if "-fx-" in key} == {
        f"psp-stripe-acct1-fx-{euros}",
        f"psp-stripe-acct1-fx-{dollars}",
    }
    # Once, however often it is looked at.
    again = trader.post()
    assert again.metadata(ENTRIES)["posted"] == 0
    trader.assert_balanced()
    trader.assert_tidy()

    # NetSuite's own balances by currency, and what Stripe holds, agree once the conversions are taken into account.
    tied(trader)

    # The euros' payout is called off: its entry is taken back, and its companion with it, though the answer got lost.
    realised = Decimal(str(trader.control.ledger()["balances"]["7100"]))
    trader.control.fail_payout(euros, canceled=True)
    trader.post()
    assert trader.payout(euros).status == "balanced"
    trader.control.faults({
        "system": "netsuite", "method": "POST", "path_regex": "record/v1/journalEntry", "kind": "timeout",
        "after_commit": True, "times": 2,
    })  # fmt: skip
    trader.post()
    trader.control.clear_faults()
    trader.post()
    assert clearing(trader) == 0
    assert sorted(key for one in trader.journals() if f"-{euros}" in (key := str(one["external_id"]))) == [
        f"psp-stripe-acct1-{what}-{euros}{version}"
        for what in ("fx", "payout")
        for version in ("", "-rev1", "-v2")
    ]
    # Its second entry is of the same records at the same rate, so what was realised is the same.
    assert Decimal(str(trader.control.ledger()["balances"]["7100"])) == realised
    assert trader.payout(euros).journal_key == f"psp-stripe-acct1-payout-{euros}-v2"
    assert trader.post().metadata(ENTRIES)["posted"] == 0
    trader.assert_balanced()
    tied(trader)

    # The roll-forward closes in either currency: nothing that was settled is an open item of the other for ever.
    today = datetime.now(UTC).date()
    mapping = load_mapping(trader.folder / "bcns.yaml")
    about = reports.about(trader.state(), today - timedelta(days=2), today + timedelta(days=2), mapping)
    rolled, _ = reports.roll_forwards(trader.state(), about)
    assert {one.currency: (one.closing, one.open_items) for one in rolled} == {"EUR": (0, ()), "USD": (0, ())}
    report = reports.make(trader.state(), "fx", about)
    rows = [dict(zip(report.columns, row, strict=True)) for row in report.rows]
    realised = -sum(row["gain"] or Decimal(0) for row in rows if row["currency"] == "USD")
    assert realised == Decimal(str(trader.control.ledger()["balances"]["7100"]))
