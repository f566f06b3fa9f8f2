"""Stripe as it answers HTTP: payouts, balance transactions and the balance, for reading.

Put routing, the key check and the rate limit here. Do not put objects (shapes.py) or query strings (listing.py)
here. There is no verb that changes anything. Source: facts/finance.md 1.2, finding 8.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bcns_pipeline.sandbox.faults import Fault
from bcns_pipeline.sandbox.payments.models import Movement, Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.stripe import errors, listing, shapes
from bcns_pipeline.sandbox.payments.stripe.errors import StripeRefusal
from bcns_pipeline.sandbox.web import Answer, Call, Routes, json_answer

PAGING = ("limit", "starting_after")
VERSION = "2025-09-30.clover"


@dataclass(frozen=True, slots=True)
class PayoutList:
    """What is listed of one payout, sorted once."""

    payout: Payout
    rows: list[Movement]
    places: dict[str, int]


class Stripe:
    """The API over one account. `per_second` is the rate limit; 0 is none."""

    name = "stripe"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.key = "sk_test_" + secrets.token_hex(24)
        self.per_second = 100
        self._recent: deque[float] = deque()
        self._lists: dict[str, PayoutList] = {}
        self.routes = Routes()
        for path, name, handler in (
            ("/v1/payouts", "payouts", self.payouts),
            ("/v1/payouts/{name}", "payout", self.payout),
            ("/v1/balance_transactions", "balance_transactions", self.movements),
            ("/v1/balance_transactions/{name}", "balance_transaction", self.movement),
            ("/v1/balance", "balance", self.balance),
            ("/v1/disputes", "disputes", self.disputes),
        ):
            self.routes.add("GET", path, name, guarded(handler))

    # -- the door ------------------------------------------------------------------------------------------------

    def enter(self, call: Call) -> Answer | None:
        """Check the key, then the rate."""
        given = self._given(call.headers.get("authorization", ""))
        if not given:
            return errors.error(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            return errors.error(401, f"Invalid API Key provided: {given[:8]}********{given[-4:]}")
        return None if self._in_time() else errors.too_many()

    def _given(self, header: str) -> str:
        """The key of `Bearer key`, or of `Basic` with the key as the user."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            return rest.strip()
        if scheme.lower() == "basic":
            try:
                return base64.b64decode(rest).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return ""
        return ""

    def _in_time(self) -> bool:
        if not self.per_second:
            return True
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.per_second:
            return False
        self._recent.append(now)
        return True

    def leave(self, call: Call) -> None:
        """Nothing is held by a call."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Every answer names its request and the version."""
        answer.headers = (
            *answer.headers,
            ("Request-Id", "req_" + secrets.token_hex(7)),
            ("Stripe-Version", call.headers.get("stripe-version", VERSION)),
        )
        return answer

    def not_found(self, call: Call, allowed: list[str]) -> Answer:
        """No such path, or not with this method."""
        return errors.error(404, f"Unrecognized request URL ({call.method}: {call.path}).")

    def struck(self, fault: Fault) -> Answer:
        """How Stripe is unwell."""
        if fault.kind in ("429", "429_bare"):
            return errors.too_many()
        return errors.error(fault.status, "An unknown error occurred", kind="api_error")

    # -- endpoints -----------------------------------------------------------------------------------------------

    def payouts(self, call: Call) -> Answer:
        """GET /v1/payouts, newest first."""
        expandable = ("data.balance_transaction", "data.failure_balance_transaction", "data.destination")
        asked = listing.read(
            call.query_string, (*PAGING, "status", "destination"), ("created", "arrival_date"), expandable
        )
        now, status = self.provider.now(), asked.values.get("status")
        rows = [
            one
            for one in sorted(self.provider.payouts.values(), key=lambda one: (-one.created, -one.order))
            if status in (None, one.status_at(now))
            and asked.holds("created", one.created)
            and asked.holds("arrival_date", one.arrival)
        ]
        cut, body = listing.page(rows, asked, "/v1/payouts", lambda one: one.id, "payout")
        expand = {name.removeprefix("data.") for name in asked.expand}
        body["data"] = [shapes.payout(one, self.provider, expand) for one in cut]
        return json_answer(200, body)

    def payout(self, call: Call, name: str) -> Answer:
        """GET /v1/payouts/{id}."""
        expandable = ("balance_transaction", "failure_balance_transaction", "destination")
        asked = listing.read(call.query_string, (), (), expandable)
        found = self.provider.payouts.get(name)
        if found is None:
            raise errors.missing("payout", name, "payout")
        return json_answer(200, shapes.payout(found, self.provider, asked.expand))

    def movements(self, call: Call) -> Answer:
        """GET /v1/balance_transactions, of a payout with the payout's own row, or of the whole account."""
        plain = (*PAGING, "payout", "type", "currency", "source")
        asked = listing.read(call.query_string, plain, ("created",), ("data.source",))
        rows, places = self._chosen(asked)
        cut, body = listing.page(
            rows, asked, "/v1/balance_transactions", lambda one: one.id, "balance_transaction", places
        )
        expand = {name.removeprefix("data.") for name in asked.expand}
        body["data"] = [shapes.movement(one, self.provider, expand) for one in cut]
        return json_answer(200, body)

    def _chosen(self, asked: listing.Asked) -> tuple[list[Movement], dict[str, int] | None]:
        """The rows asked for and, where they are a whole payout, the place of each."""
        wanted = asked.values.get("payout")
        kept = None if wanted is None else self._of_payout(wanted)
        if kept is None:
            self.provider.absorb()
            rows = newest_first(self.provider.movements)
        else:
            rows = kept.rows
        tests: list[Callable[[Movement], bool]] = []
        if kind := asked.values.get("type"):
            tests.append(lambda one: shapes.type_of(one) == kind)
        if currency := asked.values.get("currency"):
            tests.append(lambda one: one.currency == currency.upper())
        if source := asked.values.get("source"):
            tests.append(lambda one: one.source == source)
        if asked.between:
            tests.append(lambda one: asked.holds("created", one.created))
        if tests:
            return [one for one in rows if all(test(one) for test in tests)], None
        return rows, None if kept is None else kept.places

    def _of_payout(self, name: str) -> PayoutList:
        """Members of an automatic payout and its own row, in the order in which they are listed."""
        found = self.provider.payouts.get(name)
        if found is None:
            raise errors.missing("payout", name, "payout", 400)
        if not found.automatic:
            text = "Balance transaction history can only be filtered on automatic transfers, not manual."
            raise errors.invalid(text, "payout")
        kept = self._lists.get(name)
        if kept is None or kept.payout is not found or len(kept.rows) != len(found.lines) + 1:
            own = self.provider.by_id[found.movement]
            rows = newest_first([*found.lines, own])
            kept = PayoutList(found, rows, {one.id: place for place, one in enumerate(rows)})
            self._lists[name] = kept
        return kept

    def movement(self, call: Call, name: str) -> Answer:
        """GET /v1/balance_transactions/{id}."""
        asked = listing.read(call.query_string, (), (), ("source",))
        self.provider.absorb()
        found = self.provider.by_id.get(name)
        if found is None:
            raise errors.missing("balance transaction", name, "id")
        return json_answer(200, shapes.movement(found, self.provider, asked.expand))

    def balance(self, call: Call) -> Answer:
        """GET /v1/balance."""
        listing.read(call.query_string, (), (), ())
        self.provider.absorb()
        return json_answer(200, shapes.balance(self.provider))

    def disputes(self, call: Call) -> Answer:
        """GET /v1/disputes, newest first."""
        asked = listing.read(call.query_string, (*PAGING, "charge", "payment_intent"), ("created",), ())
        rows = [
            one
            for one in newest_first(self.provider.disputed())
            if asked.holds("created", one.created) and asked.values.get("charge") in (None, one.reference)
        ]
        cut, body = listing.page(rows, asked, "/v1/disputes", lambda one: one.source, "dispute")
        body["data"] = [shapes.source(one, self.provider) for one in cut]
        return json_answer(200, body)


def newest_first(rows: list[Movement]) -> list[Movement]:
    """As Stripe lists them."""
    return sorted(rows, key=lambda one: (-one.created, -one.seq))


def guarded(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """A handler whose refusals are answers."""

    def run(call: Call, **names: Any) -> Answer:
        names.pop("stale", None)
        try:
            return handler(call, **names)
        except StripeRefusal as refusal:
            return refusal.answer

    return run
