"""Whole lives of orders end with UNKNOWN = 0.00, and each fault that is put into one is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.rules.payouts.bank import BankedPayout, BankLine, match
from bcns_pipeline.rules.payouts.body import Shown, ShownLine, differences
from bcns_pipeline.rules.payouts.invariants import fi7_clearing_is_the_balance, fi8_one_live_entry
from bcns_pipeline.rules.payouts.links import LinkIndex
from bcns_pipeline.rules.payouts.model import Payout, PayoutLine
from bcns_pipeline.rules.payouts.policy import BankPolicy
from bcns_pipeline_tests.rules.payouts.examples import NUMBERS
from bcns_pipeline_tests.rules.payouts.keeping import Kept, keep, linked
from bcns_pipeline_tests.rules.payouts.lives import CLEARING, LAST, World, live

SEEDS = st.integers(0, 2**32 - 1)
FEW = 60


@settings(max_examples=12)
@given(SEEDS)
def test_a_life_ends_with_nothing_unknown_and_clearing_closes_to_its_open_items(seed: int) -> None:
    world = live(seed, FEW)
    kept = keep(world)
    assert kept.findings == []
    assert kept.unknown(world) == 0
    for currency in ("USD", "EUR", "JPY"):
        rolled = kept.roll(currency)
        assert rolled.closed
        assert sum(one.amount for one in rolled.open_items) == rolled.closing
        settled = {one.transaction_id for one in _lines_of(kept, world)}
        open_keys = {one.key for one in rolled.open_items}
        assert open_keys == {
            str(number)
            for number, (of, *_) in world.records.items()
            if of == currency and number not in settled
        }


def _lines_of(kept: Kept, world: World) -> list[PayoutLine]:
    index, taken, found = LinkIndex(world.transactions), set[int](), []
    for payout in world.payouts:
        lines = linked(payout, index, taken).lines
        taken |= {one.transaction_id for one in lines if one.transaction_id is not None}
        found += lines
    return found


@settings(max_examples=5)
@given(SEEDS)
def test_a_replay_writes_the_same_entries_with_the_same_bytes(seed: int) -> None:
    world = live(seed, FEW)
    assert keep(world).entries == keep(world).entries


def test_two_thousand_lives_have_nothing_unknown() -> None:
    world = live(2026, 2000)
    kept = keep(world)
    assert (kept.unknown(world), kept.waiting, kept.findings) == (0, [], [])
    assert len(world.failed) >= 2
    assert len(world.lost) >= 5
    assert min(one.amount for one in world.payouts) < 0
    assert kept.ledger[NUMBERS[Role.FX], "USD"] != 0


# --- faults: each changes one thing in one world, and says what must be told and whom it must name


@cache
def world() -> World:
    return live(11, 300)


def largest() -> Payout:
    """The payout with most lines in dollars."""
    return max((one for one in world().payouts if one.currency == "USD"), key=lambda one: len(one.lines))


def a_line(category: str = "charge") -> PayoutLine:
    here = (one for one in largest().lines if one.category == category and not one.foreign)
    return min(here, key=lambda one: one.id)


def with_payout(changed: Payout, rows: list[str] | None = None) -> Kept:
    spoiled = replace(world(), payouts=[changed if one.id == changed.id else one for one in world().payouts])
    return keep(spoiled, {changed.id: rows} if rows is not None else None)


def with_line(**changes: object) -> Kept:
    made, line = largest(), a_line()
    lines = tuple(replace(one, **changes) if one.id == line.id else one for one in made.lines)  # type: ignore[arg-type]
    return with_payout(replace(made, lines=lines))


def is_told(kept: Kept, code: str, *members: str) -> None:
    assert set(members) <= kept.naming(code), (code, kept.codes())
    assert kept.unknown(world()) != 0


def waits_alone(kept: Kept) -> None:
    assert kept.waiting == [largest().id]


@pytest.mark.parametrize("field", ["gross", "fee", "net"])
def test_a_cent_in_one_amount_of_a_line_names_the_line(field: str) -> None:
    kept = with_line(**{field: getattr(a_line(), field) + 1})
    is_told(kept, "PAYOUT_DOES_NOT_SUM", a_line().id)
    waits_alone(kept)


def test_a_cent_that_is_in_gross_and_net_is_told_by_the_sum_and_named_by_the_shop() -> None:
    line = a_line()
    kept = with_line(gross=line.gross + 1, net=line.net + 1)
    amounts = {one.amount.minor for one in kept.findings if one.check == "FI2" and one.amount is not None}
    assert amounts == {1}
    is_told(kept, "PAYOUT_DOES_NOT_SUM")
    assert not line.foreign
    assert kept.naming("PAYOUT_AMOUNT_MISMATCH") == {line.id}
    waits_alone(kept)


def test_a_cent_in_what_was_paid_is_told_to_the_cent() -> None:
    kept = with_payout(replace(largest(), amount=largest().amount + 1))
    stops = {one.check: one.amount for one in kept.findings if one.blocks}
    assert stops == {"FI2": Money(-1, "USD"), "FI3": Money(1, "USD")}
    waits_alone(kept)


def test_a_row_that_is_lost_doubled_or_changed_is_told() -> None:
    made, line = largest(), a_line()
    rows = [one.raw_sha256 for one in made.lines]
    less = with_payout(replace(made, lines=tuple(one for one in made.lines if one.id != line.id)), rows)
    is_told(less, "PAYOUT_ROWS_LOST")
    twice = with_payout(replace(made, lines=(*made.lines, line)), rows)
    is_told(twice, "DUPLICATE_SETTLEMENT", line.id)
    other = tuple(replace(one, raw_sha256="0" * 64) if one.id == line.id else one for one in made.lines)
    changed = with_payout(replace(made, lines=other), rows)
    is_told(changed, "PAYOUT_ROWS_LOST", line.id)
    for kept in (less, twice, changed):
        waits_alone(kept)


def test_a_line_in_two_payouts_is_told_by_the_second_and_stops_no_other() -> None:
    later = [
        one for one in world().payouts if one.currency == "USD" and one.arrival_date > largest().arrival_date
    ]
    line, target = a_line(), later[0]
    kept = with_payout(replace(target, lines=(*target.lines, line), amount=target.amount + line.net))
    assert line.id in kept.naming("DUPLICATE_SETTLEMENT")
    assert target.id in kept.waiting
    assert largest().id not in kept.waiting


def test_a_word_that_nobody_knows_stops_its_payout_and_no_other() -> None:
    kept = with_line(category="mystery_adjustment")
    is_told(kept, "PAYOUT_UNMAPPED", a_line().id)
    waits_alone(kept)


def _without_record(number: int) -> World:
    return replace(world(), posted={one: booked for one, booked in world().posted.items() if one != number})


def test_a_capture_that_is_not_posted_names_its_line_and_lets_the_payout_wait() -> None:
    line = a_line()
    kept = keep(_without_record(int(line.id.removeprefix("txn_"))))
    assert kept.naming("CAPTURE_NOT_POSTED") == {line.id}
    waits_alone(kept)


def test_an_amount_that_the_shop_knows_otherwise_is_named_and_stops_nothing() -> None:
    number = int(a_line().id.removeprefix("txn_"))
    off = [one._replace(amount=one.amount + 1) if one.id == number else one for one in world().transactions]
    kept = keep(replace(world(), transactions=off))
    assert kept.naming("PAYOUT_AMOUNT_MISMATCH") == {a_line().id}
    assert kept.waiting == []


def test_a_refund_that_the_shop_does_not_know_is_named_and_stays_open() -> None:
    payout = next(one for one in world().payouts if any(line.category == "refund" for line in one.lines))
    line = next(one for one in payout.lines if one.category == "refund")
    number = int(line.id.removeprefix("txn_"))
    kept = keep(replace(world(), transactions=[one for one in world().transactions if one.id != number]))
    assert kept.naming("PSP_REFUND_WITHOUT_BC") == {line.id}
    assert payout.id not in kept.waiting


def test_a_foreign_line_without_netsuites_value_is_named_and_waits() -> None:
    payout = next(one for one in world().payouts if any(line.foreign for line in one.lines))
    line = next(one for one in payout.lines if one.foreign)
    number = int(line.id.removeprefix("txn_"))
    posted = {**world().posted, number: replace(world().posted[number], carrying=None)}
    kept = keep(replace(world(), posted=posted))
    assert kept.naming("FX_CARRYING_UNKNOWN") == {line.id}
    assert kept.waiting == [payout.id]


def test_a_cent_that_somebody_books_by_hand_is_what_is_left_over() -> None:
    kept = keep(world())
    off = kept.roll("USD", kept.ledger[CLEARING, "USD"] + 1)
    assert (off.unexplained, off.closed) == (1, False)
    closing = Money(off.closing, "USD")
    (finding,) = fi7_clearing_is_the_balance(closing, closing + Money(1, "USD"), Money.zero("USD"))
    assert finding.amount == Money(-1, "USD")


def test_an_entry_that_netsuite_shows_otherwise_or_twice_is_told() -> None:
    entry = keep(world()).entries[f"psp-stripe-acct1-payout-{largest().id}"]
    lines = [ShownLine(one.account, one.signed, one.memo) for one in entry.lines]
    assert differences(entry, 1, Shown(entry.key, entry.day, 1, lines)) == []
    moved = [replace(lines[0], amount=lines[0].amount + 1), *lines[1:]]
    assert len(differences(entry, 1, Shown(entry.key, entry.day, 1, moved))) == 2
    (twice,) = fi8_one_live_entry(entry.key, [entry.key, entry.key + "-v2"], posted=True)
    (gone,) = fi8_one_live_entry(entry.key, [], posted=True)
    assert (twice.code, twice.blocks, gone.code) == ("PAYOUT_POSTED_TWICE", True, "PAYOUT_POSTED_TWICE")
    assert list(fi8_one_live_entry(entry.key, [entry.key], posted=True)) == []


BANK_FAULTS: dict[str, tuple[Callable[[list[BankLine]], list[BankLine]], set[str]]] = {
    "nothing": (lambda lines: lines, set()),
    "one missing": (lambda lines: lines[1:], {"BANK_LINE_MISSING"}),
    "a cent off": (lambda lines: [replace(lines[0], amount=lines[0].amount - 1), *lines[1:]], {"BANK_DIFF"}),
    "one returned": (
        lambda lines: [*lines, replace(lines[0], id="back", amount=-lines[0].amount, returned=True)],
        {"BANK_RETURNED"},
    ),
}


@pytest.mark.parametrize("fault", BANK_FAULTS)
def test_the_bank_has_a_line_for_each_payout_and_its_faults_are_named(fault: str) -> None:
    paid = [one for one in world().payouts if one.amount > 0]
    payouts = [
        BankedPayout(
            one.id, "stripe", "1010", one.currency, one.amount, one.arrival_date, one.bank_reference,
            failed=one.id in world().failed,
        )
        for one in paid
    ]  # fmt: skip
    lines = [
        BankLine(
            f"b{one.id}", "1010", one.currency, one.amount, one.arrival_date, "STRIPE", (one.bank_reference,)
        )
        for one in paid
    ]
    first = min(lines, key=lambda line: (line.id[1:] in world().failed, line.id))
    ordered = [first, *(one for one in lines if one is not first)]
    spoil, codes = BANK_FAULTS[fault]
    found = match(payouts, spoil(ordered), BankPolicy(), LAST)
    assert {one.code for one in found.findings} == codes
    assert all(first.id[1:] in one.members for one in found.findings)
    if fault == "nothing":
        assert len(found.matches) == len(paid)
