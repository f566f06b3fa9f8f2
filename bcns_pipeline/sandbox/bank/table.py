"""A statement as a table, for banks that speak none of the bankers' formats.

Put columns here. Do not put what is booked here. Amounts are in major units with a point and a sign.
"""

from __future__ import annotations

import csv
import io

from bcns_pipeline.sandbox.bank.models import Statement
from bcns_pipeline.sandbox.payments.units import major

COLUMNS = (
    "account",
    "currency",
    "booked_on",
    "value_date",
    "amount",
    "description",
    "references",
    "returned",
    "id",
)


def render(one: Statement) -> bytes:
    """The table, without balances."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for entry in one.entries:
        rows.writerow(
            [
                one.account.number,
                entry.currency,
                entry.booked.isoformat(),
                entry.value.isoformat(),
                major(entry.amount, entry.currency),
                f"{entry.text} {entry.payer}",
                entry.reference,
                "yes" if entry.returned else "no",
                entry.id,
            ]
        )
    return out.getvalue().encode()
