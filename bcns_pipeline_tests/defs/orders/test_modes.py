"""Looking without touching, and what waits for a person's approval."""

from __future__ import annotations

from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_a_plan_touches_nothing_and_a_run_holds_a_large_order_until_somebody_approves_what_it_is_now(
    shop: OrderFlow,
) -> None:
    # Nobody owns discounts: the flow refuses before any call.
    discounts = shop.sections["orders"]["discounts"]
    shop.decide("orders", discounts=None)
    shop.control.clear_log()
    run = shop.sync(fails=True)
    assert any("orders.discounts.owner is missing" in said for said in run.failures)
    assert shop.control.log() == []
    shop.decide("orders", discounts=discounts)

    # A plan sends nothing, decides nothing and shows the money.
    small = shop.control.shop_order(
        lines=[{"sku": "SKU-000001", "quantity": 1, "price": "5.00"}], restock=True
    )
    unmapped = shop.control.shop_order("unmapped_sku", restock=True)["id"]
    run = shop.sync(mode="plan")
    assert run.materialised == {"bigcommerce/orders", "orders/sales_order_plan"}
    assert shop.writes() == []
    assert shop.state().outbox.find() == []
    assert {shop.order(one).disposition for one in (small["id"], unmapped)} == {"open"}
    assert shop.state().exceptions.find() == []
    assert run.records("money_impact", "orders/sales_order_plan") == [
        {"currency": "USD", "amount": small["total"]}
    ]

    # An order above the limit waits for a person.
    shop.decide("orders", materiality={"USD": "50.00"})
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


def test_what_was_held_or_approved_is_not_sent_once_the_order_is_called_off_or_another(
    shop: OrderFlow,
) -> None:
    shop.decide("orders", materiality={"USD": "50.00"})
    lines = [{"sku": "SKU-000002", "quantity": 3, "price": "500.00"}]
    held, approved, changed = (shop.control.shop_order(lines=lines, restock=True)["id"] for _ in range(3))
    shop.sync()
    outbox, store = shop.state().outbox, shop.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
    waiting = {one.natural_key: one for one in outbox.find(states=("held",))}
    assert len(waiting) == 3
    for one in (approved, changed):
        outbox.approve(waiting[f"bc-{store}-order-{one}"], "looked at it", actor="grace")
    for one in (held, approved):
        shop.control.order_status(one, 5)
    shop.control.cancel_units(changed, 1, sku="SKU-000002")
    shop.sync()

    # Called off: nobody may approve it any more, and nothing of it is in NetSuite.
    (asked,) = outbox.find(states=("held",))
    assert (asked.natural_key, asked.amount_minor) == (
        f"bc-{store}-order-{changed}",
        shop.order(changed).total.minor,
    )
    assert {(shop.order(one).disposition, shop.order(one).code) for one in (held, approved)} == {
        ("held", "CANCELLED")
    }
    assert shop.books() == []
    outbox.approve(asked, "looked at what it is now", actor="grace")
    shop.sync()
    shop.assert_equal_to_the_cent(changed)
    assert len(shop.books()) == 1
