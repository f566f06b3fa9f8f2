"""The header of a draft: whom it is for, when, where it goes, and under which names it is found.

Put fields of the body here. Do not put lines or tax rows here. Field names: facts/netsuite.md 3.6; what a
field would be refused for (length, a phone number too short) is cut or left out before it is sent.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.rules.customers.addresses import address_body, fitted
from bcns_pipeline.rules.orders.facts import Facts
from bcns_pipeline.rules.orders.lines import Charges
from bcns_pipeline.rules.orders.model import ZERO, Address, Order
from bcns_pipeline.rules.orders.paths import look_up
from bcns_pipeline.rules.orders.policy import SALES_ORDER, OrderPolicy, fold
from bcns_pipeline.rules.orders.preflight import Found, Place
from bcns_pipeline.rules.orders.tax import TaxPlan

_LONGEST_REFERENCE: Final = 45  # otherRefNum
_LONGEST_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_RATE_DIGITS: Final = Decimal("1E-8")
# How shops call the field in which a business buyer types its own number.
_PURCHASE_ORDER_FIELDS: Final = frozenset(
    {"po", "po #", "po#", "po no", "po no.", "po number", "purchase order", "purchase order number"}
)


def draft_header(
    order: Order,
    found: Found,
    place: Place,
    charges: Charges,
    taxes: TaxPlan,
    facts: Facts,
    policy: OrderPolicy,
) -> dict[str, Any]:
    """Every field of the body but externalId, lines and tax rows."""
    channel, zone = place.channel, policy.zone(place.channel)
    header: dict[str, Any] = {"entity": _entity(facts)}
    header |= _reference("subsidiary", place.subsidiary) | _reference("currency", place.currency_id)
    rate = exchange_rate(order, place, policy)
    if rate is not None:
        header["exchangeRate"] = rate
    header["tranDate"] = order.placed_at.astimezone(zone).date().isoformat()
    reference = purchase_order(order, policy)
    if reference:
        header["otherRefNum"] = reference
    if policy.memo:
        header["memo"] = policy.memo.replace("{id}", str(order.id))
    if channel.record == SALES_ORDER:
        header["orderStatus"] = {"id": policy.order_status}
    elif channel.cash_account is not None:
        # Without it NetSuite puts the money into Undeposited Funds, where no payout looks for it.
        header |= _reference("account", channel.cash_account)
        header["undepFunds"] = {"id": "F"}
    header |= _reference("location", channel.location)
    header |= _reference("department", channel.department)
    header |= _reference("class", channel.class_id)
    header |= _shipping(found, charges)
    header |= _reference(policy.payment_field, found.payment_method)
    header |= _contact(order, policy)
    header |= channel.fields
    for name, path in policy.fields.items():
        value = look_up(path, order.document)
        if value is not None:
            header[name] = value
    return {**header, **taxes.fields}


def purchase_order(order: Order, policy: OrderPolicy) -> str:
    """The shopper's own number where there is one, else ours, as the policy says; "" for none."""
    wanted = policy.purchase_order
    if wanted == "off":
        return ""
    own = ""
    if wanted == "auto":
        own = next(
            filter(None, map(_typed_number, (order.billing, *(one.address for one in order.ship_to)))), ""
        )
    elif wanted != "order_id":
        own = str(look_up(wanted, order.document) or "")
    return fitted(own, _LONGEST_REFERENCE) or str(order.id)


def _typed_number(address: Address) -> str:
    fields = address.form_fields.items()
    return next((value for name, value in fields if fold(name) in _PURCHASE_ORDER_FIELDS and value), "")


def _entity(facts: Facts) -> dict[str, str]:
    customer = facts.customer
    return {"id": str(customer.id)} if customer.id is not None else {"externalId": customer.external_id}


def _reference(name: str, number: int | None) -> dict[str, Any]:
    return {} if number is None else {name: {"id": str(number)}}


def _shipping(found: Found, charges: Charges) -> dict[str, Any]:
    """With a ship method, the cost is always said: NetSuite would work out one of its own."""
    fields = _reference("shipMethod", found.ship_method)
    if fields:
        fields["shippingCost"] = charges.shipping.amount if charges.shipping else ZERO
    if charges.handling:
        fields["handlingCost"] = charges.handling.amount
    return fields


def _contact(order: Order, policy: OrderPolicy) -> dict[str, Any]:
    """E-mail and addresses. NetSuite is told not to mail the shopper, whom BigCommerce has told already."""
    fields: dict[str, Any] = {"toBeEmailed": False}
    email = order.billing.email
    if policy.send_email and len(email) <= _LONGEST_EMAIL and _EMAIL.fullmatch(email):
        fields["email"] = email
    billing = address_body(order.billing)
    if billing:
        fields["billingAddress"] = billing
    # With several, the first: the header has room for one, and lines say theirs (`$ship_to`).
    shipping = address_body(order.ship_to[0].address) if order.ship_to else {}
    if shipping:
        fields["shippingAddress"] = shipping
    return fields


def exchange_rate(order: Order, place: Place, policy: OrderPolicy) -> Decimal | None:
    """Units of the subsidiary's currency for one of the order's; None leaves it to NetSuite's own table.

    BigCommerce's rate goes the other way, from the store's currency to the order's, so it serves only where
    the store's currency is the subsidiary's.
    """
    if (
        place.currency_id is None
        or order.currency == place.base_currency
        or policy.exchange_rate == "netsuite"
    ):
        return None
    if not order.exchange_rate or order.store_currency != place.base_currency:
        return None
    return (1 / order.exchange_rate).quantize(_RATE_DIGITS)
