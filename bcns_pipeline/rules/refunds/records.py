"""The records that a refund becomes in NetSuite: what they are, and how they hang together.

Put the shape of a record here, and which ones there are once it is known what is credited and what comes out of
deposits. Do not put that decision here (`plan.py`), nor their bodies (`bodies.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import refund_key, refund_payment_key, refund_release_key
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds import bodies
from bcns_pipeline.rules.refunds.books import Deposit
from bcns_pipeline.rules.refunds.case import Case
from bcns_pipeline.rules.refunds.credit import Credit
from bcns_pipeline.rules.refunds.cut import Cut
from bcns_pipeline.rules.refunds.deposits import Drawn
from bcns_pipeline.rules.refunds.policy import RefundPolicy
from bcns_pipeline.rules.refunds.router import STORED_VALUE, Settlement

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
    """One record to be there. `n` is the payment that it settles, 0 for the credit itself; `transaction_id` is
    BigCommerce's of that payment.

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
    transaction_id: int | None = None
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


def cash_refund(case: Case, credit: Credit, policy: RefundPolicy) -> RefundPlan:
    """A cash sale's refund with one payment is one record, which is credit and payment at once."""
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
        paid.transaction_id,
    )
    return RefundPlan("cash_refund", (record,))


def records(
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
    """What stored value is given for: a credit, through A/R; a deposit, through the transfer account; stored value that
    was never booked, from its liability."""
    found = []
    currency = one.amount.currency
    liabilities = {"store_credit": policy.store_credit, "gift_certificate": policy.gift_certificate}
    for amount, account, key in (
        *((amount, liabilities[way], f"cash.refunds.{way}") for way, amount in its.stored),
        (its.released, policy.transfer_of(currency), f"cash.refunds.transfer.{currency}"),
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
    stored = [drawn[one.n] for one in case.settlements if one.way in STORED_VALUE and drawn[one.n].released]
    account = policy.transfer_of(case.refund.currency)
    if not stored or account is None:
        return
    amount = total([one.released for one in stored], case.refund.currency)
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
        record,
        key,
        one.n,
        one.amount,
        body,
        one.account,
        one.way,
        one.provider,
        one.references,
        one.transaction_id,
        settles,
    )


def going_back(records: Sequence[tuple[int, Money]]) -> Money:
    """All that goes back by one refund's records, each as the payment that it settles (0 for none) and its amount.

    A credit and the payments that settle it are the same money told twice; payments that wait for their provider have
    no record yet, and what comes out of deposits has no credit. So the largest of all these is what goes back.
    """
    paid = sum((amount.minor for n, amount in records if n), 0)
    return Money(max([paid, *(amount.minor for _, amount in records)]), records[0][1].currency)
