"""What orders of summary channels, and refunds of them, are made of: revenue, shipping, tax, stored value.

Put the reading of it here. Do not put what is posted of it here (rules/payouts/legs.py). The parts always come to what
was paid in money: what rounding leaves of an order is revenue, and a refund's shipping is a return like its lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.payouts.books import Split
from bcns_pipeline.rules.payouts.links import paid
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, PayoutLine
from bcns_pipeline.rules.refunds.reading import read_refund
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.refund_models import RefundState
from bcns_pipeline.state.scope import parse

_REFUNDS = frozenset({LineClass.REFUND, LineClass.REFUND_RETURNED})


def splits_of(
    connections: Connections, lines: Sequence[PayoutLine], orders: Mapping[int, OrderState]
) -> dict[str, Split]:
    """By line, of lines of these orders; what can't be read is left out, which stops the payout (SUMMARY_UNKNOWN)."""
    if not orders:
        return {}
    mine = [line for line in lines if line.order_id in orders and line.cls in SETTLES]
    read = dict(_read(connections, orders))
    given_back = {
        number: [one for one in some if one.disposition != "declined"]
        for number, some in connections.state.refunds.of_orders(sorted(orders)).items()
    }
    certificates = _certificates(connections, read, given_back)
    splits = {}
    for line in mine:
        assert line.order_id is not None
        if line.cls in _REFUNDS:
            split = _of_refund(line, given_back.get(line.order_id, []), certificates)
        elif line.order_id in read:
            split = _of_order(read[line.order_id])
        else:
            split = None
        if split is not None:
            splits[line.id] = split
    return splits


def _read(connections: Connections, orders: Mapping[int, OrderState]) -> Iterator[tuple[int, Order]]:
    documents = {one.document_id for one in orders.values() if one.document_id is not None}
    bodies = connections.state.documents.load_many(documents)
    for number, one in orders.items():
        body = bodies.get(one.document_id) if one.document_id is not None else None
        if body is None:
            continue
        try:
            yield number, read_order(parse(body))
        except Unreadable:
            continue


def _certificates(
    connections: Connections, orders: Mapping[int, Order], refunds: Mapping[int, Sequence[RefundState]]
) -> dict[int, int]:
    """{refund: what it gives back of certificates that its order sold}; they carry no tax and no discount."""
    sold = {
        (order.id, line.id): line
        for order in orders.values()
        for line in order.lines
        if line.kind == "giftcertificate"
    }
    selling = {order_id for order_id, _ in sold}
    some = [one for order_id in selling for one in refunds.get(order_id, ())]
    bodies = connections.state.documents.load_many([one.document_id for one in some if one.document_id])
    found = {}
    for one in some:
        body = bodies.get(one.document_id or 0)
        items = read_refund(parse(body), one.total.currency).items if body is not None else ()
        back = Money.zero(one.total.currency)
        for item in items:
            line = sold.get((one.order_id, item.id)) if item.kind == "PRODUCT" else None
            if line is not None and item.requested is not None:
                back += item.requested
            elif line is not None and item.quantity:
                whole = Money.of(line.total.inc, one.total.currency)
                back += whole.times(Fraction(item.quantity, line.quantity))
        found[one.refund_id] = back.minor
    return found


def _of_order(order: Order) -> Split:
    currency = order.currency
    total, tax = (Money.of(one, currency).minor for one in (order.charged.inc, order.charged.tax))
    shipping = Money.of(order.shipping.ex + order.handling.ex, currency).minor
    sold = sum(
        (line.total.inc for line in order.lines if line.kind == "giftcertificate"), order.charged.inc * 0
    )
    spent = order.gift_certificate + order.store_credit
    liability = Money.of(sold, currency).minor
    return Split(
        revenue=total - tax - shipping - liability,
        shipping=shipping,
        tax=tax,
        stored_value=liability - Money.of(spent, currency).minor,
    )


def _of_refund(line: PayoutLine, refunds: list[RefundState], certificates: Mapping[int, int]) -> Split | None:
    """Of the refund of that amount, each once; what of it was given back as stored value is no money, and a certificate
    that was sold was no revenue."""
    amount = paid(line)[0]
    one = next((one for one in refunds if amount in (one.paid.minor, one.total.minor)), None)
    if one is None:
        return None
    refunds.remove(one)
    sold = certificates.get(one.refund_id, 0)
    return Split(
        revenue=one.total.minor - one.tax.minor - sold,
        tax=one.tax.minor,
        stored_value=sold + amount - one.total.minor,
    )
