"""Asks NetSuite and the providers what the clearing accounts hold at the end of days, and keeps what they say.

Put the asking here, and in which shape it is kept. Do not put comparisons here (rules/close/evidence.py, outside.py).
Reports are made of what is kept, so that they can be made again. Two calls to NetSuite a day (one more where a clearing
account was never read), side by side with the balance of each provider with an API, which is asked once for all days;
whoever only drops files is remembered as one who can't say.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any

from bcns_pipeline.clients.netsuite.models import BalanceRow, RecordRow
from bcns_pipeline.clients.payments.models import PayoutSource
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.close.liabilities import liabilities_of, ours_of
from bcns_pipeline.defs.days import bounds, zone_of
from bcns_pipeline.defs.stored import StoredDocuments, receive
from bcns_pipeline.outcomes import Lane, Unauthorised
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.evidence import NETSUITE, RECORDS, differing
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.payouts.accounts import ProviderAccounts, Role

# Each of them asks two questions at once.
_DAYS_BESIDE = 2
NOT_ALLOWED = "the key may not read its balance"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was kept: hashes by source, and which providers can't say what they hold."""

    as_of: date
    hashes: Mapping[str, str]
    silent: tuple[str, ...]


def ask(connections: Connections, days: Sequence[date]) -> list[Asked]:
    """Ask everybody about the end of these days of the store, and keep it day by day. Raises OutsideError, BadFile.

    With payouts.ask_ledger false NetSuite is not asked, for a role that may not see its accounting lines.
    """
    providers = connections.payout_policy.book.providers
    accounts = sorted({number for one in providers for number in one.every(Role.CLEARING)})
    asks_ledger = bool(accounts) and connections.payout_policy.asks_ledger
    liabilities = sorted(liabilities_of(connections))
    if asks_ledger:
        chart.know(connections, [*accounts, *liabilities])
    sources = {(one.provider, one.account): one for one in connections.payout_sources()}
    with ThreadPoolExecutor(_DAYS_BESIDE, thread_name_prefix="ledger") as beside:
        ledgers = [
            beside.submit(_ledger, connections, accounts, liabilities, day) for day in days if asks_ledger
        ]
        held = [
            _held(connections, sources[key], days) if (key := (one.provider, one.account)) in sources else []
            for one in providers
        ]
        found = []
        for n, day in enumerate(days):
            said: dict[str, Mapping[str, Any]] = {NETSUITE: ledgers[n].result()} if asks_ledger else {}
            for one, by_day in zip(providers, held, strict=True):
                amounts = by_day[n] if by_day else {"amounts": None}
                said[f"{one.provider}/{one.account}"] = {"accounts": _charts(one, day), **amounts}
            hashes = {name: connections.state.clearing.keep(name, day, one) for name, one in said.items()}
            silent = tuple(name for name, one in said.items() if one.get("amounts", ()) is None)
            found.append(Asked(day, hashes, silent))
    return found


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


def _ledger(
    connections: Connections, accounts: list[int], liabilities: list[int], as_of: date
) -> dict[str, Any]:
    """One call for all balances, those of stored value with them, and one for what others booked on clearing."""
    account = account_of(connections)
    client, oneworld = connections.netsuite(Lane.BULK).clearing, account.oneworld
    with ThreadPoolExecutor(1, thread_name_prefix="others") as beside:
        others = beside.submit(client.others, accounts, as_of, connections.state.store, oneworld=oneworld)
        found = client.balances([*accounts, *liabilities], as_of, connections.state.store, oneworld=oneworld)
        balances = [{**_amount(account, one), "type": one.type, "lines": one.lines} for one in found]
        back = [{**one, "amount": _back(account, row)} for one, row in zip(balances, found, strict=True)]
        return {
            "accounts": accounts,
            "balances": [one for one in balances if one["account"] in accounts],
            "others": _rows(account, others.result()),
            "liabilities": {
                "accounts": liabilities,
                "balances": [one for one in balances if one["account"] in liabilities],
                "given_back": [one for one in back if one["account"] in liabilities and one["amount"]],
                "ours": ours_of(connections, as_of),
            },
        }


def _rows(account: Account, records: Iterable[RecordRow]) -> list[dict[str, Any]]:
    return [
        {
            **_amount(account, one),
            "id": one.id,
            "number": one.number,
            "type": one.type,
            "day": one.day.isoformat(),
            **one.touched.known,
        }
        for one in records
    ]


def _amount(account: Account, row: BalanceRow | RecordRow) -> dict[str, Any]:
    """In the transactions' own currency; where that is the subsidiary's, debit less credit is the surer source."""
    currency, is_base = _currency(account, row)
    return {
        "account": row.account,
        "currency": currency,
        "subsidiary": row.subsidiary,
        "posting": row.posting,
        "amount": Money.of(row.base if is_base else row.foreign, currency).minor,
    }


def _back(account: Account, row: BalanceRow) -> int:
    """What our refunds did of it, in the same currency."""
    currency, is_base = _currency(account, row)
    return Money.of(row.back_base if is_base else row.back_foreign, currency).minor


def _currency(account: Account, row: BalanceRow | RecordRow) -> tuple[str, bool]:
    symbols = {one.id: symbol for symbol, one in account.currencies.items()}
    own = account.subsidiaries.get(row.subsidiary or 0)
    base = (own.currency if own is not None else "") or account.base_currency
    currency = symbols.get(row.currency or 0, base)
    return currency, currency == base


def _held(connections: Connections, source: PayoutSource, days: Sequence[date]) -> list[dict[str, Any]]:
    """What this provider held at the end of each of these days; empty where it can't say.

    A key that may read payouts and not the balance leaves the balance without evidence, and stops nothing else.
    """
    zone, now = zone_of(connections.mapping), datetime.now(UTC)
    ends = [bounds(day, zone)[1] for day in days]
    # A day that is not over is asked about as it is now.
    ats = [end if end <= now else None for end in ends]
    since = min((at for at in ats if at is not None), default=None)
    try:
        received = [receive(connections, document) for document in source.balance(since)]
    except Unauthorised as refused:
        if refused.status != HTTPStatus.FORBIDDEN:
            raise
        return [{"amounts": None, "why": NOT_ALLOWED} for _ in days]
    return [
        {
            "amounts": dict(told.amounts),
            "at": told.at.astimezone(UTC).isoformat(),
            "documents": [one.sha256 for one in received],
        }
        for told in source.read_balances(StoredDocuments(connections, received), ats)
    ]


def _charts(one: ProviderAccounts, as_of: date) -> dict[str, int]:
    """{currency: clearing account}; "" for the account of all currencies."""
    currencies = {
        currency for chart in one.charts for role, currency in chart.accounts if role is Role.CLEARING
    }
    found = {currency: one.at(Role.CLEARING, currency, as_of) for currency in sorted(currencies)}
    return {currency: number for currency, number in found.items() if number is not None}
