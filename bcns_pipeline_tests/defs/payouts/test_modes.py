"""Summary mode from the shop to the ledger: a payout posts revenue, nothing else does, and never twice.

Put expectations of the two modes as a flow here. Who is treated how is in rules/payouts/test_modes.py.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

D = Decimal


def pays(till: PayoutFlow) -> str:
    """Stripe pays out what came in; the payout's id."""
    (made,) = till.control.payout_day("stripe", arrives=0, status="paid")
    till.post()
    return str(made["id"])


def entry_of(till: PayoutFlow, payout: str) -> dict[str, Decimal]:
    """{account number: what the payout's entry moves there, debit positive}."""
    numbers = {one: number for number, one in till.accounts.items()}
    key = f"psp-stripe-acct1-payout-{payout}"
    (entry,) = (one for one in till.journals() if one["external_id"] == key)
    found: dict[str, Decimal] = {}
    for part in entry["postings"]:
        number = numbers[int(part["account"])]
        found[number] = found.get(number, D(0)) + D(part["foreign"])
    return found


def shop(till: PayoutFlow, order: int) -> dict[str, Any]:
    """An order as the shop has it."""
    (found,) = till.control.shop_state(order)
    return dict(found)


def test_a_payout_posts_the_revenue_of_a_summary_channel_and_nobody_else_does(till: PayoutFlow) -> None:
    billed = till.sold()
    till.cash()
    numbers = {"revenue": "4000", "shipping_revenue": "4010", "returns": "4050", "sales_tax": "2340"}
    for provider in till.sections["payouts"]["providers"].values():
        provider |= {role: till.account(number) for role, number in numbers.items()}
    till.decide("payouts", summary_channels=[1])

    # An order with a deposit would be counted twice: its payout is held, and named.
    twice = pays(till)
    assert (till.payout(twice).status, till.payout(twice).code) == ("held", "DOUBLE_REVENUE")
    (asked,) = till.state().exceptions.find(code="DOUBLE_REVENUE")
    assert f"order {billed}" in asked.message
    assert till.journals() == []

    order = till.sold()
    till.cash()
    till.ship(order)
    till.cash()
    assert till.records(order) == []
    first = pays(till)
    assert till.payout(first).status == "draft_posted", till.payout(first).reason
    placed = shop(till, order)
    total, tax = D(str(placed["total_inc_tax"])), D(str(placed["total_tax"]))
    moved = entry_of(till, first)
    assert "1130" not in moved
    assert moved["2340"] == -tax
    assert moved["4000"] + moved["4010"] == tax - total
    assert moved["4010"] == -D(str(placed["shipping_cost_ex_tax"]))
    assert moved["1010"] + moved["6110"] == total
    assert "equal, byte for byte" in bcns("reperform", "payout", first)

    # A refund of it is the payout's as well, and stays so once its channel is billed order by order again.
    till.control.refund_order(order)
    till.decide("payouts", summary_channels=[])
    till.run("refund_sync")
    assert till.books(type="creditMemo") == []
    second = pays(till)
    back = entry_of(till, second)
    assert (back["4050"], back["2340"], back["1010"]) == (total - tax, tax, -total)
    # What was held goes in clearing mode, for its deposit is there.
    assert till.payout(twice).status == "draft_posted"
    assert entry_of(till, twice)["1130"] < 0
    assert till.state().exceptions.find(code="DOUBLE_REVENUE") == []
    till.assert_balanced()
    till.assert_tidy()
