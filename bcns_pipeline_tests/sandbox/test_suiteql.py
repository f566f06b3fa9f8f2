"""SuiteQL as the sandbox takes and refuses it.

Put the dialect, the pages and the form of rows here. Do not put what stands in the tables here
(test_world.py).
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.sandbox.conftest import Suiteql

KEYSET = """
SELECT i.id, NVL(a.location, 0) AS location_id, a.quantityavailable AS available
FROM item i LEFT JOIN aggregateitemlocation a ON a.item = i.id AND a.location IN (1, 6)
WHERE i.isinactive = 'F' AND (i.id > ? OR (i.id = ? AND a.location > ?)) AND i.id < ?
ORDER BY i.id ASC, a.location ASC
"""


def detail(answer: httpx.Response) -> str:
    """The text of a refusal, whose form is checked on the way."""
    assert answer.status_code == 400
    body = answer.json()
    assert body["status"] == 400
    error = body["o:errorDetails"][0]
    assert error["o:errorCode"] == "INVALID_PARAMETER"
    return str(error["detail"])


def test_values_are_text_nulls_are_left_out_and_each_row_has_links(suiteql: Suiteql) -> None:
    query = "SELECT i.id, i.itemid, i.isinactive, i.matrixtype, i.averagecost FROM item i WHERE i.id = ?"
    row = {"links": [], "id": "1001", "itemid": "SKU-000001", "isinactive": "F", "averagecost": "5.5"}
    assert suiteql(query, "1001").json()["items"] == [row]


def test_an_alias_of_another_case_comes_back_in_lower_case(suiteql: Suiteql) -> None:
    assert suiteql("SELECT id AS ItemNo FROM item WHERE id = 1001").json()["items"] == [
        {"links": [], "itemno": "1001"}
    ]


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("SELECT NVL(externalid, 'none') x FROM item WHERE id = 1001", {"x": "none"}),
        ("SELECT 'a' || externalid || 'b' x FROM item WHERE id = 1001", {"x": "ab"}),
        ("SELECT GREATEST(1, 3) g, LEAST(2, reorderpoint) l FROM item WHERE id = 1001", {"g": "3"}),
        ("SELECT DECODE(itemtype, 'InvtPart', 'I', 'x') d FROM item WHERE id = 1001", {"d": "I"}),
        ("SELECT COUNT(*) n FROM item WHERE id IN (1001, 1002)", {"n": "2"}),
        ("SELECT 10 / 4 q, 3 * 2 p FROM dual", {"q": "2.5", "p": "6"}),
        (
            "SELECT BUILTIN.DF(location) l FROM aggregateitemlocation WHERE item = 1001 AND location = 6",
            {"l": "Warehouse 2"},
        ),
        (
            "SELECT TO_CHAR(TO_DATE('2026-02-14', 'YYYY-MM-DD'), 'DD.MM.YYYY') t FROM dual",
            {"t": "14.02.2026"},
        ),
        ("SELECT TO_DATE('2026-02-14 15:00:00', 'YYYY-MM-DD HH24:MI:SS') t FROM dual", {"t": "2/14/2026"}),
        ("SELECT id FROM item WHERE id >= '1001' AND ROWNUM <= 1", {"id": "1001"}),
        ("SELECT id FROM item ORDER BY id ASC FETCH FIRST 1 ROWS ONLY", {"id": "1001"}),
        ("SELECT CASE WHEN id > 5 THEN 'T' ELSE 'F' END c FROM item WHERE id = 1001", {"c": "T"}),
    ],
)
def test_what_suiteql_can_say(suiteql: Suiteql, query: str, row: dict[str, str]) -> None:
    assert suiteql(query).json()["items"] == [{"links": [], **row}]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELECT b.quantitycommitted FROM inventorybalance b", "Unknown identifier 'b.quantitycommitted'"),
        (
            "SELECT lastmodifieddate FROM inventorybalance",
            "Available identifiers are: {inventorybalance=inventorybalance}",
        ),
        ("SELECT id FROM stock", "Invalid search type: stock."),
        ("SELECT id FROM item LIMIT 5", "LIMIT"),
        ("WITH a AS (SELECT id FROM item) SELECT id FROM a", "WITH"),
        ("SELECT id FROM item WHERE lastmodifieddate > DATE '2026-01-01'", "Date literals"),
        ("SELECT id FROM item WHERE lastmodifieddate > '2026-01-01'", "Invalid date: '2026-01-01'"),
        ("SELECT id FROM item WHERE id = 'many'", "Invalid number: 'many'"),
        ("SELECT id FROM item WHERE id IN (" + ", ".join(["1"] * 1001) + ")", "1000"),
        ("SELECT JSON_VALUE(itemid, 'x') FROM item", "Unknown function"),
        ("SELECT id FROM item WHERE id = :p", "?"),
        ("SELECT id FROM item a, item a", "used twice"),
        ("SELECT id FROM item a JOIN location b ON a.location = b.id", "Ambiguous"),
        ("DELETE FROM item", "Invalid or unsupported search"),
        ("SELECT id FROM item; SELECT id FROM item", "Invalid or unsupported search"),
        ("SELECT id FROM", "Invalid or unsupported search"),
        ("SELECT read_csv('/etc/passwd') FROM dual", "Unknown function"),
        (
            "SELECT TO_CHAR(TO_DATE('2026-01-01 14:00:00', 'YYYY-MM-DD HH:MI:SS'), 'YYYY') x FROM dual",
            "Search error",
        ),
    ],
)
def test_what_is_refused_and_in_which_words(suiteql: Suiteql, query: str, text: str) -> None:
    said = detail(suiteql(query))
    assert said.startswith("Invalid search query. Detailed unprocessed description follows.")
    assert text in said


def test_a_keyset_walk_sees_every_row_once_and_counts_what_is_left(suiteql: Suiteql) -> None:
    everything = suiteql(KEYSET, "0", "0", "0", "999999").json()
    assert everything["hasMore"] is False
    walked: list[dict[str, Any]] = []
    key = ("0", "0", "0")
    while True:
        page = suiteql(KEYSET, *key, "999999", limit=37).json()
        assert page["totalResults"] == everything["totalResults"] - len(walked)
        assert page["count"] == len(page["items"])
        walked += page["items"]
        if not page["hasMore"]:
            break
        last = page["items"][-1]
        key = (last["id"], last["id"], last["location_id"])
    assert walked == everything["items"]


def test_offset_pages_join_to_the_whole(suiteql: Suiteql) -> None:
    query = "SELECT id FROM item WHERE id > ? ORDER BY id ASC"
    whole = suiteql(query, "1010").json()["items"]
    pages = [suiteql(query, "1010", limit=50, offset=n).json() for n in range(0, len(whole) + 50, 50)]
    assert [row for page in pages for row in page["items"]] == whole
    assert {page["totalResults"] for page in pages} == {len(whole)}


def test_a_page_after_a_change_shows_the_change_and_its_time(suiteql: Suiteql, sandbox: Sandbox) -> None:
    query = """SELECT item, location, quantityavailable q FROM aggregateitemlocation
        WHERE lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')
        ORDER BY item ASC, location ASC"""
    now = suiteql("SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') AS now FROM dual").json()["items"][0][
        "now"
    ]
    sandbox.control.adjust(sku="SKU-000004", location=6, on_hand=12.5, committed=0)
    rows = suiteql(query, now).json()["items"]
    assert {"links": [], "item": "1004", "location": "6", "q": "12.5"} in rows
    before = len(rows)
    sandbox.control.post_order(sku="SKU-000005", quantity=1, location=1)
    rows = suiteql(query, now).json()["items"]
    assert len(rows) == before + 1, "a commitment moves lastquantityavailablechange too"


@pytest.mark.parametrize(
    ("limit", "offset"), [(1001, 0), (0, 0), (10, 5), (1000, 100_000), (10, 10_000)], ids=str
)
def test_pages_out_of_bounds_are_refused(suiteql: Suiteql, limit: int, offset: int) -> None:
    assert suiteql("SELECT id FROM item ORDER BY id ASC", limit=limit, offset=offset).status_code == 400


def test_prefer_transient_is_mandatory(netsuite: httpx.Client) -> None:
    netsuite.headers.pop("Prefer")
    answer = netsuite.post("/services/rest/query/v1/suiteql", json={"q": "SELECT id FROM item"})
    assert answer.status_code == 400
    assert "Prefer" in answer.text


@pytest.mark.parametrize("params", [[], ["1", "2"]])
def test_the_number_of_parameters_must_fit(netsuite: httpx.Client, params: list[str]) -> None:
    body = {"q": "SELECT id FROM item WHERE id = ?", "params": params}
    assert netsuite.post("/services/rest/query/v1/suiteql", json=body).status_code == 400


def test_a_role_without_permission_does_not_see_the_table(suiteql: Suiteql, sandbox: Sandbox) -> None:
    sandbox.control.role(hidden_tables=["inventorybalance"])
    assert "Record 'inventorybalance' was not found" in detail(suiteql("SELECT item FROM inventorybalance"))


def test_committed_per_location_is_repeated_on_every_bin(suiteql: Suiteql) -> None:
    query = """SELECT l.item, COUNT(*) bins, SUM(b.committedqtyperlocation) repeated,
        MAX(l.quantitycommitted) once,
        SUM(b.quantityonhand) onhand, MAX(l.quantityonhand) whole
        FROM inventorybalance b JOIN aggregateitemlocation l ON l.item = b.item AND l.location = b.location
        WHERE l.quantitycommitted > 0 GROUP BY l.item, l.location ORDER BY l.item ASC"""
    rows = suiteql(query).json()["items"]
    assert any(row["bins"] == "2" and float(row["repeated"]) == 2 * float(row["once"]) for row in rows)
    assert all(float(row["onhand"]) == float(row["whole"]) for row in rows)
