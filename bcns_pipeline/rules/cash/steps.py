"""What is to be written for an order's money now: receipts, its invoice, and what settles what.

Put the decision here, a pure function of where both sides stand. Do not put bodies here (`bodies.py`) nor which
transactions are money (`tenders.py`). It may be asked at any time and as often as one likes: what is there already
is part of the position, so a run that died half-way is simply asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from bcns_pipeline.rules.cash import bodies
from bcns_pipeline.rules.cash.model import Capture, Decided, Invoice, Position, Posted, Step
from bcns_pipeline.rules.cash.policy import CashPolicy, Destination
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import apply_key, deposit_key, invoice_key
from bcns_pipeline.rules.orders.policy import SALES_ORDER
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.periods import Period, is_open, next_open_day

# Sales orders (facts/netsuite.md 3.6): something is fulfilled and not billed; all of it; no receipt can be linked.
PARTLY_BILLABLE: Final = "E"
BILLABLE: Final = "F"
BILLED: Final = "G"
NOT_LINKABLE: Final = frozenset({"C", "G", "H"})


def decide(position: Position, policy: CashPolicy, periods: Sequence[Period]) -> Decided:
    """The steps of one order, in the order in which they have to be sent."""
    work = _Work(position, policy, periods)
    if position.record != SALES_ORDER:
        return _cash_sale(work)
    for capture in position.captures:
        posted = position.posted.get(capture.transaction_id)
        if posted is None:
            _receive(work, capture)
        elif posted.amount != capture.amount:
            work.problem(
                "CASH_DRIFT",
                f"Transaction {capture.transaction_id} took {capture.amount}, and NetSuite has it with "
                f"{posted.amount}.",
            )
    for gone in sorted(position.posted.keys() - {one.transaction_id for one in position.captures}):
        one = position.posted[gone]
        work.problem(
            "CASH_DRIFT",
            f"NetSuite has {one.amount} of transaction {gone}, which BigCommerce does not show as taken any more.",
        )
    _bill(work)
    _compare_invoices(work)
    _apply(work)
    _settle_stored_value(work)
    steps = tuple(replace(step, currency=position.total.currency) for step in work.steps)
    return Decided(steps, tuple(work.problems), " ".join(dict.fromkeys(work.waits)))


@dataclass(slots=True)
class _Work:
    """One decision under way. `open` is what is left to settle of each invoice."""

    position: Position
    policy: CashPolicy
    periods: Sequence[Period]
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    stored: list[tuple[Capture, int]] = field(default_factory=list)
    open: dict[int, Money] = field(init=False)

    def __post_init__(self) -> None:
        self.open = {one.id: one.open for one in sorted(self.position.invoices, key=lambda one: one.id)}

    def problem(self, code: str, sentence: str, fact: str = "") -> None:
        self.problems.append(Problem(code, sentence, fact))

    def key(self, capture: Capture) -> str:
        return deposit_key(self.position.store, self.position.order_id, capture.transaction_id)

    def day(self, wanted: date, what: str) -> date | None:
        """On which day it can be posted; None, and a problem, where that is not to be or can't be."""
        if is_open(wanted, self.periods):
            return wanted
        found = next_open_day(wanted, self.periods) if self.policy.closed_period == "next_open" else None
        if found is None:
            self.problem("PERIOD_CLOSED", f"The period of {wanted} is closed, and {what} waits for it.")
        return found

    def take(self, amount: Money) -> list[tuple[int, Money]]:
        """Settle up to `amount` of open invoices, oldest first."""
        taken = []
        for invoice, left in self.open.items():
            share = min(left, amount)
            if share.minor > 0:
                taken.append((invoice, share))
                self.open[invoice] = left - share
                amount -= share
        return taken

    @property
    def left(self) -> Money:
        """What is open of all invoices."""
        return total(list(self.open.values()), self.position.total.currency)


# --- receipts ----------------------------------------------------------------------------------------


def _destination(work: _Work, capture: Capture) -> Destination | None:
    policy, currency = work.policy, capture.amount.currency
    match capture.kind:
        case "gateway":
            found, where = policy.destination(capture.gateway, currency, capture.on), "cash.gateways"
        case "marketplace":
            found, where = policy.marketplace(capture.gateway, currency, capture.on), "cash.marketplaces"
        case kind:
            given = policy.gift_certificates if kind == "gift_certificate" else policy.store_credit
            where = "cash.gift_certificates" if kind == "gift_certificate" else "cash.store_credit"
            number = given.item if given.as_ == "credit_memo" else given.account
            if number is None:
                found = None
            elif given.as_ == "credit_memo":
                found = Destination(item=number)
            else:
                found = Destination(number)
    if found is None:
        what = capture.gateway or capture.kind
        work.problem(
            "TENDER_UNMAPPED",
            f"{capture.amount} came by {what} in {currency}, for which {where} and payouts.providers name no "
            "account.",
            f"gateway:{what}",
        )
    return found


def _receive(work: _Work, capture: Capture) -> None:
    """One receipt for a capture that has none: a deposit while the order is open, else a payment."""
    found = _destination(work, capture)
    if found is None:
        return
    if found.item is not None:
        work.stored.append((capture, found.item))
        return
    assert found.account is not None
    position = work.position
    linked = position.status not in NOT_LINKABLE
    if linked and work.policy.post_as.get(position.channel_id, "deposit") == "payment":
        if work.left < capture.amount:
            work.waits.append("A payment waits for its invoice.")
            return
    elif linked or not work.left:
        if not linked and _paid_elsewhere(position):
            work.problem(
                "INVOICE_PAID_ELSEWHERE",
                f"{capture.amount} were taken, and NetSuite's invoice was settled by something that is not ours.",
            )
            return
        _deposit(work, capture, found.account, linked=linked)
        return
    _pay(work, capture, found.account)


def _deposit(work: _Work, capture: Capture, account: int, *, linked: bool) -> None:
    on = work.day(capture.on, "the deposit")
    if on is None:
        return
    position, key = work.position, work.key(capture)
    work.steps.append(
        Step(
            "deposit",
            key,
            position.order_id,
            "customerDeposit",
            on,
            bodies.deposit(position, capture, account, on, key, work.policy, linked=linked),
            f"{capture.gateway or capture.kind} took it on {capture.on}",
            capture.amount,
            capture.transaction_id,
            account,
        )
    )


def _pay(work: _Work, capture: Capture, account: int) -> None:
    on = work.day(capture.on, "the payment")
    if on is None:
        return
    position, key, applies = work.position, work.key(capture), work.take(capture.amount)
    work.steps.append(
        Step(
            "payment",
            key,
            position.order_id,
            "customerPayment",
            on,
            bodies.payment(position, capture, account, on, key, applies, work.policy),
            f"{capture.gateway or capture.kind} took it on {capture.on}, and the order is invoiced",
            capture.amount,
            capture.transaction_id,
            account,
            tuple(applies),
        )
    )


def _paid_elsewhere(position: Position) -> bool:
    """Whether more of the invoices is settled than by our own receipts."""
    currency = position.total.currency
    settled = total([one.amount - one.open for one in position.invoices], currency)
    return settled > total([one.amount - one.unused for one in position.posted.values()], currency)


# --- billing -----------------------------------------------------------------------------------------


def _bill(work: _Work) -> None:
    """The invoice of what has left and is on none, where billing is ours."""
    position, policy = work.position, work.policy
    if position.status not in (PARTLY_BILLABLE, BILLABLE):
        if position.status != BILLED and not position.invoices:
            work.waits.append("It is not shipped yet.")
        return
    if policy.billing == "netsuite":
        work.waits.append("Its invoice is NetSuite's to make.")
        return
    if position.blocked:
        work.waits.append(position.blocked)
        return
    whole = position.status == BILLABLE
    if not whole and (policy.bill_when == "complete" or not any(one.billable for one in position.lines)):
        work.waits.append("The rest of it is not shipped yet.")
        return
    on = work.day(position.shipped_on or position.today, "the invoice")
    if on is None:
        return
    key = _next_invoice(position)
    work.steps.append(
        Step(
            "invoice",
            key,
            position.order_id,
            f"salesOrder/{position.netsuite_id}/!transform/invoice",
            on,
            bodies.invoice(key, on, None if whole else position.lines),
            "all of it is fulfilled" if whole else "what was fulfilled so far",
        )
    )


def _next_invoice(position: Position) -> str:
    there = {one.key for one in position.invoices}
    number = 1
    while invoice_key(position.store, position.order_id, number) in there:
        number += 1
    return invoice_key(position.store, position.order_id, number)


def _compare_invoices(work: _Work) -> None:
    """All of a billed order's invoices come to what was charged, less what went back before it was billed."""
    position = work.position
    if position.status != BILLED or not position.invoices:
        return
    currency = position.total.currency
    invoiced = total([one.amount for one in position.invoices], currency)
    least = position.total - (position.refunded or Money.zero(currency))
    if not least <= invoiced <= position.total:
        work.problem(
            "INVOICE_TOTAL_DRIFT", f"Its invoices come to {invoiced}, and the order to {position.total}."
        )


# --- settling ----------------------------------------------------------------------------------------


def _apply(work: _Work) -> None:
    """Open deposits settle open invoices, oldest first."""
    position = work.position
    deposits = [one for one in position.posted.values() if one.kind == "deposit" and one.unused.minor > 0]
    for one in sorted(deposits, key=lambda one: one.id):
        left = one.unused
        for invoice in sorted(position.invoices, key=lambda found: found.id):
            share = min(left, work.open[invoice.id])
            if share.minor <= 0:
                continue
            if (one.transaction_id, invoice.id) in position.applied:
                work.problem(
                    "CASH_DRIFT",
                    f"Deposit {one.id} was applied to invoice {invoice.number or invoice.id} before, and "
                    f"{share} of both is open.",
                )
                continue
            step = _application(work, one, invoice, share)
            if step is None:
                continue
            work.steps.append(step)
            work.open[invoice.id] -= share
            left -= share
        if left.minor > 0 and position.status != BILLED:
            work.waits.append("Its deposit waits for what is not invoiced yet.")


def _application(work: _Work, one: Posted, invoice: Invoice, share: Money) -> Step | None:
    position = work.position
    on = work.day(max(one.on, invoice.on), "the application")
    if on is None:
        return None
    key = apply_key(position.store, position.order_id, one.transaction_id, invoice.id)
    return Step(
        "application",
        key,
        position.order_id,
        f"customerDeposit/{one.id}/!transform/depositApplication",
        on,
        bodies.application(key, on, invoice, share),
        f"invoice {invoice.number or invoice.id} is open with {share}",
        share,
        one.transaction_id,
        applies=((invoice.id, share),),
    )


def _settle_stored_value(work: _Work) -> None:
    """A stored value is settled once invoices have room for all of it, so that it is one credit memo."""
    position = work.position
    days = {one.id: one.on for one in position.invoices}
    for capture, item in work.stored:
        if work.left < capture.amount:
            work.waits.append("A stored value waits for its invoice.")
            continue
        applies = work.take(capture.amount)
        on = work.day(max([capture.on, *(days[one] for one, _ in applies)]), "the credit memo")
        if on is None:
            continue
        key = work.key(capture)
        work.steps.append(
            Step(
                "credit",
                key,
                position.order_id,
                "creditMemo",
                on,
                bodies.credit(position, capture, item, on, key, applies, work.policy),
                f"{capture.kind.replace('_', ' ')} was used for it",
                capture.amount,
                capture.transaction_id,
                applies=tuple(applies),
            )
        )


# --- cash sales --------------------------------------------------------------------------------------


def _cash_sale(work: _Work) -> Decided:
    """A cash sale is its own receipt, of one tender, in the account that the order flow wrote on it."""
    position = work.position
    if len({(one.kind, one.gateway) for one in position.captures}) > 1:
        parts = ", ".join(f"{one.amount} by {one.gateway or one.kind}" for one in position.captures)
        work.problem("CASH_SALE_SPLIT", f"A cash sale has one tender, and this was paid with {parts}.")
    return Decided((), tuple(work.problems))
