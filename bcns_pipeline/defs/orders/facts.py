"""What the rules must know of NetSuite before they can build an order: items, customers, what is there already.

Put here how the facts of a whole batch are read in a few calls and handed to each order. Do not decide here. Items
are read anew for each batch, by the ids of their links and by SKU, so an item born at noon is orderable at noon and
one made inactive a minute ago is not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from bcns_pipeline.clients.netsuite.models import ItemRow, SalesRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.orders.run import LANE
from bcns_pipeline.defs.orders.shown import found_by_key
from bcns_pipeline.defs.shoppers import Ask, ask, find
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.identify import Create, Found, one_each
from bcns_pipeline.rules.customers.reading import shopper_of_order
from bcns_pipeline.rules.identity import sku_key
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.rules.orders.facts import Account, CustomerRef, Facts, ItemRef, Items
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.tax import tax_mode
from bcns_pipeline.state.links import ITEM

# The customer flow asks about it, and this flow obeys.
SHOPPERS, MISMATCH = "customers", "TAX_EXEMPT_MISMATCH"


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of a batch. `customers` and `asks` by order id, `there` what NetSuite has under the orders' keys.

    `disputed` are orders whose tax NetSuite would work out for a shopper whom the two sides tax differently.
    """

    store: str
    account: Account
    items: Items
    asks: Mapping[int, Ask] = field(repr=False)
    customers: Mapping[int, Found | Create | Problem] = field(repr=False)
    there: Mapping[str, SalesRow] = field(repr=False)
    disputed: Mapping[int, Problem] = field(default_factory=dict)

    def of(self, order: Order) -> Facts | Problem:
        """What an order's plan needs, or why its customer is not known."""
        customer = self.payer(order)
        if isinstance(customer, Problem):
            return customer
        if order.id in self.disputed:
            return self.disputed[order.id]
        return Facts(self.store, self.account, customer, self.items)

    def payer(self, order: Order) -> CustomerRef | Problem:
        """Who pays the order, or why that is not known."""
        customer = self.customers[order.id]
        # A currency that the customer does not have yet is added before its order (lines.py), so it is no problem.
        return customer if isinstance(customer, Problem) else replace(customer.ref, currencies=None)

    def existing(self, order: Order) -> SalesRow | None:
        """The transaction that holds the order's key already."""
        return self.there.get(order_key(self.store, order.id))


def learn(
    connections: Connections, orders: Sequence[Order], *, earlier: Sequence[Order] = (), lane: Lane = LANE
) -> Known:
    """Read what `orders` need: about five calls for 500 of them. Raises OutsideError.

    Of `earlier` versions only the items are read: a line that was taken off names one that no order has any more.
    """
    store = connections.state.store
    asks = {order.id: ask(connections, shopper_of_order(order), f"order:{order.id}") for order in orders}
    # What is made at its first use is made before threads ask for it.
    account, _ = account_of(connections), connections.netsuite(lane)
    keys = [order_key(store, order.id) for order in orders]
    with ThreadPoolExecutor(2, thread_name_prefix="beside") as beside:
        items = beside.submit(_items, connections, [*orders, *earlier], lane)
        there = beside.submit(found_by_key, connections, keys, lane=lane)
        answers = find(connections, list(asks.values()), lane=lane)
    found = one_each(answers, [(one.shopper, one.storefront) for one in asks.values()])
    return Known(
        store=store,
        account=account,
        items=items.result(),
        asks=asks,
        customers=dict(zip(asks, found, strict=True)),
        there=there.result(),
        disputed=_disputed(connections, orders),
    )


def _disputed(connections: Connections, orders: Sequence[Order]) -> dict[int, Problem]:
    """Orders whose tax NetSuite computes; where the shop's own is posted, the total is right whoever is exempt."""
    policy = connections.order_policy
    computed = [
        order
        for order in orders
        if not order.guest
        and (channel := policy.channel(order.channel_id)) is not None
        and tax_mode(policy, channel) == "ns_recalc"
    ]
    if not computed:
        return {}
    asked = {one.subject for one in connections.state.exceptions.find(flow=SHOPPERS, code=MISMATCH)}
    return {
        order.id: Problem(
            MISMATCH,
            f"NetSuite is to work out its tax, and the two sides do not agree on whether shopper "
            f"{order.customer_id} is exempt.",
            f"customer:{order.customer_id}",
        )
        for order in computed
        if f"customer:{order.customer_id}" in asked
    }


def _items(connections: Connections, orders: Sequence[Order], lane: Lane) -> Items:
    variants = {str(line.variant_id) for order in orders for line in order.lines if line.variant_id}
    skus = {line.sku.strip() for order in orders for line in order.lines if line.sku.strip()}
    links = connections.state.links.find_many(ITEM, sorted(variants))
    rows = connections.netsuite(lane).items.for_orders(
        {int(link.netsuite_id) for link in links.values()},
        sorted(skus),
        connections.mapping.inventory.sku_field,
        oneworld=account_of(connections).oneworld,
    )
    refs = {row.id: _ref(row) for row in rows}
    by_sku: dict[str, list[ItemRef]] = defaultdict(list)
    for ref in refs.values():
        by_sku[sku_key(ref.sku)].append(ref)
    return Items(
        by_variant={
            int(variant): refs[int(link.netsuite_id)]
            for variant, link in links.items()
            if int(link.netsuite_id) in refs
        },
        by_sku={sku: tuple(found) for sku, found in by_sku.items()},
    )


def _ref(row: ItemRow) -> ItemRef:
    return ItemRef(
        id=row.id,
        sku=row.sku,
        kind=row.type,
        matrix=row.matrix,
        inactive=row.inactive,
        subsidiaries=frozenset(row.subsidiaries) or None,
    )
