"""PayPal's settlement report (STL): rows by name, signs by debit and credit, and footers that must add up.

Put the reading of the file here; how its balance becomes payouts is in `paypal_payouts.py`. Amounts are unsigned
whole numbers, their sign is the column beside them. Quoting differs from row to row, so only names are relied on.
A footer per currency gives debits, credits, fees and both balances: what does not add up to them is refused.
Facts: facts/finance.md 1.3.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Fields, Row, fields_of, named, row_of
from bcns_pipeline.clients.files.values import Once, currency_of, date_of, moment_of, whole_of
from bcns_pipeline.clients.payments.minor_units import paypal_minor
from bcns_pipeline.clients.payments.models import SourceLine
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.rules.money import Money

PROVIDER: Final = "paypal"
FIRST_CODES: Final = frozenset({"RH", "FH", "SH"})
_NEEDED: Final = (
    "Transaction ID",
    "Transaction Event Code",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
)
# One of these at least, even on a day on which nothing happened.
_ENDS: Final = frozenset({"SF", "SC", "RF", "RC", "FF"})
_CONVERSION: Final = "T02"
# Bank to PayPal and PayPal to bank, whichever way the row goes: a withdrawal that comes back is one of them.
_TRANSFERS: Final = ("T03", "T04")
_SIGNS: Final = {"CR": 1, "DR": -1}


@dataclass(frozen=True, slots=True)
class Footer:
    """A currency's totals, in minor units: gross credits and debits, fee credits and debits, both balances.

    Which of the two fees comes first differs between what we know of the format and the samples that we saw, so both
    ways are taken: either proves that no row is missing.
    """

    row: int
    totals: tuple[int, int, int, int]
    opening: int
    closing: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One body row: its line, and what only PayPal's file knows about it."""

    line: SourceLine
    row: int
    day: date
    reference: str
    bank_reference: str
    # The row's own figures as they are in the footer's totals: gross, and the fee in its own currency.
    gross: int
    fee: int
    fee_currency: str

    @property
    def transfer(self) -> bool:
        """Money on its way to the bank or from it."""
        return self.line.category.startswith(_TRANSFERS)


@dataclass(slots=True)
class Section:
    """One account's part of the report."""

    account: str
    until: date
    names: Sequence[str] = ()
    entries: list[Entry] = field(default_factory=list)
    footers: dict[str, Footer] = field(default_factory=dict)


def read_sections(text: str, profile: FileProfile) -> list[Section]:
    """Every section with its rows, checked against the footers. BadFile for what is missing or does not add up."""
    sections: list[Section] = []
    report: dict[str, Footer] = {}
    once = Once("Transaction ID")
    ended = False
    for fields in fields_of(text):
        code = fields.fields[0].strip()
        ended = ended or code in _ENDS
        if code in {"RH", "FH", "FF"}:
            continue
        if code == "SH":
            sections.append(_section(fields))
        elif code == "RF":
            currency, footer = _footer(fields, profile)
            report[currency] = footer
        elif code == "RC":
            _count(fields, sum(len(section.entries) for section in sections))
        elif not sections:
            raise BadFile(
                "SHAPE",
                f"a row {code or 'without a code'} before the section's header (SH)",
                row=fields.number,
            )
        else:
            _in_section(code, fields, sections[-1], once, profile)
    if not sections or not ended:
        raise BadFile("TRUNCATED", "the report has no footer; it is cut off, or one part of several")
    for section in sections:
        _check_section(section, report if len(sections) == 1 else {})
    if len(sections) > 1:
        for currency, footer in report.items():
            _check(
                currency, [entry for section in sections for entry in section.entries], footer, balances=False
            )
    return sections


def _in_section(code: str, fields: Fields, section: Section, once: Once, profile: FileProfile) -> None:
    if code == "CH":
        section.names = named(fields, _NEEDED, skip=1)
    elif code == "SB":
        if not section.names:
            raise BadFile("COLUMNS", "a body row (SB) before the column header (CH)", row=fields.number)
        if section.footers:
            raise BadFile("SHAPE", "a body row (SB) after the section's footer (SF)", row=fields.number)
        section.entries.append(_entry(row_of(section.names, fields, skip=1), once, profile))
    elif code == "SF":
        currency, footer = _footer(fields, profile)
        section.footers[currency] = footer
    elif code == "SC":
        _count(fields, len(section.entries))
    else:
        raise BadFile("SHAPE", f"an unknown kind of row {code!r}", row=fields.number)


def _section(fields: Fields) -> Section:
    if len(fields.fields) < 4 or not fields.fields[3].strip():
        raise BadFile("TRUNCATED", "a section header (SH) without period or account", row=fields.number)
    until = date_of(fields.fields[2], fields.number, "section end")
    return Section(fields.fields[3].strip(), until)


def _entry(row: Row, once: Once, profile: FileProfile) -> Entry:
    currency = currency_of(row["Gross Transaction Currency"], row.number, "Gross Transaction Currency")
    gross = _signed(row, "Transaction Debit or Credit", "Gross Transaction Amount", currency, profile)
    fee_currency = currency_of(row["Fee Currency"] or currency, row.number, "Fee Currency")
    # A fee that is debited costs money, so its sign is the other way round than that of gross.
    fee = -_signed(row, "Fee Debit or Credit", "Fee Amount", fee_currency, profile)
    identity = once(row["Transaction ID"], row.number)
    column = (
        "Transaction Completion Date" if row["Transaction Completion Date"] else "Transaction Initiation Date"
    )
    when = row.need(column)
    own_fee = fee if fee_currency == currency else 0
    line = SourceLine(
        id=identity,
        category=row.need("Transaction Event Code"),
        gross=gross,
        fee=own_fee,
        net=gross - own_fee,
        currency=currency,
        occurred_at=moment_of(when, row.number, column),
        row_sha256=row.sha256,
        presentment_amount=gross,
        presentment_currency=currency,
        references=tuple(dict.fromkeys(filter(None, (identity, row["PayPal Reference ID"])))),
        order_hints=tuple(dict.fromkeys(filter(None, (row["Invoice ID"], row["Custom Field"])))),
        description=row["Transaction Subject"],
        method=PROVIDER,
    )
    return Entry(
        line=line,
        row=row.number,
        day=date_of(when, row.number, column),
        reference=row["PayPal Reference ID"],
        bank_reference=row["Bank Reference ID"],
        gross=gross,
        fee=fee,
        fee_currency=fee_currency,
    )


def _signed(row: Row, sign: str, amount: str, currency: str, profile: FileProfile) -> int:
    if not row[amount] and not row[sign]:
        return 0
    if row[sign] not in _SIGNS:
        raise BadFile("AMOUNT", f"{sign} {row[sign]!r} is neither CR nor DR", row=row.number)
    return _SIGNS[row[sign]] * _minor(row[amount], currency, row.number, amount, profile)


def _minor(text: str, currency: str, row: int, column: str, profile: FileProfile) -> int:
    amount = whole_of(text, row, column)
    try:
        return paypal_minor(amount, currency, profile.paypal_digits)
    except ValueError as error:
        raise BadFile("AMOUNT", f"{column}: {error}", row=row) from None


def _footer(fields: Fields, profile: FileProfile) -> tuple[str, Footer]:
    row, values = fields.number, [value.strip() for value in fields.fields]
    if len(values) < 10:
        raise BadFile(
            "TRUNCATED", f"a footer ({values[0]}) with {len(values)} fields, it has 10 or more", row=row
        )
    currency = currency_of(values[1], row)
    figures = [
        _minor(values[at], currency, row, f"footer field {at + 1}", profile) for at in (2, 3, 4, 5, 7, 9)
    ]
    signs = [_SIGNS.get(values[at]) for at in (6, 8)]
    if None in signs:
        raise BadFile("AMOUNT", "a balance in the footer is neither CR nor DR", row=row)
    opening, closing = (
        sign * figure for sign, figure in zip(signs, figures[4:], strict=True) if sign is not None
    )
    return currency, Footer(row, (figures[0], figures[1], figures[2], figures[3]), opening, closing)


def _count(fields: Fields, found: int) -> None:
    told = whole_of(fields.fields[1] if len(fields.fields) > 1 else "", fields.number, "record count")
    if told != found:
        text = f"the file says {told} body rows and has {found}; it is cut off or was changed"
        raise BadFile("TOTALS", text, row=fields.number)


def _check_section(section: Section, report: dict[str, Footer]) -> None:
    currencies = {entry.line.currency for entry in section.entries}
    currencies |= {entry.fee_currency for entry in section.entries if entry.fee}
    for currency, footer in report.items():
        section.footers.setdefault(currency, footer)
        if section.footers[currency].totals != footer.totals:
            text = f"the report's footer for {currency} differs from its section's"
            raise BadFile("TOTALS", text, row=footer.row)
    for currency in sorted(currencies - set(section.footers)):
        text = f"no footer for {currency}; the file is cut off, or one part of several"
        raise BadFile("TRUNCATED", text)
    for currency, footer in section.footers.items():
        _check(currency, section.entries, footer, balances=True)


def _check(currency: str, entries: Sequence[Entry], footer: Footer, *, balances: bool) -> None:
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        if entry.line.currency == currency:
            sums["gross credits" if entry.gross > 0 else "gross debits"] += abs(entry.gross)
        if entry.fee_currency == currency:
            sums["fee credits" if entry.fee < 0 else "fee debits"] += abs(entry.fee)
    names = ("gross credits", "gross debits", "fee credits", "fee debits")
    totals = footer.totals
    if totals[2:] == (sums["fee debits"], sums["fee credits"]):
        totals = (*totals[:2], totals[3], totals[2])
    for name, told in zip(names, totals, strict=True):
        if sums[name] != told:
            text = f"{name} in {currency}: the footer says {told}, the rows make {sums[name]} (minor units)"
            raise BadFile("TOTALS", text, row=footer.row)
    moved = sums["gross credits"] - sums["gross debits"] + sums["fee credits"] - sums["fee debits"]
    if balances and footer.opening + moved != footer.closing:
        text = (
            f"the balance in {currency} was {footer.opening}, the rows move {moved}, and the footer ends at "
            f"{footer.closing} (minor units)"
        )
        raise BadFile("TOTALS", text, row=footer.row)


def converted(entries: Sequence[Entry]) -> dict[str, tuple[int, str, Decimal]]:
    """Of each currency conversion, by id: amount and currency of its other half, and the rate (own per other).

    Two rows belong together that share a reference, or name each other, with opposite signs and in two currencies.
    BadFile SHAPE where a half has no other one.
    """
    halves = [entry for entry in entries if entry.line.category.startswith(_CONVERSION)]
    waiting: dict[frozenset[str], list[Entry]] = defaultdict(list)
    found: dict[str, tuple[int, str, Decimal]] = {}
    ids = {entry.line.id for entry in halves}
    for entry in halves:
        mutual = entry.reference in ids
        key = frozenset({entry.line.id, entry.reference}) if mutual else frozenset({entry.reference})
        other = next((one for one in waiting[key] if _fits(one, entry)), None)
        if other is None:
            waiting[key].append(entry)
            continue
        waiting[key].remove(other)
        for one, two in ((entry, other), (other, entry)):
            found[one.line.id] = (-two.gross, two.line.currency, _rate(one, two))
    for left in waiting.values():
        if left:
            text = f"currency conversion {left[0].line.id} has no other half in the file"
            raise BadFile("SHAPE", text, row=left[0].row)
    return found


def _fits(one: Entry, two: Entry) -> bool:
    return one.line.currency != two.line.currency and (one.gross > 0) != (two.gross > 0)


def _rate(one: Entry, two: Entry) -> Decimal:
    """Major units of the one per major unit of the other, to ten digits."""
    mine, theirs = (Money(abs(entry.gross), entry.line.currency).amount for entry in (one, two))
    return (mine / theirs).quantize(Decimal("1E-10")) if theirs else Decimal(0)
