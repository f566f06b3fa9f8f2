from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.payouts.bank import (
    BankedPayout,
    BankLine,
    BankResult,
    Match,
    business_days_after,
    match,
)
from bcns_pipeline.rules.payouts.policy import BankPolicy

WEDNESDAY = date(2026, 3, 4)
LATER = date(2026, 3, 31)
POLICY = BankPolicy(descriptors={"stripe": ("stripe",), "paypal": ("pp transfer",)})


def paid(
    key: str, amount: int, arrival: date = WEDNESDAY, provider: str = "stripe", **more: object
) -> BankedPayout:
    return replace(BankedPayout(key, provider, "1010", "USD", amount, arrival), **more)  # type: ignore[arg-type]


def booked(identity: str, amount: int, day: date = WEDNESDAY, text: str = "", **more: object) -> BankLine:
    return replace(BankLine(identity, "1010", "USD", amount, day, text), **more)  # type: ignore[arg-type]


def matched(payouts: list[BankedPayout], lines: list[BankLine], read_to: date | None = None) -> BankResult:
    return match(payouts, lines, POLICY, LATER, read_to=read_to)


def codes(found: BankResult) -> list[str]:
    return [one.code for one in found.findings]


def test_business_days_leave_out_weekends_and_holidays() -> None:
    assert business_days_after(WEDNESDAY, 3) == date(2026, 3, 9)
    assert business_days_after(WEDNESDAY, 3, frozenset({date(2026, 3, 5)})) == date(2026, 3, 10)
    assert business_days_after(date(2026, 3, 7), 0) == date(2026, 3, 7)


def test_a_payout_is_the_line_of_its_amount_within_three_business_days() -> None:
    found = matched([paid("po", 567063)], [booked("b", 567063, date(2026, 3, 9))])
    assert found.matches == (Match("po", "b", "alone"),)
    assert (found.findings, found.open_lines) == ((), ())
    late = matched([paid("po", 567063)], [booked("b", 567063, date(2026, 3, 10))])
    assert (codes(late), late.open_lines) == (["BANK_LINE_MISSING"], ("b",))
    early = matched([paid("po", 567063)], [booked("b", 567063, date(2026, 3, 3))])
    assert codes(early) == ["BANK_LINE_MISSING"]


def test_a_payout_whose_days_are_not_over_or_not_read_is_not_missing_yet() -> None:
    assert matched([paid("po", 100)], [], read_to=date(2026, 3, 9)).findings == ()
    assert codes(matched([paid("po", 100)], [], read_to=date(2026, 3, 10))) == ["BANK_LINE_MISSING"]
    assert matched([paid("zero", 0)], []).findings == ()


def test_of_equal_amounts_each_gets_the_line_that_names_it() -> None:
    payouts = [
        paid("a", 5000, reference="TRACE1"),
        paid("b", 5000, provider="paypal"),
        paid("c", 5000, provider="adyen"),
    ]
    lines = [
        booked("1", 5000, text="unknown"),
        booked("2", 5000, WEDNESDAY + timedelta(days=1), "PP TRANSFER 77"),
        booked("3", 5000, WEDNESDAY + timedelta(days=2), references=("TRACE1",)),
    ]
    found = matched(payouts, lines)
    assert [(one.payout, one.line) for one in found.matches] == [("a", "3"), ("b", "2"), ("c", "1")]


def test_a_cent_off_is_told_with_the_difference_and_is_no_match() -> None:
    found = matched([paid("po", 567063)], [booked("b", 567062, text="STRIPE PAYOUT")])
    assert found.matches == ()
    (finding,) = found.findings
    assert (finding.code, finding.members) == ("BANK_DIFF", ("po", "b"))
    assert finding.amount is not None
    assert finding.amount.minor == -1
    other = matched([paid("po", 567063)], [booked("b", 567062, text="rent")])
    assert codes(other) == ["BANK_LINE_MISSING"]
    assert other.open_lines == ("b",)
    far = matched([paid("po", 567063, reference="T9")], [booked("b", 560000, references=("T9",))])
    assert codes(far) == ["BANK_DIFF"]


def test_a_line_that_pays_two_payouts_at_once_is_both_and_is_told() -> None:
    found = matched([paid("a", 1000), paid("b", 2500)], [booked("x", 3500, text="STRIPE")])
    assert found.matches == (Match("a", "x", "joined"), Match("b", "x", "joined"))
    assert codes(found) == ["BANK_DIFF"]
    # Two ways to make it up are no proof of either.
    vague = matched([paid("a", 1000), paid("b", 2500), paid("c", 2500)], [booked("x", 3500, text="STRIPE")])
    assert vague.matches == ()
    mixed = matched([paid("a", 1000), paid("b", 2500, provider="paypal")], [booked("x", 3500)])
    assert mixed.matches == ()


def test_a_payout_that_the_bank_gave_back_is_told_unless_the_provider_says_so_too() -> None:
    lines = [booked("in", 567063), booked("out", -567063, date(2026, 3, 9), returned=True)]
    found = matched([paid("po", 567063)], lines)
    assert found.matches == (Match("po", "in", "alone"),)
    assert codes(found) == ["BANK_RETURNED"]
    known = matched([paid("po", 567063, failed=True)], lines)
    assert (known.findings, known.open_lines) == ((), ())


def test_a_negative_payout_is_a_line_that_went_out() -> None:
    found = matched([paid("po", -19378)], [booked("b", -19378)])
    assert found.matches == (Match("po", "b", "alone"),)


def test_other_accounts_and_currencies_are_other_money() -> None:
    lines = [booked("b", 100, account="2020"), booked("c", 100, currency="EUR")]
    assert codes(matched([paid("po", 100)], lines)) == ["BANK_LINE_MISSING"]


amounts = st.sampled_from([100, 250, 350, 600])
days = st.integers(0, 6).map(lambda number: WEDNESDAY + timedelta(days=number))


@given(
    st.lists(st.tuples(amounts, days), max_size=6),
    st.lists(st.tuples(amounts, days), max_size=6),
    st.randoms(use_true_random=False),
)
def test_nobody_is_matched_twice_and_the_order_is_no_matter(
    sent: list[tuple[int, date]], seen: list[tuple[int, date]], rnd: random.Random
) -> None:
    payouts = [paid(f"p{number}", amount, day) for number, (amount, day) in enumerate(sent)]
    lines = [booked(f"l{number}", amount, day) for number, (amount, day) in enumerate(seen)]
    found = matched(payouts, lines)
    by_line: dict[str, list[Match]] = {}
    for one in found.matches:
        by_line.setdefault(one.line, []).append(one)
    worth = {one.key: one.amount for one in payouts}
    for identity, made in by_line.items():
        booked_amount = next(one.amount for one in lines if one.id == identity)
        assert sum(worth[one.payout] for one in made) == booked_amount
    assert len({one.payout for one in found.matches}) == len(found.matches)
    rnd.shuffle(payouts)
    rnd.shuffle(lines)
    again = matched(payouts, lines)
    assert again.matches == found.matches
    assert sorted(again.findings, key=str) == sorted(found.findings, key=str)
