"""Every report of a span of days, made of what is remembered; the same state gives the same report.

Put here which rows a report is made of. Do not put SQL here (state/finance_sql.py), sums (rules/close/reports.py), nor
a file format (rules/close/files.py).
"""

import json
from collections import defaultdict
from collections.abc import Mapping as Row
from collections.abc import Sequence
from datetime import date, timedelta
from importlib.metadata import version as installed
from typing import Any

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.close.outside import goods as goods_of
from bcns_pipeline.defs.close.outside import outside
from bcns_pipeline.defs.days import zone_of
from bcns_pipeline.rules.close import clearing, detail, disputes, fees, goods, reserves, stored_value, tie_out
from bcns_pipeline.rules.close.beancount import export
from bcns_pipeline.rules.close.evidence import Outside
from bcns_pipeline.rules.close.names import called
from bcns_pipeline.rules.close.reports import (
    NOT_ACCRUED,
    SPECS,
    TAX_NOT_KNOWN,
    About,
    report,
)
from bcns_pipeline.rules.close.table import Report
from bcns_pipeline.rules.close.tie_out import OrderTie
from bcns_pipeline.rules.payouts.roll_forward import RollForward
from bcns_pipeline.state import finance
from bcns_pipeline.state.store import State

CODE_VERSION = installed("bcns-pipeline")
# Nothing of ours is older.
BEGINNING = date(1970, 1, 1)
_SAID = {
    "accrued-fees": (NOT_ACCRUED,),
    "stored-value-holders": (stored_value.HOLDERS,),
    "tax": (TAX_NOT_KNOWN,),
}


def about(state: State, since: date, until: date, mapping: Mapping) -> About:
    """What all reports of these days share. `until` is not included."""
    evidenced, zone = finance.bank_evidenced(state), zone_of(mapping).key
    return About(
        since,
        until,
        state.now(),
        CODE_VERSION,
        mapping.digest,
        evidenced,
        zone,
        mapping.payouts.reserve_days(),
        mapping.cash.liabilities(),
        mapping.payouts.fee_bands(),
    )


def make(state: State, name: str, about: About) -> Report:
    """One report by its name. KeyError for an unknown one."""
    spec = SPECS[name]
    if name == "tie-out":
        found = ties(state, about)
        told = tie_out.not_itemised(_rows(state, "not-itemised", about))
        return report(spec, about, tie_out.COLUMNS, [tie_out.shown(one) for one in found], told)
    if name in ("clearing", "open-items"):
        said = outside(state, last_of(about))
        forward, waiting = roll_forwards(state, about, said)
        if name == "clearing":
            to_come = {
                (row["clearing"], row["currency"]): row["fees"] for row in _rows(state, "open-fees", about)
            }
            rows = [
                row
                for one in forward
                for row in clearing.shown(
                    one, waiting.get(one.account), said, to_come.get((one.account, one.currency), 0)
                )
            ]
            return report(spec, about, clearing.COLUMNS, _called(state, rows), said.notes)
        rows = [row for one in forward for row in clearing.shown_open(one)]
        return report(spec, about, clearing.OPEN_COLUMNS, _called(state, rows), said.notes)
    if name == "others":
        said = outside(state, last_of(about))
        rows = clearing.shown_others(said, about.since)
        return report(spec, about, clearing.OTHERS_COLUMNS, _called(state, rows), said.notes)
    if name == "stored-value":
        rows, told = _stored_value(state, about)
        return report(spec, about, stored_value.COLUMNS, rows, told)
    if name == "disputes":
        return report(spec, about, disputes.COLUMNS, _disputes(state, about))
    if name == "reserves":
        rows, told = reserves.shown(_rows(state, "reserves", about), about.reserve_days)
        return report(spec, about, reserves.COLUMNS, rows, told)
    columns, found_rows = finance.rows(state, name, about.since, about.until, about.zone)
    if name == "refunds":
        came, said_of_goods = goods_of(state, last_of(about))
        columns, found_rows = goods.shown(columns, found_rows, came)
        return report(spec, about, columns, found_rows, (said_of_goods,))
    if name == "detail":
        columns, found_rows = detail.shown(columns, found_rows)
    if name == "fees":
        columns, found_rows = fees.shown(columns, found_rows, about.fee_bands)
    return report(spec, about, columns, found_rows, _SAID.get(name, ()))


def ties(state: State, about: About) -> list[OrderTie]:
    """Where every cent of the orders placed on these days is."""
    _, rows = finance.rows(state, "tie-out", about.since, about.until)
    return [tie_out.tie(row, bank=about.bank_evidenced) for row in rows]


def last_of(about: About) -> date:
    """The last day of a report."""
    return about.until - timedelta(days=1)


def roll_forwards(
    state: State, about: About, said: Outside | None = None
) -> tuple[list[RollForward], dict[int, int]]:
    """The roll-forward of each clearing account, and {account: age in days of its oldest unapproved entry}.

    `said`: what NetSuite and the providers said about the last day, read where it is not given.
    """
    last = last_of(about)
    _, booked = finance.rows(state, "booked", about.since, about.until)
    _, entries = finance.rows(state, "entries", BEGINNING, about.until)
    _, settled = finance.rows(state, "settled", about.since, about.until)
    said = said or outside(state, last)
    return clearing.roll_forwards(booked, entries, settled, about.since, last, said), _waiting(entries, last)


def ledger(state: State, about: About) -> str:
    """All entries of these days in Beancount's language."""
    _, entries = finance.rows(state, "entries", about.since, about.until)
    return export(entries, chart.numbers(state))


def _disputes(state: State, about: About) -> list[dict[str, Any]]:
    found = disputes.disputed(_rows(state, "dispute-lines", about))
    booked: dict[disputes.Name, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(state, "dispute-losses", about):
        booked[row["provider"], row["account"], row["dispute"]].append(row)
    names = {
        f"dispute:{one.provider}/{one.account}/{one.id}": (one.provider, one.account, one.id) for one in found
    }
    kept = state.documents.latest("dispute", names)
    said = {names[key]: json.loads(state.documents.load(one.id)) for key, one in kept.items()}
    last = date.fromordinal(about.until.toordinal() - 1)
    return disputes.shown(found, booked, said, about.since, last)


def _stored_value(state: State, about: About) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    now, before = outside(state, last_of(about)), outside(state, about.since - timedelta(days=1))
    rows = stored_value.shown(
        _rows(state, "stored-value", about),
        about.liabilities,
        now.liabilities,
        before.liabilities,
        chart.names(state),
    )
    asked = all(row["ledger_minor"] is not None for row in rows)
    notes = now.notes[:1] if now.liabilities else ()
    return rows, (stored_value.REMAINDER, *notes, *(() if asked else (stored_value.NOT_ASKED,)))


def _called(state: State, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Accounts as people call them, and NetSuite's id beside."""
    names = chart.names(state)
    return [{**row, "account": called(names, row["account"]), "account_id": row["account"]} for row in rows]


def _rows(state: State, name: str, about: About) -> list[dict[str, Any]]:
    return finance.rows(state, name, about.since, about.until, about.zone)[1]


def _waiting(entries: Sequence[Row[str, Any]], last: date) -> dict[int, int]:
    ages: dict[int, int] = {}
    for row in entries:
        if row["approved"] is not True:
            age = (last - row["tran_date"]).days
            ages[row["account"]] = max(age, ages.get(row["account"], age))
    return ages
