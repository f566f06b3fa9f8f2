"""Refunds decided in BigCommerce, in NetSuite: once, of the exact total, settled to 0.00, without moving stock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.cli.command_line import bcns
from bcns_pipeline_tests.defs.refunds.giving_back import D, RefundFlow


def changed(before: dict[str, Decimal], after: dict[str, Decimal]) -> dict[str, Decimal]:
    """{account: by how much it moved}, those that stand as they were left out."""
    moved = {one: after.get(one, D(0)) - before.get(one, D(0)) for one in {*before, *after}}
    return {one: amount for one, amount in moved.items() if amount}


def stock(shop: RefundFlow) -> list[Any]:
    return sorted(
        (row["item"], row["location"], row["on_hand"])
        for sku in shop.skus()
        for row in shop.control.levels(sku)
    )


def test_a_day_of_refunds(shop: RefundFlow) -> None:
    """Whole, by line, shipping, goodwill, in two ways, twice of one line, offline: each to the cent."""
    whole, lines, good, split, offline = shop.sold(*["plain"] * 5)
    sku = {"sku": shop.sales_order(lines)["lines"][0]["sku"], "quantity": 1}
    before, shelves = shop.balances(), stock(shop)
    refunds = {
        "whole": shop.refund(whole),
        "first unit": shop.refund(lines, lines=[sku]),
        "second unit and shipping": shop.refund(lines, lines=[sku], shipping=True),
        "goodwill": shop.refund(good, amount="7.50"),
        "two ways": shop.refund(
            split,
            amount="30.00",
            payments=[
                {"provider": "stripe", "amount": "20.00"},
                {"provider": "storecredit", "amount": "10.00", "offline": True},
            ],
        ),
        "cheque": shop.refund(
            offline, amount="5.00", payments=[{"provider": "cheque", "amount": "5.00", "offline": True}]
        ),
    }

    plan = shop.give_back(mode="plan")
    assert plan.metadata("refunds/credit_plan")["looked_at"] == len(refunds)
    assert shop.balances() == before
    run = shop.give_back()

    assert {name: shop.stands(one).disposition for name, one in refunds.items()} == dict.fromkeys(
        refunds, "posted"
    )
    assert all(run.checks.values()), run.checks
    totals = {name: shop.stands(one) for name, one in refunds.items()}
    assert {name: one.read_total for name, one in totals.items()} == {
        name: one.total for name, one in totals.items()
    }
    assert {one.open.minor for one in totals.values() if one.open is not None} == {0}
    moved = changed(before, shop.balances())
    by_card = sum((totals[one].total.amount for one in refunds if one not in ("two ways", "cheque")), D(20))
    assert moved.pop("1130") == -by_card
    assert (moved.pop("2320"), moved.pop("1010")) == (D("-10.00"), D("-5.00"))
    # A/R is as it was: nothing of any credit is left open.
    assert "1200" not in moved
    assert set(moved) <= {"4050", "4010", "4090", "2340"}
    assert stock(shop) == shelves
    assert set(shop.records(refunds["two ways"])) == {
        f"refund-{refunds['two ways']}",
        *(f"refundpay-{refunds['two ways']}-{n}" for n in (1, 2)),
    }
    shop.control.clear_log()
    # Told of again, out of order and twice, and read again as a month: nothing new.
    inbox = shop.state().inbox
    inbox.record([Event("refund", str(one), "webhook") for one in reversed(list(refunds.values()))])
    again = shop.days(shop.today() - timedelta(days=30), shop.today(), job="refund_sync")
    assert again.metadata("bigcommerce/refunds")["dagster/row_count"] == len(refunds)
    assert again.metadata("refunds/credit_plan")["looked_at"] == 0
    assert shop.writes() == []
    shop.assert_tidy()
    shop.forget_everything()
    shop.sync()
    shop.give_back()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert {shop.stands(one).disposition for one in refunds.values()} == {"posted"}


def test_what_waits_is_named_and_goes_when_its_cause_is_gone(shop: RefundFlow) -> None:
    """Before its order is posted, before its capture is booked; the order's own question ends with its refund."""
    (early,) = shop.sold(paid=False, billed=False)
    late = shop.control.shop_order("plain", restock=True)["id"]
    refunds = {"capture": shop.refund(early, amount="5.00"), "order": shop.refund(late, amount="5.00")}

    shop.give_back()

    assert shop.questions("REFUND_BEFORE_CAPTURE") == [f"refund:{refunds['capture']}"]
    assert shop.questions("REFUND_BEFORE_ORDER") == [f"refund:{refunds['order']}"]
    shop.sync()
    assert len(shop.open_exceptions("REFUND_PENDING")) == 2
    shop.book(early)
    shop.book(late)
    shop.refund_due_now()

    shop.give_back()

    assert {shop.stands(one).disposition for one in refunds.values()} == {"posted"}
    assert shop.state().exceptions.find(flow="refunds") == []
    assert shop.open_exceptions("REFUND_PENDING") == []
    shop.control.order_status(early, 10)
    shop.sync()
    assert shop.open_exceptions("REFUND_PENDING") == []


def test_more_than_came_in_and_what_was_declined_is_never_posted(shop: RefundFlow) -> None:
    one, other, marked, elsewhere = shop.sold(*["plain"] * 4)
    before = shop.balances()
    beyond = shop.refund(one, amount="5.00", payments=[{"provider": "braintree", "amount": "5.00"}])
    no = shop.refund(other, amount="5.00", declined=True)
    # A status gives nobody their money (F14).
    shop.control.order_status(marked, 4)
    shop.sync()

    run = shop.give_back()

    assert shop.questions("REFUND_EXCEEDS_CAPTURE") == [f"refund:{beyond}"]
    assert shop.questions("REFUND_DECLINED") == [f"refund:{no}"]
    assert shop.questions("REFUND_WITHOUT_RECORD") == [f"order:{marked}"]
    assert not run.checks["every_refunded_order_has_a_refund"]
    assert shop.balances() == before
    # Made in a provider's dashboard, and shown by no payout yet: credited, and its money waits.
    outside = shop.refund(
        elsewhere, amount="4.00", payments=[{"provider": "custom", "amount": "4.00", "offline": True}]
    )
    shop.give_back()
    shop.give_back()
    assert (shop.stands(outside).disposition, shop.stands(outside).code) == ("waiting", "REFUND_NO_PSP")
    assert set(shop.records(outside)) == {f"refund-{outside}"}
    assert changed(before, shop.balances()) == {"1200": D("-4.00"), "4050": D("4.00")}
    real = shop.refund(marked)
    shop.give_back()
    assert shop.questions("REFUND_WITHOUT_RECORD") == []
    assert shop.stands(real).disposition == "posted"


def test_part_of_an_order_that_was_not_billed_goes_back_and_its_invoice_fits_what_is_left(
    shop: RefundFlow,
) -> None:
    """One of two units; units with goodwill; units as store credit: deposits and invoices end at 0, all of them."""
    orders = shop.sold(*["plain"] * 3, paid=False, billed=False)
    shop.run("cash_application")
    totals = {one: D(str(shop.sales_order(one)["total"])) for one in orders}
    unit, both, stored = orders
    two = {
        one: next(line["sku"] for line in shop.sales_order(one)["lines"] if D(line["quantity"]) == 2)
        for one in orders
    }
    refunds = {
        unit: shop.refund(unit, lines=[{"sku": two[unit], "quantity": 1}]),
        both: shop.refund(both, lines=[{"sku": two[both], "quantity": 2}], amount="4.00"),
        stored: shop.refund(
            stored,
            lines=[{"sku": two[stored], "quantity": 1}],
            payments=[{"provider": "storecredit", "offline": True}],
        ),
    }

    run = shop.give_back()

    stands = {one: shop.stands(refund) for one, refund in refunds.items()}
    assert {one: (each.disposition, each.route) for one, each in stands.items()} == {
        unit: ("posted", "deposit"),
        both: ("posted", "deposit_and_credit"),
        stored: ("posted", "deposit"),
    }, [each.reason for each in stands.values()]
    assert all(run.checks.values()), run.checks
    assert all(each.read_total == each.total for each in stands.values())
    back = {one: each.total.amount for one, each in stands.items()}
    for one in orders:
        shop.control.fulfil(shop.sales_order(one)["id"])
    shop.sync()
    shop.later(60)
    shop.run("cash_application")
    left = changed({}, shop.balances())
    # Receivables, deposits and the transfer account are empty; clearing holds what was kept, and what became credit.
    assert not {"1200", "2300", "1170"} & set(left), left
    assert left["1130"] == sum(totals.values()) - back[unit] - back[both]
    assert left["2320"] == -back[stored]
    assert all(shop.run("cash_reconciliation").checks.values())
    open_ = [f"{one.flow} {one.message}" for one in shop.state().exceptions.find()]
    assert not open_, "; ".join(open_)
    shop.control.clear_log()
    shop.forget_everything()
    shop.sync()
    shop.give_back()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert {shop.stands(one).disposition for one in refunds.values()} == {"posted"}
    shop.assert_tidy()


def test_captures_invoices_and_refunds_together_leave_nothing_open_in_dollars_and_in_euros(
    shop: RefundFlow,
) -> None:
    """The cash flow books and bills, this flow gives back; A/R and deposits end at 0, clearing at what was kept.

    The euros, of a merchant in dollars, leave no exchange difference: the refund has its order's currency and rate.
    """
    dollars, euros = shop.sold("plain", "eur", paid=False, billed=False)
    shop.run("cash_application")
    shop.later(60)
    for order in (dollars, euros):
        shop.control.fulfil(shop.sales_order(order)["id"])
    shop.run("cash_application")
    before = shop.balances()
    total = D(str(shop.sales_order(dollars)["total"]))
    assert changed({}, before)["1130"] == total
    assert before["1133"] > 0
    first = {one: shop.sales_order(one)["lines"][0]["sku"] for one in (dollars, euros)}
    given = shop.refund(dollars, lines=[{"sku": first[dollars], "quantity": 1}])
    given_euros = shop.refund(euros, lines=[{"sku": first[euros], "quantity": 1}], shipping=True)

    shop.give_back()

    # -- in dollars
    state = shop.stands(given)
    assert state.disposition == "posted", state
    left = changed({}, shop.balances())
    assert "1200" not in left
    assert "2300" not in left
    assert left["1130"] == total - state.total.amount

    # -- in euros
    state = shop.stands(given_euros)
    assert (state.disposition, state.total.currency, state.read_total) == ("posted", "EUR", state.total)
    records = shop.records(given_euros).values()
    rate = D(str(shop.sales_order(euros)["exchange_rate"]))
    assert {D(str(one["exchange_rate"])) for one in records} == {rate}
    moved = changed(before, shop.balances())
    assert not {"1200", "7000", "7010"} & set(moved), moved
    assert abs(moved["1133"] + state.total.amount * rate) < D("0.01")


def test_a_refund_of_an_order_that_was_taken_over(shop: RefundFlow) -> None:
    """Billed before the cutover it is credited, and its clearing account pays; not billed, its deposit is not ours."""
    billed, open_ = (shop.control.shop_order("plain", restock=True) for _ in range(2))
    records = {}
    for one in (billed, open_):
        records[one["id"]] = shop.control.legacy_order(otherrefnum=str(one["id"]), total=float(one["total"]))[
            "order"
        ]
    shop.control.fulfil(records[billed["id"]])
    shop.control.enter_invoice(records[billed["id"]])
    ways = ("adopt", "--by", "otherrefnum", "--since", shop.today().isoformat(), "--apply")
    assert bcns(*ways).exit_code == 0
    before = shop.balances()
    refunds = {
        name: shop.refund(one["id"], shipping=True) for name, one in (("billed", billed), ("open", open_))
    }
    whole = shop.refund(open_["id"])

    shop.give_back()

    stands = {name: shop.stands(one) for name, one in refunds.items()}
    assert (stands["billed"].disposition, stands["billed"].route) == ("posted", "credit_memo"), stands[
        "billed"
    ]
    assert (
        changed(before, shop.balances())["1130"]
        == -stands["billed"].total.amount - stands["open"].total.amount
    )
    assert shop.questions("REFUND_NOT_BILLED") == [f"refund:{whole}"]
    assert shop.questions("REFUND_BEFORE_CAPTURE") == []
    shop.assert_tidy()


def test_a_cash_sale_goes_back_as_one_cash_refund(shop: RefundFlow) -> None:
    channels = {**shop.sections["channels"]}
    account = int(shop.sandbox.accounting["accounts"]["1130"])
    channels[1] = {**channels[1], "record": "cash_sale", "cash_account": account}
    shop.sections["channels"] = channels
    shop.configure()
    (order,) = shop.sold(paid=False, billed=False)
    before = shop.balances()
    refund = shop.refund(order)

    shop.give_back()

    (record,) = shop.records(refund).values()
    assert record["type"] == "cashRefund"
    state = shop.stands(refund)
    assert (state.disposition, state.read_total) == ("posted", state.total)
    assert changed(before, shop.balances())["1130"] == -state.total.amount


def test_from_a_deposit_declined_afterwards_and_with_answers_lost_each_record_is_made_once(
    shop: RefundFlow,
) -> None:
    unbilled, declined, unheard = shop.sold(*["plain"] * 3, billed=False)
    for one in (declined, unheard):
        shop.bill(one)

    # -- what was never billed goes back out of its deposit
    before = shop.balances()
    refund = shop.refund(unbilled)
    shop.give_back()
    state = shop.stands(refund)
    assert (state.disposition, state.route) == ("posted", "deposit")
    assert set(shop.records(refund)) == {f"refundpay-{refund}-1"}
    # The deposit and the clearing account are as if nothing had been; revenue never heard of it.
    assert changed(before, shop.balances()) == {"1130": -state.total.amount, "2300": state.total.amount}
    assert all(line["closed"] for line in shop.sales_order(unbilled)["lines"])

    # -- declined after it was posted: held
    before = shop.balances()
    sku = shop.sales_order(declined)["lines"][0]["sku"]
    refund = shop.refund(declined, lines=[{"sku": sku, "quantity": 1}], shipping=True)
    shop.give_back()
    posted = shop.balances()
    shop.control.decline_refund(refund)
    shop.state().inbox.record([Event("refund", str(refund), "webhook")])
    shop.give_back()
    assert shop.questions("REFUND_DECLINED") == [f"refund:{refund}"]
    assert changed(posted, shop.balances()) == {}
    # A person decides to have it taken back, and asks for another try.
    shop.refunds_decide(on_decline="reverse")
    exceptions = shop.state().exceptions
    exceptions.request_retry([one.id for one in exceptions.find(flow="refunds")], actor="ada")
    shop.give_back()
    shop.give_back()
    assert changed(before, shop.balances()) == {}
    assert shop.stands(refund).disposition == "reversed"
    assert shop.questions("REFUND_DECLINED") == [f"refund:{refund}"]
    shop.assert_tidy()

    # -- answers that were lost after the work was done make nothing twice
    ways = [
        {"provider": "stripe", "amount": "20.00"},
        {"provider": "storecredit", "amount": "10.00", "offline": True},
    ]
    refund = shop.refund(unheard, amount="30.00", payments=ways)
    lost = {"system": "netsuite", "kind": "5xx", "method": "POST", "times": 1, "after_commit": True}
    shop.control.faults(
        *(
            {**lost, "path_regex": f"record/v1/{record}"}
            for record in ("journalEntry", "creditMemo", "customerRefund")
        )
    )
    for _ in range(4):
        shop.run_somehow("refund_sync")
        shop.refund_due_now()
        if shop.stands(refund).disposition == "posted":
            break
    assert shop.control.call("GET", "/faults") == []
    assert len(shop.records(refund)) == 3
    state = shop.stands(refund)
    assert (state.disposition, state.open) == ("posted", Money(0, "USD"))

    # -- and once all of that is done, nothing
    shop.control.clear_log()
    shop.give_back()
    assert shop.writes() == []
    assert len(shop.records(refund)) == 3
    shop.assert_tidy()
