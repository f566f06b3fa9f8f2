"""Lines and their orders: what ids can't tell is proposed, accepted by a person, and never assumed; what is restated.

Put expectations of links, restated reports and the opening balance here. Do not put posting here (test_posting.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.payouts.roll_forward import Movement
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

COLUMNS = ("provider", "account", "payout_id", "payout_date", "currency", "line_id", "category", "gross", "fee", "net",
           "occurred_at", "references", "order")  # fmt: skip


def drop(till: PayoutFlow, name: str, *rows: dict[str, Any]) -> None:
    """A settlement in the documented CSV, of Stripe's account."""
    shared = {
        "provider": "stripe",
        "account": "acct1",
        "payout_id": "po_77",
        "payout_date": f"{datetime.now(UTC):%Y-%m-%d}",
        "currency": "USD",
    }
    text = [",".join(COLUMNS)]
    text += [",".join(str({**shared, **row}.get(column, "")) for column in COLUMNS) for row in rows]
    (till.drop / name).write_text("\n".join(text) + "\n")


def charge(line: str, gross: str, fee: str, net: str, **more: Any) -> dict[str, Any]:
    """One charge."""
    return {"line_id": line, "category": "charge", "gross": gross, "fee": fee, "net": net, **more}


def test_a_weak_link_is_proposed_and_taken_once_a_person_has_accepted_it(till: PayoutFlow) -> None:
    order = till.sold()
    till.cash()
    (tender,) = till.state().cash.tenders([order])[order]
    amount = tender.amount.amount
    happened = tender.happened_at.isoformat() if tender.happened_at else ""
    drop(till, "one.csv", charge("l1", str(amount), "0.00", str(amount), occurred_at=happened))
    till.post()
    (asked,) = till.state().exceptions.find(code="PAYOUT_LINK_PROPOSED")
    assert (asked.subject, asked.detail["order_id"]) == ("payout:stripe/acct1/po_77/l1", order)
    assert till.payout("po_77").status == "draft_posted"
    assert till.state().payouts.of_order(order) == []

    bcns("approve", str(asked.id), "--reason", "the same card")
    till.post()
    ((_, line),) = till.state().payouts.of_order(order)
    assert (line.line.id, line.step) == ("l1", "weak")
    assert till.state().exceptions.find(flow="payouts", code="PAYOUT_LINE_UNMATCHED") == []
    assert till.state().exceptions.find(code="PAYOUT_LINK_PROPOSED") == []
    assert f"order {order}" in bcns("trace", "l1")
    assert "po_77" in bcns("trace", str(order))


def test_a_restated_report_is_a_question_with_what_differs_and_changes_no_entry(till: PayoutFlow) -> None:
    drop(till, "one.csv", charge("l1", "100.00", "2.90", "97.10"), charge("l2", "50.00", "1.75", "48.25"))
    till.post()
    (before,) = till.journals()
    drop(till, "two.csv", charge("l1", "100.00", "3.00", "97.00"), charge("l2", "50.00", "1.75", "48.25"))
    till.post()
    (asked,) = till.state().exceptions.find(code="PAYOUT_RESTATED")
    told = {(row["line"], row["what"]): (row["before"], row["now"]) for row in asked.detail["differences"]}
    assert told == {("l1", "fee"): (290, 300), ("l1", "net"): (9710, 9700)}
    assert till.journals() == [before]
    assert till.payout("po_77").version == 2
    assert "equal, byte for byte" in bcns("reperform", "payout", "po_77")


def test_what_was_open_at_the_cutover_is_taken_over_once_and_tied(till: PayoutFlow) -> None:
    till.control.clock(offset_seconds=-3 * 86_400)
    till.control.bulk_charges(2)
    till.control.clock(offset_seconds=0)
    till.decide("cutover", at=(datetime.now(UTC) - timedelta(days=1)).isoformat())
    till.control.payout_day("stripe", arrives=0, status="paid")
    till.post(mode="plan")
    shown = bcns("opening-balance")
    assert "unexplained: 0.00 USD" in shown
    assert till.state().outbox.find() == []

    bcns("opening-balance", "--apply", "--reason", "taken over from the old books")
    taken = sum(one.line.gross for one in till.state().payouts.lines(till.state().payouts.having()[0]))
    till.post()
    till.control.approve_journal()
    balances = {number: Decimal(amount) for number, amount in till.control.ledger()["balances"].items()}
    # What came over is what the payout settled; the old books have given it up.
    assert balances.get("1130", Decimal(0)) == 0
    assert balances["1195"] < 0
    assert sorted(one["external_id"] for one in till.journals())[0] == "psp-stripe-acct1-opening-USD"
    assert "done before" in bcns("opening-balance", "--apply", "--reason", "again")
    # The roll-forward names what was taken over, and nothing of it stays open; the provider holds nothing of it either.
    till.post()
    state, today = till.state(), till.today()
    about = reports.about(state, today, today + timedelta(days=1), load_mapping(till.folder / "bcns.yaml"))
    run = till.day(today, job="daily_tie_out")
    assert run.checks["fi7_the_outside_says_the_same"]
    (rolled,) = (one for one in reports.roll_forwards(state, about)[0] if one.account == till.account("1130"))
    assert (rolled.opening + rolled.movements[Movement.TAKEN_OVER], rolled.open_items) == (taken, ())
    assert rolled.ledger == rolled.unexplained == 0
    till.assert_balanced()
