"""The finance office on the control port: what people do by hand, and what the integration can see of it.

Put verbs on money records and looks into the ledger here. Do not put rules of record types here.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.sandbox.conftest import Suiteql
from bcns_pipeline_tests.sandbox.money import IDS

BASE = "/services/rest/record/v1"


def make(netsuite: httpx.Client, record: str, body: dict[str, Any]) -> int:
    """A record that NetSuite takes."""
    answer = netsuite.post(f"{BASE}/{record}", json=body)
    assert answer.status_code == 204, answer.text
    return int(answer.headers["Location"].rsplit("/", 1)[1])


@pytest.fixture
def order(sandbox: Sandbox) -> str:
    """An order of one service, which needs no shipping."""
    items = sandbox.accounting["items"]
    made = sandbox.control.legacy_order(
        externalid=f"bc-money-order-{secrets.token_hex(4)}",
        lines=[{"item": items["fee"], "quantity": 4, "rate": 25}],
    )
    return str(made["order"])


def test_what_people_enter_is_told_from_what_the_integration_does(
    sandbox: Sandbox, netsuite: httpx.Client, suiteql: Suiteql, order: str
) -> None:
    control = sandbox.control
    stood = Decimal(control.ledger()["balances"].get("1130", "0"))
    lines = [{"account": "6700", "debit": 5, "memo": "goodwill"}, {"account": "1130", "credit": 5}]
    by_hand = control.enter_journal(lines, memo="by hand")["journal"]
    ours = make(
        netsuite,
        "journalEntry",
        {
            "subsidiary": {"id": "1"},
            "approved": False,
            "line": {
                "items": [
                    {"account": {"id": IDS["1010"]}, "debit": 7},
                    {"account": {"id": IDS["1130"]}, "credit": 7},
                ]
            },
        },
    )
    bill = control.enter_invoice(order, lines=[{"orderLine": 1, "quantity": 1}])["invoice"]
    query = "SELECT id, createdby, lastmodifiedby, posting FROM transaction WHERE id IN (?, ?, ?) ORDER BY id"
    before = suiteql(query, str(by_hand), str(ours), str(bill)).json()["items"]
    assert [(row["createdby"], row["posting"]) for row in before] == [("42", "T"), ("17", "F"), ("42", "T")]
    assert Decimal(control.ledger()["balances"]["1130"]) == stood - 5
    control.approve_journal()
    after = suiteql(query, str(by_hand), str(ours), str(bill)).json()["items"][1]
    assert (after["createdby"], after["lastmodifiedby"], after["posting"]) == ("17", "42", "T")
    told = control.ledger("1130")
    assert Decimal(told["balances"]["1130"]) == stood - 12
    assert [(one["id"], one["base"]) for one in told["postings"]][-2:] == [
        (by_hand, "-5.00"),
        (ours, "-7.00"),
    ]
    shown = control.transactions(id=by_hand)[0]
    assert (shown["by"], shown["postings"][0]["base"]) == (42, "5.00")


def test_a_person_voids_or_deletes_what_nothing_else_settles(
    sandbox: Sandbox, netsuite: httpx.Client, suiteql: Suiteql, order: str
) -> None:
    control = sandbox.control
    bill = control.enter_invoice(order, lines=[{"orderLine": 1, "quantity": 1}])["invoice"]
    customer = netsuite.get(f"{BASE}/invoice/{bill}").json()["entity"]
    paid = make(
        netsuite,
        "customerPayment",
        {
            "customer": customer,
            "payment": 25,
            "account": {"id": IDS["1130"]},
            "apply": {"items": [{"doc": {"id": str(bill)}, "amount": 25}]},
        },
    )
    with pytest.raises(SandboxFailed, match="settled by other transactions"):
        control.void_money(bill)
    control.void_money(paid)
    query = "SELECT status, voided, foreigntotal, foreignamountunpaid FROM transaction WHERE id = ?"
    (gone,) = suiteql(query, str(paid)).json()["items"]
    assert (gone["voided"], gone["foreigntotal"]) == ("T", "0")
    (row,) = suiteql(query, str(bill)).json()["items"]
    assert (row["status"], row["foreignamountunpaid"]) == ("A", "25")
    lines = "SELECT COUNT(*) n FROM transactionaccountingline WHERE transaction IN (?, ?)"
    assert suiteql(lines, str(paid), str(paid)).json()["items"][0]["n"] == "0"
    billed = "SELECT quantitybilled b FROM transactionline WHERE transaction = ? AND id = 1"
    before = int(suiteql(billed, order).json()["items"][0]["b"])
    control.void_money(bill, delete=True)
    assert suiteql(query, str(bill)).json()["items"] == []
    deleted = suiteql("SELECT type FROM deletedrecord WHERE recordid = ?", str(bill)).json()["items"]
    assert [one["type"] for one in deleted] == ["invoice"]
    assert int(suiteql(billed, order).json()["items"][0]["b"]) == before - 1


def test_a_person_changes_a_posted_record(sandbox: Sandbox, netsuite: httpx.Client, order: str) -> None:
    customer = netsuite.get(f"{BASE}/salesOrder/{order}").json()["entity"]
    body = {"customer": customer, "salesOrder": {"id": order}, "payment": 9, "account": {"id": IDS["1130"]}}
    made = make(netsuite, "customerDeposit", body)
    sandbox.control.edit_money(made, account={"id": IDS["1131"]}, memo="moved")
    shown = netsuite.get(f"{BASE}/customerDeposit/{made}").json()
    assert (shown["account"]["id"], shown["memo"]) == (IDS["1131"], "moved")
    with pytest.raises(SandboxFailed, match="Invalid payment amount"):
        sandbox.control.edit_money(made, payment=-1)


def test_an_account_that_was_closed_down_takes_nothing(sandbox: Sandbox, netsuite: httpx.Client) -> None:
    sandbox.control.ledger_account("6110")
    body = {
        "subsidiary": {"id": "1"},
        "line": {
            "items": [
                {"account": {"id": IDS["6110"]}, "debit": 7},
                {"account": {"id": IDS["1130"]}, "credit": 7},
            ]
        },
    }
    answer = netsuite.post(f"{BASE}/journalEntry", json=body)
    assert (answer.status_code, "field: account" in answer.text) == (400, True)
    sandbox.control.ledger_account("6110", inactive=False)
    make(netsuite, "journalEntry", body)


def test_an_invoice_may_be_made_and_answered_as_if_it_were_not(
    sandbox: Sandbox, netsuite: httpx.Client, suiteql: Suiteql, order: str
) -> None:
    customer = netsuite.get(f"{BASE}/salesOrder/{order}").json()["entity"]
    body = {"customer": customer, "salesOrder": {"id": order}, "payment": 9, "account": {"id": IDS["1130"]}}
    make(netsuite, "customerDeposit", body)
    sandbox.control.fail_deposits(match="bc-failing")
    answer = netsuite.post(
        f"{BASE}/salesOrder/{order}/!transform/invoice", json={"externalId": "bc-failing-invoice"}
    )
    assert (answer.status_code, "automatic application of the deposit" in answer.text) == (400, True)
    assert suiteql("SELECT id FROM transaction WHERE externalid = 'bc-failing-invoice'").json()["count"] == 1


def test_a_role_without_a_right_neither_sees_nor_makes_a_record(
    sandbox: Sandbox, netsuite: httpx.Client, order: str
) -> None:
    sandbox.control.role(hidden_records=["invoice", "journalEntry"])
    headers = {"Accept": "application/swagger+json"}
    names = {one["name"] for one in netsuite.get(f"{BASE}/metadata-catalog").json()["items"]}
    assert "customerDeposit" in names
    assert not {"invoice", "journalEntry"} & names
    asked = netsuite.get(f"{BASE}/metadata-catalog", params={"select": "invoice"}, headers=headers)
    assert asked.status_code == 404
    for path in ("journalEntry", f"salesOrder/{order}/!transform/invoice"):
        answer = netsuite.post(f"{BASE}/{path}", json={})
        assert (answer.status_code, "does not have permission" in answer.text) == (403, True)
    sandbox.control.role(hidden_records=[])
    described = netsuite.get(
        f"{BASE}/metadata-catalog", params={"select": "invoice,salesOrder"}, headers=headers
    )
    assert "/salesOrder/{id}/!transform/invoice" in described.json()["paths"]
