"""From BigCommerce's JSON, or from an order that was read, to a shopper.

Put here which field becomes what. Do not put matching or NetSuite's fields here. Source: facts/bigcommerce.md
4.1 (v3 customers) and 3.4 (the billing address of an order, which is all that is known of a guest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bcns_pipeline.rules.customers.model import Shopper, ShopperAddress, fold_email
from bcns_pipeline.rules.orders import fields
from bcns_pipeline.rules.orders.fields import Json, Unreadable
from bcns_pipeline.rules.orders.model import Address, Order

# What `customers.fields` may name first; after form_fields and attributes comes a name or an id.
FACTS: Final = frozenset(
    {
        "customer_id",
        "channel_id",
        "email",
        "first_name",
        "last_name",
        "company",
        "phone",
        "notes",
        "customer_group_id",
        "tax_exempt_category",
        "date_created",
        "locale",
        "form_fields",
        "attributes",
    }
)


def read_customer(document: Json) -> Shopper:
    """The shopper of a v3 customer (`include=addresses,formfields,attributes`, where they are wanted).

    Raises Unreadable, one sentence naming the field and without personal data.
    """
    text = fields.text
    customer_id = fields.whole(document, "id")
    if customer_id < 1:
        raise Unreadable("id is missing.")
    category = text(document, "tax_exempt_category")
    channel_id = fields.whole(document, "origin_channel_id") or 1
    facts: dict[str, Any] = {
        "customer_id": customer_id,
        "channel_id": channel_id,
        "customer_group_id": fields.whole(document, "customer_group_id"),
        "notes": text(document, "notes"),
        "tax_exempt_category": category,
        "date_created": text(document, "date_created"),
        "form_fields": list(fields.rows(document.get("form_fields"), "form_fields")),
        "attributes": {
            text(row, "attribute_id"): text(row, "attribute_value")
            for row in fields.rows(document.get("attributes"), "attributes")
        },
    }
    return _with_facts(
        Shopper(
            customer_id=customer_id,
            channel_id=channel_id,
            source="account",
            email=fold_email(text(document, "email")),
            first_name=text(document, "first_name"),
            last_name=text(document, "last_name"),
            company=text(document, "company"),
            phone=text(document, "phone"),
            tax_exempt=bool(category),
            addresses=tuple(
                _account_address(row, f"addresses[{place}].")
                for place, row in enumerate(fields.rows(document.get("addresses"), "addresses"))
            ),
        ),
        facts,
    )


def shopper_of_order(order: Order) -> Shopper:
    """Whoever placed `order`, as far as its billing address tells; its ship-to addresses follow that one."""
    billing = order.billing
    facts: dict[str, Any] = {
        "customer_id": order.customer_id or None,  # 0 is nobody's number, and would stand on every guest
        "channel_id": order.channel_id,
        "locale": fields.text(order.document, "customer_locale"),
        "form_fields": dict(billing.form_fields),
    }
    places = [billing, *(one.address for one in order.ship_to)]
    return _with_facts(
        Shopper(
            customer_id=order.customer_id,
            channel_id=order.channel_id,
            source="order",
            email=fold_email(billing.email),
            first_name=billing.first_name,
            last_name=billing.last_name,
            company=billing.company,
            phone=billing.phone,
            addresses=tuple(ShopperAddress(place) for place in places if place.street_1 or place.city),
        ),
        facts,
    )


def _with_facts(shopper: Shopper, facts: Mapping[str, Any]) -> Shopper:
    named = {
        name: getattr(shopper, name) for name in ("email", "first_name", "last_name", "company", "phone")
    }
    return replace(shopper, facts={**named, **facts})


def _account_address(row: Json, at: str) -> ShopperAddress:
    def text(name: str) -> str:
        return fields.text(row, name, at)

    return ShopperAddress(
        id=fields.whole(row, "id", at),
        address=Address(
            first_name=text("first_name"),
            last_name=text("last_name"),
            company=text("company"),
            street_1=text("address1"),
            street_2=text("address2"),
            city=text("city"),
            state=text("state_or_province"),
            zip=text("postal_code"),
            country=text("country"),
            country_code=text("country_code").upper(),
            phone=text("phone"),
        ),
    )
