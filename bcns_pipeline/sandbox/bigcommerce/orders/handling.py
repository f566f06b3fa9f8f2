"""What happens to an order after it is made: stock, status, and who is told.

Put changes that several callers make (checkout, API, control panel, warehouse) here. Do not put arithmetic
(checkout.py) or HTTP here. Every change goes through `changed`, which moves `date_modified` and fires the
events.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.bigcommerce.orders import statuses
from bcns_pipeline.sandbox.bigcommerce.orders.models import PHYSICAL, Line, Order
from bcns_pipeline.sandbox.bigcommerce.shop import Shop


class OutOfStock(Exception):
    """The shop can't sell that much; the text says of what it has how much."""


def place(shop: Shop, order: Order) -> None:
    """Take stock, enter the order and tell of it. Raises `OutOfStock`, and then nothing has happened."""
    if _takes(shop, order.status_id):
        take_stock(shop, order)
    elif order.status_id not in statuses.HOLDS_NO_STOCK:
        in_stock(shop, order)
    shop.orders[order.id] = order
    told(shop, order, "created", {})
    if order.status_id != statuses.INCOMPLETE:
        # A checkout makes an incomplete order first; that it is paid for is its first change of status.
        _status_told(shop, order, statuses.INCOMPLETE)
    for transaction in order.transactions:
        transaction_told(shop, order, transaction)


def _takes(shop: Shop, status_id: int) -> bool:
    """Whether an order in this status has taken its units off the shelf (facts 2.5)."""
    if shop.settings.update_stock_behavior == "order_placed":
        return status_id not in statuses.HOLDS_NO_STOCK
    return status_id in statuses.SHIPPED_OR_COMPLETED


def changed(shop: Shop, order: Order) -> None:
    """The order is not what it was."""
    order.modified = shop.now()
    order.rendered.clear()
    told(shop, order, "updated", {})


def told(shop: Shop, order: Order, what: str, more: dict[str, Any]) -> None:
    """Fire `store/order/{what}`."""
    shop.tell(f"order/{what}", {"type": "order", "id": order.id, **more}, order.channel_id)


def transaction_told(shop: Shop, order: Order, transaction: dict[str, Any]) -> None:
    """Fire `store/order/transaction/created`; its ids are text (facts 6.2)."""
    data = {
        "order_id": str(order.id),
        "transaction_id": str(transaction["id"]),
        "type": "transaction",
        "transaction_status": "success" if transaction["status"] == "ok" else "failure",
        "transaction_type": transaction["event"],
        "result": {
            "code": "",
            "message": "",
            "type": "success" if transaction["status"] == "ok" else "error",
        },
        "platform_transaction_id": str(transaction["id"]),
        "provider_transaction_id": transaction["gateway_transaction_id"],
    }
    shop.tell("order/transaction/created", data, order.channel_id)


def _status_told(shop: Shop, order: Order, before: int) -> None:
    status = {"previous_status_id": before, "new_status_id": order.status_id}
    told(shop, order, "statusUpdated", {"status": status})


def set_status(shop: Shop, order: Order, status_id: int) -> bool:
    """Move an order to a status, whoever asks; False where it is there already. Raises `OutOfStock`."""
    before = order.status_id
    if before == status_id:
        return False
    if not _takes(shop, before) and _takes(shop, status_id):
        take_stock(shop, order)
    if (
        status_id in (statuses.CANCELLED, statuses.REFUNDED, statuses.DECLINED)
        and shop.settings.refund_order_stock_adjustment
    ):
        for line in order.lines:
            give_back(shop, line, line.taken)
    order.status_id = status_id
    if status_id == statuses.SHIPPED:
        order.shipped_at = shop.now()
    changed(shop, order)
    _status_told(shop, order, before)
    return True


def shipped_status(order: Order) -> int:
    """Where an order stands by what was shipped of it; refunded units are not waited for."""
    lines = [line for line in order.lines if line.kind == PHYSICAL]
    if all(line.quantity_shipped >= line.quantity - line.quantity_refunded for line in lines):
        return statuses.SHIPPED
    return statuses.PARTIALLY_SHIPPED


def shortage(shop: Shop, order: Order) -> str | None:
    """What keeps the shop from selling the units that the order has not taken yet, in one sentence."""
    needed: dict[tuple[int, int], int] = {}
    for line in order.lines:
        if line.item is not None and line.quantity > line.taken:
            key = (line.item, line.location)
            needed[key] = needed.get(key, 0) + line.quantity - line.taken
    for (item, location), quantity in needed.items():
        row = shop.store.items[item]
        if row.on_hand[location] - quantity < row.safety_stock[location]:
            return f"The shop has {row.on_hand[location]} of {row.sku!r} and can't sell {quantity}."
    return None


def in_stock(shop: Shop, order: Order) -> None:
    """Raise `OutOfStock` where there is a shortage."""
    if (short := shortage(shop, order)) is not None:
        raise OutOfStock(short)


def take_stock(shop: Shop, order: Order) -> None:
    """Lower the shop's stock by what the order has not taken yet, all or nothing. Raises `OutOfStock`."""
    in_stock(shop, order)
    for line in order.lines:
        if line.item is not None and line.quantity > line.taken:
            _move(shop, line, -(line.quantity - line.taken))
            line.taken = line.quantity


def give_back(shop: Shop, line: Line, quantity: int) -> None:
    """Put units of a line back on the shelf."""
    back = min(quantity, line.taken)
    if line.item is not None and back > 0:
        _move(shop, line, back)
        line.taken -= back


def _move(shop: Shop, line: Line, by: int) -> None:
    assert line.item is not None
    row = shop.store.items[line.item]
    shop.store.set_stock(line.item, line.location, row.on_hand[line.location] + by)
    change: dict[str, Any] = {"product_id": row.product_id, "method": "relative", "value": by}
    product = shop.store.product(row.product_id)
    if product is not None and product.tracking == "variant":
        change["variant_id"] = row.variant_id
        shop.tell("sku/inventory/order/updated", {"type": "sku", "id": row.variant_id, "inventory": change})
    else:
        shop.tell(
            "product/inventory/order/updated", {"type": "product", "id": row.product_id, "inventory": change}
        )
