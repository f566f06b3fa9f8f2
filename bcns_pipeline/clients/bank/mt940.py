"""MT940, the SWIFT customer statement, by the library mt-940.

Put here what the library's result becomes, and what is checked because it is lenient: it takes two lines without a
type for one, and reads on where a statement is cut off. Banks write the format in many dialects, which it knows.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

import mt940
from mt940.options import Options

from bcns_pipeline.clients.bank.lines import adding_up, with_ids
from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.values import ContentIds, currency_of, minor_of

_START: Final = re.compile(r"(?m)^(?=:20:)")
_ENTRY: Final = re.compile(r"(?ms)^:61:.*?(?=^:(?!86:)\w{2,3}:|^-\}?$|\Z)")
_NO_ID: Final = frozenset({"NONREF", "NOTPROVIDED", ""})
# SWIFT's type for a returned item; what follows F, N or S is the type.
_RETURNED: Final = "RTI"


def read_mt940(text: str) -> list[Statement]:
    """One statement per :20:. BadFile for anything unclear."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    ids = ContentIds()
    found: list[Statement] = []
    row = 1
    for block in _START.split(text):
        if block.startswith(":20:"):
            found.append(_statement(block, row, ids))
        row += block.count("\n")
    if not found:
        raise BadFile("TRUNCATED", "no statement (:20:) in the file")
    return found


def _statement(block: str, row: int, ids: ContentIds) -> Statement:
    entries = _ENTRY.findall(block)
    try:
        (parsed,) = mt940.parse_statements(block, options=Options.all())
    except (
        Exception
    ):  # the library raises what its patterns raise; each means that a field is not as it must be
        raise BadFile("SHAPE", "a field of the statement that begins here is not MT940", row=row) from None
    known: dict[str, Any] = parsed.data
    account = str(known.get("account_identification") or "").strip()
    if not account:
        raise BadFile("SHAPE", "the statement that begins here names no account (:25:)", row=row)
    opening, closing = (_balance(known, what, row) for what in ("opening", "closing"))
    if opening is None or closing is None:
        missing = ":60F: or :60M:" if opening is None else ":62F: or :62M:"
        raise BadFile("TRUNCATED", f"the statement that begins here has no {missing}; it is cut off", row=row)
    if len(entries) != len(parsed.transactions):
        text = f"the statement that begins here has {len(entries)} lines (:61:), {len(parsed.transactions)} can be read"
        raise BadFile("SHAPE", text, row=row)
    currency = opening[0]
    if closing[0] != currency:
        raise BadFile("CURRENCY", f"it opens in {currency} and closes in {closing[0]}", row=row)
    lines = [
        _line(one.data, entry, account, currency, row) for one, entry in zip(parsed, entries, strict=True)
    ]
    return adding_up(
        Statement(
            account=account,
            currency=currency,
            reference=str(known.get("transaction_reference") or ""),
            lines=with_ids(lines, ids),
            opening=opening[1],
            closing=closing[1],
            opened_on=opening[2],
            closed_on=closing[2],
        ),
        row,
    )


def _balance(known: dict[str, Any], what: str, row: int) -> tuple[str, int, date] | None:
    found = known.get(f"final_{what}_balance") or known.get(f"intermediate_{what}_balance")
    if found is None or found.amount is None or found.date is None:
        return None
    currency = currency_of(str(found.amount.currency), row, f"{what} balance")
    return currency, _minor(found.amount.amount, currency, row), _day(found.date)


def _line(known: dict[str, Any], entry: str, account: str, currency: str, row: int) -> BankLine:
    kind, status = str(known.get("id") or ""), str(known.get("status") or "")
    references = [str(known.get(name) or "").strip() for name in ("customer_reference", "bank_reference")]
    references += [
        str(known.get(name) or "").strip()
        for name in ("end_to_end_reference", "additional_position_reference")
    ]
    texts = [
        known.get(name) for name in ("transaction_details", "purpose", "applicant_name", "extra_details")
    ]
    return BankLine(
        id="",
        account=account,
        currency=currency,
        amount=_minor(known["amount"].amount, currency, row),
        booked_on=_day(known.get("entry_date") or known["date"]),
        value_date=_day(known["date"]),
        descriptor=" ".join(" ".join(str(text) for text in texts if text).split()),
        references=tuple(dict.fromkeys(one for one in references if one not in _NO_ID)),
        returned=status.upper().startswith("R") or kind[1:] == _RETURNED,
        row_sha256=hashlib.sha256(entry.strip().encode()).hexdigest(),
        bank_code=kind,
    )


def _minor(amount: Decimal, currency: str, row: int) -> int:
    return minor_of(f"{amount:f}", currency, row, "amount")


def _day(found: date) -> date:
    """As a plain date, which compares and stores as one."""
    return date(found.year, found.month, found.day)
