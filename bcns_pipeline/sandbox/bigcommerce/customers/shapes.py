"""Customers and their addresses as /v3/customers shows them.

Put JSON here. Do not put filters or changes here. Source: facts/bigcommerce.md 4.1. `channel_ids` is null for
a shopper known on all channels, which the official file forbids, so it is left out there.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.bigcommerce.customers.book import Address, Customer
from bcns_pipeline.sandbox.bigcommerce.money import number
from bcns_pipeline.sandbox.bigcommerce.v3 import iso

INCLUDES = ("addresses", "storecredit", "attributes", "formfields", "shopper_profile_id", "segment_ids")
# The file allows no more of them inside a customer; the rest are read from /v3/customers/addresses.
ADDRESSES_INSIDE = 10


def customer(one: Customer, include: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A row of /v3/customers."""
    row: dict[str, Any] = {
        "id": one.id,
        "email": one.email,
        "first_name": one.first_name,
        "last_name": one.last_name,
        "company": one.company,
        "phone": one.phone,
        "registration_ip_address": "192.0.2.10",
        "notes": one.notes,
        "tax_exempt_category": one.tax_exempt_category,
        "customer_group_id": one.customer_group_id,
        "date_created": iso(one.created),
        "date_modified": iso(one.modified),
        "address_count": len(one.addresses),
        "attribute_count": 0,
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": True,
        "origin_channel_id": one.origin_channel_id,
    }
    if one.channel_ids is not None:
        row["channel_ids"] = one.channel_ids
    if "addresses" in include:
        row["addresses"] = [address(a, form_fields=False) for a in one.addresses[:ADDRESSES_INSIDE]]
    if "storecredit" in include:
        row["store_credit_amounts"] = [{"amount": number(one.store_credit)}]
    if "attributes" in include:
        row["attributes"] = []
    if "formfields" in include:
        row["form_fields"] = [{**field, "customer_id": one.id} for field in one.form_fields]
    if "shopper_profile_id" in include:
        row["shopper_profile_id"] = f"00000000-0000-4000-8000-{one.id:012d}"
    if "segment_ids" in include:
        row["segment_ids"] = []
    return row


def address(one: Address, *, form_fields: bool) -> dict[str, Any]:
    """A row of /v3/customers/addresses."""
    row: dict[str, Any] = {
        "id": one.id,
        "customer_id": one.customer_id,
        **one.values,
        "country": one.country,
        "address_type": one.address_type,
    }
    if form_fields:
        row["form_fields"] = [{**field, "address_id": one.id} for field in one.form_fields]
    return row
