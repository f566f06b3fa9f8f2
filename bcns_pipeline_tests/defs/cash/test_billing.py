"""What was shipped is invoiced once, and what was paid settles it: open deposits + applied = captured, to the cent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow
from bcns_pipeline_tests.defs.flow import Impatient

D = Decimal


def test_shipped_orders_are_invoiced_and_settled_to_the_cent(shop: CashFlow) -> None:
    placed = {
        "whole": shop.control.shop_order("plain", restock=True, lines=LINES),
        "parts": shop.control.shop_order("guest", restock=True, lines=LINES, payment="paypal"),
        "mixed": shop.control.shop_order("split_tender", restock=True, lines=LINES),
        "certificate": shop.control.shop_order("gift_certificate_tender", restock=True, lines=LINES),
    }
    orders = {name: int(one["id"]) for name, one in placed.items()}
    shop.sync()
    shop.ship(orders["whole"])
    shop.ship(orders["mixed"])
    shop.ship(orders["certificate"])
    shop.ship(orders["parts"], lines=[{"sku": "SKU-000001", "quantity": 2}])

    run = shop.cash()

    assert shop.made(orders["whole"]) == ["customerDeposit", "invoice", "depositApplication"]
    assert sorted(shop.made(orders["mixed"])) == [
        *("creditMemo", "creditMemo", "customerDeposit", "depositApplication", "invoice"),
    ]
    assert shop.made(orders["certificate"]) == ["invoice", "creditMemo"]
    shop.assert_settled(orders["whole"], orders["mixed"], orders["certificate"])
    books = shop.ledger(orders["mixed"])
    assert (books["2310"], books["2320"]) == (D("7.50"), D("3.25"))
    part, paid = orders["parts"], shop.paid(orders["parts"])
    (first,) = shop.records(part, "invoice")
    assert shop.ledger(part)["2300"] == D(first["total"]) - paid
    assert "1200" not in shop.ledger(part)
    assert all(run.checks.values()), run.checks
    assert run.metadata("netsuite/cash_records")["invoices"] == 4

    shop.ship(part)
    shop.cash()
    assert [one["external_id"].rsplit("-", 1)[1] for one in shop.records(part, "invoice")] == ["1", "2"]
    assert sum(D(one["total"]) for one in shop.records(part, "invoice")) == paid
    shop.assert_settled(*orders.values())

    shop.control.clear_log()
    again = shop.cash()
    assert shop.writes() == []
    # NetSuite changed these orders because we billed them: that is no news.
    assert again.metadata("cash/application_plan")["looked_at"] == 0
    assert all(again.checks.values()), again.checks


def test_an_invoice_that_netsuite_made_is_recognised_and_a_drifted_order_is_not_billed(
    shop: CashFlow,
) -> None:
    shop.decide("cash", billing="netsuite")
    theirs, itself = (int(shop.control.shop_order(restock=True, lines=LINES)["id"]) for _ in range(2))
    shop.sync()
    for order in (theirs, itself):
        shop.ship(order)
    shop.cash()
    assert shop.made(theirs) == shop.made(itself) == ["customerDeposit"]

    connections = Impatient(config_path=shop.environment["BCNS_CONFIG"])
    record = int(shop.sales_order(theirs)["id"])
    try:
        connections.netsuite().receivables.transform("salesOrder", record, "invoice", {"memo": "by hand"})
    finally:
        connections.close()
    shop.cash()
    assert shop.made(theirs) == ["customerDeposit", "depositApplication"]
    assert shop.books(type="invoice")[0]["external_id"] is None
    assert "2300" not in shop.ledger(theirs)
    assert shop.made(itself) == ["customerDeposit"]

    # Where NetSuite applies the deposit by itself, nothing is left to do. And a payment that is to come with the
    # invoice, by the channel's setting; and an order that a script spoilt.
    shop.control.accounting(deposits_apply_themselves=True)
    shop.decide("cash", billing="pipeline")
    shop.sections["channels"][1]["receipts"] = "payment"
    shop.configure()
    later, spoilt = (int(shop.control.shop_order(restock=True, lines=LINES)["id"]) for _ in range(2))
    change = {"body": {"memo": "changed"}, "line": {"rate": 11.0, "amount": 22.0}, "place": 0}
    shop.control.script(on="salesOrder", match=f"-{spoilt}", times=1, **change)
    shop.sync()
    for order in (later, spoilt):
        shop.ship(order)
    # What was settled by the other rule is looked at again by a run for its day; midnight may have passed since.
    run = shop.days(shop.today() - timedelta(days=1), shop.today(), job="cash_application")
    shop.control.accounting(deposits_apply_themselves=False)
    assert shop.made(itself) == ["customerDeposit", "invoice"]
    assert shop.made(later) == ["invoice", "customerPayment"]
    shop.assert_settled(later)
    assert {one.subject for one in shop.open_exceptions("ORDER_TOTAL_DRIFT")} == {f"order:{spoilt}"}
    assert shop.made(spoilt) == []
    assert all(run.checks.values()), run.checks
