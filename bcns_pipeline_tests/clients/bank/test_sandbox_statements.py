"""Our readers before the statements that the sandbox's bank drops, which share no code with them.

Put what both sides must agree on here. Do not put the readers' own rules here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.clients.bank.kinds import read_statements
from bcns_pipeline.clients.bank.models import BankLine
from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.rules.money import Money
from bcns_pipeline_tests.sandbox.till import Till

DAY = date(2031, 3, 4)
FORMATS = [("camt", "02"), ("camt", "08"), ("mt940", ""), ("bai2", ""), ("csv", "")]


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Till:
    """A good payout in dollars and one in yen, one that is returned, two that are joined, and the rent."""
    till = Till(tmp_path_factory.mktemp("till"))
    ids = []
    for kind in ("plain", "jpy", "plain", "plain", "plain"):
        till.shop_order(kind, restock=True)
        (made,) = till.payout_day("stripe", arrives=(DAY - till.merchant.treasury.today()).days)
        ids.append(made["id"])
    till.bank_fault(ids[2], "returned")
    till.bank_fault(ids[3], "joined", **{"with": ids[4]})
    till.bank_entry("-1200.00", on=DAY.isoformat())
    return till


def read(path: str) -> list[BankLine]:
    file = Path(path)
    document = Document("drop/bank", file.name, file.read_bytes(), datetime.now(UTC))
    return [line for statement in read_statements(document) for line in statement.lines]


@pytest.mark.parametrize(("form", "version"), FORMATS)
def test_every_entry_is_read_in_every_format(till: Till, form: str, version: str) -> None:
    body: dict[str, Any] = {
        "on": "2031-03-05",
        "since": "2031-03-03",
        **({"version": version} if version else {}),
    }
    found = [line for path in till.bank_statement(form, **body) for line in read(path)]
    entries = till.bank_entries()

    def shown(one: dict[str, Any]) -> tuple[str, int, str, bool]:
        money = Money.of(D(one["amount"]), one["currency"])
        return one["currency"], money.minor, one["booked_on"], one["returned"]

    assert sorted(
        (line.currency, line.amount, line.booked_on.isoformat(), line.returned) for line in found
    ) == sorted(map(shown, entries))
    known = {name for line in found for name in line.references}
    assert {one["reference"] for one in entries if one["reference"]} <= known
    words = " ".join(line.descriptor for line in found)
    assert "STRIPE TRANSFER" in words
    assert "LANDLORD" in words


def test_overlapping_statements_name_an_entry_alike(till: Till) -> None:
    for form, _ in FORMATS[2:]:
        short = till.bank_statement(form, on="2031-03-04", since="2031-03-04", currency="USD")
        long = till.bank_statement(form, on="2031-03-05", since="2031-03-03", currency="USD")
        assert {line.id for line in read(short[0])} < {line.id for line in read(long[0])}


@pytest.mark.parametrize("form", ["camt", "mt940", "bai2", "csv"])
def test_a_statement_that_is_cut_off_is_refused(till: Till, form: str) -> None:
    (path,) = till.bank_statement(
        form, on="2031-03-05", since="2031-03-03", currency="USD", fault="truncated"
    )
    with pytest.raises(BadFile) as refused:
        read(path)
    assert refused.value.file == Path(path).name
