"""What holds an order's money up: a closed period, a refusal, an approval."""

from __future__ import annotations

from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow


def test_a_closed_period_a_refusal_and_an_approval_hold_single_receipts(shop: CashFlow) -> None:
    shop.decide("cash", closed_period="hold", materiality={"USD": "100.00"})
    dear = [{"sku": "SKU-000001", "quantity": 1, "price": "150.00"}]
    large, small = (int(shop.control.shop_order(restock=True, lines=lines)["id"]) for lines in (dear, LINES))
    shop.sync()
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

    # -- the one goes by itself, the other once it is approved
    outbox = shop.state().outbox
    (held,) = outbox.find(flow="cash", states=("held",))
    outbox.approve(held, "looked at it", actor="grace")
    shop.money_is_due()
    shop.cash()
    assert shop.codes() == set()
    assert sorted(one["external_id"].split("-")[-2] for one in shop.books(type="customerDeposit")) == sorted(
        map(str, (large, small))
    )
    assert shop.ledger(large)["1130"] == shop.paid(large)
    shop.assert_tidy()
