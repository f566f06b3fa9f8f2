"""A statement as SWIFT MT940.

Put fields here. Do not put what is booked here. Amounts are unsigned with a comma; C and D give the sign, RC and RD
take back what was booked before.
"""

from __future__ import annotations

from bcns_pipeline.sandbox.bank.models import Entry, Statement
from bcns_pipeline.sandbox.payments.units import major

WIDTH = 65


def render(one: Statement) -> bytes:
    """The message."""
    lines = [
        f":20:STMT{one.until:%y%m%d}{one.number:03d}",
        f":25:{one.account.number}",
        f":28C:{one.number:05d}/001",
        f":60F:{_balance(one.opening, one, one.since.strftime('%y%m%d'))}",
    ]
    for entry in one.entries:
        lines += _entry(entry)
    until = one.until.strftime("%y%m%d")
    lines += [
        f":62F:{_balance(one.closing, one, until)}",
        f":64:{_balance(one.closing, one, until)}",
        "-",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def _amount(value: int, currency: str) -> str:
    text = str(abs(major(value, currency))).replace(".", ",")
    return text if "," in text else text + ","


def _balance(value: int, one: Statement, day: str) -> str:
    currency = one.account.currency
    return f"{'D' if value < 0 else 'C'}{day}{currency}{_amount(value, currency)}"


def _entry(one: Entry) -> list[str]:
    mark = "D" if one.amount < 0 else "C"
    if one.returned:
        # A credit that is taken back is a reversal of a credit, and the other way round.
        mark = "RC" if one.amount < 0 else "RD"
    reference = (one.reference or "NONREF")[:16]
    head = (
        f":61:{one.value:%y%m%d}{one.booked:%m%d}{mark}{_amount(one.amount, one.currency)}"
        f"NTRF{reference}//{one.id}"
    )
    words = f"{one.text} {one.payer}"
    parts = [words[start : start + WIDTH] for start in range(0, len(words), WIDTH)]
    return [head, f":86:{parts[0]}", *parts[1:]]
