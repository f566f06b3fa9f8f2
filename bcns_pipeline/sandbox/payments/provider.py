"""One account at a payment provider: what comes into its balance, and the payouts that empty it.

Put rules that all providers share here. Do not put their formats here (stripe/, files/), nor who tells it to do
what (treasury.py). The provider knows the shop's captures and refunds and nothing of NetSuite or a pipeline.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.shop import RATES, Shop
from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.payments import captures
from bcns_pipeline.sandbox.payments.captures import Capture
from bcns_pipeline.sandbox.payments.kinds import KINDS, said_by
from bcns_pipeline.sandbox.payments.models import (
    DAY,
    PAYOUT,
    PAYOUT_CANCEL,
    PAYOUT_FAILURE,
    Fee,
    Movement,
    Payout,
)
from bcns_pipeline.sandbox.payments.units import WHOLE_PAYOUTS, Authority, exponent, rounded, units

PERCENT, CONVERSION = Decimal("0.029"), Decimal("0.01")
# Of the major unit where it has cents, and of a hundredth of that where a currency has none.
FIXED = Decimal("0.30")
INSTANT = Decimal("0.01")
PENDING_SECONDS = 2 * DAY


@dataclass(frozen=True, slots=True)
class Contract:
    """Who the provider is. `gateways` are BigCommerce's words for it; none: it is the marketplace itself."""

    name: str
    account: str
    gateways: frozenset[str]
    authority: Authority = "iso"
    percent: Decimal = PERCENT
    fixed: Decimal = FIXED
    prefix: str = "po"


@dataclass(slots=True)
class Terms:
    """What a merchant has agreed on: `settles` are the currencies with a bank account (empty: every currency),
    others are turned into `home` at `rates` (units of `home` for one of the other).
    """

    settles: tuple[str, ...] = ()
    home: str = "USD"
    rates: dict[str, Decimal] = field(default_factory=dict)


class Provider:
    """The account, over one shop. Raises `ValueError` for what can't happen, and then nothing did."""

    def __init__(self, contract: Contract, shop: Shop, clock: Clock) -> None:
        self.contract = contract
        self.shop = shop
        self.clock = clock
        self.terms = Terms()
        self.open()

    def open(self) -> None:
        """Begin with nothing, as with another shop."""
        self.terms = Terms()
        self.movements: list[Movement] = []
        self.by_id: dict[str, Movement] = {}
        self.by_source: dict[str, Movement] = {}
        self.payouts: dict[str, Payout] = {}
        self.lost: set[str] = set()
        self._pending: list[Movement] = []
        self._seen: set[str] = set()
        self._known = -1
        self._made = 0

    def now(self) -> int:
        """The provider's time."""
        return int(self.clock.utc().timestamp())

    def exponent(self, currency: str) -> int:
        """Decimals of a currency as this provider counts."""
        return exponent(currency, self.contract.authority)

    def units(self, amount: Decimal, currency: str) -> int:
        """An amount in this provider's minor units."""
        return units(amount, currency, self.contract.authority)

    # -- what comes in -----------------------------------------------------------------------------------------

    def absorb(self) -> int:
        """Take over what the shop captured and refunded since; returns how many movements that made."""
        shop, gateways = self.shop, self.contract.gateways
        known = shop.drawn("transaction") + shop.drawn("order") + shop.drawn("refund")
        if known == self._known:
            return 0
        self._known = known
        found = (
            captures.captures(shop, gateways, self._seen) if gateways else captures.sales(shop, self._seen)
        )
        new = sorted(found, key=lambda one: one.created)
        for one in new:
            self._take(one)
        return len(new)

    def _take(self, one: Capture) -> None:
        sign = 1 if one.kind == "charge" else -1
        presented = sign * self.units(one.amount, one.currency)
        currency, rate = one.currency, None
        if self.terms.settles and currency not in self.terms.settles:
            currency, rate = self.terms.home, self.rate(one.currency)
        gross = presented if rate is None else sign * self.units(one.amount * rate, currency)
        fees = self._fees(gross, currency, converted=rate is not None) if sign > 0 else ()
        self.add(
            one.kind,
            gross,
            currency,
            fees=fees,
            created=one.created,
            source=one.id,
            reference=one.reference,
            order_id=one.order_id,
            presented=presented,
            presented_currency=one.currency,
            rate=rate,
            parts=tuple((a, b, self.units(part, one.currency), sku) for a, b, part, sku in one.parts),
        )

    def rate(self, currency: str) -> Decimal:
        """What one unit of a currency comes to in the account's own."""
        found = self.terms.rates.get(currency)
        return found or (RATES.get(self.terms.home, Decimal(1)) / RATES.get(currency, Decimal(1))).quantize(
            Decimal("0.000001")
        )

    def _fees(self, gross: int, currency: str, *, converted: bool) -> tuple[Fee, ...]:
        """Percentage and fixed part together, rounded once; Stripe's third decimal is always 0."""
        decimals = self.exponent(currency)
        fixed = self.contract.fixed.scaleb(max(decimals, 2))
        step = 10 if decimals == 3 and self.contract.authority == "stripe" else 1
        found = [
            Fee(
                rounded((gross * self.contract.percent + fixed) / step) * step,
                "stripe_fee",
                "Stripe processing fees",
            )
        ]
        if converted:
            share = rounded(gross * CONVERSION / step) * step
            found.append(Fee(share, "stripe_fee", "Stripe currency conversion fee"))
        return tuple(one for one in found if one.amount)

    def add(self, kind: str, gross: int, currency: str, **more: Any) -> Movement:
        """Enter one movement; it waits for the next payout of its currency."""
        number = len(self.movements) + 1
        fees = more.pop("fees", ())
        created = more.pop("created", None)
        more.setdefault("description", KINDS[kind].text.format(order=more.get("order_id", "")))
        made = Movement(
            self.new_id("txn", f"{kind}/{more.get('source', '')}/{number}"),
            kind,
            gross,
            sum(one.amount for one in fees),
            currency,
            self.now() if created is None else created,
            fees=fees,
            seq=number,
            **more,
        )
        made.available = made.created + (PENDING_SECONDS if kind == "charge" else 0)
        self.movements.append(made)
        self.by_id[made.id] = made
        if kind == "charge":
            self.by_source[made.source] = made
        if made.balance == "payments" and kind != PAYOUT:
            self._pending.append(made)
        return made

    def new_id(self, prefix: str, text: str) -> str:
        """An id that looks like the provider's; the same text always gives the same."""
        digest = hashlib.sha256(f"{self.contract.account}/{text}".encode()).hexdigest()[:24]
        return f"{prefix}_{digest}"

    def pending(self, currency: str | None = None) -> list[Movement]:
        """Movements that no payout holds yet."""
        return [one for one in self._pending if currency in (None, one.currency)]

    # -- disputes ----------------------------------------------------------------------------------------------

    def disputed(self) -> list[Movement]:
        """The movement that opened each dispute."""
        return [one for one in self.movements if one.kind == "dispute"]

    def stage(self, dispute: str) -> str:
        """Stripe's word for how a dispute stands: its money came back, the bank decided for the shopper, or neither."""
        if any(one.kind == "dispute_reversal" and one.source == dispute for one in self.movements):
            return "won"
        return "lost" if dispute in self.lost else "needs_response"

    def lose(self, dispute: str) -> None:
        """The shopper's bank keeps the money; nothing moves."""
        if dispute not in {one.source for one in self.disputed()}:
            raise ValueError(f"{self.contract.name} knows no dispute {dispute}.")
        if self.stage(dispute) != "needs_response":
            raise ValueError(f"The dispute {dispute} is {self.stage(dispute)} already.")
        self.lost.add(dispute)

    # -- payouts -----------------------------------------------------------------------------------------------

    def day(
        self, upto: int, arrival: int, currency: str | None = None, most: int | None = None
    ) -> list[Payout]:
        """The automatic payouts of a day: one per currency with movements up to the moment `upto`.

        At most the `most` oldest movements of each go in. A payout can be negative or 0.
        """
        chosen: dict[str, list[Movement]] = {}
        for one in self._pending:
            if one.created <= upto and currency in (None, one.currency):
                chosen.setdefault(one.currency, []).append(one)
        made = []
        for code, lines in sorted(chosen.items()):
            lines.sort(key=lambda one: (one.created, one.seq))
            made.append(self._pay(code, lines[:most], min(upto, self.now()), arrival))
        return made

    def _pay(self, currency: str, lines: list[Movement], created: int, arrival: int) -> Payout:
        total = sum(one.net for one in lines)
        whole = WHOLE_PAYOUTS.get(currency, 1) if self.contract.authority == "stripe" else 1
        if rest := (total - int(Decimal(total) / whole) * whole):
            held = self.add("minimum_balance_hold", -rest, currency, created=created)
            self.add("minimum_balance_release", rest, currency, created=created)
            lines = [*lines, held]
            total -= rest
        payout = self._payout(currency, total, created, arrival)
        payout.lines = lines
        for one in lines:
            one.payout = payout.id
        self._pending = [one for one in self._pending if not one.payout]
        return payout

    def _payout(self, currency: str, amount: int, created: int, arrival: int, fee: int = 0) -> Payout:
        self._made += 1
        name = self.new_id(self.contract.prefix, f"payout/{self._made}")
        fees = (Fee(fee, "stripe_fee", "Instant Payout fee"),) if fee else ()
        moved = self.add(PAYOUT, -amount, currency, created=created, source=name, fees=fees, payout=name)
        trace = str(int(hashlib.sha256(name.encode()).hexdigest()[:12], 16)).zfill(15)[:15]
        made = Payout(
            name, amount, currency, created, arrival, self._made, sent=amount, trace=trace, movement=moved.id
        )
        self.payouts[name] = made
        return made

    def manual(self, currency: str, arrival: int, *, instant: bool = False) -> Payout:
        """Somebody pays the whole balance of a currency out by hand; nobody is told what it is made of."""
        lines = self.pending(currency)
        total = sum(one.net for one in lines)
        fee = rounded(total * INSTANT) if instant else 0
        if total - fee <= 0:
            raise ValueError(f"There is no balance in {currency} to pay out.")
        made = self._payout(currency, total - fee, self.now(), arrival, fee)
        made.automatic, made.method = False, "instant" if instant else "standard"
        made.reconciliation = "not_applicable"
        made.lines = lines
        for one in lines:
            one.payout = made.id
        self._pending = [one for one in self._pending if not one.payout]
        return made

    def fail(self, payout: Payout, code: str = "account_closed", *, canceled: bool = False) -> Movement:
        """The bank sends a payout back, or it is canceled before it left; its money waits for the next one."""
        if payout.status in ("failed", "canceled"):
            raise ValueError(f"The payout {payout.id} is {payout.status} already.")
        kind = PAYOUT_CANCEL if canceled else PAYOUT_FAILURE
        if not said_by(self.contract.name, kind):
            raise ValueError(f"{self.contract.name} has no word for a {kind}.")
        moved = self.add(kind, payout.amount, payout.currency, source=payout.id)
        payout.status = "canceled" if canceled else "failed"
        payout.failure_movement = moved.id
        if not canceled:
            payout.failure_code = code
            payout.failure_message = f"The bank returned the payout ({code})."
        return moved

    def bulk(self, count: int, currency: str, each: Decimal = Decimal("49.90")) -> None:
        """Charges of a busy day of which the shop knows nothing, for who measures speed alone."""
        gross, start = self.units(each, currency), len(self.movements)
        fees = self._fees(gross, currency, converted=False)
        for number in range(start, start + count):
            source = self.new_id("ch", f"bulk/{number}")
            more = {"source": source, "reference": source, "presented": gross, "presented_currency": currency}
            self.add("charge", gross, currency, fees=fees, **more)
