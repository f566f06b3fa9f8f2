"""Every way in which shoppers pay, in one world: each capture is one receipt in the right account, and no other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bcns_pipeline.state import finance
from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow

D = Decimal


def test_each_capture_becomes_one_deposit_in_its_providers_clearing_account_also_one_that_comes_later(
    shop: CashFlow,
) -> None:
    orders = {
        name: int(shop.control.shop_order(kind, restock=True, lines=LINES, **more)["id"])
        for name, kind, more in (
            ("card", "plain", {}),
            ("wallet", "guest", {"payment": "paypal"}),
            ("told", "authorised_only", {}),
            ("untold", "authorised_only", {}),
            ("split", "split_tender", {}),
            ("unpaid", "awaiting_payment", {"status_id": 11}),
            ("eur", "eur", {"payment": "none", "status_id": 11}),
        )
    }
    shop.sync()
    assert_a_tick_starts_no_more_runs_than_there_is_work_for(shop)
    shop.control.clear_log()

    run = shop.cash()

    calls = [one for one in shop.control.log() if one["system"] == "netsuite" and "oauth2" not in one["path"]]
    # The clock and what moved, headers, what is there, periods, the read-back: and one write for each receipt.
    assert len(calls) == 6 + 3
    assert booked_alone(shop, orders["card"], "1130") == shop.paid(orders["card"])
    assert booked_alone(shop, orders["wallet"], "1131") == shop.paid(orders["wallet"])
    (deposit,) = shop.records(orders["split"])
    # Gift certificate and store credit wait for the invoice that they settle.
    assert D(deposit["total"]) == shop.paid(orders["split"]) - D("10.75")
    for name in ("told", "untold", "unpaid", "eur"):
        assert shop.records(orders[name]) == [], name
    assert {one.code for one in shop.state().exceptions.find(flow="cash")} == {"PAYMENT_MISMATCH"}
    assert run.checks["booked_is_captured"]
    assert run.metadata("netsuite/cash_records")["deposits"] == 3
    # The read-back said whose orders they are; older versions did not note it, and cash looks at the header anyway.
    names = {one: str(shop.sales_order(one)["entity"]) for one in orders.values()}
    assert owed_to(shop) == {orders[name]: names[orders[name]] for name in ("card", "wallet", "split")}
    with shop.state().scope.transaction() as conn:
        conn.exec_driver_sql("update bcns.order_state set customer_id = null")
    assert set(owed_to(shop).values()) == {"not known"}

    # -- captured later, and their orders told so; and one captured in part, of whose order no news came
    shop.later()
    shop.control.pay_order(orders["told"])
    shop.control.pay_order(orders["unpaid"])
    shop.sync()
    shop.control.pay_order(orders["untold"], amount="12.50")
    again = shop.cash()
    assert booked_alone(shop, orders["told"], "1130") == shop.paid(orders["told"])
    # Bank deposits have an account of their own, which no provider pays out.
    assert booked_alone(shop, orders["unpaid"], "1010") == shop.paid(orders["unpaid"])
    assert shop.records(orders["untold"]) == []
    assert again.checks["each_capture_is_booked_once"]

    # -- an open authorisation is looked at by itself
    shop.money_is_due()
    shop.cash()
    assert booked_alone(shop, orders["untold"], "1130") == D("12.50")
    assert len(shop.books(type="customerDeposit")) == 6
    known = owed_to(shop)
    assert {one: known[one] for one in (orders["told"], orders["unpaid"], orders["untold"])} == {
        one: names[one] for one in (orders["told"], orders["unpaid"], orders["untold"])
    }


def owed_to(shop: CashFlow) -> dict[int, str]:
    """{order: NetSuite's customer} of what report `unapplied` lists."""
    day = shop.today()
    _, rows = finance.rows(shop.state(), "unapplied", day - timedelta(days=2), day + timedelta(days=2))
    return {row["order"]: row["customer"] for row in rows}


def booked_alone(shop: CashFlow, order: int, account: str) -> Decimal:
    """What the records of an order put on that account; fails where it is not on deposit, or anything is elsewhere."""
    books = shop.ledger(order)
    assert books == {account: books[account], "2300": -books[account]}
    return books[account]


def assert_a_tick_starts_no_more_runs_than_there_is_work_for(shop: CashFlow) -> None:
    shop.going("cash_application")
    with shop.tick("cash_due") as few:
        assert few.skip_message == "1 runs of cash_application are on their way already"
    shop.decide("cash", batch=3)
    # More waits than one run takes: the next one reads while that one writes.
    with shop.tick("cash_due") as many:
        assert len(many.run_requests) == 1
    shop.going("cash_application")
    with shop.tick("cash_due") as enough:
        assert enough.run_requests == []
    shop.decide("cash", batch=None)
