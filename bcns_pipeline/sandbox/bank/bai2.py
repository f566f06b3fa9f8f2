"""A statement as BAI2, the format of banks in the United States.

Put records here. Do not put what is booked here. Amounts are whole minor units without a point, the type code gives
the sign, and each level ends with its control total and its number of records.
"""

from __future__ import annotations

from datetime import datetime

from bcns_pipeline.sandbox.bank.models import Entry, Statement

CREDIT, DEBIT, RETURNED_CREDIT, RETURNED_DEBIT = "142", "455", "557", "257"
OPENING, CLOSING = "010", "015"
SENDER, RECEIVER = "021000021", "SANDBOXTRADING"


def render(one: Statement, made: datetime) -> bytes:
    """One file, a group for each day with entries, or for the last day where there are none."""
    days = sorted({entry.booked for entry in one.entries}) or [one.until]
    lines = [f"01,{SENDER},{RECEIVER},{made:%y%m%d},{made:%H%M},{one.number},,,2/"]
    balance, sums = one.opening, 0
    for day in days:
        entries = [entry for entry in one.entries if entry.booked == day]
        closing = balance + sum(entry.amount for entry in entries)
        records = [f"02,{RECEIVER},{SENDER},1,{day:%y%m%d},,{one.account.currency},2/"]
        account = [
            f"03,{one.account.number},{one.account.currency},{OPENING},{balance},,,{CLOSING},{closing},,/"
        ]
        for entry in entries:
            account += _entry(entry)
        total = balance + closing + sum(abs(entry.amount) for entry in entries)
        account.append(f"49,{total},{len(account) + 1}/")
        records += account
        records.append(f"98,{total},1,{len(records) + 1}/")
        lines += records
        balance, sums = closing, sums + total
    lines.append(f"99,{sums},{len(days)},{len(lines) + 1}/")
    return ("\n".join(lines) + "\n").encode()


def _entry(one: Entry) -> list[str]:
    if one.returned:
        code = RETURNED_CREDIT if one.amount < 0 else RETURNED_DEBIT
    else:
        code = DEBIT if one.amount < 0 else CREDIT
    plain = one.text.replace(",", " ").replace("/", " ")
    value = one.value.strftime("%y%m%d")
    return [f"16,{code},{abs(one.amount)},V,{value},,{one.id},{one.reference},{plain}", f"88,{one.payer}"]
