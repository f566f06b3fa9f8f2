from __future__ import annotations

import json
from typing import Any

import pytest

from bcns_pipeline.webhooks.events import Changed, Malformed, read_netsuite, read_webhook
from bcns_pipeline_tests.webhooks.signing import STORE, payload

ORDER, ADDRESS = {"type": "order", "id": 250}, {"type": "customer", "id": 60, "address": {"customer_id": 32}}
METAFIELD = {"type": "metafield", "metafield_id": 7, "resource_id": "250", "namespace": "loyalty"}
TRANSACTION = {
    "type": "transaction",
    "order_id": "250",
    "transaction_id": "00001",
    "transaction_type": "capture",
}


@pytest.mark.parametrize(
    ("scope", "data", "expected"),
    [
        ("store/order/created", ORDER, ("order", "250")),
        ("store/order/updated", ORDER, ("order", "250")),
        ("store/order/archived", ORDER, ("order", "250")),
        ("store/order/statusUpdated", {**ORDER, "status": {"new_status_id": 11}}, ("order", "250")),
        ("store/order/refund/created", {**ORDER, "refund": {"refund_id": 3}}, ("refund", "3")),
        ("store/order/transaction/created", TRANSACTION, ("order", "250")),
        ("store/order/transaction/updated", TRANSACTION, ("order", "250")),
        ("store/channel/2/order/created", ORDER, ("order", "250")),
        ("store/order/somethingNew", ORDER, ("order", "250")),
        ("store/order/metafield/updated", METAFIELD, ("order", "250")),
        ("store/shipment/created", {"type": "shipment", "id": 12, "orderId": 251}, ("order", "251")),
        ("store/shipment/deleted", {"type": "shipment", "id": 12, "orderId": 251}, ("order", "251")),
        ("store/customer/created", {"type": "customer", "id": 32}, ("customer", "32")),
        ("store/customer/updated", {"type": "customer", "id": 32}, ("customer", "32")),
        ("store/customer/deleted", {"type": "customer", "id": 32}, ("customer", "32")),
        ("store/customer/address/created", ADDRESS, ("customer", "32")),
        ("store/customer/address/update", ADDRESS, ("customer", "32")),
        (
            "store/customer/channel/login/access/updated",
            {"customer_id": 32, "channel_ids": [1]},
            ("customer", "32"),
        ),
    ],
)
def test_a_scope_names_the_record_that_has_to_be_read_again(
    scope: str, data: dict[str, Any], expected: tuple[str, str]
) -> None:
    note = read_webhook(payload(scope, **data))
    assert note.store == STORE
    assert note.changed == Changed(*expected)


@pytest.mark.parametrize(
    ("scope", "counted"),
    [
        ("store/order/message/created", "other"),
        ("store/customer/payment/instrument/default/updated", "other"),
        ("store/product/updated", "other"),
        ("store/channel/*/inventory/product/stock_changed", "other"),
        ("store/hook/deliveryException", "hook/deliveryException"),
        ("store/app/uninstalled", "other"),
        ("store/order/" + "x" * 100, "other"),
        ("store/order/<script>", "other"),
        ("", "other"),
    ],
)
def test_what_no_flow_reads_is_a_scope_without_a_record(scope: str, counted: str) -> None:
    note = read_webhook(payload(scope, type="order", id=250))
    assert (note.changed, note.scope) == (None, counted)


def test_our_own_metafields_call_nobody() -> None:
    note = read_webhook(payload("store/order/metafield/created", **METAFIELD | {"namespace": "netsuite"}))
    assert (note.changed, note.scope) == (None, "other")


def test_scopes_of_channels_are_counted_together() -> None:
    assert read_webhook(payload("store/channel/7/order/updated")).scope == "order/updated"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"scope": "store/order/created", "data": {"id": 1}}',
        b'{"producer": "abcde", "scope": "store/order/created", "data": {"id": 1}}',
        b'{"producer": "stores/abcde", "scope": 7, "data": {"id": 1}}',
        b'{"producer": "stores/abcde", "scope": "store/order/created"}',
        b'{"producer": "stores/abcde", "scope": "store/order/created", "data": [1]}',
        payload("store/order/created", id=0),
        payload("store/order/created", id=-5),
        payload("store/order/created", id=True),
        payload("store/order/created", id=1.5),
        payload("store/order/created", id="1; drop table"),
        payload("store/order/created", id=10**30),
        payload("store/order/created", id={"id": 1}),
        payload("store/shipment/created", id=12),
        payload("store/customer/address/created", id=60),
        b'{"producer": "stores/abcde", "scope": "store/order/created", "data": {"id": ' + b"9" * 5000 + b"}}",
    ],
)
def test_a_body_that_names_no_record_is_malformed_and_never_quoted(body: bytes) -> None:
    with pytest.raises(Malformed) as malformed:
        read_webhook(body)
    assert "drop" not in str(malformed.value)
    assert malformed.value.__cause__ is None


def test_an_id_has_one_spelling() -> None:
    assert read_webhook(payload("store/order/created", id="00250")).changed == Changed("order", "250")


def netsuite(**body: Any) -> list[Changed]:
    return read_netsuite(json.dumps(body).encode())


def test_netsuite_names_items_and_records_in_one_body() -> None:
    assert netsuite(items=[12, "13"]) == [Changed("item", "12"), Changed("item", "13")]
    assert netsuite(record="itemfulfillment", ids=[7], items=[12, 12]) == [
        Changed("item", "12"),
        Changed("fulfilment", "7"),
    ]


@pytest.mark.parametrize("record", ["inventoryitem", "lotNumberedInventoryItem", "kititem", "assemblyitem"])
def test_every_kind_of_item_is_an_item(record: str) -> None:
    assert netsuite(record=record, ids=["12"]) == [Changed("item", "12")]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({}, "names no record"),
        ({"items": []}, "names no record"),
        ({"items": 12}, "must be a list"),
        ({"items": ["twelve"]}, "not a positive whole number"),
        ({"record": "itemfulfillment"}, "must be a list"),
        ({"record": 7, "ids": [7]}, "must be a record type"),
        ({"record": "vendorbill", "ids": [7]}, "no flow reads"),
        ({"items": list(range(1, 1002))}, "more than 1000"),
    ],
)
def test_the_author_of_the_script_is_told_what_is_wrong(body: dict[str, Any], part: str) -> None:
    with pytest.raises(Malformed, match=part):
        netsuite(**body)
