"""What a payment provider keeps: movements of an account's balance, and payouts out of it.

Put records here. Do not put what moves them (provider.py) nor how they are shown here. Money is a whole number
of the provider's minor units; moments are seconds since 1970, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

DAY = 86_400
# Movements by which money leaves for the bank, or comes back from there.
PAYOUT, PAYOUT_FAILURE, PAYOUT_CANCEL = "payout", "payout_failure", "payout_cancel"


@dataclass(frozen=True, slots=True)
class Fee:
    """A part of a movement's fee; `kind` is Stripe's word for it."""

    amount: int
    kind: str
    description: str


@dataclass(slots=True)
class Movement:
    """One change of an account's balance in `currency`, of which the account gets `gross` less `fee`.

    `source` is the provider's id of what happened, `reference` that of the charge it goes back to (a charge
    refers to itself). `presented` is what the shopper paid or got back, `rate` what one unit of that came to.
    `word` replaces the word by which this kind of movement is called to the outside.
    """

    id: str
    kind: str
    gross: int
    fee: int
    currency: str
    created: int
    source: str = ""
    reference: str = ""
    order_id: str = ""
    presented: int = 0
    presented_currency: str = ""
    rate: Decimal | None = None
    description: str = ""
    fees: tuple[Fee, ...] = ()
    word: str = ""
    balance: str = "payments"
    payout: str = ""
    available: int = 0
    seq: int = 0
    parts: tuple[tuple[str, str, int, str], ...] = ()

    @property
    def net(self) -> int:
        """What the balance changes by."""
        return self.gross - self.fee


@dataclass(slots=True)
class Payout:
    """Money on its way to the bank (or, negative, from there) with what it is made of.

    `arrival` is midnight of the day of arrival. `amount` is what the provider says, also where a planted fault
    makes that something else than its lines come to; `sent` is what the bank gets. `order` counts the payouts of one
    account.
    """

    id: str
    amount: int
    currency: str
    created: int
    arrival: int
    order: int
    sent: int = 0
    automatic: bool = True
    method: str = "standard"
    status: str = "in_transit"
    reconciliation: str = "completed"
    failure_code: str = ""
    failure_message: str = ""
    failure_movement: str = ""
    trace: str = ""
    movement: str = ""
    lines: list[Movement] = field(default_factory=list)

    def status_at(self, now: int) -> str:
        """A payout on its way is paid on the day of its arrival."""
        return "paid" if self.status == "in_transit" and self.arrival <= now else self.status
