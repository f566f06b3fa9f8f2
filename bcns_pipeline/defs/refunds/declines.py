"""Payments that were declined, and payments that a provider has shown: what is known of a refund's money.

Put here what becomes of a refund whose payment was declined, and which payments providers have shown as paid back. Do
not put the lines of a reversal here (rules/refunds/reversal.py).
"""

from collections.abc import Iterable
from datetime import datetime

from bcns_pipeline.defs.refunds.facts import Learnt, OrderSide
from bcns_pipeline.defs.refunds.fates import Fate
from bcns_pipeline.defs.refunds.run import policy_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.natural_keys import refund_key, refund_payment_key, refund_reversal_key
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.payouts.links import paid
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.records import JOURNAL, RefundRecord
from bcns_pipeline.rules.refunds.reversal import mirrored, reversal_body
from bcns_pipeline.rules.refunds.router import Settlement
from bcns_pipeline.state.refund_models import RefundState


def declined(
    connections: Connections, one: RefundState, refund: Refund, side: OrderSide, learnt: Learnt
) -> Fate:
    """Nothing is posted of it; what was posted is taken back or held, as the mapping says. Raises OutsideError."""
    store = connections.state.store
    keys = [refund_key(store, refund.id)]
    keys += [refund_payment_key(store, refund.id, n) for n in range(1, len(refund.payments) + 1)]
    there = {key: learnt.there[key] for key in keys if key in learnt.there}
    said = f"{refund.declined} of {refund.total} was declined by the payment provider"
    if not there:
        problem = Problem("REFUND_DECLINED", f"{said}; nothing of it is posted.")
        return Fate(one, "declined", (problem,), problem.sentence)
    key = refund_reversal_key(store, refund.id, 1)
    if key in connections.netsuite(Lane.BULK).refunds.by_key([key]):
        problem = Problem("REFUND_DECLINED", f"{said} after it was posted, and a journal has taken it back.")
        return Fate(one, "declined", (problem,), problem.sentence)
    policy = policy_of(connections)
    if policy.on_decline == "hold":
        problem = Problem(
            "REFUND_DECLINED", f"{said} after it was posted; its records stand and wait for a person."
        )
        return Fate(one, "declined", (problem,), problem.sentence)
    found = _mirror(connections, refund, learnt, keys)
    if isinstance(found, Problem):
        return Fate(one, "declined", (found,), found.sentence)
    lines, accounts = found
    assert side.books is not None
    orders = connections.order_policy
    today = datetime.now(orders.zone(orders.channel(side.order.channel_id))).date()
    body = reversal_body(key, refund, side.books, lines, today, policy)
    account = accounts[0] if len(accounts) == 1 else None
    record = RefundRecord(JOURNAL, key, 0, refund.declined, body, account)
    problem = Problem("REFUND_DECLINED", f"{said} after it was posted; a journal takes it back.")
    return Fate(one, "reversing", (problem,), problem.sentence, reversal=record)


def _mirror(
    connections: Connections, refund: Refund, learnt: Learnt, keys: list[str]
) -> tuple[dict[int, Money], list[int]] | Problem:
    """By account, what takes back what the credit posted without A/R; and from where declined payments were taken."""
    credit_key, *settling = keys
    receivable = policy_of(connections).receivable
    credit = learnt.there.get(credit_key)
    paid = {
        learnt.there[key].id: payment
        for key, payment in zip(settling, refund.payments, strict=True)
        if key in learnt.there and payment.declined
    }
    cash = credit is not None and credit.record_type == "cashrefund"
    if credit is None or Money.of(credit.total, refund.currency) != refund.total or not (paid or cash):
        said = "It was paid back out of a deposit or by records that are not ours; take it back by hand."
        return Problem("REFUND_DECLINED", said)
    posted: dict[int, Money] = {}
    settled: dict[int, Money] = {}
    records = connections.state.refunds.records([refund.id])[refund.id]
    accounts = {int(row.netsuite_id): row.account for row in records}
    for row in connections.netsuite(Lane.BULK).refunds.ledger([credit.id, *paid]):
        amount = Money.of(row.amount, refund.currency)
        from_account = accounts.get(row.transaction)
        if row.transaction == credit.id and row.account != receivable and row.account != from_account:
            posted[row.account] = posted.get(row.account, Money.zero(refund.currency)) + amount
        elif row.account == from_account:
            settled[row.account] = settled.get(row.account, Money.zero(refund.currency)) - amount
    if total(list(settled.values()), refund.currency) != refund.declined:
        said = f"NetSuite shows {total(list(settled.values()), refund.currency)} paid of it; take it back by hand."
        return Problem("REFUND_DECLINED", said)
    return mirrored(posted, settled, refund.declined), list(settled)


def provider_has(
    connections: Connections, order_id: int, settlements: Iterable[Settlement], tenders: Iterable[Tender]
) -> frozenset[int]:
    """Payments (by their place) made outside the gateway that a payout of the provider has shown.

    By the refund's own id at the provider where BigCommerce knows it; else by the payment that was given back and the
    amount, because a refund made in a provider's dashboard has no id in the shop.
    """
    outside = [one for one in settlements if one.way == "external"]
    if not outside:
        return frozenset()
    by_id = {one.id: one.gateway_transaction_id for one in tenders}
    lines = [
        stored.line
        for _, stored in connections.state.payouts.of_order(order_id)
        if stored.line.cls is LineClass.REFUND
    ]
    found = set()
    for one in outside:
        for line in lines:
            names = {line.id, *line.references}
            charge = by_id.get(one.captured_by or 0, "")
            if names.intersection(one.references) or (charge in names and paid(line)[0] == one.amount.minor):
                found.add(one.n)
                lines.remove(line)
                break
    return frozenset(found)
