"""What each transaction does to the ledger: its accounts, debits and credits, in both currencies.

Put the general ledger's impact of a type here, as a pure function of the transaction. Do not put rules of a type
or SuiteQL rows here. Sources: facts/finance.md 2.2 and 2.7: receivables and deposits are cleared at the rate at
which they were booked, and what the rates have moved since is a realised gain or loss. Every entry balances in
the base currency; where each line is rounded on its own, the account's rounding account takes what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite import chart, kinds
from bcns_pipeline.sandbox.netsuite.claims import Claim
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Posting, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref


@dataclass(frozen=True, slots=True)
class Extra:
    """A row of a sale that is no line: header discount, shipping, handling, or the tax of one code."""

    id: int
    name: str
    amount: Decimal
    item: int | None
    account: int

    @property
    def is_tax(self) -> bool:
        """Whether it is a tax row."""
        return self.name.startswith("tax")


def extras(sale: Transaction) -> list[Extra]:
    """The rows that a sale has besides its lines."""
    totals, method = sale.totals, ref_id(sale.values.get("shipMethod"))
    found = [
        ("discount", totals.discount, ref_id(sale.values.get("discountItem")), chart.DISCOUNTS),
        ("shipping", totals.shipping, method, chart.SHIPPING),
        ("handling", totals.handling, method, chart.SHIPPING),
    ]
    by_code: dict[int, Decimal] = {}
    for tax in sale.taxes:
        by_code[tax.code.id] = by_code.get(tax.code.id, ZERO) + tax.amount
    found += [(f"tax{code}", amount, None, chart.TAX) for code, amount in by_code.items()]
    return [
        Extra(sale.extra_line(name), name, amount, item, account)
        for name, amount, item, account in found
        if amount or name.startswith("tax") or (name == "shipping" and method)
    ]


def post(transaction: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:
    """All postings of a transaction, its main line first; `precision` is the base currency's.

    `claims` are what it applies. A voided transaction posts nothing.
    """
    make = MAKERS.get(transaction.kind.record)
    if make is None or transaction.voided:
        return []
    found = [one for one in make(transaction, claims, precision) if one.base or one.foreign or not one.line]
    short = sum((one.base for one in found), ZERO)
    if short:
        # The main line stands; the difference is a gain or loss where rates differ, else one of rounding.
        moved = bool(claims) and transaction.kind is not kinds.JOURNAL
        account = chart.GAIN_LOSS if moved else chart.ROUNDING
        name = "gain" if account == chart.GAIN_LOSS else "rounding"
        found.append(Posting(transaction.extra_line(name), account, -short, ZERO))
    return found


def _sale(sale: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:
    """Invoices and cash sales debit receivables or a bank, credit memos and cash refunds the other way round."""
    sign, rate = sale.kind.sign, sale.exchange_rate
    total = sale.totals.total
    on_account = sale.kind in (kinds.INVOICE, kinds.CREDIT_MEMO)
    main = chart.AR if on_account else money_account(sale)
    base = sign * rounded(total * rate, precision)
    if claims and sale.kind is kinds.CREDIT_MEMO:
        base = -_settled(sale, claims)
    found = [Posting(0, main, base, sign * total, sale.entity, sale.values.get("memo"))]
    parts = [
        (line.id, line.item.income, line.amount, line.values.get("description"))
        for line in sale.lines
        if line.item is not None and line.amount
    ]
    parts += [(one.id, one.account, one.amount, None) for one in extras(sale) if one.amount]
    for number, account, amount, memo in parts:
        worth = rounded(amount * rate, precision)
        found.append(Posting(number, account, -sign * worth, -sign * amount, None, memo))
    if not claims and len(found) > 1:
        # Lines rounded one by one add up to a cent more or less than the total: the largest line takes it.
        short = sum((one.base for one in found), ZERO)
        largest = max(found[1:], key=lambda one: abs(one.base))
        largest.base -= short
    return found


def _deposit(deposit: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:  # noqa: ARG001
    amount = deposit.totals.total
    base = rounded(amount * deposit.exchange_rate, precision)
    memo = deposit.values.get("memo")
    return [
        Posting(0, money_account(deposit), base, amount, deposit.entity, memo),
        Posting(1, chart.DEPOSITS, -base, -amount, deposit.entity, memo),
    ]


def _application(made: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:  # noqa: ARG001
    amount = sum((claim.amount for claim in claims), ZERO)
    held = sum((claim.credit_base for claim in claims), ZERO)
    owed = sum((claim.debit_base for claim in claims), ZERO)
    return [
        Posting(0, chart.DEPOSITS, held, amount, made.entity),
        Posting(1, chart.AR, -owed, -amount, made.entity),
    ]


def _payment(payment: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:
    amount = payment.totals.total
    base = rounded(amount * payment.exchange_rate, precision)
    memo = payment.values.get("memo")
    return [
        Posting(0, money_account(payment), base, amount, payment.entity, memo),
        Posting(1, chart.AR, -_settled(payment, claims), -amount, payment.entity, memo),
    ]


def _refund(refund: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:
    """Money leaves a bank; what it pays back is cleared at the worth at which it was booked."""
    amount = refund.totals.total
    paid = rounded(amount * refund.exchange_rate, precision)
    found = [Posting(0, money_account(refund), -paid, -amount, refund.entity, refund.values.get("memo"))]
    deposits = set(refund.values.get("deposits", ()))
    for line, account, parts in (
        (1, chart.AR, [one for one in claims if one.credit[0] not in deposits]),
        (2, chart.DEPOSITS, [one for one in claims if one.credit[0] in deposits]),
    ):
        worth = sum((one.credit_base for one in parts), ZERO)
        found.append(Posting(line, account, worth, sum((one.amount for one in parts), ZERO), refund.entity))
    return found


def _journal(journal: Transaction, claims: Sequence[Claim], precision: int) -> list[Posting]:  # noqa: ARG001
    rate = journal.exchange_rate
    return [
        Posting(
            one.id,
            one.account,
            rounded(one.amount * rate, precision),
            one.amount,
            one.entity,
            one.values.get("memo"),
        )
        for one in journal.entries
    ]


def _settled(credit: Transaction, claims: Sequence[Claim]) -> Decimal:
    """What a payment or credit memo takes off receivables: debits at their own rates, what is left at its rate."""
    rest = credit.totals.base - sum((claim.credit_base for claim in claims), ZERO)
    return rest + sum((claim.debit_base for claim in claims), ZERO)


def money_account(transaction: Transaction) -> int:
    """The account that money comes to or leaves: the one named, else Undeposited Funds."""
    chosen = ref_id(transaction.values.get("account"))
    if chosen is None or transaction.values.get("undepFunds") == "T":
        return chart.UNDEPOSITED
    return chosen


def ref_id(value: Any) -> int | None:
    """The id of a reference."""
    return value.id if isinstance(value, Ref) else None


Maker = Callable[[Transaction, Sequence[Claim], int], list[Posting]]
MAKERS: dict[str, Maker] = {
    kinds.INVOICE.record: _sale,
    kinds.CASH_SALE.record: _sale,
    kinds.CREDIT_MEMO.record: _sale,
    kinds.CASH_REFUND.record: _sale,
    kinds.DEPOSIT.record: _deposit,
    kinds.APPLICATION.record: _application,
    kinds.PAYMENT.record: _payment,
    kinds.REFUND.record: _refund,
    kinds.JOURNAL.record: _journal,
}
