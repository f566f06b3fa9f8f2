"""Lines and their orders: what ids can't tell is proposed, accepted by a person, and never assumed.

Put expectations of links and of the opening balance here. Do not put posting here (test_posting.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.payouts.roll_forward import Movement
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns
from bcns_pipeline_tests.defs.payouts.test_files import charge, drop


def test_a_line_finds_its_order_by_its_number_or_once_a_person_has_accepted_the_guess(
    till: PayoutFlow,
) -> None:
    placed = [
        till.control.shop_order("marketplace", restock=True, external_id=f"222-000000{n}") for n in (1, 2)
    ]
    order = till.sold()
    for one in placed:
        till.ship(int(one["id"]))
    till.cash()
    back = till.control.refund_order(placed[1]["id"])
    till.run("refund_sync")
    (market,) = till.pay_out("amazon", arrives=0, files=False)
    till.settled(market)
    (tender,) = till.state().cash.tenders([order])[order]
    amount = tender.amount.amount
    happened = tender.happened_at.isoformat() if tender.happened_at else ""
    drop(till, "one.csv", charge("l1", str(amount), "0.00", str(amount), occurred_at=happened))
    till.post()
    (asked,) = till.state().exceptions.find(code="PAYOUT_LINK_PROPOSED")
    assert (asked.subject, asked.detail["order_id"]) == ("payout:stripe/acct1/po_77/l1", order)
    assert till.payout("po_77").status == "draft_posted"
    assert till.state().payouts.of_order(order) == []
    (settlement,) = (one for one in till.state().payouts.having() if one.provider == "amazon")
    assert settlement.status == "draft_posted", (settlement.status, settlement.code, settlement.reason)
    lines = till.state().payouts.lines(settlement)
    records = {f"bc-sandbox1-deposit-{one['id']}-0" for one in placed}
    assert {one.journal_key for one in lines if one.line.cls == "gross_sales"} == records
    # A marketplace knows orders by its own number, which BigCommerce tells. It gives back goods and tax by lines of
    # their own, which are one refund.
    assert {one.step for one in lines if one.line.order_id is not None} == {"order"}
    given = [one.journal_key for one in lines if one.line.cls == "refund"]
    assert given == [f"bc-sandbox1-refundpay-{back['id']}-1"] * 2
    assert till.state().exceptions.find(code="PSP_REFUND_WITHOUT_BC") == []
    # All parts of a sale together are the receipt that stood there: nothing is left on the marketplace's account, and
    # nothing of the tax that it remits.
    left = till.balances()
    assert not {"1135", "2345", "2340"} & set(left)
    assert till.moved(settlement.payout_id)["1010"] == D(market["amount"]) == left["1010"] - amount
    till.assert_balanced()

    bcns("approve", str(asked.id), "--reason", "the same card")
    till.post()
    ((_, line),) = till.state().payouts.of_order(order)
    assert (line.line.id, line.step) == ("l1", "weak")
    assert till.state().exceptions.find(flow="payouts", code="PAYOUT_LINE_UNMATCHED") == []
    assert till.state().exceptions.find(code="PAYOUT_LINK_PROPOSED") == []
    assert f"order {order}" in bcns("trace", "l1")
    assert "po_77" in bcns("trace", str(order))


def test_what_was_open_at_the_cutover_is_taken_over_once_and_tied(till: PayoutFlow) -> None:
    till.control.clock(offset_seconds=-3 * 86_400)
    till.control.bulk_charges(2)
    till.control.clock(offset_seconds=0)
    till.decide("cutover", at=(datetime.now(UTC) - timedelta(days=1)).isoformat())
    till.pay_out("stripe", arrives=0, status="paid")
    till.post(mode="plan")
    shown = bcns("opening-balance")
    assert "unexplained: 0.00 USD" in shown
    assert till.state().outbox.find() == []

    bcns("opening-balance", "--apply", "--reason", "taken over from the old books")
    taken = sum(one.line.gross for one in till.state().payouts.lines(till.state().payouts.having()[0]))
    till.post()
    # What came over is what the payout settled; the old books have given it up.
    balances = till.balances()
    assert "1130" not in balances
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
