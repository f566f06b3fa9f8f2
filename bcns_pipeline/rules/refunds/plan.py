"""From a refund to the records that it becomes in NetSuite, or to what it waits for.

Put here which records there are and how they hang together. Do not put their bodies here (`bodies.py`), nor amounts
(`shares.py`), nor which of them are taken off an order (`parting.py`). Chosen by what the order has become
(docs/adr/008-refunds.md): what was sold is credited and the credit settled per payment; what was never billed is paid
back out of its deposits and taken off the order; a refund of both is both, and each of its payments one record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import (
    refund_close_key,
    refund_key,
    refund_payment_key,
    refund_release_key,
)
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.policy import CASH_SALE, Channel, OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds import bodies
from bcns_pipeline.rules.refunds.books import BILLED, Books, Deposit
from bcns_pipeline.rules.refunds.credit import Credit, credit_lines
from bcns_pipeline.rules.refunds.cut import Cut, cut_order
from bcns_pipeline.rules.refunds.deposits import Drawn, draw
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.parting import Parted, part
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.router import STORED_VALUE, Settlement
from bcns_pipeline.rules.refunds.shares import Share
from bcns_pipeline.rules.refunds.tax import OrderTax

Route = Literal["credit_memo", "cash_refund", "deposit", "deposit_and_credit"]
JOURNAL: Final = "journalEntry"
CREDIT_MEMO: Final = "creditMemo"
CASH_REFUND: Final = "cashRefund"
CUSTOMER_REFUND: Final = "customerRefund"
# The way of the customer refund by which deposits become stored value.
TRANSFER: Final = "transfer"


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
class Begun:
    """A record of the refund that NetSuite has: its type in small letters, and over how much it is."""

    record: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the plan of one refund depends on. `earlier`: shares of the order's refunds before it.

    `whole`: with this refund all of the order went back. `credited_before`: an earlier refund was credited. `seen` are
    payments (by their `n`) that a payment provider has shown as paid back. `begun` are our records that NetSuite has
    already, by key: a refund that was begun one way is never finished the other way. `taken_over`: somebody else made
    NetSuite's order and booked its payments, before the cutover or beside us.
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
    begun: Mapping[str, Begun] = field(default_factory=dict)
    taken_over: bool = False


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
        return _cash_refund(case, credit, policy)
    nothing = Money.zero(case.refund.currency)
    drawn = {one.n: Drawn(nothing, one.amount) for one in case.settlements}
    return _records(case, drawn, credit, policy)


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
    drawn = draw(off, case.settlements, case.books.deposits, done)
    if isinstance(drawn, Problem):
        return [drawn]
    plan = _records(case, drawn, credit, policy)
    if isinstance(plan, list):
        return plan
    return replace(plan, cut=cut, cut_key=refund_close_key(case.store, case.refund.id))


def _records(
    case: Case, drawn: Mapping[int, Drawn], credit: Credit | None, policy: RefundPolicy
) -> RefundPlan | list[Problem]:
    """What turns deposits into stored value, its journals, the credit memo that is applied to them, then the money."""
    key = refund_key(case.store, case.refund.id)
    journals: list[RefundRecord] = []
    money: list[RefundRecord] = []
    later: list[Settlement] = []
    owed: list[Settles] = []
    for one in case.settlements:
        settled, its = refund_payment_key(case.store, case.refund.id, one.n), drawn[one.n]
        rest = (Settles(key, its.rest.amount),) if its.rest else ()
        if one.way in STORED_VALUE:
            debits = _debits(one, its, policy)
            if isinstance(debits, Problem):
                return [debits]
            body = bodies.journal(settled, case.refund, case.books, debits, one.account, case.on, policy)
            journals.append(_settling(JOURNAL, settled, one, body))
            owed += [Settles(settled, its.rest.amount)] if its.rest else []
        elif one.way == "external" and one.n not in case.seen and not its.amount:
            later.append(one)
        else:
            body = bodies.customer_refund(settled, case.refund, case.books, one, case.on, policy)
            body |= _sublists(its)
            money.append(_settling(CUSTOMER_REFUND, settled, one, body, *rest))
    made = [*_releases(case, drawn, policy), *journals]
    if credit is not None:
        amount = Money.of(credit.amount, case.refund.currency)
        body = bodies.credit_memo(key, case.refund, case.books, credit, case.channel, case.on, policy)
        made.append(RefundRecord(CREDIT_MEMO, key, 0, amount, body, settles=tuple(owed)))
    route: Route = "credit_memo"
    if any(one.amount for one in drawn.values()):
        route = "deposit" if credit is None else "deposit_and_credit"
    return RefundPlan(route, (*made, *money), tuple(later))


def _debits(one: Settlement, its: Drawn, policy: RefundPolicy) -> list[tuple[int, Money]] | Problem:
    """What stored value is given for: a credit, through A/R; a deposit, through the transfer account."""
    found = []
    currency = one.amount.currency
    for amount, account, key in (
        (its.amount, policy.transfer_of(currency), f"cash.refunds.transfer.{currency}"),
        (its.rest, policy.receivable, "cash.refunds.receivable"),
    ):
        if amount and account is None:
            said = f"Nothing says through which account {amount} becomes stored value; name {key}."
            return Problem("REFUND_UNMAPPED", said, f"account:{key}")
        if amount and account is not None:
            found.append((account, amount))
    return found


def _releases(case: Case, drawn: Mapping[int, Drawn], policy: RefundPolicy) -> Iterator[RefundRecord]:
    """The customer refund by which all stored value of a refund leaves its deposits."""
    stored = [drawn[one.n] for one in case.settlements if one.way in STORED_VALUE and drawn[one.n].amount]
    account = policy.transfer_of(case.refund.currency)
    if not stored or account is None:
        return
    amount = total([one.amount for one in stored], case.refund.currency)
    taken: dict[int, tuple[Deposit, Decimal]] = {}
    for deposit, piece in (each for one in stored for each in one.deposits):
        taken[deposit.id] = (deposit, taken.get(deposit.id, (deposit, ZERO))[1] + piece)
    key = refund_release_key(case.store, case.refund.id)
    body = bodies.release(key, case.refund, case.books, account, case.on, policy)
    body |= _sublists(Drawn(amount, Money.zero(amount.currency), tuple(taken.values())))
    yield RefundRecord(CUSTOMER_REFUND, key, 0, amount, body, account, TRANSFER)


def _sublists(its: Drawn) -> dict[str, Any]:
    """Deposits are taken back under `deposit`, payments under `apply`."""
    found: dict[str, list[tuple[int, Decimal]]] = {}
    for deposit, amount in its.deposits:
        name = "deposit" if deposit.record == "customerdeposit" else "apply"
        found.setdefault(name, []).append((deposit.id, amount))
    return {name: bodies.applied(documents) for name, documents in found.items()}


def _settling(
    record: str, key: str, one: Settlement, body: Mapping[str, Any], *settles: Settles
) -> RefundRecord:
    return RefundRecord(
        record, key, one.n, one.amount, body, one.account, one.way, one.provider, one.references, settles
    )


def settled_in_full(records: Sequence[RefundRecord], whole: Money) -> bool:
    """Whether the settlements of a credit come to it, so that nothing of it is left open."""
    paid = sum((one.amount.minor for one in records if one.n), 0)
    return paid == whole.minor
