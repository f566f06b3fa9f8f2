"""A cart from a few words: what a shopper put in it, where it goes, what is taken off.

Put the reading of a `shop_order` body into the parts of an order here. Do not put arithmetic (checkout.py),
payment (shop_payment.py) or the awkward kinds (shop_kinds.py) here. A body names SKUs and amounts; everything
else has a default that follows from the order's number.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO, amount, half_up, minor
from bcns_pipeline.sandbox.bigcommerce.orders.models import (
    GIFT_CERTIFICATE,
    PERCENT,
    PHYSICAL,
    Discount,
    Fee,
    Line,
    LineKind,
    Order,
    Pickup,
    Rate,
    ShipTo,
)
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.bigcommerce.state import Product, Variant
from bcns_pipeline.sandbox.shop_people import taxes

LINE_FIELDS = frozenset(
    {
        "sku",
        "variant_id",
        "quantity",
        "price",
        "tax_rate",
        "taxes",
        "wrapping",
        "wrapping_message",
        "name",
        "custom",
    }
    | {"kind", "to", "pickup", "event_name", "event_date", "recipient_email", "children", "external_id"}
)
DEFAULT_SHIPPING = Decimal("9.95")
DEFAULT_METHOD = "Ground"
PICKS = 200
# The generated catalogue's ordinary stock; what is odd about others is asked for by name.
ORDINARY = "SKU-"


class BadCart(Exception):
    """What was asked for can't be sold; the text says why in one sentence."""


def rates_of(raw: Mapping[str, Any], otherwise: tuple[Rate, ...]) -> tuple[Rate, ...]:
    """`taxes` (name, rate, priority) or `tax_rate` of a body; a rate of 0 is no tax at all."""
    if "taxes" in raw:
        return tuple(
            Rate(
                str(one.get("name", "Tax")),
                amount(one["rate"], "rate"),
                int(one.get("priority", 0)),
                id=str(one.get("id", place)),
            )
            for place, one in enumerate(raw["taxes"], 1)
        )
    if "tax_rate" in raw:
        percent = amount(raw["tax_rate"], "tax_rate")
        return (Rate("Tax", percent),) if percent else ()
    return otherwise


def ship_to(shop: Shop, order: Order, body: Mapping[str, Any], *, exempt: bool) -> None:
    """The order's ship-to addresses, with shipping and handling for each.

    `ship_to` is a list of addresses (what is left out comes from the billing address); `shipping` is one
    object or one per address: method, cost, tax_rate, handling.
    """
    wanted: Sequence[Mapping[str, Any]] = body.get("ship_to") or [{}]
    shipping = body.get("shipping", {})
    details = shipping if isinstance(shipping, list) else [shipping] * len(wanted)
    unit = minor(order.currency)
    for given, detail in zip(wanted, details, strict=True):
        address = {**order.billing, "form_fields": [], **given}
        zone, taxed = taxes(address)
        usual = zone if taxed and not exempt else ()
        rates = rates_of(detail, rates_of(body, usual) if taxed or "taxes" in body else usual)
        default = half_up(DEFAULT_SHIPPING * order.rate, unit)
        order.addresses.append(
            ShipTo(
                shop.number("address"),
                address,
                str(detail.get("method", DEFAULT_METHOD)),
                amount(detail.get("cost", default), "shipping.cost"),
                amount(detail.get("handling", 0), "shipping.handling"),
                () if exempt else rates,
                () if exempt else rates,
                zone_name=str(address["country"]),
            )
        )


def add_lines(shop: Shop, order: Order, body: Mapping[str, Any], rng: random.Random, *, exempt: bool) -> None:
    """The products, each on its way to where it goes; addresses that nothing goes to fall away."""
    for raw in body.get("lines") or [{}]:
        if unknown := sorted(set(raw) - LINE_FIELDS):
            raise BadCart(f"A line has no field {unknown[0]!r}; it has {', '.join(sorted(LINE_FIELDS))}.")
        parent = _line(shop, order, body, raw, rng, exempt=exempt)
        order.lines.append(parent)
        for child in raw.get("children", ()):
            # A bundle's price is its parent's; the parts are listed, taken from stock and shipped.
            line = _line(shop, order, body, {**child, "price": "0"}, rng, exempt=exempt)
            line.parent_id, line.bundled = parent.id, True
            line.quantity *= parent.quantity
            order.lines.append(line)
    used = {line.address_id for line in order.lines}
    order.addresses = [place for place in order.addresses if place.id in used]


def _line(
    shop: Shop,
    order: Order,
    body: Mapping[str, Any],
    raw: Mapping[str, Any],
    rng: random.Random,
    *,
    exempt: bool,
) -> Line:
    kind: LineKind = raw.get("kind", PHYSICAL)
    quantity = int(raw.get("quantity", 1))
    if quantity < 1:
        raise BadCart(f"A line's quantity is at least 1, not {quantity}.")
    location = int(body.get("location_id", shop.store.locations[0].id))
    if location not in shop.store.location_place:
        raise BadCart(f"The shop has no location {location}.")
    place = shop.store.location_place[location]
    to = order.addresses[int(raw.get("to", 0))] if order.addresses else None
    where = to.address if to is not None else order.billing
    zone, _ = taxes(where)
    line = Line(
        shop.number("order_product"), str(raw.get("sku", "")), "", kind, quantity, ZERO, location=place
    )
    if kind == GIFT_CERTIFICATE:
        line.price = amount(raw["price"], "price")
        line.name = f"{line.price} {order.currency} Gift Certificate"
        line.gift_certificate_id = shop.number("gift_certificate")
        line.recipient_email = str(raw.get("recipient_email", ""))
    elif raw.get("custom"):
        line.name = str(raw.get("name", "Custom product"))
        line.price = amount(raw.get("price", "10"), "price")
    else:
        product, variant = find(shop, order, raw, rng, place, 0 if body.get("restock") else quantity)
        line.sku, line.product_id, line.variant_id = variant.sku, product.id, variant.id
        line.name, line.label, line.item = product.name, variant.label, variant.item
        line.price = half_up(product.price * order.rate, minor(order.currency))
        if "price" in raw:
            line.price = amount(raw["price"], "price")
    if kind != GIFT_CERTIFICATE and not exempt:
        line.rates = rates_of(raw, rates_of(body, zone))
    if kind == PHYSICAL and raw.get("pickup"):
        line.pickup_id = _pickup(shop, order, location).id
    elif kind == PHYSICAL and to is not None:
        line.address_id = to.id
    if "wrapping" in raw:
        line.wrap_price = amount(raw["wrapping"], "wrapping")
        line.wrap_message = str(raw.get("wrapping_message", ""))
    line.event_name, line.event_date = raw.get("event_name"), raw.get("event_date")
    line.external_id = raw.get("external_id")
    return line


def _pickup(shop: Shop, order: Order, location_id: int) -> Pickup:
    found = next((one for one in order.pickups if one.location_id == location_id), None)
    if found is None:
        label = shop.store.locations[shop.store.location_place[location_id]].label
        found = Pickup(shop.number("pickup"), location_id, label)
        order.pickups.append(found)
    return found


def find(
    shop: Shop, order: Order, raw: Mapping[str, Any], rng: random.Random, place: int, quantity: int
) -> tuple[Product, Variant]:
    """The product and variant that a line names; without a SKU, an ordinary one that the order does not have
    yet and of which the shop has enough.
    """
    store, had = shop.store, {line.item for line in order.lines}
    variant: Variant | None = None
    if "variant_id" in raw:
        variant = store.variant(int(raw["variant_id"]))
    elif "sku" in raw:
        sku = str(raw["sku"]).casefold()
        at = store.by_sku.get(sku)
        if at is not None:
            variant = store.variants[store.variant_place[store.items[at].variant_id]]
        else:
            there = (one for one in store.variants if one.id in store.variant_place)
            variant = next((one for one in there if one.sku.casefold() == sku), None)
    else:
        for _ in range(PICKS):
            at = rng.randrange(len(store.items))
            item = store.items[at]
            enough = quantity == 0 or item.on_hand[place] - item.safety_stock[place] >= quantity
            if enough and at not in had | store.gone and item.sku.startswith(ORDINARY):
                variant = store.variants[store.variant_place[item.variant_id]]
                break
    if variant is None:
        raise BadCart(
            f"The shop has no ordinary product with {quantity} in stock."
            if "sku" not in raw and "variant_id" not in raw
            else f"The shop has no product {raw.get('sku', raw.get('variant_id'))!r}."
        )
    product = store.product(variant.product_id)
    assert product is not None
    return product, variant


def add_discounts(shop: Shop, order: Order, body: Mapping[str, Any]) -> None:
    """`coupons` (code, type, amount, skus), `promotions` (name, type, amount, skus) and `manual_discount`."""
    for kind, key in (("promotion", "promotions"), ("coupon", "coupons")):
        for raw in body.get(key, ()):
            skus = raw.get("skus")
            order.discounts.append(
                Discount(
                    kind,  # type: ignore[arg-type]
                    int(raw.get("type", PERCENT)),
                    amount(raw.get("amount", 0), "amount"),
                    str(raw.get("name", raw.get("code", "Promotion"))),
                    str(raw["code"]) if kind == "coupon" else None,
                    None if skus is None else frozenset(skus),
                    shop.number("discount"),
                )
            )
    if body.get("manual_discount"):
        off = amount(body["manual_discount"], "manual_discount")
        order.discounts.append(Discount("manual", 2, off, "Manual Discount"))


def add_fees(shop: Shop, order: Order, body: Mapping[str, Any], *, exempt: bool) -> None:
    """`fees`: name, cost, and tax_rate where it is taxed."""
    for raw in body.get("fees", ()):
        rates = () if exempt else rates_of(raw, ())
        cost = amount(raw["cost"], "cost")
        order.fees.append(Fee(shop.number("fee"), str(raw.get("name", "Fee")), cost, rates))
