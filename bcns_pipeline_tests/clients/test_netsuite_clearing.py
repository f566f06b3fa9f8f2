"""What an account of the ledger holds as the client reads it: by currency, what waits apart, and whose it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble
from bcns_pipeline_tests.clients.test_netsuite_journals import LEDGER, journal

DAY = date(2026, 3, 31)
CLEARING = 100


@pytest.fixture
def books(double: NetSuiteDouble) -> NetSuiteDouble:
    """Ours of 97.10, one by hand of -5.00 that waits, one of another store in April, and each in two books."""
    double.db.executescript(LEDGER + "ALTER TABLE transactionaccountingline ADD COLUMN posting TEXT;")
    journal(double, 7, "97.10", "-97.10", books=2)
    who = {"createdby": 17, "createddate": "2026-04-02 08:00:00", "lastmodifiedby": 42}
    journal(double, 8, "-5.00", "5.00", books=2, externalid=None, trandate="2026-03-31", **who)
    journal(double, 9, "-1.00", "1.00", externalid="bc-other-deposit-1-1", trandate="2026-04-01")
    journal(double, 10, "3.00", "-3.00", externalid="bc-mine-refund-1")
    double.db.executescript(
        "UPDATE transactionaccountingline SET posting = CASE WHEN \"transaction\" = 8 THEN 'F' ELSE 'T' END;"
    )
    return double


@pytest.mark.parametrize("oneworld", [False, True])
def test_a_balance_is_of_one_book_as_of_a_day_and_what_waits_stands_apart(
    client: NetSuiteClient, books: NetSuiteDouble, *, oneworld: bool
) -> None:
    rows = client.clearing.balances([CLEARING], DAY, "mine", oneworld=oneworld)
    found = {row.posting: (row.account, row.currency, row.subsidiary, row.base, row.foreign) for row in rows}
    subsidiary = 2 if oneworld else None
    assert found == {
        True: (CLEARING, 1, subsidiary, Decimal("100.1"), Decimal("100.1")),
        False: (CLEARING, 1, subsidiary, Decimal(-5), Decimal(-5)),
    }
    # Of it what our refunds did; another store's are not ours.
    assert {row.posting: (row.back_base, row.back_foreign) for row in rows} == {True: (3, 3), False: (0, 0)}
    (posted, _) = sorted(client.clearing.balances([CLEARING], DAY, "other"), key=lambda row: not row.posting)
    assert (posted.back_base, posted.back_foreign) == (0, 0)


def test_what_has_no_key_of_ours_is_told_from_what_has_one_over_several_pages(
    client: NetSuiteClient, books: NetSuiteDouble
) -> None:
    books.page_rows = 1
    (by_hand,) = client.clearing.others([CLEARING], DAY, "mine")
    assert (by_hand.id, by_hand.number, by_hand.type, by_hand.day) == (8, "JE8", "Journal", DAY)
    assert (by_hand.posting, by_hand.base) == (False, Decimal(-5))
    assert [row.id for row in client.clearing.keyed([CLEARING], DAY, "mine")] == [7, 10]
    # Another store's records are not ours, and a later day is not asked about.
    assert [row.id for row in client.clearing.others([CLEARING], date(2026, 4, 1), "mine")] == [8, 9]


def test_who_wrote_it_is_told_by_id_and_by_nobody_where_the_role_does_not_see_it(
    client: NetSuiteClient, books: NetSuiteDouble
) -> None:
    (by_hand,) = client.clearing.others([CLEARING], DAY, "mine")
    times = {"created_at": "2026-04-02 08:00:00", "modified_at": "2026-03-05 09:00:00"}
    assert by_hand.touched.known == {"created_by": 17, "modified_by": 42, **times}
    entry = client.journals.by_id([8])[8]
    assert entry.touched == by_hand.touched
    for column in ("createdby", "lastmodifiedby"):
        books.drop('"transaction"', column)
    (by_hand,) = client.clearing.others([CLEARING], DAY, "mine")
    assert by_hand.touched.known == client.journals.by_id([8])[8].touched.known == times
    asked = len(books.queries)
    client.clearing.others([CLEARING], DAY, "mine")
    # What is missing is remembered.
    assert len(books.queries) == asked + 1
