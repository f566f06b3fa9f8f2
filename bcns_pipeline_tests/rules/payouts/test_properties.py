"""What holds of any list of lines, whatever is in it. docs/finance-properties.md lists these by name."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.payouts.accounts import REVENUE_AND_TAX, Role
from bcns_pipeline.rules.payouts.body import body, canonical
from bcns_pipeline.rules.payouts.books import Booked, Books, OrderFacts, Split, Treatment
from bcns_pipeline.rules.payouts.classes import TABLES, classify
from bcns_pipeline.rules.payouts.entry import Entry, Part
from bcns_pipeline.rules.payouts.model import SETTLES, LineClass, Payout, PayoutLine, PayoutStatus
from bcns_pipeline.rules.payouts.plan import PayoutPlan
from bcns_pipeline.rules.payouts.policy import PayoutPolicy, ProviderPolicy
from bcns_pipeline_tests.rules.payouts.examples import POLICY, hashed, line, payout, planned

WORDS = sorted(word for word in TABLES["stripe"] if "*" not in word and word != "payout")
GENERIC = [cls.value for cls in LineClass if cls not in (LineClass.UNCLASSIFIED, LineClass.PAYOUT_EVENT)]
AMOUNTS = st.integers(-10_000_000, 10_000_000)
FEES = st.integers(-100_000, 100_000)


@st.composite
def lines(draw: st.DrawFn, currency: str = "USD") -> PayoutLine:
    fee = draw(FEES)
    tax = draw(st.integers(min(fee, 0), max(fee, 0)))
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more = {"presentment_amount": draw(st.integers(1, 10**7)), "presentment_currency": "GBP"}
    if draw(st.booleans()):
        more |= {"order_id": draw(st.integers(1, 5)), "transaction_id": draw(st.integers(1, 50))}
    identity = draw(st.uuids()).hex
    word = draw(st.sampled_from(GENERIC))
    return line(identity, word, draw(AMOUNTS), fee, fee_tax=tax, currency=currency, **more)


@st.composite
def payouts(draw: st.DrawFn) -> Payout:
    """Of any lines in any classes; lines of another currency are converted away, as they have to be."""
    own = draw(st.lists(lines(), max_size=12))
    other = draw(st.lists(lines("EUR"), max_size=4))
    left = sum(one.net for one in other)
    if left:
        other.append(line("converted", "conversion", -left, currency="EUR"))
    status = draw(st.sampled_from([PayoutStatus.PAID, PayoutStatus.FAILED]))
    return payout([*own, *other], provider="generic", account="shop", status=status)


@st.composite
def books_of(draw: st.DrawFn, made: Payout) -> Books:
    """NetSuite's records of any of the lines, at any value."""
    booked = {
        one.id: Booked(f"bc-h-{one.id}", draw(st.sampled_from([1130, 1131])), draw(st.integers(1, 10**7)))
        for one in made.lines
        if draw(st.booleans())
    }
    return Books(booked=booked)


@settings(max_examples=60)
@given(st.data())
def test_any_list_of_lines_balances_per_currency_and_the_bank_leg_is_the_payout(data: st.DataObject) -> None:
    made = data.draw(payouts())
    plan = planned(made, data.draw(books_of(made)))
    assert [one.currency for one in plan.entries] == [
        currency for currency in made.currencies if any(one.currency == currency for one in plan.entries)
    ]
    for entry in plan.entries:
        assert entry.balanced
        assert entry.bank == (made.amount if entry.currency == made.currency else 0)
        assert all((one.debit > 0) != (one.credit > 0) for one in entry.lines)
    assert not [one for one in plan.findings if one.check in ("FI1", "FI2", "FI3", "FI4", "FI5")]


@settings(max_examples=60)
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_lines_is_no_matter_to_the_byte(data: st.DataObject, rnd: random.Random) -> None:
    made = data.draw(payouts())
    books = data.draw(books_of(made))
    mixed = list(made.lines)
    rnd.shuffle(mixed)
    one, other = planned(made, books), planned(replace(made, lines=tuple(mixed)), books)
    assert one.entries == other.entries
    assert sorted(map(str, one.findings)) == sorted(map(str, other.findings))
    assert [canonical(body(entry, 1, POLICY)) for entry in one.entries] == [
        canonical(body(entry, 1, POLICY)) for entry in other.entries
    ]


@settings(max_examples=60)
@given(st.data())
def test_a_replay_is_a_no_op(data: st.DataObject) -> None:
    made = data.draw(payouts())
    books = data.draw(books_of(made))
    assert planned(made, books) == planned(made, books)
    assert planned(planned(made, books).payout, books) == planned(made, books)


@settings(max_examples=60)
@given(st.data())
def test_classes_and_directions_are_never_netted(data: st.DataObject) -> None:
    made = data.draw(payouts())
    plan = planned(made)
    of_line = {one.id: one for one in plan.payout.lines}
    for entry in plan.entries:
        for leg in entry.lines:
            if leg.cls is None or leg.part not in (Part.GROSS, Part.FEE, Part.FEE_TAX):
                continue
            members = [of_line[one] for one in leg.members]
            amounts = [_amount(one, leg.part) for one in members]
            assert {one.cls for one in members} == {leg.cls}
            assert sum(amounts) == leg.signed
            assert all((amount > 0) == (leg.debit > 0) for amount in amounts)


def _amount(one: PayoutLine, part: Part) -> int:
    return {Part.GROSS: -one.gross, Part.FEE: one.fee - one.fee_tax, Part.FEE_TAX: one.fee_tax}[part]


@settings(max_examples=60)
@given(st.data())
def test_no_revenue_or_tax_account_is_in_an_entry_of_clearing_mode(data: st.DataObject) -> None:
    made = data.draw(payouts())
    orders = {number: OrderFacts(number, 1) for number in range(1, 6)}
    splits = {one.id: Split(abs(one.gross)) for one in made.lines}
    books = replace(data.draw(books_of(made)), orders=orders, splits=splits)
    for entry in planned(made, books).entries:
        assert not {one.role for one in entry.lines} & (REVENUE_AND_TAX | {Role.STORED_VALUE})


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["gross", "fee", "net", "amount"]), st.sampled_from([-1, 1]))
def test_one_injected_cent_is_found_and_named(data: st.DataObject, where: str, cent: int) -> None:
    made = data.draw(payouts())
    books = data.draw(books_of(made))
    assert planned(made, books).payout.amount == made.amount
    if where == "amount":
        spoiled, name = replace(made, amount=made.amount + cent), ""
    else:
        assume(made.lines)
        target = data.draw(st.sampled_from(made.lines))
        name = target.id
        other = replace(target, **{where: getattr(target, where) + cent})
        spoiled = replace(made, lines=tuple(other if one.id == name else one for one in made.lines))
    found = [one for one in planned(spoiled, books).findings if one.blocks and one.check in ("FI1", "FI2")]
    assert found
    assert any(one.amount is not None and abs(one.amount.minor) == 1 for one in found)
    assert name == "" or any(name in one.members for one in found)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.text(min_size=1, max_size=12))
def test_an_unknown_word_stops_its_payout_and_is_never_guessed(words: list[str], word: str) -> None:
    known = [line(str(at), one, 100) for at, one in enumerate(words)]
    strange = line("strange", f"~{word}", 100)
    plan = planned(payout([*known, strange]))
    assert not plan.postable
    assert [one.members for one in plan.findings if one.code == "PAYOUT_UNMAPPED"] == [("strange",)]
    named = replace(
        POLICY, providers={("stripe", "acct1"): ProviderPolicy({f"~{word}": LineClass.ADJUSTMENT})}
    )
    if not set(word) & set("*?["):
        assert not [
            one for one in planned(payout([strange]), policy=named).findings if one.code == "PAYOUT_UNMAPPED"
        ]


# --- summary mode


SUMMARY = replace(POLICY, summary_channels=frozenset({3}))
splits = st.builds(
    Split, st.integers(51, 10**6), st.integers(0, 10**4), st.integers(0, 10**5), st.integers(-50, 0)
)


@settings(max_examples=60)
@given(st.data())
def test_summary_mode_posts_exactly_what_was_paid_and_touches_no_clearing(data: st.DataObject) -> None:
    split = data.draw(splits)
    part = data.draw(st.integers(1, split.total)) if split.stored_value == 0 else split.total
    word, sign = data.draw(st.sampled_from([("charge", 1), ("refund", -1)]))
    made = payout([line("a", word, sign * part, 30, order_id=7, transaction_id=70)])
    books = Books(orders={7: OrderFacts(7, 3)}, splits={"a": split})
    plan = planned(made, books, SUMMARY)
    (entry,) = plan.entries
    assert plan.postable
    assert entry.balanced
    revenue = {Role.REVENUE, Role.RETURNS, Role.SHIPPING_REVENUE, Role.SALES_TAX, Role.STORED_VALUE}
    assert sum(one.signed for one in entry.lines if one.role in revenue) == -sign * part
    assert Role.CLEARING not in {one.role for one in entry.lines}
    if part == split.total:
        tax = sum(one.signed for one in entry.lines if one.role is Role.SALES_TAX)
        assert tax == -sign * split.tax


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 200))
def test_a_summary_order_whose_parts_do_not_do_is_never_posted(revenue: int, spent: int, paid: int) -> None:
    split = Split(revenue, stored_value=spent)
    made = payout([line("a", "charge", paid, order_id=7, transaction_id=70)])
    plan = planned(made, Books(orders={7: OrderFacts(7, 3)}, splits={"a": split}), SUMMARY)
    does = split.total == paid or min(revenue, spent) >= 0 < split.total
    assert plan.postable is does
    assert does or {one.code for one in plan.findings if one.blocks} == {"SUMMARY_UNKNOWN"}


@st.composite
def summary_cases(draw: st.DrawFn) -> tuple[PayoutPlan, Payout, Books, PayoutPolicy]:
    channels = draw(st.lists(st.sampled_from([1, 3]), min_size=5, max_size=5))
    orders = {
        number: OrderFacts(
            number,
            channel,
            draw(st.sampled_from([frozenset[str](), frozenset({"bc-h-invoice-1-1"})])),
            old=draw(st.booleans()),
            summarised=draw(st.booleans()),
        )
        for number, channel in enumerate(channels, start=1)
    }
    made = draw(payouts())
    books = Books(
        orders=orders,
        booked={one.id: Booked("r", 1130, 5) for one in made.lines if draw(st.booleans())},
        splits={one.id: Split(abs(one.gross)) for one in made.lines if draw(st.booleans())},
    )
    return planned(made, books, SUMMARY), made, books, SUMMARY


@settings(max_examples=60)
@given(summary_cases())
def test_double_revenue_is_impossible(case: tuple[PayoutPlan, Payout, Books, PayoutPolicy]) -> None:
    plan, made, books, _ = case
    posting = {
        member
        for entry in plan.entries
        for one in entry.lines
        if one.role in REVENUE_AND_TAX
        for member in one.members
    }
    for one in made.lines:
        order = books.orders.get(one.order_id or 0)
        if one.id in posting:
            assert order is not None
            assert not order.old
            assert order.channel == 3 or order.summarised
            # Whatever has documents of its own is refused, so its revenue is posted by them alone.
            assert not (order.documents and plan.postable)
    for identity, treatment in plan.treatments.items():
        if treatment is Treatment.SUMMARY and plan.postable:
            found = next(one for one in made.lines if one.id == identity)
            assert found.order_id is not None
            assert not books.orders[found.order_id].documents


@settings(max_examples=30)
@given(st.data())
def test_each_line_of_an_entry_proves_its_members(data: st.DataObject) -> None:
    made = data.draw(payouts())
    assume(any(one.gross for one in made.lines))
    before = planned(made)
    target = data.draw(st.sampled_from([one for one in made.lines if one.gross]))
    other = replace(target, raw_sha256=hashed("another row"))
    after = planned(replace(made, lines=tuple(other if one.id == target.id else one for one in made.lines)))
    for one, again in zip(_legs(before.entries), _legs(after.entries), strict=True):
        assert (one.members_sha256 != again.members_sha256) == (target.id in one.members)
        assert one.members == again.members


def _legs(entries: tuple[Entry, ...]) -> list[Any]:
    return [one for entry in entries for one in entry.lines]


def test_every_class_but_the_transfer_itself_has_legs() -> None:
    made, unknown = classify(
        payout([line(word, word, 100) for word in GENERIC], provider="generic", account="shop")
    )
    assert unknown == []
    assert {one.cls for one in made.lines} == {
        one for one in LineClass if one not in (LineClass.UNCLASSIFIED, LineClass.PAYOUT_EVENT)
    }
    plan = planned(made)
    assert plan.postable
    assert {leg.cls for leg in _legs(plan.entries)} - {None} == {one.cls for one in made.lines}
    assert {one.cls for one in made.lines} >= SETTLES
