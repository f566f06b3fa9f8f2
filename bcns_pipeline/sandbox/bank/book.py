"""The merchant's bank: payouts arrive, some of them not as they should.

Put what the bank books here, and faults that are planted in it. Do not put formats of statements here. The bank
knows amount, day and reference of a payout, and neither its lines nor anybody's ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bank.models import Account, Entry, Statement
from bcns_pipeline.sandbox.payments.models import Payout
from bcns_pipeline.sandbox.payments.provider import Provider
from bcns_pipeline.sandbox.payments.treasury import Treasury
from bcns_pipeline.sandbox.payments.units import major, units

KINDS = ("missing", "off", "returned", "joined", "late")
# Statuses of payouts whose money reached the bank, if only for a while.
SENT = frozenset({"in_transit", "paid", "failed"})
NAMES = {
    "stripe": ("STRIPE", "STRIPE TRANSFER ST-{trace}"),
    "paypal": ("PAYPAL", "PAYPAL INST XFER {trace}"),
    "braintree": ("BRAINTREE FUNDING", "BRAINTREE FUNDING {trace}"),
    "adyen": ("ADYEN N.V.", "TX{trace}XT batch {order}, {account}"),
    "square": ("SQUARE INC", "SQUARE INC SQ{trace}"),
    "amazon": ("AMAZON.COM SERVICES", "AMAZON SETTLEMENT {trace}"),
}
FIRST_BALANCE = Decimal(25_000)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a payout at the bank: `by` minor units off, `days` late, or joined with another."""

    kind: str
    by: int = 1
    days: int = 2
    other: str = ""


class Bank:
    """The accounts, one per currency. Raises `ValueError` for what can't be."""

    def __init__(self, treasury: Treasury) -> None:
        self._treasury = treasury
        self.open()

    def open(self) -> None:
        """Begin with empty books, as with another shop."""
        self.entries: list[Entry] = []
        self.faults: dict[str, Fault] = {}
        self._done: set[str] = set()
        self._dropped: dict[str, tuple[int, date]] = {}

    def account(self, currency: str) -> Account:
        """The account of a currency."""
        opening = units(FIRST_BALANCE, currency)
        if currency == "EUR":
            return Account("DE89370400440532013000", currency, opening, iban=True)
        return Account(f"{int.from_bytes(currency.encode()) % 10**9:012d}", currency, opening)

    # -- what is booked ----------------------------------------------------------------------------------------

    def plant(self, raw: Mapping[str, Any]) -> Fault:
        """Something goes wrong with a payout that has not been booked yet; see verbs.py."""
        kind = str(raw["kind"])
        if kind not in KINDS:
            raise ValueError(f"The bank makes no fault {kind!r}; it makes {', '.join(KINDS)}.")
        provider, payout = self._treasury.payout(str(raw["payout"]))
        other = ""
        if kind == "joined":
            _, found = self._treasury.payout(str(raw["with"]))
            if found.currency != payout.currency or found is payout:
                raise ValueError("Only two payouts of one currency can be joined.")
            other = found.id
        if {payout.id, other} & self._done:
            raise ValueError(f"The payout {payout.id} has been booked already.")
        by = provider.units(Decimal(str(raw.get("by", 0))), payout.currency) or 1
        fault = Fault(kind, by, int(raw.get("days", 2)), other)
        self.faults[payout.id] = fault
        return fault

    def book(self, until: date) -> int:
        """Book the payouts that have arrived by a day; returns how many entries that made."""
        before = len(self.entries)
        waiting = [
            (provider, one)
            for provider, one in self._treasury.payouts()
            if one.id not in self._done and one.amount and one.status in SENT and arrived(one) <= until
        ]
        joined = {fault.other for fault in self.faults.values() if fault.kind == "joined"}
        for provider, one in sorted(waiting, key=lambda pair: (pair[1].arrival, pair[1].id)):
            if one.id not in joined and one.id not in self._done:
                self._receive(provider, one, until)
        return len(self.entries) - before

    def _receive(self, provider: Provider, one: Payout, until: date) -> None:
        fault = self.faults.get(one.id, Fault(""))
        day, amount = working_day(arrived(one)), self._amount(provider, one)
        if fault.kind == "late":
            day = working_day(day + timedelta(days=fault.days))
            if day > until:
                return
        self._done.add(one.id)
        if fault.kind == "missing":
            return
        if fault.kind == "off":
            amount += fault.by
        if fault.kind == "joined":
            _, other = self._treasury.payout(fault.other)
            self._done.add(other.id)
            day = max(day, working_day(arrived(other)))
            amount += self._amount(provider, other)
        payer, text = NAMES[provider.contract.name]
        words = text.format(trace=one.trace, order=one.order, account=provider.contract.account)
        self._enter(amount, one.currency, day, words, payer, one.trace, payout=one.id)
        if fault.kind == "returned" or one.status == "failed":
            back = working_day(day + timedelta(days=1))
            self._enter(
                -amount, one.currency, back, f"RETURN {words}", payer, one.trace, returned=True, payout=one.id
            )

    def _amount(self, provider: Provider, one: Payout) -> int:
        """A payout in ISO 4217 minor units, whatever the provider counts in; a planted error of its is not sent."""
        return units(major(one.sent, one.currency, provider.contract.authority), one.currency)

    def _enter(
        self,
        amount: int,
        currency: str,
        day: date,
        text: str,
        payer: str,
        reference: str,
        *,
        returned: bool = False,
        payout: str = "",
    ) -> Entry:
        number = len(self.entries) + 1
        made = Entry(number, amount, currency, day, day, text, payer, reference, returned, payout)
        self.entries.append(made)
        return made

    def other(self, raw: Mapping[str, Any]) -> Entry:
        """Something else is booked: rent, a supplier, a customer's transfer."""
        currency = str(raw.get("currency", "USD"))
        text = str(raw.get("text", "OFFICE RENT"))
        day = self._treasury.on(raw)
        amount = units(Decimal(str(raw["amount"])), currency)
        reference = str(raw.get("reference", ""))
        return self._enter(amount, currency, day, text, str(raw.get("payer", "LANDLORD LLC")), reference)

    # -- statements --------------------------------------------------------------------------------------------

    def statement(self, currency: str, until: date, since: date | None = None) -> Statement:
        """The account's entries up to a day, from the day after the last statement where `since` is None."""
        number, last = self._dropped.get(currency, (0, None))
        mine = [one for one in self.entries if one.currency == currency]
        first = min((one.booked for one in mine), default=until)
        begin = since or (last + timedelta(days=1) if last else min(first, until))
        account = self.account(currency)
        opening = account.opening + sum(one.amount for one in mine if one.booked < begin)
        entries = sorted(
            (one for one in mine if begin <= one.booked <= until), key=lambda one: (one.booked, one.number)
        )
        self._dropped[currency] = (number + 1, max(until, last or until))
        return Statement(account, number + 1, begin, until, opening, entries)

    def currencies(self) -> list[str]:
        """Currencies with an entry."""
        return sorted({one.currency for one in self.entries})


def arrived(one: Payout) -> date:
    """The day of arrival that the provider tells."""
    return datetime.fromtimestamp(one.arrival, UTC).date()


def working_day(day: date) -> date:
    """Banks book from Monday to Friday."""
    return day + timedelta(days=max(7 - day.weekday(), 0) if day.weekday() > 4 else 0)
