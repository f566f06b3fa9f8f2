"""Stripe's objects as JSON.

Put the fields of objects here. Do not put lists, filters or HTTP here. Source: facts/finance.md 1.2: amounts are
whole minor units, currencies lower-case, moments seconds, and `net` is `amount` less `fee`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from bcns_pipeline.sandbox.payments.kinds import KINDS
from bcns_pipeline.sandbox.payments.models import DAY, PAYOUT, Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider

# So long a merchant may answer a dispute.
EVIDENCE_SECONDS = 7 * DAY


def payout(one: Payout, provider: Provider, expand: Collection[str] = ()) -> dict[str, Any]:
    """A payout."""
    now = provider.now()
    return {
        "id": one.id,
        "object": "payout",
        "amount": one.amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": one.arrival,
        "automatic": one.automatic,
        "balance_transaction": _expanded(one.movement, "balance_transaction", provider, expand),
        "created": one.created,
        "currency": one.currency.lower(),
        "description": "STRIPE PAYOUT" if one.automatic else None,
        "destination": "ba_" + _digest(one.currency),
        "failure_balance_transaction": _expanded(
            one.failure_movement, "failure_balance_transaction", provider, expand
        ),
        "failure_code": one.failure_code or None,
        "failure_message": one.failure_message or None,
        "livemode": False,
        "metadata": {},
        "method": one.method,
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": one.reconciliation,
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": one.status_at(now),
        "trace_id": trace(one, now),
        "type": "bank_account",
    }


def trace(one: Payout, now: int) -> dict[str, Any]:
    """The bank's reference, known once the payout has arrived."""
    if one.status_at(now) in ("paid", "failed"):
        return {"status": "supported", "value": one.trace}
    return {"status": "pending", "value": None}


def _expanded(name: str, field: str, provider: Provider, expand: Collection[str]) -> Any:
    if not name:
        return None
    return movement(provider.by_id[name], provider) if field in expand else name


def movement(one: Movement, provider: Provider, expand: Collection[str] = ()) -> dict[str, Any]:
    """A balance transaction. It does not say which payout it is part of."""
    currency = one.currency.lower()
    now = provider.now()
    return {
        "id": one.id,
        "object": "balance_transaction",
        "amount": one.gross,
        "available_on": one.available,
        "balance_type": one.balance,
        "created": one.created,
        "currency": currency,
        "description": one.description or None,
        "exchange_rate": None if one.rate is None else float(one.rate),
        "fee": one.fee,
        "fee_details": [
            {
                "amount": fee.amount,
                "application": None,
                "currency": currency,
                "description": fee.description,
                "type": fee.kind,
            }
            for fee in one.fees
        ],
        "net": one.net,
        "reporting_category": one.word or KINDS[one.kind].stripe[1],
        "source": source(one, provider) if "source" in expand else (one.source or None),
        "status": "available" if one.payout or one.available <= now else "pending",
        "type": type_of(one),
    }


def type_of(one: Movement) -> str:
    """A balance transaction's `type`."""
    return one.word or KINDS[one.kind].stripe[0]


def source(one: Movement, provider: Provider) -> dict[str, Any] | None:
    """What a balance transaction came from: a charge, a refund, a dispute or a payout."""
    if not one.source:
        return None
    if one.kind == PAYOUT or one.source in provider.payouts:
        return payout(provider.payouts[one.source], provider)
    common = {
        "id": one.source,
        "balance_transaction": one.id,
        "created": one.created,
        "livemode": False,
        "metadata": {"order_id": one.order_id} if one.order_id else {},
    }
    money = {"amount": abs(one.presented), "currency": (one.presented_currency or one.currency).lower()}
    intent = "pi_" + _digest(one.reference) if one.reference else None
    if one.kind == "charge":
        return {
            **common,
            **money,
            "object": "charge",
            "captured": True,
            "description": one.description,
            "paid": True,
            "payment_intent": intent,
            "payment_method_details": {"card": {"brand": "visa", "last4": "1111"}, "type": "card"},
            "refunded": False,
            "status": "succeeded",
        }
    if one.kind in ("refund", "refund_failure"):
        status = "failed" if one.kind == "refund_failure" else "succeeded"
        return {
            **common,
            **money,
            "object": "refund",
            "charge": one.reference or None,
            "payment_intent": intent,
            "reason": None,
            "status": status,
        }
    if one.kind in ("dispute", "dispute_reversal"):
        return {
            **common,
            **money,
            "object": "dispute",
            "evidence_details": {"due_by": one.created + EVIDENCE_SECONDS, "has_evidence": False},
            "charge": one.reference or None,
            "payment_intent": intent,
            "reason": "fraudulent",
            "status": provider.stage(one.source),
        }
    return {**common, **money, "object": KINDS[one.kind].stripe[0]}


def balance(provider: Provider) -> dict[str, Any]:
    """What no payout holds yet, by currency: available or still pending."""
    now = provider.now()
    sums: dict[str, list[int]] = {}
    for one in provider.pending():
        sums.setdefault(one.currency, [0, 0])[one.available > now] += one.net
    shown = [(code.lower(), *pair) for code, pair in sorted(sums.items())] or [
        (provider.terms.home.lower(), 0, 0)
    ]
    return {
        "object": "balance",
        "available": [
            {"amount": ready, "currency": code, "source_types": {"card": ready}} for code, ready, _ in shown
        ],
        "livemode": False,
        "pending": [
            {"amount": waiting, "currency": code, "source_types": {"card": waiting}}
            for code, _, waiting in shown
        ],
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
