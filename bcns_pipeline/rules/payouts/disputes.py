"""Disputes: what lines of payouts say of each, and what a lost one costs. Opening, winning and fees are such lines.

Put the gathering of a dispute's lines and the entry of a lost one here. Do not put who wins here: the provider says
it. Amounts are minor units without sign (facts/finance.md 2.2 and 2.6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.model import LineClass, PayoutLine


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute that ended. `amount` was taken when it was opened; `tax` of it is relief from sales tax, where the
    law gives any back for what is never paid (0 unless the tax team says so).
    """

    provider: str
    account: str
    id: str
    order_id: int | None
    currency: str
    amount: int
    lost_on: date
    tax: int = 0


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A line of a payout about a dispute. `payout` is our number of it, `day` when it happened, else arrived."""

    provider: str
    account: str
    payout: int
    line: PayoutLine
    day: date


@dataclass(slots=True)
class Disputed:
    """One dispute, by the provider's own id where there is one. `lost_on`: a line says that it is over and lost.

    `taken` and `returned` are what left and came back, `fees` what both cost; `closed` the day of the last return.
    """

    provider: str
    account: str
    id: str
    currency: str
    opened: date
    payout: int
    order_id: int | None = None
    taken: int = 0
    returned: int = 0
    fees: int = 0
    lost_on: date | None = None
    closed: date | None = None
    references: set[str] = field(default_factory=set)

    @property
    def open(self) -> int:
        """What stands on the account of disputes."""
        return self.taken - self.returned


def register(lines: Iterable[DisputeLine]) -> list[Disputed]:
    """Disputes in the order in which they were opened. What came back belongs to the dispute of its own id, else to
    the newest open one that shares any id with it, as that of the charge.
    """
    found: list[Disputed] = []
    own: dict[tuple[str, str, str], Disputed] = {}
    for one in sorted(lines, key=lambda one: (one.day, one.line.cls.value, one.line.id)):
        line = one.line
        name = line.references[0] if line.references else line.id
        known = own.get((one.provider, one.account, name))
        if known is None and line.cls is not LineClass.CHARGEBACK:
            known = _shared(found, one)
        if known is None:
            known = Disputed(
                one.provider, one.account, name, line.currency, one.day, one.payout, line.order_id
            )
            own[one.provider, one.account, name] = known
            found.append(known)
        if line.cls is LineClass.CHARGEBACK_LOST:
            known.lost_on = one.day
        known.taken -= min(line.gross, 0)
        if line.gross > 0:
            known.returned, known.closed = known.returned + line.gross, one.day
        known.fees += line.fee
        known.order_id = known.order_id if known.order_id is not None else line.order_id
        known.references |= set(line.references)
    return found


def _shared(found: list[Disputed], one: DisputeLine) -> Disputed | None:
    names = set(one.line.references)
    mine = [
        other
        for other in found
        if (other.provider, other.account, other.currency) == (one.provider, one.account, one.line.currency)
        and names & other.references
    ]
    return max(mine, key=lambda other: (other.open > 0, other.opened), default=None)


def lost(dispute: Dispute, accounts: ProviderAccounts, day: date) -> Entry | None:
    """The receivable becomes a loss. None where an account is missing, or there is nothing to lose.

    ValueError where the tax is no part of the amount.
    """
    if not 0 <= dispute.tax <= dispute.amount:
        raise ValueError(f"tax of {dispute.tax} is no part of a dispute of {dispute.amount}")
    roles = {role: accounts.at(role, dispute.currency, dispute.lost_on) for role in _ROLES}
    losses, disputes, tax = (roles[role] for role in _ROLES)
    if losses is None or disputes is None or (dispute.tax and tax is None) or not dispute.amount:
        return None
    order = f", order {dispute.order_id}" if dispute.order_id is not None else ""
    memo = f"dispute {dispute.id} lost{order}"
    net = dispute.amount - dispute.tax
    lines = [line_of(losses, Role.DISPUTE_LOSSES, Part.GROSS, None, net, memo)] if net else []
    if dispute.tax and tax is not None:
        lines.append(line_of(tax, Role.SALES_TAX, Part.TAX, None, dispute.tax, memo))
    lines.append(line_of(disputes, Role.DISPUTES, Part.GROSS, None, -dispute.amount, memo))
    return Entry(
        key=settlement_key(dispute.provider, dispute.account, "dispute", dispute.id),
        kind=EntryKind.DISPUTE_LOST,
        provider=dispute.provider,
        account=dispute.account,
        subject=dispute.id,
        currency=dispute.currency,
        day=day,
        economic_day=dispute.lost_on,
        memo=memo,
        lines=tuple(lines),
        subsidiary=accounts.subsidiary,
    )


_ROLES = (Role.DISPUTE_LOSSES, Role.DISPUTES, Role.SALES_TAX)
