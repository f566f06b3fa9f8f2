"""A small shop for the tests: from a cart to BigCommerce's JSON, with arithmetic of its own.

Put here how BigCommerce builds a total (facts/finance.md 3.1). It shares no code with the rules nor with the
sandbox, so that a mistake would have to be made three times. Amounts are Decimal; half-up; tax per line on the
discounted line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

D = Decimal
ZERO = D(0)
FOUR = D("0.0001")
DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}


def half_up(amount: Decimal, step: Decimal) -> Decimal:
    """Rounded away from zero to a multiple of `step`."""
    return (amount / step).to_integral_value(ROUND_HALF_UP) * step


def shared(amount: Decimal, weights: list[Decimal], step: Decimal) -> list[Decimal]:
    """Largest remainder in steps."""
    whole = sum(weights, ZERO)
    if not whole or not amount:
        return [ZERO for _ in weights]
    units = int(amount / step)
    exact = [units * weight / whole for weight in weights]
    floors = [int(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda at: (floors[at] - exact[at], at))
    for at in order[: units - sum(floors)]:
        floors[at] += 1
    return [floor * step for floor in floors]


@dataclass
class CartLine:
    """Units at a price as entered; `rate` in percent; `off` what its own promotion takes."""

    price: Decimal
    quantity: int = 1
    rate: Decimal = ZERO
    off: Decimal = ZERO
    sku: str = ""
    kind: str = "physical"
    wrap: Decimal = ZERO
    parent: int | None = None
    event_date: str | None = None


@dataclass
class Cart:
    """What a shopper puts together. `coupon` and `manual` are taken off the whole order."""

    lines: list[CartLine]
    currency: str = "USD"
    inclusive: bool = False
    rate_rounding: bool = True
    coupon: Decimal = ZERO
    manual: Decimal = ZERO
    shipping: Decimal = ZERO
    shipping_rate: Decimal = ZERO
    handling: Decimal = ZERO
    fees: list[Decimal] = field(default_factory=list)
    fee_rate: Decimal = ZERO
    gift_certificate: Decimal = ZERO
    store_credit: Decimal = ZERO
    places: int = 1

    @property
    def step(self) -> Decimal:
        return D(1).scaleb(-DIGITS[self.currency])

    def taxed(self, amount: Decimal, rate: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        """(without, with, tax) of an amount as entered."""
        step = self.step if self.rate_rounding else FOUR
        if self.inclusive:
            ex = half_up(amount / (1 + rate / 100), step)
            return ex, amount, amount - ex
        tax = half_up(amount * rate / 100, step)
        return amount, amount + tax, tax


def text(amount: Decimal) -> str:
    """As v2 writes it."""
    return f"{half_up(amount, FOUR):.4f}"


ADDRESS = {
    "first_name": "Jane",
    "last_name": "Roe",
    "company": "",
    "street_1": "1 High St",
    "street_2": "Apt 2",
    "city": "Austin",
    "state": "Texas",
    "zip": "78701",
    "country": "United States",
    "country_iso2": "US",
    "phone": "512 555 0100",
    "email": "jane@example.com",
    "form_fields": [],
}


def document(cart: Cart, **more: Any) -> dict[str, Any]:
    """The order as GET /v2/orders shows it, consignments as an object."""
    entered = [half_up(line.price * line.quantity, cart.step) for line in cart.lines]
    left = [whole - line.off for whole, line in zip(entered, cart.lines, strict=True)]
    goods = [
        ZERO if line.kind == "giftcertificate" else one for one, line in zip(left, cart.lines, strict=True)
    ]
    coupon = shared(min(cart.coupon, sum(goods, ZERO)), goods, cart.step)
    goods = [one - off for one, off in zip(goods, coupon, strict=True)]
    manual = shared(min(cart.manual, sum(goods, ZERO)), goods, cart.step)
    products, total, tax = [], ZERO, ZERO
    subtotal = [ZERO, ZERO, ZERO]
    wrapping = [ZERO, ZERO, ZERO]
    for at, line in enumerate(cart.lines):
        net = left[at] - coupon[at] - manual[at]
        _, inc, own = cart.taxed(net, line.rate)
        total, tax = total + inc, tax + own
        before = (entered[at] - own, entered[at]) if cart.inclusive else (entered[at], entered[at] + own)
        subtotal = [subtotal[0] + before[0], subtotal[1] + before[1], subtotal[2] + own]
        wraps = cart.taxed(half_up(line.wrap * line.quantity, cart.step), line.rate)
        wrapping = [a + b for a, b in zip(wrapping, wraps, strict=True)]
        units = cart.taxed(line.price, line.rate)
        products.append(
            {
                "id": 5501 + at,
                "product_id": 77 + at,
                "variant_id": 770 + at,
                "order_address_id": 64,
                "sku": line.sku or f"SKU-{at}",
                "name": f"Thing {at}",
                "type": line.kind,
                "quantity": line.quantity,
                "price_ex_tax": text(units[0] if cart.inclusive else line.price),
                "price_inc_tax": text(line.price if cart.inclusive else units[1]),
                "price_tax": text(units[2]),
                "base_total": "0.0000",
                "total_ex_tax": text(before[0]),
                "total_inc_tax": text(before[1]),
                "total_tax": text(own),
                "wrapping_cost_ex_tax": text(wraps[0]),
                "wrapping_cost_inc_tax": text(wraps[1]),
                "wrapping_cost_tax": text(wraps[2]),
                "refund_amount": "0.0000",
                "quantity_shipped": 0,
                "quantity_refunded": 0,
                "parent_order_product_id": line.parent,
                "is_bundled_product": line.parent is not None,
                "event_date": line.event_date,
                "applied_discounts": [
                    {"id": name, "amount": text(off), "name": name, "code": None, "target": target}
                    for name, off, target in (
                        ("12", line.off, "product"),
                        ("total-coupon", coupon[at], "order"),
                        ("manual-discount", manual[at], "order"),
                    )
                    if off
                ],
                "product_options": [],
                "discounted_total_inc_tax": text(inc),
            }
        )
    ship = cart.taxed(cart.shipping, cart.shipping_rate)
    handle = cart.taxed(cart.handling, cart.shipping_rate)
    fees = [cart.taxed(fee, cart.fee_rate) for fee in cart.fees]
    charged = half_up(
        total + ship[1] + handle[1] + wrapping[1] + sum((fee[1] for fee in fees), ZERO), cart.step
    )
    whole_tax = half_up(
        tax + ship[2] + handle[2] + wrapping[2] + sum((fee[2] for fee in fees), ZERO), cart.step
    )
    offs = sum((line.off for line in cart.lines), ZERO)
    shipped = [one for one in products if one["type"] == "physical"]
    order: dict[str, Any] = {
        "id": 1001,
        "customer_id": 11,
        "date_created": "Tue, 05 Mar 2019 21:40:11 +0000",
        "date_modified": "Mon, 11 Mar 2019 15:17:25 +0000",
        "date_shipped": "",
        "status_id": 11,
        "status": "Awaiting Fulfillment",
        "channel_id": 1,
        **_cost("subtotal", subtotal),
        **_cost("shipping_cost", ship),
        **_cost("handling_cost", handle),
        **_cost("wrapping_cost", wrapping),
        "total_ex_tax": text(charged - whole_tax),
        "total_inc_tax": text(charged),
        "total_tax": text(whole_tax),
        "is_tax_inclusive_pricing": cart.inclusive,
        "discount_amount": text(sum(manual, ZERO) + offs),
        "coupon_discount": text(sum(coupon, ZERO)),
        "store_credit_amount": text(cart.store_credit),
        "gift_certificate_amount": text(cart.gift_certificate),
        "refunded_amount": "0.0000",
        "payment_method": "Credit Card",
        "payment_status": "captured",
        "currency_code": cart.currency,
        "default_currency_code": cart.currency,
        "store_default_currency_code": "USD",
        "store_default_to_transactional_exchange_rate": "1.0000000000",
        "order_source": "www",
        "external_source": None,
        "external_id": None,
        "order_is_digital": not shipped,
        "billing_address": dict(ADDRESS),
        "is_deleted": False,
        "fees": [
            {
                "id": 1 + at,
                "type": "custom_fee",
                "display_name_merchant": f"Fee {at}",
                "cost_ex_tax": text(fee[0]),
                "cost_inc_tax": text(fee[1]),
                "cost_tax": text(fee[2]),
            }
            for at, fee in enumerate(fees)
        ],
        "consignments": _consignments(products, ship, handle, cart.places),
    }
    return {**order, **more}


def _cost(name: str, cost: Any) -> dict[str, str]:
    return {f"{name}_ex_tax": text(cost[0]), f"{name}_inc_tax": text(cost[1]), f"{name}_tax": text(cost[2])}


def _consignments(products: list[dict[str, Any]], ship: Any, handle: Any, places: int) -> dict[str, Any]:
    parcels = [one for one in products if one["type"] == "physical"]
    numbers = range(64, 64 + places)
    return {
        "pickups": [],
        "shipping": [
            {
                "id": number,
                **ADDRESS,
                "street_1": f"{number} High St",
                "shipping_method": "UPS Ground",
                "cost_ex_tax": ship[0] if number == 64 else ZERO,
                "cost_inc_tax": ship[1] if number == 64 else ZERO,
                "cost_tax": ship[2] if number == 64 else ZERO,
                "handling_cost_ex_tax": handle[0] if number == 64 else ZERO,
                "handling_cost_inc_tax": handle[1] if number == 64 else ZERO,
                "handling_cost_tax": handle[2] if number == 64 else ZERO,
                "line_items": [one for at, one in enumerate(parcels) if 64 + at % places == number],
            }
            for number in (numbers if parcels else ())
        ],
        "downloads": _alone([one for one in products if one["type"] == "digital"]),
        "email": {"gift_certificates": _alone([one for one in products if one["type"] == "giftcertificate"])},
    }


def _alone(products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"recipient_email": "jane@example.com", "line_items": products}] if products else []
