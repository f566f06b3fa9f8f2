"""Summary mode from the shop to the ledger: a payout posts revenue, nothing else does, and never twice.

Put expectations of the two modes as a flow here. Who is treated how is in rules/payouts/test_modes.py.
"""

from __future__ import annotations

from decimal import Decimal

from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

D = Decimal


def test_a_payout_posts_the_revenue_of_a_summary_channel_and_nobody_else_does(till: PayoutFlow) -> None:
    billed = till.sold()
    till.cash()
    numbers = {"revenue": "4000", "shipping_revenue": "4010", "returns": "4050", "sales_tax": "2340"}
    numbers["stored_value"] = "2310"
    for provider in till.sections["payouts"]["providers"].values():
        provider |= {role: till.account(number) for role, number in numbers.items()}
    till.decide("payouts", summary_channels=[1])

    # An order with a deposit would be counted twice: its payout is held, and named. The other's posts all of it.
    (twice,) = till.pay_out("stripe", arrives=0, status="paid")
    order = till.sold("gift_certificate_sold")
    till.ship(order)
    till.cash()
    assert till.records(order) == []
    (first,) = till.pay_out("stripe", arrives=0, status="paid")
    till.post()
    found = till.payout(twice["id"])
    assert (found.status, found.code) == ("held", "DOUBLE_REVENUE")
    (asked,) = till.state().exceptions.find(code="DOUBLE_REVENUE")
    assert f"order {billed}" in asked.message
    assert len(till.journals()) == 1
    assert till.payout(first["id"]).status == "draft_posted", till.payout(first["id"]).reason
    (placed,) = till.control.shop_state(order)
    total, tax = D(str(placed["total_inc_tax"])), D(str(placed["total_tax"]))
    moved = till.moved(first["id"])
    assert "1130" not in moved
    assert moved["2340"] == -tax
    assert moved["2310"] == -50
    assert moved["4000"] + moved["4010"] == tax - total + 50
    assert moved["4010"] == -D(str(placed["shipping_cost_ex_tax"]))
    assert moved["1010"] + moved["6110"] == total
    assert "equal, byte for byte" in bcns("reperform", "payout", first["id"])

    # A refund of it is the payout's as well, the certificate against its liability, and stays so once its channel is
    # billed order by order again.
    till.control.refund_order(order)
    till.decide("payouts", summary_channels=[])
    till.run("refund_sync")
    assert till.books(type="creditMemo") == []
    (second,) = till.pay_out("stripe", arrives=0, status="paid")
    till.post()
    back = till.moved(second["id"])
    assert (back["4050"], back["2310"], back["2340"]) == (total - tax - 50, 50, tax)
    assert back["1010"] == -total
    # What was held goes in clearing mode, for its deposit is there.
    assert till.payout(twice["id"]).status == "draft_posted"
    assert till.moved(twice["id"])["1130"] < 0
    assert till.state().exceptions.find(code="DOUBLE_REVENUE") == []
    till.assert_balanced()
    till.assert_tidy()
