"""Payouts that are not simply paid: manual and instant ones, below and at zero, failed, cancelled, in many currencies.

Put expectations of a payout's fate as a flow here. The entries' arithmetic is in rules/payouts/test_examples.py.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

D = Decimal


def manual(till: PayoutFlow, **how: Any) -> dict[str, Any]:
    """Somebody pays the balance of two charges out by hand."""
    till.control.bulk_charges(2)
    made = till.control.manual_payout(**how)
    till.control.change_payout(made["id"], status="paid")
    return dict(made)


def test_whatever_becomes_of_a_payout_its_entries_say_so(till: PayoutFlow) -> None:
    # -- one run: in three currencies, more taken than came in, nothing left of what came in, by hand, at once for a fee
    where = {"USD": ("1010", "1130"), "EUR": ("1011", "1133"), "JPY": ("1090", "1132")}
    stripe = till.sections["payouts"]["providers"]["stripe"]
    stripe["bank"] = {currency: till.account(bank) for currency, (bank, _) in where.items()}
    stripe["clearing"] = {currency: till.account(clearing) for currency, (_, clearing) in where.items()}
    till.configure()
    for currency in where:
        till.control.bulk_charges(2, currency=currency)
    abroad = till.pay_out("stripe", arrives=0, status="paid")
    till.control.move("fee", "200.00")
    negative = till.pays_out(1)
    till.control.bulk_charges(1)
    till.control.move("reserve_hold", "all")
    (zero,) = till.pay_out("stripe", arrives=0, status="paid")
    by_hand, instant = manual(till), manual(till, instant=True)
    failed, canceled = till.pays_out(1), till.pays_out(2)
    run = till.post()
    assert all(run.checks.values()), run.checks
    made = [*abroad, negative, zero, by_hand, instant, failed, canceled]
    assert {till.payout(one["id"]).status for one in made} == {"draft_posted"}
    assert_each_currency_has_its_own_bank_and_clearing_account(till, abroad, where)
    assert D(negative["amount"]) < 0
    assert till.moved(negative["id"])["1010"] == D(negative["amount"])
    assert D(zero["amount"]) == 0
    assert set(till.moved(zero["id"])) == {"1130", "6110", "1150"}
    # Nobody can say what a payout by hand is made of: it takes its amount out of the clearing account.
    amount = D(by_hand["amount"])
    assert till.moved(by_hand["id"]) == {"1010": amount, "1130": -amount}
    fee = D(instant["lines_amount"]) - D(instant["amount"])
    assert fee > 0
    assert till.moved(instant["id"]) == {
        "1010": D(instant["amount"]),
        "1130": -D(instant["lines_amount"]),
        "6111": fee,
    }
    assert "equal, byte for byte" in bcns("reperform", "payout", instant["id"])
    assert_each_report_says_what_nobody_can_itemise(till, by_hand, instant)

    # -- one comes back from the bank and one is called off, both after they were posted
    before = till.balances()
    till.control.fail_payout(failed["id"])
    till.control.fail_payout(canceled["id"], canceled=True)
    till.post()
    assert till.payout(failed["id"]).status == "failed"
    assert till.moved(canceled["id"], "-rev1")["1010"] == -D(canceled["amount"])
    till.post()
    assert till.moved(canceled["id"], "-v2")["1160"] == D(canceled["amount"])
    assert till.payout(canceled["id"]).journal_key == f"psp-stripe-acct1-payout-{canceled['id']}-v2"
    returned = till.balances()["1160"]
    assert returned == D(failed["amount"]) + D(canceled["amount"])
    assert {code.code for code in till.state().exceptions.find(flow="payouts")} >= {"PAYOUT_FAILED"}

    # -- the next payout brings both, and the account of returned payouts is empty again; nothing else is made
    count = len(till.journals())
    back = till.pays_out(1)
    till.post()
    assert till.moved(back["id"])["1160"] == -returned
    after = till.balances()
    assert "1160" not in after
    assert after["1010"] - before["1010"] == D(back["amount"]) - returned
    assert till.state().exceptions.find(code="PAYOUT_FAILED") == []
    assert len(till.journals()) == count + 1
    till.assert_balanced()
    till.assert_tidy()


def assert_each_currency_has_its_own_bank_and_clearing_account(
    till: PayoutFlow, made: list[dict[str, Any]], where: dict[str, tuple[str, str]]
) -> None:
    assert {one["currency"] for one in made} == set(where)
    for one in made:
        bank, clearing = where[one["currency"]]
        entry = till.moved(one["id"])
        assert entry[bank] == D(one["amount"])
        assert set(entry) == {bank, clearing, "6110"}


def assert_each_report_says_what_nobody_can_itemise(
    till: PayoutFlow, by_hand: dict[str, Any], instant: dict[str, Any]
) -> None:
    """Payout by payout, with what the transfer cost: a movement and two open items of the account, nothing unknown."""
    left = {by_hand["id"]: D(by_hand["amount"]), instant["id"]: D(instant["lines_amount"])}
    together = sum(left.values(), D(0))
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(
        till.state(), till.today() - timedelta(days=2), till.today() + timedelta(days=2), mapping
    )
    made = {
        name: reports.make(till.state(), name, about)
        for name in ("payouts", "clearing", "open-items", "tie-out")
    }
    rows = {
        name: [dict(zip(one.columns, row, strict=True)) for row in one.rows] for name, one in made.items()
    }
    words = "paid out, not itemised by the provider"
    assert {one["payout_id"]: one["not_itemised"] for one in rows["payouts"] if one["not_itemised"]} == left
    assert all(one["unexplained"] == 0 for one in rows["payouts"])
    assert sum(one["amount"] for one in rows["clearing"] if one["line"] == words) == -together
    found = {
        one["item"].removeprefix("psp-stripe-acct1-payout-"): one["amount"]
        for one in rows["open-items"]
        if one["why"] == words
    }
    assert found == {name: -amount for name, amount in left.items()}
    (note,) = (one for one in made["tie-out"].notes if one.startswith("not itemised by the provider"))
    assert all(f"{name} of stripe acct1 {amount:.2f} USD" in note for name, amount in left.items())
    assert f"{together:.2f} USD together" in note
    assert "not itemised by the provider" in bcns("trace", by_hand["id"])
