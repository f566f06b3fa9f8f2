"""Fulfilments in NetSuite, and what the account can do: read whole where parts are missing, and never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.fulfilment_detail import read_detail
from bcns_pipeline.outcomes import Sent, Unauthorised
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite

TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})


def shipped(double: NetSuiteDouble, id: int, order: int = 1, **more: Any) -> None:
    row = {
        "id": id, "type": "ItemShip", "recordtype": "itemfulfillment", "tranid": f"IF{id}", "status": "C",
        "trandate": "2026-03-03", "lastmodifieddate": "2026-03-03 09:00:00", "shipcarrier": "ups", "subsidiary": 2,
    }  # fmt: skip
    double.insert("transaction", {**row, **more})
    head = {"id": 0, "transaction": id, "mainline": "T", "createdfrom": order, "location": 6}
    double.insert("transactionline", head)
    double.insert("transactionshipment", {"doc": id, "shippingmethod": 8297})


def sold(double: NetSuiteDouble, id: int = 1, external_id: str = "bc-abc-order-1001") -> None:
    row = {
        "id": id,
        "type": "SalesOrd",
        "tranid": f"SO{id}",
        "externalid": external_id,
        "otherrefnum": "1001",
    }
    double.insert("transaction", row)


def test_changed_fulfilments_come_with_their_order(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    sold(double)
    sold(double, 2, "other-1")
    shipped(double, 10)
    shipped(double, 11, status="ItemShip:A")
    shipped(double, 12, lastmodifieddate="2026-01-01 00:00:00")
    shipped(double, 13, order=2)
    rows = [row for page in client.fulfilments.changed("2026-03-01 00:00:00") for row in page]
    assert [(row.id, row.status) for row in rows] == [(10, "C"), (11, "A"), (13, "C")]
    one = rows[0]
    assert (one.order_id, one.order_number, one.order_external_id) == (1, "SO1", "bc-abc-order-1001")
    assert (one.order_other_ref_num, one.location, one.ship_date) == ("1001", 6, date(2026, 3, 3))
    assert (one.carrier, one.method_id, one.method_name) == ("ups", 8297, "shown 8297")
    assert one.subsidiary is None
    pages = client.fulfilments.changed("2026-03-01 00:00:00", after_id=10, prefix="bc-abc-", oneworld=True)
    assert [(row.id, row.subsidiary) for page in pages for row in page] == [(11, 2)]
    assert [row.id for row in client.fulfilments.of_orders([1])] == [10, 11, 12]
    assert [row.id for row in client.fulfilments.by_id([13, 10, 99])] == [10, 13]


def test_an_account_without_shipping_rows_still_shows_fulfilments(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    sold(double)
    shipped(double, 10)
    double.drop("transactionshipment")
    double.drop('"transaction"', "shipcarrier")
    row = client.fulfilments.of_orders([1])[0]
    assert (row.id, row.carrier, row.method_id, row.method_name) == (10, "", None, "")


def test_a_fulfilment_with_two_shipping_rows_comes_once(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    sold(double)
    shipped(double, 10)
    double.insert("transactionshipment", {"doc": 10, "shippingmethod": 9})
    assert [row.id for row in client.fulfilments.of_orders([1])] == [10]


def test_tracking_numbers_come_in_order_and_once(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    for number, text in ((2, "1ZB"), (1, "1ZA"), (3, " 1ZA "), (4, "")):
        double.insert("trackingnumber", {"id": number, "trackingnumber": text})
        double.insert(
            "trackingnumbermap", {"transaction": 10 if number < 4 else 11, "trackingnumber": number}
        )
    assert client.fulfilments.tracking([10, 11, 12]) == {10: ("1ZA", "1ZB")}


def test_lines_leave_out_the_ledgers_side(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    sold(double)
    shipped(double, 10)
    for number, more in enumerate(
        (
            {"item": 98, "quantity": -2},
            {"item": 98, "quantity": 2, "iscogs": "T"},
            {"item": 99, "quantity": -4, "kitcomponent": "T", "kitmemberof": 1},
            {"quantity": -1},
        ),
        start=1,
    ):
        double.insert("transactionline", {"id": number, "transaction": 10, "location": 6, **more})
    lines = client.fulfilments.lines([10])
    assert [(one.item, one.quantity, one.kit_component, one.kit_member_of) for one in lines] == [
        (98, Decimal(2), False, None),
        (99, Decimal(4), True, 1),
    ]


RECORD = {
    "id": "10",
    "shipStatus": {"id": "C", "refName": "Shipped"},
    "createdFrom": {"id": "1"},
    "tranDate": "2026-03-03",
    "shippedDate": "2026-03-04T00:00:00Z",
    "shipMethod": {"id": "8297", "refName": "UPS Ground"},
    "custbody_bc_shipment_id": "7",
    "item": {
        "items": [
            {"orderLine": 1, "line": 1, "item": {"id": "98"}, "quantity": 2.0, "location": {"id": "6"}},
            {"orderLine": 4, "item": {"id": "99"}, "quantity": 1, "itemReceive": False, "kitMemberOf": 3},
        ]
    },
    "package": {"items": [{"packageTrackingNumber": "1ZA", "packageDescr": "box", "packageWeight": 1.5}, {}]},
    "packageUps": {"items": [{"packageTrackingNumberUps": "1ZB", "packageWeightUps": 2}]},
}


def test_a_fulfilment_in_full_names_order_lines_and_parcels_of_every_carrier(pem: str) -> None:
    server = Script(TOKEN, httpx.Response(200, json=RECORD))
    found = netsuite(server, pem)[0].fulfilments.detail(10)
    assert found is not None
    assert (found.status, found.order_id, found.ship_date) == ("C", 1, date(2026, 3, 4))
    assert (found.method_id, found.method_name) == (8297, "UPS Ground")
    first, second = found.lines
    assert (first.order_line, first.item, first.quantity, first.shipped) == (1, 98, Decimal(2), True)
    assert (second.order_line, second.shipped, second.kit_member_of) == (4, False, 3)
    assert [(one.kind, one.tracking, one.weight) for one in found.parcels] == [
        ("package", "1ZA", Decimal("1.5")),
        ("packageUps", "1ZB", Decimal(2)),
    ]
    assert found.custom == {"custbody_bc_shipment_id": "7"}
    request = server.requests[-1]
    assert request.url.raw_path == b"/services/rest/record/v1/itemFulfillment/10?expandSubResources=true"


def test_a_fulfilment_that_is_gone_is_none_and_a_bare_one_has_no_lines(pem: str) -> None:
    gone = httpx.Response(
        404, json={"o:errorDetails": [{"detail": "Record does not exist.", "o:errorCode": "NONEXISTENT_ID"}]}
    )
    assert netsuite(Script(TOKEN, gone), pem)[0].fulfilments.detail(10) is None
    bare = read_detail(10, {"shipStatus": "B", "createdFrom": "1", "package": None})
    assert (bare.status, bare.order_id, bare.lines, bare.parcels) == ("B", 1, [], [])


def test_our_shipment_id_is_put_on_the_fulfilment(pem: str) -> None:
    server = Script(TOKEN, httpx.Response(204))
    outcome = netsuite(server, pem)[0].fulfilments.patch(10, {"custbody_bc_shipment_id": "7"})
    assert outcome == Sent(record_id="10")
    assert server.requests[-1].url.path.endswith("/itemFulfillment/10")


# --- the account ---------------------------------------------------------------------------------------


def schemas(*names: str, order: tuple[str, ...] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"properties": {"externalId": {}, "custentity_bc": {}}} for name in names}
    if "salesOrder" in found:
        found["salesOrder"] = {"properties": {name: {} for name in ("entity", "custbody_BC_order", *order)}}
        found["salesOrder-itemElement"] = {"properties": {"item": {}, "custcol_bc_line_id": {}}}
    return {"components": {"schemas": found}}


class Catalogue:
    """SuiteQL from the double, the metadata catalogue from `answers` by what is selected."""

    def __init__(self, double: NetSuiteDouble, answers: dict[str, httpx.Response]) -> None:
        self.double = double
        self.answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "metadata-catalog" not in request.url.path:
            return self.double(request)
        refused = httpx.Response(
            400, json={"o:errorDetails": [{"detail": "no", "o:errorCode": "INVALID_REQUEST"}]}
        )
        return self.answers.get(request.url.params["select"], refused)


ALL = "salesOrder,cashSale,customer,itemFulfillment"


def test_the_accounts_features_are_read_in_four_calls(pem: str, double: NetSuiteDouble) -> None:
    for id, symbol, precision, base in ((1, "USD", 2, "T"), (2, "JPY", 0, "F")):
        double.insert(
            "currency", {"id": id, "symbol": symbol, "currencyprecision": precision, "isbasecurrency": base}
        )
    double.insert("subsidiary", {"id": 2, "name": "EU", "currency": 3, "country": "DE", "isinactive": "F"})
    for id, subsidiary in ((6, "2"), (7, None)):
        double.insert("location", {"id": id, "subsidiary": subsidiary})
    catalogue = schemas(*ALL.split(","), order=("subsidiary", "taxDetailsOverride"))
    facts = netsuite(Catalogue(double, {ALL: httpx.Response(200, json=catalogue)}), pem)[0].account.facts()
    assert (facts.oneworld, facts.suitetax, facts.multi_currency) == (True, True, True)
    assert (facts.currencies["JPY"].precision, facts.currencies["USD"].base) == (0, True)
    assert (facts.subsidiaries[2].country, facts.subsidiaries[2].currency) == ("DE", 3)
    assert (facts.order_fields, facts.line_fields) == ({"custbody_bc_order"}, {"custcol_bc_line_id"})
    assert facts.customer_fields == {"custentity_bc"}
    assert facts.record_types == set(ALL.split(","))
    assert facts.locations == {6: 2}
    assert len(double.queries) == 3


def test_a_record_type_that_the_role_may_not_use_hides_no_other(pem: str, double: NetSuiteDouble) -> None:
    double.drop("currency")
    answers = {one: httpx.Response(200, json=schemas(one)) for one in ("salesOrder", "customer")}
    facts = netsuite(Catalogue(double, answers), pem)[0].account.facts()
    assert facts.record_types == {"salesOrder", "customer"}
    assert (facts.oneworld, facts.suitetax, facts.multi_currency, facts.currencies) == (
        False,
        False,
        False,
        {},
    )
    assert (facts.subsidiaries, facts.locations) == ({}, None)


def test_oneworld_is_tried_where_the_catalogue_says_nothing_of_orders(
    pem: str, double: NetSuiteDouble
) -> None:
    answers = {"customer": httpx.Response(200, json=schemas("customer"))}
    assert netsuite(Catalogue(double, answers), pem)[0].account.facts().oneworld
    double.drop('"transaction"', "subsidiary")
    assert not netsuite(Catalogue(double, answers), pem)[0].account.facts().oneworld


def test_locations_that_the_role_may_not_see_are_unknown(pem: str, double: NetSuiteDouble) -> None:
    double.drop("location")
    catalogue = schemas("salesOrder", order=("subsidiary",))
    answers = {"salesOrder": httpx.Response(200, json=catalogue)}
    assert netsuite(Catalogue(double, answers), pem)[0].account.facts(["salesOrder"]).locations is None


def test_an_account_that_describes_no_record_is_asked_what_it_is_all_the_same(
    pem: str, double: NetSuiteDouble
) -> None:
    for name in ("currency", "subsidiary"):
        double.drop(name)
    facts = netsuite(Catalogue(double, {}), pem)[0].account.facts()
    assert (facts.described, facts.oneworld, facts.suitetax, facts.record_types) == (
        False,
        True,
        False,
        frozenset(),
    )
    assert (facts.currencies, facts.subsidiaries) == ({}, {})
    denied = httpx.Response(401, json={"o:errorDetails": [{"detail": "x", "o:errorCode": "INVALID_REQUEST"}]})
    with pytest.raises(Unauthorised):
        netsuite(Catalogue(double, {ALL: denied}), pem)[0].account.facts()
