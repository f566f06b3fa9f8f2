"""Statements written as the files that banks send: the other direction of every reader."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import escape

from bcns_pipeline.clients.bank.models import BankLine, Statement

DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}


def major(minor: int, currency: str, mark: str = ".") -> str:
    return f"{Decimal(minor).scaleb(-DIGITS[currency]):f}".replace(".", mark)


def camt(statements: Sequence[Statement], version: str = "08") -> str:
    parts = []
    for one in statements:
        status = "<Sts><Cd>BOOK</Cd></Sts>" if version == "08" else "<Sts>BOOK</Sts>"
        balances = "".join(
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_money(amount, one.currency)}"
            f"<Dt><Dt>{day}</Dt></Dt></Bal>"
            for code, amount, day in (
                ("OPBD", one.opening, one.opened_on),
                ("CLBD", one.closing, one.closed_on),
            )
            if amount is not None
        )
        entries = "".join(
            f"<Ntry>{_money(line.amount, line.currency)}<RvslInd>{str(line.returned).lower()}</RvslInd>{status}"
            f"<BookgDt><Dt>{line.booked_on}</Dt></BookgDt><ValDt><DtTm>{line.value_date}T00:00:00Z</DtTm></ValDt>"
            f"<AcctSvcrRef>{escape(line.references[0])}</AcctSvcrRef>"
            f"<BkTxCd><Prtry><Cd>{line.bank_code}</Cd></Prtry></BkTxCd>"
            f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(line.references[1])}</EndToEndId></Refs>"
            f"<RmtInf><Ustrd>{escape(line.descriptor)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
            for line in one.lines
        )
        parts.append(
            f"<Stmt><Id>{one.reference}</Id><Acct><Id><IBAN>{one.account}</IBAN></Id><Ccy>{one.currency}</Ccy></Acct>"
            f"{balances}{entries}</Stmt>"
        )
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{space}"><BkToCstmrStmt>{"".join(parts)}'
        "</BkToCstmrStmt></Document>"
    )


def _money(amount: int, currency: str) -> str:
    side = "CRDT" if amount >= 0 else "DBIT"
    return f'<Amt Ccy="{currency}">{major(abs(amount), currency)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def mt940(statements: Sequence[Statement]) -> str:
    lines = []
    for one in statements:
        lines += [f":20:{one.reference}", f":25:{one.account}", ":28C:1/1"]
        lines.append(f":60F:{_balance(one.opening, one.opened_on, one.currency)}")
        for line in one.lines:
            side = "C" if line.amount >= 0 else "D"
            # The reversal of a credit takes money, the reversal of a debit brings it.
            mark = {"C": "RD", "D": "RC"}[side] if line.returned else side
            lines.append(
                f":61:{line.value_date:%y%m%d}{line.booked_on:%m%d}{mark}{_amount(line.amount, one.currency)}"
                f"{line.bank_code}{line.references[0]}//{line.references[1]}"
            )
            lines.append(f":86:{line.descriptor}")
        lines += [f":62F:{_balance(one.closing, one.closed_on, one.currency)}", "-"]
    return "\r\n".join(lines) + "\r\n"


def _balance(amount: int | None, day: object, currency: str) -> str:
    assert amount is not None
    return f"{'C' if amount >= 0 else 'D'}{day:%y%m%d}{currency}{_amount(amount, currency)}"


def _amount(amount: int, currency: str) -> str:
    text = major(abs(amount), currency, ",")
    return text if "," in text else text + ","


def bai2(statements: Sequence[Statement]) -> str:
    """A file with one group per statement."""
    lines = ["01,BANK,US,260305,0600,1,80,1,2/"]
    total = 0
    for one in statements:
        assert one.opening is not None
        assert one.closing is not None
        account = one.opening + one.closing + sum(abs(line.amount) for line in one.lines)
        lines.append(f"02,US,BANK,1,{one.closed_on:%y%m%d},2359,{one.currency},2/")
        first = len(lines)
        lines.append(f"03,{one.account},{one.currency},010,{one.opening},,Z,015,{one.closing},,/")
        for line in one.lines:
            half = len(line.descriptor) // 2
            lines.append(
                f"16,{line.bank_code},{abs(line.amount)},V,260305,1200,{line.references[1]},{line.references[0]},"
                f"{line.descriptor[:half]}"
            )
            lines.append(f"88,{line.descriptor[half:].strip()}")
        lines.append(f"49,{account},{len(lines) - first + 1}/")
        lines.append(f"98,{account},1,{len(lines) - first + 2}/")
        total += account
    lines.append(f"99,{total},{len(statements)},{len(lines) + 1}/")
    return "\n".join(lines) + "\n"


def bank_csv(lines: Sequence[BankLine]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ("account", "currency", "booked_on", "value_date", "amount", "description", "references", "returned")
    )
    for line in lines:
        writer.writerow(
            (
                *(
                    line.account,
                    line.currency,
                    line.booked_on,
                    line.value_date,
                    major(line.amount, line.currency),
                ),
                *(line.descriptor, "|".join(line.references), "yes" if line.returned else "no"),
            )
        )
    return out.getvalue()
