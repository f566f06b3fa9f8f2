"""Returns as they are read: of orders and of their invoices, each line once, and what came of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import Rejected
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble


def made(
    double: NetSuiteDouble, id: int, kind: str, source: int, *lines: dict[str, Any], day: int = 3
) -> None:
    double.insert(
        "transaction", {"id": id, "type": kind, "tranid": f"{kind}{id}", "trandate": f"2026-03-0{day}"}
    )
    double.insert("transactionline", {"id": 0, "transaction": id, "mainline": "T", "createdfrom": source})
    for number, line in enumerate(lines, start=1):
        row = {"id": number, "transaction": id, "createdfrom": source, **line}
        double.insert("transactionline", row)


def test_returns_are_found_by_their_order_or_its_invoice_and_receipts_by_their_return(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    double.item(98, "Parent : SHIRT-M", upccode="0098")
    double.item(99, "CUP", upccode="0099")
    made(double, 1, "SalesOrd", 7)
    made(double, 2, "CustInvc", 1)
    made(double, 3, "SalesOrd", 0)
    cogs = {"item": 98, "quantity": -2, "iscogs": "T"}
    member = {"item": 99, "quantity": 8, "kitcomponent": "T", "kitmemberof": 1}
    made(double, 10, "RtnAuth", 1, {"item": 98, "quantity": 2}, {"quantity": 1}, {"item": 98, "taxline": "T"})
    made(double, 11, "RtnAuth", 2, {"item": 99, "quantity": -1, "isclosed": "T"}, day=4)
    made(double, 12, "RtnAuth", 3, {"item": 99, "quantity": 1})
    made(double, 13, "CustCred", 1, {"item": 99, "quantity": 1})
    made(double, 20, "ItemRcpt", 10, {"item": 98, "quantity": 1}, cogs, member, day=5)
    made(double, 21, "ItemRcpt", 10, {"item": 98, "quantity": 1}, day=6)
    made(double, 22, "ItemShip", 10, {"item": 98, "quantity": -1})
    double.page_rows = 1

    back = client.returns.of_sales([1])
    assert [(one.id, one.number, one.day, one.made_from, one.source_from, one.line) for one in back] == [
        (10, "RtnAuth10", date(2026, 3, 3), 1, 7, 1),
        (11, "RtnAuth11", date(2026, 3, 4), 2, 1, 1),
    ]
    assert [(one.sku, one.quantity, one.closed) for one in back] == [
        ("SHIRT-M", Decimal(2), False),
        ("CUP", Decimal(1), True),
    ]
    came = client.returns.received([10, 11], "upccode")
    assert [(one.id, one.made_from, one.day.day, one.sku, one.quantity) for one in came] == [
        (20, 10, 5, "0098", Decimal(1)),
        (21, 10, 6, "0098", Decimal(1)),
    ]
    assert client.returns.of_sales([]) == client.returns.received([]) == []
    double.hidden = "transaction"
    with pytest.raises(Rejected):
        client.returns.of_sales([1])
