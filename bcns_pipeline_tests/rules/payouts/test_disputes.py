"""Disputes as lines and entries, with the numbers of facts/finance.md: gathered, lost, won, and won after a loss."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.payouts.disputes import Dispute, DisputeLine, Losses, lost, register, won
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline_tests.rules.payouts.examples import STRIPE, line, payout, planned, rows


def test_a_dispute_that_is_lost_becomes_a_loss_and_tax_relief_where_the_law_gives_any() -> None:
    dispute = Dispute("stripe", "acct1", "du_SYN1", 871, "USD", 8999, date(2026, 5, 2))
    entry = lost(dispute, STRIPE, date(2026, 5, 2))
    assert entry is not None
    assert rows(entry) == [(6130, 8999, 0), (1140, 0, 8999)]
    assert entry.key == "psp-stripe-acct1-dispute-du_SYN1"
    relieved = lost(replace(dispute, tax=733), STRIPE, date(2026, 5, 2))
    assert relieved is not None
    assert rows(relieved) == [(6130, 8266, 0), (2340, 733, 0), (1140, 0, 8999)]


def test_a_dispute_that_is_won_after_its_loss_was_booked_takes_the_loss_back() -> None:
    """89.99 lost in May and won at the next instance in July: the payout credits 1140, and this entry closes it."""
    dispute = Dispute("stripe", "acct1", "du_SYN1", 871, "USD", 8999, date(2026, 7, 3))
    entry = won(dispute, STRIPE, date(2026, 7, 3))
    assert entry is not None
    assert rows(entry) == [(1140, 8999, 0), (6130, 0, 8999)]
    assert (entry.key, entry.memo) == (
        "psp-stripe-acct1-won-du_SYN1",
        "dispute du_SYN1 won after its loss, order 871",
    )
    taxed = won(replace(dispute, tax=733, number=2), STRIPE, date(2026, 7, 3))
    assert taxed is not None
    assert (rows(taxed), taxed.key) == (
        [(1140, 8999, 0), (6130, 0, 8266), (2340, 0, 733)],
        "psp-stripe-acct1-won-du_SYN1-v2",
    )
    (back,) = planned(payout([line("w", "dispute_reversal", 8999, -1500)])).entries
    moved = sum(one.signed for one in (*back.lines, *entry.lines) if one.account == 1140)
    assert (moved, (6120, 0, 1500) in rows(back)) == (0, True)


@given(taken=st.integers(1, 10_000), steps=st.lists(st.integers(1, 10_000), max_size=6))
def test_whatever_comes_back_the_account_of_disputes_closes_and_no_more_is_won_than_was_lost(
    taken: int, steps: list[int]
) -> None:
    opened = replace(line("d", "dispute", -taken, references=("du_1",)), cls=LineClass.CHARGEBACK)
    lines = [DisputeLine("stripe", "acct1", 1, opened, date(2026, 3, 1))]
    losses = Losses()
    for number, back in enumerate((0, *steps), start=1):
        if back:
            came = replace(
                line(f"w{number}", "won", back, references=("du_1",)), cls=LineClass.CHARGEBACK_RETURNED
            )
            lines.append(DisputeLine("stripe", "acct1", number, came, date(2026, 3, number)))
        (one,) = register(lines)
        one.losses = losses
        losses.lost += max(one.open, 0)
        losses.won += one.won_back
        assert 0 <= losses.won <= losses.lost == taken
        assert one.won_back == 0
        # What came back beyond the dispute itself is nobody's loss: it stays in sight.
        assert one.open == min(0, taken - one.returned)


def test_lines_of_a_dispute_are_gathered_by_its_id_or_by_its_charge() -> None:
    def told(category: str, gross: int, fee: int, day: int, *references: str) -> DisputeLine:
        cls = {"dispute": LineClass.CHARGEBACK, "won": LineClass.CHARGEBACK_RETURNED}.get(
            category, LineClass.CHARGEBACK_LOST
        )
        made = replace(line(f"{category}{day}", category, gross, fee, references=references), cls=cls)
        return DisputeLine("stripe", "acct1", day, made, date(2026, 3, day))

    lines = [
        told("dispute", -8999, 1500, 4, "du_1", "ch_1"),
        told("dispute", -5000, 1500, 5, "du_2", "ch_2"),
        told("won", 5000, -1500, 9, "du_2", "ch_2"),
        # A provider that gives the return an id of its own names the charge.
        told("dispute", -700, 0, 6, "cb_3", "ch_3"),
        told("won", 300, 0, 7, "cb_4", "ch_3"),
        told("lost", 0, 0, 20, "x_1", "ch_1"),
        # Won of a dispute that was opened before our time.
        told("won", 4500, 0, 8, "du_9", "ch_9"),
    ]
    found = {one.id: one for one in register(reversed(lines))}
    assert {name: (one.taken, one.returned, one.fees, one.open) for name, one in found.items()} == {
        "du_1": (8999, 0, 1500, 8999),
        "du_2": (5000, 5000, 0, 0),
        "cb_3": (700, 300, 0, 400),
        "du_9": (0, 4500, 0, -4500),
    }
    assert (found["du_1"].lost_on, found["cb_3"].lost_on) == (date(2026, 3, 20), None)
