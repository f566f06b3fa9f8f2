"""The liability accounts of stored value: which they are, and what our records have moved there.

Put here what the close reads of them. Do not put comparisons here (rules/close/stored_value.py) nor asking (asking.py).
"""

from datetime import date, timedelta
from typing import Any

from bcns_pipeline.defs.close.outside import liabilities
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.stored_value import Liabilities, merged
from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.state import finance
from bcns_pipeline.state.store import State


def liabilities_of(connections: Connections) -> frozenset[int]:
    """Every account that the mapping file names for what is owed to shoppers, that of summary channels as well."""
    summary = (one.every(Role.STORED_VALUE) for one in connections.payout_policy.book.providers)
    return frozenset(connections.mapping.cash.liabilities().values()).union(*summary)


def ours_of(connections: Connections, last: date) -> list[dict[str, Any]]:
    """What our records came to at the end of that day, by account and currency; minor units, owed positive."""
    day = last + timedelta(days=1)
    _, rows = finance.rows(connections.state, "stored-value", day, day)
    return [
        {"account": row["account"], "currency": row["currency"], "amount": row["closing_minor"]}
        for row in merged(rows, connections.mapping.cash.liabilities())
        if row["account"]
    ]


def first_of(state: State, accounts: frozenset[int]) -> dict[int, Liabilities]:
    """{account: what NetSuite said when it was asked about it first}."""
    found = {account: state.clearing.first_of_liability(account) for account in accounts}
    said = {account: liabilities(one) for account, one in found.items() if one is not None}
    return {account: one for account, one in said.items() if one is not None}
