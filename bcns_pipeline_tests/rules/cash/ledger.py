"""NetSuite's side of an order's money in a few lines: what a step makes of the position that it was decided on.

Put the double here, no expectations. It refuses what NetSuite refuses: a key that is there, more than is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import count

from bcns_pipeline.rules.cash.model import Capture, Invoice, OrderLine, Position, Posted, Step
from bcns_pipeline.rules.cash.policy import CashPolicy, StoredValue
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accounts import AccountBook, Chart, ProviderAccounts, Role
from bcns_pipeline.rules.periods import Period

STORE = "abc"
DAY = date(2026, 3, 4)
CLEARING, PAYPAL_CLEARING, LIABILITY_ITEM, BANK = 1130, 1131, 55, 1010
BOOK = AccountBook(
    (
        ProviderAccounts("stripe", "acct1", (Chart(None, {(Role.CLEARING, ""): CLEARING}),)),
        ProviderAccounts("paypal", "default", (Chart(None, {(Role.CLEARING, "USD"): PAYPAL_CLEARING}),)),
    )
)
POLICY = CashPolicy(
    book=BOOK,
    accounts={"bankdeposit": BANK},
    gift_certificates=StoredValue(item=LIABILITY_ITEM),
    store_credit=StoredValue(item=LIABILITY_ITEM + 1),
)
OPEN = (Period(date(2026, 3, 1), date(2026, 3, 31), True),)


def usd(text: str) -> Money:
    return Money.exactly(text, "USD")


def capture(amount: str, number: int = 1, kind: str = "gateway", gateway: str = "stripe") -> Capture:
    return Capture(number, kind, gateway, usd(amount), DAY)  # type: ignore[arg-type]


def position(total: str = "100.00", *captures: Capture, status: str = "B", **more: object) -> Position:
    return Position(
        STORE,
        1001,
        1,
        "salesOrder",
        5001,
        status,
        110,
        1,
        1,
        usd(total),
        DAY,
        captures,
        **more,  # type: ignore[arg-type]
    )


@dataclass
class Ledger:
    """One order's records. `lines` are (quantity, price of a unit); what is fulfilled grows by `ship`."""

    lines: list[tuple[int, int]]
    keys: set[str] = field(default_factory=set)
    posted: dict[int, Posted] = field(default_factory=dict)
    invoices: list[Invoice] = field(default_factory=list)
    fulfilled: list[int] = field(default_factory=list)
    billed: list[int] = field(default_factory=list)
    applied: set[tuple[int, int]] = field(default_factory=set)
    ids: count = field(default_factory=lambda: count(6001))  # type: ignore[type-arg]

    def __post_init__(self) -> None:
        self.fulfilled = [0] * len(self.lines)
        self.billed = [0] * len(self.lines)

    @property
    def total(self) -> Money:
        return Money(sum(quantity * price for quantity, price in self.lines), "USD")

    @property
    def status(self) -> str:
        if self.billed == [quantity for quantity, _ in self.lines]:
            return "G"
        if self.fulfilled == [quantity for quantity, _ in self.lines]:
            return "F"
        if self.fulfilled == self.billed:
            return "D" if any(self.fulfilled) else "B"
        return "E"

    def ship(self, line: int, units: int) -> None:
        self.fulfilled[line] = min(self.lines[line][0], self.fulfilled[line] + units)

    def position(self, captures: tuple[Capture, ...]) -> Position:
        lines = tuple(
            OrderLine(number, Decimal(quantity), Decimal(fulfilled), Decimal(billed))
            for number, ((quantity, _), fulfilled, billed) in enumerate(
                zip(self.lines, self.fulfilled, self.billed, strict=True), start=1
            )
        )
        return replace(
            position("1.00", *captures, status=self.status),
            total=self.total,
            posted=dict(self.posted),
            invoices=tuple(self.invoices),
            lines=lines,
            applied=frozenset(self.applied),
        )

    def write(self, step: Step) -> None:
        """What the step makes; AssertionError for what NetSuite would refuse."""
        assert step.key not in self.keys, f"{step.key} is there already"
        self.keys.add(step.key)
        number = next(self.ids)
        if step.kind == "invoice":
            self._invoice(step, number)
            return
        used = Money.zero("USD")
        for invoice_id, amount in step.applies:
            at = next(place for place, one in enumerate(self.invoices) if one.id == invoice_id)
            assert amount <= self.invoices[at].open, "more than is open"
            self.invoices[at] = replace(self.invoices[at], open=self.invoices[at].open - amount)
            used += amount
        transaction = step.transaction_id or 0
        if step.kind == "application":
            deposit = self.posted[transaction]
            assert used <= deposit.unused, "more than is left of the deposit"
            self.posted[transaction] = replace(deposit, unused=deposit.unused - used)
            self.applied.add((transaction, step.applies[0][0]))
            return
        assert step.amount is not None
        assert transaction not in self.posted, "a capture has one receipt"
        self.posted[transaction] = Posted(
            transaction, step.key, step.kind, number, step.amount, step.amount - used, step.on
        )

    def _invoice(self, step: Step, number: int) -> None:
        named = {one["orderLine"]: int(one["quantity"]) for one in step.body.get("item", {}).get("items", ())}
        minor = 0
        for place, (quantity, price) in enumerate(self.lines):
            units = named.get(place + 1, self.fulfilled[place] - self.billed[place])
            assert self.billed[place] + units <= self.fulfilled[place] <= quantity, "billed what has not left"
            self.billed[place] += units
            minor += units * price
        self.invoices.append(
            Invoice(number, step.key, f"INV{number}", Money(minor, "USD"), Money(minor, "USD"), step.on)
        )
