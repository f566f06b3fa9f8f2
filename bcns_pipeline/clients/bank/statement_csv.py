"""Bank lines in our own CSV, for banks that have none of the other formats: docs/payout-csv.md describes it.

Put the reading of that one format here. Amounts are in major units with a decimal point and a sign: + came in.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from bcns_pipeline.clients.bank.lines import with_ids
from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.table import Row, table
from bcns_pipeline.clients.files.values import ContentIds, Once, currency_of, date_of, minor_of

NEEDED: Final = ("account", "currency", "booked_on", "amount", "description")
OPTIONAL: Final = ("id", "value_date", "references", "returned")
_TRUTH: Final = {"": False, "no": False, "false": False, "0": False, "yes": True, "true": True, "1": True}


def read_bank_csv(text: str) -> list[Statement]:
    """One statement per account and currency. BadFile for anything unclear."""
    found: dict[tuple[str, str], list[BankLine]] = defaultdict(list)
    once = Once("id")
    # On most days nothing happens on some accounts.
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    for row in table(text, NEEDED, delimiter=delimiter, may_be_empty=True):
        unknown = sorted(name for name in row.values if name and name not in NEEDED and name not in OPTIONAL)
        if unknown:
            raise BadFile("COLUMNS", f"column {unknown[0]} is not one of docs/payout-csv.md", row=1)
        line = _line(row)
        if line.id:
            once(f"{line.account} {line.id}", row.number)
        found[line.account, line.currency].append(line)
    ids = ContentIds()
    return [
        Statement(account, currency, "", with_ids(lines, ids)) for (account, currency), lines in found.items()
    ]


def _line(row: Row) -> BankLine:
    currency = currency_of(row["currency"], row.number)
    if row["returned"].lower() not in _TRUTH:
        raise BadFile("SHAPE", f"returned {row['returned']!r} is neither yes nor no", row=row.number)
    return BankLine(
        id=row["id"],
        account=row.need("account"),
        currency=currency,
        amount=minor_of(row["amount"], currency, row.number, "amount"),
        booked_on=date_of(row["booked_on"], row.number, "booked_on"),
        value_date=date_of(row["value_date"], row.number, "value_date") if row["value_date"] else None,
        descriptor=row["description"],
        references=tuple(dict.fromkeys(filter(None, (one.strip() for one in row["references"].split("|"))))),
        returned=_TRUTH[row["returned"].lower()],
        row_sha256=row.sha256,
    )
