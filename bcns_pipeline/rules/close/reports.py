"""The reports of money: what each is called, what it is read from, and how rows become a report with its sums.

Put names, sentences and sums here. Do not put SQL here (state/finance_sql.py), nor a file format. FR numbers are those
of facts/finance.md 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.close.table import Cell, Report
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.policy import FeeBand

MINOR = "_minor"
NO_BANK = "bank: not evidenced (no bank statement was ever read)"

NOT_ACCRUED = (
    "not accrued: below payouts.accrual.materiality_percent, not to be posted, or told after the entry"
)

TAX_NOT_KNOWN = (
    "by jurisdiction is what was charged, by the names of the orders' own tax rows, which are read where "
    "orders.tax.codes has any; 'not named' is the rest. By code is what it was posted as against what NetSuite holds "
    "by it: items as they were read back, SuiteTax's codes as NetSuite was asked when the month was closed last; "
    "'not named' are orders of which either is not known, as where NetSuite computes the tax itself"
)


@dataclass(frozen=True, slots=True)
class Spec:
    """One report. `ties`: columns that must be 0 in every row; what is left in them is the unexplained remainder.

    `unsummed`: columns whose amounts say nothing when they are added up, so that no control total has them.
    """

    name: str
    number: str
    title: str
    source: str
    ties: tuple[str, ...] = ()
    bank: bool = False
    unsummed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What every report of one call shares: its days [since, until) in the store's zone, and what it was made with."""

    since: date
    until: date
    extracted_at: datetime
    code_version: str
    config_digest: str
    bank_evidenced: bool = False
    zone: str = "UTC"
    # By provider and account: days after which a reserve is given back, as the mapping file has them.
    reserve_days: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # By kind of stored value: its liability account, as the mapping file names it.
    liabilities: Mapping[str, int] = field(default_factory=dict)
    # By provider and account: what the contract says a charge costs, as the mapping file has it.
    fee_bands: Mapping[tuple[str, str], FeeBand] = field(default_factory=dict)


SPECS = {
    one.name: one
    for one in (
        Spec(
            "payouts", "FR1", "Payout reconciliation", "payouts, their lines, journal entries and bank lines",
            ("unexplained", "bank_unexplained"), bank=True, unsummed=("bank_amount",),
        ),
        Spec("detail", "FR2", "Payout detail", "lines of payouts with their orders and records"),
        Spec(
            "orders", "FR3", "Order reconciliation", "orders, transactions and records read back from NetSuite",
            ("unexplained", "not_booked"),
        ),
        Spec(
            "refunds", "FR4", "Refund reconciliation",
            "refunds and their records, and NetSuite's returns, as it was asked", ("difference",),
        ),
        Spec(
            "clearing", "FR5", "Clearing roll-forward", "captures and refunds booked, journal entries of payouts",
            ("unexplained",), bank=True, unsummed=("amount",),
        ),
        Spec("open-items", "FR5", "Open items of clearing", "captures and refunds booked, lines of payouts"),
        Spec("unapplied", "FR6", "Unapplied payments, deposits and credits", "records read back from NetSuite"),
        Spec("exceptions", "FR7", "Exceptions by age", "open questions at the end of the last day"),
        Spec("fees", "FR8", "Fees", "lines of payouts"),
        Spec("accrued-fees", "FR8", "Fees accrued at the end", "lines of later payouts, journal entries"),
        Spec("disputes", "FR9", "Disputes", "lines of payouts, what providers say, entries of losses"),
        Spec("reserves", "FR10", "Reserves", "lines of payouts", unsummed=("held",)),
        Spec(
            "stored-value", "FR11", "Stored value",
            "gift certificates and store credit, given by refunds and used, and NetSuite's ledger, as it was asked",
        ),
        Spec(
            "stored-value-holders", "FR11", "Stored value by certificate and customer",
            "gift certificates and store credit, given by refunds and used, and balances as BigCommerce told them with "
            "its transactions",
            unsummed=("original", "before"),
        ),
        Spec(
            "tax", "FR12", "Tax tie-out", "tax charged in BigCommerce and read back from NetSuite",
            # By code, which adds up to the difference of all: so two codes that were swapped do not cancel.
            ("difference_by_code",),
        ),
        Spec("fx", "FR13", "Foreign exchange", "lines of payouts presented in another currency"),
        Spec(
            "completeness", "FR14", "Interface completeness", "orders, captures and refunds against their records",
            ("gap",),
        ),
        Spec("journals", "FR15", "Journal entries and manual touches", "journal entries as sent and read back"),
        Spec("others", "FR15", "Booked by others on clearing accounts", "NetSuite's ledger, as it was asked"),
        Spec("tie-out", "FR16", "Tie-out by order", "orders, records, payouts and bank lines", ("unknown",), bank=True),
    )
}  # fmt: skip


def report(
    spec: Spec,
    about: About,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    said: Sequence[str] = (),
) -> Report:
    """Rows as the database has them, as a report: amounts in their currency, and one sum per column and currency.

    `said` are sentences that stand below it.
    """
    shown = tuple(one.removesuffix(MINOR) for one in columns)
    sums: dict[tuple[str, str], Decimal] = {}
    cells: list[tuple[Cell, ...]] = []
    for row in rows:
        line: list[Cell] = []
        for name in columns:
            value = row[name]
            if name.endswith(MINOR) and value is not None:
                value = Money(int(value), row["currency"]).amount
                key = (name.removesuffix(MINOR), row["currency"])
                if key[0] not in spec.unsummed:
                    sums[key] = sums.get(key, Decimal(0)) + value
            line.append(value)
        cells.append(tuple(line))
    left = [
        f"{name} {total:f} {unit}"
        for (name, unit), total in sorted(sums.items())
        if name in spec.ties and total
    ]
    notes = [f"unexplained remainder: {', '.join(left) or '0'}"] if spec.ties else []
    notes += said
    if spec.bank and not about.bank_evidenced:
        notes.append(NO_BANK)
    return Report(
        name=spec.name,
        number=spec.number,
        title=spec.title,
        source=spec.source,
        parameters=(("since", str(about.since)), ("until", f"{about.until} (not included)")),
        columns=shown,
        rows=tuple(cells),
        controls=tuple((name, unit, total) for (name, unit), total in sorted(sums.items())),
        extracted_at=about.extracted_at,
        code_version=about.code_version,
        config_digest=about.config_digest,
        notes=tuple(notes),
    )


def remainder(spec: Spec, found: Report) -> dict[str, Decimal]:
    """{currency: what the report's ties leave, without signs that cancel}; empty where every row ties."""
    left: dict[str, Decimal] = {}
    at = {name: found.columns.index(name) for name in spec.ties if name in found.columns}
    currency = found.columns.index("currency") if "currency" in found.columns else None
    for row in found.rows:
        for place in at.values():
            value = row[place]
            if value and isinstance(value, (Decimal, int)):
                unit = str(row[currency]) if currency is not None else ""
                left[unit] = left.get(unit, Decimal(0)) + abs(Decimal(value))
    return left


def sums_are_right(found: Report) -> bool:
    """Whether each control total is the sum of its column's cells of that currency, added up once more."""
    at = found.columns.index("currency") if "currency" in found.columns else None
    return all(
        total
        == sum(
            (
                cell
                for row in found.rows
                if at is not None and row[at] == unit
                for cell in (row[found.columns.index(name)],)
                if isinstance(cell, Decimal)
            ),
            Decimal(0),
        )
        for name, unit, total in found.controls
    )
