from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.rules.paths import value_at

DOCUMENT: dict[str, Any] = {
    "id": 7,
    "notes": "  call first ",
    "empty": " ",
    "credit": Decimal("1.50"),
    "vip": True,
    "billing": {"form_fields": [{"name": "VAT no.", "value": "DE1"}, {"name": "A.B", "value": 2}]},
    "attributes": {"tier.name": "gold"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 7),
        ("notes", "call first"),
        ("credit", Decimal("1.50")),
        ("vip", True),
        ("billing.form_fields.VAT no.", "DE1"),
        ("billing.form_fields.A.B", 2),
        ("attributes.tier.name", "gold"),
        ("empty", None),
        ("missing", None),
        ("billing", None),
        ("billing.form_fields", None),
        ("billing.form_fields.C", None),
        ("id.more", None),
    ],
)
def test_a_path_leads_to_a_value_or_to_none(path: str, value: object) -> None:
    assert value_at(DOCUMENT, path) == value
