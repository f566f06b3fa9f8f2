"""What a run has to know of NetSuite's ledger before it plans: currencies, periods, accounts that can be posted to.

Put the few reads here, each made once a run. Do not put what follows from them here (rules/payouts).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bcns_pipeline.clients.netsuite.models import AccountRow, PeriodRow
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.account import account_facts, account_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections

_ACCOUNTS, _PERIODS = "payouts/accounts", "payouts/periods"
# The first open day after a closed year-end is not further away than this.
AHEAD = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Ledger:
    """`currencies` by ISO code, `base` is the account's own; `periods` oldest first; `accounts` by internal id."""

    currencies: dict[str, int]
    base: str
    oneworld: bool
    periods: tuple[PeriodRow, ...]
    accounts: dict[int, AccountRow]

    def unusable(self, wanted: Iterable[int]) -> dict[int, str]:
        """Of these accounts, those that nothing can be posted to, and why."""
        found = {}
        for one in sorted(set(wanted)):
            row = self.accounts.get(one)
            if row is None:
                found[one] = "does not exist, or our role may not see it"
            elif row.inactive:
                found[one] = f"({row.number} {row.name}) is inactive".replace("( ", "(")
        return found


def ledger_of(connections: Connections, accounts: Collection[int], days: Collection[date]) -> Ledger:
    """Two calls at most, once a run; none where nothing is to be posted. Raises OutsideError."""
    account, facts = account_of(connections), account_facts(connections)
    return Ledger(
        currencies={symbol: one.id for symbol, one in facts.currencies.items()},
        base=account.base_currency,
        oneworld=account.oneworld,
        periods=_periods(connections, days) if days else (),
        accounts=_accounts(connections, accounts) if accounts else {},
    )


def _accounts(connections: Connections, wanted: Collection[int]) -> dict[int, AccountRow]:
    kept: dict[int, AccountRow] = connections.scratch.setdefault(_ACCOUNTS, {})
    missing = set(wanted) - kept.keys()
    if missing:
        found = connections.netsuite(Lane.BULK).journals.accounts(missing)
        chart.keep(connections.state, found)
        kept |= found
    return kept


def _periods(connections: Connections, days: Collection[date]) -> tuple[PeriodRow, ...]:
    first, last = min(days), max(days) + AHEAD
    kept = connections.scratch.get(_PERIODS)
    if kept is None or not (kept[0] <= first and last <= kept[1]):
        kept = (first, last, tuple(connections.netsuite(Lane.BULK).journals.periods(first, last)))
        connections.scratch[_PERIODS] = kept
    found: tuple[PeriodRow, ...] = kept[2]
    return found
