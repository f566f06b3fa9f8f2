"""The awkward kinds of orders, by name.

Put one entry per kind here: what it is, and the `shop_order` body that makes it. Do not put code that places
orders here. What a caller gives beside `kind` goes before the kind's own words, so every kind can be bent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.orders.models import (
    DIGITAL,
    FREE_SHIPPING,
    GIFT_CERTIFICATE,
    PER_ITEM,
    PERCENT,
)
from bcns_pipeline.sandbox.bigcommerce.shop import MARKETPLACE, Shop

Body = dict[str, Any]
TWO: list[Body] = [{"quantity": 2}, {}]
GERMAN_COMPANY = {"company": "Muster GmbH"}


def _marketplace(shop: Shop, number: int) -> Body:
    shop.settings.marketplace = True
    return {
        "guest": True,
        "channel_id": MARKETPLACE,
        "payment": "marketplace",
        "order_source": "amazon",
        "external_id": f"113-{number:07d}-{number * 7 % 10_000_000:07d}",
        "taxes": [{"name": "Marketplace Facilitator Tax", "rate": "8.25", "id": "MFT"}],
        "tax_provider_id": "",
        "tax_class": "Automatic Tax",
        "shipping": {"method": "Amazon Standard"},
    }


def _unmapped(shop: Shop, number: int) -> Body:
    sku = f"NEW-{number:05d}"
    if sku.casefold() not in shop.store.by_sku:
        shop.store.add_product(sku, f"Product {sku}", 100)
    return {"lines": [{"sku": sku}, {}]}


def _digital(shop: Shop, _: int) -> Body:
    """A product that is not tracked, as licences and downloads are; any product where there is none."""
    product = next((p for p in shop.store.products if p.tracking == "none" and p.sku), None)
    sku = {} if product is None else {"sku": product.sku}
    return {"lines": [{**sku, "kind": DIGITAL}]}


def _bundle(shop: Shop, _: int) -> Body:
    """A kit of which the shop has enough, or any product where there is none."""
    kits = (item for item in shop.store.items if item.sku.startswith("KIT-") and item.on_hand[0] >= 2)
    kit = next((item.sku for item in kits), None)
    parent: Body = {} if kit is None else {"sku": kit}
    return {"lines": [{**parent, "quantity": 2, "children": [{"quantity": 1}, {"quantity": 2}]}]}


def _preorder(shop: Shop, _: int) -> Body:
    release = shop.now().date().replace(month=12, day=15)
    return {"lines": [{"event_name": "Pre-order release", "event_date": release.isoformat()}]}


def _say(**body: Any) -> Callable[[Shop, int], Body]:
    return lambda _shop, _number: dict(body)


KINDS: Mapping[str, tuple[str, Callable[[Shop, int], Body]]] = {
    "plain": ("A registered shopper, card captured.", _say(lines=TWO)),
    "guest": ("Nobody signed in.", _say(guest=True, lines=TWO)),
    "coupon": (
        "10 % off the order by coupon.",
        _say(lines=TWO, coupons=[{"code": "TEN", "type": PERCENT, "amount": "10", "name": "Ten percent"}]),
    ),
    "item_coupon": (
        "A fixed amount off each unit by coupon.",
        _say(lines=TWO, coupons=[{"code": "EACH", "type": PER_ITEM, "amount": "1.50"}]),
    ),
    "manual_discount": ("The merchant took 5.00 off.", _say(lines=TWO, manual_discount="5.00")),
    "promotion": (
        "An automatic promotion, 15 % off, no code.",
        _say(lines=TWO, promotions=[{"name": "Spring", "type": PERCENT, "amount": "15"}]),
    ),
    "gift_wrap": ("Gift wrapping on two units.", _say(lines=[{"quantity": 2, "wrapping": "3.50"}, {}])),
    "handling_fee": ("Handling beside shipping.", _say(shipping={"handling": "2.25"})),
    "custom_fee": ("A taxed fee of the whole order.", _say(fees=[{"name": "Recycling", "cost": "1.99"}])),
    "free_shipping": (
        "A coupon for free shipping.",
        _say(coupons=[{"code": "FREESHIP", "type": FREE_SHIPPING}], shipping={"method": "Free Shipping"}),
    ),
    "multi_address": (
        "Two ship-to addresses.",
        _say(
            lines=[{"to": 0, "quantity": 2}, {"to": 1}],
            ship_to=[{}, {"first_name": "Gran", "street_1": "9 Elm Court", "city": "Dallas", "zip": "75201"}],
        ),
    ),
    "digital": ("A download, nothing to ship; Completed at once.", _digital),
    "pickup": ("Collected in store.", _say(lines=[{"pickup": True}])),
    "gift_certificate_sold": (
        "A gift certificate among goods.",
        _say(
            lines=[
                {},
                {"kind": GIFT_CERTIFICATE, "price": "50.00", "recipient_email": "friend@example.com"},
            ]
        ),
    ),
    "gift_certificate_tender": ("Paid by gift certificate alone.", _say(gift_certificate="all")),
    "store_credit": ("Paid by store credit alone.", _say(store_credit="all", give_credit="500.00")),
    "split_tender": (
        "Gift certificate, store credit and card.",
        _say(lines=TWO, gift_certificate="7.50", store_credit="3.25", give_credit="10.00"),
    ),
    "inclusive": (
        "Prices with 20 % tax inside, three odd units.",
        _say(lines=[{"quantity": 3, "price": "19.99"}], inclusive=True, tax_rate="20"),
    ),
    "eur": ("In euros.", _say(currency="EUR", lines=TWO)),
    "jpy": ("In yen, which have no decimals.", _say(currency="JPY", lines=TWO)),
    "kwd": ("In dinars, which have three.", _say(currency="KWD", lines=TWO, tax_rate="5")),
    "zero_total": (
        "A coupon over everything.",
        _say(
            coupons=[
                {"code": "ALL", "type": PERCENT, "amount": "100"},
                {"code": "FREESHIP", "type": FREE_SHIPPING},
            ]
        ),
    ),
    "tax_exempt": ("An exempt customer.", _say(tax_exempt_category="Government", lines=TWO)),
    "reverse_charge": (
        "A company in another EU country: no tax, its VAT number on the billing address.",
        _say(
            currency="EUR",
            billing={
                **GERMAN_COMPANY,
                "form_fields": [{"name": "VAT Number", "value": "DE123456789"}],
            },
            taxes=[{"name": "Reverse charge", "rate": "0", "id": "EU-RC"}],
        ),
    ),
    "preorder": ("Sold before its release date.", _preorder),
    "authorised_only": ("Card authorised, not captured.", _say(payment="authorise")),
    "awaiting_payment": ("A bank deposit that has not come.", _say(payment="offline")),
    "incomplete": ("Left at the payment page.", _say(payment="none")),
    "declined": ("The card was declined.", _say(payment="declined")),
    "test_order": ("Through the test gateway.", _say(payment="test")),
    "marketplace": ("Sold on Amazon, which keeps money and tax.", _marketplace),
    "api_override": (
        "Made through the V2 API with a total of its own: the components do not add up.",
        _say(
            payment="manual",
            order_source="external",
            tax_provider_id="",
            tax_class="API Tax Override",
            override_by="0.37",
        ),
    ),
    "unmapped_sku": ("A product that only the shop has, among others.", _unmapped),
    "unmapped_ship_method": (
        "An unheard-of shipping method.",
        _say(shipping={"method": "Drone Delivery", "cost": "19.00"}),
    ),
    "bundle": ("A bundle with its parts as lines without price.", _bundle),
    "purchase_order": (
        "A company pays on account, by purchase-order number.",
        _say(
            payment="purchase_order",
            billing={
                "company": "Acme Industrial",
                "form_fields": [{"name": "PO Number", "value": "PO-4711"}],
            },
        ),
    ),
}


def body_of(shop: Shop, kind: str, number: int) -> Body:
    """The body of a kind for the order with this number; `KeyError` where there is no such kind."""
    return KINDS[kind][1](shop, number)
