"""A payout from the provider's API to the posted, approved and reconciled entry; what stops one stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.cli.probes import Level, Patient, examine
from bcns_pipeline.cli.probes_money import BOOKS, RIGHTS
from bcns_pipeline.clients.files.models import Document
from bcns_pipeline.clients.payments import stripe_reading
from bcns_pipeline.clients.payments.models import SourcePayout
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.outcomes import Rejected, System
from bcns_pipeline.rules.close.reports import About
from bcns_pipeline.settings import load_settings
from bcns_pipeline_tests.defs.payout_flow import ENTRIES, PLAN, PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

TIE_OUT = "close/tie_out"


def test_a_payout_becomes_one_entry_that_a_person_approves_and_the_bank_is_matched(till: PayoutFlow) -> None:
    made, off = till.pays_out(3, arrives=-1), till.pays_out(2, arrives=-1)
    # The bank books these two in one line.
    joined = [till.pays_out(4, arrives=-1), till.pays_out(5, arrives=-1)]
    # -- a plan shows the entries and sends nothing
    plan = till.post(mode="plan")
    assert plan.metadata(PLAN)["planned"] == 4
    assert [row["role"] for row in plan.records("entries", PLAN)] == ["bank", "clearing", "fees"] * 4
    assert till.journals() == []
    assert till.payout(made["id"]).status == "fetched"

    # -- a run makes them
    run = till.post()
    assert all(run.checks.values()), run.checks
    one = till.payout(made["id"])
    assert (one.status, one.lines) == ("draft_posted", 3)
    entries = {str(entry["external_id"]): entry for entry in till.journals()}
    assert len(entries) == 4
    entry = entries[f"psp-stripe-acct1-payout-{made['id']}"]
    assert Decimal(entry["postings"][0]["foreign"]) == Decimal(made["amount"])
    till.assert_balanced()
    # They wait for a person, and are nowhere in the ledger.
    assert till.control.ledger()["balances"] == {}

    # -- once approved they are matched with the bank: a day after they arrived, before that it has said nothing yet
    till.control.approve_journal()
    day = one.arrival_date + timedelta(days=1)
    rows = [
        f"DE1,USD,{day},{made['amount']},STRIPE",
        f"DE1,USD,{day},{Decimal(off['amount']) - Decimal('0.01')},STRIPE",
        f"DE1,USD,{day},{sum(Decimal(each['amount']) for each in joined)},STRIPE",
    ]
    statement = "\n".join(["account,currency,booked_on,amount,description", *rows])
    (till.bank / "statement.csv").write_text(statement + "\n")
    till.control.clear_log()
    # Three weeks at once: what arrives in them is read anew, and nothing is posted twice.
    second = till.days(one.arrival_date - timedelta(days=20), one.arrival_date, job="payout_posting")
    assert second.metadata(ENTRIES)["posted"] == 0
    assert any("balance_transactions" in call for call in till.calls("stripe")), till.calls("stripe")
    assert till.payout(made["id"]).status == "bank_matched"
    assert till.payout(off["id"]).status == "approved"
    less, at_once = sorted(
        till.state().exceptions.find(code="BANK_DIFF"), key=lambda one: one.amount_minor or 0
    )
    assert (less.amount_minor, off["id"] in less.subject) == (-1, True)
    assert (at_once.amount_minor, all(each["id"] in at_once.message for each in joined)) == (0, True)
    assert second.checks["every_payout_is_in_the_bank"] is False
    # Each is traced to the bank's line and back, and the reconciliation holds the line to what it pays together.
    lines = {one.amount_minor: one.line_id for one in till.state().bank.lines()}
    total = max(lines)
    assert {till.payout(each["id"]).bank_line for each in joined} == {lines[total]}
    assert all(each["id"] in bcns("trace", lines[total]) for each in joined)
    assert all(lines[total] in bcns("trace", each["id"]) for each in joined)
    table = {row["payout"]: row for row in second.records("payouts", asset="payouts/reconciliation")}
    assert {Decimal(str(table[each["id"]]["difference"])) for each in joined} == {Decimal(0)}
    wrong = next(name for name in lines.values() if off["id"] in bcns("trace", name))
    assert "open question BANK_DIFF" in bcns("trace", wrong)
    assert "open question BANK_DIFF" in bcns("trace", off["id"])
    assert [call for call in till.calls("netsuite") if "journalEntry" in call] == []
    assert len(till.journals()) == 4
    till.assert_tidy()


def test_what_stops_a_payout_is_named_stops_no_other_and_it_goes_once_that_is_mended(
    till: PayoutFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inactive account, a strange status, an unknown word, a missing cent, and one that fails once it is posted."""

    def stands(payout: dict[str, Any]) -> tuple[str, str | None]:
        found = till.payout(payout["id"])
        return found.status, found.code

    # -- an inactive account holds the payout until it is active again
    held = till.pays_out(2)
    till.control.ledger_account("6110", inactive=True)
    till.post()
    assert stands(held)[1] == "ACCOUNT_UNUSABLE"
    till.control.ledger_account("6110", inactive=False)

    # -- an unknown word stops its payout and no other, and one that does not sum is named with what is missing
    # One that is paid and not reconciled is looked for until it is.
    late = till.pays_out(1)
    till.control.change_payout(late["id"], reconciliation_status="in_progress")
    till.control.move("unknown", "5.00", word="wizardry")
    stopped = till.pays_out(2)
    other = till.pays_out(2)
    off = till.pays_out(2)
    till.control.change_payout(off["id"], off_by="0.01")
    # A payout whose status is no word of Stripe's that we know is a question about it alone.
    strange = till.pays_out(2)
    till.control.fail_payout(strange["id"])
    # So is one whose lines Stripe refuses to list.
    lines = StripeSource.lines

    def refused(source: StripeSource, payout: SourcePayout) -> Iterator[Document]:
        if payout.id == other["id"]:
            raise Rejected(
                System.PAYMENTS, "GET /v1/balance_transactions", 400, "NOT_AUTOMATIC", "can't be filtered"
            )
        yield from lines(source, payout)

    with monkeypatch.context() as patch:
        patch.delitem(stripe_reading._STATES, "failed")
        patch.setattr(StripeSource, "lines", refused)
        till.post()
    asked = {one.subject: one.message for one in till.state().exceptions.find(code="SETTLEMENT_REJECTED")}
    subjects = {one["id"]: f"payout:stripe/acct1/{one['id']}" for one in (strange, other)}
    assert asked.keys() == set(subjects.values())
    assert "'failed'" in asked[subjects[strange["id"]]]
    assert "can't be filtered" in asked[subjects[other["id"]]]
    assert till.state().payouts.named(strange["id"]) == []
    assert stands(other) == ("new", "SETTLEMENT_REJECTED")
    assert stands(late)[0] == "new"
    ahead = datetime.now(UTC) + timedelta(days=60)
    till.state().cursors.move("payouts/stripe/acct1", {"version": 1, "until": ahead.isoformat()})
    till.control.change_payout(late["id"], reconciliation_status="completed")
    run = till.post()
    assert all(run.checks.values()), run.checks
    assert till.moved(strange["id"])["1160"] == Decimal(strange["amount"])
    assert till.state().exceptions.find(code="SETTLEMENT_REJECTED") == []
    assert stands(held)[0] == "draft_posted"
    assert till.state().exceptions.find(code="ACCOUNT_UNUSABLE") == []
    assert stands(stopped) == ("held", "PAYOUT_UNMAPPED")
    assert stands(other)[0] == "draft_posted"
    (asked,) = till.state().exceptions.find(code="PAYOUT_UNMAPPED")
    assert "wizardry" in asked.message
    assert stands(off)[1] == "PAYOUT_DOES_NOT_SUM"
    (asked,) = [one for one in till.state().exceptions.find(flow="payouts") if off["id"] in one.subject]
    assert asked.code == "PAYOUT_DOES_NOT_SUM"
    assert all(str(round(Decimal(off["amount"]) * 100) + cents) in asked.message for cents in (0, 1))

    # -- the merchant says what the word means, the provider puts the cent right, and both go; one that fails after it
    # was posted is taken back
    providers = till.sections["payouts"]["providers"]
    providers["stripe"]["categories"] = {"wizardry": "adjustment"}
    till.configure()
    till.control.change_payout(off["id"], off_by="-0.01")
    till.control.fail_payout(other["id"])
    run = till.post()
    assert all(run.checks.values()), run.checks
    assert stands(stopped)[0] == stands(off)[0] == "draft_posted"
    for code in ("PAYOUT_UNMAPPED", "PAYOUT_DOES_NOT_SUM"):
        assert till.state().exceptions.find(code=code) == []
    assert stands(other)[0] == "failed"
    keys = [f"psp-stripe-acct1-payout-{one['id']}" for one in (held, stopped, other, off, strange, late)]
    entries = sorted([*keys, f"{keys[2]}-failed"])
    assert sorted(one["external_id"] for one in till.journals()) == entries
    till.assert_balanced()


def test_a_payout_waits_for_the_captures_that_it_settles_and_names_them(till: PayoutFlow) -> None:
    # Shown as paid, with no payment behind it: a question of that order alone.
    placed = till.control.shop_order("plain", restock=True, payment="none", status_id=11)
    unpaid, order = int(placed["id"]), int(till.control.shop_order("plain", restock=True)["id"])
    (made,) = till.pay_out("stripe", arrives=0, status="paid")
    till.sync()
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
    assert "1130" not in till.balances()
    assert_netsuite_and_the_provider_are_asked(till, order)


def assert_netsuite_and_the_provider_are_asked(till: PayoutFlow, order: int) -> None:
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

    # -- somebody books by hand, and somebody changes a deposit of ours
    by_hand = till.control.enter_journal(
        [{"account": "6700", "debit": 5, "memo": "for Ada Lovelace"}, {"account": "1130", "credit": 5}],
        # The account's own day begins hours after the store's.
        date=day.isoformat(),
    )
    assert reports.make(state, "clearing", about).sha256 == made
    (deposit,) = till.records(order)
    paid = Decimal(deposit["total"])
    till.control.edit_money(deposit["id"], payment=float(paid - 1))
    rows = close()
    (row,) = reports.make(state, "others", about).rows
    assert str(row[0]).startswith("1130 ")
    (who,) = till.suiteql(
        "SELECT createdby, TO_CHAR(createddate, 'YYYY-MM-DD HH24:MI:SS') AS at FROM transaction "
        f"WHERE id = {by_hand['journal']} ORDER BY id ASC"
    )
    touched = (int(who["createdby"]), who["at"]) * 2
    assert row[1:] == (
        *("USD", day, "Journal", by_hand["number"], by_hand["journal"], 1, "approved"),
        *(Decimal("-5.00"), *touched, till.account("1130")),
    )
    # Our own entry has another hand.
    made_by = reports.make(state, "journals", about)
    (entry,) = (dict(zip(made_by.columns, one, strict=True)) for one in made_by.rows)
    assert entry["created_by"] not in ("not known", who["createdby"])
    key = deposit["external_id"]
    # What others booked explains itself; the rest is what was changed.
    assert (rows["booked by others"][0], rows[rest]) == (-5, (-1, -1))
    assert (rows[netsuite], rows[f"NetSuite above our records: {key}"]) == ((-6, -1), (-1, None))
    (asked,) = state.exceptions.find(code="CLEARING_UNEXPLAINED")
    assert (asked.amount_minor, asked.owner) == (-100, "finance")
    assert f"{key} is {paid - 1} USD there and {paid} USD here" in asked.message

    # -- what was changed is put back; of what the provider holds, no payout has named the fee yet
    till.control.edit_money(deposit["id"], payment=float(paid))
    held = till.sold()
    till.cash()
    till.control.clear_log()
    rows = close()
    assert len(till.calls("netsuite")) == 2
    assert state.exceptions.find(code="CLEARING_UNEXPLAINED") == []
    captured, balance = till.paid(held), rows["provider balance"][0]
    assert rows[netsuite] == (captured - 5, 0)
    assert balance is not None
    assert 0 < balance < captured
    (fees,) = [row for line, row in rows.items() if "fees of 1 records that no payout names yet" in line]
    assert fees == (captured - balance, None)

    # -- three days at once say what each of them says alone, and the provider is asked once for all of them
    days = [day - timedelta(days=ago) for ago in (2, 1, 0)]
    alone = []
    for one in days:
        till.day(one, job="daily_tie_out")
        alone.append(_said(till, one))
    till.control.clear_log()
    run = till.days(days[0], days[-1], job="daily_tie_out")
    assert [_said(till, one) for one in days] == alone
    assert len({str(one) for one in alone}) > 1
    assert [call for call in till.calls("stripe") if call.endswith("/v1/balance")] == ["GET /v1/balance"]
    assert len(till.calls("netsuite")) == 2 * len(days)
    assert [row["day"] for row in run.records("days", TIE_OUT)] == [str(one) for one in days]
    assert run.checks["no_cent_is_unknown"]
    assert_stored_value_is_what_netsuite_owes(till, about)
    assert_the_doctor_finds_nothing_wrong(till)


def assert_the_doctor_finds_nothing_wrong(till: PayoutFlow) -> None:
    """Of a merchant whose money flows, each account, record and column of it is there."""
    mapping = load_mapping(till.folder / "bcns.yaml")
    with till.connections("doctor") as ours:
        patient = Patient(load_settings(None), mapping, netsuite=ours.netsuite())
        found = list(examine(patient, "NetSuite", (), BOOKS))
    assert {f"NetSuite record {one.record}" for one in RIGHTS} < {one.what for one in found}
    assert [one for one in found if one.level is not Level.OK] == []


def assert_stored_value_is_what_netsuite_owes(till: PayoutFlow, about: About) -> None:
    """Beside what was used and sold the rest is told; a question where it can't be right or nobody should book."""
    till.decide(
        "cash", gift_certificates={**till.sections["cash"]["gift_certificates"], "moved_by_others": False}
    )

    def close() -> tuple[dict[str, dict[str, Any]], dict[str, int | None]]:
        till.control.clear_log()
        till.day(about.since, job="daily_tie_out")
        assert len(till.calls("netsuite")) == 2
        made = reports.make(till.state(), "stored-value", about)
        rows = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
        asked = till.state().exceptions.find(code="LIABILITY_DRIFT")
        assert {one.owner for one in asked} <= {"finance"}
        accounts = {till.account(number): number for number in ("2310", "2320")}
        return (
            {accounts[row["account_id"]]: row for row in rows},
            {accounts[int(one.subject[10:].split("/")[0])]: one.amount_minor for one in asked},
        )

    def told(row: dict[str, Any]) -> tuple[Decimal, ...]:
        names = ("used", "closing", "ledger", "difference", "of_it_sold", "remainder", "remainder_before")
        return tuple(row[name] for name in names)

    def by_hand(**amounts: dict[str, Any]) -> None:
        till.control.enter_journal([{"account": one[1:], **amount} for one, amount in amounts.items()])

    # -- what shoppers used, NetSuite never knew that it owed
    split = till.sold("split_tender")
    till.ship(split)
    till.cash()
    made = reports.make(till.state(), "orders", about)
    (of_it,) = (
        one
        for one in (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        if one["order"] == split
    )
    ways = (of_it["by_certificate"], of_it["by_store_credit"])
    assert ways == (Decimal("7.50"), Decimal("3.25"))
    assert of_it["captured"] == of_it["total"] == till.paid(split)
    rows, asked = close()
    gift, credit = Decimal("7.50"), Decimal("3.25")
    assert told(rows["2310"]) == (gift, -gift, -gift, 0, 0, 0, 0)
    assert told(rows["2320"]) == (credit, -credit, -credit, 0, 0, 0, 0)
    assert asked == {"2310": -750, "2320": -325}

    # -- balances of before are taken over by hand, and one that only we should move is asked about
    by_hand(n1195={"debit": 105}, n2310={"credit": 100}, n2320={"credit": 5})
    rows, asked = close()
    assert told(rows["2320"]) == (credit, -credit, 5 - credit, 5, 0, 5, 0)
    assert asked == {"2310": 10_000}

    # -- a certificate is sold, which is no question; what was taken over goes back
    order = till.sold("gift_certificate_sold")
    till.ship(order)
    till.cash()
    by_hand(n2310={"debit": 100}, n1195={"credit": 100})
    rows, asked = close()
    assert told(rows["2310"]) == (gift, -gift, 50 - gift, 50, 50, 0, 0)
    assert asked == {}

    # -- it goes back, goods with it: what its sale credited is debited, and it is sold no more
    before = till.balances()
    till.control.refund_order(order)
    till.run("refund_sync")
    (placed,) = till.control.shop_state(order)
    total, tax = (Decimal(str(placed[name])) for name in ("total_inc_tax", "total_tax"))
    after = till.balances()
    moved = {one: after.get(one, 0) - before.get(one, 0) for one in (*before, *after)}
    assert (moved["2310"], moved["1130"], moved["2340"]) == (50, -total, tax)
    assert moved["4050"] + moved["4010"] == total - tax - 50
    rows, asked = close()
    assert told(rows["2310"]) == (gift, -gift, -gift, 0, 0, 0, 0)
    assert asked == {"2310": -750}


def _said(till: PayoutFlow, day: date) -> dict[str, Any]:
    """What each source said of a day; when it was asked, and in which documents, is another matter."""
    kept = till.state().clearing.of(day)
    return {
        name: {part: said for part, said in one.said.items() if part not in ("at", "documents")}
        for name, one in kept.items()
    }


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
