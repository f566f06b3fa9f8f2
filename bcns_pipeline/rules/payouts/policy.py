"""How one merchant wants payouts posted: the mapping file's payouts, ready for the rules.

Put the frozen policy here that the rules take. Do not read a file here: `config/payouts.py` makes a policy from
the mapping.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar, Final, Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accounts import AccountBook
from bcns_pipeline.rules.payouts.model import LineClass

Shift = Literal["next_open_day", "park"]
Residual = Literal["revaluation", "companion"]

# Which text names the order differs by gateway and its version (facts/finance.md 1.7, step 5).
ORDER_HINTS: Final = (
    r"^(?:BigCommerce )?(?:Order|order)?\s*#?(\d{2,12})$",
    r"\((?:Order|order) #?(\d{2,12})\)$",
)


def hint_fault(pattern: str) -> str | None:
    """One sentence where a pattern can't find an order's number."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return f"{pattern!r} is no pattern: {error}"
    return None if groups == 1 else f"{pattern!r} needs one group in brackets, which is the order's number"


@dataclass(frozen=True, slots=True)
class FeeBand:
    """What a charge should cost: `percent` of it and `fixed` major units, give or take `tolerance_percent`."""

    percent: Decimal
    fixed: Mapping[str, Decimal] = field(default_factory=dict)
    tolerance_percent: Decimal = Decimal(20)


@dataclass(frozen=True, slots=True)
class ProviderPolicy:
    """One merchant account. `classes` are the merchant's own words or patterns; they come before ours."""

    classes: Mapping[str, LineClass] = field(default_factory=dict)
    fee_band: FeeBand | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which dates an entry may carry, in days before and after today. `days_back` None: as old as it likes."""

    days_back: int | None = None
    days_ahead: int = 0


@dataclass(frozen=True, slots=True)
class BankPolicy:
    """`days`: business days after arrival. `descriptors`: by provider, casefolded parts of the bank's text."""

    days: int = 3
    holidays: frozenset[date] = frozenset()
    descriptors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PayoutPolicy:
    """Everything that a merchant decides about payouts. See `bcns.yaml` for what each means.

    `providers` by provider and merchant account. Channels that are not in `summary_channels` are in clearing mode.
    """

    PLAIN: ClassVar[ProviderPolicy] = ProviderPolicy()

    book: AccountBook = field(default_factory=AccountBook)
    providers: Mapping[tuple[str, str], ProviderPolicy] = field(default_factory=dict)
    summary_channels: frozenset[int] = frozenset()
    approved: bool = False
    window: Window = Window()
    closed_period: Shift = "next_open_day"
    residual: Residual = "revaluation"
    fx_band_percent: Decimal = Decimal(5)
    unmatched_waits: bool = False
    order_hints: tuple[str, ...] = ORDER_HINTS
    bank: BankPolicy = BankPolicy()
    accrues: bool = False
    accrual_days: int = 5
    accrual_percent: Decimal = Decimal("0.1")
    stale_days: int = 10
    asks_ledger: bool = True
    payout_field: str = ""
    economic_date_field: str = ""
    source_field: str = ""
    materiality: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, provider: str, account: str) -> ProviderPolicy:
        """What was decided about one merchant account."""
        return self.providers.get((provider, account), self.PLAIN)

    def too_large(self, amount: Money) -> str | None:
        """One sentence where a payout is above what may go without a person's approval."""
        limit = self.materiality.get(amount.currency)
        if limit is None or abs(amount) <= Money.of(limit, amount.currency):
            return None
        return f"{amount} is above payouts.materiality of {limit} {amount.currency}."
