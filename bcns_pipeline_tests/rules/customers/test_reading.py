from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.rules.customers.reading import read_customer, shopper_of_order
from bcns_pipeline.rules.orders.fields import Unreadable
from bcns_pipeline.rules.orders.reading import read_order

CUSTOMER: dict[str, Any] = {
    "id": 9,
    "email": " Jane@Shop.test ",
    "first_name": "Jane",
    "last_name": "Roe",
    "company": "",
    "phone": "512 555 0100",
    "notes": "VIP",
    "tax_exempt_category": "",
    "customer_group_id": 3,
    "origin_channel_id": 2,
    "date_created": "2026-03-01T10:00:00Z",
    "form_fields": [{"name": "VAT", "value": "DE1", "customer_id": 9}],
    "attributes": [{"attribute_id": 4, "attribute_value": "gold"}],
    "store_credit_amounts": [{"amount": Decimal("1.5")}],
    "addresses": [
        {
            "id": 31,
            "first_name": "Jane",
            "last_name": "Roe",
            "address1": "1 High St",
            "city": "Austin",
            "state_or_province": "Texas",
            "postal_code": "78701",
            "country": "United States",
            "country_code": "us",
            "phone": "",
        }
    ],
}
ORDER: dict[str, Any] = {
    "id": 100,
    "customer_id": 0,
    "channel_id": 1,
    "status_id": 11,
    "date_created": "Sun, 01 Mar 2026 10:00:00 +0000",
    "date_modified": "Sun, 01 Mar 2026 10:00:00 +0000",
    "default_currency_code": "USD",
    "currency_code": "USD",
    "total_inc_tax": "10.0000",
    "total_ex_tax": "10.0000",
    "total_tax": "0.0000",
    "subtotal_inc_tax": "10.0000",
    "subtotal_ex_tax": "10.0000",
    "subtotal_tax": "0.0000",
    "customer_locale": "en",
    "billing_address": {
        "first_name": "Jane",
        "last_name": "Roe",
        "company": "",
        "street_1": "1 High St",
        "street_2": "",
        "city": "Austin",
        "state": "Texas",
        "zip": "78701",
        "country": "United States",
        "country_iso2": "US",
        "phone": "512 555 0100",
        "email": "Jane@Shop.test",
        "form_fields": [{"name": "VAT", "value": "DE1"}],
    },
    "fees": [],
    "consignments": {"shipping": [], "pickups": [], "downloads": [], "email": {"gift_certificates": []}},
}


def test_an_account_is_read_with_its_addresses_and_facts() -> None:
    shopper = read_customer(CUSTOMER)
    assert (shopper.customer_id, shopper.channel_id, shopper.email) == (9, 2, "jane@shop.test")
    assert (shopper.guest, shopper.source, shopper.tax_exempt) == (False, "account", False)
    assert (shopper.addresses[0].id, shopper.addresses[0].address.country_code) == (31, "US")
    assert shopper.facts["form_fields"][0]["value"] == "DE1"
    assert shopper.facts["attributes"] == {"4": "gold"}


def test_a_category_of_exemption_makes_a_shopper_exempt() -> None:
    assert read_customer({**CUSTOMER, "tax_exempt_category": "E"}).tax_exempt is True


def test_a_guest_is_what_its_billing_address_says_and_tells_nothing_of_its_tax() -> None:
    shopper = shopper_of_order(read_order(ORDER))
    assert (shopper.guest, shopper.email, shopper.last_name) == (True, "jane@shop.test", "Roe")
    assert shopper.tax_exempt is None
    assert [one.address.city for one in shopper.addresses] == ["Austin"]
    assert (shopper.facts["locale"], shopper.facts["customer_id"]) == ("en", None)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"id": None}, "id is missing"),
        ({"id": "x"}, "id is no amount"),
        ({"email": ["jane"]}, "email is no text"),
        ({"addresses": "none"}, "addresses is no list"),
        ({"addresses": [{"id": 1, "city": {}}]}, r"addresses\[0\].city is no text"),
        ({"customer_group_id": "x"}, "customer_group_id is no amount"),
    ],
)
def test_what_cannot_be_understood_is_named_without_its_value(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(Unreadable, match=named) as refusal:
        read_customer({**CUSTOMER, **changed})
    assert "jane" not in str(refusal.value).lower()
