"""Long IN lists and the joins that order flows ask for, as the sandbox takes them.

Put lists and joins here. Do not put the dialect's refusals here (test_suiteql.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bcns_pipeline.sandbox.netsuite.errors import SuiteQLError
from bcns_pipeline.sandbox.netsuite.lists import shorten
from bcns_pipeline_tests.sandbox.desk import Desk, line

NINE = ", ".join(str(n) for n in range(1001, 1010))
MARKS = ", ".join("?" * 9)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One account with three orders."""
    desk = Desk(tax_engine="none")
    for number in range(3):
        desk.order(line(1001 + number, 2, 5), externalId=f"bc-list-{number}")
    return desk


def test_texts_that_differ_in_their_numbers_only_are_one_text() -> None:
    one = shorten(f"SELECT id FROM item WHERE id IN ({NINE}) AND id > ?")
    other = shorten("SELECT id FROM item WHERE id IN (" + ",".join("12345678") + ") AND id > ?")
    assert one.text == other.text
    assert one.numbers != other.numbers
    assert one.expand(one.text) == f"SELECT id FROM item WHERE id IN ({NINE}) AND id > ?"


def test_a_list_of_parameters_is_one_parameter_at_its_place() -> None:
    short = shorten(f"SELECT '?, IN ({NINE})' x FROM item WHERE id > ? AND id IN ({MARKS}) AND id IN (?, ?)")
    assert short.sizes == {1: 9}
    assert short.text == f"SELECT '?, IN ({NINE})' x FROM item WHERE id > ? AND id IN (?) AND id IN (?, ?)"
    assert short.expand("$p1 $p10 $p11").startswith("$p1_0, $p1_1")
    assert short.expand("$p10") == "$p10"


@pytest.mark.parametrize("listed", ["1", "?"])
def test_a_list_of_more_than_a_thousand_is_refused(listed: str) -> None:
    shorten(f"SELECT id FROM item WHERE id IN ({', '.join([listed] * 1000)})")
    with pytest.raises(SuiteQLError, match="The maximum number of arguments of IN is 1000"):
        shorten(f"SELECT id FROM item WHERE id IN ({', '.join([listed] * 1001)})")


@pytest.mark.parametrize(
    ("query", "params", "found"),
    [
        (f"SELECT id FROM item WHERE id IN ({NINE}) ORDER BY id ASC", [], 9),
        (
            f"SELECT id FROM item WHERE id IN ({MARKS}) AND id > ? ORDER BY id ASC",
            [*range(1001, 1010), 1004],
            5,
        ),
        (f"SELECT id FROM item WHERE id > ? AND id IN ({NINE}) ORDER BY id ASC", [1008], 1),
        (f"SELECT id FROM item WHERE id NOT IN ({NINE}) AND id < ? ORDER BY id ASC", [1012], 2),
        (
            f"SELECT id FROM transaction WHERE externalid IN ({MARKS}) ORDER BY id ASC",
            ["bc-list-0", "bc-list-2", *"abcdefg"],
            2,
        ),
        (
            f"SELECT COUNT(*) n FROM item WHERE id IN ({MARKS}) GROUP BY isinactive",
            list(range(1001, 1010)),
            1,
        ),
    ],
)
def test_long_lists_find_what_they_name(desk: Desk, query: str, params: Sequence[object], found: int) -> None:
    assert len(desk.sql(query, *map(str, params))) == found
    again = desk.sql(query.replace(str(1009), str(1010)), *map(str, params))
    assert len(again) <= max(found, 9), "the kept translation takes another list"


def test_pages_of_a_long_list_join_to_the_whole(desk: Desk) -> None:
    marks = ", ".join("?" * 20)
    query = f"SELECT id FROM item WHERE id IN ({marks}) AND id > ? ORDER BY id ASC"
    ids = [str(n) for n in range(1001, 1021)]
    engine = desk.merchant.netsuite.engine
    seen, last = 0, "0"
    while True:
        page = engine.page(query, [*ids, last], 7, 0)
        assert page.total == 20 - seen
        seen += page.count
        if seen == 20:
            break
        last = str(1000 + seen)


def test_the_number_of_parameters_is_counted_through_lists(desk: Desk) -> None:
    with pytest.raises(SuiteQLError, match="9 parameters needed, 2 given"):
        desk.merchant.netsuite.engine.page(f"SELECT id FROM item WHERE id IN ({MARKS})", ["1", "2"], 10, 0)


def test_sums_over_lines_beside_their_header(desk: Desk) -> None:
    rows = desk.sql(
        """SELECT t.id, t.foreigntotal f, SUM(CASE WHEN tl.taxline = 'T' THEN 1 ELSE 0 END) taxes,
                  SUM(NVL(tl.foreignamount, 0)) a, TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD') d
           FROM transaction t JOIN transactionline tl ON tl.transaction = t.id
           LEFT JOIN item i ON i.id = tl.item
           WHERE t.externalid LIKE ? AND tl.mainline = 'F' AND NVL(tl.iscogs, 'F') = 'F'
           GROUP BY t.id, t.foreigntotal, TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD') ORDER BY t.id ASC""",
        "bc-list-%",
    )
    assert [(row["f"], row["a"], row["taxes"]) for row in rows] == [("10", "-10", "0")] * 3
