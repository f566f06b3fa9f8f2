"""Asks NetSuite and the providers what the clearing accounts hold at the end of a day, and keeps what they say.

Put the asking here, and in which shape it is kept. Do not put comparisons here (rules/close/evidence.py, outside.py).
Reports are made of what is kept, so that they can be made again. Two calls to NetSuite (three where a clearing account
was never read), side by side with the balance of each provider with an API; whoever only drops files is remembered as
one who can't say.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bcns_pipeline.clients.netsuite.models import BalanceRow, RecordRow
from bcns_pipeline.clients.payments.models import PayoutSource
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.days import bounds, zone_of
from bcns_pipeline.defs.stored import StoredDocuments, receive
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.evidence import NETSUITE, RECORDS, differing
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role


@dataclass(frozen=True, slots=True)
class Asked:
    """What was kept: hashes by source, and which providers can't say what they hold."""

    as_of: date
    hashes: Mapping[str, str]
    silent: tuple[str, ...]


def ask(connections: Connections, as_of: date) -> Asked:
    """Ask everybody about the end of this day of the store. Raises OutsideError, BadFile.

    With payouts.ask_ledger false NetSuite is not asked, for a role that may not see its accounting lines.
    """
    providers = connections.payout_policy.book.providers
    accounts = sorted({number for one in providers for number in one.every(Role.CLEARING)})
    keep = connections.state.clearing.keep
    hashes, silent = {}, []
    asks_ledger = bool(accounts) and connections.payout_policy.asks_ledger
    if asks_ledger:
        chart.know(connections, accounts)
    sources = {(one.provider, one.account): one for one in connections.payout_sources()}
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as beside:
        ledger = beside.submit(_ledger, connections, accounts, as_of) if asks_ledger else None
        for one in providers:
            name = f"{one.provider}/{one.account}"
            source = sources.get((one.provider, one.account))
            held = None if source is None else _held(connections, source, as_of)
            hashes[name] = keep(name, as_of, {"accounts": _charts(one, as_of), **(held or {"amounts": None})})
            silent += [name] if held is None else []
        if ledger is not None:
            hashes = {NETSUITE: keep(NETSUITE, as_of, ledger.result()), **hashes}
    return Asked(as_of, hashes, tuple(silent))


def ask_each(connections: Connections, as_of: date) -> None:
    """Ask NetSuite record by record, and keep those that are not as we booked them. Only where something is left over:
    it costs a call for every 1,000 records. Raises OutsideError."""
    account, state = account_of(connections), connections.state
    kept = state.clearing.of(as_of)[NETSUITE].said
    client = connections.netsuite(Lane.BULK).clearing
    shown = _rows(account, client.keyed(kept["accounts"], as_of, state.store, oneworld=account.oneworld))
    known = state.clearing.ours([row["id"] for row in kept["others"]])
    shown += [row for row in kept["others"] if row["id"] in known]
    ours = {place: (one.key, one.amount) for place, one in state.clearing.records(as_of).items()}
    found = differing(shown, ours, frozenset(kept["accounts"]))
    state.clearing.keep(RECORDS, as_of, {"looked_at": len(shown), "differing": found})


def _ledger(connections: Connections, accounts: list[int], as_of: date) -> dict[str, Any]:
    account = account_of(connections)
    client, oneworld = connections.netsuite(Lane.BULK).clearing, account.oneworld
    with ThreadPoolExecutor(1, thread_name_prefix="others") as beside:
        others = beside.submit(client.others, accounts, as_of, connections.state.store, oneworld=oneworld)
        balances = client.balances(accounts, as_of, oneworld=oneworld)
        return {
            "accounts": accounts,
            "balances": [{**_amount(account, one), "lines": one.lines} for one in balances],
            "others": _rows(account, others.result()),
        }


def _rows(account: Account, records: Iterable[RecordRow]) -> list[dict[str, Any]]:
    return [
        {
            **_amount(account, one),
            "id": one.id,
            "number": one.number,
            "type": one.type,
            "day": one.day.isoformat(),
        }
        for one in records
    ]


def _amount(account: Account, row: BalanceRow | RecordRow) -> dict[str, Any]:
    """In the transactions' own currency; where that is the subsidiary's, debit less credit is the surer source."""
    symbols = {one.id: symbol for symbol, one in account.currencies.items()}
    own = account.subsidiaries.get(row.subsidiary or 0)
    base = (own.currency if own is not None else "") or account.base_currency
    currency = symbols.get(row.currency or 0, base)
    return {
        "account": row.account,
        "currency": currency,
        "subsidiary": row.subsidiary,
        "posting": row.posting,
        "amount": Money.of(row.base if currency == base else row.foreign, currency).minor,
    }


def _held(connections: Connections, source: PayoutSource, as_of: date) -> dict[str, Any] | None:
    end = bounds(as_of, zone_of(connections.mapping))[1]
    # A day that is not over is asked about as it is now.
    at = end if end <= datetime.now(UTC) else None
    received = [receive(connections, document) for document in source.balance(at)]
    told = source.read_balance(StoredDocuments(connections, received), at) if received else None
    if told is None:
        return None
    return {
        "amounts": dict(told.amounts),
        "at": told.at.astimezone(UTC).isoformat(),
        "documents": [one.sha256 for one in received],
    }


def _charts(one: ProviderAccounts, as_of: date) -> dict[str, int]:
    """{currency: clearing account}; "" for the account of all currencies."""
    currencies = {
        currency for chart in one.charts for role, currency in chart.accounts if role is Role.CLEARING
    }
    found = {currency: one.at(Role.CLEARING, currency, as_of) for currency in sorted(currencies)}
    return {currency: number for currency, number in found.items() if number is not None}
