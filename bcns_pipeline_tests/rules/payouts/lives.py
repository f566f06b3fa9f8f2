"""Random lives of orders, from capture to bank: what a shop, a provider, NetSuite and a bank would hold of them.

Put the generator here and the books that it keeps by itself. Do not put the rules under test here: what the ledger
should show is worked out from the events alone, so that it can disagree with them. One seed is one world.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.books import Booked
from bcns_pipeline.rules.payouts.links import ShopTransaction
from bcns_pipeline.rules.payouts.model import Payout, PayoutLine, PayoutStatus
from bcns_pipeline_tests.rules.payouts.examples import NUMBERS, hashed

BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAYS = 45
# Refunds come late; the month is looked at when all of it is over.
LAST = (BEGIN + timedelta(days=DAYS + 30)).date()
# The shopper's currency, and the one that the provider settles in.
WAYS = (("USD", "USD"), ("USD", "USD"), ("USD", "USD"), ("EUR", "USD"), ("EUR", "EUR"), ("JPY", "JPY"))
CLEARING = NUMBERS[Role.CLEARING]
Ledger = Counter[tuple[int, str]]


@dataclass
class World:
    """What each side holds. `expected` is what the ledger should show, worked out from the events."""

    payouts: list[Payout] = field(default_factory=list)
    transactions: list[ShopTransaction] = field(default_factory=list)
    posted: dict[int, Booked] = field(default_factory=dict)
    # Captures and refunds as NetSuite holds them on the clearing account: (currency, amount, day, order).
    records: dict[int, tuple[str, int, date, int]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Counter)
    expected: Ledger = field(default_factory=Counter)
    lost: list[tuple[str, int, str, int, date]] = field(default_factory=list)
    failed: dict[str, date] = field(default_factory=dict)

    @property
    def amounts(self) -> dict[int, Money]:
        """BigCommerce's amounts by transaction."""
        return {one.id: Money(one.amount, one.currency) for one in self.transactions}


@dataclass
class _Due:
    day: int
    line: PayoutLine


class Maker:
    """Makes one world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World()
        self.due: dict[str, list[_Due]] = defaultdict(list)
        self.number = 0
        # Which expectation a line fulfils once it is in a payout: amounts by account, in the settlement currency.
        self.effects: dict[str, dict[int, int]] = {}

    def make(self, orders: int) -> World:
        """A world of so many orders."""
        for order in range(1000, 1000 + orders):
            self._live(order)
        for currency in sorted({settled for _, settled in WAYS}):
            self._service(currency)
            self._pay_out(currency)
        return self.world

    def _live(self, order: int) -> None:
        shopper, settled = self.random.choice(WAYS)
        start = self.random.randrange(DAYS - 5)
        total = self.random.randrange(100, 50_000)
        parts = [total]
        if total > 500 and self.random.random() < 0.15:
            first = self.random.randrange(100, total - 100)
            parts = [first, total - first]
        captured = [self._capture(order, part, shopper, settled, start + at) for at, part in enumerate(parts)]
        left = parts[0]
        while left > 200 and self.random.random() < 0.15:
            back = left if self.random.random() < 0.4 else self.random.randrange(1, left)
            self._refund(order, captured[0], back, shopper, settled, start + self.random.randrange(1, 20))
            left -= back
        if self.random.random() < 0.03:
            self._dispute(order, parts[-1], captured[-1], shopper, settled, start + 4)

    def _capture(self, order: int, amount: int, shopper: str, settled: str, day: int) -> int:
        number = self._next()
        charge = f"ch_{number}"
        gross, carrying = self._settled(amount, shopper, settled)
        fee = gross * 29 // 1000 + 30
        line = self._line(f"txn_{number}", "charge", gross, fee, settled, day, (charge, f"pi_{number}"))
        line = self._presented(line, amount, shopper, settled)
        stored = self.random.choice([charge, f"pi_{number}", f"{charge}|pi_{number}"])
        self._record(number, order, amount, shopper, settled, carrying, day, (stored,), None)
        effect = {CLEARING: -carrying, NUMBERS[Role.FEES]: fee, NUMBERS[Role.FX]: carrying - gross}
        self._wait(line, day + 2, effect)
        return number

    def _refund(self, order: int, parent: int, amount: int, shopper: str, settled: str, day: int) -> None:
        number = self._next()
        gross, carrying = self._settled(amount, shopper, settled)
        references = (f"re_{number}", f"ch_{parent}", f"pi_{parent}")
        line = self._line(f"txn_{number}", "refund", -gross, 0, settled, day, references)
        line = self._presented(line, amount, shopper, settled)
        # Some gateways tell BigCommerce the refund's own id, others only whose refund it is.
        ids = (f"re_{number}",) if self.random.random() < 0.7 else ()
        self._record(number, order, -amount, shopper, settled, -carrying, day, ids, parent)
        self._wait(line, day + 1, {CLEARING: carrying, NUMBERS[Role.FX]: gross - carrying})

    def _dispute(self, order: int, amount: int, parent: int, shopper: str, settled: str, day: int) -> None:
        gross, _ = self._settled(amount, shopper, settled)
        disputes, fees = NUMBERS[Role.DISPUTES], NUMBERS[Role.DISPUTE_FEES]
        identity = f"du_{parent}"
        references = (identity, f"ch_{parent}")
        opened = self._line(f"txn_d{parent}", "dispute", -gross, 1500, settled, day, references)
        self._wait(opened, day + 1, {disputes: gross, fees: 1500})
        end = self.random.choice(["won", "lost", "open"])
        if end == "won":
            won = self._line(f"txn_w{parent}", "dispute_reversal", gross, -1500, settled, day + 9, references)
            self._wait(won, day + 10, {disputes: -gross, fees: -1500})
        if end == "lost":
            when = (BEGIN + timedelta(days=day + 9)).date()
            self.world.lost.append((identity, order, settled, gross, when))
            self._expect({NUMBERS[Role.DISPUTE_LOSSES]: gross, disputes: -gross}, settled)

    def _service(self, currency: str) -> None:
        """Fees that stand alone, and a reserve that is held and in part released."""
        for day in range(3, DAYS, 7):
            fee = self.random.randrange(1, 3000)
            line = self._line(f"txn_f{currency}{day}", "fee", -fee, 0, currency, day, ())
            self._wait(line, day + 1, {NUMBERS[Role.SERVICE_FEES]: fee})
            held, freed = self.random.randrange(1, 90_000), self.random.randrange(1, 90_000)
            for name, amount in (("h", -held), ("r", freed)):
                word = "risk_reserved_funds"
                line = self._line(f"txn_{name}{currency}{day}", word, amount, 0, currency, day, ())
                self._wait(line, day + 2, {NUMBERS[Role.RESERVES]: -amount})

    def _pay_out(self, currency: str) -> None:
        """Payouts of most days, of whatever is due; one in twenty fails and comes back with a later one."""
        waiting = sorted(self.due[currency], key=lambda one: (one.day, one.line.id))
        back: list[PayoutLine] = []
        for day in range(1, DAYS + 1):
            if self.random.random() < 0.3:
                continue
            lines = [one.line for one in waiting if one.day <= day]
            waiting = [one for one in waiting if one.day > day]
            lines += back
            back = []
            if not lines:
                continue
            amount = sum(one.net for one in lines)
            name = f"po_{currency}_{day}"
            arrival = (BEGIN + timedelta(days=day)).date()
            itself = self._line(f"txn_{name}", "payout", -amount, 0, currency, day, (name,))
            self.random.shuffle(lines)
            made = Payout(
                "stripe", "acct1", name, currency, amount, PayoutStatus.PAID, arrival, (*lines, itself),
                bank_reference=f"TRACE{currency}{day}",
            )  # fmt: skip
            self.world.payouts.append(made)
            self._expect({NUMBERS[Role.BANK]: amount}, currency)
            for line in lines:
                self._expect(self.effects[line.id], currency)
            if amount and self.random.random() < 0.05:
                fell = arrival + timedelta(days=3)
                self.world.failed[name] = fell
                returned = NUMBERS[Role.RETURNED_PAYOUTS]
                self._expect({returned: amount, NUMBERS[Role.BANK]: -amount}, currency)
                again = self._line(f"txn_back_{name}", "payout_reversal", amount, 0, currency, day + 3, ())
                self.effects[again.id] = {returned: -amount}
                back.append(again)

    def _record(
        self,
        number: int,
        order: int,
        amount: int,
        shopper: str,
        settled: str,
        carrying: int,
        day: int,
        ids: tuple[str, ...],
        parent: int | None,
    ) -> None:
        """BigCommerce's transaction, and NetSuite's record of it on the clearing account."""
        moment = BEGIN + timedelta(days=day)
        world = self.world
        world.transactions.append(
            ShopTransaction(number, order, amount < 0, abs(amount), shopper, ids, parent, moment)
        )
        world.posted[number] = Booked(f"bc-h-{number}", CLEARING, abs(carrying))
        world.records[number] = (settled, carrying, moment.date(), order)
        world.ledger[CLEARING, settled] += carrying
        self._expect({CLEARING: carrying}, settled)

    def _settled(self, amount: int, shopper: str, settled: str) -> tuple[int, int]:
        """What the provider settles, and what NetSuite carries: each at a rate of its own."""
        if shopper == settled:
            return amount, amount
        rates = (Decimal(self.random.randrange(10_700, 11_100)) / 10_000 for _ in range(2))
        one, other = (Money(amount, settled).times(rate).minor for rate in rates)
        return one, other

    def _presented(self, line: PayoutLine, amount: int, shopper: str, settled: str) -> PayoutLine:
        if shopper == settled:
            return line
        return replace(line, presentment_amount=amount, presentment_currency=shopper)

    def _line(
        self,
        identity: str,
        word: str,
        gross: int,
        fee: int,
        currency: str,
        day: int,
        references: tuple[str, ...],
    ) -> PayoutLine:
        return PayoutLine(
            identity,
            word,
            gross,
            fee,
            gross - fee,
            currency,
            occurred_at=BEGIN + timedelta(days=day, seconds=self.number),
            references=references,
            raw_sha256=hashed(identity),
        )

    def _wait(self, line: PayoutLine, day: int, effect: dict[int, int]) -> None:
        self.effects[line.id] = effect
        self.due[line.currency].append(_Due(day, line))

    def _expect(self, effect: dict[int, int], currency: str) -> None:
        for account, amount in effect.items():
            self.world.expected[account, currency] += amount

    def _next(self) -> int:
        self.number += 1
        return self.number


def live(seed: int, orders: int) -> World:
    """The world of a seed."""
    return Maker(seed).make(orders)
