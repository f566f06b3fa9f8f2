"""Refunds of small orders for the tests of the rules: JSON as BigCommerce gives it, and what NetSuite has.

Put builders here. Do not put expectations here. The order comes from the tests' own shop, which shares no code with the
rules.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.facts import ShownLine
from bcns_pipeline.rules.orders.model import Order, Tender
from bcns_pipeline.rules.orders.policy import Channel
from bcns_pipeline.rules.orders.reading import read_order
from bcns_pipeline.rules.orders.totals import Part, Totals, add_up
from bcns_pipeline.rules.refunds.books import Books, Deposit
from bcns_pipeline.rules.refunds.case import Case
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.policy import RefundItems, RefundPolicy
from bcns_pipeline.rules.refunds.reading import read_refund
from bcns_pipeline.rules.refunds.router import route
from bcns_pipeline.rules.refunds.shares import Share, share_out
from bcns_pipeline.rules.refunds.tax import order_tax
from bcns_pipeline_tests.rules.orders.examples import ACCOUNT, drafted
from bcns_pipeline_tests.rules.orders.examples import POLICY as ORDERS
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine, document

D = Decimal
STORE = "abc123"
ACCOUNTS = {("stripe", "USD"): 113, ("stripe", "JPY"): 117, ("braintree", "USD"): 114, ("amazon", "USD"): 135}
POLICY = RefundPolicy(
    items=RefundItems(
        product=940, goodwill=941, restocking_fee=942, shipping=943, handling=944, wrapping=945, fee=946
    ),
    receivable=120,
    store_credit=232,
    gift_certificate=231,
    bank={"USD": 110},
    transfer={"USD": 119},
    bank_methods=frozenset({"cheque"}),
)
# facts/finance.md 4.2: 299.00, of which 50.00 by gift certificate; one item of 120.00 with 10.65 of tax goes back.
EXAMPLE_D = Cart(
    [CartLine(D("120.00"), 1, D("8.875")), CartLine(D("154.63"), 1, D("8.875"))], gift_certificate=D("50.00")
)


def clearing(gateway: str, currency: str) -> int | None:
    """As `payouts.providers` would say it."""
    return ACCOUNTS.get((gateway, currency))


def sold(cart: Cart) -> tuple[Order, tuple[Part, ...]]:
    """An order and its parts."""
    order = read_order(document(cart))
    totals = add_up(order, inclusive=cart.inclusive, tax_source="order", max_residual=5)
    assert isinstance(totals, Totals), totals
    return order, totals.parts


def item(kind: str, number: int, **more: Any) -> dict[str, Any]:
    """An item of a refund."""
    return {"item_type": kind, "item_id": number, "reason": "", "adjustments": [], **more}


def payment(provider: str, amount: str, **more: Any) -> dict[str, Any]:
    """A payment of a refund."""
    return {
        "id": 1,
        "provider_id": provider,
        "amount": D(amount),
        "offline": False,
        "is_declined": False,
        "transaction_id": "",
        **more,
    }


def refund(
    number: int,
    total: str,
    tax: str,
    items: list[dict[str, Any]],
    payments: list[dict[str, Any]] | None = None,
    *,
    currency: str = "USD",
    **more: Any,
) -> Refund:
    """A refund as read; without payments all of it goes back through stripe."""
    return read_refund(
        {
            "id": number,
            "order_id": 1001,
            "created": "2026-03-09T10:00:00+00:00",
            "reason": "",
            "total_amount": D(total),
            "total_tax": D(tax),
            "uses_merchant_override_values": False,
            "items": items,
            "payments": [payment("stripe", total)] if payments is None else payments,
            **more,
        },
        currency,
    )


def captured(amount: str, gateway: str = "stripe", number: int = 1, currency: str = "USD") -> Tender:
    """Money that came in."""
    return Tender(
        number, "purchase", "credit_card", D(amount), currency, "ok", False, gateway, f"ch_{number}"
    )


def given(order: Order, parts: tuple[Part, ...], *refunds: Refund) -> list[tuple[Share, ...]]:
    """The shares of each refund; fails the test where one has none."""
    found = share_out(order, parts, refunds, POLICY.max_rounding_lines)
    shares = [found[one.id] for one in refunds]
    assert all(isinstance(one, tuple) for one in shares), shares
    return [one for one in shares if isinstance(one, tuple)]


def books(draft: Draft, *, record: str = "salesOrder", billed: bool = True, deposit: str = "") -> Books:
    """NetSuite's record of the draft, each line under its key; billed wholly or not at all."""
    lines = {
        line.key: ShownLine(
            line=place,
            item=line.item,
            quantity=D(line.quantity or 0),
            amount=line.amount,
            key=line.key,
            billed=D(line.quantity or 0) if billed else D(0),
        )
        for place, line in enumerate(draft.lines, 1)
    }
    deposits = (
        {1: Deposit(9001, "customerdeposit", Money.of(deposit, draft.expected.currency))} if deposit else {}
    )
    return Books(
        id=700,
        record=record,
        status="G" if billed else "B",
        entity=55,
        subsidiary=1,
        currency_id=1,
        rate=D("1.0"),
        lines=lines,
        written={line.key: line.amount for line in draft.lines},
        units={line.key: line.quantity for line in draft.lines if line.quantity is not None},
        deposits=deposits,
    )


def case(
    one: Refund,
    order: Order,
    parts: tuple[Part, ...],
    *,
    tenders: list[Tender] | None = None,
    earlier: tuple[Refund, ...] = (),
    marketplace: str | None = None,
    **books_of: Any,
) -> Case:
    """All that a plan needs."""
    draft = drafted(order)
    shares = given(order, parts, *earlier, one)
    money = tenders if tenders is not None else [captured(str(order.charged.inc))]
    settlements = route(one, money, POLICY, clearing, marketplace=marketplace)
    assert isinstance(settlements, tuple), settlements
    back = sum((some.paid.minor for some in (*earlier, one)), 0)
    return Case(
        store=STORE,
        refund=one,
        shares=shares[-1],
        earlier=tuple(shares[:-1]),
        whole=back == Money.of(order.charged.inc, order.currency).minor,
        credited_before=bool(earlier),
        settlements=settlements,
        books=books(draft, **{"deposit": str(order.charged.inc), **books_of}),
        tax=order_tax(draft.body(), draft.expected, ACCOUNT, ORDERS),
        account=ACCOUNT,
        channel=Channel(1, subsidiary=1),
        on=date(2026, 3, 9),
    )
