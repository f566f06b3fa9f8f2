"""Fees of last month that no payout of it took: accrued at its end, and reversed by NetSuite on the next day.

Put here which lines are open at the end of a month. Do not put the accrual itself here (rules/payouts/accrual.py). What
payouts of the first days of a month say is what can be accrued of the month before, so it waits for
`payouts.accrual.days`; what is told later is in the report of accrued fees as not accrued.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.defs.payouts.convert import lines_of, source_of
from bcns_pipeline.defs.payouts.drafting import Drafting
from bcns_pipeline.defs.payouts.follow_ups import Due, unsent
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.defs.stored import StoredDocuments
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts
from bcns_pipeline.rules.payouts.accrual import accrue, fee_of, open_at
from bcns_pipeline.rules.payouts.classes import classify
from bcns_pipeline.rules.payouts.model import PayoutLine
from bcns_pipeline.state.payout_models import PayoutState

# Which month was looked at last and has nothing left to send: losing it looks again, and sends nothing twice.
CURSOR = "payouts/accrual"


@dataclass(slots=True)
class _Month:
    """One merchant account: `open` lines at the end, and the fees that payouts of the month took, by currency."""

    open: list[PayoutLine] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def accruals(work: Drafting) -> list[Due]:
    """The accruals of the month before this one, of every merchant account; none before they are due."""
    state, first = work.connections.state, work.today.replace(day=1)
    last = first - timedelta(days=1)
    mark = {"version": 1, "month": f"{last:%Y-%m}"}
    if not work.policy.accrues or work.today.day <= work.policy.accrual_days:
        return []
    if state.cursors.get(CURSOR) == mark:
        return []
    end = datetime.combine(first, time.min, zone_of(work.connections.mapping))
    cutover = cutover_of(work.connections.mapping)
    if cutover is not None and end <= cutover:
        return []
    found = [due for accounts in work.policy.book.providers for due in _of(work, accounts, last, end)]
    if not unsent(work, found):
        state.cursors.move(CURSOR, mark)
    return found


def _of(work: Drafting, accounts: ProviderAccounts, last: date, end: datetime) -> Iterator[Due]:
    month = _Month()
    for one in work.connections.state.payouts.having(since=last.replace(day=1)):
        mine = (one.provider, one.account) == (accounts.provider, accounts.account)
        if not mine or one.version == 0 or one.source_status == "canceled":
            continue
        lines = _lines(work, one)
        if one.arrival_date > last:
            month.open += open_at(lines, frozenset(), end)
            continue
        for line in lines:
            month.taken[line.currency] += fee_of(line)
        month.open += [line for line in lines if line.fee_later]
    for found in accrue(month.open, accounts, work.policy, last, month.taken):
        if found.entry is not None:
            billed = sum(line.fee_later for line in month.open if line.currency == found.currency)
            yield Due(
                found.entry,
                f"accrual:{accounts.provider}/{accounts.account}/{found.currency}",
                f"fees of {last:%Y-%m} that no payout of it took",
                {"lines": len(found.members), "billed_later": billed},
            )


def _lines(work: Drafting, one: PayoutState) -> tuple[PayoutLine, ...]:
    """With their classes. What is billed by the month stands in the provider's own bytes alone."""
    state, policy = work.connections.state, work.policy
    told = state.payouts.reads(one)
    if one.provider == "braintree" and work.connections.settlement_reader.profile.braintree_fees == "monthly":
        documents = StoredDocuments(work.connections, state.payouts.documents(one))
        again = work.connections.settlement_reader.itemised(source_of(one), documents)
        told = replace(told, lines=lines_of(again, policy.order_hints))
    return classify(told, policy.of(one.provider, one.account).classes)[0].lines
