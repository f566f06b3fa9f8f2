"""Orders as the state remembers them, made without a run: for commands that only look at what is remembered.

Put makers here. Do not put expectations here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.order_models import Decision, OrderSeen
from bcns_pipeline.state.store import State

PLACED = datetime(2026, 11, 20, 15, tzinfo=UTC)
TOTAL = Money(11_673, "USD")


def see(state: State, *order_ids: int, status: int = 11, total: Money = TOTAL, version: str = "v1") -> None:
    """These orders were read."""
    state.orders.note(
        [
            OrderSeen(one, PLACED, PLACED, PLACED.date(), 1, "storefront", status, total, (), version)
            for one in order_ids
        ]
    )


def wait(state: State, order_id: int, code: str = "ITEM_UNMAPPED") -> None:
    """It was read, and waits for that fact until tomorrow."""
    see(state, order_id)
    at = datetime.now(UTC) + timedelta(days=1)
    state.orders.decide([Decision(order_id, "waiting", code, "The SKU X-1 is on no NetSuite item.", at)])


def hold(state: State, order_id: int, *, staged_by: str | None = None, plan: int | None = None) -> Operation:
    """Its write is held for approval."""
    see(state, order_id)
    intent = Intent(
        "sales_order",
        order_key(state.store, order_id),
        {"order_id": order_id},
        plan,
        amount_minor=TOTAL.minor,
        currency=TOTAL.currency,
    )
    (staged,) = state.outbox.stage("orders", [intent], held="It moves 116.73 USD.", staged_by=staged_by)
    state.orders.decide([Decision(order_id, "held", "MATERIALITY", "It moves 116.73 USD.")])
    return staged
