"""Looking without touching, and what waits for a person's approval."""

from __future__ import annotations

from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_a_plan_sends_nothing_decides_nothing_and_shows_the_money(shop: OrderFlow) -> None:
    order = shop.control.shop_order("plain", restock=True)
    waiting = shop.control.shop_order("unmapped_sku", restock=True)["id"]

    run = shop.sync(mode="plan")

    assert run.materialised == {"bigcommerce/orders", "orders/sales_order_plan"}
    assert shop.writes() == []
    assert shop.state().outbox.find() == []
    assert {shop.order(one).disposition for one in (order["id"], waiting)} == {"open"}
    assert shop.state().exceptions.find() == []
    assert run.records("money_impact", "orders/sales_order_plan") == [
        {"currency": "USD", "amount": order["total"]}
    ]
    shop.sync()
    shop.assert_equal_to_the_cent(order["id"])


def test_an_order_above_the_limit_is_held_until_somebody_approves_what_it_is_now(shop: OrderFlow) -> None:
    shop.decide("orders", materiality={"USD": "50.00"})
    small = shop.control.shop_order(
        lines=[{"sku": "SKU-000001", "quantity": 1, "price": "5.00"}], restock=True
    )
    large = shop.control.shop_order(
        lines=[{"sku": "SKU-000002", "quantity": 3, "price": "500.00"}], restock=True
    )
    run = shop.sync()
    (row,) = run.records("waits_for_approval", "orders/sales_order_plan")
    assert row["what"] == f"order:{large['id']}"
    shop.assert_there(small["id"])
    (stale,) = shop.state().outbox.find(states=("held",))
    assert shop.order(large["id"]).code == "MATERIALITY"
    assert len(shop.books()) == 1
    # The shopper takes two of three back: nobody may approve the amount of before any more.
    shop.control.cancel_units(large["id"], 2, sku="SKU-000002")
    shop.sync()
    (held,) = shop.state().outbox.find(states=("held",))
    assert (held.id, shop.order(large["id"]).disposition) != (stale.id, "open")
    assert held.amount_minor == shop.order(large["id"]).total.minor

    shop.state().outbox.approve(held, "looked at it", actor="grace")
    shop.sync()

    shop.assert_equal_to_the_cent(small["id"], large["id"])


def test_the_flow_refuses_before_any_call_where_nobody_owns_discounts(shop: OrderFlow) -> None:
    shop.decide("orders", discounts=None)
    shop.control.clear_log()

    run = shop.sync(fails=True)

    assert any("orders.discounts.owner is missing" in said for said in run.failures)
    assert shop.control.log() == []
