"""What may go back at most: P1 and P2 of facts/finance.md 4.2.

Put the comparison of refunds with what was captured here. Do not put units of lines here (`shares.py`). Stored value
may be given for money that came by card, so it is bounded by the order's total; what goes back through a gateway is
bounded by what came through that gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.refunds.model import Refund, RefundPayment
from bcns_pipeline.rules.refunds.policy import EXTERNAL, GIFT_CERTIFICATE, STORE_CREDIT

_TAKEN = frozenset({"purchase", "capture"})
_NO_GATEWAY = STORE_CREDIT | GIFT_CERTIFICATE | EXTERNAL


def payments_add_up(refund: Refund) -> Problem | None:
    """P1: what was not declined is the refund's total."""
    if refund.paid == refund.total and refund.total.minor > 0:
        return None
    if refund.declined:
        return Problem(
            "REFUND_DECLINED",
            f"{refund.declined} of {refund.total} was declined by the payment provider; {refund.paid} went back.",
        )
    return Problem(
        "REFUND_DOES_NOT_ADD", f"Its payments come to {refund.paid}, and it gives back {refund.total}."
    )


def within_captured(
    refund: Refund, refunds: Iterable[Refund], charged: Money, tenders: Sequence[Tender]
) -> Problem | None:
    """P2: with all refunds up to this one, no more goes back than was charged, and than each gateway received."""
    until = [one for one in refunds if one.id <= refund.id and not one.void]
    back = total([one.paid for one in until], refund.currency)
    if back > charged:
        said = f"{back} would have gone back of an order over {charged}."
        return Problem("REFUND_EXCEEDS_CAPTURE", said)
    taken = captured(tenders, refund.currency)
    by_id = {one.id: one for one in tenders}
    sums: dict[str, Money] = {}
    for payment in (one for some in until for one in some.payments if not one.declined):
        gateway = gateway_of(payment, by_id)
        if gateway is not None:
            sums[gateway] = sums.get(gateway, Money.zero(refund.currency)) + payment.amount
    for gateway in {gateway_of(one, by_id) for one in refund.payments if not one.declined} - {None}:
        assert gateway is not None
        most = taken.get(gateway, Money.zero(refund.currency))
        if sums[gateway] > most:
            said = f"{sums[gateway]} would have gone back through {gateway}, which received {most}."
            return Problem("REFUND_EXCEEDS_CAPTURE", said)
    return None


def captured(tenders: Sequence[Tender], currency: str) -> dict[str, Money]:
    """{gateway: what it received}, voids taken off; failed and test transactions count for nothing."""
    found: dict[str, Money] = {}
    for one in tenders:
        if one.status != "ok" or one.test or one.currency not in ("", currency):
            continue
        sign = 1 if one.event in _TAKEN else -1 if one.event == "void" and _of_capture(one, tenders) else 0
        if sign:
            amount = Money.of(one.amount * sign, currency)
            found[fold(one.gateway)] = found.get(fold(one.gateway), Money.zero(currency)) + amount
    return found


def parent_of(payment: RefundPayment, by_id: Mapping[int, Tender]) -> Tender | None:
    """The transaction that the payment gives back: refund -> purchase or capture (facts/finance.md 1.7, step 4)."""
    back = by_id.get(payment.transaction_id or 0)
    if back is not None and back.reference_id is not None and back.reference_id in by_id:
        return by_id[back.reference_id]
    if back is not None and back.event in _TAKEN:
        return back
    name = fold(back.gateway if back is not None else payment.provider)
    taken = [one for one in by_id.values() if one.event in _TAKEN and one.status == "ok" and not one.test]
    return next((one for one in sorted(taken, key=lambda one: one.id) if fold(one.gateway) == name), None)


def stored_way(tender: Tender) -> str | None:
    """store_credit or gift_certificate, where that is what paid; None for every other payment."""
    if tender.event not in _TAKEN or tender.status != "ok" or tender.test:
        return None
    names = {fold(tender.gateway), fold(tender.method)}
    return (
        "store_credit" if names & STORE_CREDIT else "gift_certificate" if names & GIFT_CERTIFICATE else None
    )


def only_capture(tenders: Iterable[Tender]) -> Tender | None:
    """The one payment that came through a gateway; None where there are several, or none."""
    taken = [
        one
        for one in tenders
        if one.event in _TAKEN
        and one.status == "ok"
        and not one.test
        and fold(one.gateway) not in _NO_GATEWAY
    ]
    return taken[0] if len(taken) == 1 else None


def gateway_of(payment: RefundPayment, by_id: Mapping[int, Tender]) -> str | None:
    """Through which gateway it goes back, folded; None for stored value, for offline and for what nobody has seen."""
    name = fold(payment.provider)
    if payment.offline or name in _NO_GATEWAY:
        return None
    parent = parent_of(payment, by_id)
    return fold(parent.gateway) if parent is not None else name


def _of_capture(void: Tender, tenders: Iterable[Tender]) -> bool:
    """A void of an authorisation takes nothing back, for nothing was taken."""
    return any(one.id == void.reference_id and one.event in _TAKEN for one in tenders)
