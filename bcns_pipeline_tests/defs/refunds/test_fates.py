"""Refunds that are not simply posted: what waits, what is never posted, what is taken back, and answers that got lost.

Put expectations of a refund's fate here. Refunds that are posted as they come are in test_refunds.py.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.refunds.giving_back import D, RefundFlow
from bcns_pipeline_tests.defs.refunds.test_refunds import changed


def test_what_waits_goes_once_its_cause_is_gone_and_what_came_in_twice_or_was_declined_is_never_posted(
    shop: RefundFlow,
) -> None:
    names = ("beyond", "no", "outside", "marked", "unheard", "declined", "unbilled", "early")
    orders = dict(zip(names, shop.sold(*["plain"] * len(names), paid=False, billed=False), strict=True))
    for name in names[:-1]:
        shop.book(orders[name])
    for name in names[:-2]:
        shop.bill(orders[name])
    orders["late"] = shop.control.shop_order("plain", restock=True)["id"]
    sku = shop.sales_order(orders["declined"])["lines"][0]["sku"]
    twice, elsewhere = (
        [{"provider": "braintree", "amount": "5.00"}],
        [{"provider": "custom", "amount": "4.00", "offline": True}],
    )
    refunds = {
        name: shop.refund(orders[name], **refund)
        for name, refund in {
            # More than came in that way; declined; made in a provider's dashboard, and shown by no payout yet.
            "beyond": {"amount": "5.00", "payments": twice},
            "no": {"amount": "5.00", "declined": True},
            "outside": {"amount": "4.00", "payments": elsewhere},
            "declined": {"lines": [{"sku": sku, "quantity": 1}], "shipping": True},
            "unbilled": {},
            # Before its capture is booked, before its order is posted.
            "early": {"amount": "5.00"},
            "late": {"amount": "5.00"},
        }.items()
    }
    start = shop.balances()

    shop.give_back()

    for name, code in (
        ("beyond", "REFUND_EXCEEDS_CAPTURE"),
        ("no", "REFUND_DECLINED"),
        ("early", "REFUND_BEFORE_CAPTURE"),
        ("late", "REFUND_BEFORE_ORDER"),
    ):
        assert shop.questions(code) == [f"refund:{refunds[name]}"], code
        assert shop.records(refunds[name]) == {}, name
    # Credited, and its money waits.
    assert set(shop.records(refunds["outside"])) == {f"refund-{refunds['outside']}"}
    # What was never billed goes back out of its deposit.
    unbilled, declined = shop.stands(refunds["unbilled"]), shop.stands(refunds["declined"])
    assert (unbilled.disposition, unbilled.route) == ("posted", "deposit")
    assert set(shop.records(refunds["unbilled"])) == {f"refundpay-{refunds['unbilled']}-1"}
    assert all(line["closed"] for line in shop.sales_order(orders["unbilled"])["lines"])
    assert declined.disposition == "posted"
    # Its deposit and the clearing account are as if nothing had been; revenue never heard of it.
    others = {
        "1130": -unbilled.total.amount,
        "2300": unbilled.total.amount,
        "1200": D("-4.00"),
        "4050": D("4.00"),
    }
    of_declined = changed(others, changed(start, shop.balances()))
    assert of_declined["1130"] == -declined.total.amount
    assert set(of_declined) <= {"1130", "4050", "4010", "4090", "2340"}

    # -- orders and captures come in; a status gives nobody their money (F14); what was posted is declined: held
    shop.control.order_status(orders["marked"], 4)
    shop.sync()
    assert pending(shop, orders) == {"beyond", "marked", "outside", "early", "late"}
    shop.book(orders["early"])
    shop.book(orders["late"])
    booked = shop.balances()
    shop.refund_due_now()
    shop.control.decline_refund(refunds["declined"])
    shop.state().inbox.record([Event("refund", str(refunds["declined"]), "webhook")])

    run = shop.give_back()

    assert {shop.stands(refunds[name]).disposition for name in ("early", "late")} == {"posted"}
    assert shop.questions("REFUND_BEFORE_CAPTURE") == shop.questions("REFUND_BEFORE_ORDER") == []
    assert pending(shop, orders) == {"beyond", "marked", "outside"}
    assert shop.questions("REFUND_WITHOUT_RECORD") == [f"order:{orders['marked']}"]
    assert not run.checks["every_refunded_order_has_a_refund"]
    stands = shop.stands(refunds["outside"])
    assert (stands.disposition, stands.code) == ("waiting", "REFUND_NO_PSP")
    assert shop.questions("REFUND_DECLINED") == sorted(
        f"refund:{refunds[name]}" for name in ("no", "declined")
    )
    held = shop.balances()
    assert changed(booked, held) == {"1130": D("-10.00"), "4050": D("10.00")}

    # -- a person decides to have what was declined taken back, and asks for another try
    shop.refunds_decide(on_decline="reverse")
    exceptions = shop.state().exceptions
    exceptions.request_retry([one.id for one in exceptions.find(flow="refunds")], actor="ada")
    shop.give_back()
    shop.give_back()
    assert changed(held, shop.balances()) == {account: -amount for account, amount in of_declined.items()}
    assert shop.stands(refunds["declined"]).disposition == "reversed"
    assert_nothing_is_left_of_it_in_the_reports(shop, refunds["declined"])
    assert f"refund:{refunds['declined']}" in shop.questions("REFUND_DECLINED")
    shop.assert_tidy()

    # -- a real refund of the order whose status said so; and answers that were lost after the work was done
    real = shop.refund(orders["marked"])
    ways = [
        {"provider": "stripe", "amount": "20.00"},
        {"provider": "storecredit", "amount": "10.00", "offline": True},
    ]
    refund = shop.refund(orders["unheard"], amount="30.00", payments=ways)
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
        if {shop.stands(one).disposition for one in (real, refund)} == {"posted"}:
            break
    assert shop.control.call("GET", "/faults") == []
    assert shop.questions("REFUND_WITHOUT_RECORD") == []
    assert shop.stands(real).disposition == "posted"
    assert len(shop.records(refund)) == 3
    state = shop.stands(refund)
    assert (state.disposition, state.open) == ("posted", Money(0, "USD"))
    shop.control.order_status(orders["early"], 10)
    shop.sync()
    assert pending(shop, orders) == {"beyond", "outside"}
    shop.assert_tidy()


def pending(shop: RefundFlow, orders: dict[str, int]) -> set[str]:
    """Which of these orders are in question because of a refund that is not posted."""
    asked = {one.subject for one in shop.open_exceptions("REFUND_PENDING")}
    return {name for name, order in orders.items() if f"order:{order}" in asked}


def assert_nothing_is_left_of_it_in_the_reports(shop: RefundFlow, refund: int) -> None:
    """What a journal has taken back is settled by nobody, is no gap, and is open on no clearing account."""
    state, day = shop.state(), shop.today()
    mapping = load_mapping(shop.folder / "bcns.yaml")
    about = reports.about(state, day - timedelta(days=2), day + timedelta(days=2), mapping)

    def rows(name: str) -> list[dict[str, Any]]:
        made = reports.make(state, name, about)
        return [dict(zip(made.columns, row, strict=True)) for row in made.rows]

    (mine,) = (row for row in rows("refunds") if row["refund"] == refund)
    assert (mine["paid"], mine["settled"], mine["difference"]) == (0, 0, 0)
    assert mine["credited"] > 0
    assert f"-refundpay-{refund}-" not in "".join(str(row["item"]) for row in rows("open-items"))
    gaps = sum(row["gap_rows"] for row in rows("completeness") if row["object"] == "refunds")
    assert gaps == len(state.refunds.find(disposition="waiting"))
