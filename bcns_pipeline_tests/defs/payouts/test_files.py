"""Settlements that providers drop as files: each goes once, whole or not at all, and what is restated is a question.

Put expectations of files as a flow here. What a file's rows mean is in clients/payments/.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.state.payout_models import PayoutState
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow
from bcns_pipeline_tests.defs.payouts.test_evidence import bcns

COLUMNS = ("provider", "account", "payout_id", "payout_date", "currency", "line_id", "category", "gross", "fee", "net",
           "occurred_at", "references", "order", "method", "country")  # fmt: skip


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


def test_files_of_several_providers_are_posted_by_one_run_and_each_file_counts_once(till: PayoutFlow) -> None:
    # -- one run: files of four providers, our own CSV, and one that was cut off
    till.sections["payouts"]["providers"]["stripe"]["fee_band"] = {"percent": 2.9, "fixed": {"USD": 0.30}}
    till.decide("payouts", window={"days_ahead": 40})
    (adyen,), (braintree,) = till.dropped("adyen", 2), till.dropped("braintree", 2)
    # Amazon's comes before anybody has read the orders, so nothing but its own rows says what they are.
    sold = [
        till.control.shop_order("marketplace", restock=True, external_id=f"111-000000{n}") for n in (1, 2)
    ]
    till.control.refund_order(sold[1]["id"])
    (amazon,) = till.settled(*till.pay_out("amazon", arrives=0, files=False))
    abroad = {"method": "visa", "country": "DE"}
    drop(
        till,
        "one.csv",
        charge("l1", "100.00", "2.90", "97.10"),
        charge("l2", "50.00", "1.75", "48.25", **abroad),
    )
    (paypal,) = till.dropped("paypal", 3)
    whole = paypal.read_bytes()
    paypal.write_bytes(whole[: len(whole) // 2])

    run = till.post()

    found = {one.provider: one for one in till.state().payouts.having()}
    assert sorted(found) == ["adyen", "amazon", "braintree", "stripe"]
    assert {one.status for one in found.values()} == {"draft_posted"}, (
        [one.reason for one in found.values()],
        run.checks,
    )
    before = till.journals()
    assert len(before) == len(found)
    till.assert_balanced()
    assert all("equal, byte for byte" in bcns("reperform", "payout", one.payout_id) for one in found.values())
    assert_fees_stand_by_country_beside_the_contract(till)
    files = {adyen.name, braintree.name, amazon.name, "one.csv"}
    assert {path.name for path in (till.drop / "done").iterdir()} == files
    assert_a_marketplaces_tax_is_a_wash_for_sales_and_for_refunds(till, found["amazon"])
    assert run.checks["no_file_is_rejected"] is False
    assert (till.drop / "rejected" / paypal.name).exists()
    (asked,) = till.state().exceptions.find(code="SETTLEMENT_REJECTED")
    assert asked.subject == f"file:{paypal.name}"

    # -- the month is closed: the whole file goes to the next one; bytes again are nothing, and a new version a question
    till.control.period("closed")
    paypal.write_bytes(whole)
    (till.drop / "again.csv").write_bytes((till.drop / "done" / adyen.name).read_bytes())
    two = charge("l1", "100.00", "3.00", "97.00"), charge("l2", "50.00", "1.75", "48.25", **abroad)
    drop(till, "two.csv", *two)

    till.post()

    till.control.period("open")
    assert till.state().exceptions.find(code="SETTLEMENT_REJECTED") == []
    assert [one for one in till.journals() if one in before] == before
    assert len(till.journals()) == len(before) + 1
    assert len(till.state().payouts.having()) == len(found) + 1
    assert_a_closed_period_moves_the_entry_and_keeps_the_day(till)
    (asked,) = till.state().exceptions.find(code="PAYOUT_RESTATED")
    told = {(row["line"], row["what"]): (row["before"], row["now"]) for row in asked.detail["differences"]}
    assert told == {("l1", "fee"): (290, 300), ("l1", "net"): (9710, 9700)}
    assert till.payout("po_77").version == 2
    assert "equal, byte for byte" in bcns("reperform", "payout", "po_77")

    # -- a third version is compared with what was posted, and one that says that again ends the question
    l2 = charge("l2", "50.00", "1.75", "48.25", **abroad)
    drop(till, "three.csv", charge("l1", "100.00", "2.90", "97.10"), charge("l2", "50.00", "1.50", "48.50"))
    till.post()
    (asked,) = till.state().exceptions.find(code="PAYOUT_RESTATED")
    assert {row["line"] for row in asked.detail["differences"]} == {"l2"}
    drop(till, "four.csv", l2, charge("l1", "100.00", "2.90", "97.10"))
    till.post()
    assert till.state().exceptions.find(code="PAYOUT_RESTATED") == []
    assert till.payout("po_77").version == 4
    assert "equal, byte for byte" in bcns("reperform", "payout", "po_77")


def assert_a_marketplaces_tax_is_a_wash_for_sales_and_for_refunds(till: PayoutFlow, one: PayoutState) -> None:
    """What came in as tax of one order was withheld; of the other it came in, was withheld, and both went back."""
    lines = [stored.line for stored in till.state().payouts.lines(one)]
    withheld = [line.gross for line in lines if line.cls == "marketplace_tax"]
    bought = [line.gross for line in lines if line.category.endswith("Tax") and line.cls != "marketplace_tax"]
    assert min(withheld) < 0 < max(withheld)
    assert sum(withheld) == -sum(bought)
    entry = till.moved(one.payout_id)
    assert entry["2345"] == -sum(withheld) / Decimal(100)
    assert "2340" not in entry


def assert_fees_stand_by_country_beside_the_contract(till: PayoutFlow) -> None:
    """2.9 % and 0.30: just that for the foreign card, 0.30 less for the other one; nothing without a contract."""
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(
        till.state(), till.today() - timedelta(days=1), till.today() + timedelta(days=2), mapping
    )
    made = reports.make(till.state(), "fees", about)
    rows = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
    mine = [row for row in rows if row["provider"] == "stripe"]
    names = ("method", "country", "percent", "by_contract", "above_contract")
    assert [tuple(row[name] for name in names) for row in mine] == [
        ("", "", Decimal("2.9"), Decimal("3.20"), Decimal("-0.30")),
        ("visa", "DE", Decimal("3.5"), Decimal("1.75"), 0),
    ]
    assert {row["by_contract"] for row in rows if row["provider"] != "stripe"} == {None}


def assert_a_closed_period_moves_the_entry_and_keeps_the_day(till: PayoutFlow) -> None:
    """Of PayPal's payout, which came while the month was closed."""
    (payout,) = (one for one in till.state().payouts.having() if one.provider == "paypal")
    (entry,) = (one for one in till.state().payouts.journals() if one.payout == payout.id)
    assert entry.tran_date > entry.economic_date == payout.arrival_date
    assert entry.tran_date.day == 1
    (told,) = till.state().exceptions.find(code="CLOSED_PERIOD")
    assert told.severity == "warning"
