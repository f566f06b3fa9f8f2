"""The ledger as the client reads it: journals whole with their lines, accounts, periods, and what a record carries."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import Sent
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite

TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
LEDGER = """
ALTER TABLE "transaction" ADD COLUMN posting TEXT;
ALTER TABLE "transaction" ADD COLUMN exchangerate NUMERIC;
ALTER TABLE "transaction" ADD COLUMN memo TEXT;
ALTER TABLE transactionline ADD COLUMN memo TEXT;
ALTER TABLE transactionline ADD COLUMN entity INTEGER;
ALTER TABLE transactionaccountingline ADD COLUMN debit NUMERIC;
ALTER TABLE transactionaccountingline ADD COLUMN credit NUMERIC;
CREATE TABLE account (id INTEGER, acctnumber TEXT, fullname TEXT, accttype TEXT, currency INTEGER, isinactive TEXT);
"""


@pytest.fixture
def ledger(double: NetSuiteDouble) -> NetSuiteDouble:
    double.db.executescript(LEDGER)
    return double


def journal(double: NetSuiteDouble, id: int, *amounts: str, books: int = 1, **more: Any) -> None:
    row = {
        "id": id, "type": "Journal", "recordtype": "journalentry", "externalid": f"psp-{id}", "tranid": f"JE{id}",
        "status": "A", "posting": "F", "trandate": "2026-03-04", "currency": 1, "exchangerate": "1", "memo": "payout",
        "lastmodifieddate": "2026-03-05 09:00:00", "subsidiary": 2,
    }  # fmt: skip
    double.insert("transaction", {**row, **more})
    for number, amount in enumerate(amounts):
        line = {"id": number, "transaction": id, "linesequencenumber": number, "memo": f"m{number}"}
        double.insert("transactionline", {**line, "foreignamount": amount})
        side = "credit" if amount.startswith("-") else "debit"
        for book in range(1, books + 1):
            double.insert(
                "transactionaccountingline",
                {
                    "transaction": id,
                    "transactionline": number,
                    "accountingbook": book,
                    "account": 100 + number,
                }
                | {side: amount.lstrip("-")},
            )


def test_journals_come_with_all_of_their_lines_signed(client: NetSuiteClient, ledger: NetSuiteDouble) -> None:
    journal(ledger, 7, "97.10", "2.90", "-100.00")
    journal(ledger, 8, "5.00", "-5.00", status="Journal:B", posting="T")
    journal(ledger, 9, "1.00", "-1.00")
    found = client.journals.by_external_id(["psp-7", "psp-8", "psp-none"], oneworld=True)
    assert set(found) == {"psp-7", "psp-8"}
    one = found["psp-7"]
    assert (one.id, one.tran_id, one.status, one.posting, one.subsidiary) == (7, "JE7", "A", False, 2)
    assert (one.tran_date, one.memo, one.exchange_rate) == (date(2026, 3, 4), "payout", Decimal(1))
    said = [(line.account, line.amount, line.memo) for line in one.lines]
    assert said == [(100, Decimal("97.1"), "m0"), (101, Decimal("2.9"), "m1"), (102, Decimal(-100), "m2")]
    assert (found["psp-8"].status, found["psp-8"].posting) == ("B", True)
    assert [one.id for one in client.journals.by_id([9]).values()] == [9]
    assert client.journals.find(["psp-9"]) == {"psp-9": 9}


def test_a_second_accounting_book_doubles_nothing(client: NetSuiteClient, ledger: NetSuiteDouble) -> None:
    journal(ledger, 7, "97.10", "-97.10", books=2)
    (one,) = client.journals.by_external_id(["psp-7"]).values()
    assert [line.amount for line in one.lines] == [Decimal("97.1"), Decimal("-97.1")]
    (carried,) = client.journals.carrying([7], [100])
    assert (carried.transaction, carried.account, carried.base) == (7, 100, Decimal("97.1"))


def test_a_journal_of_more_lines_than_a_page_is_whole(client: NetSuiteClient, ledger: NetSuiteDouble) -> None:
    ledger.page_rows = 3
    journal(ledger, 7, *["1.00"] * 7, "-7.00")
    journal(ledger, 8, "1.00", "-1.00")
    found = client.journals.by_id([7, 8])
    assert [len(one.lines) for one in found.values()] == [8, 2]


def test_accounts_are_found_by_id_and_number_also_inactive_ones(
    client: NetSuiteClient, ledger: NetSuiteDouble
) -> None:
    for id, number, inactive in ((5, "1010", "F"), (6, "1130", "T"), (7, "1131", "F")):
        ledger.insert(
            "account",
            {"id": id, "acctnumber": number, "fullname": "x", "accttype": "Bank", "isinactive": inactive},
        )
    found = client.journals.accounts([5], numbers=["1130", "9999"])
    assert {one.number: one.inactive for one in found.values()} == {"1010": False, "1130": True}


def test_equal_bodies_are_equal_bytes_whatever_the_order_of_their_fields(pem: str) -> None:
    made = httpx.Response(204, headers={"location": "https://n/record/v1/journalEntry/501"})
    script = Script(TOKEN, made, made)
    client = netsuite(script, pem)[0]
    one = {"externalId": "a", "line": {"items": [{"debit": Decimal("5670.60"), "account": {"id": "1"}}]}}
    two = {"line": {"items": [{"account": {"id": "1"}, "debit": Decimal("5670.60")}]}, "externalId": "a"}
    assert [client.journals.create(body) for body in (one, two)] == [Sent(record_id="501")] * 2
    first, second = (request.content for request in script.requests[1:])
    assert first == second
    assert b"5670.60" in first
    assert json.loads(first)["externalId"] == "a"
