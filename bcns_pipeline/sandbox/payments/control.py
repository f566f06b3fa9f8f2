"""The payment providers' verbs of the control endpoint.

Put routes and the reading of bodies here. Do not put what happens here (provider.py, treasury.py). Amounts in
bodies are in major units, in answers as text.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.payments.files.settlement import drop
from bcns_pipeline.sandbox.payments.happenings import move
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider, Terms
from bcns_pipeline.sandbox.payments.stripe.app import Stripe
from bcns_pipeline.sandbox.payments.treasury import Treasury, midnight
from bcns_pipeline.sandbox.payments.units import major
from bcns_pipeline.sandbox.web import Call

Verb = tuple[str, str, Callable[[Call, Any], Any]]
STATUSES = ("pending", "in_transit", "paid", "failed", "canceled")
RECONCILIATION = ("completed", "in_progress", "not_applicable")


class PaymentControl:
    """Verbs over the providers."""

    def __init__(self, treasury: Treasury, stripe: Stripe) -> None:
        self._treasury = treasury
        self._stripe = stripe

    def verbs(self) -> list[Verb]:
        """What is answered where."""
        return [
            ("POST", "/payments/day", self._day),
            ("POST", "/payments/payout", self._manual),
            ("POST", "/payments/payout/fail", self._fail),
            ("POST", "/payments/payout/change", self._change),
            ("POST", "/payments/move", self._move),
            ("POST", "/payments/dispute/lose", self._lose),
            ("POST", "/payments/terms", self._terms),
            ("POST", "/payments/bulk", self._bulk),
            ("POST", "/payments/limit", self._limit),
            ("POST", "/payments/drop", self._drop),
            ("GET", "/state/payments/payouts", self._payouts),
            ("GET", "/state/payments/open", self._open),
        ]

    def _day(self, call: Call, body: Any) -> Any:
        made = self._treasury.day(body)
        files = [path for name, group in grouped(made) for path in self._files(name, group, body)]
        return {"payouts": [payout_state(*one) for one in made], "files": files}

    def _files(self, name: str, payouts: list[Payout], body: Any) -> list[str]:
        """A day's files: of everybody whose payouts can't be asked for, unless it says otherwise."""
        wanted = bool(body.get("files", True)) if name != "stripe" else bool(body.get("stripe_report", False))
        return drop(self._treasury.drops, self._treasury.named(name), payouts, {}) if wanted else []

    def _drop(self, call: Call, body: Any) -> Any:
        names = body["payout"] if isinstance(body["payout"], list) else [body["payout"]]
        found = [self._treasury.payout(str(one)) for one in names]
        ((name, payouts),) = grouped(found)
        return drop(self._treasury.drops, self._treasury.named(name), payouts, body)

    def _manual(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(body)
        provider.absorb()
        arrival = midnight(self._treasury.on(body, "arrival"))
        currency = str(body.get("currency", provider.terms.home))
        made = provider.manual(currency, arrival, instant=bool(body.get("instant", False)))
        return payout_state(provider, made)

    def _fail(self, call: Call, body: Any) -> Any:
        provider, payout = self._treasury.payout(str(body["payout"]))
        canceled = bool(body.get("canceled", False))
        moved = provider.fail(payout, str(body.get("code", "account_closed")), canceled=canceled)
        return {**payout_state(provider, payout), "movement": moved.id}

    def _change(self, call: Call, body: Any) -> Any:
        provider, payout = self._treasury.payout(str(body["payout"]))
        status = str(body.get("status", payout.status))
        reconciliation = str(body.get("reconciliation_status", payout.reconciliation))
        if status not in STATUSES or reconciliation not in RECONCILIATION:
            raise ValueError(f"A payout is {', '.join(STATUSES)}; {', '.join(RECONCILIATION)}.")
        payout.status, payout.reconciliation = status, reconciliation
        payout.amount += provider.units(Decimal(str(body.get("off_by", 0))), payout.currency)
        return payout_state(provider, payout)

    def _move(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(body)
        return [movement_state(provider, one) for one in move(provider, body)]

    def _lose(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(body)
        provider.lose(str(body["dispute"]))
        return {"dispute": body["dispute"], "status": provider.stage(str(body["dispute"]))}

    def _terms(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(body)
        terms = provider.terms
        provider.terms = Terms(
            tuple(str(one).upper() for one in body.get("settles", terms.settles)),
            str(body.get("home", terms.home)).upper(),
            {**terms.rates, **{str(k): Decimal(str(v)) for k, v in body.get("rates", {}).items()}},
        )
        return {"settles": provider.terms.settles, "home": provider.terms.home}

    def _bulk(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(body)
        provider.bulk(int(body["count"]), str(body.get("currency", provider.terms.home)))
        return {"open": len(provider.pending())}

    def _limit(self, call: Call, body: Any) -> Any:
        self._stripe.per_second = int(body["per_second"])
        return {"per_second": self._stripe.per_second}

    def _payouts(self, call: Call, body: Any) -> Any:
        wanted, lines = call.query.get("payout"), call.query.get("lines") == "true"
        return [
            payout_state(provider, one, lines=lines)
            for provider, one in self._treasury.payouts()
            if wanted in (None, one.id)
        ]

    def _open(self, call: Call, body: Any) -> Any:
        provider = self._treasury.provider(call.query)
        provider.absorb()
        return [movement_state(provider, one) for one in provider.pending()]


def grouped(made: list[tuple[Provider, Payout]]) -> list[tuple[str, list[Payout]]]:
    """Payouts by the provider's name."""
    found: dict[str, list[Payout]] = {}
    for provider, one in made:
        found.setdefault(provider.contract.name, []).append(one)
    return list(found.items())


def payout_state(provider: Provider, one: Payout, *, lines: bool = False) -> dict[str, Any]:
    """A payout as it is, its composition included where nobody else is told."""
    found: dict[str, Any] = {
        "id": one.id,
        "provider": provider.contract.name,
        "account": provider.contract.account,
        "currency": one.currency,
        "amount": text(provider, one.amount, one.currency),
        "lines_amount": text(provider, sum(row.net for row in one.lines), one.currency),
        "count": len(one.lines),
        "automatic": one.automatic,
        "status": one.status_at(provider.now()),
        "reconciliation_status": one.reconciliation,
        "created": moment(one.created),
        "arrival_date": moment(one.arrival)[:10],
        "trace": one.trace,
    }
    if lines:
        found["lines"] = [movement_state(provider, row) for row in one.lines]
    return found


def movement_state(provider: Provider, one: Movement) -> dict[str, Any]:
    """A movement as it is."""
    shown = one.presented_currency or one.currency
    return {
        "id": one.id,
        "kind": one.kind,
        "source": one.source,
        "reference": one.reference,
        "order_id": one.order_id,
        "currency": one.currency,
        "gross": text(provider, one.gross, one.currency),
        "fee": text(provider, one.fee, one.currency),
        "net": text(provider, one.net, one.currency),
        "presented": text(provider, one.presented, shown),
        "presented_currency": shown,
        "rate": None if one.rate is None else str(one.rate),
        "created": moment(one.created),
        "payout": one.payout,
    }


def text(provider: Provider, value: int, currency: str) -> str:
    """An amount in major units."""
    return str(major(value, currency, provider.contract.authority))


def moment(seconds: int) -> str:
    """A moment in ISO form, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
