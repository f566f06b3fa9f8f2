"""Reads what items are: the members of kits and groups, items whose record changed, and what items cost.

Put reads of the item record here that stock depends on. Quantities in stock are in `inventory.py`; what a kit
can be sold for is worked out by `rules/inventory`. Facts: facts/netsuite.md 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.inventory import AGGREGATE, HasQuery
from bcns_pipeline.clients.netsuite.levels import START, leaf
from bcns_pipeline.clients.netsuite.models import ChangedItem, MembersPage, Page, Row
from bcns_pipeline.clients.netsuite.reading import amount
from bcns_pipeline.clients.netsuite.suiteql import readable
from bcns_pipeline.outcomes import Rejected


def read_members(
    client: HasQuery,
    changed_since: str | None = None,
    *,
    locations: Sequence[int] | None = None,
    sku_field: str = "itemid",
    source: str = AGGREGATE,
) -> Iterator[MembersPage]:
    """Members of active kits and groups, each (parent, member) once with its quantities summed.

    With `changed_since`, whole kits of which some member's availability moved in `locations`, as `source`
    tells it; all kits where `source` can't be read. Raises Rejected where the role may not read `itemmember`.
    """
    if changed_since is not None:
        at = sql.at_locations("c", locations, joined=False)
        only = "\n  AND " + sql.fill("members_changed", table=sql.identifier(source), c_locations=at)
        try:
            yield from _read_members(client, members_query(sku_field, only), [changed_since])
        except Rejected as error:
            if not sql.unknown_name(error) or "itemmember" in error.detail.lower():
                raise
        else:
            return
    yield from _read_members(client, members_query(sku_field), [])


def _read_members(client: HasQuery, text: str, since: Sequence[str]) -> Iterator[MembersPage]:
    def params(after: tuple[int, ...]) -> list[str | int]:
        return [*since, after[0], after[0], after[1]]

    pages = client.query.keyset(
        text, (START, START), params, lambda row: (int(row["parent_id"]), int(row["item_id"]))
    )
    for page in pages:
        with readable():
            found = _members(page)
        yield found


def members_query(sku_field: str = "itemid", only: str = "") -> str:
    """The text that `read_members` sends. Parameters: [since], after parent twice, after member."""
    return sql.fill("members", sku=sql.identifier(sku_field), only=only)


def _members(page: Page) -> MembersPage:
    rows = page.rows
    return MembersPage(
        body=page.body,
        parent_id=[int(row["parent_id"]) for row in rows],
        parent_sku=[leaf(row.get("parent_sku")) for row in rows],
        parent_type=[row.get("parent_type", "") for row in rows],
        item_id=[int(row["item_id"]) for row in rows],
        member_type=[row.get("member_type", "") for row in rows],
        member_inactive=[row.get("member_inactive") == "T" for row in rows],
        quantity=[row.get("quantity", "0") for row in rows],
    )


def read_changed_items(client: HasQuery, since: str, *, sku_field: str = "itemid") -> Iterator[ChangedItem]:
    """Items whose record changed since `since` (NetSuite's frame), with inactive ones and parents."""
    pages = client.query.keyset(
        sql.fill("changed_items", sku=sql.identifier(sku_field)),
        (START,),
        lambda after: [since, after[0]],
        lambda row: (int(row["item_id"]),),
    )
    for page in pages:
        with readable():
            found = [_changed_item(row) for row in page.rows]
        yield from found


def read_costs(client: HasQuery, item_ids: Sequence[int]) -> dict[int, Decimal]:
    """What a unit costs, by item: `averagecost`, else the purchase price `cost`; items without either are left out.

    In the currency that NetSuite holds the cost in ([unverified]: the base currency of the item's first
    subsidiary). Raises Rejected where the role may not read costs.
    """
    found: dict[int, Decimal] = {}
    for some in sql.pieces(item_ids):
        pages = client.query.keyset(
            sql.fill("costs", items=sql.numbers(some or ())),
            (START,),
            lambda after: [after[0]],
            lambda row: (int(row["item_id"]),),
        )
        for page in pages:
            with readable():
                for row in page.rows:
                    cost = amount(row, "average_cost") or amount(row, "cost")
                    if cost is not None:
                        found[int(row["item_id"])] = cost
    return found


def _changed_item(row: Row) -> ChangedItem:
    return ChangedItem(
        item_id=int(row["item_id"]),
        sku=leaf(row.get("sku")),
        item_type=row.get("item_type", ""),
        matrix_type=row.get("matrix_type"),
        inactive=row.get("is_inactive") == "T",
        modified_at=row.get("modified_at", ""),
    )
