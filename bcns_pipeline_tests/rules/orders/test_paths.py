from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.orders.paths import look_up, parse_path

ORDER = {
    "id": 1001,
    "staff_notes": "  call first ",
    "is_deleted": False,
    "total_inc_tax": "116.7300",
    "empty": "",
    "fees": [{"id": 3, "name": "x"}],
    "metafields": {"Loyalty app": {"tier": "Gold"}},
    "billing_address": {
        "form_fields": [{"name": "VAT Number", "value": "DE1"}, {"name": "Ticks", "value": ["a"]}]
    },
}


@pytest.mark.parametrize(
    ("path", "as_", "value"),
    [
        ("id", "text", "1001"),
        ("id", "number", Decimal(1001)),
        ("id", "reference", {"id": "1001"}),
        ("staff_notes", "text", "call first"),
        ("staff_notes", "number", None),
        ("staff_notes", "flag", False),
        ("is_deleted", "text", False),
        ("is_deleted", "flag", False),
        ("total_inc_tax", "number", Decimal("116.7300")),
        ("billing_address.form_fields.vat number", "text", "DE1"),
        ("billing_address.form_fields.0.value", "text", "DE1"),
        ("billing_address.form_fields.7.value", "text", None),
        ("billing_address.form_fields.Ticks", "text", None),
        ("billing_address", "text", None),
        ("fees.0.id", "text", "3"),
        ("empty", "text", None),
        ("nothing.at.all", "text", None),
        ("id.deeper", "text", None),
        ("metafields.Loyalty app.tier", "text", "Gold"),
        ("metafields.Loyalty app.Tier", "text", None),
        ("metafields.other.tier", "text", None),
        ("=Web shop", "text", "Web shop"),
        ("=12", "reference", {"id": "12"}),
        ("=yes", "flag", True),
    ],
)
def test_a_path_finds_its_value_in_the_form_that_netsuite_wants(path: str, as_: Any, value: Any) -> None:
    assert look_up(parse_path(path, as_), ORDER) == value


def test_a_computed_value_is_known_on_lines_only() -> None:
    path = parse_path("$net", "number", computed=True)
    assert look_up(path, {}, {"$net": Decimal("5.10")}) == Decimal("5.10")
    assert look_up(path, {}) is None
    with pytest.raises(ValueError, match="nothing of that kind is"):
        parse_path("$net")


@pytest.mark.parametrize("text", ["metafields", "metafields.loyalty", "metafields.a.b.c", "metafields.a,b.c"])
def test_a_metafield_has_a_namespace_and_a_key_and_belongs_to_the_order(text: str) -> None:
    with pytest.raises(ValueError, match=r"write metafields\.namespace\.key"):
        parse_path(text)
    with pytest.raises(ValueError, match="belong to the order"):
        parse_path("metafields.loyalty.tier", computed=True)


@pytest.mark.parametrize("text", ["", "a..b", ".a", "a."])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        parse_path(text)


@given(st.text(max_size=30), st.sampled_from(["text", "number", "flag", "reference"]))
def test_whatever_a_field_holds_looking_it_up_never_fails(value: str, as_: Any) -> None:
    look_up(parse_path("a", as_), {"a": value})
