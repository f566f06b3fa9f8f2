"""From a refund to what it becomes in NetSuite, or to what it waits for.

Put the decision here: what is credited, what is paid back out of deposits, and what stands in the way. Do not put the
records here (`records.py`), nor amounts (`shares.py`), nor which of them are taken off an order (`parting.py`). Chosen
by what the order has become (docs/adr/008-refunds.md): what was sold is credited and the credit settled per payment;
what was never billed is paid back out of its deposits and taken off the order; a refund of both is both, and each of
its payments one record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import (
    refund_close_key,
    refund_key,
    refund_payment_key,
    refund_release_key,
)
from bcns_pipeline.rules.orders.policy import CASH_SALE, OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.books import BILLED
from bcns_pipeline.rules.refunds.case import Case
from bcns_pipeline.rules.refunds.credit import Credit, credit_lines
from bcns_pipeline.rules.refunds.cut import cut_order
from bcns_pipeline.rules.refunds.deposits import Drawn, draw
from bcns_pipeline.rules.refunds.parting import Parted, part
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.records import CUSTOMER_REFUND, RefundPlan, cash_refund, records
from bcns_pipeline.rules.refunds.router import STORED_VALUE
from bcns_pipeline.rules.refunds.shares import Share


def plan_refund(case: Case, orders: OrderPolicy, policy: RefundPolicy) -> RefundPlan | list[Problem]:
    """The records of a refund, or everything that stands in its way."""
    parted = _taken_off(case)
    if isinstance(parted, Problem):
        return [parted]
    if parted:
        return _from_deposit(case, parted, orders, policy)
    early = _capture_missing(case, policy)
    if early is not None:
        return [early]
    credit = _credit(case, case.shares, case.earlier, case.refund.total, orders, policy)
    if isinstance(credit, list):
        return credit
    if case.books.record == CASH_SALE and _one_payment(case):
        return cash_refund(case, credit, policy)
    nothing = Money.zero(case.refund.currency)
    drawn = {one.n: Drawn(nothing, one.amount) for one in case.settlements}
    return records(case, drawn, credit, policy)


def _credit(
    case: Case,
    shares: Sequence[Share],
    earlier: Sequence[Sequence[Share]],
    whole: Money,
    orders: OrderPolicy,
    policy: RefundPolicy,
) -> Credit | list[Problem]:
    found = credit_lines(shares, earlier, case.tax, case.account, case.channel, orders, policy)
    if isinstance(found, Credit) and found.amount != whole.amount:
        said = f"Its lines come to {found.amount}, and it gives back {whole}."
        return [Problem("REFUND_DOES_NOT_ADD", said)]
    return found


def _taken_off(case: Case) -> list[Parted] | Problem:
    """What this refund, and those before it, take off the order, as it will never be billed; nothing where it was."""
    books, currency = case.books, case.refund.currency
    memo = case.begun.get(refund_key(case.store, case.refund.id))
    if books.record == CASH_SALE or (memo is not None and memo.amount == case.refund.total):
        return []
    # Money that goes before its credit, or beside one that is smaller, has come out of a deposit.
    begun = memo is not None or any(one.record == CUSTOMER_REFUND.lower() for one in case.begun.values())
    if books.status == BILLED and not begun:
        return []
    if case.whole and books.untouched:
        if case.credited_before:
            said = "The whole order goes back and nothing of it was billed, but an earlier refund of it was credited."
            return Problem("REFUND_NOT_BILLED", said)
        return [Parted(case.shares, whole=True)]
    found = part(books, case.tax, (*case.earlier, case.shares))
    if isinstance(found, Problem):
        return found
    off, credited = found[-1].sums(currency)
    if begun and (not off or (memo is not None and memo.amount != credited)):
        said = f"It was begun when other units were not billed; {off} of it are not billed by now."
        return Problem("REFUND_NOT_BILLED", said)
    if off and credited.minor < 0:
        said = f"The shop keeps {abs(credited)} of units that were never billed, and nothing bills that."
        return Problem("REFUND_NOT_BILLED", said)
    return found if off else []


def _capture_missing(case: Case, policy: RefundPolicy) -> Problem | None:
    """The payment that is given back must be booked first: else its clearing account would be short of it."""
    if case.books.record == CASH_SALE or case.taken_over or not policy.wait_for_capture:
        return None
    for one in case.settlements:
        if one.way in ("gateway", "external") and one.captured_by not in case.books.deposits:
            said = f"The payment of {one.amount} through {one.provider} that it gives back is not booked yet."
            return Problem("REFUND_BEFORE_CAPTURE", said, f"capture:{one.captured_by}")
    return None


def _one_payment(case: Case) -> bool:
    return len(case.settlements) == 1 and case.settlements[0].way not in (*STORED_VALUE, "external")


def _from_deposit(
    case: Case, parted: Sequence[Parted], orders: OrderPolicy, policy: RefundPolicy
) -> RefundPlan | list[Problem]:
    """What was never billed comes out of deposits and off the order; the rest of the refund is credited."""
    now = parted[-1]
    off, credited = now.sums(case.refund.currency)
    if case.taken_over and not case.books.deposits:
        said = (
            f"{off} of it were never billed, and the order was taken over: its deposit is not ours to know."
        )
        return [Problem("REFUND_NOT_BILLED", said)]
    credit: Credit | None = None
    if credited:
        early = _capture_missing(case, policy)
        if early is not None:
            return [early]
        earlier = (*case.earlier, now.off)
        found = _credit(case, now.credited, earlier, credited, orders, policy)
        if isinstance(found, list):
            return found
        credit = found
    cut = cut_order(case.books, [one.off for one in parted], case.tax, whole=now.whole)
    if isinstance(cut, Problem):
        return [cut]
    released = refund_release_key(case.store, case.refund.id) in case.begun
    done = {
        one.n
        for one in case.settlements
        if refund_payment_key(case.store, case.refund.id, one.n) in case.begun
        or (released and one.way in STORED_VALUE)
    }
    # Of an order that is still billed in part, the invoice will settle stored value.
    drawn = draw(off, case.settlements, case.books.deposits, done, case.books.stored if now.whole else None)
    if isinstance(drawn, Problem):
        return [drawn]
    plan = records(case, drawn, credit, policy)
    if isinstance(plan, list):
        return plan
    return replace(plan, cut=cut, cut_key=refund_close_key(case.store, case.refund.id))
