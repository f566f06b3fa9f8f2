"""What stands in an order's way is a question with an owner, and the order goes by itself once it is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.orders.reperform import Remade, reperform
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.flow import Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_what_stands_in_an_orders_way_is_a_question_and_the_order_goes_once_it_is_gone(
    shop: OrderFlow,
) -> None:
    """Side by side: no such SKU, an unmapped way of shipping, a closed period, a script's cent, and a refund."""
    shop.control.shop_settings(second_storefront=True)
    shop.sections["channels"][2] = {**shop.sections["channels"][1], "record": "cash_sale"}
    shop.configure()
    shop.control.period("closed")
    born = shop.control.shop_order("unmapped_sku", restock=True)
    drone = shop.control.shop_order("unmapped_ship_method", restock=True)["id"]
    shopper = shop.control.shopper(email="two@example.com", first_name="Ca", last_name="Sh", channel_id=2)
    cash = shop.control.shop_order(customer_id=shopper["id"], channel_id=2, restock=True)["id"]
    scripted = shop.control.shop_order("plain", restock=True)["id"]
    add_a_cent(shop, scripted)
    goods = [{"sku": "SKU-000001", "quantity": 2, "price": "10.00"}]
    refunded = shop.control.shop_order(lines=goods, restock=True)["id"]
    shop.control.call("POST", "/shop/order/refund", {"order_id": refunded, "amount": "10.00"})

    run = shop.sync()

    waiting = {born["id"]: "ITEM_UNMAPPED", drone: "SHIP_METHOD_UNMAPPED", cash: "PERIOD_CLOSED"}
    assert {one: shop.order(one).code for one in waiting} == waiting
    assert_asked(shop, "ITEM_UNMAPPED", born["id"])
    assert_asked(shop, "PERIOD_CLOSED", cash, owner="finance")
    assert_the_cent_is_asked_about(shop, run, scripted)
    question = assert_asked(shop, "REFUND_PENDING", refunded)
    # It is posted at what was charged.
    assert (question.amount_minor, question.currency) == (1000, "USD")
    shop.assert_equal_to_the_cent(refunded)

    # The SKU is born, the method is mapped, and the period is opened.
    sku = next(line["sku"] for line in born["lines"] if not line["sku"].startswith(("SKU-", "ASM-", "VAR-")))
    shop.control.item(sku=sku, create=True)
    shipping = shop.sections["orders"]["shipping"]
    shop.decide("orders", shipping={**shipping, "methods": {**shipping["methods"], "Drone*": 900101}})
    shop.control.period("open")
    # Something else that stands in the way of its next version is no reason to forget the refund.
    shop.control.item(sku="SKU-000001", isinactive=True)
    shop.control.cancel_units(refunded, 1, sku="SKU-000001")
    shop.due_now()
    shop.sync()

    for order, code in waiting.items():
        assert shop.open_exceptions(code) == [], (order, code)
    shop.assert_equal_to_the_cent(*waiting)
    assert shop.sales_order(cash)["type"] == "cashSale"
    assert shop.order(refunded).code == "ITEM_NOT_SELLABLE"
    assert [one.id for one in shop.open_exceptions("REFUND_PENDING")] == [question.id]


def assert_asked(shop: OrderFlow, code: str, order: int, **more: object) -> ExceptionRow:
    """One question of this code is open, and it is about this order."""
    found = shop.open_exceptions(code)
    assert [one.subject for one in found] == [f"order:{order}"], code
    assert {name: getattr(found[0], name) for name in more} == more, code
    return found[0]


def add_a_cent(shop: OrderFlow, order: int) -> None:
    """A script in NetSuite adds a line to this order when it is saved."""
    cent = {
        "item": {"id": shop.sandbox.accounting["items"]["rounding"]},
        "price": {"id": "-1"},
        "rate": 0.01,
        "amount": 0.01,
        "quantity": 1,
    }
    shop.control.script(on="salesOrder", add=cent, times=1, match=f"order-{order}")


def assert_the_cent_is_asked_about(shop: OrderFlow, run: Run, order: int) -> None:
    assert run.checks["totals_are_equal"] is False
    question = assert_asked(shop, "ORDER_TOTAL_DRIFT", order)
    found = shop.order(order)
    assert found.read_total is not None
    assert found.read_total.amount - found.total.amount == Decimal("0.01")
    assert question.amount_minor == found.total.minor


def test_orders_wait_for_a_customer_that_netsuite_refuses_and_go_with_it(shop: OrderFlow) -> None:
    shop.sections["customers"] = {"price_level": 999_999}
    shop.configure()
    shopper = shop.control.shopper(email="new@example.com", first_name="Ne", last_name="Wcomer")
    first, second = (shop.control.shop_order(customer_id=shopper["id"], restock=True)["id"] for _ in range(2))
    gone = shop.control.shop_order("guest", email="gus@example.com", restock=True)["id"]
    shop.sync()
    assert {shop.order(one).code for one in (first, second, gone)} == {"CUSTOMER_REFUSED"}
    assert {shop.order(one).disposition for one in (first, second, gone)} == {"waiting"}
    assert {one.subject for one in shop.open_exceptions("CUSTOMER_REFUSED")} == {
        f"order:{first}",
        f"order:{gone}",
    }

    shop.decide("customers", price_level=None)
    shop.later(60)
    shop.control.order_status(gone, 5)
    shop.due_now()
    shop.sync()

    assert shop.sales_order(first)["entity"] == shop.sales_order(second)["entity"]
    shop.assert_equal_to_the_cent(first, second)
    assert shop.order(gone).disposition == "held"
    assert shop.open_exceptions("CUSTOMER_REFUSED") == []


def test_a_cent_of_a_tax_that_netsuite_computes_is_a_question_or_a_rounding_line(shop: OrderFlow) -> None:
    """NetSuite taxes at 8.875 % (19 in euros), and the shop took 8.75 (19.1): each a cent off, of 10.00."""
    home = {"state": "New York", "city": "New York", "zip": "10001"}
    tax = {**shop.sections["orders"]["tax"], "mode": "ns_recalc", "tolerance": {"EUR": "0.01"}}

    def place(currency: str = "USD", *rates: str) -> int:
        goods = [
            {"sku": f"SKU-00000{at}", "price": "10.00", "tax_rate": rate}
            for at, rate in enumerate(rates or ["8.75"], 1)
        ]
        free = {"method": "Ground", "cost": "0"}
        order = shop.control.shop_order(
            lines=goods, billing=home, shipping=free, currency=currency, restock=True
        )
        return int(order["id"])

    shop.decide("orders", tax=tax)
    asked, tolerated = place("USD", "8.75", "8.875"), place("EUR", "19.1")
    run = shop.sync()
    (question,) = shop.open_exceptions("ORDER_TOTAL_DRIFT")
    assert question.subject == f"order:{asked}"
    assert "The tax is 1.78 USD, and 1.77 was written." in question.message
    # Of its two lines, the one that NetSuite computed otherwise is named.
    key = shop.sales_order(asked)["lines"][0]["fields"]["custcol_bc_line_id"]
    by_line = f"Of line {key}, 0.88 USD of tax was charged, and NetSuite computed 0.89 USD."
    assert question.message.endswith(f"was written. {by_line}")
    # What is within the tolerance of its currency is no question, and listed all the same.
    listed = {row["order"]: row for row in run.records("differences", "netsuite/sales_orders")}
    assert set(listed) == {asked, tolerated}
    assert (listed[tolerated]["charged"], listed[tolerated]["in_netsuite"]) == ("11.91 EUR", "11.90 EUR")

    shop.decide("orders", tax={**tax, "on_mismatch": "residual"})
    closed = place()
    run = shop.sync()

    assert len(shop.open_exceptions("ORDER_TOTAL_DRIFT")) == 1
    shop.assert_equal_to_the_cent(closed)
    last = shop.sales_order(closed)["lines"][-1]
    rounding = shop.sandbox.accounting["items"]["rounding"]
    assert (str(last["item"]), Decimal(last["amount"])) == (rounding, Decimal("-0.01"))
    assert closed not in [row["order"] for row in run.records("differences", "netsuite/sales_orders")]
    shop.control.clear_log()
    shop.sync()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert_the_rounding_line_is_counted(shop)
    assert_the_rounding_line_is_made_again(shop, closed, tax)


def assert_the_rounding_line_is_counted(shop: OrderFlow) -> None:
    """All rounding lines of a day together are held against its sales; here one cent of some thirty dollars."""
    today = shop.today()
    (euros, dollars) = shop.state().orders.rounding(today, today)
    assert [(one.orders, one.rounded, one.rounding.minor) for one in (euros, dollars)] == [
        (1, 0, 0),
        (2, 1, 1),
    ]
    assert dollars.total.amount == Decimal("32.65")

    def small(most: int) -> bool:
        shop.decide("orders", rounding={**shop.sections["orders"]["rounding"], "max_lines": most})
        job = shop.job("daily_tie_out")
        key = today.isoformat()
        result = job.execute_in_process(partition_key=key, instance=shop.instance, raise_on_error=False)
        return Run(result).checks["rounding_stays_small"]

    assert not small(0)
    assert small(5)


def assert_the_rounding_line_is_made_again(shop: OrderFlow, closed: int, tax: dict[str, Any]) -> None:
    """From what was kept beside it; a mapping file by which it would be another, or none, is named."""

    def again() -> Remade:
        made = reperform(shop.state(), load_mapping(shop.folder / "bcns.yaml"), [closed])
        assert [one.action for one in made] == ["create", "cents"]
        return made[-1]

    assert again().equal, again()
    item = shop.sections["orders"]["rounding"]
    shop.decide("orders", rounding={"item": 4711})
    assert "The mapping file changed" in again().why
    assert "closed by another line" in again().why
    shop.decide("orders", rounding=item, tax=tax)
    assert "its cents would be a question" in again().why
    shop.decide("orders", tax={**tax, "on_mismatch": "residual"})
    shop.state().documents.drop("order_cents", datetime.now(UTC))
    assert again().why == "What it was made from was not kept."


def test_orders_before_the_cutover_are_listed_and_never_created(shop: OrderFlow) -> None:
    shop.sections["cutover"] = {"at": "2099-01-01"}
    shop.configure()
    order = shop.control.shop_order("plain", restock=True)["id"]
    shop.state().inbox.record([Event("order", str(order), "webhook")])

    shop.sync()

    assert (shop.order(order).disposition, shop.order(order).code) == ("listed", "BEFORE_CUTOVER")
    assert shop.books() == []
