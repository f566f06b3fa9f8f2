"""The Stripe API of the sandbox: shapes, paging, filters, refusals, and that payouts tie to the shop's orders.

Put what a client of Stripe sees here. Do not put files or banks here.
"""

from __future__ import annotations

import json
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.sandbox.till import Till


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Till:
    return Till(tmp_path_factory.mktemp("till"))


@pytest.fixture
def till(shared: Till) -> Till:
    """The shared till, nothing sold and nobody paid."""
    shared.merchant.seed(shared.merchant.options)
    return shared


def transactions(till: Till, *orders: int) -> list[dict[str, Any]]:
    return [row for order in till.shop_state(*orders) for row in order["transactions"]]


def refusal(till: Till, path: str, query: str = "", key: str | None = None) -> tuple[int, dict[str, Any]]:
    answer = till.ask(path, query, key)
    return answer.status, json.loads(answer.body)["error"]


def test_a_payout_is_what_the_shop_captured_and_refunded_less_fees(till: Till) -> None:
    orders = till.shop_orders(5, restock=True)
    refunded = till.refund_order(orders[0], amount="5.00")
    till.shop_order(payment="paypal", restock=True)
    till.shop_order("authorised_only", restock=True)
    till.shop_order("declined", restock=True)
    till.refund_order(orders[1], amount="1.00", declined=True)
    (made,) = till.payout_day("stripe")
    payout = till.get(f"/v1/payouts/{made['id']}")
    rows = till.rows(made["id"])
    paid = {
        row["gateway_transaction_id"]: row
        for row in transactions(till, *orders)
        if row["event"] == "purchase"
    }
    charges = {row["source"]: row for row in rows if row["type"] == "charge"}
    assert set(charges) == set(paid)
    for name, row in charges.items():
        assert D(row["amount"]) == D(str(paid[name]["amount"])) * 100
        percent = D(row["amount"]) * D("0.029") + 30
        assert row["fee"] == int(percent + D("0.5"))
        assert row["net"] == row["amount"] - row["fee"] == row["amount"] - row["fee_details"][0]["amount"]
    (back,) = [row for row in rows if row["type"] == "refund"]
    bc = next(t for t in transactions(till, orders[0]) if t["event"] == "refund")
    assert str(bc["id"]) == refunded["payments"][0]["transaction_id"]
    assert (back["amount"], back["fee"], back["source"]) == (-500, 0, bc["gateway_transaction_id"])
    assert back["source"].startswith("re_")
    assert sum(row["net"] for row in rows) == payout["amount"]
    assert len(rows) == 6


def test_the_payouts_own_row_is_among_its_balance_transactions(till: Till) -> None:
    till.shop_orders(3, restock=True)
    (made,) = till.payout_day("stripe")
    everything = list(till.pages("/v1/balance_transactions", f"payout={made['id']}"))
    (own,) = [row for row in everything if row["type"] == "payout"]
    payout = till.get(f"/v1/payouts/{made['id']}")
    assert (own["net"], own["source"], own["id"]) == (
        -payout["amount"],
        made["id"],
        payout["balance_transaction"],
    )
    assert sum(row["net"] for row in everything) == 0
    assert all(made["id"] not in json.dumps(row) for row in everything if row is not own)


def test_what_was_paid_out_is_not_paid_again_and_the_balance_is_what_is_left(till: Till) -> None:
    till.shop_orders(2, restock=True)
    till.payout_day("stripe")
    assert till.payout_day("stripe") == []
    order = till.shop_order(restock=True)
    balance = till.get("/v1/balance")
    total = int(D(order["total"]) * 100)
    assert [row["amount"] for row in balance["available"]] == [0]
    assert [row["amount"] for row in balance["pending"]] == [total - int(total * D("0.029") + D("30.5"))]
    (second,) = till.payout_day("stripe")
    assert second["count"] == 1


def test_pages_have_at_most_a_hundred_rows_and_begin_after_the_last(till: Till) -> None:
    till.bulk_charges(250)
    (made,) = till.payout_day("stripe")
    seen, after = [], ""
    sizes = []
    while True:
        page = till.get("/v1/balance_transactions", f"payout={made['id']}&limit=100{after}")
        sizes.append((len(page["data"]), page["has_more"]))
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        after = f"&starting_after={seen[-1]}"
    assert sizes == [(100, True), (100, True), (51, False)]
    assert len(set(seen)) == 251
    assert len(till.get("/v1/balance_transactions", f"payout={made['id']}")["data"]) == 10


def test_payouts_are_filtered_by_moment_status_and_arrival(till: Till) -> None:
    till.shop_orders(2, restock=True)
    (first,) = till.payout_day("stripe", arrives=-3)
    till.shop_orders(1, restock=True)
    (second,) = till.payout_day("stripe", arrives=2)
    listed = {row["id"]: row for row in till.get("/v1/payouts")["data"]}
    assert set(listed) == {first["id"], second["id"]}
    assert [listed[one["id"]]["status"] for one in (first, second)] == ["paid", "in_transit"]
    assert listed[second["id"]]["trace_id"] == {"status": "pending", "value": None}

    def ids(query: str) -> list[str]:
        return [row["id"] for row in till.get("/v1/payouts", query)["data"]]

    edge = listed[second["id"]]["arrival_date"]
    assert edge % 86_400 == 0
    assert ids("status=paid") == [first["id"]]
    assert ids(f"arrival_date[gte]={edge}") == [second["id"]]
    assert ids(f"arrival_date[lt]={edge}") == [first["id"]]
    assert ids(f"arrival_date={edge}") == [second["id"]]
    assert ids(f"created[gt]={listed[second['id']]['created']}") == []


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "words"),
    [
        ("/v1/payouts", "limit=101", 400, None, "less than or equal to 100"),
        ("/v1/payouts", "limit=0", 400, None, "greater than or equal to 1"),
        ("/v1/payouts", "limit=x", 400, "parameter_invalid_integer", "Invalid integer"),
        ("/v1/payouts", "since=1", 400, "parameter_unknown", "unknown parameter"),
        ("/v1/payouts", "created[after]=1", 400, "parameter_unknown", "unknown parameter"),
        ("/v1/payouts", "starting_after=po_x", 400, "resource_missing", "No such payout"),
        ("/v1/payouts", "expand[]=data.sauce", 400, None, "cannot be expanded"),
        ("/v1/payouts/po_x", "", 404, "resource_missing", "No such payout: 'po_x'"),
        ("/v1/balance_transactions", "payout=po_x", 400, "resource_missing", "No such payout"),
        ("/v1/nothing", "", 404, None, "Unrecognized request URL"),
    ],
)
def test_refusals_are_stripes(
    till: Till, path: str, query: str, status: int, code: str | None, words: str
) -> None:
    found, body = refusal(till, path, query)
    assert (found, body.get("code"), body["type"]) == (status, code, "invalid_request_error")
    assert words in body["message"]


def test_a_wrong_key_is_401_and_haste_is_429(till: Till) -> None:
    status, body = refusal(till, "/v1/balance", key="sk_test_wrong")
    assert (status, body["type"]) == (401, "invalid_request_error")
    till.stripe_limit(3)
    try:
        answers = [till.ask("/v1/balance").status for _ in range(4)]
        assert answers == [200, 200, 200, 429]
        assert refusal(till, "/v1/balance")[1]["code"] == "rate_limit"
    finally:
        till.stripe_limit(0)


def test_the_source_can_be_expanded(till: Till) -> None:
    order = till.shop_order(restock=True)
    till.refund_order(order["id"], amount="2.00")
    till.move("dispute", order_id=order["id"])
    (made,) = till.payout_day("stripe")
    rows = till.get("/v1/balance_transactions", f"payout={made['id']}&limit=100&expand[]=data.source")["data"]
    found = {row["source"]["object"]: row for row in rows}
    assert set(found) == {"charge", "refund", "dispute", "payout"}
    charge = found["charge"]["source"]
    assert charge["metadata"] == {"order_id": str(order["id"])}
    assert charge["amount"] == int(D(order["total"]) * 100)
    assert found["refund"]["source"]["charge"] == found["dispute"]["source"]["charge"] == charge["id"]
    assert (found["dispute"]["amount"], found["dispute"]["fee"]) == (-charge["amount"], 1500)


def test_a_failed_payouts_money_is_a_row_of_the_next(till: Till) -> None:
    till.shop_orders(2, restock=True)
    (first,) = till.payout_day("stripe")
    failed = till.fail_payout(first["id"])
    assert failed["status"] == "failed"
    shown = till.get(f"/v1/payouts/{first['id']}", "expand[]=failure_balance_transaction")
    assert shown["failure_code"] == "account_closed"
    assert shown["failure_balance_transaction"]["amount"] == shown["amount"]
    till.shop_orders(1, restock=True)
    (second,) = till.payout_day("stripe")
    rows = till.rows(second["id"])
    assert [r["amount"] for r in rows if r["reporting_category"] == "payout_reversal"] == [shown["amount"]]
    assert sum(row["net"] for row in rows) == till.get(f"/v1/payouts/{second['id']}")["amount"]
    with pytest.raises(SandboxFailed, match="failed already"):
        till.fail_payout(first["id"], canceled=True)


def test_only_automatic_payouts_are_itemised(till: Till) -> None:
    till.shop_orders(2, restock=True)
    made = till.manual_payout(instant=True)
    shown = till.get(f"/v1/payouts/{made['id']}", "expand[]=balance_transaction")
    assert (shown["automatic"], shown["method"], shown["reconciliation_status"]) == (
        False,
        "instant",
        "not_applicable",
    )
    assert shown["balance_transaction"]["fee"] > 0
    status, body = refusal(till, "/v1/balance_transactions", f"payout={made['id']}")
    assert (status, body["param"]) == (400, "payout")
    assert till.open_movements() == []


def test_negative_and_zero_payouts(till: Till) -> None:
    order = till.shop_order(restock=True)
    till.payout_day("stripe")
    till.refund_order(order["id"])
    (negative,) = till.payout_day("stripe")
    assert till.get(f"/v1/payouts/{negative['id']}")["amount"] == -int(D(order["total"]) * 100)
    till.shop_order(restock=True)
    till.move("reserve_hold", "all")
    (zero,) = till.payout_day("stripe")
    assert (till.get(f"/v1/payouts/{zero['id']}")["amount"], zero["count"]) == (0, 2)


def test_currencies_settle_apart_or_are_converted(till: Till) -> None:
    for kind in ("plain", "eur", "jpy", "kwd"):
        till.shop_order(kind, restock=True)
    made = till.payout_day("stripe")
    assert [one["currency"] for one in made] == ["EUR", "JPY", "KWD", "USD"]
    till.payment_terms(settles=["USD"], rates={"EUR": "1.0791"})
    order = till.shop_order("eur", restock=True)
    (converted,) = till.payout_day("stripe")
    (row,) = till.rows(converted["id"])
    assert (row["currency"], row["exchange_rate"]) == ("usd", D("1.0791"))
    assert row["amount"] == int(D(order["total"]) * D("1.0791") * 100 + D("0.5"))
    assert [fee["description"] for fee in row["fee_details"]] == [
        "Stripe processing fees",
        "Stripe currency conversion fee",
    ]
    assert row["fee"] == sum(fee["amount"] for fee in row["fee_details"])


def test_minor_units_are_stripes_own(till: Till) -> None:
    till.shop_settings(currencies=["USD", "ISK", "HUF", "KWD"])
    try:
        isk = till.shop_order(currency="ISK", lines=[{"price": "1200"}], tax_rate="0", restock=True)
        till.shop_order(currency="HUF", lines=[{"price": "1234.56"}], restock=True)
        till.shop_order(currency="KWD", lines=[{"price": "12.340"}], restock=True)
        made = {one["currency"]: one for one in till.payout_day("stripe")}
        charge = till.rows(made["ISK"]["id"])[0]
        assert charge["amount"] == int(D(isk["total"]) * 100)
        forints = till.get(f"/v1/payouts/{made['HUF']['id']}")
        rows = till.rows(forints["id"])
        assert forints["amount"] % 100 == 0
        assert sum(row["net"] for row in rows) == forints["amount"]
        assert {row["reporting_category"] for row in rows} == {"charge", "payout_minimum_balance_hold"}
        assert all(row["fee"] % 10 == 0 for row in till.rows(made["KWD"]["id"]))
    finally:
        till.shop_settings(currencies=["USD", "EUR", "JPY", "KWD"])


def test_a_planted_cent_and_an_unknown_category(till: Till) -> None:
    till.shop_order(restock=True)
    till.move("unknown", "3.21")
    (made,) = till.payout_day("stripe")
    till.change_payout(made["id"], off_by="0.01", reconciliation_status="in_progress")
    payout = till.get(f"/v1/payouts/{made['id']}")
    rows = till.rows(made["id"])
    assert payout["amount"] - sum(row["net"] for row in rows) == 1
    assert payout["reconciliation_status"] == "in_progress"
    assert "quantum_settlement" in {row["reporting_category"] for row in rows}
    assert till.move("adjustment", "-2.00", word="new_thing")[0]["gross"] == "-2.00"


def test_days_of_the_past_take_what_had_come_in_by_then(till: Till) -> None:
    till.shop_orders(4, restock=True, within_seconds=4 * 86_400)
    moments = sorted(row["created"] for row in till.open_movements())
    counts = [till.payout_day("stripe", on=moment[:10])[0]["count"] for moment in moments]
    assert counts == [1, 1, 1, 1]
    listed = till.payouts_state(lines=True)
    assert all(row["created"] <= one["created"] for one in listed for row in one["lines"])


def test_it_answers_over_http_beside_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    key = {"Authorization": f"Bearer {sandbox.env['BCNS_STRIPE_API_KEY']}"}
    order = sandbox.control.shop_order(restock=True)
    (made,) = sandbox.control.payout_day("stripe", currency="USD")
    with httpx.Client(base_url=sandbox.env["BCNS_STRIPE_BASE_URL"], headers=key) as stripe:
        payout = stripe.get(f"/v1/payouts/{made['id']}")
        assert payout.status_code == 200
        assert payout.headers["request-id"].startswith("req_")
        rows = stripe.get("/v1/balance_transactions", params={"payout": made["id"], "limit": 100}).json()
        assert f"Order {order['id']}" in {row["description"] for row in rows["data"]}
        sandbox.control.faults(
            {"system": "stripe", "kind": "429"}, {"system": "stripe", "kind": "5xx", "skip": 1}
        )
        assert [stripe.get("/v1/balance").status_code for _ in range(3)] == [429, 503, 200]
    assert Path(sandbox.env["BCNS_PAYOUT_DROP_DIR"]).is_dir()
    assert Path(sandbox.env["BCNS_BANK_DROP_DIR"]).is_dir()
