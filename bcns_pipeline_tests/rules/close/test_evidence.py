"""What NetSuite and the providers say of a clearing account beside our records: each difference has a name."""

from __future__ import annotations

from datetime import date
from typing import Any

from bcns_pipeline.rules.close.clearing import roll_forwards, shown, shown_others
from bcns_pipeline.rules.close.evidence import (
    Ledger,
    Outside,
    Provider,
    differing,
    ledger_of,
    not_ours,
    unexplained,
)
from bcns_pipeline.rules.payouts.roll_forward import Movement, RollForward

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
WHERE = (1130, "USD")
# One capture of 100.00 that no payout has settled yet.
CAPTURE: dict[str, Any] = {
    "natural_key": "bc-s-deposit-1-7", "account": 1130, "currency": "USD", "amount": 10_000, "day": date(2026, 3, 2),
    "order_id": 1, "movement": "capture",
}  # fmt: skip


def other(amount: int, *, id: int = 9, posting: bool = True) -> dict[str, Any]:
    return {
        "account": 1130, "currency": "USD", "subsidiary": 1, "posting": posting, "amount": amount, "id": id,
        "number": f"JE{id}", "type": "Journal", "day": "2026-03-10",
    }  # fmt: skip


def forward(outside: Outside) -> RollForward:
    (found,) = roll_forwards([CAPTURE], [], [], FIRST, LAST, outside)
    return found


def test_balances_of_all_subsidiaries_count_and_what_waits_stands_apart() -> None:
    rows = [other(700), other(-200) | {"subsidiary": 2}, other(50, posting=False)]
    (found,) = ledger_of(rows).items()
    assert found == (WHERE, Ledger(500, 50, {1: 700, 2: -200}))
    assert ledger_of(rows[:1]) == {WHERE: Ledger(700, 0)}
    outside = Outside(ledger_of(rows))
    lines = {row["line"]: row["amount_minor"] for row in shown(forward(outside), None, outside)}
    assert (lines["of it in subsidiary 1"], lines["of it in subsidiary 2"]) == (700, -200)


def test_a_record_that_was_taken_over_is_ours() -> None:
    assert [row["id"] for row in not_ours([other(5, id=8), other(5, id=9)], {9})] == [8]


def test_what_others_book_is_theirs_and_what_nobody_booked_is_left_over() -> None:
    outside = Outside({WHERE: Ledger(9_500, 0)}, [other(-500)])
    found = forward(outside)
    assert (found.closing, found.unexplained) == (9_500, 0)
    assert unexplained([found], outside) == []
    assert [row["amount_minor"] for row in shown_others(outside, FIRST)] == [-500]
    lost = Outside({WHERE: Ledger(9_499, 0)}, [other(-500)])
    ((where, finding),) = unexplained([forward(lost)], lost)
    assert (where, finding.code, str(finding.amount)) == (WHERE, "CLEARING_UNEXPLAINED", "-0.01 USD")


def test_records_that_netsuite_shows_otherwise_or_not_at_all_are_named() -> None:
    ours = {(8, 1130, "USD"): ("bc-8", 5), (9, 1130, "USD"): ("bc-9", 5), (9, 1010, "USD"): ("bc-9", -5)}
    found = differing([other(4, id=8), other(7, id=7)], ours, {1130})
    assert [(row["name"], row["netsuite"], row["ours"]) for row in found] == [
        ("Journal JE7", 7, 0),
        ("bc-8", 4, 5),
        ("bc-9", 0, 5),
    ]
    assert differing([other(5, id=8), other(0, id=7)], {(8, 1130, "USD"): ("bc-8", 5)}, {1130}) == []


def test_what_was_approved_since_the_read_back_is_no_difference() -> None:
    """NetSuite has the word on what waits: its sum of both is compared with ours."""
    outside = Outside({WHERE: Ledger(10_000, -500)}, [other(-500, posting=False)])
    assert forward(outside).unexplained == 0
    assert forward(Outside({WHERE: Ledger(9_500, 0)}, [other(-500, posting=False)])).unexplained == 0


def test_a_provider_is_held_to_its_balance_only_once_every_record_is_in_a_payout() -> None:
    provider = Provider(balance=9_680, open=1)
    outside = Outside({WHERE: Ledger(10_000, 0)}, providers={WHERE: provider})
    lines = {row["line"]: row for row in shown(forward(outside), None, outside)}
    (name,) = [line for line in lines if "1 records that no payout names yet" in line]
    assert (lines[name]["amount_minor"], lines[name]["unexplained_minor"]) == (320, None)
    assert unexplained([forward(outside)], outside) == []

    known = Outside(outside.ledger, providers={WHERE: Provider(9_680, {"fees": 320})})
    assert unexplained([forward(known)], known) == []
    off = Outside(outside.ledger, providers={WHERE: Provider(9_680, {"fees": 319})})
    ((_, finding),) = unexplained([forward(off)], off)
    assert str(finding.amount) == "0.01 USD"


def test_what_was_paid_out_without_a_word_of_what_it_pays_is_no_difference_to_the_provider() -> None:
    """It left both. What is over are the fees, which the provider took, and which no line of a payout names."""
    entry = {
        "natural_key": "psp-stripe-a-payout-po_1", "kind": "payout", "tran_date": date(2026, 3, 9), "currency": "USD",
        "approved": True, "reverses": None, "account": 1130, "role": "clearing", "debit": 0, "credit": 9_680,
        "kept_by": None, "not_itemised": True,
    }  # fmt: skip
    outside = Outside({WHERE: Ledger(320, 0)}, providers={WHERE: Provider(0, open=1)})
    (found,) = roll_forwards([CAPTURE], [entry], [], FIRST, LAST, outside)
    assert [(one.amount, *one.movements) for one in found.open_items] == [
        (10_000, Movement.CAPTURE),
        (-9_680, Movement.NOT_ITEMISED),
    ]
    assert unexplained([found], outside) == []
    lines = {row["line"]: row["amount_minor"] for row in shown(found, None, outside)}
    assert lines["paid out, not itemised by the provider"] == -9_680
    (rest,) = (amount for line, amount in lines.items() if "1 records that no payout names yet" in line)
    assert rest == 320


def test_who_was_not_asked_or_cannot_say_proves_nothing_and_it_is_said() -> None:
    silent = Outside({WHERE: Ledger(10_000, 0)}, providers={WHERE: Provider(None)})
    lines = [row["line"] for row in shown(forward(silent), None, silent)]
    assert "provider balance: not evidenced" in lines
    nobody = Outside()
    lines = [row["line"] for row in shown(forward(nobody), None, nobody)]
    assert "closing in the ledger, by NetSuite: not asked" in lines
    assert not forward(nobody).closed
    # Of two providers on one account, one that can't say leaves the account without a balance.
    assert Provider(5).with_another(Provider(None)).balance is None
