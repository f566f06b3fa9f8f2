"""The order sections of a mapping file for a sandbox's accounts: what `bcns demo` and `bcns dev` post by.

Put here which of the account's own ids stand where. Do not put files or environments here (local.py). A merchant
writes the same by hand, once, with `bcns doctor` beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

TIMEZONE = "America/New_York"
CUTOVER_DAYS = 30
CUSTOM_PRICE = -1


def order_sections(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that orders, customers and parcels need; `accounting` is what the account says of itself."""
    items = {name: int(number) for name, number in accounting["items"].items()}
    codes = {name: int(code["id"]) for name, code in accounting["tax_codes"].items()}
    methods = {name: int(number) for name, number in accounting["ship_methods"].items()}
    departments = {name: int(number) for name, number in accounting["departments"].items()}
    classes = {name: int(number) for name, number in accounting["classes"].items()}
    location = int(accounting["locations_by_subsidiary"]["1"][0])
    started = datetime.now(UTC) - timedelta(days=CUTOVER_DAYS)
    storefront = {
        "subsidiary": 1,
        "location": location,
        "department": departments["E-Commerce"],
        "class": classes["Online"],
    }
    amazon = {"subsidiary": 1, "location": location, "class": classes["Marketplace"], "marketplace": True}
    return {
        "store": {"timezone": TIMEZONE},
        "cutover": {"at": started.date().isoformat()},
        "channels": {1: storefront, 3: amazon},
        "orders": {
            "discounts": {"owner": "bigcommerce"},
            "rounding": {"item": items["rounding"]},
            "tax": {
                "item": items["sales_tax"],
                "code": codes["US-NY"],
                "type": 1,
                "exempt_code": codes["US-EXEMPT"],
                "marketplace_item": items["marketplace_tax"],
                "reverse_charge": {
                    "code": codes["EU-REVERSE-CHARGE"],
                    "type": 2,
                    "countries": ["DE", "FR", "AT"],
                    "company": "required",
                },
            },
            "shipping": {
                "item": items["shipping"],
                "methods": {
                    **methods,
                    "*Ground": methods["UPS Ground"],
                    "Amazon*": methods["UPS Ground"],
                },
            },
            "handling": {"item": items["handling"]},
            "gift_wrapping": {"item": items["gift_wrap"]},
            "fees": {"item": items["fee"]},
            "gift_certificates": {"item": items["gift_certificate"]},
            "custom_products": {"item": items["unmapped"]},
            "fields": {"custbody_bc_order_id": "id"},
            "line_fields": {"custcol_bc_ship_to": "$ship_to"},
            "line_id_field": "custcol_bc_line_id",
        },
        "fulfilment": {"note_field": "custbody_bc_shipment_id"},
    }


def rounding_cent(accounting: Mapping[str, Any]) -> dict[str, Any]:
    """A line over one cent in REST's words, as a careless user-event script adds it after the save."""
    return {
        "item": {"id": accounting["items"]["rounding"]},
        "price": {"id": str(CUSTOM_PRICE)},
        "rate": 0.01,
        "amount": 0.01,
        "quantity": 1,
    }
