"""What finance asks of everything that is remembered: rows of reports, and the parts of the close.

Put reads over several flows' tables here. Do not put sums, reasons or layout here (rules/close, defs/close). A report
of a closed period may be asked again at any time: nothing here depends on the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state import (
    finance_clearing_sql,
    finance_fees_sql,
    finance_sql,
    finance_stored_sql,
    finance_tax_sql,
)
from bcns_pipeline.state.store import State

STATEMENTS = {
    "payouts": finance_sql.PAYOUTS,
    "detail": finance_sql.DETAIL,
    "orders": finance_sql.ORDERS,
    "refunds": finance_sql.REFUNDS,
    "unapplied": finance_sql.UNAPPLIED,
    "exceptions": finance_sql.EXCEPTIONS,
    "fees": finance_sql.FEES,
    "accrued-fees": finance_fees_sql.ACCRUED_FEES,
    "open-fees": finance_fees_sql.OPEN_FEES,
    "dispute-lines": finance_sql.DISPUTE_LINES,
    "dispute-losses": finance_sql.DISPUTE_LOSSES,
    "reserves": finance_sql.RESERVES,
    "stored-value": finance_stored_sql.STORED_VALUE,
    "stored-value-holders": finance_stored_sql.STORED_HOLDERS,
    "tax": finance_tax_sql.TAX,
    "fx": finance_sql.FX,
    "completeness": finance_sql.COMPLETENESS,
    "journals": finance_sql.JOURNALS,
    "entries": finance_clearing_sql.ENTRIES,
    "booked": finance_clearing_sql.BOOKED,
    "settled": finance_clearing_sql.SETTLED,
    "not-itemised": finance_clearing_sql.NOT_ITEMISED,
    "tie-out": finance_sql.TIE_OUT,
    "decisions": finance_sql.DECISIONS,
}


def rows(
    state: State, name: str, since: date, until: date, zone: str = "UTC"
) -> tuple[Sequence[str], list[dict[str, Any]]]:
    """Columns and rows of one statement over the days of `zone` from `since` to before `until`.

    KeyError for an unknown name.
    """
    text = STATEMENTS[name]
    values: dict[str, Any] = {"store": state.store, "until": until}
    values |= {one: value for one, value in (("since", since), ("zone", zone)) if f":{one}" in text}
    types: dict[str, sa.types.TypeEngine[Any]] = {
        "store": sa.Text(),
        "zone": sa.Text(),
        "since": sa.Date(),
        "until": sa.Date(),
    }
    query = sa.text(text).bindparams(*(sa.bindparam(one, type_=types[one]) for one in values))
    with state.scope.transaction() as conn:
        found = conn.execute(query, values)
        return list(found.keys()), [dict(one) for one in found.mappings()]


def bank_evidenced(state: State) -> bool:
    """Whether any bank statement was ever read."""
    return bool(state.bank.evidenced())
