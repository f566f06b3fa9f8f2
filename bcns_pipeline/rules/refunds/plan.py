"""From a refund to the records that it becomes in NetSuite, or to what it waits for.

Put here which records there are and how they hang together. Do not put their bodies here (`bodies.py`), nor amounts
(`shares.py`). Two ways, chosen by what the order has become (docs/adr/008-refunds.md): what was sold is credited and
the credit settled per payment; what was never billed is paid back out of its deposit and taken off the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import refund_close_key, refund_key, refund_payment_key
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.policy import CASH_SALE, Channel, OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds import bodies
from bcns_pipeline.rules.refunds.books import BILLED, Books
from bcns_pipeline.rules.refunds.credit import Credit, credit_lines
from bcns_pipeline.rules.refunds.cut import Cut, cut_order
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.router import STORED_VALUE, Settlement
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import OrderTax

Route = Literal["credit_memo", "cash_refund", "deposit"]
JOURNAL: Final = "journalEntry"
CREDIT_MEMO: Final = "creditMemo"
CASH_REFUND: Final = "cashRefund"
CUSTOMER_REFUND: Final = "customerRefund"


@dataclass(frozen=True, slots=True)
class Settles:
    """Of another record of ours, by key: so much of it is settled. `sublist`: apply or deposit."""

    key: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """One record to be there. `n` is the payment that it settles, 0 for the credit itself.

    `settles` name records by key; their ids go into the body's `apply` when it is sent.
    """

    record: str
    key: str
    n: int
    amount: Money
    body: Mapping[str, Any] = field(repr=False)
    account: int | None = None
    way: str = ""
    provider: str = ""
    references: tuple[str, ...] = ()
    settles: tuple[Settles, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """All records of a refund, in the order in which they are made. `later` are payments that wait for a provider.

    `cut` takes what was never billed off the sales order; None where nothing has to be.
    """

    route: Route
    records: tuple[RefundRecord, ...]
    later: tuple[Settlement, ...] = ()
    cut: Cut | None = None
    cut_key: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the plan of one refund depends on. `earlier`: shares of the order's refunds before it.

    `whole`: with this refund all of the order went back. `credited_before`: an earlier refund was credited. `seen` are
    payments (by their `n`) that a payment provider has shown as paid back. `begun` are our records that NetSuite has
    already, {key: record}: a refund that was begun one way is never finished the other way.
    """

    store: str
    refund: Refund
    shares: tuple[Share, ...]
    earlier: tuple[tuple[Share, ...], ...]
    whole: bool
    credited_before: bool
    settlements: tuple[Settlement, ...]
    books: Books
    tax: OrderTax
    account: Account
    channel: Channel
    on: date
    seen: frozenset[int] = frozenset()
    begun: Mapping[str, str] = field(default_factory=dict)


def plan_refund(case: Case, orders: OrderPolicy, policy: RefundPolicy) -> RefundPlan | list[Problem]:
    """The records of a refund, or everything that stands in its way."""
    unbilled = _unbilled(case)
    if isinstance(unbilled, Problem):
        return [unbilled]
    if unbilled:
        return _from_deposit(case, policy)
    early = _capture_missing(case, policy)
    if early is not None:
        return [early]
    credit = credit_lines(case.shares, case.earlier, case.tax, case.account, case.channel, orders, policy)
    if isinstance(credit, list):
        return credit
    if credit.amount != case.refund.total.amount:
        said = f"Its lines come to {credit.amount}, and it gives back {case.refund.total}."
        return [Problem("REFUND_DOES_NOT_ADD", said)]
    if case.books.record == CASH_SALE and _one_payment(case):
        return _cash_refund(case, credit, policy)
    return _credit_memo(case, credit, policy)


def _unbilled(case: Case) -> bool | Problem:
    """Whether the refund takes back nothing but what will never be billed."""
    books, refund = case.books, case.refund
    if books.record == CASH_SALE or refund_key(case.store, refund.id) in case.begun:
        return False
    if CUSTOMER_REFUND.lower() in case.begun.values():
        return True  # out of a deposit: a credit is always there before its money
    if books.status == BILLED:
        return False
    if case.whole and books.untouched:
        if case.credited_before:
            said = "The whole order goes back and nothing of it was billed, but an earlier refund of it was credited."
            return Problem("REFUND_NOT_BILLED", said)
        return True
    cancelled = {line_id: min(units, _open_units(books, line_id)) for line_id, units in refund.units.items()}
    if not any(cancelled.values()):
        return False
    if cancelled != refund.units or any(one.role not in _CUTS for one in case.shares):
        said = "It takes back units that were not billed together with something that only a credit can give back."
        return Problem("REFUND_NOT_BILLED", said)
    return True


_CUTS: Final = frozenset({"product", "shipping", "handling", "wrapping", "fee"})


def _open_units(books: Books, line_id: int) -> int:
    shown = books.lines.get(str(line_id))
    return 0 if shown is None or shown.closed else max(int(shown.quantity - shown.untouchable), 0)


def _capture_missing(case: Case, policy: RefundPolicy) -> Problem | None:
    """The payment that is given back must be booked first: else its clearing account would be short of it."""
    if case.books.record == CASH_SALE or not policy.wait_for_capture:
        return None
    for one in case.settlements:
        if one.way in ("gateway", "external") and one.captured_by not in case.books.deposits:
            said = f"The payment of {one.amount} through {one.provider} that it gives back is not booked yet."
            return Problem("REFUND_BEFORE_CAPTURE", said, f"capture:{one.captured_by}")
    return None


def _one_payment(case: Case) -> bool:
    return len(case.settlements) == 1 and case.settlements[0].way not in (*STORED_VALUE, "external")


def _cash_refund(case: Case, credit: Credit, policy: RefundPolicy) -> RefundPlan:
    paid, key = case.settlements[0], refund_key(case.store, case.refund.id)
    body = bodies.cash_refund(
        key, case.refund, case.books, credit, case.channel, paid.account, case.on, policy
    )
    record = RefundRecord(
        CASH_REFUND,
        key,
        paid.n,
        case.refund.total,
        body,
        paid.account,
        paid.way,
        paid.provider,
        paid.references,
    )
    return RefundPlan("cash_refund", (record,))


def _credit_memo(case: Case, credit: Credit, policy: RefundPolicy) -> RefundPlan | list[Problem]:
    """Journals of stored value, then the credit memo that is applied to them, then the money."""
    key = refund_key(case.store, case.refund.id)
    journals: list[RefundRecord] = []
    money: list[RefundRecord] = []
    later: list[Settlement] = []
    for one in case.settlements:
        settled = refund_payment_key(case.store, case.refund.id, one.n)
        if one.way in STORED_VALUE:
            if policy.receivable is None:
                return [_no_receivable()]
            body = bodies.journal(
                settled,
                case.refund,
                case.books,
                policy.receivable,
                one.account,
                one.amount,
                case.on,
                policy,
                receivable=True,
            )
            journals.append(_settling(JOURNAL, settled, one, body))
        elif one.way == "external" and one.n not in case.seen:
            later.append(one)
        else:
            body = bodies.customer_refund(settled, case.refund, case.books, one, case.on, policy)
            money.append(_settling(CUSTOMER_REFUND, settled, one, body, Settles(key, one.amount.amount)))
    memo = RefundRecord(
        CREDIT_MEMO,
        key,
        0,
        case.refund.total,
        bodies.credit_memo(key, case.refund, case.books, credit, case.channel, case.on, policy),
        settles=tuple(Settles(one.key, one.amount.amount) for one in journals),
    )
    return RefundPlan("credit_memo", (*journals, memo, *money), tuple(later))


def _from_deposit(case: Case, policy: RefundPolicy) -> RefundPlan | list[Problem]:
    """What was never billed: its deposits are paid back, and the order is cut by what they were for."""
    records: list[RefundRecord] = []
    for one in case.settlements:
        deposit = case.books.deposits.get(one.captured_by or 0)
        if one.way not in ("gateway", "external", "marketplace"):
            said = f"{one.amount} goes back as {one.way.replace('_', ' ')}, and the order was not billed."
            return [Problem("REFUND_NOT_BILLED", said)]
        if deposit is None:
            said = f"The payment of {one.amount} through {one.provider} that it gives back is not booked yet."
            return [Problem("REFUND_BEFORE_CAPTURE", said, f"capture:{one.captured_by}")]
        key = refund_payment_key(case.store, case.refund.id, one.n)
        if deposit.open < one.amount and key not in case.begun:
            said = f"{one.amount} would go back out of a deposit of which {deposit.open} are left."
            return [Problem("REFUND_EXCEEDS_CAPTURE", said)]
        body = bodies.customer_refund(key, case.refund, case.books, one, case.on, policy)
        sublist = "deposit" if deposit.record == "customerdeposit" else "apply"
        body[sublist] = bodies.applied([(deposit.id, one.amount.amount)])
        records.append(_settling(CUSTOMER_REFUND, key, one, body))
    cut = cut_order(case.books, case.shares, case.tax, case.earlier, whole=case.whole)
    if isinstance(cut, Problem):
        return [cut]
    return RefundPlan(
        "deposit", tuple(records), cut=cut, cut_key=refund_close_key(case.store, case.refund.id)
    )


def _settling(
    record: str, key: str, one: Settlement, body: Mapping[str, Any], *settles: Settles
) -> RefundRecord:
    return RefundRecord(
        record, key, one.n, one.amount, body, one.account, one.way, one.provider, one.references, settles
    )


def _no_receivable() -> Problem:
    said = "Stored value is given back through A/R; name its account as cash.refunds.receivable."
    return Problem("REFUND_UNMAPPED", said, "account:cash.refunds.receivable")


def settled_in_full(records: Sequence[RefundRecord], total: Money) -> bool:
    """Whether the settlements of a credit come to it, so that nothing of it is left open."""
    paid = sum((one.amount.minor for one in records if one.n), 0)
    return paid == total.minor
