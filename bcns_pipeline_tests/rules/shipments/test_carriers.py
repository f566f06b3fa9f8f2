from __future__ import annotations

import pytest

from bcns_pipeline.rules.shipments.model import read_shipment
from bcns_pipeline.rules.shipments.parcels import tracking_numbers
from bcns_pipeline.rules.shipments.policy import (
    CARRIERS,
    Carrier,
    ShipmentPolicy,
    carrier_of,
    is_provider,
    tracking_link,
)


@pytest.mark.parametrize(
    ("method", "code", "provider"),
    [
        ("UPS Ground", "", "ups"),
        ("  fedex   2Day ", "nonups", "fedex"),
        ("Royal Mail Tracked 24", "", "royalmail"),
        ("", "ups", "ups"),
        ("Standard", "ups", "ups"),
    ],
)
def test_a_carrier_is_known_by_ship_method_or_by_code(method: str, code: str, provider: str) -> None:
    found = carrier_of(ShipmentPolicy(), method, code)
    assert found is not None
    assert found.provider == provider


def test_a_name_of_its_own_comes_before_any_pattern() -> None:
    exact = Carrier("carrier_7")
    policy = ShipmentPolicy(carriers={"ups*": Carrier("ups"), "ups ground": exact})
    assert carrier_of(policy, "UPS Ground", "") == exact
    assert carrier_of(policy, "UPS Air", "ups ground") == exact
    assert carrier_of(policy, "Pigeon", "") is None
    assert carrier_of(policy, "", "") is None


def test_every_carrier_that_is_known_from_the_start_is_one_that_the_store_takes() -> None:
    assert all(is_provider(one.provider) for one in CARRIERS.values())


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("ups", True),
        ("", True),
        ("carrier_123", True),
        ("carrier_", False),
        ("UPS", False),
        ("pigeon", False),
    ],
)
def test_the_store_takes_its_own_providers_only(text: str, known: bool) -> None:
    assert is_provider(text) == known


def test_a_tracking_number_is_safe_in_a_link() -> None:
    assert tracking_link("https://t.test/{tracking}?a=1", "1Z 9/9&b") == "https://t.test/1Z%209%2F9%26b?a=1"
    assert tracking_link("", "1Z") == ""
    assert tracking_link("https://t.test/{tracking}", "") == ""
    assert tracking_link("https://t.test/{tracking}", "1" * 500) == ""


def test_numbers_in_one_field_are_taken_apart() -> None:
    assert tracking_numbers([" 1Z1 <BR>1Z2", "1Z1,1Z3\n9400 1000", "", "\x00"]) == [
        "1Z1",
        "1Z2",
        "1Z3",
        "9400 1000",
    ]


def test_a_shipment_is_read_as_the_store_shows_it() -> None:
    shipment = read_shipment(
        {
            "id": 12,
            "order_address_id": "20",
            "tracking_number": "1Z1",
            "shipping_provider": "ups",
            "tracking_carrier": "",
            "tracking_link": "",
            "comments": "NS IF501",
            "items": [{"order_product_id": 1, "quantity": 2}, {"order_product_id": 1, "quantity": "1"}],
        }
    )
    assert (shipment.id, shipment.address_id, shipment.items, shipment.provider) == (12, 20, {1: 3}, "ups")
    assert "IF501" not in repr(shipment)
