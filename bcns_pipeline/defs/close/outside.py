"""What was said of the clearing accounts about the end of a day, as the rules of the roll-forward take it.

Put here how kept answers and our own tables are brought together. Do not put asking here (asking.py) nor comparisons
(rules/close/evidence.py).
"""

from collections.abc import Mapping
from datetime import date, datetime

from bcns_pipeline.rules.close.evidence import (
    NETSUITE,
    RECORDS,
    Outside,
    Provider,
    Where,
    ledger_of,
    not_ours,
)
from bcns_pipeline.rules.close.goods import GOODS, NOT_ASKED
from bcns_pipeline.rules.close.goods import Said as GoodsSaid
from bcns_pipeline.rules.close.stored_value import Liabilities
from bcns_pipeline.rules.close.stored_value import said as liabilities_said
from bcns_pipeline.state.clearing_evidence import Said
from bcns_pipeline.state.store import State


def outside(state: State, last: date) -> Outside:
    """The newest answers about the end of `last`; without any, nothing was asked."""
    said = {name: one for name, one in state.clearing.of(last).items() if name != GOODS}
    netsuite, records = said.pop(NETSUITE, None), said.pop(RECORDS, None)
    if netsuite is None:
        return Outside()
    others = netsuite.said["others"]
    return Outside(
        ledger=ledger_of(netsuite.said["balances"]),
        others=not_ours(others, state.clearing.ours([row["id"] for row in others])),
        providers=_providers(state, last, said),
        # Records that were looked at before the balances were asked for again say nothing of them.
        differing=records.said["differing"] if records and records.asked_at >= netsuite.asked_at else (),
        liabilities=liabilities(netsuite),
        notes=(
            _note("ledger", netsuite),
            *(_note(f"provider {name}", one) for name, one in sorted(said.items())),
        ),
    )


def goods(state: State, last: date) -> tuple[GoodsSaid | None, str]:
    """What NetSuite said of returned goods about the end of `last`, and a sentence on whether it was asked."""
    said = state.clearing.of(last).get(GOODS)
    if said is None:
        return None, NOT_ASKED
    why = said.said.get("not_asked")
    return said.said, _note("goods", said) if why is None else f"goods: not asked ({why})"


def liabilities(netsuite: Said) -> Liabilities | None:
    """What NetSuite said of the accounts of stored value; None in answers of an older version."""
    kept = netsuite.said.get("liabilities")
    return None if kept is None else liabilities_said(netsuite.as_of, kept)


def _providers(state: State, last: date, said: Mapping[str, Said]) -> dict[Where, Provider]:
    """By account and currency; providers that share an account are taken together, and all of them must say."""
    open_ = state.clearing.not_itemised(last)
    found: dict[Where, Provider] = {}
    for name, one in sorted(said.items()):
        amounts = one.said["amounts"]
        moved = []
        if amounts is not None:
            at = datetime.fromisoformat(one.said["at"])
            moved = [row for row in state.clearing.moved(last, at) if f"{row.provider}/{row.account}" == name]
        charts = one.said["accounts"]
        named = {currency for currency in charts if currency}
        # The account of all currencies takes those that the provider or its payouts know.
        spoken = {row.currency for row in moved} | set(amounts or ()) if "" in charts else set()
        for currency in sorted(named | spoken):
            where = (charts.get(currency, charts.get("")), currency)
            of = next((row for row in moved if row.currency == currency), None)
            provider = Provider(
                balance=None if amounts is None else amounts.get(currency, 0),
                parts={} if of is None else of.parts,
                open=open_.get(where, 0),
                foreign=of is not None and of.foreign,
            )
            found[where] = provider if where not in found else found[where].with_another(provider)
    return found


def _note(what: str, one: Said) -> str:
    if one.said.get("amounts", ()) is None:
        return f"{what}: not evidenced ({one.said.get('why', 'it has no balance that could be asked for')})"
    return f"{what}: asked {one.asked_at:%Y-%m-%d %H:%M:%S} UTC about the end of {one.as_of}, sha256 {one.sha256}"
