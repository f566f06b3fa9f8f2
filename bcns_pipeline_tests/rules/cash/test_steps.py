"""What is written for an order's money: the cases by name, and that any life of an order ends with every cent once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.cash.model import Capture, Decided, Invoice, OrderLine, Position, Posted
from bcns_pipeline.rules.cash.policy import CashPolicy, StoredValue
from bcns_pipeline.rules.cash.steps import decide
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.periods import Period
from bcns_pipeline_tests.rules.cash.ledger import (
    BANK,
    CLEARING,
    DAY,
    LIABILITY_ITEM,
    OPEN,
    PAYPAL_CLEARING,
    POLICY,
    Ledger,
    capture,
    position,
    usd,
)

SHUT = (Period(date(2026, 3, 1), date(2026, 3, 31), False), Period(date(2026, 4, 1), date(2026, 4, 30), True))


def invoice(amount: str = "100.00", left: str | None = None, number: int = 7001) -> Invoice:
    return Invoice(number, "", f"INV{number}", usd(amount), usd(left or amount), DAY)


def posted(amount: str = "100.00", unused: str | None = None, number: int = 1) -> Posted:
    key = f"bc-abc-deposit-1001-{number}"
    return Posted(number, key, "deposit", 6000 + number, usd(amount), usd(unused or amount), DAY)


def kinds(found: Decided) -> list[str]:
    return [one.kind for one in found.steps]


def codes(found: Decided) -> list[str]:
    return [one.code for one in found.problems]


def test_a_capture_is_a_deposit_on_the_sales_order_in_its_providers_clearing_account() -> None:
    found = decide(position("100.00", capture("100.00")), POLICY, OPEN)
    (step,) = found.steps
    assert (step.kind, step.path, step.key) == ("deposit", "customerDeposit", "bc-abc-deposit-1001-1")
    assert step.body == {
        "externalId": "bc-abc-deposit-1001-1",
        "tranDate": "2026-03-04",
        "currency": {"id": "1"},
        "memo": "BigCommerce order 1001, transaction 1",
        "customer": {"id": "110"},
        "salesOrder": {"id": "5001"},
        "payment": Decimal("100.00"),
        "account": {"id": str(CLEARING)},
        "undepFunds": {"id": "F"},
    }
    assert found.waits == "It is not shipped yet."


def test_a_split_tender_gives_one_receipt_each_and_stored_value_waits_for_its_invoice() -> None:
    parts = (
        capture("50.00", 1, "gift_certificate", "giftcertificate"),
        capture("20.00", 2, gateway="paypalexpress"),
        capture("10.00", 3, gateway="bankdeposit"),
        capture("20.00", 4),
    )
    found = decide(position("100.00", *parts), POLICY, OPEN)
    assert [(one.transaction_id, one.account) for one in found.steps] == [
        (2, PAYPAL_CLEARING),
        (3, BANK),
        (4, CLEARING),
    ]
    assert "A stored value waits for its invoice." in found.waits

    have = {n: posted(amount, number=n) for n, amount in ((2, "20.00"), (3, "10.00"), (4, "20.00"))}
    later = replace(position("100.00", *parts, status="G"), posted=have, invoices=(invoice(),))
    found = decide(later, POLICY, OPEN)
    assert kinds(found) == ["application"] * 3 + ["credit"]
    memo = found.steps[-1]
    assert memo.key == "bc-abc-deposit-1001-1"
    assert memo.body["item"]["items"][0]["item"] == {"id": str(LIABILITY_ITEM)}
    assert memo.body["apply"] == {
        "items": [{"doc": {"id": "7001"}, "apply": True, "amount": Decimal("50.00")}]
    }


def test_stored_value_by_setting_is_a_deposit_on_its_liability() -> None:
    policy = replace(POLICY, store_credit=StoredValue("deposit", account=2320))
    (step,) = decide(position("9.00", capture("9.00", 1, "store_credit")), policy, OPEN).steps
    assert (step.kind, step.account) == ("deposit", 2320)


def test_a_channel_of_payments_waits_for_the_invoice_and_pays_it() -> None:
    policy = replace(POLICY, post_as={1: "payment"})
    taken = capture("100.00")
    assert kinds(decide(position("100.00", taken), policy, OPEN)) == []
    (step,) = decide(
        position("100.00", taken, status="F", invoices=(invoice(),)),
        replace(policy, billing="netsuite"),
        OPEN,
    ).steps
    assert (step.kind, step.path, step.account, step.applies) == (
        "payment",
        "customerPayment",
        CLEARING,
        ((7001, usd("100.00")),),
    )


def test_a_late_capture_of_a_billed_order_pays_its_invoice_once() -> None:
    taken = capture("100.00")
    (step,) = decide(position("100.00", taken, status="G", invoices=(invoice(),)), POLICY, OPEN).steps
    assert step.kind == "payment"
    paid = decide(position("100.00", taken, status="G", invoices=(invoice(left="0.00"),)), POLICY, OPEN)
    assert (kinds(paid), codes(paid)) == ([], ["INVOICE_PAID_ELSEWHERE"])
    # Called off after it was paid: the money is real, and stands on the customer until it goes back.
    (step,) = decide(position("100.00", taken, status="C"), POLICY, OPEN).steps
    assert step.kind == "deposit"
    assert "salesOrder" not in step.body


@pytest.mark.parametrize(
    ("status", "billing", "when", "made"),
    [
        ("B", "pipeline", "shipped", None),
        ("D", "pipeline", "shipped", None),
        ("E", "pipeline", "shipped", {1: Decimal(2), 2: Decimal(0)}),
        ("E", "pipeline", "complete", None),
        ("F", "pipeline", "complete", {}),
        ("F", "netsuite", "shipped", None),
        ("G", "pipeline", "shipped", None),
        ("H", "pipeline", "shipped", None),
    ],
)
def test_only_what_was_fulfilled_is_invoiced_and_only_by_who_bills(
    status: str, billing: str, when: str, made: dict[int, Decimal] | None
) -> None:
    policy = replace(POLICY, billing=billing, bill_when=when)  # type: ignore[arg-type]
    lines = (
        OrderLine(1, Decimal(3), Decimal(3), Decimal(1)),
        OrderLine(2, Decimal(4), Decimal(0), Decimal(0)),
        OrderLine(3, Decimal(4), Decimal(0), Decimal(0), closed=True),
    )
    found = decide(position("100.00", status=status, lines=lines), policy, OPEN)
    bills = [one for one in found.steps if one.kind == "invoice"]
    if made is None:
        assert bills == []
    else:
        (step,) = bills
        assert step.path == "salesOrder/5001/!transform/invoice"
        given = step.body.get("item", {"items": []})["items"]
        assert {one["orderLine"]: one["quantity"] for one in given} == made


def test_an_order_whose_total_drifted_is_not_billed() -> None:
    found = decide(position("100.00", status="F", blocked="Its total drifted."), POLICY, OPEN)
    assert (kinds(found), found.waits) == ([], "Its total drifted.")


def test_invoices_are_numbered_on_from_those_that_are_there() -> None:
    there = Invoice(7001, "bc-abc-invoice-1001-1", "INV1", usd("10.00"), usd("0.00"), DAY)
    (step,) = decide(position("100.00", status="F", invoices=(there,)), POLICY, OPEN).steps
    assert step.key == "bc-abc-invoice-1001-2"


def test_an_invoice_is_dated_when_its_goods_left() -> None:
    (step,) = decide(position("9.00", status="F", shipped_on=date(2026, 3, 2)), POLICY, OPEN).steps
    assert step.on == date(2026, 3, 2)


@pytest.mark.parametrize(("setting", "on"), [("next_open", date(2026, 4, 1)), ("hold", None)])
def test_a_closed_period_moves_the_day_or_holds_the_record(setting: str, on: date | None) -> None:
    policy = replace(POLICY, closed_period=setting)  # type: ignore[arg-type]
    found = decide(position("100.00", capture("100.00"), status="F"), policy, SHUT)
    assert [one.on for one in found.steps] == ([] if on is None else [on, on])
    assert codes(found) == (["PERIOD_CLOSED", "PERIOD_CLOSED"] if on is None else [])


def test_a_tender_without_an_account_waits_alone() -> None:
    found = decide(
        position("100.00", capture("40.00", 1, gateway="klarna"), capture("60.00", 2)), POLICY, OPEN
    )
    assert ([one.transaction_id for one in found.steps], codes(found)) == ([2], ["TENDER_UNMAPPED"])
    assert found.problems[0].fact == "gateway:klarna"
    assert codes(decide(position("9.00", capture("9.00", 1, "store_credit")), CashPolicy(), OPEN)) == [
        "TENDER_UNMAPPED"
    ]


def test_a_receipt_with_another_amount_is_a_question_and_is_never_written_over() -> None:
    found = decide(position("100.00", capture("100.00"), posted={1: posted("99.99")}), POLICY, OPEN)
    assert (kinds(found), codes(found)) == ([], ["CASH_DRIFT"])
    # Voided, or gone from BigCommerce, after it was booked.
    assert codes(decide(position("100.00", posted={1: posted()}), POLICY, OPEN)) == ["CASH_DRIFT"]


def test_what_was_applied_once_is_not_applied_again() -> None:
    there = position(
        "100.00", capture("100.00"), status="G", posted={1: posted(unused="5.00")},
        invoices=(invoice(left="5.00"),), applied=frozenset({(1, 7001)}),
    )  # fmt: skip
    found = decide(there, POLICY, OPEN)
    assert (kinds(found), codes(found)) == ([], ["CASH_DRIFT"])


def test_a_cash_sale_is_its_own_receipt_of_one_tender() -> None:
    sale = replace(position("100.00", capture("100.00")), record="cashSale")
    assert decide(sale, POLICY, OPEN) == Decided()
    split = replace(sale, captures=(capture("60.00", 1), capture("40.00", 2, "store_credit", "storecredit")))
    assert codes(decide(split, POLICY, OPEN)) == ["CASH_SALE_SPLIT"]


# --- any life -----------------------------------------------------------------------------------------


LINES = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5000)), min_size=1, max_size=3)
SHARES = st.lists(
    st.tuples(st.sampled_from(("gateway", "gift_certificate", "store_credit")), st.integers(0, 9)),
    min_size=1,
    max_size=4,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(("ship", "capture", "run", "dies")), st.integers(0, 9)), max_size=14
)


def tenders_of(whole: Money, shares: list[tuple[str, int]]) -> list[Capture]:
    parts = whole.allocate([weight + 1 for _, weight in shares])
    return [
        Capture(number, kind, "stripe" if kind == "gateway" else kind, amount, DAY)  # type: ignore[arg-type]
        for number, ((kind, _), amount) in enumerate(zip(shares, parts, strict=True), start=1)
        if amount
    ]


def run(ledger: Ledger, taken: tuple[Capture, ...], policy: CashPolicy, most: int = 99) -> Position:
    """Decide and write until nothing is left, or the run dies after `most` records; returns the last position."""
    for _ in range(6):
        now = ledger.position(taken)
        found = decide(now, policy, OPEN)
        assert not found.problems
        for step in found.steps:
            if not most:
                return ledger.position(taken)
            most -= 1
            ledger.write(step)
        if not found.steps:
            return now
    raise AssertionError("it never ends")


@settings(max_examples=60)
@given(
    LINES, SHARES, EVENTS, st.sampled_from(("deposit", "payment")), st.sampled_from(("shipped", "complete"))
)
def test_any_life_of_an_order_ends_with_every_cent_booked_once_and_settled(
    lines: list[tuple[int, int]],
    shares: list[tuple[str, int]],
    events: list[tuple[str, int]],
    as_: str,
    when: str,
) -> None:
    policy = replace(POLICY, post_as={1: as_}, bill_when=when)  # type: ignore[dict-item,arg-type]
    ledger = Ledger(lines)
    tenders = tenders_of(ledger.total, shares)
    captured = 0
    for event, number in events:
        if event == "ship":
            ledger.ship(number % len(lines), 1 + number % 3)
        elif event == "capture":
            captured = min(captured + 1, len(tenders))
        else:
            taken = tuple(tenders[:captured])
            run(ledger, taken, policy, 99 if event == "run" else number)
            receipts = list(ledger.posted.values())
            applied = total([one.amount - one.unused for one in receipts], "USD")
            paid = total([one.amount - one.open for one in ledger.invoices], "USD")
            assert applied == paid
            assert all(one.amount == tenders[one.transaction_id - 1].amount for one in receipts)

    for line, (quantity, _) in enumerate(lines):
        ledger.ship(line, quantity)
    end = run(ledger, tuple(tenders), policy)

    assert end.status == "G"
    assert set(ledger.posted) == {one.transaction_id for one in tenders}
    assert total([one.amount for one in ledger.posted.values()], "USD") == ledger.total
    assert not any(one.unused for one in ledger.posted.values())
    assert not any(one.open for one in ledger.invoices)
    assert decide(end, policy, OPEN) == Decided()
