"""Clearing mode and summary mode, and the guard between them: no order's revenue is ever posted twice.

Put here whose booking a line takes out again. Do not put sums here (`journal.py`). In clearing mode an order's own
documents post its revenue, and the payout only moves money; in summary mode the order has no documents, and the
payout posts its revenue. A channel is in exactly one of the two (facts/finance.md 2.2, contradiction X16).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bcns_pipeline.rules.payouts.books import Books, OrderFacts, Treatment
from bcns_pipeline.rules.payouts.findings import Finding, named
from bcns_pipeline.rules.payouts.legs import shared
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, Payout, PayoutLine
from bcns_pipeline.rules.payouts.policy import PayoutPolicy

# Classes for which an order's capture or refund has a NetSuite record of its own. A reversal of part of a capture
# and a failed one have none: BigCommerce never tells of the first, and the second undoes a record that is there.
_RECORDED = frozenset({LineClass.GROSS_SALES, LineClass.REFUND})
_REFUNDS = frozenset({LineClass.REFUND, LineClass.REFUND_RETURNED})


def refuses_documents(channel: int, policy: PayoutPolicy) -> bool:
    """Whether orders of this channel must get no deposit, payment, invoice or cash sale: payouts post them."""
    return channel in policy.summary_channels


def treatments(
    payout: Payout, books: Books, policy: PayoutPolicy
) -> tuple[dict[str, Treatment], list[Finding]]:
    """How each line of an order is treated, by line id, and what stands against it."""
    found: dict[str, Treatment] = {}
    against: dict[str, list[PayoutLine]] = defaultdict(list)
    for line in payout.lines:
        if line.cls not in SETTLES:
            continue
        order = None if line.order_id is None else books.orders.get(line.order_id)
        treatment = found[line.id] = _treatment(line, order, books, policy)
        problem = _problem(line, order, treatment, books)
        if problem:
            against[problem].append(line)
    return found, list(_said(against, payout, policy))


def _treatment(line: PayoutLine, order: OrderFacts | None, books: Books, policy: PayoutPolicy) -> Treatment:
    if line.id in books.opened:
        return Treatment.CLEARING
    if order is not None and (order.summarised or refuses_documents(order.channel, policy)):
        return Treatment.PRE_CUTOVER if _early(line, order, books) else Treatment.SUMMARY
    if line.id not in books.booked and _early(line, order, books):
        return Treatment.PRE_CUTOVER
    return Treatment.CLEARING


def _early(line: PayoutLine, order: OrderFacts | None, books: Books) -> bool:
    if order is not None and order.old:
        return True
    return books.cutover is not None and line.occurred_at is not None and line.occurred_at < books.cutover


def _problem(line: PayoutLine, order: OrderFacts | None, treatment: Treatment, books: Books) -> str:
    if treatment is Treatment.PRE_CUTOVER:
        return ""
    if treatment is Treatment.SUMMARY:
        if order is not None and order.documents:
            return "DOUBLE_REVENUE"
        return "SUMMARY_UNKNOWN" if shared(line, books.splits.get(line.id)) is None else ""
    if line.id in books.booked or line.id in books.opened:
        return ""
    if line.order_id is None:
        return "PAYOUT_LINE_UNMATCHED"
    if line.cls is LineClass.CHARGE_FAILURE:
        return "CAPTURE_FAILED"
    if line.cls not in _RECORDED:
        return ""
    if line.cls is LineClass.REFUND and line.transaction_id is None:
        return "PSP_REFUND_WITHOUT_BC"
    return "CAPTURE_NOT_POSTED"


_SENTENCES = {
    "DOUBLE_REVENUE": "{n} of its orders are of a summary channel and have documents in NetSuite all the same; "
    "posting the payout would count their revenue twice: {ids}.",
    "SUMMARY_UNKNOWN": "{n} of its lines are of a summary channel, and what their orders are made of is not known: "
    "{ids}.",
    "CAPTURE_NOT_POSTED": "{n} of its captures and refunds are not posted in NetSuite yet: {ids}.",
    "PAYOUT_LINE_UNMATCHED": "{n} of its lines belong to no order that we know: {ids}.",
    "PSP_REFUND_WITHOUT_BC": "{n} of its refunds were made at the provider, and BigCommerce does not know them: "
    "{ids}.",
    "CAPTURE_FAILED": "{n} of its captures failed after all, so their orders are unpaid: {ids}.",
}
_STOPS = frozenset({"DOUBLE_REVENUE", "SUMMARY_UNKNOWN", "CAPTURE_NOT_POSTED"})


def _said(against: dict[str, list[PayoutLine]], payout: Payout, policy: PayoutPolicy) -> Iterator[Finding]:
    for code, lines in sorted(against.items()):
        members = tuple(sorted(line.id for line in lines))
        who = named(
            f"{line.id} of order {line.order_id}" if line.order_id is not None else line.id for line in lines
        )
        waits = code == "PAYOUT_LINE_UNMATCHED" and policy.unmatched_waits
        yield Finding(
            code=code,
            message=f"Payout {payout.id}: " + _SENTENCES[code].format(n=len(members), ids=who),
            blocks=code in _STOPS or waits,
            members=members,
        )


def disputed_after_refund(payout: Payout, books: Books) -> Iterator[Finding]:
    """Disputes of orders whose shoppers already got money back: they are paid twice unless somebody answers."""
    for line in payout.lines:
        if line.cls is not LineClass.CHARGEBACK or line.order_id is None:
            continue
        order = books.orders.get(line.order_id)
        if order is not None and order.refunded > 0:
            yield Finding(
                "DISPUTE_AFTER_REFUND",
                f"Payout {payout.id}: order {order.id} was refunded, and its shopper disputes the charge as well "
                f"({line.id}).",
                blocks=False,
                members=(line.id,),
            )
