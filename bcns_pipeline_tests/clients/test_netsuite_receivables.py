"""Receipts and invoices in NetSuite: found by key and by order in one call, and made by transform."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import Ambiguous, Refused, Sent
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite

KEY = "bc-abc-deposit-1001-7"


TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})


def record(
    double: NetSuiteDouble, id: int, kind: str, key: str = "", source: int | None = None, **more: Any
) -> None:
    row = {
        "id": id,
        "type": kind,
        "externalid": key or None,
        "tranid": f"N{id}",
        "trandate": "2026-03-01",
        "status": "B",
    }
    double.insert("transaction", {**row, "currency": 1, "lastmodifieddate": "2026-03-02 10:00:00", **more})
    double.insert("transactionline", {"id": 0, "transaction": id, "mainline": "T", "createdfrom": source})
    # Two accounting books have a line each.
    for book in (1, 2):
        line = {"transaction": id, "transactionline": 0, "accountingbook": book, "account": 1130}
        double.insert("transactionaccountingline", line)


def test_what_has_a_key_of_ours_and_what_was_made_of_an_order_come_together(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    record(double, 1, "CustDep", KEY, 50, foreigntotal="9.00", foreignpaymentamountunused="4.00")
    record(double, 2, "CustInvc", "", 50, foreigntotal="9.00", foreignamountunpaid="5.00")
    record(double, 3, "ItemShip", "", 50)
    record(double, 4, "CustInvc", "", 51, foreigntotal="1.00")
    record(double, 5, "CustCred", "bc-abc-deposit-1001-8", None, foreigntotal="-3.00")
    record(double, 6, "SalesOrd", "bc-abc-order-1001", None)
    found = {one.id: one for one in client.receivables.of([KEY, "bc-abc-deposit-1001-8", "none"], [50])}
    assert sorted(found) == [1, 2, 3, 5]
    assert len(double.queries) == 1
    deposit = found[1]
    assert (deposit.total, deposit.unused, deposit.account, deposit.created_from) == (
        Decimal("9"),
        Decimal("4"),
        1130,
        50,
    )
    assert (found[2].unpaid, found[5].total) == (Decimal("5"), Decimal("3"))
    assert client.receivables.of([], []) == []
    assert sorted(client.receivables.by_id([2, 4, 9])) == [2, 4]


def test_a_wildcard_in_a_store_hash_finds_no_other_stores_records(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    record(double, 1, "CustDep", "bc-a_c-deposit-1-1", None, foreigntotal="9.00")
    record(double, 2, "CustDep", "bc-abc-deposit-1-1", None, foreigntotal="9.00")
    record(double, 3, "CustDep", "bc-a_c-deposit-1-2", None, foreigntotal="9.00", trandate="2026-01-01")
    assert [one.id for one in client.receivables.by_prefix("bc-a_c-deposit-", "2026-02-01")] == [1]
    for number, letter in ((11, "F"), (12, "B"), (13, "G")):
        record(double, number, "SalesOrd", f"bc-a_c-order-{number}", None, status=letter)
    moved = client.receivables.moved("bc-a_c-order-", "2026-03-01 00:00:00")
    assert moved == {11: ("2026-03-02 10:00:00", "F"), 13: ("2026-03-02 10:00:00", "G")}


def test_a_transform_gives_the_id_of_what_it_made(pem: str) -> None:
    made = {"location": "https://ns.test/services/rest/record/v1/invoice/77"}
    script = Script(TOKEN, httpx.Response(204, headers=made))
    outcome = netsuite(script, pem)[0].receivables.transform("salesOrder", 50, "invoice", {"externalId": KEY})
    assert outcome == Sent(record_id="77")
    assert script.requests[-1].url.path == "/services/rest/record/v1/salesOrder/50/!transform/invoice"


def test_a_400_that_nobody_knows_is_doubt_and_one_that_says_why_is_a_refusal(pem: str) -> None:
    def said(text: str) -> httpx.Response:
        return httpx.Response(400, json={"o:errorDetails": [{"detail": text, "o:errorCode": "USER_ERROR"}]})

    script = Script(
        TOKEN, said("An automatic application of the deposit failed."), said("The period is closed.")
    )
    receivables = netsuite(script, pem)[0].receivables
    unclear = receivables.transform("salesOrder", 50, "invoice", {})
    assert isinstance(unclear, Ambiguous)
    assert unclear.refused is not None
    closed = receivables.transform("salesOrder", 50, "invoice", {})
    assert isinstance(closed, Refused)
    assert closed.code == "PERIOD_CLOSED"
