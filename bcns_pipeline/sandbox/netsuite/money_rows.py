"""Money in SuiteQL: accounting lines, what is paid and open, lines of deposits, payments, refunds and journals.

Put the rows of the general ledger here. Do not put postings (postings.py) nor the rows of sales (rows.py) here.
Sources: facts/netsuite.md 2.4. An amount is signed, a debit positive; `amountunpaid` stands on the line that can be
settled, in the base currency, `foreignamountunpaid` of an invoice and `foreignpaymentamountunused` of a deposit,
payment or credit memo on the header, in its own. An entry that waits for approval is there with posting F.
The link types between a deposit, its application and an invoice are as Oracle's list has them; which side of a
payment stands first is unverified.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite import chart, kinds
from bcns_pipeline.sandbox.netsuite.claims import Claims
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Posting, Transaction
from bcns_pipeline.sandbox.netsuite.postings import ref_id

Row = dict[str, Any]
BOOK = 1
DEBITS = (kinds.INVOICE,)
CREDITS = (kinds.DEPOSIT, kinds.PAYMENT, kinds.CREDIT_MEMO)
# Transactions whose lines are postings and nothing else.
MONEY = frozenset(
    kind.record for kind in (kinds.DEPOSIT, kinds.APPLICATION, kinds.PAYMENT, kinds.REFUND, kinds.JOURNAL)
)
DIMENSIONS = ("department", "class", "location")
APPROVALS = {True: 1, False: 2}


class MoneyRows:
    """The rows that follow from postings and applications."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def header(self, transaction: Transaction) -> Row:
        """What of a transaction is paid or used, and how a journal stands."""
        row: Row = {}
        if transaction.kind in (*DEBITS, *CREDITS):
            used = self._claims.used((transaction.id, 0))
            left = ZERO if transaction.voided else transaction.totals.total - used
            names = ("foreignamountpaid", "foreignamountunpaid")
            if transaction.kind in CREDITS:
                names = ("foreignpaymentamountused", "foreignpaymentamountunused")
            row = dict(zip(names, (used, left), strict=True))
        if transaction.kind is kinds.JOURNAL:
            reversal = transaction.values.get("reversalDate")
            row = {
                "approvalstatus": APPROVALS[transaction.pending],
                "reversal": transaction.values.get("reversalEntry") or transaction.source,
                "reversaldate": None if reversal is None else datetime.combine(reversal, time()),
                "isreversal": "F" if transaction.source is None else "T",
            }
        return row

    def accounting(self, transaction: Transaction) -> Iterator[Row]:
        """One accounting line per posting."""
        for one in transaction.postings:
            row: Row = {
                "transaction": transaction.id,
                "transactionline": one.line,
                "accountingbook": BOOK,
                "account": one.account,
                "amount": one.base,
                "netamount": one.base,
                "debit" if one.base >= 0 else "credit": abs(one.base),
                "posting": "F" if transaction.pending else "T",
                "exchangerate": transaction.exchange_rate,
            }
            if self._settles(transaction, one):
                used = self._claims.used_base((transaction.id, one.line))
                row |= {"amountpaid": used, "amountunpaid": abs(self._worth(transaction, one)) - used}
            yield row

    def lines(self, transaction: Transaction) -> Iterator[Row]:
        """The lines of a transaction that is nothing but postings; a journal has no main line."""
        journal = transaction.kind is kinds.JOURNAL
        entries = {entry.id: entry for entry in transaction.entries}
        for sequence, one in enumerate(transaction.postings):
            row = self._line(transaction, one, main=not journal and one.line == 0)
            entry = entries.get(one.line)
            if entry is not None:
                row["uniquekey"] = entry.unique
                row |= {n: ref_id(v) for n, v in entry.values.items() if n in DIMENSIONS}
                row |= {n: v for n, v in entry.values.items() if n.startswith("custcol")}
            yield {**row, "linesequencenumber": sequence}

    def added(self, sale: Transaction) -> Iterator[Row]:
        """The gain, loss or rounding that the ledger adds to a sale."""
        for name in ("gain", "rounding"):
            number = sale.extra_lines.get(name)
            for one in sale.postings:
                if number is not None and one.line == number:
                    yield self._line(sale, one, main=False)

    def links(self, transaction: Transaction) -> Iterator[Row]:
        """What it settles, and what a refund pays back."""
        number = transaction.id
        for claim in self._claims.of(number):
            if claim.debit is not None:
                yield {"previousdoc": claim.debit[0], "nextdoc": number, "linktype": "Payment"}
            elif claim.credit[0] != number:
                yield {"previousdoc": claim.credit[0], "nextdoc": number, "linktype": "Payment"}

    def _line(self, transaction: Transaction, one: Posting, *, main: bool) -> Row:
        return {
            "id": one.line,
            "uniquekey": transaction.id * 1000 + one.line,
            "mainline": "T" if main else "F",
            "taxline": "F",
            "iscogs": "F",
            "isinventoryaffecting": "F",
            "entity": one.entity,
            "foreignamount": one.foreign,
            "netamount": one.base,
            "memo": one.memo,
        }

    def _settles(self, transaction: Transaction, one: Posting) -> bool:
        """Whether a line can be settled: the main line of a document, receivables of an approved journal."""
        if transaction.kind is kinds.JOURNAL:
            return one.account == chart.AR and not transaction.pending
        return one.line == 0 and transaction.kind in (*DEBITS, *CREDITS)

    def _worth(self, transaction: Transaction, one: Posting) -> Decimal:
        """What a line is worth at its own rate; a credit memo's posting is at the rates of what it settles."""
        if transaction.kind is kinds.JOURNAL:
            return one.base
        return transaction.totals.base
