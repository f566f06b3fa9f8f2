"""What the doctor says of Stripe's key and of the drop folders."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from bcns_pipeline.cli.probes import Finding, Level, Patient, examine
from bcns_pipeline.cli.probes_payments import PROBES
from bcns_pipeline.config import Mapping
from bcns_pipeline.settings import load_settings
from bcns_pipeline_tests.clients.payments.example_a import payout, transactions
from bcns_pipeline_tests.clients.payments.stripe_double import KEY, StripeDouble


@pytest.fixture(autouse=True)
def _no_environment_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BCNS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def look(stripe: StripeDouble | None = None) -> list[Finding]:
    network = httpx.Client(transport=httpx.MockTransport(stripe)) if stripe else None
    patient = Patient(load_settings(None), Mapping(), payments_network=network)
    return list(examine(patient, "Payments", (), PROBES))


def test_without_any_source_there_is_nothing_to_say() -> None:
    assert look() == []


def test_a_good_key_shows_payouts_and_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", KEY)
    double = StripeDouble()
    newest = {**payout(), "created": 4_000_000_000}
    double.payouts = [newest, {**newest, "id": "po_manual", "automatic": False}]
    double.transactions["po_SYN0304"] = transactions()
    double.balance["available"] = [{"amount": 123456, "currency": "usd"}]
    good, manual, bank = look(double)
    assert (good.what, good.level) == ("Stripe", Level.OK)
    assert good.found == "2 payouts on the first page of the last 35 days, 1234.56 USD held, test mode"
    assert manual.found == "1 manual or instant: po_manual"
    assert "not evidenced" in bank.means


def test_a_refused_key_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", "rk_test_another")
    found = look(StripeDouble())[0]
    assert found.level is Level.UNKNOWN
    assert "GET /v1/balance: 401" in found.found
    assert "rk_test_another" not in repr(found)


def test_a_malformed_key_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", "pk_test_public")
    assert look(StripeDouble())[0].level is Level.BAD_INPUT


def test_folders_are_there_and_rejected_files_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BCNS_PAYOUT_DROP_DIR", str(tmp_path / "payouts"))
    monkeypatch.setenv("BCNS_BANK_DROP_DIR", str(tmp_path / "bank"))
    payouts, bank = look()
    assert payouts.level is bank.level is Level.BLOCKED
    (tmp_path / "payouts" / "rejected").mkdir(parents=True)
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "statement.xml").write_text("x")
    (tmp_path / "payouts" / "rejected" / "a.csv").write_text("x")
    (tmp_path / "payouts" / "rejected" / "a.csv.reason.txt").write_text("x")
    payouts, bank = look()
    assert (payouts.level, bank.level) == (Level.WARNING, Level.OK)
    assert payouts.found.endswith("0 waiting, 1 rejected")
    assert bank.found.endswith("1 waiting, 0 rejected")
