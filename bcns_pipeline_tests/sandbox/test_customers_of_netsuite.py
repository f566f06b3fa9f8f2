"""Customers of the NetSuite double beyond creation: what may change, currencies, registrations, dates.

Put rules here that need many records. Do not put HTTP here (test_records.py).
"""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.sandbox.desk import Desk

HOME = {"addr1": "1 High St", "city": "Austin", "state": "TX", "country": {"id": "US"}}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account."""
    return Desk(skus=5)


def test_a_person_stays_a_person(desk: Desk) -> None:
    customer = desk.customer()
    said = desk.refused("PATCH", f"customer/{customer}", {"isPerson": False, "companyName": "Roe Ltd"})
    assert said == ("USER_ERROR", "The field isPerson can't be changed on an existing record.", "isPerson")
    desk.patch(f"customer/{customer}", {"isPerson": True, "lastName": "Doe"})


def test_entity_ids_are_unique_and_e_mails_need_not_be(desk: Desk) -> None:
    desk.customer(entityId="Jane Roe", email="twin@example.com")
    said = desk.refused(
        "POST",
        "customer",
        {"isPerson": True, "lastName": "Roe", "entityId": "Jane Roe", "subsidiary": {"id": "1"}},
    )
    assert said[1] == "Error while accessing a resource. This entity already exists."
    desk.customer(email="TWIN@example.com")
    rows = desk.sql(
        "SELECT COUNT(*) n FROM customer WHERE LOWER(email) IN (?, ?)",
        "twin@example.com",
        "nobody@example.com",
    )
    assert rows == [{"n": "2"}]


def test_a_refused_change_leaves_the_record_as_it_was(desk: Desk) -> None:
    customer = desk.customer(phone="555 0100")
    before = desk.get(f"customer/{customer}")
    desk.refused("PATCH", f"customer/{customer}", {"phone": "555 0199", "email": "nobody"})
    address = {"items": [{"internalId": 1, "addressBookAddress": HOME}]}
    desk.refused("PATCH", f"customer/{customer}", {"phone": "555 0199", "addressBook": address})
    assert desk.get(f"customer/{customer}") == before


def test_replacing_the_address_book_keeps_what_the_request_names(desk: Desk) -> None:
    two = {"items": [{"label": "A", "addressBookAddress": HOME}, {"label": "B", "addressBookAddress": HOME}]}
    customer = desk.customer(addressBook=two)
    first = desk.get(f"customer/{customer}")["addressBook"]["items"][0]["internalId"]
    desk.patch(
        f"customer/{customer}?replace=addressBook", {"addressBook": {"items": [{"internalId": first}]}}
    )
    assert [x["label"] for x in desk.get(f"customer/{customer}")["addressBook"]["items"]] == ["A"]
    rows = desk.sql(
        """SELECT a.city c FROM customeraddressbook b
           JOIN customeraddressbookentityaddress a ON a.nkey = b.addressbookaddress WHERE b.entity = ?""",
        str(customer),
    )
    assert rows == [{"c": "Austin"}]


def test_the_date_of_change_moves_with_every_change(desk: Desk) -> None:
    customer = desk.customer()
    desk.merchant.clock.advance(120)
    now = str(desk.merchant.clock.account())
    query = "SELECT id FROM customer WHERE lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS') AND id = ?"
    assert desk.sql(query, now, str(customer)) == []
    desk.patch(f"customer/{customer}", {"phone": "555 0123"})
    assert desk.sql(query, now, str(customer)) == [{"id": str(customer)}]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"currencyList": {"items": [{"currency": {"id": "77"}}]}}, "for the following field: currency"),
        ({"currencyList": {"currency": 1}}, "The sublist currencyList needs 'items'."),
        ({"custentity_other": "x"}, "Invalid property name: 'custentity_other'."),
        ({"priceLevel": {"refName": "Base"}}, "Invalid reference"),
        ({"taxable": "no"}, "Invalid value for the property 'taxable'."),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused(desk: Desk, body: dict[str, Any], said: str) -> None:
    customer = desk.customer()
    assert said in desk.refused("PATCH", f"customer/{customer}", body)[1]


def test_own_fields_tax_flag_and_registrations_are_kept_and_shown(desk: Desk) -> None:
    registration = {"items": [{"nexusCountry": {"id": "DE"}, "taxRegistrationNumber": "DE123456789"}]}
    customer = desk.customer(taxable=False, custentity_bc_customer_id="9", taxRegistration=registration)
    shown = desk.get(f"customer/{customer}")
    assert shown["taxRegistration"]["items"][0]["taxRegistrationNumber"] == "DE123456789"
    rows = desk.sql("SELECT taxable t, custentity_bc_customer_id b FROM customer WHERE id = ?", str(customer))
    assert rows == [{"t": "F", "b": "9"}]
    (told,) = [one for one in desk.people.customers() if one["id"] == customer]
    assert told["tax_registrations"][0]["taxRegistrationNumber"] == "DE123456789"


def test_people_create_and_change_customers_by_hand(desk: Desk) -> None:
    told = desk.people.edit_customer(
        {"email": "pat@example.com", "externalId": "by-hand", "subsidiaries": [2]}
    )
    assert told["subsidiaries"] == [1, 2]
    desk.people.edit_customer({"customer": "by-hand", "isInactive": True})
    assert desk.sql("SELECT isinactive i FROM customer WHERE externalid = ?", "by-hand") == [{"i": "T"}]
    with pytest.raises(ValueError, match="no customer nobody"):
        desk.people.edit_customer({"customer": "nobody"})
