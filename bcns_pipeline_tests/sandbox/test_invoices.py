"""NetSuite's deposits and invoices: what they post, what is billed of an order, what is refused.

Put expectations of both here. Do not put applications and payments here (test_applications.py).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from bcns_pipeline_tests.sandbox.desk import ITEMS, METHODS, Desk, line, tax
from bcns_pipeline_tests.sandbox.money import IDS, balances, deposit, invoice, ledger, opened, shipped, status

UPS = {"shipMethod": {"id": METHODS["UPS Ground"]}}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account with SuiteTax."""
    return Desk()


@pytest.fixture(scope="module")
def untaxed() -> Desk:
    """One account without any tax engine."""
    return Desk(tax_engine="none")


def test_the_ledger_starts_empty() -> None:
    fresh = Desk()
    assert balances(fresh) == {}
    kinds = "'CustDep', 'DepAppl', 'CustInvc', 'CustPymt', 'CustCred', 'CustRfnd', 'CashRfnd', 'Journal'"
    assert fresh.sql(f"SELECT id FROM transaction WHERE type IN ({kinds})") == []


def test_a_deposit_debits_the_clearing_account_and_owes_it_to_the_customer(untaxed: Desk) -> None:
    order = untaxed.order(line(1001, 2, "19.99"))
    made = deposit(untaxed, order, "39.98", memo="BigCommerce 1")
    assert ledger(untaxed, made) == {"1130": Decimal("39.98"), "2300": Decimal("-39.98")}
    assert (status(untaxed, made), opened(untaxed, made)) == ("B", Decimal("39.98"))
    shown = untaxed.get(f"customerDeposit/{made}")
    assert (shown["payment"], shown["salesOrder"]["id"], shown["account"]["id"]) == (
        Decimal("39.98"),
        str(order),
        IDS["1130"],
    )
    row = untaxed.sql(
        """SELECT t.recordtype, t.posting, t.foreigntotal, tl.createdfrom FROM transaction t
           JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'T' WHERE t.id = ?""",
        str(made),
    )
    assert row == [
        {"recordtype": "customerdeposit", "posting": "T", "foreigntotal": "39.98", "createdfrom": str(order)}
    ]


def test_without_an_account_a_deposit_lies_among_undeposited_funds(untaxed: Desk) -> None:
    order = untaxed.order()
    made = deposit(untaxed, order, 10, account=None, undepFunds=None)
    assert ledger(untaxed, made) == {"1090": 10, "2300": -10}
    assert status(untaxed, made) == "A"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"customer": None}, "You must enter a value for customer"),
        ({"payment": None}, "You must enter a value for payment"),
        ({"payment": 0}, "Invalid payment amount 0"),
        ({"payment": 1.005}, "Invalid payment amount 1.005"),
        ({"account": None}, "You must enter a value for account"),
        ({"account": {"id": IDS["4000"]}}, f"Invalid Field Value {IDS['4000']} for the following field: account"),
        ({"account": {"id": IDS["1133"]}}, f"Invalid Field Value {IDS['1133']} for the following field: account"),
        ({"account": {"id": "999"}}, "Invalid Field Value 999 for the following field: account"),
        ({"salesOrder": {"id": "1"}}, "Invalid Field Value 1 for the following field: salesorder"),
        ({"tranDate": "2020-01-15"}, "There is no open period"),
        ({"taxCode": "11"}, "taxCode"),
    ],
    ids=str,
)  # fmt: skip
def test_a_deposit_that_can_not_be_is_refused(untaxed: Desk, changes: dict[str, object], text: str) -> None:
    order = untaxed.order()
    body = {
        "customer": untaxed.get(f"salesOrder/{order}")["entity"],
        "salesOrder": {"id": str(order)},
        "payment": 5,
        "account": {"id": IDS["1130"]},
        "undepFunds": {"id": "F"},
        **changes,
    }
    given = {name: value for name, value in body.items() if value is not None}
    assert text in untaxed.refused("POST", "customerDeposit", given)[1]


def test_a_deposit_on_the_order_of_somebody_else_is_refused(untaxed: Desk) -> None:
    order, other = untaxed.order(), untaxed.customer()
    body = {"customer": {"id": str(other)}, "salesOrder": {"id": str(order)}, "payment": 5}
    assert "salesorder" in untaxed.refused("POST", "customerDeposit", body)[1]


def test_orders_and_money_share_one_namespace_of_external_ids(untaxed: Desk) -> None:
    order = untaxed.order()
    name = untaxed.get(f"salesOrder/{order}")["externalId"]
    customer = untaxed.get(f"salesOrder/{order}")["entity"]
    body = {"externalId": name, "customer": customer, "payment": 5}
    assert "already exists" in untaxed.refused("POST", "customerDeposit", body)[1]


def test_a_shipped_order_becomes_an_invoice_of_the_same_total(desk: Desk) -> None:
    order = desk.order(
        line(1001, 2, "19.99", taxDetailsReference="A"),
        line(ITEMS["discount"], rate="-4.00"),
        taxDetailsOverride=True,
        taxDetails={"items": [tax("A", "35.98", "8.875", "3.19"), tax("S", "9.95", "8.875", "0.88")]},
        shippingCost=Decimal("9.95"),
        shipGroup={"items": [{"shippingTaxDetailsReference": "S"}]},
        **UPS,
    )
    assert status(desk, order) == "B"
    assert "invalid reference" in desk.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[1]
    desk.office.fulfil({"order": order})
    assert status(desk, order) == "F"
    made = invoice(desk, order, memo="first")
    whole, billed = desk.get(f"salesOrder/{order}"), desk.get(f"invoice/{made}")
    assert billed["total"] == whole["total"] == Decimal("50")
    assert (billed["taxTotal"], billed["createdFrom"]["id"]) == (Decimal("4.07"), str(order))
    assert ledger(desk, made) == {
        "1200": 50,
        "4000": Decimal("-39.98"),
        "4030": 4,
        "4010": Decimal("-9.95"),
        "2340": Decimal("-4.07"),
    }
    assert (status(desk, order), status(desk, made), opened(desk, made)) == ("G", "A", Decimal(50))
    link = desk.sql("SELECT previousdoc, linktype FROM previoustransactionlink WHERE nextdoc = ?", str(made))
    assert link == [{"previousdoc": str(order), "linktype": "OrdBill"}]
    assert "invalid reference" in desk.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[1]


def test_what_was_shipped_is_billed_and_the_rest_later(untaxed: Desk) -> None:
    order = untaxed.order(
        line(1001, 3, "16.6583", amount=Decimal("49.98")), line(1002, 1, "5"), line(ITEMS["fee"], 1, "2.50")
    )
    first, second, fee = (one["line"] for one in untaxed.get(f"salesOrder/{order}")["item"]["items"])
    untaxed.office.fulfil({"order": order, "lines": [{"line": first, "quantity": 1}]})
    assert status(untaxed, order) == "E"
    one = invoice(untaxed, order)
    # A part costs rate times quantity, and charges that are never shipped come with the first invoice.
    assert untaxed.get(f"invoice/{one}")["total"] == Decimal("19.16")
    assert status(untaxed, order) == "D"
    untaxed.office.fulfil({"order": order})
    over = {"item": {"items": [{"orderLine": first, "quantity": 3}]}}
    path = f"salesOrder/{order}/!transform/invoice"
    assert "more than can be billed, which is 2" in untaxed.refused("POST", path, over)[1]
    two = invoice(untaxed, order, item={"items": [{"orderLine": second, "quantity": 0}]})
    assert untaxed.get(f"invoice/{two}")["total"] == Decimal("33.32")
    assert status(untaxed, order) == "F"
    three = invoice(untaxed, order)
    assert untaxed.get(f"invoice/{three}")["total"] == 5
    assert status(untaxed, order) == "G"
    rows = untaxed.sql(
        "SELECT id, quantitybilled b FROM transactionline WHERE transaction = ? AND mainline = 'F' ORDER BY id",
        str(order),
    )
    assert {int(row["id"]): row["b"] for row in rows} == {first: "3", second: "1", fee: "1"}


def test_an_amount_of_the_request_beats_the_parts_own(untaxed: Desk) -> None:
    order = shipped(untaxed, line(1001, 3, "16.6583", amount=Decimal("49.98")))
    number = untaxed.get(f"salesOrder/{order}")["item"]["items"][0]["line"]
    part = {"orderLine": number, "quantity": 1, "amount": Decimal("16.67")}
    assert untaxed.get(f"invoice/{invoice(untaxed, order, item={'items': [part]})}")["total"] == Decimal(
        "16.67"
    )


def test_overridden_tax_is_split_so_that_partial_invoices_add_up(desk: Desk) -> None:
    order = desk.order(
        line(1001, 3, "10", taxDetailsReference="A"),
        taxDetailsOverride=True,
        taxDetails={"items": [tax("A", 30, "8.875", "2.66")]},
    )
    number = desk.get(f"salesOrder/{order}")["item"]["items"][0]["line"]
    taxes = []
    for _ in range(3):
        desk.office.fulfil({"order": order, "lines": [{"line": number, "quantity": 1}]})
        taxes.append(desk.get(f"invoice/{invoice(desk, order)}")["taxTotal"])
    assert taxes == [Decimal("0.89"), Decimal("0.88"), Decimal("0.89")]


def test_an_account_may_forget_overridden_tax_on_the_way(desk: Desk) -> None:
    desk.settings.tax_override_survives = False
    order = shipped(
        desk,
        line(1001, 1, "100", taxDetailsReference="A"),
        taxDetailsOverride=True,
        taxDetails={"items": [tax("A", 100, "8.875", "8.87")]},
    )
    assert desk.get(f"invoice/{invoice(desk, order)}")["taxTotal"] == Decimal("8.88")
    desk.settings.tax_override_survives = True


def test_foreign_invoices_post_in_the_base_currency_and_balance(untaxed: Desk) -> None:
    customer = untaxed.customer(currencyList={"items": [{"currency": {"id": "2"}}]})
    order = shipped(
        untaxed,
        line(1001, 1, "3.33"),
        line(1002, 1, "3.33"),
        line(1003, 1, "3.34"),
        entity={"id": str(customer)},
        currency={"id": "2"},
        exchangeRate=Decimal("1.085"),
    )
    made = invoice(untaxed, order)
    assert ledger(untaxed, made) == {"1200": Decimal("10.85"), "4000": Decimal("-10.85")}
    row = untaxed.sql(
        "SELECT foreigntotal f, total t, exchangerate e FROM transaction WHERE id = ?", str(made)
    )
    assert row == [{"f": "10", "t": "10.85", "e": "1.085"}]


def test_nothing_posts_into_a_closed_or_locked_period() -> None:
    fresh = Desk(tax_engine="none")
    order = shipped(fresh)
    for state in ("closed", "locked"):
        fresh.people.period({"state": state})
        text = fresh.refused("POST", f"salesOrder/{order}/!transform/invoice", {})[1]
        assert f"Period is {state}" in text
        body = {"customer": fresh.get(f"salesOrder/{order}")["entity"], "payment": 5}
        assert f"Period is {state}" in fresh.refused("POST", "customerDeposit", body)[1]
    fresh.people.period({"state": "open"})
    invoice(fresh, order)


def test_a_cash_sale_posts_to_its_account(untaxed: Desk) -> None:
    body = {**untaxed.body(line(1001, 1, "20")), "account": {"id": IDS["1130"]}}
    made = untaxed.post("cashSale", body)
    assert ledger(untaxed, made) == {"1130": 20, "4000": -20}
