"""NetSuite's deposit applications and customer payments: what they settle, what that posts, what is refused.

Put expectations of both here. Do not put credits and refunds here (test_credits.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.sandbox.office_finance import Accountant
from bcns_pipeline_tests.sandbox.desk import Desk, line
from bcns_pipeline_tests.sandbox.money import (
    STRIPE,
    balances,
    deposit,
    invoice,
    ledger,
    opened,
    shipped,
    status,
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account without any tax engine."""
    return Desk(tax_engine="none")


def apply(number: int, amount: Any = None, **more: Any) -> dict[str, Any]:
    """The `apply` sublist with one document."""
    row: dict[str, Any] = {"doc": {"id": str(number)}, "apply": True, **more}
    return {"apply": {"items": [row if amount is None else {**row, "amount": Decimal(str(amount))}]}}


def euros(desk: Desk, rate: str) -> dict[str, Any]:
    """What an order in euros says, of a customer who may have it."""
    customer = desk.customer(currencyList={"items": [{"currency": {"id": "2"}}]})
    return {"entity": {"id": str(customer)}, "currency": {"id": "2"}, "exchangeRate": Decimal(rate)}


def payer(desk: Desk, number: int) -> dict[str, Any]:
    """A payment of an invoice's customer on the clearing account."""
    return {"customer": desk.get(f"invoice/{number}")["entity"], **STRIPE}


def test_an_applied_deposit_pays_the_invoice() -> None:
    fresh = Desk(tax_engine="none")
    order = shipped(fresh, line(1001, 2, "19.99"))
    paid = deposit(fresh, order, "39.98")
    owed = invoice(fresh, order)
    path = f"customerDeposit/{paid}/!transform/depositApplication"
    made = fresh.post(path, {"externalId": "bc-apply-1", **apply(owed, "39.98")})
    assert ledger(fresh, made) == {"2300": Decimal("39.98"), "1200": Decimal("-39.98")}
    assert (status(fresh, owed), status(fresh, paid), opened(fresh, owed), opened(fresh, paid)) == (
        "B",
        "C",
        0,
        0,
    )
    shown = fresh.get(f"depositApplication/{made}")
    assert (shown["deposit"]["id"], shown["apply"]["items"][0]["doc"]["id"]) == (str(paid), str(owed))
    assert balances(fresh) == {"1130": Decimal("39.98"), "1200": 0, "2300": 0, "4000": Decimal("-39.98")}
    links = fresh.sql(
        "SELECT previousdoc p, linktype t FROM previoustransactionlink WHERE nextdoc = ? ORDER BY linktype",
        str(made),
    )
    assert links == [{"p": str(paid), "t": "DepAppl"}, {"p": str(owed), "t": "Payment"}]
    rows = fresh.sql(
        """SELECT transaction, amountpaid, amountunpaid FROM transactionaccountingline
           WHERE amountpaid IS NOT NULL ORDER BY transaction"""
    )
    assert [(int(row["transaction"]), row["amountpaid"], row["amountunpaid"]) for row in rows] == [
        (paid, "39.98", "0"),
        (owed, "39.98", "0"),
    ]
    assert "invalid reference" in fresh.refused("POST", path, apply(owed))[1]


def test_open_and_applied_are_the_deposit(desk: Desk) -> None:
    order = shipped(desk, line(1001, 1, 30), line(1002, 1, 20))
    first, second = (one["line"] for one in desk.get(f"salesOrder/{order}")["item"]["items"])
    paid = deposit(desk, order, 50)
    one = invoice(desk, order, item={"items": [{"orderLine": second, "quantity": 0}]})
    path = f"customerDeposit/{paid}/!transform/depositApplication"
    assert "can't exceed the amount remaining, which is 30" in desk.refused("POST", path, apply(one, 31))[1]
    desk.post(path, apply(one))
    assert (opened(desk, paid), status(desk, paid)) == (20, "B")
    two = invoice(desk, order)
    desk.post(path, apply(two, "12.50"))
    assert (opened(desk, paid), opened(desk, two), status(desk, two)) == (
        Decimal("7.50"),
        Decimal("7.50"),
        "A",
    )
    assert first != second


@pytest.mark.parametrize(
    ("body", "text"),
    [({}, "choose at least one"), (apply(1), "Invalid Field Value 1 for the following field: doc"), (apply(0), "doc")],
    ids=["nothing", "unknown", "none such"],
)  # fmt: skip
def test_an_application_names_what_it_pays(desk: Desk, body: dict[str, Any], text: str) -> None:
    paid = deposit(desk, desk.order(), 5)
    assert text in desk.refused("POST", f"customerDeposit/{paid}/!transform/depositApplication", body)[1]


def test_a_deposit_on_an_order_pays_no_other_orders_invoice(desk: Desk) -> None:
    order = shipped(desk, line(1001, 1, 30))
    owed = invoice(desk, order)
    customer = desk.get(f"salesOrder/{order}")["entity"]
    other = desk.order(line(1001, 1, 30), entity=customer)
    paid = deposit(desk, other, 30)
    path = f"customerDeposit/{paid}/!transform/depositApplication"
    assert "following field: doc" in desk.refused("POST", path, apply(owed))[1]


def test_what_rates_have_moved_since_the_deposit_is_a_realised_loss(desk: Desk) -> None:
    order = shipped(desk, line(1001, 1, 100), **euros(desk, "1.05"))
    paid = deposit(desk, order, 100, account=None, undepFunds=None, currency={"id": "2"}, exchangeRate=1.0850)
    owed = invoice(desk, order)
    made = desk.post(f"customerDeposit/{paid}/!transform/depositApplication", apply(owed))
    assert ledger(desk, paid) == {"1090": Decimal("108.50"), "2300": Decimal("-108.50")}
    assert ledger(desk, owed) == {"1200": 105, "4000": -105}
    assert ledger(desk, made) == {"2300": Decimal("108.50"), "1200": -105, "7000": Decimal("-3.50")}


def test_parts_of_a_foreign_invoice_leave_no_cent_in_the_base_currency(desk: Desk) -> None:
    order = shipped(desk, line(1001, 1, 10), **euros(desk, "1.0877"))
    owed = invoice(desk, order)
    before = balances(desk)["1200"]
    worth = ledger(desk, owed)["1200"]
    for amount in ("3.33", "3.33", "3.34"):
        body = {
            **payer(desk, owed),
            "account": {"id": "116"},
            "currency": {"id": "2"},
            "payment": Decimal(amount),
            "exchangeRate": Decimal("1.1"),
            **apply(owed, amount),
        }
        desk.post("customerPayment", body)
    assert (opened(desk, owed), status(desk, owed)) == (0, "B")
    assert balances(desk)["1200"] == before - worth
    left = desk.sql(
        "SELECT amountunpaid a FROM transactionaccountingline WHERE transaction = ? AND transactionline = 0",
        str(owed),
    )
    assert left == [{"a": "0"}]


def test_a_payment_pays_invoices_and_keeps_the_rest(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 1, 30)))
    made = desk.post("customerPayment", {**payer(desk, owed), "payment": 50, **apply(owed, 30)})
    assert ledger(desk, made) == {"1130": 50, "1200": -50}
    shown = desk.get(f"customerPayment/{made}")
    assert (shown["applied"], shown["unapplied"], shown["status"]["id"]) == (30, 20, "C")
    assert (opened(desk, made), status(desk, owed)) == (20, "B")
    # More of it is applied later; lines are known by their document.
    order = shipped(desk, line(1001, 1, 15), entity=desk.get(f"invoice/{owed}")["entity"])
    later = invoice(desk, order)
    path = f"customerPayment/{made}"
    desk.patch(path, apply(later, 15))
    assert (opened(desk, made), opened(desk, later)) == (5, 0)
    desk.patch(path, apply(owed, apply=False))
    assert (opened(desk, made), opened(desk, owed), status(desk, owed)) == (35, 30, "A")


def test_a_payment_is_never_less_than_what_it_applies(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 1, 30)))
    given = {**payer(desk, owed), "payment": 20, **apply(owed, 25)}
    assert "unapplied of this transaction, which is 20" in desk.refused("POST", "customerPayment", given)[1]
    assert opened(desk, owed) == 30
    over = {**payer(desk, owed), "payment": 90, **apply(owed, 31)}
    assert (
        "can't exceed the amount remaining, which is 30" in desk.refused("POST", "customerPayment", over)[1]
    )


def test_a_payment_made_from_an_invoice_pays_it(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 1, 30)))
    path = f"invoice/{owed}/!transform/customerPayment"
    made = desk.post(path, {"externalId": "bc-pay-1", "payment": 10, **STRIPE})
    assert (opened(desk, owed), opened(desk, made)) == (20, 0)
    desk.post(path, dict(STRIPE))
    assert status(desk, owed) == "B"
    assert "invalid reference" in desk.refused("POST", path, dict(STRIPE))[1]


def test_a_payment_applies_itself_to_the_oldest_invoices_where_it_is_told_to(desk: Desk) -> None:
    first = invoice(desk, shipped(desk, line(1001, 1, 30)))
    customer = desk.get(f"invoice/{first}")["entity"]
    second = invoice(desk, shipped(desk, line(1001, 1, 30), entity=customer))
    desk.post("customerPayment", {**payer(desk, first), "payment": 40, "autoApply": True})
    assert (opened(desk, first), opened(desk, second)) == (0, 20)


def test_nobody_pays_what_somebody_else_owes(desk: Desk) -> None:
    owed = invoice(desk, shipped(desk, line(1001, 1, 30)))
    body = {"customer": {"id": str(desk.customer())}, "payment": 30, **STRIPE, **apply(owed)}
    assert "following field: doc" in desk.refused("POST", "customerPayment", body)[1]


def test_a_deposit_may_apply_itself_and_fail_at_it_after_the_invoice_was_made(desk: Desk) -> None:
    order = shipped(desk, line(1001, 1, 30))
    paid = deposit(desk, order, 30)
    desk.settings.deposits_apply_themselves = True
    owed = invoice(desk, order)
    desk.settings.deposits_apply_themselves = False
    assert (opened(desk, owed), opened(desk, paid)) == (0, 0)
    other = shipped(desk, line(1001, 1, 30))
    deposit(desk, other, 30)
    Accountant(desk.office).fail_deposits({"times": 1})
    body = {"externalId": "bc-invoice-failing"}
    code, text, _ = desk.refused("POST", f"salesOrder/{other}/!transform/invoice", body)
    assert (code, "automatic application of the deposit" in text) == ("USER_ERROR", True)
    made = desk.sql("SELECT id, status FROM transaction WHERE externalid = ?", "bc-invoice-failing")
    assert [row["status"] for row in made] == ["A"]
    assert status(desk, other) == "G"
