"""Numbers and names of NetSuite's accounts, so that people read those and not internal ids.

Put here what is remembered of accounts that were read. Do not put here whether an account may be posted to
(defs/payouts/ledger.py). What a posting asks anyway is kept; the close asks once for clearing accounts that nothing
was ever posted to.
"""

from collections.abc import Iterable, Mapping

from bcns_pipeline.clients.netsuite.models import AccountRow
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.names import Names, shown
from bcns_pipeline.state.store import State

CURSOR = "netsuite/chart"


def keep(state: State, rows: Mapping[int, AccountRow]) -> None:
    """Remember these accounts beside those that are known."""
    known = state.cursors.get(CURSOR) or {}
    found = {str(number): [row.number, row.name] for number, row in rows.items()}
    if not found.items() <= known.items():
        state.cursors.move(CURSOR, {**known, **found})


def know(connections: Connections, accounts: Iterable[int]) -> None:
    """Ask for those of these accounts that are not known yet: one call at most. Raises OutsideError."""
    known = connections.state.cursors.get(CURSOR) or {}
    missing = [one for one in accounts if str(one) not in known]
    if missing:
        keep(connections.state, connections.netsuite(Lane.BULK).journals.accounts(missing))


def numbers(state: State) -> Mapping[int, str]:
    """{internal id: account number} of what is known and has one."""
    known = state.cursors.get(CURSOR) or {}
    return {int(one): number for one, (number, _) in known.items() if number}


def names(state: State) -> Names:
    """{internal id: number and name} of what is known."""
    known = state.cursors.get(CURSOR) or {}
    return {int(one): shown(number, name) for one, (number, name) in known.items()}
