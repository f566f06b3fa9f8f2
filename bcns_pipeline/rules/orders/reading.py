"""From BigCommerce's JSON to a typed order, once: every rule behind this works on `model.py` alone.

Put here which field becomes what. Do not put meaning here: totals, statuses and mappings have modules of
their own. Both shapes of consignments are read (facts/bigcommerce.md 3.2), amounts as text or number, dates
as RFC-2822 or ISO-8601, and `cost_exc_tax`, as one of the store's own examples spells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, cast

from bcns_pipeline.rules.money import exponent
from bcns_pipeline.rules.orders import fields
from bcns_pipeline.rules.orders.fields import Json, Unreadable
from bcns_pipeline.rules.orders.model import (
    Address,
    AppliedDiscount,
    Consignment,
    ConsignmentKind,
    Cost,
    Coupon,
    Details,
    Fee,
    Line,
    LineKind,
    Order,
    StoredValue,
    TaxRow,
    Tender,
)

# In minor units of any currency it must fit into 64 bits.
LARGEST_TOTAL: Final = 10**13
_LINE_KINDS: Final = ("physical", "digital", "giftcertificate")
_CONSIGNMENTS: Final[tuple[tuple[str, ConsignmentKind], ...]] = (
    ("shipping", "shipping"),
    ("pickups", "pickup"),
    ("downloads", "download"),
)


def read_order(document: Json) -> Order:
    """The order in `document`, as GET /v2/orders gives it with `include=consignments.line_items,fees`.

    Raises Unreadable, one sentence naming the field and without personal data, for what can't be understood;
    also where line items or fees are addresses to fetch them from, for then they were not read.
    """
    whole, text, amount = fields.whole, fields.text, fields.amount
    order_id = whole(document, "id") or _missing("id")
    found = list(_consignments(document))
    lines = [line for _, some in found for line in some]
    if len({line.id for line in lines}) < len(lines):
        raise Unreadable("consignments: one line item is there twice.")
    fields.required(document, "total_inc_tax")
    fields.required(document, "status_id")
    return Order(
        id=order_id,
        customer_id=whole(document, "customer_id"),
        channel_id=fields.count(document, "channel_id") or 1,
        status_id=fields.count(document, "status_id"),
        placed_at=fields.moment(document, "date_created"),
        modified_at=fields.moment(document, "date_modified"),
        currency=_currency(document),
        charged=_charged(document),
        subtotal=_cost(document, "subtotal"),
        shipping=_cost(document, "shipping_cost"),
        handling=_cost(document, "handling_cost"),
        wrapping=_cost(document, "wrapping_cost"),
        discount_amount=amount(document, "discount_amount"),
        coupon_discount=amount(document, "coupon_discount"),
        store_credit=amount(document, "store_credit_amount"),
        gift_certificate=amount(document, "gift_certificate_amount"),
        prices_include_tax=fields.flag(document, "is_tax_inclusive_pricing"),
        store_currency=text(document, "store_default_currency_code").upper(),
        exchange_rate=amount(document, "store_default_to_transactional_exchange_rate") or None,
        payment_method=text(document, "payment_method"),
        payment_status=text(document, "payment_status").lower(),
        order_source=text(document, "order_source"),
        external_source=text(document, "external_source"),
        external_id=text(document, "external_id"),
        external_merchant_id=text(document, "external_merchant_id"),
        external_order_id=text(document, "external_order_id"),
        tax_provider=text(document, "tax_provider_id"),
        archived=fields.flag(document, "is_deleted") or False,
        digital=fields.flag(document, "order_is_digital") or False,
        billing=_address(fields.group(document, "billing_address"), "billing_address."),
        lines=tuple(lines),
        consignments=tuple(one for one, _ in found),
        fees=tuple(_fees(document)),
        document=document,
    )


def read_details(coupons: Any = None, taxes: Any = None, transactions: Any = None) -> Details:
    """What the three calls of their own gave: bare lists of objects, None for a call not made.

    Raises Unreadable as `read_order` does.
    """
    return Details(
        None if coupons is None else tuple(_coupon(row) for row in fields.rows(coupons, "coupons")),
        None if taxes is None else tuple(_tax_row(row) for row in fields.rows(taxes, "taxes")),
        None
        if transactions is None
        else tuple(_tender(row) for row in fields.rows(transactions, "transactions")),
    )


def _missing(name: str) -> int:
    raise Unreadable(f"{name} is missing.")


def _currency(document: Json) -> str:
    """What the shopper was charged in, which the API calls the default currency (facts 3.4)."""
    code = (fields.text(document, "default_currency_code") or fields.text(document, "currency_code")).upper()
    try:
        exponent(code)
    except ValueError:
        raise Unreadable("default_currency_code is no ISO 4217 currency.") from None
    return code


def _cost(source: Json, name: str, at: str = "") -> Cost:
    return Cost(
        fields.amount(source, f"{name}_ex_tax", at),
        fields.amount(source, f"{name}_inc_tax", at),
        fields.amount(source, f"{name}_tax", at),
    )


def _charged(document: Json) -> Cost:
    """The order's total; its tax is the difference where the order does not say it."""
    cost = _cost(document, "total")
    if abs(cost.inc) > LARGEST_TOTAL:
        raise Unreadable("total_inc_tax is no amount of an order.")
    said = document.get("total_tax") not in (None, "")
    return cost if said else Cost(cost.ex, cost.inc, cost.inc - cost.ex)


def _address(source: Json, at: str) -> Address:
    def text(name: str) -> str:
        return fields.text(source, name, at)

    return Address(
        first_name=text("first_name"),
        last_name=text("last_name"),
        company=text("company"),
        street_1=text("street_1"),
        street_2=text("street_2"),
        city=text("city"),
        state=text("state"),
        zip=text("zip"),
        country=text("country"),
        country_code=text("country_iso2").upper(),
        phone=text("phone"),
        email=text("email"),
        form_fields={
            fields.text(row, "name", f"{at}form_fields."): _plain(row.get("value"))
            for row in fields.rows(source.get("form_fields"), f"{at}form_fields")
        },
    )


def _plain(value: Any) -> str:
    """A form field's value; several ticked boxes come as a list."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(one) for one in value)
    return "" if value is None or isinstance(value, dict) else str(value).strip()


def _consignments(document: Json) -> Iterator[tuple[Consignment, list[Line]]]:
    """Every consignment with its lines, shipping first."""
    given = document.get("consignments")
    if given is None or (isinstance(given, dict) and "resource" in given):
        raise Unreadable("consignments were not read with the order.")
    for whole in fields.rows(given, "consignments"):
        for name, kind in _CONSIGNMENTS:
            for place, row in enumerate(fields.rows(whole.get(name), f"consignments.{name}")):
                yield _consignment(row, kind, f"consignments.{name}[{place}].")
        email = fields.group(whole, "email", "consignments.")
        name = "consignments.email.gift_certificates"
        for place, row in enumerate(fields.rows(email.get("gift_certificates"), name)):
            yield _consignment(row, "email", f"{name}[{place}].")


def _consignment(row: Json, kind: ConsignmentKind, at: str) -> tuple[Consignment, list[Line]]:
    number = fields.whole(row, "id", at)
    delivered = kind in {"shipping", "pickup"}
    lines = [
        _line(item, number if delivered else 0, f"{at}line_items[{place}].")
        for place, item in enumerate(fields.rows(row.get("line_items"), f"{at}line_items"))
    ]
    consignment = Consignment(
        id=number,
        kind=kind,
        line_ids=tuple(line.id for line in lines),
        method=fields.text(
            row, "shipping_method" if kind == "shipping" else "pickup_method_display_name", at
        ),
        address=_address(row, at) if kind == "shipping" else Address(),
        shipping=_cost(row, "cost", at) if kind == "shipping" else Cost(),
        handling=_cost(row, "handling_cost", at) if kind == "shipping" else Cost(),
    )
    return consignment, lines


def _line(row: Json, consignment_id: int, at: str) -> Line:
    if "resource" in row:
        raise Unreadable(f"{at}products were not read with the order.")
    whole, text = fields.whole, fields.text
    kind = text(row, "type", at) or "physical"
    if kind not in _LINE_KINDS:
        raise Unreadable(f"{at}type is none of {', '.join(_LINE_KINDS)}.")
    quantity = fields.count(row, "quantity", at)
    if quantity < 0:
        raise Unreadable(f"{at}quantity is below 0.")
    discounted = row.get("discounted_total_inc_tax")
    return Line(
        id=whole(row, "id", at) or _missing(f"{at}id"),
        kind=cast("LineKind", kind),
        product_id=whole(row, "product_id", at),
        variant_id=whole(row, "variant_id", at),
        sku=text(row, "sku", at),
        name=text(row, "name", at),
        quantity=quantity,
        price=_cost(row, "price", at),
        total=_cost(row, "total", at),
        discounted_total=None
        if discounted in (None, "")
        else fields.amount(row, "discounted_total_inc_tax", at),
        discounts=tuple(
            _discount(one, f"{at}applied_discounts.")
            for one in fields.rows(row.get("applied_discounts"), f"{at}applied_discounts")
        ),
        wrapping=_cost(row, "wrapping_cost", at),
        quantity_shipped=whole(row, "quantity_shipped", at),
        quantity_refunded=whole(row, "quantity_refunded", at),
        consignment_id=consignment_id,
        parent_line_id=fields.optional_whole(row, "parent_order_product_id", at),
        bundled=fields.flag(row, "is_bundled_product", at) or False,
        event_date=fields.day(row, "event_date", at),
        document=row,
    )


def _discount(row: Json, at: str) -> AppliedDiscount:
    def text(name: str) -> str:
        return fields.text(row, name, at)

    return AppliedDiscount(
        text("id"), abs(fields.amount(row, "amount", at)), text("name"), text("code"), text("target")
    )


def _fees(document: Json) -> Iterator[Fee]:
    given = document.get("fees")
    if isinstance(given, dict) and "resource" in given:
        raise Unreadable("fees were not read with the order.")
    for place, row in enumerate(fields.rows(given, "fees")):
        at = f"fees[{place}]."
        cost = _cost(row, "cost", at)
        if "cost_ex_tax" not in row and "cost_exc_tax" in row:
            cost = Cost(fields.amount(row, "cost_exc_tax", at), cost.inc, cost.tax)
        name = fields.text(row, "display_name_merchant", at) or fields.text(row, "display_name_customer", at)
        yield Fee(fields.whole(row, "id", at), name, cost)


def _coupon(row: Json) -> Coupon:
    at = "coupons."
    return Coupon(
        fields.whole(row, "coupon_id", at),
        fields.text(row, "code", at),
        fields.whole(row, "type", at),
        abs(fields.amount(row, "discount", at)),
    )


def _tax_row(row: Json) -> TaxRow:
    at = "taxes."
    return TaxRow(
        name=fields.text(row, "name", at),
        tax_class=fields.text(row, "class", at),
        rate=fields.amount(row, "rate", at),
        amount=fields.amount(row, "line_amount", at),
        line_type=fields.text(row, "line_item_type", at),
        line_id=fields.optional_whole(row, "order_product_id", at),
        consignment_id=fields.whole(row, "order_address_id", at),
    )


def _tender(row: Json) -> Tender:
    at = "transactions."
    return Tender(
        id=fields.whole(row, "id", at),
        event=fields.text(row, "event", at).lower(),
        method=fields.text(row, "method", at).lower(),
        amount=abs(fields.amount(row, "amount", at)),
        currency=fields.text(row, "currency", at).upper(),
        status=fields.text(row, "status", at).lower(),
        test=fields.flag(row, "test", at) or False,
        gateway=fields.text(row, "gateway", at),
        gateway_transaction_id=fields.text(row, "gateway_transaction_id", at),
        reference_id=fields.optional_whole(row, "reference_transaction_id", at),
        happened_at=None if row.get("date_created") in (None, "") else fields.moment(row, "date_created", at),
        stored=_stored(row),
    )


def _stored(row: Json) -> StoredValue | None:
    """Of a certificate or of store credit, whichever is told of. What can't be understood is not told: no payment waits
    for a balance."""
    for name in ("gift_certificate", "store_credit"):
        told = row.get(name)
        if isinstance(told, dict) and any(value not in (None, "") for value in told.values()):
            code = told.get("code")
            return StoredValue(
                fields.text(told, "code") if isinstance(code, str) else "",
                *(_told(told, f"{which}_balance") for which in ("original", "starting", "remaining")),
            )
    return None


def _told(row: Json, name: str) -> Decimal | None:
    try:
        found = None if row.get(name) in (None, "") else fields.amount(row, name)
    except Unreadable:
        return None
    return found if found is not None and abs(found) <= LARGEST_TOTAL else None
