"""What the tests of orders start from: a policy, an account, items for every SKU, and the worked examples.

Put plain material here, no expectations. Item numbers: goods from 100 on, charges from 900 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.facts import (
    Account,
    CustomerRef,
    Facts,
    ItemRef,
    Items,
    NetSuiteCurrency,
    Subsidiary,
)
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, ShippingPolicy, TaxCode, TaxPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline_tests.rules.orders.books import DISCOUNT_ITEM
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine, document

D = Decimal
TAX_ITEM, ROUNDING_ITEM, SHIPPING_ITEM, HANDLING_ITEM, WRAP_ITEM, FEE_ITEM, CERTIFICATE_ITEM = range(901, 908)
MARKETPLACE_ITEM, GROUND = 910, 8297

SUITETAX = TaxPolicy(default=TaxCode(code=12, type="5"), exempt=TaxCode(code=14, type="5"))
ITEM_LINE = TaxPolicy(method="item_line", default=TaxCode(item=TAX_ITEM))
RECALCULATED = TaxPolicy(mode="ns_recalc")

POLICY = OrderPolicy(
    channels={1: Channel(1, subsidiary=1, location=2)},
    store_zone="America/New_York",
    discount_owner="bigcommerce",
    discount_item=int(DISCOUNT_ITEM),
    tax=ITEM_LINE,
    shipping=ShippingPolicy(item=SHIPPING_ITEM, methods={"ups ground": GROUND}),
    handling_item=HANDLING_ITEM,
    wrapping_item=WRAP_ITEM,
    fee_item=FEE_ITEM,
    certificate_item=CERTIFICATE_ITEM,
    rounding_item=ROUNDING_ITEM,
    line_fields={"custcol_bc_ship_to": parse_path("$ship_to", computed=True)},
    line_id_field="custcol_bc_line_id",
    offline_methods=frozenset({"bank deposit"}),
)
ACCOUNT = Account(
    oneworld=True,
    suitetax=False,
    base_currency="USD",
    currencies={
        "USD": NetSuiteCurrency(1, 2),
        "EUR": NetSuiteCurrency(2, 2),
        "JPY": NetSuiteCurrency(3, 0),
        "KWD": NetSuiteCurrency(4, 3),
    },
    subsidiaries={1: Subsidiary(1, "USD", "US"), 2: Subsidiary(2, "EUR", "DE")},
    locations={2: 1, 3: 2},
)
ITEMS = Items(by_sku={sku_key(f"SKU-{at}"): (ItemRef(100 + at, f"SKU-{at}"),) for at in range(20)})
FACTS = Facts(
    store="abc123",
    account=ACCOUNT,
    customer=CustomerRef(id=110, subsidiaries=frozenset({1}), tax_exempt=False),
    items=ITEMS,
)
SUITE_FACTS = replace(FACTS, account=replace(ACCOUNT, suitetax=True))

# facts/finance.md 3.2: three lines, 10 % coupon, shipping exempt, 8.875 % per line.
EXAMPLE_C = Cart(
    [
        CartLine(D("19.99"), 3, D("8.875")),
        CartLine(D("34.50"), 1, D("8.875")),
        CartLine(D("7.25"), 2, D("8.875")),
    ],
    coupon=D("10.90"),
    shipping=D("9.95"),
)


def order_of(cart: Cart, **more: Any) -> Order:
    """The cart's order, read."""
    return read_order(document(cart, **more))


def changed(order: Order, **more: Any) -> Order:
    """The order with other fields; also of its first line, as `line_...`."""
    line = {name.removeprefix("line_"): value for name, value in more.items() if name.startswith("line_")}
    rest = {name: value for name, value in more.items() if not name.startswith("line_")}
    lines = (replace(order.lines[0], **line), *order.lines[1:]) if line else order.lines
    return replace(order, lines=lines, **rest)


def drafted(
    order: Order | Cart, policy: OrderPolicy = POLICY, facts: Facts = FACTS, details: Details | None = None
) -> Draft:
    """The draft; fails with the problems where there are any."""
    made = build(order_of(order) if isinstance(order, Cart) else order, details or Details(), facts, policy)
    assert isinstance(made, Draft), made
    return made


def problems(
    order: Order | Cart, policy: OrderPolicy = POLICY, facts: Facts = FACTS, details: Details | None = None
) -> dict[str, str]:
    """{code: sentence} of everything that stands in the way."""
    made = build(order_of(order) if isinstance(order, Cart) else order, details or Details(), facts, policy)
    assert isinstance(made, list), made
    assert all(isinstance(one, Problem) and one.sentence.endswith(".") for one in made)
    return {one.code: one.sentence for one in made}


def amounts(draft: Draft) -> Mapping[str, Decimal]:
    """{key: amount} of the lines."""
    return {line.key: line.amount for line in draft.lines}
