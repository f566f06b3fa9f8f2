"""Customers and items in NetSuite: the fewest queries, whatever case an e-mail has, and nobody's name in print."""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble


def customer(double: NetSuiteDouble, id: int, **more: Any) -> None:
    row = {
        "id": id, "externalid": f"bc-abc-customer-{id}", "email": f"Jane{id}@Example.com", "isperson": "T",
        "firstname": "Jane", "lastname": "Roe", "currency": 1, "subsidiary": 2, "taxable": "T",
        "lastmodifieddate": "2026-03-02 10:00:00",
    }  # fmt: skip
    double.insert("customer", {**row, **more})


def test_customers_are_found_by_either_key_in_one_query(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    for n in range(1, 8):
        customer(double, n, isinactive="T" if n == 3 else "F")
    found = client.customers.find(
        ["bc-abc-customer-1", "bc-abc-customer-9"], ["JANE1@example.com", " jane3@example.com ", ""]
    )
    assert [row.id for row in found] == [1, 3]
    assert len(double.queries) == 1
    assert (found[1].inactive, found[1].is_person, found[1].taxable, found[1].subsidiary) == (
        True,
        True,
        True,
        None,
    )
    assert found[1].last == "Roe"
    assert not any(secret in repr(found) for secret in ("Jane", "Roe", "xample"))
    assert client.customers.find() == []


def test_500_keys_of_each_kind_go_into_one_query(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    client.customers.find([f"x{n}" for n in range(501)], [f"a{n}@b.c" for n in range(500)])
    assert [len(params) for _, params in double.queries] == [1001, 2]


def test_a_flag_that_the_account_does_not_show_is_unknown(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    double.drop("customer", "taxable")
    customer_without = {
        "id": 1,
        "externalid": "a",
        "lastmodifieddate": "2026-03-02 10:00:00",
        "subsidiary": 2,
    }
    double.insert("customer", customer_without)
    assert client.customers.by_id([1])[1].taxable is None
    assert client.customers.by_id([1], oneworld=True)[1].subsidiary == 2


def test_further_fields_are_read_where_the_account_shows_them(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    customer(double, 1, companyname="Acme")
    customer(double, 2)
    asked = ["companyName", "custentity_currency"]
    found = client.customers.by_id([1, 2], custom_fields=asked)
    assert [found[one].custom for one in (1, 2)] == [{"companyname": "Acme"}, {"companyname": ""}]
    assert found[1].currency == 1, "a column whose name is a part of the missing one"
    double.drop("customer", "currency")
    assert client.customers.by_id([1])[1].currency is None
    assert client.customers.find(["bc-abc-customer-1"], custom_fields=asked)[0].custom == found[1].custom
    assert "Acme" not in repr(found)


def test_changed_customers_come_by_id_and_ours_are_told_by_their_prefix(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    customer(double, 1, lastmodifieddate="2026-01-01 00:00:00")
    customer(double, 2)
    customer(double, 3, externalid=None)
    pages = client.customers.changed("2026-03-01 00:00:00")
    assert [row.id for page in pages for row in page] == [2, 3]
    pages = client.customers.changed("2026-03-01 00:00:00", prefix="bc-abc-")
    assert [row.id for page in pages for row in page] == [2]


def test_address_books_are_read_with_their_keys(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    for n in (1, 2):
        double.insert(
            "customeraddressbook",
            {
                "entity": 5,
                "addressbookaddress": 70 + n,
                "internalid": n,
                "defaultshipping": "T" if n == 2 else "F",
            },
        )
        address = {"nkey": 70 + n, "addr1": f"{n} High St", "city": "Austin", "state": "TX", "country": "US"}
        double.insert("customeraddressbookentityaddress", address)
    found = client.customers.addresses([5, 6])
    assert [(one.internal_id, one.addr1, one.default_shipping) for one in found[5]] == [
        (1, "1 High St", False),
        (2, "2 High St", True),
    ]
    assert found[6] == []
    assert "High St" not in repr(found)
    double.drop("customeraddressbook", "internalid")
    assert [one.internal_id for one in client.customers.addresses([5])[5]] == [None, None]


def test_subsidiaries_are_unknown_where_there_is_no_such_table(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    for subsidiary in (2, 1):
        double.insert("customersubsidiaryrelationship", {"entity": 5, "subsidiary": subsidiary})
    assert client.customers.subsidiaries([5, 6]) == {5: (1, 2)}
    double.drop("customersubsidiaryrelationship")
    assert client.customers.subsidiaries([5]) is None


def test_items_are_found_by_id_or_sku_in_one_query(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    double.item(1, "RE-130", subsidiary="1, 2")
    double.item(2, "KIT-1", "Kit", isinactive="T")
    double.item(3, "TEE", matrixtype="PARENT")
    found = client.items.for_orders([2], ["RE-130", "TEE"], oneworld=True)
    assert [(row.id, row.sku, row.type, row.matrix, row.inactive) for row in found] == [
        (1, "RE-130", "InvtPart", "", False), (2, "KIT-1", "Kit", "", True), (3, "TEE", "InvtPart", "PARENT", False),
    ]  # fmt: skip
    assert found[0].subsidiaries == (1, 2)
    assert len(double.queries) == 1


def test_a_matrix_child_is_found_by_its_own_name_and_any_item_in_any_case(
    client: NetSuiteClient, double: NetSuiteDouble
) -> None:
    double.item(1, "TEE : TEE_S")
    double.item(2, "TEE : TEEXS")
    double.item(3, "re-130")
    found = client.items.for_orders(skus=["tee_s", "NOPE", "RE-130"])
    assert [(row.id, row.sku) for row in found] == [(1, "TEE_S"), (3, "re-130")]
    assert len(double.queries) == 2


def test_another_field_may_hold_the_sku(client: NetSuiteClient, double: NetSuiteDouble) -> None:
    double.item(1, "X", upccode="0123")
    assert [row.sku for row in client.items.for_orders(skus=["0123"], sku_field="upccode")] == ["0123"]
    with pytest.raises(ValueError, match="column name"):
        client.items.for_orders(skus=["a"], sku_field="itemid OR 1=1")
