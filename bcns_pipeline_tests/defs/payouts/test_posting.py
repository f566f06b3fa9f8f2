"""A payout from the provider's API to the posted, approved and reconciled entry; what stops one stops no other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.payout_flow import ENTRIES, PLAN, PayoutFlow


def test_a_payout_becomes_one_entry_that_a_person_approves(till: PayoutFlow) -> None:
    made = till.pays_out(3)
    # -- a plan shows the entry and sends nothing
    plan = till.post(mode="plan")
    assert plan.metadata(PLAN)["planned"] == 1
    assert [row["role"] for row in plan.records("entries", PLAN)] == ["bank", "clearing", "fees"]
    assert till.journals() == []
    assert till.payout(made["id"]).status == "fetched"

    # -- a run makes it
    run = till.post()
    assert all(run.checks.values()), run.checks
    one = till.payout(made["id"])
    assert (one.status, one.lines) == ("draft_posted", 3)
    (entry,) = till.journals()
    assert entry["external_id"] == f"psp-stripe-acct1-payout-{made['id']}"
    assert Decimal(entry["postings"][0]["foreign"]) == Decimal(made["amount"])
    till.assert_balanced()
    # It waits for a person, and is nowhere in the ledger.
    assert till.control.ledger()["balances"] == {}

    till.control.clear_log()
    till.control.approve_journal()
    # Three weeks at once: what arrives in them is read anew, and nothing is posted twice.
    second = till.days(one.arrival_date - timedelta(days=20), one.arrival_date, job="payout_posting")
    assert second.metadata(ENTRIES)["posted"] == 0
    assert any("balance_transactions" in call for call in till.calls("stripe")), till.calls("stripe")
    assert till.payout(made["id"]).status == "approved"
    assert [call for call in till.calls("netsuite") if "journalEntry" in call] == []
    assert len(till.journals()) == 1
    till.assert_tidy()


def test_a_payout_costs_few_calls_however_many_lines_it_has(till: PayoutFlow) -> None:
    till.pays_out(1)
    till.post()
    till.control.clear_log()
    till.pays_out(230)
    till.post()
    # Periods, accounts, the entry, and its read-back with the one that waits for approval.
    assert len(till.calls("netsuite")) <= 6, till.calls("netsuite")
    assert len(till.calls("stripe")) <= -(-230 // 100) + 2


def test_what_stops_a_payout_is_named_stops_no_other_and_it_goes_once_that_is_mended(
    till: PayoutFlow,
) -> None:
    """An inactive account, an unknown word, a missing cent, and a payout that fails after it was posted."""

    def stands(payout: dict[str, Any]) -> tuple[str, str | None]:
        found = till.payout(payout["id"])
        return found.status, found.code

    # -- an inactive account holds the payout until it is active again
    held = till.pays_out(2)
    till.control.ledger_account("6110", inactive=True)
    till.post()
    assert stands(held)[1] == "ACCOUNT_UNUSABLE"
    till.control.ledger_account("6110", inactive=False)

    # -- an unknown word stops its payout and no other
    till.control.move("unknown", "5.00", word="wizardry")
    stopped = till.pays_out(2)
    other = till.pays_out(2)
    run = till.post()
    assert all(run.checks.values()), run.checks
    assert stands(held)[0] == "draft_posted"
    assert till.state().exceptions.find(code="ACCOUNT_UNUSABLE") == []
    assert stands(stopped) == ("held", "PAYOUT_UNMAPPED")
    assert stands(other)[0] == "draft_posted"
    (asked,) = till.state().exceptions.find(code="PAYOUT_UNMAPPED")
    assert "wizardry" in asked.message
    # Once the merchant has said what it means, it goes and the question is over.
    providers = till.sections["payouts"]["providers"]
    providers["stripe"]["categories"] = {"wizardry": "adjustment"}
    till.configure()

    # -- a payout that does not sum is named with what is missing; one that fails after it was posted is taken back
    off = till.pays_out(2)
    till.control.change_payout(off["id"], off_by="0.01")
    till.control.fail_payout(other["id"])
    till.post()
    assert stands(stopped)[0] == "draft_posted"
    assert till.state().exceptions.find(code="PAYOUT_UNMAPPED") == []
    assert stands(off)[1] == "PAYOUT_DOES_NOT_SUM"
    (asked,) = [one for one in till.state().exceptions.find(flow="payouts") if off["id"] in one.subject]
    assert asked.code == "PAYOUT_DOES_NOT_SUM"
    assert all(str(round(Decimal(off["amount"]) * 100) + cents) in asked.message for cents in (0, 1))
    assert stands(other)[0] == "failed"
    keys = {one["id"]: f"psp-stripe-acct1-payout-{one['id']}" for one in (held, stopped, other, off)}
    entries = sorted(
        [keys[held["id"]], keys[stopped["id"]], keys[other["id"]], f"{keys[other['id']]}-failed"]
    )
    assert sorted(one["external_id"] for one in till.journals()) == entries
    till.assert_balanced()

    # -- its provider puts it right, and it goes; nothing else is made
    till.control.change_payout(off["id"], off_by="-0.01")
    till.post()
    assert stands(off)[0] == "draft_posted"
    assert till.state().exceptions.find(code="PAYOUT_DOES_NOT_SUM") == []
    assert sorted(one["external_id"] for one in till.journals()) == sorted([*entries, keys[off["id"]]])
    till.assert_balanced()


def test_a_closed_period_moves_the_entry_and_keeps_the_day(till: PayoutFlow) -> None:
    till.decide("payouts", window={"days_ahead": 40})
    made = till.pays_out(2)
    till.control.period("closed")
    till.post()
    (entry,) = till.state().payouts.journals()
    assert entry.tran_date > entry.economic_date == till.payout(made["id"]).arrival_date
    assert entry.tran_date.day == 1
    (told,) = till.state().exceptions.find(code="CLOSED_PERIOD")
    assert told.severity == "warning"
    till.control.period("open")


def test_a_payout_waits_for_the_captures_that_it_settles_and_names_them(till: PayoutFlow) -> None:
    # Shown as paid, with no payment behind it: a question of that order alone.
    unpaid = int(till.control.shop_order("plain", restock=True, payment="none", status_id=11)["id"])
    order = till.sold()
    (made,) = till.control.payout_day("stripe", arrives=0, status="paid")
    till.post()
    assert (till.payout(made["id"]).status, till.payout(made["id"]).code) == (
        "balanced",
        "CAPTURE_NOT_POSTED",
    )
    (asked,) = till.state().exceptions.find(code="CAPTURE_NOT_POSTED")
    assert f"order {order}" in asked.message
    assert till.journals() == []

    till.cash()
    (asked,) = till.state().exceptions.find(code="PAYMENT_MISMATCH")
    assert (asked.subject, asked.owner) == (f"order:{unpaid}", "finance")
    assert till.records(unpaid) == []
    till.post()
    assert till.payout(made["id"]).status == "draft_posted"
    assert till.state().exceptions.find(flow="payouts") == []
    ((_, line),) = till.state().payouts.of_order(order)
    assert (line.step, line.journal_key) == ("transaction", till.records(order)[0]["external_id"])
    # What the deposit put into the clearing account, the payout takes out of it.
    till.control.approve_journal()
    assert Decimal(str(till.control.ledger()["balances"].get("1130", 0))) == 0
    assert_netsuite_and_the_provider_are_asked(till)


def assert_netsuite_and_the_provider_are_asked(till: PayoutFlow) -> None:
    """All three agree; what others book is theirs, and a change behind our back is found and named."""
    state, day = till.state(), till.today()
    about = reports.about(state, day, day + timedelta(days=1), load_mapping(till.folder / "bcns.yaml"))

    def close() -> dict[str, tuple[Decimal | None, Decimal | None]]:
        run = till.day(day, job="daily_tie_out")
        asked = state.exceptions.find(code="CLEARING_UNEXPLAINED")
        assert run.checks["fi7_the_outside_says_the_same"] is not bool(asked)
        rows = [row for row in reports.make(state, "clearing", about).rows if row[1] == "USD"]
        return {row[2]: (row[3], row[5]) for row in rows if str(row[0]).startswith("1130 ")}

    netsuite, rest = "closing in the ledger, by NetSuite", "ledger above the provider: nothing of these"
    till.control.clear_log()
    rows = close()
    # Two calls, and a third once, for what accounts are called that nothing was posted to.
    assert len(till.calls("netsuite")) == 3
    assert rows["charges settled by payouts"][0] == -rows["captures booked"][0] != 0
    assert (rows[netsuite], rows["provider balance"], rows[rest]) == ((0, 0), (0, None), (0, 0))
    assert reports.make(state, "others", about).rows == ()
    made = reports.make(state, "clearing", about).sha256

    by_hand = till.control.enter_journal(
        [{"account": "6700", "debit": 5, "memo": "for Ada Lovelace"}, {"account": "1130", "credit": 5}]
    )
    assert reports.make(state, "clearing", about).sha256 == made
    till.control.clear_log()
    rows = close()
    assert len(till.calls("netsuite")) == 2
    assert (rows["booked by others"][0], rows[netsuite], rows[rest]) == (-5, (-5, 0), (0, 0))
    (row,) = reports.make(state, "others", about).rows
    assert str(row[0]).startswith("1130 ")
    assert row[1:] == (
        *("USD", day, "Journal", by_hand["number"], by_hand["journal"], 1, "approved"),
        *(Decimal("-5.00"), till.account("1130")),
    )

    deposit = next(one for one in till.books(type="customerDeposit"))
    paid = Decimal(deposit["total"])
    till.control.edit_money(deposit["id"], payment=float(paid - 1))
    rows = close()
    key = deposit["external_id"]
    assert (rows[netsuite], rows[f"NetSuite above our records: {key}"]) == ((-6, -1), (-1, None))
    (asked,) = state.exceptions.find(code="CLEARING_UNEXPLAINED")
    assert (asked.amount_minor, asked.owner) == (-100, "finance")
    assert f"{key} is {paid - 1} USD there and {paid} USD here" in asked.message
    till.control.edit_money(deposit["id"], payment=float(paid))
    assert close()[netsuite] == (-5, 0)
    assert state.exceptions.find(code="CLEARING_UNEXPLAINED") == []

    till.sold()
    till.cash()
    rows = close()
    held = rows["provider balance"][0]
    captured = rows[netsuite][0] + 5
    (fees,) = [row for line, row in rows.items() if "fees of 1 records that no payout names yet" in line]
    assert 0 < held < captured
    assert fees == (captured - held, None)


def test_the_bank_is_matched_and_what_it_lacks_is_asked_for(till: PayoutFlow) -> None:
    made, off = till.pays_out(2, arrives=-1), till.pays_out(3, arrives=-1)
    till.post()
    till.control.approve_journal()
    # A day after it arrived: before that the bank has said nothing yet.
    day = till.payout(made["id"]).arrival_date + timedelta(days=1)
    rows = [
        f"DE1,USD,{day},{made['amount']},STRIPE",
        f"DE1,USD,{day},{Decimal(off['amount']) - Decimal('0.01')},STRIPE",
    ]
    statement = "\n".join(["account,currency,booked_on,amount,description", *rows])
    (till.bank / "statement.csv").write_text(statement + "\n")
    run = till.post()
    assert till.payout(made["id"]).status == "bank_matched"
    assert till.payout(off["id"]).status == "approved"
    (asked,) = till.state().exceptions.find(code="BANK_DIFF")
    assert (asked.amount_minor, off["id"] in asked.subject) == (-1, True)
    assert run.checks["every_payout_is_in_the_bank"] is False


# Each call of a run as (system, method, path, after): its answer is lost, or the run is killed while it waits for it.
CALLS = {
    "reading lines": ("stripe", "GET", r"/v1/balance_transactions", True),
    "posting, not done yet": ("netsuite", "POST", "record/v1/journalEntry", False),
    "posting, done": ("netsuite", "POST", "record/v1/journalEntry", True),
}


@pytest.mark.kill
@pytest.mark.long
def test_an_entry_whose_answer_was_lost_or_whose_run_was_killed_is_there_once(till: PayoutFlow) -> None:
    posts = [(name, call) for name, call in CALLS.items() if call[1] == "POST"]
    turns = [(name, call, False) for name, call in posts] + [
        (name, call, True) for name, call in CALLS.items()
    ]
    for turn, (name, (system, method, path, after), killed) in enumerate(turns, start=1):
        fate = f"{name}, {'killed' if killed else 'lost'}"
        made = till.pays_out(2)
        how = (
            {"kind": "latency", "ms": 30_000}
            if killed and not after
            else {"kind": "timeout", "after_commit": after}
        )
        fault = {"system": system, "method": method, "path_regex": path, "times": 1, **how}
        if killed:
            till.kill_at("payout_posting", fault, fate)
        else:
            till.control.faults(fault)
        for _ in range(2):
            till.post()
            if till.payout(made["id"]).status == "draft_posted":
                break
        assert till.control.call("GET", "/faults") == [], fate
        assert till.payout(made["id"]).status == "draft_posted", fate
        assert len(till.journals()) == turn, fate
        till.assert_balanced()
        till.assert_tidy()
    till.post()
    assert len(till.journals()) == len(turns)
