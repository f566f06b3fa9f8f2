"""Stock reads against a NetSuite that really runs the SQL: complete, in parallel, from every source."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.fallback import MAIN, SIBLINGS
from bcns_pipeline.clients.netsuite.inventory import AGGREGATE, balanced_ranges, read_levels
from bcns_pipeline.clients.netsuite.items import read_changed_items, read_members
from bcns_pipeline.clients.netsuite.levels import END, Want, columns, levels_text, read_levels_page
from bcns_pipeline.clients.netsuite.models import LevelsPage
from bcns_pipeline.outcomes import OutsideError, Rejected
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble

SINCE = "2026-11-21 08:00:00"
LATER = "2026-11-21 08:30:00"


def read(client: NetSuiteClient, **given: Any) -> list[LevelsPage]:
    counter = itertools.count(1)
    settings: dict[str, Any] = {
        "locations": [1, 6],
        "draw_seq": lambda: next(counter),
        "parallel": 1,
        **given,
    }
    return list(read_levels(client, **settings))


def levels(client: NetSuiteClient, **given: Any) -> dict[tuple[str, int], str | None]:
    return {
        (sku, place): available
        for page in read(client, **given)
        for sku, place, available in zip(page.sku, page.location, page.terms["available"], strict=True)
    }


def shelf(double: NetSuiteDouble) -> None:
    """A catalogue with every kind of item that must and must not be read."""
    double.item(10, "PLAIN")
    double.item(11, "PARENT", matrixtype="PARENT")
    double.item(12, "PARENT : CHILD-S", matrixtype="CHILD")
    double.item(13, "BUILT", "Assembly")
    double.item(14, "OLD", isinactive="T")
    double.item(15, "KIT", "Kit")
    double.item(16, "HELP", "Service")
    double.item(17, "NEVER")
    double.item(18, "ELSEWHERE")
    for item in (10, 11, 12, 13, 14):
        double.stock(item, 1, item)
        double.stock(item, 6, "2.5")
    double.stock(10, 9, 100)
    double.stock(18, 9, 100)


def test_a_snapshot_holds_every_stocked_item_and_nothing_else(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    assert levels(client) == {
        ("PLAIN", 1): "10",
        ("PLAIN", 6): "2.5",
        ("CHILD-S", 1): "12",
        ("CHILD-S", 6): "2.5",
        ("BUILT", 1): "13",
        ("BUILT", 6): "2.5",
        ("NEVER", 0): "0",
        ("ELSEWHERE", 0): "0",
    }


def test_all_locations_are_read_when_none_is_named(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    shelf(double)
    found = levels(client, locations=None)
    assert found["PLAIN", 9] == "100"
    assert found["NEVER", 0] == "0"


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("parallel", [1, 3])
def test_every_row_comes_once_at_any_page_size_and_number_of_streams(
    double: NetSuiteDouble, client: NetSuiteClient, rows: int, parallel: int
) -> None:
    shelf(double)
    double.page_rows = rows
    pages = read(client, parallel=parallel)
    found = Counter(
        (sku, place) for page in pages for sku, place in zip(page.sku, page.location, strict=True)
    )
    assert set(found.values()) == {1}
    assert len(found) == 8


def test_every_request_draws_its_number_before_it_is_sent(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.page_rows = 3
    drawn: list[int] = []

    def draw() -> int:
        drawn.append(len(double.queries))
        return len(drawn)

    pages = read(client, draw_seq=draw)
    assert drawn == [0, 1, 2]
    assert [page.read_seq for page in pages] == [1, 2, 3]


def test_a_change_at_one_location_brings_all_locations_of_the_item(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.db.execute(
        "UPDATE aggregateitemlocation SET lastquantityavailablechange = ? WHERE item = 10 AND location = 6",
        [LATER],
    )
    assert levels(client, changed_since=SINCE) == {("PLAIN", 1): "10", ("PLAIN", 6): "2.5"}
    assert len(double.queries) == 1


@pytest.mark.parametrize("source", ["aggregateitemlocation", MAIN])
def test_a_reader_that_stops_at_any_page_goes_on_behind_it(
    double: NetSuiteDouble, client: NetSuiteClient, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """With `after` pages come in the order of items: what a page says is whole is never needed again."""
    monkeypatch.setattr(sql, "MAX_IN", 2)
    double.family(MAIN, *SIBLINGS)
    for item in range(1, 8):
        double.item(item, f"SKU-{item}")
        lot = source == MAIN and item % 2
        table = "lotnumberedinventoryitemlocations" if lot else source
        for place in (1, 6):
            double.stock(item, place, item, at=LATER, table=table)
    double.page_rows = 3
    asked = {"locations": [1, 6], "draw_seq": int, "source": source, "changed_since": SINCE}
    found, after, reads = set[tuple[int, int]](), 0, 0
    while True:
        stopped = False
        for page in read_levels(client, **asked, after=after):
            found |= set(zip(page.item_id, page.location, strict=True))
            if page.through > after:
                after, stopped = page.through, True
                break
        reads += 1
        if not stopped:
            break
        assert {(item, place) for item in range(1, after + 1) for place in (1, 6)} <= found
    assert found == {(item, place) for item in range(1, 8) for place in (1, 6)}
    assert reads > 3


def test_a_change_elsewhere_brings_nothing(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    shelf(double)
    double.stock(10, 7, 5, at=LATER)
    assert levels(client, changed_since=SINCE) == {}


def test_a_changed_member_brings_all_members_of_its_kits(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.insert("itemmember", {"parentitem": 15, "item": 10, "quantity": 4})
    double.insert("itemmember", {"parentitem": 15, "item": 13, "quantity": 2})
    double.db.execute(
        "UPDATE aggregateitemlocation SET lastquantityavailablechange = ? WHERE item = 10", [LATER]
    )
    assert {sku for sku, _ in levels(client, changed_since=SINCE)} == {"PLAIN", "BUILT"}
    assert {sku for sku, _ in levels(client, changed_since=SINCE, kits=False)} == {"PLAIN"}


def test_unreadable_kits_do_not_stop_the_reading_of_changes(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.drop("itemmember")
    double.db.execute(
        "UPDATE aggregateitemlocation SET lastquantityavailablechange = ? WHERE item = 10", [LATER]
    )
    pages = read(client, changed_since=SINCE)
    assert {page.source for page in pages} == {"aggregateitemlocation"}
    assert {sku for page in pages for sku in page.sku} == {"PLAIN"}


def test_single_items_can_be_read(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    shelf(double)
    assert set(levels(client, item_ids=[17, 10, 10, 14])) == {("NEVER", 0), ("PLAIN", 1), ("PLAIN", 6)}
    assert read(client, item_ids=[]) == []
    assert levels(client, item_ids=list(range(1200)))["PLAIN", 1] == "10"


def test_the_sku_may_live_in_another_field_and_can_not_carry_sql(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.item(1, "A", upccode="0123")
    assert levels(client, sku_field="upccode") == {("0123", 0): "0"}
    with pytest.raises(ValueError, match="not a column name"):
        read(client, sku_field="itemid FROM item --")


def test_a_column_that_the_account_lacks_costs_its_term_only(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.item(1, "A")
    double.stock(1, 1, 7)
    double.db.execute("ALTER TABLE aggregateitemlocation DROP COLUMN quantityintransit")
    (page,) = read(client)
    assert page.source == "aggregateitemlocation"
    assert page.terms["available"] == ["7"]
    assert page.terms["in_transit"] == [None]


def test_the_fallback_family_reads_each_item_from_its_own_table(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.drop("aggregateitemlocation")
    double.family(MAIN, *SIBLINGS)
    for n, name in ((1, "PLAIN"), (2, "LOT"), (3, "NEVER")):
        double.item(n, name)
    double.item(4, "BUILT", "Assembly")
    double.stock(1, 1, 5, table=MAIN)
    double.stock(2, 6, 6, table="lotnumberedinventoryitemlocations")
    double.stock(4, 1, 7, table="assemblyitemlocations")
    assert levels(client) == {("PLAIN", 1): "5", ("LOT", 6): "6", ("BUILT", 1): "7", ("NEVER", 0): "0"}
    for page in read(client):
        kept = columns(read_levels_page(page.body, 1000, 0), page.source)
        assert (kept.item_id, kept.location, kept.terms) == (page.item_id, page.location, page.terms)


def test_an_unreadable_sibling_leaves_items_unknown_instead_of_zero(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.drop("aggregateitemlocation")
    double.family(MAIN)
    double.item(1, "PLAIN")
    double.item(2, "LOT OR NEVER")
    double.stock(1, 1, 5, table=MAIN)
    assert levels(client) == {("PLAIN", 1): "5"}
    assert read(client)[-1].unreadable == SIBLINGS


def test_the_fallback_finds_changes_and_fellow_members(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.drop("aggregateitemlocation")
    double.family(MAIN, *SIBLINGS)
    for n, name in ((1, "A"), (2, "B"), (3, "C")):
        double.item(n, name)
    double.item(9, "KIT", "Kit")
    double.stock(1, 1, 5, table=MAIN)
    double.stock(2, 1, 6, table="lotnumberedinventoryitemlocations", at=LATER)
    double.stock(3, 1, 7, table=MAIN)
    for item in (1, 2):
        double.insert("itemmember", {"parentitem": 9, "item": item, "quantity": 1})
    assert set(levels(client, changed_since=SINCE)) == {("A", 1), ("B", 1)}


def test_an_account_without_locations_is_read_from_its_items(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    double.drop("aggregateitemlocation")
    double.item(1, "A", quantityavailable=5)
    assert levels(client, locations=None) == {("A", 1): "5"}
    assert levels(client, locations=[6], changed_since=SINCE) == {("A", 6): "5"}
    assert read(client, locations=None)[-1].terms["in_transit"] == [None]


def test_totals_of_items_never_stand_in_for_several_locations(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    """Nor for what may be several: a role without Lists > Locations sees neither stock by location nor their list."""
    double.drop("aggregateitemlocation")
    double.item(1, "A", quantityavailable=5)
    double.hidden = "location"
    with pytest.raises(Rejected, match=r"set inventory\.source: item"):
        read(client)
    assert levels(client, source="item") == {("A", 1): "5"}
    double.hidden = ""
    for n in (1, 2):
        double.insert("location", {"id": n, "name": f"L{n}", "isinactive": "F"})
    with pytest.raises(Rejected, match=r"Invalid search type.* let the role view locations"):
        read(client)
    double.drop("location")
    assert levels(client) == {("A", 1): "5"}


def test_a_failing_stream_fails_the_whole_read(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    for n in range(1, 200):
        double.item(n, f"S{n}")
    double.page_rows = 1
    pages = read_levels(client, locations=[1], draw_seq=lambda: 1, parallel=3)
    next(pages)
    # A page has been read: it is too late for another table.
    double.drop("aggregateitemlocation")
    with pytest.raises(OutsideError):
        list(pages)


def test_a_reader_that_stops_early_stops_the_streams(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    for n in range(1, 200):
        double.item(n, f"S{n}")
    double.page_rows = 1
    pages = read_levels(client, locations=[1], draw_seq=lambda: 1, parallel=4)
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    asked = len(double.queries)
    assert asked < 60
    assert len(double.queries) == asked


def test_ranges_cover_every_id_with_equal_numbers_of_known_ones() -> None:
    ranges = balanced_ranges([5, 6, 7, 8, 1000, 2000, 3000, 4000], 4)
    assert ranges == [(0, 7), (7, 1000), (1000, 3000), (3000, END)]
    assert balanced_ranges([], 4) == [(0, END)]
    assert balanced_ranges([3], 4) == [(0, 3), (3, END)]


def test_kit_members_are_summed_and_only_those_that_can_limit_a_kit(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.item(19, "GROUP", "Group")
    for parent, item, quantity in (
        (15, 10, 2),
        (15, 10, 2),
        (15, 13, 4),
        (15, 16, 1),
        (19, 14, 1),
        (14, 10, 1),
    ):
        double.insert("itemmember", {"parentitem": parent, "item": item, "quantity": quantity})
    double.page_rows = 1
    found = [
        (sku, item, quantity, gone)
        for page in read_members(client)
        for sku, item, quantity, gone in zip(
            page.parent_sku, page.item_id, page.quantity, page.member_inactive, strict=True
        )
    ]
    assert found == [("KIT", 10, "4", False), ("KIT", 13, "4", False), ("GROUP", 14, "1", True)]


def test_whole_kits_are_read_when_one_member_changed(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    shelf(double)
    double.item(19, "OTHER", "Kit")
    for parent, item in ((15, 10), (15, 13), (19, 12)):
        double.insert("itemmember", {"parentitem": parent, "item": item, "quantity": 1})
    double.db.execute(
        "UPDATE aggregateitemlocation SET lastquantityavailablechange = ? WHERE item = 13", [LATER]
    )
    (page,) = read_members(client, SINCE, locations=[1, 6])
    assert (page.parent_id, page.item_id) == ([15, 15], [10, 13])


def test_unreadable_members_are_said_so(double: NetSuiteDouble, client: NetSuiteClient) -> None:
    double.drop("itemmember")
    for since in (None, SINCE):
        with pytest.raises(Rejected, match="itemmember"):
            list(read_members(client, since))


def test_changed_items_tell_of_renames_and_deactivations(
    double: NetSuiteDouble, client: NetSuiteClient
) -> None:
    shelf(double)
    double.db.execute("UPDATE item SET lastmodifieddate = ?, isinactive = 'T' WHERE id = 12", [LATER])
    (item,) = read_changed_items(client, SINCE)
    assert (item.item_id, item.sku, item.inactive, item.matrix_type) == (12, "CHILD-S", True, "CHILD")


def test_the_query_stays_plain() -> None:
    text = levels_text(Want("itemid", [1, 6], int, SINCE), AGGREGATE)
    for word in ("WITH ", "UNION", "LIMIT", "BUILTIN", "GREATEST"):
        assert word not in text
    assert text.count("?") == 6
    assert text.endswith("ORDER BY i.id ASC, ail.location ASC")
