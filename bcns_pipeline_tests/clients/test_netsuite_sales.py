"""Sales in NetSuite: found by key in batches, signs turned round, totals never joined to lines, nothing cut off."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import Rejected, Sent
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite

KEY = "bc-abc-order-1001"


def order(double: NetSuiteDouble, id: int, **more: Any) -> None:
    row = {
        "id": id, "externalid": f"bc-abc-order-{1000 + id}", "recordtype": "salesorder", "type": "SalesOrd",
        "tranid": f"SO{id}", "status": "B", "entity": 7, "subsidiary": 2, "currency": 1, "foreigntotal": "116.73",
        "total": "100.10", "trandate": "2026-03-01", "lastmodifieddate": "2026-03-02 10:00:00",
    }  # fmt: skip
    double.insert("transaction", {**row, **more})


def line(double: NetSuiteDouble, transaction: int, id: int, **more: Any) -> None:
    double.insert("transactionline", {"id": id, "transaction": transaction, "linesequencenumber": id, **more})


def test_orders_are_found_by_external_id_500_a_call(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    for n in range(1, 603):
        order(double, n)
    found = client.sales.by_external_id(
        [f"bc-abc-order-{1000 + n}" for n in range(1, 603)] + ["bc-abc-order-9"]
    )
    assert len(found) == 602
    assert len(double.queries) == 2
    row = found[KEY]
    assert (row.id, row.tran_id, row.record_type, row.status, row.entity) == (1, "SO1", "salesorder", "B", 7)
    assert (row.foreign_total, row.total) == (Decimal("116.73"), Decimal("100.1"))
    assert (row.tran_date, row.last_modified) == (date(2026, 3, 1), "2026-03-02 10:00:00")
    assert row.subsidiary is None
    assert client.sales.by_external_id([]) == {}


def test_whatever_holds_the_external_id_is_shown_with_its_type(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    order(double, 1, recordtype="invoice", type="CustInvc")
    assert client.sales.by_external_id([KEY])[KEY].record_type == "invoice"


def test_the_subsidiary_is_asked_for_in_oneworld_only(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    order(double, 1)
    assert client.sales.by_id([1], oneworld=True)[1].subsidiary == 2
    double.drop('"transaction"', "subsidiary")
    line(double, 1, 1, foreignamount="-116.73")
    assert client.sales.totals([1])[1].currency == 1
    double.drop('"transaction"', "currency")
    assert client.sales.totals([1])[1].currency is None
    assert (
        client.sales.by_external_id([KEY])[KEY].currency,
        len(client.sales.legacy(external_ids=[KEY])),
    ) == (
        None,
        1,
    )
    assert client.sales.by_id([1])[1].subsidiary is None
    with pytest.raises(Rejected, match="subsidiary"):
        client.sales.by_id([1], oneworld=True)


def test_lines_have_the_signs_of_a_seller(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    double.item(98, "RE-130")
    double.insert("shipitem", {"id": 8297})
    order(double, 1)
    line(double, 1, 0, mainline="T", foreignamount="116.73")
    line(
        double, 1, 1, item=98, quantity=-3, rate="19.99", foreignamount="-59.97", quantityshiprecv=1,
        quantitybilled=0, location=6, custcol_bc_line_id="194",
    )  # fmt: skip
    line(double, 1, 2, item=38, rate="-10.00%", foreignamount="6.00")
    line(double, 1, 3, item=8297, foreignamount="-9.95")
    line(double, 1, 4, taxline="T", foreignamount="-8.71", item=12)
    line(double, 1, 5, item=98, quantity=3, foreignamount="30", iscogs="T")
    lines = client.sales.lines([1], custom_fields=["custcol_bc_line_id"])
    assert [one.line for one in lines] == [1, 2, 3, 4]
    goods, discount, shipping, tax = lines
    assert (goods.quantity, goods.rate, goods.amount) == (Decimal(3), Decimal("19.99"), Decimal("59.97"))
    assert (goods.quantity_fulfilled, goods.quantity_billed, goods.location) == (Decimal(1), Decimal(0), 6)
    assert (goods.item_type, goods.custom) == ("InvtPart", {"custcol_bc_line_id": "194"})
    assert (discount.quantity, discount.rate, discount.amount) == (None, None, Decimal(-6))
    assert (shipping.is_shipping, shipping.is_tax, shipping.amount) == (True, False, Decimal("9.95"))
    assert (tax.is_shipping, tax.is_tax, tax.amount) == (False, True, Decimal("8.71"))


def test_lines_of_many_orders_are_read_to_the_end(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    double.page_rows = 7
    for n in range(1, 6):
        for number in range(4):
            line(double, n, number, foreignamount=-1)
    assert [(one.transaction, one.line) for one in client.sales.lines([5, 4, 3, 2, 1])] == [
        (n, number) for n in range(1, 6) for number in range(4)
    ]


def test_an_account_without_ship_items_still_shows_its_lines(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    double.drop("shipitem")
    double.item(9, "UPS", "ShipItem")
    line(double, 1, 1, item=9, foreignamount=-5)
    assert client.sales.lines([1])[0].is_shipping
    asked = len(double.queries)
    client.sales.lines([1])
    # What is missing is remembered: the second read is one query.
    assert len(double.queries) == asked + 1


def test_several_reads_at_once_may_find_out_what_the_account_does_not_have(
    pem: str, double: NetSuiteDouble
) -> None:
    """More than two hundred orders are read back side by side, and each read meets the same refusal first."""
    double.drop("shipitem")
    for n in (1, 2):
        line(double, n, 1, item=9, foreignamount=-n)
    refused, found_out = threading.Event(), threading.Event()

    def server(request: httpx.Request) -> httpx.Response:
        answer = double(request)
        if answer.status_code == 400 and not refused.is_set():
            # The first refusal arrives when the other read has long gone on without the table.
            refused.set()
            assert found_out.wait(10)
        elif answer.status_code == 200 and refused.is_set():
            found_out.set()
        return answer

    client = netsuite(server, pem)[0]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda n: client.sales.lines([n])[0].amount, (1, 2)))
    assert found == [1, 2]


def test_the_tax_of_each_line_is_read_from_suitetaxs_rows_where_there_are_any(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    for transaction, on, code, tax in (
        (1, 1, 12, "-0.80"),
        (1, 1, 13, "-0.09"),
        (1, 4, 12, "-0.10"),
        (2, 1, 12, "1"),
    ):
        row = {"transaction": transaction, "line": on, "taxcode": code, "taxamount": tax}
        double.insert("transactiontaxdetail", row)
    double.page_rows = 1
    assert client.sales.taxes([1, 2, 3]) == {
        1: {1: Decimal("0.89"), 4: Decimal("0.1")},
        2: {1: Decimal(-1)},
    }
    assert client.sales.taxes([1, 3], by="taxcode") == {1: {12: Decimal("0.9"), 13: Decimal("0.09")}}
    double.drop("transactiontaxdetail", "taxcode")
    assert client.sales.taxes([1], by="taxcode") is None
    # Once one of its names turned out to be unknown, it is not asked for again.
    asked = len(double.queries)
    assert client.sales.taxes([1]) is None
    assert len(double.queries) == asked


def test_an_unknown_custom_field_is_an_error(client: NetSuiteClient) -> None:
    with pytest.raises(Rejected, match="custcol_nope"):
        client.sales.lines([1], custom_fields=["custcol_nope"])
    with pytest.raises(ValueError, match="column name"):
        client.sales.lines([1], custom_fields=["custcol_x; DROP"])


def test_totals_are_the_headers_and_sums_are_the_lines(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    order(double, 1)
    line(double, 1, 0, mainline="T", foreignamount="116.73")
    line(double, 1, 1, foreignamount="-98.07")
    line(double, 1, 2, foreignamount="-9.95")
    line(double, 1, 3, taxline="T", foreignamount="-8.71")
    order(double, 2, foreigntotal="5")
    line(double, 2, 1, foreignamount="-5")
    found = client.sales.totals([1, 2, 3])
    assert list(found) == [1, 2]
    one = found[1]
    assert (one.foreign_total, one.tax, one.net, one.lines) == (
        Decimal("116.73"),
        Decimal("8.71"),
        Decimal("108.02"),
        2,
    )
    # Without a tax line nothing is known of tax: it may stand elsewhere.
    assert (found[2].tax, found[2].net) == (None, Decimal(5))
    assert len(double.queries) == 1


def test_changes_of_a_line_alone_are_noticed_and_only_ours_are_shown(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    order(double, 1, lastmodifieddate="2026-03-05 00:00:00")
    order(double, 2, lastmodifieddate="2026-01-01 00:00:00")
    order(double, 3, lastmodifieddate="2026-03-05 00:00:00", externalid="bcXabc-order-1")
    order(double, 4, lastmodifieddate="2026-01-01 00:00:00")
    order(double, 5, lastmodifieddate="2026-03-05 00:00:00", type="CashSale")
    line(double, 1, 1, isclosed="T")
    line(double, 1, 2, isclosed="T")
    line(double, 2, 1, linelastmodifieddate="2026-03-05 00:00:00")
    rows = [row for page in client.sales.changed("2026-03-04 00:00:00", prefix="bc-abc-") for row in page]
    assert [(row.id, row.closed_lines) for row in rows] == [(1, 2), (2, 0)]
    rows = [row for page in client.sales.changed("2026-03-04 00:00:00", start_after=1) for row in page]
    assert [row.id for row in rows] == [2, 3]


def test_an_account_without_dates_on_lines_shows_changes_of_headers(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    double.drop("transactionline", "linelastmodifieddate")
    order(double, 1)
    pages = list(client.sales.changed("2026-03-01 00:00:00"))
    assert [row.id for page in pages for row in page] == [1]


def test_orders_of_another_connector_are_found_in_every_place_where_they_keep_their_number(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    order(double, 1, externalid="FA-1001", otherrefnum="1001")
    order(double, 2, externalid=None, otherrefnum="1001", type="CustInvc")
    order(double, 3, externalid=None, custbody_bc_order_id="1002")
    order(double, 4, externalid="FA-1003", type="CustCred")
    found = client.sales.legacy(
        other_ref_nums=["1001", "1002"],
        external_ids=["FA-1001", "FA-1003"],
        custom=("custbody_bc_order_id", ["1001", "1002"]),
    )
    assert [(one.by, one.value, one.row.id) for one in found] == [
        ("otherrefnum", "1001", 1), ("otherrefnum", "1001", 2), ("externalid", "FA-1001", 1),
        ("custbody_bc_order_id", "1002", 3),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="SalesOrd"):
        client.sales.legacy(other_ref_nums=["1"], types=["x'"])


def test_writes_go_to_the_record_and_bind_nothing_else(pem: str) -> None:
    token = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
    made = httpx.Response(204, headers={"location": "https://ns.test/services/rest/record/v1/cashSale/9"})
    server = Script(token, made, httpx.Response(204))
    client = netsuite(server, pem)[0]
    assert client.sales.create("cashSale", {"externalId": KEY}) == Sent(record_id="9")
    assert client.sales.patch("salesOrder", 9, {"memo": "a"}) == Sent(record_id="9")
    assert server.requests[-1].url.path == "/services/rest/record/v1/salesOrder/9"
    assert json.loads(server.requests[-1].content) == {"memo": "a"}
