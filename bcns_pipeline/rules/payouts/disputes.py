"""Disputes after they were opened: what a lost one costs. Opening, winning and fees are lines of payouts.

Put the entry of a lost dispute here. Do not put who wins here: the provider says it. Amounts are minor units
without sign (facts/finance.md 2.2 and 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bcns_pipeline.rules.natural_keys import settlement_key
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role
from bcns_pipeline.rules.payouts.entry import Entry, EntryKind, Part, line_of


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
