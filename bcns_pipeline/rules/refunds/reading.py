"""From BigCommerce's JSON to a typed refund, once: every rule behind this works on `model.py` alone.

Put here which field becomes what. Do not put meaning here. Amounts arrive as exact decimals; `requested_amount` is a
number in lists and text when one refund is read (facts/finance.md 4.1).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, cast, get_args

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders import fields
from bcns_pipeline.rules.orders.fields import Json, Unreadable
from bcns_pipeline.rules.refunds.model import ItemKind, Refund, RefundItem, RefundPayment

_KINDS: Final = get_args(ItemKind)


def read_refund(document: Json, currency: str) -> Refund:
    """The refund in `document`, as the lists of refunds give it; `currency` is the order's.

    Raises Unreadable, one sentence naming the field and without personal data, for what can't be understood: also for
    an amount with more digits than the currency has, because no such amount can have been paid.
    """
    refund_id, order_id = fields.whole(document, "id"), fields.whole(document, "order_id")
    if not refund_id or not order_id:
        raise Unreadable("id or order_id is missing.")
    fields.required(document, "total_amount")
    return Refund(
        id=refund_id,
        order_id=order_id,
        created_at=fields.moment(document, "created"),
        total=_money(document, "total_amount", currency),
        tax=_money(document, "total_tax", currency),
        override=fields.flag(document, "uses_merchant_override_values") or False,
        items=tuple(
            _item(row, f"items[{place}].", currency)
            for place, row in enumerate(fields.rows(document.get("items"), "items"))
        ),
        payments=tuple(
            _payment(row, f"payments[{place}].", currency)
            for place, row in enumerate(fields.rows(document.get("payments"), "payments"))
        ),
        reason=fields.text(document, "reason"),
    )


def _item(row: Json, at: str, currency: str) -> RefundItem:
    kind = fields.text(row, "item_type", at).upper()
    if kind not in _KINDS:
        raise Unreadable(f"{at}item_type is none of {', '.join(_KINDS)}.")
    asked = row.get("requested_amount")
    kept = sum(
        (
            fields.amount(one, "amount", f"{at}adjustments.")
            for one in fields.rows(row.get("adjustments"), at)
        ),
        Decimal(0),
    )
    return RefundItem(
        kind=cast("ItemKind", kind),
        id=fields.whole(row, "item_id", at),
        quantity=fields.whole(row, "quantity", at) or None,
        requested=None if asked in (None, "") else _money(row, "requested_amount", currency, at),
        # The spec says below 0; one that is not would make the refund larger than what was bought.
        adjustment=None if not kept else -abs(_exact(kept, currency, f"{at}adjustments")),
    )


def _payment(row: Json, at: str, currency: str) -> RefundPayment:
    said = fields.text(row, "transaction_id", at)
    return RefundPayment(
        id=fields.whole(row, "id", at),
        provider=fields.text(row, "provider_id", at),
        amount=abs(_money(row, "amount", currency, at)),
        offline=fields.flag(row, "offline", at) or False,
        declined=fields.flag(row, "is_declined", at) or False,
        transaction_id=int(said) if said.isdecimal() else None,
    )


def _money(row: Json, name: str, currency: str, at: str = "") -> Money:
    return _exact(fields.amount(row, name, at), currency, f"{at}{name}")


def _exact(amount: Decimal, currency: str, where: str) -> Money:
    try:
        return Money.exactly(amount, currency)
    except ValueError:
        raise Unreadable(f"{where} has more digits than {currency} has.") from None
