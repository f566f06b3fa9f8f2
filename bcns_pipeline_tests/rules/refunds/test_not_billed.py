"""Refunds of orders that were not billed: out of deposits, off the order, and the invoice that comes later fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.draft import TaxDetail
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.totals import Part
from bcns_pipeline.rules.refunds.books import Books, Deposit
from bcns_pipeline.rules.refunds.case import Begun, Case
from bcns_pipeline.rules.refunds.limits import payments_add_up, within_captured
from bcns_pipeline.rules.refunds.model import Refund
from bcns_pipeline.rules.refunds.plan import plan_refund
from bcns_pipeline.rules.refunds.records import RefundPlan, RefundRecord, going_back
from bcns_pipeline.rules.refunds.tax import OrderTax
from bcns_pipeline_tests.rules.orders.examples import POLICY as ORDERS
from bcns_pipeline_tests.rules.orders.examples import drafted
from bcns_pipeline_tests.rules.orders.shop import Cart, CartLine
from bcns_pipeline_tests.rules.refunds import world
from bcns_pipeline_tests.rules.refunds.world import D, captured, item, payment, refund

# 2 x 20.00 and 3 x 9.99, 8.875 % tax, 9.95 shipping: nothing of it divides.
TWO = Cart([CartLine(D("20.00"), 2, D("8.875")), CartLine(D("9.99"), 3, D("8.875"))], shipping=D("9.95"))


@dataclass
class Merchant:
    """One order in NetSuite, shipped in part perhaps, and what refunds make of it: no more than sums."""

    cart: Cart
    gateways: Sequence[str] = ("stripe",)
    shipped: Sequence[int] = (0, 0)
    refunds: list[Refund] = field(default_factory=list)
    plans: list[RefundPlan] = field(default_factory=list)
    given: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order, self.parts = world.sold(self.cart)
        self.charged = Money.of(self.order.charged.inc, "USD")
        amounts = self.charged.allocate([1] * len(self.gateways))
        self.tenders: list[Tender] = [
            captured(str(amount.amount), gateway, n)
            for n, (gateway, amount) in enumerate(zip(self.gateways, amounts, strict=True), 1)
        ]
        draft = drafted(self.order)
        self.header = Money.of(draft.expected.shipping + draft.expected.handling, "USD")
        made = world.books(draft, billed=False)
        lines = dict(made.lines)
        for part, units in zip(self.goods, self.shipped, strict=True):
            lines[part.key] = replace(lines[part.key], fulfilled=D(units))
        self.books: Books = replace(
            made,
            lines=lines,
            deposits={n: Deposit(9000 + n, "customerdeposit", amount) for n, amount in enumerate(amounts, 1)},
        )

    @property
    def goods(self) -> list[Part]:
        return [part for part in self.parts if part.line is not None]

    @property
    def open(self) -> Money:
        return total([one.open for one in self.books.deposits.values()], "USD")

    @property
    def invoice(self) -> Money:
        """What is billed once all that is left has left: closed lines are not."""
        lines = sum((line.amount for line in self.books.lines.values() if not line.closed), D(0))
        return self.header + Money.of(lines, "USD")

    @property
    def back(self) -> Money:
        return total([one.paid for one in self.refunds], "USD")

    def ask(
        self, units: Sequence[int], goodwill: str = "0", stored: str = "0", *, more: str = "0", **extra: Any
    ) -> Refund:
        """A refund of so many units of each line, as BigCommerce adds it up; `more` is what its total has beyond."""
        items, sums, taxes = [], [], []
        for part, wanted in zip(self.goods, units, strict=True):
            assert part.line is not None
            first = self.given.get(part.line.id, 0)
            if wanted:
                items.append(item("PRODUCT", part.line.id, quantity=wanted))
                sums.append(_until(part, first + wanted) - _until(part, first))
                taxes.append(_until(part, first + wanted, tax=True) - _until(part, first, tax=True))
                self.given[part.line.id] = first + wanted
        kind = Money.of(goodwill, "USD")
        if kind:
            items.append(item("ORDER", 1001, requested_amount=kind.amount))
        whole = total([*sums, kind], "USD") + Money.of(more, "USD")
        credit = min(Money.of(stored, "USD"), whole)
        payments = [payment("storecredit", str(credit.amount), offline=True)] if credit else []
        if whole - credit:
            payments.append(payment(self.gateways[-1], str((whole - credit).amount)))
        number = len(self.refunds) + 1
        return refund(number, str(whole.amount), str(total(taxes, "USD").amount), items, payments, **extra)

    def case(self, one: Refund) -> Case:
        found = world.case(one, self.order, self.parts, tenders=self.tenders, earlier=tuple(self.refunds))
        credited = any(plan.route != "deposit" for plan in self.plans)
        return replace(found, books=self.books, credited_before=credited)

    def post(self, one: Refund) -> RefundPlan | Problem:
        """Plan it, and do what the plan says."""
        found = plan_refund(self.case(one), ORDERS, world.POLICY)
        if isinstance(found, list):
            return found[0]
        self.do(found)
        self.refunds.append(one)
        self.plans.append(found)
        return found

    def do(self, plan: RefundPlan) -> None:
        for record in plan.records:
            self.draw(record)
        lines = dict(self.books.lines)
        if plan.cut is not None:
            for patch in plan.cut.body["item"]["items"]:
                key, line = next((k, v) for k, v in lines.items() if v.line == patch["line"])
                lines[key] = replace(
                    line,
                    closed=patch.get("isClosed", line.closed),
                    amount=patch.get("amount", line.amount),
                    quantity=D(patch.get("quantity", line.quantity)),
                )
        self.books = replace(self.books, lines=lines)

    def draw(self, record: RefundRecord) -> None:
        deposits = dict(self.books.deposits)
        for row in record.body.get("deposit", {"items": []})["items"]:
            n = int(row["doc"]["id"]) - 9000
            deposits[n] = replace(deposits[n], open=deposits[n].open - Money.of(row["amount"], "USD"))
            assert deposits[n].open.minor >= 0
        self.books = replace(self.books, deposits=deposits)


def _until(part: Part, units: int, *, tax: bool = False) -> Money:
    assert part.line is not None
    whole = part.tax if tax else part.net + part.tax
    return whole.times(Fraction(units, part.line.quantity))


def drawn(record: RefundRecord) -> Money:
    """What a record takes out of deposits."""
    rows = record.body.get("deposit", {"items": []})["items"]
    return total([Money.of(row["amount"], "USD") for row in rows], "USD")


def credited(plan: RefundPlan) -> Money:
    """What a plan credits."""
    memos = [one.amount for one in plan.records if one.record == "creditMemo"]
    return total(memos, "USD")


def balanced(record: RefundRecord) -> bool:
    lines = record.body["line"]["items"]
    return sum(D(str(one.get("debit", 0))) - D(str(one.get("credit", 0))) for one in lines) == 0


def posted(merchant: Merchant, one: Refund) -> RefundPlan:
    found = merchant.post(one)
    assert isinstance(found, RefundPlan), found
    return found


def test_one_of_two_units_goes_back_and_the_invoice_is_what_is_left() -> None:
    shop = Merchant(TWO)
    found = posted(shop, shop.ask([1, 0]))
    assert found.route == "deposit"
    assert found.cut is not None
    assert found.cut.body["item"]["items"][0] == {
        "line": 1,
        "quantity": 1,
        "rate": D("20.00"),
        "amount": D("20.00"),
    }
    assert shop.invoice == shop.open == shop.charged - Money.of("21.78", "USD")


def test_goodwill_with_units_is_credited_and_its_payment_is_one_customer_refund_of_both() -> None:
    shop = Merchant(TWO)
    found = posted(shop, shop.ask([2, 0], goodwill="4.00"))
    assert found.route == "deposit_and_credit"
    memo, money = found.records
    assert (memo.record, str(memo.amount.amount)) == ("creditMemo", "4.00")
    assert [str(one.amount) for one in money.settles] == ["4.00"]
    assert drawn(money) == money.amount - memo.amount
    assert shop.invoice == shop.open


def test_store_credit_for_what_was_not_billed_passes_the_transfer_account() -> None:
    shop = Merchant(TWO)
    found = posted(shop, shop.ask([2, 0], goodwill="4.00", stored="100"))
    released, journal, memo = found.records
    assert (released.record, released.key, released.n) == ("customerRefund", "bc-abc123-refund-1-release", 0)
    assert released.body["account"] == {"id": "119"}
    assert [
        (one["account"]["id"], one.get("debit"), one.get("credit")) for one in journal.body["line"]["items"]
    ] == [
        ("119", D("43.55"), None),
        ("120", D("4.00"), None),
        ("232", None, D("47.55")),
    ]
    assert [one.amount for one in memo.settles] == [D("4.00")]
    assert drawn(released) == released.amount
    assert shop.invoice == shop.open


def test_without_a_transfer_account_the_key_is_named() -> None:
    shop = Merchant(TWO)
    policy = replace(world.POLICY, transfer={})
    found = plan_refund(shop.case(shop.ask([2, 0], stored="100")), ORDERS, policy)
    assert isinstance(found, list)
    assert (found[0].code, "cash.refunds.transfer.USD" in found[0].sentence) == ("REFUND_UNMAPPED", True)


def test_units_that_have_left_are_credited_and_those_that_have_not_are_taken_off() -> None:
    shop = Merchant(TWO, shipped=(1, 3))
    found = posted(shop, shop.ask([2, 1]))
    assert found.route == "deposit_and_credit"
    # One of each line was delivered: 21.77 and 10.88 with tax; one was not.
    assert str(credited(found).amount) == "32.65"
    assert str(drawn(found.records[-1]).amount) == "21.78"
    assert shop.invoice == shop.open


def test_all_of_an_order_goes_back_of_which_a_part_has_left_and_that_part_is_still_billed() -> None:
    shop = Merchant(TWO, shipped=(1, 0))
    rest = shop.ask([2, 3])
    items = [item("PRODUCT", 5501, quantity=2), item("PRODUCT", 5502, quantity=3), item("SHIPPING", 64)]
    whole = refund(1, str(shop.charged.amount), str(rest.tax.amount), items)
    assert shop.case(whole).whole
    found = posted(shop, whole)
    assert found.route == "deposit_and_credit"
    assert found.cut is not None
    assert found.cut.closes == (2,)
    assert shop.invoice == shop.open


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ({"more": "-5.00", "uses_merchant_override_values": True}, "nothing bills that"),
        ({"stored": "100", "paid": "gift"}, "stored value has none"),
    ],
)
def test_what_nobody_can_decide_is_a_question(extra: dict[str, str], why: str) -> None:
    shop = Merchant(TWO)
    if extra.pop("paid", ""):
        shop.books = replace(
            shop.books, deposits={1: replace(shop.books.deposits[1], open=Money.of("1.00", "USD"))}
        )
    found = shop.post(shop.ask([2, 0], **extra))
    assert isinstance(found, Problem)
    assert (found.code, why in found.sentence) == ("REFUND_NOT_BILLED", True)


def test_stored_value_that_was_never_booked_goes_from_liability_to_liability_once_nothing_is_billed() -> None:
    shop = Merchant(TWO)
    money = {n: Money.of(amount, "USD") for n, amount in ((1, "50.00"), (2, "7.50"), (3, "3.25"))}
    card = shop.charged - money[2] - money[3]
    deposits = {1: Deposit(9001, "customerdeposit", card)}
    stored = {"gift_certificate": money[2], "store_credit": money[3]}
    shop.books = replace(shop.books, deposits=deposits, stored=stored)
    units = shop.ask([2, 3])
    things = [*(item("PRODUCT", n, quantity=q) for n, q in ((5501, 2), (5502, 3))), item("SHIPPING", 64)]
    # Of the card's money 20.00 becomes store credit as well.
    credit = money[2] + money[3] + Money.of("20.00", "USD")
    ways = [payment("storecredit", str(credit.amount), offline=True)]
    ways.append(payment("stripe", str((shop.charged - credit).amount)))
    whole = refund(1, str(shop.charged.amount), str(units.tax.amount), things, ways)
    assert shop.case(whole).whole
    released, journal, back = posted(shop, whole).records
    assert drawn(released) == Money.of("20.00", "USD")
    assert [
        (one["account"]["id"], one.get("debit"), one.get("credit")) for one in journal.body["line"]["items"]
    ] == [
        ("232", D("3.25"), None),
        ("231", D("7.50"), None),
        ("119", D("20.00"), None),
        ("232", None, credit.amount),
    ]
    assert drawn(back) == back.amount == shop.charged - credit
    assert shop.open == Money.zero("USD")
    # Of an order that is billed in part the invoice will settle it, so nobody can say yet.
    shop = Merchant(TWO)
    shop.books = replace(shop.books, deposits={}, stored={"store_credit": shop.charged})
    found = shop.post(shop.ask([2, 0], stored="100"))
    assert isinstance(found, Problem)
    assert (found.code, "stored value has none" in found.sentence) == ("REFUND_NOT_BILLED", True)


def test_under_suitetax_a_lowered_line_comes_with_all_rows_anew_and_a_closed_one_with_none() -> None:
    code = TaxDetail(12, "5", D("40.00"), D("8.875"), D("3.55"))
    zero = TaxDetail(13, "5", D("29.97"), D(0), D("2.66"))
    tax = OrderTax(overrides=True, rows={"5501": (code,), "5502": (zero,)})
    shop = Merchant(TWO)
    closed = plan_refund(replace(shop.case(shop.ask([2, 0])), tax=tax), ORDERS, world.POLICY)
    assert isinstance(closed, RefundPlan)
    assert closed.cut is not None
    assert closed.cut.body == {"item": {"items": [{"line": 1, "isClosed": True}]}}
    shop = Merchant(TWO)
    lowered = plan_refund(replace(shop.case(shop.ask([1, 0])), tax=tax), ORDERS, world.POLICY)
    assert isinstance(lowered, RefundPlan)
    assert lowered.cut is not None
    assert dict(lowered.cut.amounts) == {1: D("20.00")}
    assert [one["taxDetailsReference"] for one in lowered.cut.body["item"]["items"]] == ["bc-5501", "bc-5502"]
    assert [(one["taxBasis"], one["taxAmount"]) for one in lowered.cut.body["taxDetails"]["items"]] == [
        (D("20.00"), D("1.77")),
        (D("29.97"), D("2.66")),
    ]


asked = st.tuples(
    st.tuples(st.integers(0, 2), st.integers(0, 3)),
    st.integers(0, 900),
    st.integers(0, 6000),
)


@settings(max_examples=150)
@given(
    st.lists(asked, min_size=1, max_size=4),
    st.tuples(st.integers(0, 2), st.integers(0, 3)),
    st.sampled_from([("stripe",), ("stripe", "braintree")]),
)
def test_whatever_goes_back_deposits_fit_the_order_and_nothing_exceeds_what_came_in(
    wanted: list[tuple[tuple[int, int], int, int]], shipped: tuple[int, int], gateways: tuple[str, ...]
) -> None:
    """Open deposit + applied + refunded = captured, at each step and once the rest is billed; each plan is stable."""
    shop = Merchant(TWO, gateways=gateways, shipped=shipped)
    for units, goodwill, stored in wanted:
        left = [part.line.quantity - shop.given.get(part.line.id, 0) for part in shop.goods if part.line]
        before = dict(shop.given)
        one = shop.ask(
            [min(a, b) for a, b in zip(units, left, strict=True)],
            str(Money(goodwill, "USD").amount),
            str(Money(stored, "USD").amount),
        )
        limit = within_captured(one, [*shop.refunds, one], shop.charged, shop.tenders)
        if not one.total or payments_add_up(one) or limit:
            shop.given = before
            continue
        state = replace(shop.books)
        found = shop.post(one)
        if isinstance(found, Problem):
            # Only what nobody can decide: the whole order, of which something was credited before.
            assert shop.case(one).whole, found
            shop.given = before
            continue
        out = total([drawn(record) for record in found.records], "USD")
        assert out + credited(found) == one.total
        assert total([record.amount for record in found.records if record.n], "USD") == one.total
        # What a person approves is the refund, however much of it is credit, deposit or stored value.
        assert going_back([(record.n, record.amount) for record in found.records]) == one.total
        assert all(balanced(record) for record in found.records if record.record == "journalEntry")
        owed = sum((settled.amount for record in found.records for settled in record.settles), Decimal(0))
        assert owed == credited(found).amount
        assert shop.invoice == shop.open
        assert shop.open + shop.back - total([credited(plan) for plan in shop.plans], "USD") == shop.charged
        again = _again(shop, one, state, found)
        assert again == found.records, "what was begun is finished the same way"
    assert shop.back <= shop.charged


def _again(shop: Merchant, one: Refund, before: Books, plan: RefundPlan) -> tuple[RefundRecord, ...]:
    """The plan of a refund whose first record is made and whose order was cut already, with that record as it was."""
    after, shop.books = shop.books, before
    first, *_ = plan.records
    shop.draw(first)
    begun = {first.key: Begun(first.record.lower(), first.amount)}
    shop.refunds.remove(one)
    books = replace(shop.books, lines=after.lines)
    found = plan_refund(replace(shop.case(one), books=books, begun=begun), ORDERS, world.POLICY)
    shop.refunds.append(one)
    shop.books = after
    assert isinstance(found, RefundPlan), found
    return (first, *found.records[1:])
