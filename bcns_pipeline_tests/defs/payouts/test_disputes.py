"""Disputes from the provider's word to the ledger: opened, won, lost, and the register of them.

Put expectations of disputes as a flow here. How lines become disputes is in rules/payouts/test_examples.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.clients.files.models import Document
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.outcomes import System, Unauthorised
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_files import charge, drop


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
    return till.balances().get(number, Decimal(0))


def stripe_says(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    """The list of disputes comes back otherwise than Stripe documents it."""
    listed = StripeSource.disputes

    def disputes(source: StripeSource, since: datetime) -> Iterator[Document]:
        for page in listed(source, since):
            body = json.loads(page.content)
            yield replace(page, content=json.dumps({**body, "data": change(body["data"])}).encode())

    monkeypatch.setattr(StripeSource, "disputes", disputes)


def assert_a_word_that_cannot_be_read_stops_nothing_else(
    till: PayoutFlow, monkeypatch: pytest.MonkeyPatch, one: str
) -> None:
    """One dispute without its state, one without its id, and then a key that may not ask: each is one question."""

    def spoiled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [{**row, "status": None if row["id"] == one else row["status"]} for row in rows]
        return [{key: row[key] for key in row if row[key] is not None} for row in kept] + [{"status": "lost"}]

    def refused(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        raise Unauthorised(
            System.PAYMENTS, "GET /v1/disputes", 403, "MORE_PERMISSIONS", "lacks rak_dispute_read"
        )

    every = "disputes:stripe/acct1"
    for change, subjects in ((spoiled, {every, f"dispute:stripe/acct1/{one}"}), (refused, {every})):
        beside = till.pays_out(1)
        with monkeypatch.context() as now:
            stripe_says(now, change)
            till.post()
        assert till.payout(beside["id"]).status == "draft_posted"
        asked = till.state().exceptions.find(code="SETTLEMENT_REJECTED")
        assert {row.subject for row in asked} == subjects
        assert all("record without" in row.message or "rak_dispute_read" in row.message for row in asked)
    till.post()
    assert till.state().exceptions.find(code="SETTLEMENT_REJECTED") == []


def assert_a_balance_that_may_not_be_read_is_no_evidence_and_stops_nothing(
    till: PayoutFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: StripeSource, at: datetime | None = None) -> Iterator[Document]:
        raise Unauthorised(
            System.PAYMENTS, "GET /v1/balance", 403, "MORE_PERMISSIONS", "lacks rak_balance_read"
        )

    with monkeypatch.context() as now:
        now.setattr(StripeSource, "balance", refused)
        till.day(till.today(), job="daily_tie_out")
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(till.state(), till.today(), till.today() + timedelta(days=1), mapping)
    found = reports.make(till.state(), "clearing", about)
    assert "provider stripe/acct1: not evidenced (the key may not read its balance)" in found.notes
    assert any(row[2] == "provider balance: not evidenced" for row in found.rows)


def test_a_dispute_that_is_won_comes_back_and_one_that_is_lost_becomes_a_loss_once(
    till: PayoutFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.control.bulk_charges(2)
    won, lost = (one["source"] for one in till.control.open_movements())
    (du_won,) = till.control.move("dispute", charge=won)
    (du_lost,) = till.control.move("dispute", charge=lost)
    till.pays_out(1)
    till.control.clear_log()
    till.post()
    # Nobody is asked before a dispute is open by lines that are posted.
    assert [call for call in till.calls("stripe") if "disputes" in call] == []
    assert_a_word_that_cannot_be_read_stops_nothing_else(till, monkeypatch, du_lost["source"])
    assert_a_balance_that_may_not_be_read_is_no_evidence_and_stops_nothing(till, monkeypatch)
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
    # A file's word for a loss is as good, where the merchant says which word that is.
    disputed = {"line_id": "d1", "category": "dispute", "gross": "-20.00", "fee": "15.00", "net": "-35.00"}
    over = {"line_id": "d2", "category": "dispute_lost", "gross": "0.00", "fee": "0.00", "net": "0.00"}
    drop(till, "one.csv", charge("l1", "100.00", "2.90", "97.10"), {**disputed, "references": "cb_1"},
         {**over, "references": "cb_1"})  # fmt: skip
    # Without an account for losses the first is a question, and nothing else waits for it.
    stripe = till.sections["payouts"]["providers"]["stripe"]
    stripe["categories"] = {"dispute_lost": "chargeback_lost"}
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
    found = register(till)
    assert {name: row["stage"] for name, row in found.items() if name != du_won["source"]} == dict.fromkeys(
        [du_lost["source"], "cb_1"], "lost, its entry awaits approval"
    )
    keys = [str(one["external_id"]) for one in till.journals() if "-dispute-" in str(one["external_id"])]
    assert sorted(keys) == sorted(f"psp-stripe-acct1-dispute-{one}" for one in (du_lost["source"], "cb_1"))
    assert (balance(till, "1140"), balance(till, "6130")) == (Decimal(0), Decimal("69.90"))
    till.assert_balanced()
    till.control.clear_log()
    till.post()
    assert [call for call in till.calls("stripe") if "disputes" in call] == []
    found = register(till)
    assert {name: (row["stage"], row["open"]) for name, row in found.items()} == {
        du_won["source"]: ("won", 0),
        du_lost["source"]: ("lost", 0),
        "cb_1": ("lost", 0),
    }
    assert sum("-dispute-" in str(one["external_id"]) for one in till.journals()) == 2

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
