"""What happens to an order's money later: a capture that comes afterwards, a closed period, an approval."""

from __future__ import annotations

from decimal import Decimal

from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow

D = Decimal


def test_a_capture_that_comes_later_is_noticed_and_booked_once(shop: CashFlow) -> None:
    told = shop.sold("authorised_only", lines=LINES)
    untold = shop.sold("authorised_only", lines=LINES)
    unpaid = shop.sold("awaiting_payment", lines=LINES, status_id=11)
    shop.cash()
    assert shop.books(type="customerDeposit") == []

    shop.later()
    for order in (told, unpaid):
        shop.control.pay_order(order)
    shop.sync()
    shop.cash()
    assert shop.ledger(told) == {"1130": shop.paid(told), "2300": -shop.paid(told)}
    # Bank deposits have an account of their own, which no provider pays out.
    assert shop.ledger(unpaid) == {"1010": shop.paid(unpaid), "2300": -shop.paid(unpaid)}

    # Captured in part, and no news of the order came: an open authorisation is looked at by itself.
    shop.control.pay_order(untold, amount="12.50")
    shop.cash()
    assert shop.records(untold) == []
    shop.money_is_due()
    shop.cash()
    assert shop.ledger(untold) == {"1130": D("12.50"), "2300": D("-12.50")}
    assert len(shop.books(type="customerDeposit")) == 3


def test_a_closed_period_a_refusal_and_an_approval_hold_single_receipts(shop: CashFlow) -> None:
    shop.decide("cash", closed_period="hold", materiality={"USD": "100.00"})
    large = shop.sold(lines=[{"sku": "SKU-000001", "quantity": 1, "price": "150.00"}])
    small = shop.sold(lines=LINES)
    planned = shop.cash(mode="plan")
    assert [one["record"] for one in planned.records("waits_for_approval", "cash/application_plan")] == [
        "deposit"
    ]
    assert planned.materialised == {"bigcommerce/transactions", "cash/application_plan"}
    assert shop.books(type="customerDeposit") == []

    shop.control.period("closed")
    # Closed since we asked: NetSuite refuses, and from then on nothing is sent that it would refuse.
    shop.cash()
    assert shop.codes() == {"PERIOD_CLOSED"}
    shop.control.clear_log()
    shop.money_is_due()
    shop.cash()
    assert shop.codes() == {"PERIOD_CLOSED"}
    assert not [one for one in shop.writes() if "customerDeposit" in one[1]]
    shop.control.period("open")
    shop.money_is_due()
    shop.control.script(on="customerDeposit", refuse="The account is not offered here.", times=1)
    shop.cash()
    assert shop.codes() == {"CASH_REFUSED"}
    assert shop.books(type="customerDeposit") == []

    shop.money_is_due()
    shop.cash()
    assert shop.codes() == set()
    assert [one["external_id"].split("-")[-2] for one in shop.books(type="customerDeposit")] == [str(small)]
    outbox = shop.state().outbox
    (held,) = outbox.find(flow="cash", states=("held",))
    outbox.approve(held, "looked at it", actor="grace")
    shop.cash()
    assert shop.ledger(large)["1130"] == shop.paid(large)
    shop.assert_tidy()
