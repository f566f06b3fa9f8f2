"""What shoppers and the merchant's people do in the shop: buy, edit, cancel, capture.

Put happenings of the shop here. Do not put HTTP (shop_control.py) or rules of the shop itself here: each of
these ends in what the shop does by itself (bigcommerce/). NetSuite is never told.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox import shop_cart, shop_kinds
from bcns_pipeline.sandbox.bigcommerce.certificates import ACTIVE, STATUSES, Certificate
from bcns_pipeline.sandbox.bigcommerce.customers.book import Customer
from bcns_pipeline.sandbox.bigcommerce.money import ZERO, amount, half_up, minor
from bcns_pipeline.sandbox.bigcommerce.orders import checkout, editing, handling, statuses
from bcns_pipeline.sandbox.bigcommerce.orders.models import Line, Order
from bcns_pipeline.sandbox.bigcommerce.orders.refunds import refund
from bcns_pipeline.sandbox.bigcommerce.orders.transactions import authorisation, transaction
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.shop_payment import pay
from bcns_pipeline.sandbox.shop_people import COUNTRY_OF_CURRENCY, address, person
from bcns_pipeline.sandbox.shop_refunds import items_of, payments_of
from bcns_pipeline.sandbox.shop_shoppers import Shoppers

ORDER_FIELDS = frozenset(
    {"kind", "lines", "guest", "email", "first_name", "last_name", "customer_id", "shopper", "channel_id"}
    | {"currency", "display_currency", "country", "location_id", "inclusive", "rounding", "tax_rate", "taxes"}
    | {"tax_exempt_category", "shipping", "ship_to", "billing", "coupons", "promotions", "manual_discount"}
    | {"fees", "gift_certificate", "certificate", "store_credit", "give_credit", "payment", "status_id"}
    | {"customer_message", "staff_notes", "order_source", "external_id", "external_merchant_id", "restock"}
    | {"tax_provider_id", "tax_class", "override_by", "seed", "created_at"}
)
MANY_FIELDS = frozenset({"count", "within_seconds", "most_lines", "returning", "customer_ids"})
TEXTS = ("customer_message", "staff_notes", "tax_provider_id", "tax_class", "external_id")


class ShopEvents:
    """The hand that moves the shop. Raises `BadCart`, `OutOfStock` or `ValueError`, and then nothing happened."""

    def __init__(self, shop: Shop, seed: Callable[[], int]) -> None:
        self.shop = shop
        self._seed = seed
        self.shoppers = Shoppers(shop)

    # -- buying ----------------------------------------------------------------------------------------------

    def order(self, raw: Mapping[str, Any]) -> Order:
        """Place one order; see launch's `shop_order` for the fields."""
        if unknown := sorted(set(raw) - ORDER_FIELDS):
            raise ValueError(
                f"A shop_order has no field {unknown[0]!r}; it has {', '.join(sorted(ORDER_FIELDS))}."
            )
        shop = self.shop
        kind = str(raw.get("kind", "plain"))
        if kind not in shop_kinds.KINDS:
            raise ValueError(f"There is no kind {kind!r}; there are {', '.join(shop_kinds.KINDS)}.")
        number = shop.number("order")
        try:
            body = {**shop_kinds.body_of(shop, kind, number), **raw}
            order, customer = self._priced(body, number)
            if body.get("restock"):
                self._restock(order)
            if body.get("payment") not in ("none", "declined"):
                handling.in_stock(shop, order)
            if customer is None and not body.get("guest"):
                customer = self.shoppers.signed_up(order.billing, order.channel_id, body)
            order.customer_id = 0 if customer is None else customer.id
            if customer is not None and body.get("give_credit"):
                customer.store_credit += amount(body["give_credit"], "give_credit")
            pay(shop, order, body)
        except Exception:
            shop.take_back("order")
            raise
        handling.place(shop, order)
        return order

    def _priced(self, body: Mapping[str, Any], number: int) -> tuple[Order, Customer | None]:
        shop, settings = self.shop, self.shop.settings
        digest = hashlib.sha256(f"{body.get('seed', self._seed())}/{number}".encode()).digest()
        rng = random.Random(digest)  # noqa: S311 - a choice of goods
        channel_id = int(body.get("channel_id", 1))
        if channel_id not in shop.channels():
            raise ValueError(f"The shop has no channel {channel_id}; it has {sorted(shop.channels())}.")
        currency = str(body.get("currency", shop.currency))
        if currency not in settings.currencies:
            raise ValueError(f"The shop does not sell in {currency}; it sells in {settings.currencies}.")
        who = int(body.get("shopper", number))
        first, last, email = person(who)
        customer = self._customer(body, channel_id)
        if customer is not None:
            first, last, email = customer.first_name, customer.last_name, customer.email
        first, last = str(body.get("first_name", first)), str(body.get("last_name", last))
        email = str(body.get("email", email))
        if customer is None and not body.get("guest"):
            customer = shop.customers.on_channel(email, channel_id)
        country = str(body.get("country", COUNTRY_OF_CURRENCY.get(currency, "US")))
        company = "" if customer is None else customer.company
        billing = {**address(who, first, last, email, country, company), **body.get("billing", {})}
        display = str(body.get("display_currency", currency))
        created = moment(body["created_at"]) if "created_at" in body else shop.now()
        order = Order(
            id=number,
            created=created,
            modified=created,
            status_id=statuses.INCOMPLETE,
            customer_id=0,
            billing=billing,
            currency=currency,
            store_currency=shop.currency,
            rate=shop.rate(currency),
            inclusive=bool(body.get("inclusive", settings.prices_include_tax)),
            rounding=str(body.get("rounding", settings.rounding)),
            channel_id=channel_id,
            display_currency=display,
            display_rate=shop.rate(display),
            order_source=str(body.get("order_source", "www")),
            cart_id=f"{digest[:4].hex()}-{digest[4:6].hex()}-4{digest[6:8].hex()[1:]}-a{digest[8:10].hex()[1:]}-"
            f"{digest[10:16].hex()}",
            external_merchant_id=body.get("external_merchant_id"),
        )
        for name in TEXTS:
            if name in body:
                setattr(order, name, str(body[name]))
        category = body.get("tax_exempt_category") or (customer.tax_exempt_category if customer else "")
        exempt = bool(category)
        shop_cart.ship_to(shop, order, body, exempt=exempt)
        shop_cart.add_lines(shop, order, body, rng, exempt=exempt)
        shop_cart.add_discounts(shop, order, body)
        shop_cart.add_fees(shop, order, body, exempt=exempt)
        checkout.price(order)
        if "override_by" in body:
            by = amount(body["override_by"], "override_by")
            order.override = (order.total.ex + by, order.total.inc + by)
            checkout.price(order)
        return order, customer

    def _customer(self, body: Mapping[str, Any], channel_id: int) -> Customer | None:
        if "customer_id" not in body:
            return None
        customer = self.shop.customers.customers.get(int(body["customer_id"]))
        if customer is None or not customer.known_on(channel_id):
            raise ValueError(f"Channel {channel_id} has no customer {body['customer_id']}.")
        return customer

    def _restock(self, order: Order) -> None:
        """Somebody fills up what is short, by hand."""
        store = self.shop.store
        needed: dict[tuple[int, int], int] = {}
        for line in order.lines:
            if line.item is not None:
                needed[line.item, line.location] = needed.get((line.item, line.location), 0) + line.quantity
        for (item, location), quantity in needed.items():
            row = store.items[item]
            if row.on_hand[location] - row.safety_stock[location] < quantity:
                store.set_stock(item, location, row.safety_stock[location] + quantity)

    def orders(self, raw: Mapping[str, Any]) -> list[Order]:
        """Place `count` orders of `kind`, each of 1 to `most_lines` lines.

        `returning` (0 to 1) is the share that comes from `customer_ids` and the shoppers of the others;
        `within_seconds` spreads the moments of their checkout evenly over the time before now. Other fields
        are those of one order. What was placed before one that can't be stays.
        """
        count, within = int(raw["count"]), float(raw.get("within_seconds", 0))
        most, returning = int(raw.get("most_lines", 3)), float(raw.get("returning", 0))
        rest = {name: value for name, value in raw.items() if name not in MANY_FIELDS}
        rng = random.Random(self._seed() * 1_000_003 + count)  # noqa: S311 - a choice of goods
        now, placed = self.shop.now(), list[Order]()
        shoppers = [int(one) for one in raw.get("customer_ids", ())]
        with uncollected():
            for place in range(count):
                body = dict(rest)
                if "lines" not in body and body.get("kind", "plain") == "plain":
                    body["lines"] = [{"quantity": rng.randint(1, 3)} for _ in range(rng.randint(1, most))]
                if within:
                    before = timedelta(seconds=int(within * (count - 1 - place) / count))
                    body["created_at"] = (now - before).isoformat()
                if shoppers and rng.random() < returning:
                    body["customer_id"] = rng.choice(shoppers)
                order = self.order(body)
                if order.customer_id and "customer_id" not in body:
                    shoppers.append(order.customer_id)
                placed.append(order)
        return placed

    # -- afterwards ------------------------------------------------------------------------------------------

    def _order(self, raw: Mapping[str, Any]) -> Order:
        order = self.shop.orders.get(int(raw["order_id"]))
        if order is None:
            raise ValueError(f"The shop has no order {raw['order_id']}.")
        return order

    def _line(self, order: Order, raw: Mapping[str, Any]) -> Line:
        """The line that a body names by `line_id` or `sku`."""
        if "line_id" in raw:
            line = order.line(int(raw["line_id"]))
        else:
            line = next((one for one in order.lines if one.sku == raw.get("sku")), None)
        if line is None:
            raise ValueError(f"Order {order.id} has no such line.")
        return line

    def edit(self, raw: Mapping[str, Any]) -> Order:
        """An edit in the control panel.

        `lines` (line_id or sku, quantity, price), `billing` and `ship_to` (fields; `address_id` for one of
        several), `shipping_method`, `discount_amount`, texts. Edited lines lose their discounts unless
        `keep_discounts`.
        """
        order = self._order(raw)
        keep = bool(raw.get("keep_discounts", False))
        for change in raw.get("lines", ()):
            line = self._line(order, change)
            price = amount(change["price"], "price") if "price" in change else None
            quantity = int(change.get("quantity", line.quantity))
            editing.change_line(self.shop, order, line, quantity=quantity, price=price, keep=keep)
        order.billing.update(raw.get("billing", {}))
        if "ship_to" in raw or "shipping_method" in raw:
            given = dict(raw.get("ship_to", {}))
            wanted = given.pop("address_id", None)
            for place in order.addresses:
                if wanted in (None, place.id):
                    place.address.update(given)
                    place.method = str(raw.get("shipping_method", place.method))
        if "discount_amount" in raw:
            editing.discount_by_hand(order, amount(raw["discount_amount"], "discount_amount"))
        for name in ("staff_notes", "customer_message", "external_order_id"):
            if name in raw:
                setattr(order, name, str(raw[name]))
        if "is_deleted" in raw:
            order.is_deleted = bool(raw["is_deleted"])
            handling.told(self.shop, order, "archived", {})
        handling.changed(self.shop, order)
        return order

    def cancel_units(self, raw: Mapping[str, Any]) -> Order:
        """Take units off a line by editing it; what the order comes to falls, what was captured does not."""
        order = self._order(raw)
        line = self._line(order, raw)
        left = line.quantity - int(raw.get("quantity", 1))
        if left < line.quantity_shipped:
            raise ValueError(f"{line.quantity_shipped} of {line.quantity} units have been shipped.")
        keep = bool(raw.get("keep_discounts", True))
        editing.change_line(self.shop, order, line, quantity=left, keep=keep)
        handling.changed(self.shop, order)
        return order

    def status(self, raw: Mapping[str, Any]) -> Order:
        """Set an order's status by hand."""
        order = self._order(raw)
        status_id = int(raw["status_id"])
        if status_id not in statuses.NAMES:
            raise ValueError(f"There is no order status {status_id}.")
        handling.set_status(self.shop, order, status_id)
        return order

    def pay(self, raw: Mapping[str, Any]) -> Order:
        """Capture the open authorisation (`amount` for a part), or note that the awaited money has come."""
        order = self._order(raw)
        open_one = authorisation(order)
        due = half_up(amount(raw.get("amount", order.total.inc), "amount"), minor(order.currency))
        if open_one is not None:
            due = min(due, Decimal(str(open_one["amount"])))
            gateway = open_one["gateway"]
            row = transaction(
                self.shop, order, due, event="capture", gateway=gateway, reference=open_one["id"]
            )
        else:
            more = {"offline": {"display_name": order.payment_method}}
            row = transaction(self.shop, order, due, method="offline", gateway="bankdeposit", more=more)
        order.payment_status = "captured"
        handling.transaction_told(self.shop, order, row)
        if order.status_id == statuses.AWAITING_PAYMENT:
            handling.set_status(self.shop, order, statuses.AWAITING_FULFILLMENT)
        else:
            handling.changed(self.shop, order)
        return order

    def refund(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Refund by hand; see shop_refunds.py for what a body may say."""
        order = self._order(raw)
        items = items_of(order, raw, lambda one: self._line(order, one))
        due = sum((one.amount for one in items), ZERO)
        payments = payments_of(order, raw, due)
        return refund(self.shop, order, items, payments, str(raw.get("reason", "")))

    def certificate(self, raw: Mapping[str, Any]) -> Certificate:
        """The merchant makes a gift certificate worth `amount`, or changes `balance` or `status` of that of `code`."""
        book = self.shop.certificates
        status = str(raw.get("status", ACTIVE))
        if status not in STATUSES:
            raise ValueError(f"A certificate is {', '.join(sorted(STATUSES))}.")
        if "code" not in raw:
            return self.shop.certificate(amount(raw["amount"], "amount"))
        found = book.get(str(raw["code"]))
        found.balance = amount(raw.get("balance", found.balance), "balance")
        found.status = status if "status" in raw else found.status
        return found

    def product(self, raw: Mapping[str, Any]) -> int:
        """A product born today: `sku`, `name`, and `on_hand` everywhere. Returns its id."""
        sku = str(raw["sku"])
        if sku.casefold() in self.shop.store.by_sku:
            raise ValueError(f"The SKU {sku!r} is taken.")
        name = str(raw.get("name", f"Product {sku}"))
        product = self.shop.store.add_product(sku, name, int(raw.get("on_hand", 100)))
        self.shop.tell("product/created", {"type": "product", "id": product.id})
        return product.id


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection: thousands of records that stay alive would be looked through over and over."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def moment(raw: Any) -> datetime:
    """A time that a body gives in ISO form; without an offset it is UTC."""
    found = datetime.fromisoformat(str(raw)).replace(microsecond=0)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def summary(order: Order) -> dict[str, Any]:
    """What a verb says about an order it touched."""
    return {
        "id": order.id,
        "status_id": order.status_id,
        "customer_id": order.customer_id,
        "channel_id": order.channel_id,
        "currency": order.currency,
        "total": str(half_up(order.total.inc, minor(order.currency))),
        "tax": str(half_up(order.total.tax, minor(order.currency))),
        "lines": [
            {"id": line.id, "sku": line.sku, "quantity": line.quantity, "address_id": line.address_id}
            for line in order.lines
        ],
        "addresses": [place.id for place in order.addresses],
    }
