"""What all statement formats have in common once they are read: ids of lines, and balances that must add up.

Put here what is said of lines and statements whichever bank wrote them; each format has its reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.values import ContentIds


def with_ids(lines: Sequence[BankLine], ids: ContentIds) -> tuple[BankLine, ...]:
    """The lines with their ids. A line's `id` is the bank's own id of the entry until then, "" where it gave none.

    A bank's id alone is no key: some repeat it within a batch. So account, day and amount are part of it.
    """
    made = []
    for line in lines:
        known = (line.id,) if line.id else (line.value_date, line.descriptor, *line.references)
        parts = (line.account, line.currency, line.booked_on, line.amount, *known)
        made.append(replace(line, id=ids("bank", parts)))
    return tuple(made)


def adding_up(statement: Statement, row: int) -> Statement:
    """The statement; BadFile TOTALS where opening balance and lines are not the closing balance."""
    if statement.opening is None or statement.closing is None:
        return statement
    moved = sum(line.amount for line in statement.lines)
    if statement.opening + moved != statement.closing:
        text = (
            f"account {statement.account} opens with {statement.opening}, its lines move {moved}, and it closes with "
            f"{statement.closing} {statement.currency} (minor units); lines are missing or were changed"
        )
        raise BadFile("TOTALS", text, row=row)
    return statement
