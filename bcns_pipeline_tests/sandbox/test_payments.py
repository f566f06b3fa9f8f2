"""Transactions and refunds of the shop's orders.

Put money that comes in and goes back here. Do not put arithmetic of carts here (test_checkout.py).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.contract import require_specs, validate_response

D = Decimal


def transactions(shop: httpx.Client, order_id: int) -> list[dict[str, Any]]:
    """An order's transactions; none for 204."""
    answer = shop.get(f"/v3/orders/{order_id}/transactions")
    if answer.status_code == 204:
        return []
    found: list[dict[str, Any]] = json.loads(answer.content, parse_float=Decimal)["data"]
    return found


def order_of(shop: httpx.Client, order_id: int) -> dict[str, Any]:
    """The order's header."""
    found: dict[str, Any] = shop.get(f"/v2/orders/{order_id}").json()
    return found


@pytest.mark.parametrize(
    ("kind", "events", "payment_status"),
    [
        ("plain", [("purchase", "credit_card", "stripe", "ok", False)], "captured"),
        ("authorised_only", [("authorization", "credit_card", "stripe", "ok", False)], "authorized"),
        ("declined", [("purchase", "credit_card", "stripe", "error", False)], "declined"),
        ("test_order", [("purchase", "credit_card", "testgateway", "ok", True)], "captured"),
        ("awaiting_payment", [("pending", "offline", "bankdeposit", "ok", False)], "pending"),
        (
            "gift_certificate_tender",
            [("purchase", "gift_certificate", "giftcertificate", "ok", False)],
            "paid",
        ),
        ("store_credit", [("purchase", "store_credit", "storecredit", "ok", False)], "paid"),
        ("zero_total", [], "captured"),
        ("marketplace", [], "paid"),
        ("api_override", [], ""),
        ("incomplete", [], ""),
    ],
)
def test_each_way_to_pay_leaves_its_transactions(
    sandbox: Sandbox, shop: httpx.Client, kind: str, events: list[Any], payment_status: str
) -> None:
    made = sandbox.control.shop_order(kind, restock=True)
    rows = transactions(shop, made["id"])
    names = ("event", "method", "gateway", "status", "test")
    assert [tuple(row[name] for name in names) for row in rows] == events
    assert all(row["order_id"] == str(made["id"]) for row in rows)
    assert all(D(row["amount"]) == D(made["total"]) for row in rows)
    assert order_of(shop, made["id"])["payment_status"] == payment_status


def test_split_tender_adds_up_to_the_total(sandbox: Sandbox, shop: httpx.Client) -> None:
    made = sandbox.control.shop_order("split_tender", restock=True)
    rows = {row["gateway"]: row for row in transactions(shop, made["id"])}
    assert D(rows["giftcertificate"]["amount"]) == D("7.50")
    assert D(rows["storecredit"]["amount"]) == D("3.25")
    assert sum(D(row["amount"]) for row in rows.values()) == D(made["total"])
    assert D(rows["storecredit"]["store_credit"]["remaining_balance"]) == D("6.75")
    order = order_of(shop, made["id"])
    assert (order["gift_certificate_amount"], order["store_credit_amount"]) == ("7.5000", "3.2500")
    assert order["payment_provider_id"] == rows["stripe"]["gateway_transaction_id"]


def test_a_guest_has_no_store_credit_and_nobody_more_than_they_have(sandbox: Sandbox) -> None:
    for who in ({"guest": True}, {"give_credit": "2"}):
        with pytest.raises(SandboxFailed, match="store credit"):
            sandbox.control.shop_order(store_credit="5", restock=True, **who)


def test_a_certificate_is_used_up_topped_up_and_never_overdrawn(sandbox: Sandbox, shop: httpx.Client) -> None:
    require_specs()
    code = sandbox.control.certificate(amount="50")["code"]
    first, second = (
        sandbox.control.shop_order(restock=True, gift_certificate="20", certificate=code) for _ in range(2)
    )
    sandbox.control.refund_order(
        first["id"], amount="8", payments=[{"provider": "giftcertificate", "amount": "8"}]
    )
    told = [row["gift_certificate"] for one in (first, second) for row in transactions(shop, one["id"])]
    names = ("code", "original_balance", "starting_balance", "remaining_balance", "status")
    assert [tuple(one[name] for name in names) for one in told if one] == [
        (code, 50, 50, 30, "active"),
        (code, 50, 10, 18, "active"),
        (code, 50, 30, 10, "active"),
    ]
    answer = shop.get(f"/v3/orders/{first['id']}/transactions")
    validate_response("GET", str(answer.url), 200, answer.headers, answer.content)
    with pytest.raises(SandboxFailed, match="18 left"):
        sandbox.control.shop_order(restock=True, gift_certificate="18.01", certificate=code)
    sandbox.control.certificate(code=code, status="disabled")
    with pytest.raises(SandboxFailed, match="disabled"):
        sandbox.control.shop_order(restock=True, gift_certificate="1", certificate=code)
    mine = next(one for one in sandbox.control.certificates() if one["code"] == code)
    assert (D(mine["balance"]), mine["status"]) == (18, "disabled")

    # -- given for a card's payment it is a new one; store credit grows, and a guest has none
    paid = sandbox.control.shop_order(restock=True)
    ways = [{"provider": "giftcertificate", "amount": "3"}, {"provider": "storecredit", "amount": "2.5"}]
    sandbox.control.refund_order(paid["id"], amount="5.5", payments=ways)
    new, credit = transactions(shop, paid["id"])[-2:]
    given = new["gift_certificate"]
    assert given["code"] != code
    assert tuple(given[name] for name in names[1:]) == (3, 0, 3, "active")
    assert D(credit["store_credit"]["remaining_balance"]) == D("2.5")
    guest = sandbox.control.shop_order("guest", restock=True)
    with pytest.raises(SandboxFailed, match="guest"):
        sandbox.control.refund_order(guest["id"], amount="1", payments=[{"provider": "storecredit"}])


def test_a_capture_refers_to_its_authorisation(sandbox: Sandbox, shop: httpx.Client) -> None:
    made = sandbox.control.shop_order("authorised_only", restock=True)
    sandbox.control.pay_order(made["id"])
    authorised, captured = transactions(shop, made["id"])
    assert captured["reference_transaction_id"] == authorised["id"]
    assert (captured["event"], D(captured["amount"])) == ("capture", D(made["total"]))
    waiting = sandbox.control.shop_order("awaiting_payment", restock=True)
    assert sandbox.control.pay_order(waiting["id"])["status_id"] == 11


@pytest.mark.contract
@pytest.mark.parametrize("kind", ["split_tender", "authorised_only", "awaiting_payment", "jpy", "kwd"])
def test_transactions_and_refunds_are_as_the_official_file_says(
    sandbox: Sandbox, shop: httpx.Client, kind: str
) -> None:
    require_specs()
    number = sandbox.control.shop_order(kind, restock=True)["id"]
    made = sandbox.control.refund_order(number, amount="1", reason="Goodwill")
    for path in (
        f"/v3/orders/{number}/transactions",
        f"/v3/orders/{number}/payment_actions/refunds",
        f"/v3/orders/payment_actions/refunds?order_id:in={number}",
        f"/v3/orders/payment_actions/refunds/{made['id']}",
    ):
        answer = shop.get(path)
        assert answer.status_code == 200
        validate_response("GET", str(answer.url), 200, answer.headers, answer.content)


def test_all_units_refunded_one_by_one_are_the_whole_line(sandbox: Sandbox) -> None:
    made = sandbox.control.shop_order(
        restock=True, tax_rate="8.875", lines=[{"quantity": 3, "price": "19.99"}], manual_discount="0.05"
    )
    line = made["lines"][0]["id"]
    parts = [
        sandbox.control.refund_order(made["id"], lines=[{"line_id": line, "quantity": 1}]) for _ in range(3)
    ]
    paid = sandbox.control.shop_state(made["id"])[0]["consignments"]["shipping"][0]["line_items"][0]
    assert sum(D(str(one["total_amount"])) for one in parts) == D(paid["discounted_total_inc_tax"])
    assert sum(D(str(one["total_tax"])) for one in parts) == D(paid["total_tax"])
    assert paid["is_refunded"] is True
    with pytest.raises(SandboxFailed, match="0 units"):
        sandbox.control.refund_order(made["id"], lines=[{"line_id": line}])


def test_a_refund_in_full_marks_the_order_and_one_in_part_says_so(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    made = sandbox.control.shop_order(restock=True)
    line = made["lines"][0]
    sandbox.control.refund_order(made["id"], lines=[{"line_id": line["id"], "quantity": 1}])
    partly = order_of(shop, made["id"])
    assert (partly["status_id"], partly["payment_status"]) == (14, "partially refunded")
    sandbox.control.refund_order(made["id"])
    whole = order_of(shop, made["id"])
    assert (whole["status_id"], whole["payment_status"], whole["refunded_amount"]) == (
        4,
        "refunded",
        "0.0000",
    )
    assert whole["total_inc_tax"] == partly["total_inc_tax"]
    back = [row for row in transactions(shop, made["id"]) if row["event"] == "refund"]
    assert sum(D(row["amount"]) for row in back) == D(made["total"])


def test_a_declined_refund_is_told_as_declined(sandbox: Sandbox, shop: httpx.Client) -> None:
    made = sandbox.control.shop_order(restock=True)
    refund = sandbox.control.refund_order(made["id"], amount="5.00", declined=True)
    assert [one["is_declined"] for one in refund["payments"]] == [True]
    back = transactions(shop, made["id"])[-1]
    assert (back["event"], back["status"], str(back["id"])) == (
        "refund",
        "error",
        refund["payments"][0]["transaction_id"],
    )


def test_money_goes_back_the_way_it_came_and_stored_value_as_store_credit(sandbox: Sandbox) -> None:
    made = sandbox.control.shop_order(restock=True, gift_certificate="20")
    refund = sandbox.control.refund_order(made["id"])
    found = {one["provider_id"]: D(str(one["amount"])) for one in refund["payments"]}
    assert found == {"stripe": D(made["total"]) - 20, "storecredit": D(20)}


def test_refunds_are_listed_across_orders_by_id_and_window(sandbox: Sandbox, shop: httpx.Client) -> None:
    orders = sandbox.control.shop_orders(3, restock=True)
    refunds = [sandbox.control.refund_order(number, amount="1") for number in reversed(orders)]
    wanted = ",".join(map(str, orders))

    def ids(query: str) -> list[int]:
        rows = shop.get(f"/v3/orders/payment_actions/refunds?{query}").json()["data"]
        return [row["id"] for row in rows]

    assert ids(f"order_id:in={wanted}") == [one["id"] for one in refunds]
    assert ids(f"order_id:in={wanted}&limit=2&page=2") == [refunds[2]["id"]]
    assert ids(f"id:in={refunds[1]['id']}") == [refunds[1]["id"]]
    assert ids(f"order_id:in={wanted}&created:max=2020-01-01T00:00:00Z") == []
    assert len(ids(f"order_id:in={wanted}&created:min=2020-01-01T00:00:00Z")) == 3
    assert shop.get("/v3/orders/payment_actions/refunds/999999").status_code == 404


def test_either_scope_opens_the_refunds(sandbox: Sandbox, shop: httpx.Client) -> None:
    from bcns_pipeline.sandbox.options import ALL_SCOPES

    def status(scope: str) -> int:
        sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": [scope]})
        return shop.get("/v3/orders/payment_actions/refunds").status_code

    try:
        scopes = ("store_v2_orders_read_only", "store_v2_transactions_read_only", "store_v2_customers")
        assert [status(one) for one in scopes] == [200, 200, 403]
    finally:
        sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": list(ALL_SCOPES)})
