"""NetSuite's journal entries: balance, approval, reversal, and what is refused.

Put expectations of journals here. Do not put other postings here (test_invoices.py, ...).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.sandbox.office_finance import Accountant
from bcns_pipeline_tests.sandbox.desk import Desk
from bcns_pipeline_tests.sandbox.money import IDS, balances, ledger, status

PAYOUT = (
    ("1010", "5670.63"),
    ("1130", "-6318.42"),
    ("1130", "214.37"),
    ("6110", "195.83"),
    ("6111", "12.60"),
    ("1140", "89.99"),
    ("1140", "-45"),
    ("6120", "15"),
    ("6120", "-15"),
    ("1150", "300"),
    ("1150", "-120"),
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account."""
    return Desk()


def lines(*legs: tuple[str, str]) -> dict[str, Any]:
    """Lines of account number and amount, a debit positive."""
    rows = []
    for number, amount in legs:
        side = "credit" if amount.startswith("-") else "debit"
        rows.append(
            {"account": {"id": IDS[number]}, side: Decimal(amount.lstrip("-")), "memo": f"to {number}"}
        )
    return {"items": rows}


def journal(*legs: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """An entry of the parent company."""
    body = {"subsidiary": {"id": "1"}, "approved": True, "line": lines(*legs), **changes}
    return {name: value for name, value in body.items() if value is not None}


def test_a_payout_posts_line_by_line_once_a_person_has_approved_it() -> None:
    """The worked example A of facts/finance.md 2.4."""
    fresh = Desk()
    body = journal(*PAYOUT, approved=False, externalId="psp-stripe-a-payout-po_1", memo="Stripe payout po_1")
    made = fresh.post("journalEntry", body)
    assert (status(fresh, made), balances(fresh)) == ("A", {})
    query = """SELECT tl.id, tl.memo, tl.mainline, tl.foreignamount f, tal.account a, tal.debit d, tal.credit c,
               tal.posting p, t.posting tp, t.approvalstatus s
               FROM transaction t JOIN transactionline tl ON tl.transaction = t.id
               JOIN transactionaccountingline tal ON tal.transaction = t.id AND tal.transactionline = tl.id
               WHERE t.type = 'Journal' AND t.externalid = ? ORDER BY tl.id"""
    rows = fresh.sql(query, "psp-stripe-a-payout-po_1")
    assert [(row["a"], Decimal(row["f"])) for row in rows] == [(IDS[n], Decimal(v)) for n, v in PAYOUT]
    assert {(row["p"], row["tp"], row["s"], row["mainline"]) for row in rows} == {("F", "F", "1", "F")}
    assert (rows[0]["d"], rows[1]["c"], rows[1]["memo"]) == ("5670.63", "6318.42", "to 1130")
    assert ("c" in rows[0], "d" in rows[1]) == (False, False)
    assert Accountant(fresh.office).approve({"journal": "psp-stripe-a-payout-po_1"}) == {"approved": [made]}
    assert status(fresh, made) == "B"
    assert ledger(fresh, made)["1130"] == Decimal("-6104.05")
    assert balances(fresh)["1010"] == Decimal("5670.63")
    shown = fresh.get(f"journalEntry/{made}")
    assert (shown["approved"], shown["line"]["items"][0]["debit"], shown["exchangeRate"]) == (
        True,
        Decimal("5670.63"),
        1,
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"subsidiary": None}, "You must enter a value for subsidiary"),
        ({"line": None}, "You must enter a value for line"),
        ({"line": lines(("1010", "5"), ("1130", "-4.99"))}, "must balance; debits are 5.0, credits 4.99"),
        ({"line": lines(("1010", "5.001"), ("1130", "-5.001"))}, "more digits than its currency"),
        ({"line": lines(("6119", "5"), ("1130", "-5"))}, "following field: account"),
        ({"line": lines(("7000", "5"), ("1130", "-5"))}, "following field: account"),
        ({"line": lines(("1133", "5"), ("1130", "-5"))}, "following field: account"),
        ({"line": {"items": [{"account": {"id": "999"}, "debit": 5}]}}, "Invalid Field Value 999"),
        ({"line": {"items": [{"debit": 5}]}}, "You must enter a value for account"),
        ({"line": {"items": [{"account": {"id": "110"}}]}}, "either a debit or a credit"),
        ({"line": {"items": [{"account": {"id": "110"}, "debit": 5, "credit": 5}]}}, "either a debit or a credit"),
        ({"line": {"items": [{"account": {"id": "110"}, "debit": -5}]}}, "either a debit or a credit"),
        ({"line": {"items": [{"account": {"id": "110"}, "debit": 5, "taxCode": "11"}]}}, "taxCode"),
        ({"line": lines(("1200", "5"), ("1130", "-5"))}, "must select a name"),
        ({"taxTotal": 5}, "taxTotal"),
        ({"currency": {"id": "77"}}, "following field: currency"),
        ({"tranDate": "2020-01-15"}, "There is no open period"),
        ({"reversalDate": "2020-01-15"}, "following field: reversaldate"),
    ],
)  # fmt: skip
def test_a_journal_that_can_not_be_is_refused(desk: Desk, changes: dict[str, Any], text: str) -> None:
    body = journal(("1010", "5"), ("1130", "-5"), **changes)
    assert text in desk.refused("POST", "journalEntry", body)[1]


def test_a_refused_journal_leaves_nothing_behind(desk: Desk) -> None:
    before = desk.sql("SELECT COUNT(*) n FROM transaction")
    desk.refused("POST", "journalEntry", journal(("1010", "5"), externalId="psp-x"))
    desk.post("journalEntry", journal(("1010", "5"), ("1130", "-5"), externalId="psp-x"))
    text = desk.refused("POST", "journalEntry", journal(("1010", "5"), ("1130", "-5"), externalId="psp-x"))[1]
    assert "already exists" in text
    assert int(desk.sql("SELECT COUNT(*) n FROM transaction")[0]["n"]) == int(before[0]["n"]) + 1


@pytest.mark.parametrize(
    ("need", "own", "said", "letter"),
    [
        (True, True, None, "A"),
        (False, True, None, "B"),
        (True, True, True, "B"),
        (True, True, False, "A"),
        (False, True, False, "A"),
        (True, False, True, "A"),
    ],
)
def test_who_approves_depends_on_the_account(
    desk: Desk, need: bool, own: bool, said: bool | None, letter: str
) -> None:
    desk.settings.journals_need_approval, desk.settings.approves_journals = need, own
    made = desk.post("journalEntry", journal(("1010", "5"), ("1130", "-5"), approved=said))
    desk.settings.journals_need_approval = desk.settings.approves_journals = True
    assert status(desk, made) == letter


def test_a_reversal_swaps_the_sides_on_its_day_once_the_entry_posts(desk: Desk) -> None:
    today = desk.books.context.today()
    later = today.replace(year=today.year + 1, month=1, day=1).isoformat()
    made = desk.post(
        "journalEntry", journal(("6110", "32.79"), ("2395", "-32.79"), approved=False, reversalDate=later)
    )
    query = """SELECT id, trandate, posting, isreversal r FROM transaction WHERE reversal = ?"""
    assert desk.sql(query, str(made)) == []
    desk.patch(f"journalEntry/{made}", {"approved": True})
    (found,) = desk.sql(query, str(made))
    assert (found["posting"], found["r"]) == ("T", "T")
    assert ledger(desk, int(found["id"])) == {"6110": Decimal("-32.79"), "2395": Decimal("32.79")}
    assert desk.get(f"journalEntry/{made}")["reversalEntry"]["id"] == found["id"]
    desk.patch(f"journalEntry/{made}", {"memo": "again"})
    assert len(desk.sql(query, str(made))) == 1


def test_a_foreign_journal_balances_in_both_currencies(desk: Desk) -> None:
    legs = (("1011", "3.33"), ("1133", "-1.11"), ("1133", "-1.11"), ("1133", "-1.11"))
    made = desk.post(
        "journalEntry", journal(*legs, currency={"id": "2"}, exchangeRate=Decimal("1.085"), memo="EUR")
    )
    found = ledger(desk, made)
    # 3.33 is worth 3.61 and three times 1.11 three times 1.20: the account for rounding takes the cent.
    assert found == {"1011": Decimal("3.61"), "1133": Decimal("-3.60"), "7010": Decimal("-0.01")}
    rows = desk.sql("SELECT SUM(foreignamount) f FROM transactionline WHERE transaction = ?", str(made))
    assert Decimal(rows[0]["f"]) == 0


def test_lines_of_a_change_are_appended_unless_they_are_named_or_replaced(desk: Desk) -> None:
    made = desk.post("journalEntry", journal(("1010", "5"), ("1130", "-5")))
    path = f"journalEntry/{made}"
    assert "must balance" in desk.refused("PATCH", path, {"line": lines(("1010", "1"))})[1]
    desk.patch(path, {"line": lines(("1010", "1"), ("1130", "-1"))})
    assert len(desk.get(path)["line"]["items"]) == 4
    desk.patch(f"{path}?replace=line", {"line": lines(("1010", "2"), ("6110", "-2"))})
    assert ledger(desk, made) == {"1010": 2, "6110": -2}
    first = desk.get(path)["line"]["items"][0]["line"]
    named = {"line": {"items": [{"line": first, "account": {"id": IDS["1140"]}}]}}
    desk.patch(path, named)
    assert ledger(desk, made) == {"1140": 2, "6110": -2}
    assert "can't be changed" in desk.refused("PATCH", path, {"currency": {"id": "2"}})[1]


def test_a_closed_period_takes_no_journal_and_no_approval(desk: Desk) -> None:
    waiting = desk.post("journalEntry", journal(("1010", "5"), ("1130", "-5"), approved=False))
    desk.people.period({"state": "closed"})
    body = journal(("1010", "5"), ("1130", "-5"))
    assert "Period is closed" in desk.refused("POST", "journalEntry", body)[1]
    assert "Period is closed" in desk.refused("PATCH", f"journalEntry/{waiting}", {"approved": True})[1]
    desk.people.period({"state": "open"})


def test_a_payout_of_many_lines_is_one_entry(desk: Desk) -> None:
    legs = [("1130", "-1.01")] * 500 + [("1010", "505.00")]
    made = desk.post("journalEntry", journal(*legs))
    assert ledger(desk, made) == {"1010": 505, "1130": -505}


def test_the_catalogue_describes_money_records_by_the_accounts_features() -> None:
    plain, full = Desk(oneworld=False), Desk()
    for record in (
        "customerDeposit", "depositApplication", "customerPayment", "invoice", "creditMemo", "customerRefund",
        "cashRefund", "journalEntry",
    ):  # fmt: skip
        assert "subsidiary" in full.books.api.of(record).definition.fields.properties
        properties = plain.books.api.of(record).definition.fields.properties
        assert "subsidiary" not in properties
        assert "custbody_bc_order_id" in properties
    body = journal(("1010", "5"), ("1130", "-5"), subsidiary=None)
    assert ledger(plain, plain.post("journalEntry", body)) == {"1010": 5, "1130": -5}
