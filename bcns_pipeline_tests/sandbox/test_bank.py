"""The sandbox's bank: payouts arrive, planted faults show, and each format's own checks hold.

Put what the bank books and what stands in a statement here. Our own readers meet the files in
bcns_pipeline_tests/clients.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bcns_pipeline.sandbox.launch import SandboxFailed
from bcns_pipeline_tests.sandbox.till import Till

# A Tuesday long after the clock's today, so that what was sold has come in by then.
TUESDAY = date(2031, 3, 4)
CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.02}"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Till:
    return Till(tmp_path_factory.mktemp("till"))


@pytest.fixture
def till(shared: Till) -> Till:
    """The shared till, nothing sold and nothing booked."""
    shared.merchant.seed(shared.merchant.options)
    return shared


def paid(till: Till, day: date = TUESDAY) -> dict[str, Any]:
    """A payout of one order that arrives on a day."""
    till.shop_order(restock=True)
    (made,) = till.payout_day("stripe", arrives=(day - till.merchant.treasury.today()).days)
    return dict(made)


def lines(till: Till, until: date, **body: Any) -> list[dict[str, str]]:
    """The dollar statement as a table."""
    paths = till.bank_statement("csv", on=until.isoformat(), currency="USD", **body)
    return list(csv.DictReader(io.StringIO(Path(paths[0]).read_text())))


def test_a_payout_arrives_once_on_its_day_with_its_trace(till: Till) -> None:
    made = paid(till)
    assert lines(till, TUESDAY - timedelta(days=1)) == []
    (row,) = lines(till, TUESDAY)
    assert D(row["amount"]) == D(made["amount"])
    assert (row["booked_on"], row["references"]) == (TUESDAY.isoformat(), made["trace"])
    assert made["trace"] in row["description"]
    assert lines(till, TUESDAY + timedelta(days=1)) == []
    assert len(lines(till, TUESDAY, since=TUESDAY.isoformat())) == 1


def test_what_arrives_on_a_saturday_is_booked_on_monday(till: Till) -> None:
    paid(till, TUESDAY + timedelta(days=4))
    assert lines(till, TUESDAY + timedelta(days=4)) == []
    (row,) = lines(till, TUESDAY + timedelta(days=6))
    assert date.fromisoformat(row["booked_on"]).weekday() == 0


def test_planted_faults_show_in_the_statement_and_nowhere_else(till: Till) -> None:
    missing, off, returned, one, two, late, good = (paid(till) for _ in range(7))
    till.bank_fault(missing["id"], "missing")
    till.bank_fault(off["id"], "off", by="-0.01")
    till.bank_fault(returned["id"], "returned")
    till.bank_fault(one["id"], "joined", **{"with": two["id"]})
    till.bank_fault(late["id"], "late", days=2)
    till.bank_entry("-1200.00", on=TUESDAY.isoformat())
    found = lines(till, TUESDAY + timedelta(days=1))
    amounts = sorted(D(row["amount"]) for row in found)
    assert amounts == sorted(
        [
            D("-1200.00"),
            D(off["amount"]) - D("0.01"),
            D(returned["amount"]),
            -D(returned["amount"]),
            D(one["amount"]) + D(two["amount"]),
            D(good["amount"]),
        ]
    )
    assert [D(row["amount"]) for row in found if row["returned"] == "yes"] == [-D(returned["amount"])]
    assert [D(r["amount"]) for r in lines(till, TUESDAY + timedelta(days=2))] == [D(late["amount"])]
    api = till.get(f"/v1/payouts/{off['id']}")
    assert D(api["amount"]) / 100 == D(off["amount"])
    with pytest.raises(SandboxFailed, match="booked already"):
        till.bank_fault(good["id"], "missing")


def test_failed_payouts_go_back_and_those_without_money_never_come(till: Till) -> None:
    failed, canceled = paid(till), paid(till)
    till.fail_payout(canceled["id"], canceled=True)
    till.fail_payout(failed["id"])
    till.move("reserve_hold", "all")
    till.payout_day("stripe", arrives=(TUESDAY - till.merchant.treasury.today()).days)
    found = lines(till, TUESDAY + timedelta(days=1))
    assert [D(row["amount"]) for row in found] == [D(failed["amount"]), -D(failed["amount"])]


def test_a_providers_wrong_total_is_not_what_it_sends(till: Till) -> None:
    made = paid(till)
    till.change_payout(made["id"], off_by="1.00")
    assert [D(row["amount"]) for row in lines(till, TUESDAY)] == [D(made["amount"])]


@pytest.fixture
def busy(till: Till) -> Till:
    """Three payouts, one of them returned, one negative."""
    first = paid(till)
    till.bank_fault(paid(till)["id"], "returned")
    order = int(till.payouts_state(first["id"], lines=True)[0]["lines"][0]["order_id"])
    till.refund_order(order)
    till.payout_day("stripe", arrives=(TUESDAY - till.merchant.treasury.today()).days)
    return till


def truth(till: Till) -> list[D]:
    return [D(one["amount"]) for one in till.bank_entries()]


def test_camt_says_its_balances(busy: Till) -> None:
    (path,) = busy.bank_statement("camt", on=(TUESDAY + timedelta(days=1)).isoformat())
    statement = ElementTree.parse(path).getroot()[0].find(f"{CAMT}Stmt")
    assert statement is not None

    def signed(node: ElementTree.Element) -> D:
        amount = D(node.findtext(f"{CAMT}Amt") or "")
        return amount if node.findtext(f"{CAMT}CdtDbtInd") == "CRDT" else -amount

    opening, closing = (signed(one) for one in statement.findall(f"{CAMT}Bal"))
    entries = statement.findall(f"{CAMT}Ntry")
    assert sorted(map(signed, entries)) == sorted(truth(busy))
    assert opening + sum(map(signed, entries)) == closing
    (back,) = [one for one in entries if one.findtext(f"{CAMT}RvslInd") == "true"]
    assert signed(back) < 0


def test_mt940_says_its_balances(busy: Till) -> None:
    (path,) = busy.bank_statement("mt940", on=(TUESDAY + timedelta(days=1)).isoformat())
    text = Path(path).read_text()
    sides = {"C": 1, "D": -1, "RC": -1, "RD": 1}
    rows = re.findall(r"^:61:\d{10}(RC|RD|C|D)(\d+,\d*)NTRF", text, re.MULTILINE)
    amounts = [sides[side] * D(amount.replace(",", ".")) for side, amount in rows]
    balances = re.findall(r"^:6[02]F:([CD])\d{6}USD(\d+,\d+)", text, re.MULTILINE)
    opening, closing = (sides[side] * D(amount.replace(",", ".")) for side, amount in balances)
    assert sorted(amounts) == sorted(truth(busy))
    assert opening + sum(amounts) == closing
    assert [side for side, _ in rows if side.startswith("R")] == ["RC"]


def test_bai2_counts_itself(busy: Till) -> None:
    (path,) = busy.bank_statement("bai2", on=(TUESDAY + timedelta(days=1)).isoformat())
    records = [line.rstrip("/").split(",") for line in Path(path).read_text().splitlines()]
    assert [records[0][0], records[-1][0]] == ["01", "99"]
    assert int(records[-1][3]) == len(records)
    groups = [row for row in records if row[0] == "98"]
    assert int(records[-1][1]) == sum(int(row[1]) for row in groups)
    assert int(records[-1][2]) == len(groups) == 2
    moved = {"142": 1, "455": -1, "557": -1, "257": 1}
    amounts = [moved[row[1]] * D(row[2]) / 100 for row in records if row[0] == "16"]
    assert sorted(amounts) == sorted(truth(busy))
    accounts = [row for row in records if row[0] == "03"]
    assert D(accounts[0][4]) / 100 + sum(amounts) == D(accounts[-1][8]) / 100
    assert accounts[0][8] == accounts[1][4]


def test_a_statement_can_be_spoiled(till: Till) -> None:
    paid(till)
    day = {"on": TUESDAY.isoformat(), "since": TUESDAY.isoformat()}
    once, again = till.bank_statement("mt940", fault="doubled", **day)
    assert Path(once).read_bytes() == Path(again).read_bytes()
    (cut,) = till.bank_statement("camt", fault="truncated", **day)
    with pytest.raises(ElementTree.ParseError):
        ElementTree.parse(cut)
    (other,) = till.bank_statement("csv", fault="encoding", **day)
    with pytest.raises(UnicodeDecodeError):
        Path(other).read_text("utf-8")
    with pytest.raises(SandboxFailed, match="A statement is"):
        till.bank_statement("pdf", **day)
