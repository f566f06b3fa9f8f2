"""What is sent to NetSuite for a capture, an invoice and an application: field names and references.

Put bodies here (facts/netsuite.md 3.6). Do not put decisions here (`steps.py`). Every receipt names its account
and says that it is not for Undeposited Funds: there it would wait for a bank deposit that no one makes, for the
payout's journal takes it out of the clearing account (facts/finance.md 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.cash.model import Capture, Invoice, OrderLine, Position
from bcns_pipeline.rules.cash.policy import CashPolicy
from bcns_pipeline.rules.money import Money

NOT_UNDEPOSITED = {"id": "F"}
CUSTOM_PRICE = -1
ONE = Decimal(1)


def deposit(
    position: Position,
    capture: Capture,
    account: int,
    on: date,
    key: str,
    policy: CashPolicy,
    *,
    linked: bool,
) -> dict[str, Any]:
    """A customer deposit; `linked` to the sales order, unless that takes none any more."""
    return {
        **_receipt(position, capture, on, key, policy),
        "customer": _id(position.customer),
        **({"salesOrder": _id(position.netsuite_id)} if linked else {}),
        "payment": capture.amount.amount,
        "account": _id(account),
        "undepFunds": NOT_UNDEPOSITED,
    }


def payment(
    position: Position,
    capture: Capture,
    account: int,
    on: date,
    key: str,
    applies: Sequence[tuple[int, Money]],
    policy: CashPolicy,
) -> dict[str, Any]:
    """A customer payment that settles invoices."""
    return {
        **_receipt(position, capture, on, key, policy),
        "customer": _id(position.customer),
        "payment": capture.amount.amount,
        "account": _id(account),
        "undepFunds": NOT_UNDEPOSITED,
        "apply": applied(applies),
    }


def credit(
    position: Position,
    capture: Capture,
    item: int,
    on: date,
    key: str,
    applies: Sequence[tuple[int, Money]],
    policy: CashPolicy,
) -> dict[str, Any]:
    """A credit memo over one item, which posts to the liability of stored value (facts/finance.md 2.10)."""
    amount = capture.amount.amount
    line = {
        "item": _id(item),
        "quantity": ONE,
        "price": _id(CUSTOM_PRICE),
        "rate": amount,
        "amount": amount,
    }
    return {
        **_receipt(position, capture, on, key, policy),
        "entity": _id(position.customer),
        **({} if position.subsidiary is None else {"subsidiary": _id(position.subsidiary)}),
        "item": {"items": [line]},
        "apply": applied(applies),
    }


def invoice(key: str, on: date, lines: Iterable[OrderLine] | None) -> dict[str, Any]:
    """The body of a transform. With `lines`, only what has left is billed: a line that has not is named with 0."""
    body: dict[str, Any] = {"externalId": key, "tranDate": on.isoformat()}
    if lines is not None:
        items = [{"orderLine": one.line, "quantity": one.billable} for one in lines if not one.closed]
        body["item"] = {"items": items}
    return body


def application(key: str, on: date, of: Invoice, amount: Money) -> dict[str, Any]:
    """The body of a transform of a deposit: so much of it settles that invoice."""
    return {"externalId": key, "tranDate": on.isoformat(), "apply": applied([(of.id, amount)])}


def applied(applies: Iterable[tuple[int, Money]]) -> dict[str, Any]:
    """The sublist of what is settled."""
    return {
        "items": [{"doc": _id(invoice), "apply": True, "amount": much.amount} for invoice, much in applies]
    }


def _receipt(position: Position, capture: Capture, on: date, key: str, policy: CashPolicy) -> dict[str, Any]:
    memo = policy.memo.replace("{id}", str(position.order_id))
    if capture.transaction_id:
        memo = f"{memo}, transaction {capture.transaction_id}"
    return {
        "externalId": key,
        "tranDate": on.isoformat(),
        **({} if position.currency_id is None else {"currency": _id(position.currency_id)}),
        "memo": memo,
    }


def _id(number: int) -> dict[str, str]:
    return {"id": str(number)}
