"""What one line of a payout moves: its legs, each on one account with a sign.

Put the signs of facts/finance.md 2.3 here. Do not put sums over lines here (`journal.py`). With g and f as in the
provider's row, each line's legs come to -(g - f), so that bank = sum(g - f) closes every entry by itself. A debit
is positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.books import Books, Split, Treatment
from bcns_pipeline.rules.payouts.entry import Part
from bcns_pipeline.rules.payouts.model import LineClass, Payout, PayoutLine

# By class: the role that takes its gross, and the one that takes its fee.
ROLES: Final[dict[LineClass, tuple[Role, Role]]] = {
    LineClass.GROSS_SALES: (Role.CLEARING, Role.FEES),
    LineClass.PARTIAL_CAPTURE_REVERSAL: (Role.CLEARING, Role.FEES),
    LineClass.CHARGE_FAILURE: (Role.CLEARING, Role.FEES),
    LineClass.SALES_DISCOUNT: (Role.CLEARING, Role.FEES),
    LineClass.REFUND: (Role.CLEARING, Role.FEES),
    LineClass.REFUND_RETURNED: (Role.CLEARING, Role.FEES),
    LineClass.CHARGEBACK: (Role.DISPUTES, Role.DISPUTE_FEES),
    LineClass.CHARGEBACK_RETURNED: (Role.DISPUTES, Role.DISPUTE_FEES),
    LineClass.CHARGEBACK_LOST: (Role.DISPUTES, Role.DISPUTE_FEES),
    LineClass.FEE_STANDALONE: (Role.SERVICE_FEES, Role.SERVICE_FEES),
    LineClass.FEE_SELLING: (Role.SELLING_FEES, Role.SELLING_FEES),
    LineClass.FEE_FULFILMENT: (Role.FULFILMENT_FEES, Role.FULFILMENT_FEES),
    LineClass.FEE_DISPUTE: (Role.DISPUTE_FEES, Role.DISPUTE_FEES),
    LineClass.FEE_TAX: (Role.FEE_TAX, Role.FEE_TAX),
    LineClass.RESERVE: (Role.RESERVES, Role.SERVICE_FEES),
    # It stays in the provider's balance, which is what the clearing account shows.
    LineClass.RESERVE_MINBAL: (Role.CLEARING, Role.SERVICE_FEES),
    LineClass.MARKETPLACE_TAX: (Role.MARKETPLACE_TAX, Role.SELLING_FEES),
    LineClass.LOAN: (Role.LOANS, Role.SERVICE_FEES),
    LineClass.DONATION: (Role.DONATIONS, Role.SERVICE_FEES),
    LineClass.ADJUSTMENT: (Role.ADJUSTMENTS, Role.SERVICE_FEES),
    LineClass.CONVERSION: (Role.CONVERSION, Role.SERVICE_FEES),
    LineClass.TRANSFER_IN: (Role.BANK, Role.SERVICE_FEES),
    LineClass.CONNECT: (Role.CONNECT, Role.SERVICE_FEES),
    LineClass.PAYOUT_RETURNED: (Role.RETURNED_PAYOUTS, Role.SERVICE_FEES),
}

_SPLIT_ROLES: Final = (
    (Part.REVENUE, Role.REVENUE),
    (Part.SHIPPING, Role.SHIPPING_REVENUE),
    (Part.TAX, Role.SALES_TAX),
    (Part.STORED_VALUE, Role.STORED_VALUE),
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A signed amount on the account of a role; `account` None: the merchant named none."""

    role: Role
    account: int | None
    part: Part
    amount: int


class Legs:
    """The legs of any line of one payout. Accounts are those of the day on which the payout arrived."""

    def __init__(self, payout: Payout, accounts: ProviderAccounts, books: Books) -> None:
        self._payout = payout
        self._accounts = accounts
        self._books = books
        self._known: dict[tuple[Role, str], int | None] = {}
        self._categories: dict[str, int | None] = {}

    def account(self, role: Role, currency: str) -> int | None:
        """The role's account; looked up once."""
        key = (role, currency)
        if key not in self._known:
            self._known[key] = self._accounts.at(role, currency, self._payout.arrival_date)
        return self._known[key]

    def of(self, line: PayoutLine, treatment: Treatment) -> Iterator[Leg]:
        """The legs of a line that counts and has a class; those of 0 are left out."""
        role, fee_role = ROLES[line.cls]
        if line.gross:
            yield from self._gross(line, role, treatment)
        if line.fee != line.fee_tax:
            yield Leg(fee_role, self.account(fee_role, line.currency), Part.FEE, line.fee - line.fee_tax)
        if line.fee_tax:
            tax = Role.FEE_TAX
            yield Leg(tax, self.account(tax, line.currency), Part.FEE_TAX, line.fee_tax)

    def _gross(self, line: PayoutLine, role: Role, treatment: Treatment) -> Iterator[Leg]:
        own = self._of_category(line.category)
        if own is not None:
            yield Leg(role, own, Part.GROSS, -line.gross)
        elif role is not Role.CLEARING or line.cls is LineClass.RESERVE_MINBAL:
            yield Leg(role, self.account(role, line.currency), Part.GROSS, -line.gross)
        elif treatment is Treatment.SUMMARY:
            yield from self._summary(line)
        elif treatment is Treatment.PRE_CUTOVER:
            before = Role.PRE_CUTOVER
            yield Leg(before, self.account(before, line.currency), Part.GROSS, -line.gross)
        else:
            yield from self._cleared(line)

    def _cleared(self, line: PayoutLine) -> Iterator[Leg]:
        """The clearing account gives up what it carries; the rest is the exchange rate's (facts/finance.md 2.7)."""
        booked = self._books.booked.get(line.id)
        if booked is None:
            yield Leg(Role.CLEARING, self.account(Role.CLEARING, line.currency), Part.GROSS, -line.gross)
            return
        if not line.foreign or booked.carrying is None:
            yield Leg(Role.CLEARING, booked.account, Part.GROSS, -line.gross)
            return
        carried = -booked.carrying if line.gross > 0 else booked.carrying
        yield Leg(Role.CLEARING, booked.account, Part.GROSS, carried)
        if -line.gross != carried:
            yield Leg(Role.FX, self.account(Role.FX, line.currency), Part.FX, -line.gross - carried)

    def _summary(self, line: PayoutLine) -> Iterator[Leg]:
        shares = shared(line, self._books.splits.get(line.id))
        if shares is None:
            # A finding stops the payout (modes.py); until then the line stays where it can be seen.
            yield Leg(Role.CLEARING, self.account(Role.CLEARING, line.currency), Part.GROSS, -line.gross)
            return
        for (part, role), share in zip(_SPLIT_ROLES, shares, strict=True):
            back = role is Role.REVENUE and line.cls in (LineClass.REFUND, LineClass.REFUND_RETURNED)
            taken = Role.RETURNS if back else role
            if share:
                yield Leg(taken, self.account(taken, line.currency), part, -share)

    def _of_category(self, category: str) -> int | None:
        if category not in self._categories:
            on = self._payout.arrival_date
            self._categories[category] = self._accounts.of_category(category, on)
        return self._categories[category]


def shared(line: PayoutLine, split: Split | None) -> tuple[int, int, int, int] | None:
    """The line's gross by what its order is made of, with the gross's sign; None where the split does not do.

    The shares always come to the gross to the minor unit: a part of a capture, and a foreign one, are split by
    largest remainder.
    """
    if split is None:
        return None
    parts = (split.revenue, split.shipping, split.tax, split.stored_value)
    sign = -1 if line.gross < 0 else 1
    if not line.foreign and split.total == abs(line.gross):
        return (sign * parts[0], sign * parts[1], sign * parts[2], sign * parts[3])
    if min(parts) < 0 or split.total <= 0:
        return None
    one, two, three, four = Money(line.gross, line.currency).allocate(parts)
    return (one.minor, two.minor, three.minor, four.minor)
