"""Disputes from the provider's word to the ledger: opened, won, lost, and the register of them.

Put expectations of disputes as a flow here. How lines become disputes is in rules/payouts/test_examples.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_links import charge, drop


def register(till: PayoutFlow) -> dict[str, dict[str, Any]]:
    """FR9 of these days, by dispute."""
    today = datetime.now(UTC).date()
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(till.state(), today - timedelta(days=1), today + timedelta(days=2), mapping)
    found = reports.make(till.state(), "disputes", about)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {row["dispute"]: row for row in rows}


def balance(till: PayoutFlow, number: str) -> Decimal:
    """What stands on an account once everything is approved."""
    till.control.approve_journal()
    return Decimal(str(till.control.ledger()["balances"].get(number, 0)))


def test_a_dispute_that_is_won_comes_back_and_one_that_is_lost_becomes_a_loss_once(till: PayoutFlow) -> None:
    till.control.bulk_charges(2)
    won, lost = (one["source"] for one in till.control.open_movements())
    (du_won,) = till.control.move("dispute", charge=won)
    (du_lost,) = till.control.move("dispute", charge=lost)
    till.pays_out(1)
    till.control.clear_log()
    till.post()
    # Nobody is asked before a dispute is open by lines that are posted.
    assert [call for call in till.calls("stripe") if "disputes" in call] == []
    till.post()
    found = register(till)
    assert {name: row["stage"] for name, row in found.items()} == {
        du_won["source"]: "open",
        du_lost["source"]: "open",
    }
    row = found[du_lost["source"]]
    assert (row["amount"], row["fee"], row["open"]) == (Decimal("49.90"), Decimal("15.00"), Decimal("49.90"))
    assert (row["provider_says"], row["answer_by"] != "") == ("needs_response", True)
    assert balance(till, "1140") == Decimal("99.80")

    till.control.move("dispute_reversal", charge=won)
    till.control.lose_dispute(du_lost["source"])
    till.pays_out(1)
    # Without an account for losses it is a question, and nothing else waits for it.
    stripe = till.sections["payouts"]["providers"]["stripe"]
    account = stripe.pop("dispute_losses")
    till.configure()
    till.post()
    (asked,) = till.state().exceptions.find(code="PAYOUT_ACCOUNT_UNMAPPED")
    assert du_lost["source"] in asked.message
    assert register(till)[du_lost["source"]]["stage"] == "lost, not booked yet"
    stripe["dispute_losses"] = account
    till.configure()
    till.post()
    assert till.state().exceptions.find(code="PAYOUT_ACCOUNT_UNMAPPED") == []
    assert register(till)[du_lost["source"]]["stage"] == "lost, its entry awaits approval"
    till.control.clear_log()
    till.post()
    assert [call for call in till.calls("stripe") if "disputes" in call] == []
    keys = [one["external_id"] for one in till.journals() if "-dispute-" in str(one["external_id"])]
    assert keys == [f"psp-stripe-acct1-dispute-{du_lost['source']}"]
    assert (balance(till, "1140"), balance(till, "6130")) == (Decimal(0), Decimal("49.90"))
    till.assert_balanced()

    # A file's word for it does the same, where the merchant says which word that is.
    stripe["categories"] = {"dispute_lost": "chargeback_lost"}
    till.configure()
    disputed = {"line_id": "d1", "category": "dispute", "gross": "-20.00", "fee": "15.00", "net": "-35.00"}
    over = {"line_id": "d2", "category": "dispute_lost", "gross": "0.00", "fee": "0.00", "net": "0.00"}
    drop(till, "one.csv", charge("l1", "100.00", "2.90", "97.10"), {**disputed, "references": "cb_1"},
         {**over, "references": "cb_1"})  # fmt: skip
    till.post()
    till.post()
    assert balance(till, "6130") == Decimal("69.90")
    found = register(till)
    assert {(row["stage"], row["open"]) for row in found.values()} == {
        ("won", Decimal("0.00")),
        ("lost", Decimal("0.00")),
        # Approved a moment ago, and not read back yet.
        ("lost, its entry awaits approval", Decimal("0.00")),
    }

    # The next instance decides otherwise: the money comes back, and an entry of its own takes the loss back, once.
    till.control.move("dispute_reversal", charge=lost)
    till.pays_out(1)
    till.post()
    assert balance(till, "1140") == Decimal("-49.90")
    assert register(till)[du_lost["source"]]["stage"] == "won after its loss, not booked yet"
    till.post()
    assert register(till)[du_lost["source"]]["stage"] == "won after its loss, its entry awaits approval"
    assert (balance(till, "1140"), balance(till, "6130")) == (Decimal(0), Decimal("20.00"))
    till.post()
    row = register(till)[du_lost["source"]]
    key = f"psp-stripe-acct1-{{}}-{du_lost['source']}"
    assert (row["stage"], row["lost"], row["open"]) == ("won after its loss", 0, 0)
    assert row["journal"] == f"{key.format('dispute')} {key.format('won')}"
    assert [str(one["external_id"]) for one in till.journals()].count(key.format("won")) == 1
    till.assert_balanced()
    till.assert_tidy()
