"""Payouts that are not simply paid: manual and instant ones, below and at zero, failed, cancelled, in many currencies.

Put expectations of a payout's fate as a flow here. The entries' arithmetic is in rules/payouts/test_examples.py.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

D = Decimal


def moved(till: PayoutFlow, payout: str, suffix: str = "") -> dict[str, Decimal]:
    """{account number: what an entry of the payout moves there in its own currency, debit positive}."""
    numbers = {one: number for number, one in till.accounts.items()}
    (entry,) = (
        one for one in till.journals() if str(one["external_id"]).endswith(f"-payout-{payout}{suffix}")
    )
    found: dict[str, Decimal] = {}
    for part in entry["postings"]:
        number = numbers[int(part["account"])]
        found[number] = found.get(number, D(0)) + D(part["foreign"])
    return found


def balances(till: PayoutFlow) -> dict[str, Decimal]:
    """Of the ledger, once everything is approved; accounts at 0 are left out."""
    till.control.approve_journal()
    shown = {number: D(str(one)) for number, one in till.control.ledger()["balances"].items()}
    return {number: amount for number, amount in shown.items() if amount}


def manual(till: PayoutFlow, **how: Any) -> dict[str, Any]:
    """Somebody pays the balance of two charges out by hand."""
    till.control.bulk_charges(2)
    made = till.control.manual_payout(**how)
    till.control.change_payout(made["id"], status="paid")
    return dict(made)


def test_whatever_becomes_of_a_payout_its_entries_say_so(till: PayoutFlow) -> None:
    # More was taken than came in; nothing is left of what came in; by hand, and at once for a fee.
    till.control.move("fee", "200.00")
    negative = till.pays_out(1)
    till.control.bulk_charges(1)
    till.control.move("reserve_hold", "all")
    (zero,) = till.control.payout_day("stripe", arrives=0, status="paid")
    by_hand, instant = manual(till), manual(till, instant=True)
    till.post()
    assert {till.payout(one["id"]).status for one in (negative, zero, by_hand, instant)} == {"draft_posted"}
    assert D(negative["amount"]) < 0
    assert moved(till, negative["id"])["1010"] == D(negative["amount"])
    assert D(zero["amount"]) == 0
    assert set(moved(till, zero["id"])) == {"1130", "6110", "1150"}
    # Nobody can say what a payout by hand is made of: it takes its amount out of the clearing account.
    amount = D(by_hand["amount"])
    assert moved(till, by_hand["id"]) == {"1010": amount, "1130": -amount}
    fee = D(instant["lines_amount"]) - D(instant["amount"])
    assert fee > 0
    assert moved(till, instant["id"]) == {
        "1010": D(instant["amount"]),
        "1130": -D(instant["lines_amount"]),
        "6111": fee,
    }
    assert "equal, byte for byte" in bcns("reperform", "payout", instant["id"])

    # One comes back from the bank and one is called off, both after they were posted.
    failed, canceled = till.pays_out(1), till.pays_out(2)
    till.post()
    before = balances(till)
    till.control.fail_payout(failed["id"])
    till.control.fail_payout(canceled["id"], canceled=True)
    till.post()
    assert till.payout(failed["id"]).status == "failed"
    assert moved(till, canceled["id"], "-rev1")["1010"] == -D(canceled["amount"])
    till.post()
    assert moved(till, canceled["id"], "-v2")["1160"] == D(canceled["amount"])
    assert till.payout(canceled["id"]).journal_key == f"psp-stripe-acct1-payout-{canceled['id']}-v2"
    returned = balances(till)["1160"]
    assert returned == D(failed["amount"]) + D(canceled["amount"])
    assert {code.code for code in till.state().exceptions.find(flow="payouts")} >= {"PAYOUT_FAILED"}
    # The next payout brings both, and the account of returned payouts is empty again.
    back = till.pays_out(1)
    till.post()
    assert moved(till, back["id"])["1160"] == -returned
    after = balances(till)
    assert "1160" not in after
    assert after["1010"] - before["1010"] == D(back["amount"]) - returned
    assert till.state().exceptions.find(code="PAYOUT_FAILED") == []
    count = len(till.journals())
    till.post()
    assert len(till.journals()) == count
    till.assert_balanced()
    till.assert_tidy()


def test_each_currency_of_a_month_has_its_own_payout_bank_and_clearing_account(till: PayoutFlow) -> None:
    stripe = till.sections["payouts"]["providers"]["stripe"]
    stripe["bank"] = {"USD": till.account("1010"), "EUR": till.account("1011"), "JPY": till.account("1090")}
    stripe["clearing"] = {
        "USD": till.account("1130"),
        "EUR": till.account("1133"),
        "JPY": till.account("1132"),
    }
    till.configure()
    for currency in ("USD", "EUR", "JPY"):
        till.control.bulk_charges(2, currency=currency)
    made = till.control.payout_day("stripe", arrives=0, status="paid")
    run = till.post()
    assert all(run.checks.values()), run.checks
    assert {one["currency"] for one in made} == {"USD", "EUR", "JPY"}
    where = {"USD": ("1010", "1130"), "EUR": ("1011", "1133"), "JPY": ("1090", "1132")}
    for one in made:
        bank, clearing = where[one["currency"]]
        entry = moved(till, one["id"])
        assert entry[bank] == D(one["amount"])
        assert set(entry) == {bank, clearing, "6110"}
    till.assert_balanced()


def test_a_marketplaces_tax_is_a_wash_for_sales_and_for_refunds(till: PayoutFlow) -> None:
    # The settlement comes before anybody has read the orders, so nothing but its own rows says what they are.
    sold = [
        till.control.shop_order("marketplace", restock=True, external_id=f"111-000000{n}") for n in (1, 2)
    ]
    till.control.refund_order(sold[1]["id"])
    (made,) = till.control.payout_day("amazon", arrives=0, files=False)
    (path,) = map(Path, till.control.drop_settlement(made["id"]))
    path.rename(till.drop / path.name)
    till.post()
    (one,) = till.state().payouts.having()
    assert one.status == "draft_posted", (one.status, one.code, one.reason)
    lines = [stored.line for stored in till.state().payouts.lines(one)]
    withheld = [line.gross for line in lines if line.cls == "marketplace_tax"]
    bought = [line.gross for line in lines if line.category.endswith("Tax") and line.cls != "marketplace_tax"]
    # What came in as tax of one order was withheld; of the other it came in, was withheld, and both went back.
    assert min(withheld) < 0 < max(withheld)
    assert sum(withheld) == -sum(bought)
    entry = moved(till, one.payout_id)
    assert entry["2345"] == -sum(withheld) / D(100)
    assert "2340" not in entry
    till.assert_balanced()


def test_the_settlement_of_a_marketplace_takes_what_its_orders_stand_for(till: PayoutFlow) -> None:
    sold = [till.sold("marketplace", external_id=f"222-000000{n}") for n in (1, 2)]
    till.cash()
    (made,) = till.control.payout_day("amazon", arrives=0, files=False)
    (path,) = map(Path, till.control.drop_settlement(made["id"]))
    path.rename(till.drop / path.name)
    till.post()
    (one,) = till.state().payouts.having()
    assert one.status == "draft_posted", (one.status, one.code, one.reason)
    keys = {
        stored.journal_key for stored in till.state().payouts.lines(one) if stored.line.cls == "gross_sales"
    }
    assert keys == {f"bc-sandbox1-deposit-{order}-0" for order in sold}
    # All parts of a sale together are the receipt that stood there, so nothing is left on the marketplace's account.
    left = balances(till)
    assert "1135" not in left
    assert left["1010"] == D(made["amount"])
    till.assert_balanced()
