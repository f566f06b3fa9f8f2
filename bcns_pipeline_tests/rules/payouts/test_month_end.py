"""The roll-forward of finance.md 2.5 and the accrual of 2.8, with their numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.payouts.accrual import accrue, open_at
from bcns_pipeline.rules.payouts.invariants import fi7_clearing_is_the_balance
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline.rules.payouts.roll_forward import Item, Movement, RollForward, roll_forward, stale
from bcns_pipeline_tests.rules.payouts.examples import POLICY, STRIPE, line, rows

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


def march(*more: Item, ledger: int | None = 181924) -> RollForward:
    items = [
        Item("before", Movement.CAPTURE, 118210, date(2026, 2, 27), 900),
        Item("settled", Movement.CAPTURE, 513632, date(2026, 3, 2)),
        Item("open", Movement.CAPTURE, 189323, date(2026, 3, 30), 1100, "ch_9"),
        Item("back", Movement.REFUND, -21437, date(2026, 3, 2)),
        Item("back open", Movement.REFUND, -7399, date(2026, 3, 10), 1101),
        Item("before", Movement.CHARGE_SETTLED, -118210, date(2026, 3, 4), 900),
        Item("settled", Movement.CHARGE_SETTLED, -513632, date(2026, 3, 4)),
        Item("back", Movement.REFUND_SETTLED, 21437, date(2026, 3, 4)),
        *more,
    ]
    return roll_forward(1130, "USD", items, FIRST, LAST, ledger=ledger)


def test_the_roll_forward_of_the_specification() -> None:
    found = march()
    assert found.opening == 118210
    assert [found.movements[one] for one in list(Movement)[2:6]] == [702955, -28836, -631842, 21437]
    assert found.closing == 181924
    assert [(one.key, one.amount, one.age, one.order_id) for one in found.open_items] == [
        ("back open", -7399, 21, 1101),
        ("open", 189323, 1, 1100),
    ]
    assert sum(one.amount for one in found.open_items) == found.closing
    assert found.unexplained == 0
    assert found.closed


def test_what_nobody_explains_is_computed_and_named_and_never_spread() -> None:
    assert march(ledger=181925).unexplained == 1
    assert not march(ledger=181925).closed
    assert not march(ledger=None).closed
    foreign = march(Item("JE77", Movement.FOREIGN, -500, date(2026, 3, 20)), ledger=181424)
    assert foreign.movements[Movement.FOREIGN] == -500
    assert ("JE77", -500) in [(one.key, one.amount) for one in foreign.open_items]
    assert foreign.unexplained == 0


def test_entries_that_wait_for_approval_are_a_line_of_their_own() -> None:
    waiting = Item("open", Movement.CHARGE_SETTLED, -189323, date(2026, 3, 31), 1100, approved=False)
    found = march(waiting)
    assert (found.closing, found.awaiting, found.unexplained) == (-7399, -189323, 0)
    assert found.awaiting_keys == ("open",)
    assert not found.closed


def test_what_comes_later_is_left_out_and_what_is_old_is_told() -> None:
    later = Item("open", Movement.CHARGE_SETTLED, -189323, date(2026, 4, 2), 1100)
    assert march(later).closing == 181924
    (finding,) = stale(march(), 10)
    assert (finding.code, finding.members, finding.amount) == (
        "STALE_CLEARING",
        ("back open",),
        Money(-7399, "USD"),
    )
    assert stale(march(), 30) == []


def test_a_balance_brought_forward_is_an_open_item_of_its_own() -> None:
    found = roll_forward(1130, "USD", [], FIRST, LAST, opening=500, ledger=500)
    assert [(one.key, one.amount) for one in found.open_items] == [("opening balance", 500)]
    assert found.closed


def test_the_clearing_account_is_the_providers_balance() -> None:
    closing, balance = Money(181924, "USD"), Money(180000, "USD")
    assert list(fi7_clearing_is_the_balance(closing, balance, Money(1924, "USD"))) == []
    (finding,) = fi7_clearing_is_the_balance(closing, balance, Money(1923, "USD"))
    assert (finding.check, finding.blocks, finding.amount) == ("FI7", False, Money(1, "USD"))


def test_the_accrual_of_the_specification_and_its_reversal() -> None:
    when = datetime(2026, 3, 31, 22, tzinfo=UTC)
    charges = [
        replace(line(name, "charge", gross, fee, occurred_at=when), cls=LineClass.GROSS_SALES)
        for name, gross, fee in (("a", 58240, 1719), ("b", 41790, 1242), ("c", 9915, 318))
    ]
    april = replace(charges[0], id="d", occurred_at=datetime(2026, 4, 1, tzinfo=UTC))
    settled = replace(charges[0], id="e")
    open_ = open_at([*charges, april, settled], frozenset({"e"}), datetime(2026, 4, 1, tzinfo=UTC))
    assert [one.id for one in open_] == ["a", "b", "c"]
    policy = replace(POLICY, accrues=True)
    (found,) = accrue(open_, STRIPE, policy, LAST, {"USD": 19583})
    assert (found.fees, found.members, found.material) == (3279, ("a", "b", "c"), True)
    assert found.entry is not None
    assert rows(found.entry) == [(6110, 3279, 0), (2395, 0, 3279)]
    assert (found.entry.day, found.entry.reverse_on) == (LAST, date(2026, 4, 1))
    assert found.entry.key == "psp-stripe-acct1-accrual-2026-03-USD"
    (shown,) = accrue(open_, STRIPE, POLICY, LAST, {"USD": 19583})
    assert shown.entry is None
    (small,) = accrue(open_, STRIPE, policy, LAST, {"USD": 327900001})
    assert (small.material, small.entry) == (False, None)


def test_fees_that_stand_alone_are_accrued_too_and_tax_on_fees_is_not() -> None:
    when = datetime(2026, 3, 31, tzinfo=UTC)
    lines = [
        replace(line("f", "fee", -1260, occurred_at=when), cls=LineClass.FEE_STANDALONE),
        replace(line("c", "charge", 1000, 57, fee_tax=7, occurred_at=when), cls=LineClass.GROSS_SALES),
    ]
    (found,) = accrue(lines, STRIPE, POLICY, LAST, {})
    assert found.fees == 1310
