"""Fees at a month's end: accrued once, reversed by NetSuite, and shown by the reports.

Put expectations of the accrual as a flow here. Its sums are in rules/payouts/test_month_end.py.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline_tests.defs.payout_flow import PLAN, PayoutFlow


def test_fees_that_no_payout_of_the_month_took_are_accrued_once_and_reversed(till: PayoutFlow) -> None:
    today = datetime.now(till.zone()).date()
    first = today.replace(day=1)
    last = first - timedelta(days=1)
    till.decide("payouts", accrual={"post": True, "days": 0, "materiality_percent": "0"},
                files={"braintree_fees": "monthly"})  # fmt: skip
    # Two charges of last month's end, whose payout arrives today; what Braintree bills later was disbursed then.
    till.control.clock(offset_seconds=-86_400 * (today - last).days - 43_200)
    till.control.bulk_charges(2)
    till.dropped("braintree", 1)
    till.control.clock(offset_seconds=0)
    made = till.pays_out(1)
    till.post()
    fees = {one["external_id"]: one for one in till.journals() if "-accrual-" in one["external_id"]}
    stripe = f"psp-stripe-acct1-accrual-{last:%Y-%m}-USD"
    braintree = f"psp-braintree-sandboxtrading-accrual-{last:%Y-%m}-USD"
    assert sorted(fees) == [braintree, stripe]
    lines = till.control.payouts_state(made["id"], lines=True)[0]["lines"]
    old = sum(Decimal(one["fee"]) for one in lines if date.fromisoformat(one["created"][:10]) <= last)
    assert len(lines) == 3
    assert till.postings(fees[stripe]) == {"6110": old, "2395": -old}
    # 49.90 at 2.59 % and 0.49.
    assert till.postings(fees[braintree]) == {"6110": Decimal("1.78"), "2395": Decimal("-1.78")}
    till.assert_balanced()
    assert till.control.ledger()["balances"] == {}

    # NetSuite has reversed them, so the month to come pays what its payouts and bills say.
    assert "2395" not in till.balances()
    run = till.post()
    assert [row for row in run.records("entries", PLAN) if "accrual" in row["entry"]] == []
    assert len([one for one in till.journals() if "-accrual-" in str(one["external_id"])]) == 2
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(till.state(), last.replace(day=1), first, mapping)
    shown = reports.make(till.state(), "accrued-fees", about)
    rows = {row[0]: dict(zip(shown.columns, row, strict=True)) for row in shown.rows}
    assert rows["stripe"]["accrued"] == rows["stripe"]["taken_later"] == old
    assert {row["not_accrued"] for row in rows.values()} == {Decimal("0.00")}
    assert {row["approval"] for row in rows.values()} == {"approved"}
    till.assert_tidy()
