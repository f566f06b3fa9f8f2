"""NetSuite's credit memos, customer refunds and cash refunds: what they post, what is left, what is refused.

Put expectations of all three here. Do not put payments here (test_applications.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline_tests.sandbox.desk import ITEMS, Desk, line, tax
from bcns_pipeline_tests.sandbox.money import (
    IDS,
    STRIPE,
    balances,
    deposit,
    invoice,
    ledger,
    opened,
    shipped,
    status,
)
from bcns_pipeline_tests.sandbox.test_applications import apply, euros

FROM_STRIPE = {"account": {"id": IDS["1130"]}}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account without any tax engine."""
    return Desk(tax_engine="none")


def memo(desk: Desk, customer: Any, *lines: dict[str, Any], **more: Any) -> int:
    """A credit memo on its own."""
    body = {"entity": customer, "item": {"items": list(lines)}, **more}
    return desk.post("creditMemo", body)


def refund(customer: Any, **more: Any) -> dict[str, Any]:
    """A refund out of the Stripe clearing account."""
    return {"customer": customer, **FROM_STRIPE, **more}


def test_the_worked_example_of_a_refund_to_card_and_store_credit() -> None:
    """facts/finance.md 4.2, example D."""
    fresh = Desk()
    customer = {"id": str(fresh.customer())}
    journal = fresh.post(
        "journalEntry",
        {
            "subsidiary": {"id": "1"},
            "approved": True,
            "line": {
                "items": [
                    {"account": {"id": IDS["1200"]}, "debit": 30, "entity": customer},
                    {"account": {"id": IDS["2320"]}, "credit": 30},
                ]
            },
        },
    )
    made = memo(
        fresh,
        customer,
        line(ITEMS["refund_no_return"], 1, 120, taxDetailsReference="A"),
        subsidiary={"id": "1"},
        taxDetailsOverride=True,
        taxDetails={"items": [tax("A", 120, "8.875", "10.65")]},
        **apply(journal, 30),
    )
    assert ledger(fresh, made) == {"4050": 120, "2340": Decimal("10.65"), "1200": Decimal("-130.65")}
    assert opened(fresh, made) == Decimal("100.65")
    paid = fresh.post("customerRefund", refund(customer, **apply(made, "100.65")))
    assert ledger(fresh, paid) == {"1130": Decimal("-100.65"), "1200": Decimal("100.65")}
    assert (opened(fresh, made), status(fresh, made)) == (0, "B")
    assert balances(fresh) == {
        "1130": Decimal("-100.65"),
        "1200": 0,
        "2320": -30,
        "2340": Decimal("10.65"),
        "4050": 120,
    }
    totals = fresh.sql(
        "SELECT type, foreigntotal f FROM transaction WHERE id IN (?, ?) ORDER BY id", str(made), str(paid)
    )
    assert [(row["type"], row["f"]) for row in totals] == [("CustCred", "-130.65"), ("CustRfnd", "-100.65")]


def test_never_more_is_refunded_than_is_open(desk: Desk) -> None:
    customer = {"id": str(desk.customer())}
    made = memo(desk, customer, line(ITEMS["goodwill"], 1, 20))
    body = refund(customer, **apply(made, "20.01"))
    assert "can't exceed the amount remaining, which is 20" in desk.refused("POST", "customerRefund", body)[1]
    desk.post("customerRefund", refund(customer, **apply(made, 15)))
    over = refund(customer, **apply(made, 6))
    assert "which is 5" in desk.refused("POST", "customerRefund", over)[1]
    desk.post("customerRefund", refund(customer, **apply(made)))
    assert status(desk, made) == "B"
    assert "which is 0" in desk.refused("POST", "customerRefund", refund(customer, **apply(made)))[1]


def test_a_deposit_is_paid_back_as_far_as_it_is_open(desk: Desk) -> None:
    order = desk.order(line(1001, 1, 30))
    customer = desk.get(f"salesOrder/{order}")["entity"]
    paid = deposit(desk, order, 30)
    rows = apply(paid, 12)["apply"]
    made = desk.post("customerRefund", refund(customer, deposit=rows))
    assert ledger(desk, made) == {"1130": -12, "2300": 12}
    assert opened(desk, paid) == 18
    shown = desk.get(f"customerRefund/{made}")
    assert (shown["total"], shown["deposit"]["items"]) == (12, [])
    over = refund(customer, deposit=apply(paid, 19)["apply"])
    assert "which is 18" in desk.refused("POST", "customerRefund", over)[1]
    # A deposit is no credit of receivables.
    assert "field: doc" in desk.refused("POST", "customerRefund", refund(customer, **apply(paid, 1)))[1]
    assert "can't be changed" in desk.refused("PATCH", f"customerRefund/{made}", {"deposit": rows})[1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"account": None}, "You must enter a value for account"),
        ({"account": {"id": IDS["4050"]}}, "following field: account"),
        ({"apply": {"items": []}}, "choose at least one credit"),
        ({"customer": None}, "You must enter a value for customer"),
    ],
    ids=str,
)
def test_a_refund_needs_a_bank_and_something_to_pay_back(
    desk: Desk, changes: dict[str, Any], text: str
) -> None:
    customer = {"id": str(desk.customer())}
    made = memo(desk, customer, line(ITEMS["goodwill"], 1, 20))
    body = {**refund(customer, **apply(made, 5)), **changes}
    given = {name: value for name, value in body.items() if value is not None}
    assert text in desk.refused("POST", "customerRefund", given)[1]
    assert opened(desk, made) == 20


def test_a_credit_memo_pays_an_invoice_at_once_or_later(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 1, 50)))
    customer = desk.get(f"invoice/{owed}")["entity"]
    made = memo(desk, customer, line(ITEMS["gift_redemption"], 1, 20), **apply(owed, 15))
    assert ledger(desk, made) == {"2310": 20, "1200": -20}
    assert (opened(desk, owed), opened(desk, made)) == (35, 5)
    desk.patch(f"creditMemo/{made}", apply(owed, 20))
    assert (opened(desk, owed), opened(desk, made), status(desk, made)) == (30, 0, "B")
    body = {"entity": customer, "item": {"items": [line(ITEMS["goodwill"], 1, 5)]}, **apply(owed, 6)}
    assert "which is 5" in desk.refused("POST", "creditMemo", body)[1]
    assert opened(desk, owed) == 30


def test_restocking_fees_lower_a_credit_memo_but_not_below_nothing(desk: Desk) -> None:
    customer = {"id": str(desk.customer())}
    lines = (line(ITEMS["refund_no_return"], 1, 20), line(ITEMS["restocking"], 1, -5))
    made = memo(desk, customer, *lines)
    assert ledger(desk, made) == {"4050": 20, "4060": -5, "1200": -15}
    body = {"entity": customer, "item": {"items": [line(ITEMS["restocking"], 1, -5)]}}
    assert "can't be negative" in desk.refused("POST", "creditMemo", body)[1]


def test_an_invoice_is_credited_once_line_by_line_and_goods_come_back(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 3, 10), line(1002, 1, 5)))
    first, second = (one["line"] for one in desk.get(f"invoice/{owed}")["item"]["items"])
    path = f"invoice/{owed}/!transform/creditMemo"
    before = desk.level(1001, 1)[0]
    rows = {"item": {"items": [{"orderLine": first, "quantity": 2}, {"orderLine": second, "quantity": 0}]}}
    made = desk.post(path, {**rows, **apply(owed)})
    assert desk.get(f"creditMemo/{made}")["total"] == 20
    assert int(desk.level(1001, 1)[0]) == int(before) + 2
    assert (opened(desk, owed), opened(desk, made)) == (15, 0)
    over = {"item": {"items": [{"orderLine": first, "quantity": 2}]}}
    assert "more than is left of it, which is 1" in desk.refused("POST", path, over)[1]
    # Without `apply` it stays open.
    rest = desk.post(path, {})
    assert (desk.get(f"creditMemo/{rest}")["total"], opened(desk, rest), opened(desk, owed)) == (15, 15, 15)
    assert "nothing is left" in desk.refused("POST", path, {})[1]


def test_a_credit_memo_in_euros_is_refunded_at_another_rate(desk: Desk) -> None:
    said = euros(desk, "1.05")
    made = memo(desk, said.pop("entity"), line(ITEMS["goodwill"], 1, 100), **said)
    customer = desk.get(f"creditMemo/{made}")["entity"]
    body = {
        "customer": customer,
        "currency": {"id": "2"},
        "exchangeRate": Decimal("1.10"),
        "account": {"id": IDS["1133"]},
        **apply(made),
    }
    paid = desk.post("customerRefund", body)
    assert ledger(desk, paid) == {"1133": -110, "1200": 105, "7000": 5}
    assert "field: doc" in desk.refused("POST", "customerRefund", refund(customer, **apply(made)))[1]


def test_a_cash_sale_is_paid_back_from_its_account_but_never_twice(desk: Desk) -> None:
    sale = desk.post("cashSale", {**desk.body(line(1001, 2, 20), line(1002, 1, 5)), **STRIPE})
    first, second = (one["line"] for one in desk.get(f"cashSale/{sale}")["item"]["items"])
    path = f"cashSale/{sale}/!transform/cashRefund"
    rows = [{"orderLine": first, "quantity": 1}, {"orderLine": second, "quantity": 0}]
    made = desk.post(path, {"externalId": "bc-cash-refund", "item": {"items": rows}})
    assert ledger(desk, made) == {"1130": -20, "4000": 20}
    more = [{"orderLine": first, "quantity": 1, "amount": 30}]
    assert "left of the cash sale, which is 25" in desk.refused("POST", path, {"item": {"items": more}})[1]
    desk.post(path, {})
    assert "nothing is left" in desk.refused("POST", path, {})[1]


def test_a_cash_refund_on_its_own_names_its_account(desk: Desk) -> None:
    body = {"entity": {"id": str(desk.customer())}, "item": {"items": [line(ITEMS["goodwill"], 1, 7)]}}
    assert "You must enter a value for account" in desk.refused("POST", "cashRefund", body)[1]
    made = desk.post("cashRefund", {**body, **FROM_STRIPE})
    assert ledger(desk, made) == {"1130": -7, "4050": 7}
    row = desk.sql("SELECT foreigntotal f, recordtype r FROM transaction WHERE id = ?", str(made))
    assert row == [{"f": "-7", "r": "cashrefund"}]
