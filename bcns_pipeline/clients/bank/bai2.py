"""BAI2, the cash management format of banks in the United States.

Put the reading of the records here. Each level ends with a control total and a count of its records, so a file that is
cut off or changed can't pass. Amounts are whole numbers with the currency's digits; the type code says which way they
go. Written here because the one library for it has no types and refuses codes that it does not know.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bcns_pipeline.clients.bank.lines import adding_up, with_ids
from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.values import ContentIds, bounded, currency_of

_OPENING, _CLOSING = "010", "015"
_AMOUNT: Final = re.compile(r"[+-]?\d{1,30}")
# Returned and rejected items, reversals.
_RETURNED: Final = frozenset(
    {"252", "255", "257", "258", "261", "552", "555", "556", "557", "558", "559", "561"}
)
_INFORMATION: Final = "890"
# As-of-date modifiers of reports about a day that is not over.
_INTERIM: Final = frozenset({"1", "3"})


@dataclass(slots=True)
class _Record:
    """One logical record: its fields without the code, the row it begins in, and how many rows it has."""

    code: str
    text: str
    row: int
    rows: int = 1
    raw: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Account:
    number: str
    currency: str
    row: int
    total: int = 0
    records: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    lines: list[BankLine] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    day: date
    currency: str
    interim: bool
    total: int = 0
    accounts: int = 0
    records: int = 0


def read_bai2(text: str) -> list[Statement]:
    """One statement per account record (03). BadFile for anything unclear."""
    ids = ContentIds()
    found: list[Statement] = []
    group: _Group | None = None
    account: _Account | None = None
    total = groups = records = 0
    ended = False
    for record in _records(text):
        records += record.rows
        if ended:
            raise BadFile("SHAPE", "a record after the end of the file (99)", row=record.row)
        if record.code == "01":
            continue
        if record.code == "02":
            group = _group(record)
        elif record.code == "99":
            _check(
                record, (total, groups, records), ("control total", "number of groups", "number of records")
            )
            ended = True
        elif group is None:
            raise BadFile("SHAPE", f"a record {record.code} before any group (02)", row=record.row)
        elif record.code == "03":
            account = _account(record, group)
        elif record.code == "98":
            group.records += record.rows
            told = ("control total", "number of accounts", "number of records")
            _check(record, (group.total, group.accounts, group.records), told)
            total, groups, group = total + group.total, groups + 1, None
        elif account is None:
            raise BadFile("SHAPE", f"a record {record.code} before any account (03)", row=record.row)
        elif record.code == "16":
            _detail(record, account, group)
        elif record.code == "49":
            account.records += record.rows
            _check(record, (account.total, account.records), ("control total", "number of records"))
            group.total, group.accounts = group.total + account.total, group.accounts + 1
            group.records += account.records
            found.append(_statement(account, group, ids))
            account = None
        else:
            raise BadFile("SHAPE", f"an unknown record {record.code!r}", row=record.row)
    if not ended:
        raise BadFile("TRUNCATED", "the file has no end (99); it is cut off")
    return found


def _records(text: str) -> Iterator[_Record]:
    """Logical records: an 88 continues the one before it."""
    current: _Record | None = None
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        code, _, rest = line.strip().partition(",")
        if code == "88":
            if current is None:
                raise BadFile("SHAPE", "a continuation (88) of nothing", row=row)
            ended = current.text.endswith("/")
            joint = " " if current.code == "16" and not ended else ","
            current.text = current.text.removesuffix("/") + joint + rest
            current.rows += 1
            current.raw.append(line.rstrip())
            continue
        if current is not None:
            yield current
        current = _Record(code, rest, row, raw=[line.rstrip()])
    if current is not None:
        yield current


def _fields(record: _Record) -> list[str]:
    return [one.strip() for one in record.text.removesuffix("/").split(",")]


def _group(record: _Record) -> _Group:
    fields = [*_fields(record), *[""] * 7]
    text = fields[3]
    try:
        if not re.fullmatch(r"\d{6}", text):
            raise BadFile("DATE", f"as-of date {text!r} is not YYMMDD", row=record.row)
        day = date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise BadFile("DATE", f"as-of date {text!r} is not YYMMDD", row=record.row) from None
    currency = currency_of(fields[5] or "USD", record.row)
    return _Group(day, currency, interim=fields[6] in _INTERIM, records=record.rows)


def _account(record: _Record, group: _Group) -> _Account:
    fields = _fields(record)
    if len(fields) < 2 or not fields[0]:
        raise BadFile("SHAPE", "an account record (03) without a number", row=record.row)
    currency = currency_of(fields[1] or group.currency, record.row)
    account = _Account(fields[0], currency, record.row, records=record.rows)
    rest = fields[2:]
    while any(rest):
        code, amount, _, *rest = [*rest, "", ""]
        rest = _after_funds(rest, record)
        if amount:
            value = _amount(amount, record)
            account.total += value
            account.balances[code] = value
    return account


def _detail(record: _Record, account: _Account, group: _Group) -> None:
    # Text may hold commas, so only the fields before it are split.
    code, amount, *rest = [*_fields(record), ""]
    account.records += record.rows
    value = _amount(amount, record) if amount else 0
    account.total += value
    if code == _INFORMATION:
        return
    bank, customer, *texts = [*_after_funds(rest, record), "", ""]
    account.lines.append(
        BankLine(
            id="",
            account=account.number,
            currency=account.currency,
            amount=_sign(code, record) * value,
            booked_on=group.day,
            value_date=None,
            descriptor=" ".join(" ".join(texts).split()),
            references=tuple(dict.fromkeys(one for one in (customer, bank) if one)),
            returned=code in _RETURNED,
            row_sha256=hashlib.sha256("\n".join(record.raw).encode()).hexdigest(),
            bank_code=code,
        )
    )


def _after_funds(fields: Sequence[str], record: _Record) -> list[str]:
    """What follows the funds type, whose own fields (availability) are left out."""
    kind, *rest = [*fields, ""]
    if kind == "V":
        return rest[2:]
    if kind == "S":
        return rest[3:]
    if kind == "D":
        count = _amount(rest[0] if rest else "", record)
        return rest[1 + 2 * count :]
    if kind not in {"", "Z", "0", "1", "2"}:
        raise BadFile("SHAPE", f"unknown funds type {kind!r}", row=record.row)
    return rest


def _amount(text: str, record: _Record) -> int:
    if not _AMOUNT.fullmatch(text):
        raise BadFile("AMOUNT", f"{text!r} in a record {record.code} is not a whole number", row=record.row)
    return bounded(int(text), record.row, f"a record {record.code} with")


def _sign(code: str, record: _Record) -> int:
    number = int(code) if re.fullmatch(r"\d{3}", code) else 0
    if 100 <= number <= 399 or 920 <= number <= 959:
        return 1
    if 400 <= number <= 699 or 960 <= number <= 999:
        return -1
    raise BadFile("SHAPE", f"type code {code!r} is neither a credit nor a debit", row=record.row)


def _check(record: _Record, found: Sequence[int], names: Sequence[str]) -> None:
    fields = _fields(record)
    for place, (name, value) in enumerate(zip(names, found, strict=True)):
        told = _amount(fields[place] if place < len(fields) else "", record)
        if told != value:
            text = (
                f"record {record.code} says {name} {told}, the file makes {value}; it was cut off or changed"
            )
            raise BadFile("TOTALS", text, row=record.row)


def _statement(account: _Account, group: _Group, ids: ContentIds) -> Statement:
    opening, closing = account.balances.get(_OPENING), account.balances.get(_CLOSING)
    statement = Statement(
        account=account.number,
        currency=account.currency,
        reference=f"{group.day:%Y%m%d}",
        lines=with_ids(account.lines, ids),
        opening=opening,
        closing=closing,
        opened_on=group.day,
        closed_on=group.day,
    )
    # A report without details, or of a day that is not over, has balances that its lines do not explain.
    return statement if group.interim or not account.lines else adding_up(statement, account.row)
