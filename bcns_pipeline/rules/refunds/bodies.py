"""The records of a refund as NetSuite takes them: credit memo, cash refund, customer refund, journal.

Put fields of bodies here. Do not put the choice between records here (`plan.py`). Field names: facts/netsuite.md 3.6.
A record that settles another one names it by our key; its internal id is filled in when it is sent, because it is not
known before the other one is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.policy import Channel, named
from bcns_pipeline.rules.refunds.books import Books
from bcns_pipeline.rules.refunds.credit import Credit
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.router import Settlement


def memo_of(refund: Refund, policy: RefundPolicy) -> str:
    """The memo of every record of a refund: ids, no names."""
    return policy.memo.replace("{id}", str(refund.id)).replace("{order}", str(refund.order_id))


def credit_memo(
    key: str, refund: Refund, books: Books, credit: Credit, channel: Channel, on: date, policy: RefundPolicy
) -> dict[str, Any]:
    """A credit memo for the customer of the order, which NetSuite must not apply to some invoice by itself."""
    return {**_credit(key, refund, books, credit, channel, on, policy), "autoApply": False}


def cash_refund(
    key: str,
    refund: Refund,
    books: Books,
    credit: Credit,
    channel: Channel,
    account: int,
    on: date,
    policy: RefundPolicy,
) -> dict[str, Any]:
    """A cash refund: credit and money in one record, paid from `account`."""
    return {**_credit(key, refund, books, credit, channel, on, policy), "account": _id(account)}


def customer_refund(
    key: str, refund: Refund, books: Books, settlement: Settlement, on: date, policy: RefundPolicy
) -> dict[str, Any]:
    """The money of one payment, from its account. What it settles is added as `apply` or `deposit`."""
    common = _common(refund, books, on, policy)
    if settlement.way == "bank":
        common["memo"] = f"{common['memo']}, to be paid"
    method = named(policy.payment_methods, "bank" if settlement.way == "bank" else settlement.provider)
    return {
        "externalId": key,
        "customer": _id(books.entity),
        "account": _id(settlement.account),
        **({} if method is None else {policy.payment_field: _id(method)}),
        **common,
    }


def journal(
    key: str,
    refund: Refund,
    books: Books,
    debits: Sequence[tuple[int, Money]],
    credit: int,
    on: date,
    policy: RefundPolicy,
) -> dict[str, Any]:
    """Stored value against these accounts; a debit on A/R names the customer, so that a credit memo finds it.

    Approved at once: it is the other half of another record, and one that nobody approved would leave that open.
    """
    memo = memo_of(refund, policy)
    lines: list[dict[str, Any]] = [
        {
            "account": _id(account),
            "debit": amount.amount,
            "memo": memo,
            **({"entity": _id(books.entity)} if account == policy.receivable else {}),
        }
        for account, amount in debits
    ]
    whole = total([amount for _, amount in debits], refund.currency)
    return {
        "externalId": key,
        **_common(refund, books, on, policy),
        **_subsidiary(books),
        "approved": True,
        "line": {"items": [*lines, {"account": _id(credit), "credit": whole.amount, "memo": memo}]},
    }


def release(
    key: str, refund: Refund, books: Books, account: int, on: date, policy: RefundPolicy
) -> dict[str, Any]:
    """Deposits that turn into stored value: the transfer account takes them, and the journal takes them from there."""
    method = named(policy.payment_methods, "transfer")
    return {
        "externalId": key,
        "customer": _id(books.entity),
        "account": _id(account),
        **({} if method is None else {policy.payment_field: _id(method)}),
        **_common(refund, books, on, policy),
    }


def applied(documents: list[tuple[int, Decimal]]) -> dict[str, Any]:
    """A sublist `apply` or `deposit` over these records and amounts."""
    return {"items": [{"doc": _id(doc), "apply": True, "amount": amount} for doc, amount in documents]}


def _credit(
    key: str, refund: Refund, books: Books, credit: Credit, channel: Channel, on: date, policy: RefundPolicy
) -> dict[str, Any]:
    return {
        "externalId": key,
        "entity": _id(books.entity),
        **_common(refund, books, on, policy),
        **_subsidiary(books),
        **_places(channel),
        **credit.body(),
    }


def _common(refund: Refund, books: Books, on: date, policy: RefundPolicy) -> dict[str, Any]:
    found: dict[str, Any] = {"tranDate": on.isoformat(), "memo": memo_of(refund, policy)}
    if books.currency_id is not None:
        found["currency"] = _id(books.currency_id)
        # The order's own rate, so that sale and refund leave no exchange difference between them.
        if books.rate is not None:
            found["exchangeRate"] = books.rate
    return found


def _subsidiary(books: Books) -> dict[str, Any]:
    return {} if books.subsidiary is None else {"subsidiary": _id(books.subsidiary)}


def _places(channel: Channel) -> dict[str, Any]:
    given = {"location": channel.location, "department": channel.department, "class": channel.class_id}
    return {name: _id(value) for name, value in given.items() if value is not None}


def _id(number: int) -> dict[str, str]:
    return {"id": str(number)}
