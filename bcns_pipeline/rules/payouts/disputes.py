"""Disputes: what lines of payouts say of each, and what a lost one costs. Opening, winning and fees are such lines.

Put the gathering of a dispute's lines here, the entry of a lost one, and that of one which is won after its loss was
booked. Do not put who wins here: the provider says it. Amounts are minor units without sign (facts/finance.md 2.2 and
2.6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from bcns_pipeline.rules.natural_keys import settlement_key, version_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of
from bcns_pipeline.rules.payouts.model import LineClass, PayoutLine


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute that ended. `amount` is what was lost, or came back of it; `tax` of it is relief from sales tax, where
    the law gives any back for what is never paid (0 unless the tax team says so). `number` counts the entries of one
    kind: a bank may decide more than once.
    """

    provider: str
    account: str
    id: str
    order_id: int | None
    currency: str
    amount: int
    ended_on: date
    tax: int = 0
    number: int = 1


@dataclass(slots=True)
class Losses:
    """What entries beside those of payouts say of a dispute: lost, taken back of that, and how many of each."""

    lost: int = 0
    won: int = 0
    times_lost: int = 0
    times_won: int = 0

    @property
    def net(self) -> int:
        """What is lost by the books."""
        return self.lost - self.won


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
    losses: Losses = field(default_factory=Losses)

    @property
    def open(self) -> int:
        """What stands on the account of disputes; below 0 where money came back of which the loss is booked."""
        return self.taken - self.returned - self.losses.net

    @property
    def won_back(self) -> int:
        """How much of the booked loss came back and is not taken back yet."""
        return max(0, min(-self.open, self.losses.net))


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
    return _entry(dispute, accounts, day, EntryKind.DISPUTE_LOST)


def won(dispute: Dispute, accounts: ProviderAccounts, day: date) -> Entry | None:
    """The loss of a dispute that is won after all is taken back, as far as its money came back: the payout's entry has
    credited the account of disputes with it, which this closes. None and ValueError as with `lost`.
    """
    return _entry(dispute, accounts, day, EntryKind.DISPUTE_WON)


_ROLES = (Role.DISPUTE_LOSSES, Role.DISPUTES, Role.SALES_TAX)
# By kind: the sign on the account of losses, and the words of key and memo.
_KINDS = {
    EntryKind.DISPUTE_LOST: (1, "dispute", "lost"),
    EntryKind.DISPUTE_WON: (-1, "won", "won after its loss"),
}


def _entry(dispute: Dispute, accounts: ProviderAccounts, day: date, kind: EntryKind) -> Entry | None:
    if not 0 <= dispute.tax <= dispute.amount:
        raise ValueError(f"tax of {dispute.tax} is no part of a dispute of {dispute.amount}")
    roles = {role: accounts.at(role, dispute.currency, dispute.ended_on) for role in _ROLES}
    losses, disputes, tax = (roles[role] for role in _ROLES)
    if losses is None or disputes is None or (dispute.tax and tax is None) or not dispute.amount:
        return None
    sign, what, word = _KINDS[kind]
    order = f", order {dispute.order_id}" if dispute.order_id is not None else ""
    memo = f"dispute {dispute.id} {word}{order}"
    net = dispute.amount - dispute.tax
    lines = [line_of(losses, Role.DISPUTE_LOSSES, Part.GROSS, None, sign * net, memo)] if net else []
    if dispute.tax and tax is not None:
        lines.append(line_of(tax, Role.SALES_TAX, Part.TAX, None, sign * dispute.tax, memo))
    lines.append(line_of(disputes, Role.DISPUTES, Part.GROSS, None, -sign * dispute.amount, memo))
    key = settlement_key(dispute.provider, dispute.account, what, dispute.id)
    return Entry(
        key=version_key(key, dispute.number),
        kind=kind,
        provider=dispute.provider,
        account=dispute.account,
        subject=dispute.id,
        currency=dispute.currency,
        day=day,
        economic_day=dispute.ended_on,
        memo=memo,
        # The debit comes first, as in every entry that is read from the top.
        lines=tuple(sorted(lines, key=lambda line: line.debit == 0)),
        subsidiary=accounts.subsidiary,
    )
