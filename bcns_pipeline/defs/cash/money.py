"""An order's money as the rules take it, from its transactions as read or as remembered.

Put the conversions here that reading and planning share. Do not decide here.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.cash.model import Taken
from bcns_pipeline.rules.cash.tenders import holder_of, of_marketplace, taken
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.gate import is_marketplace
from bcns_pipeline.rules.orders.model import Order, StoredValue, Tender
from bcns_pipeline.state.cash_models import TenderRow


def of_the_marketplace(connections: Connections, order: Order) -> bool:
    """Whether a marketplace took the money, which BigCommerce then never sees."""
    policy = connections.order_policy
    return is_marketplace(order, policy.channel(order.channel_id), policy)


def money_of(connections: Connections, order: Order, tenders: Sequence[Tender]) -> Taken:
    """What was taken of an order; of a marketplace's, the whole total where its settlements are ours to post."""
    policy = connections.order_policy
    zone = policy.zone(policy.channel(order.channel_id))
    if not of_the_marketplace(connections, order):
        return taken(order, tenders, zone)
    found = of_marketplace(order, zone)
    on = order.placed_at.astimezone(zone).date()
    if connections.cash_policy.marketplace(order.order_source, order.currency, on) is not None:
        return found
    nothing = Money.zero(order.currency)
    return Taken((), nothing, nothing, nothing)


def as_row(order: Order, tender: Tender, keyed: Callable[[Any], str]) -> TenderRow:
    """A transaction as it is remembered. `keyed` hides a certificate's code. ValueError for a currency that is none."""
    currency, told = tender.currency or order.currency, tender.stored or StoredValue()
    return TenderRow(
        transaction_id=tender.id,
        order_id=order.id,
        event=tender.event,
        method=tender.method,
        gateway=tender.gateway,
        gateway_id=tender.gateway_transaction_id,
        reference_id=tender.reference_id,
        amount=Money.of(tender.amount, currency),
        status=tender.status,
        test=tender.test,
        happened_at=tender.happened_at,
        holder=holder_of(order, tender, keyed),
        original_minor=_balance(told.original, currency),
        starting_minor=_balance(told.starting, currency),
        remaining_minor=_balance(told.remaining, currency),
    )


def _balance(told: Decimal | None, currency: str) -> int | None:
    """A balance that has more digits than its currency is none that cents could explain."""
    if told is None:
        return None
    try:
        return Money.exactly(told, currency).minor
    except ValueError:
        return None


def as_tender(row: TenderRow) -> Tender:
    """And back."""
    return Tender(
        id=row.transaction_id,
        event=row.event,
        method=row.method,
        amount=row.amount.amount,
        currency=row.amount.currency,
        status=row.status,
        test=row.test,
        gateway=row.gateway,
        gateway_transaction_id=row.gateway_id,
        reference_id=row.reference_id,
        happened_at=row.happened_at,
    )
