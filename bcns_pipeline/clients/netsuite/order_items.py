"""Items as order lines need them: by SKU or internal id, with what decides whether they can be sold.

Put the look-up of items for orders here. Stock and kits are in `inventory.py` and `items.py`. Whether an item
may stand on an order is decided by the rules. Facts: facts/netsuite.md 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.levels import leaf
from bcns_pipeline.clients.netsuite.models import ItemRow, Row
from bcns_pipeline.clients.netsuite.reading import by_id, marks, pairs_of, pieces_of
from bcns_pipeline.clients.netsuite.records import Records
from bcns_pipeline.clients.netsuite.suiteql import readable

# LIKE and LOWER can't use an index, so few SKUs go into one such query, and only those that are missing.
_MOST_LIKES: Final = 50


class OrderItems:
    """Items of one account. Thread-safe. Reads raise OutsideError."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def for_orders(
        self,
        ids: Iterable[int] = (),
        skus: Iterable[str] = (),
        sku_field: str = "itemid",
        *,
        oneworld: bool = False,
    ) -> list[ItemRow]:
        """Items with one of these ids or SKUs, whatever their state; several where a SKU is not unique.

        One query for up to 500 of each. SKUs that it did not find are looked for once more in any case, and as
        matrix children, whose `itemid` may be "Parent : Child".
        """
        wanted = [one for one in dict.fromkeys(skus) if one]
        found: dict[int, ItemRow] = {}
        numbers = (str(int(one)) for one in ids)
        column = sql.identifier(sku_field)
        for some, named in pairs_of(numbers, wanted):
            conditions = []
            if some:
                conditions.append(f"i.id IN ({', '.join(some)})")
            if named:
                conditions.append(f"i.{column} IN ({marks(named)})")
            found.update(self._read(" OR ".join(conditions), named, column, oneworld=oneworld))
        known = {_folded(row.sku) for row in found.values()}
        missing = (_folded(one) for one in wanted if _folded(one) not in known)
        for named in pieces_of(missing, _MOST_LIKES):
            conditions, params = [f"LOWER(i.{column}) IN ({marks(named)})"], list(named)
            if column == "itemid":
                conditions += [f"LOWER(i.{column}) LIKE ?"] * len(named)
                params += [f"% : {one}" for one in named]
            rows = self._read(" OR ".join(conditions), params, column, oneworld=oneworld)
            # LIKE takes % and _ of a SKU for wildcards: what only looks alike is left out.
            found.update((number, row) for number, row in rows if _folded(row.sku) in named)
        return list(found.values())

    def _read(
        self, where: str, params: Sequence[str], column: str, *, oneworld: bool
    ) -> Iterator[tuple[int, ItemRow]]:
        subsidiary = "i.subsidiary, " if oneworld else ""
        text = sql.fill("order_items", sku=column, subsidiary=subsidiary, where=where)
        for page in by_id(self._records.query, text, params):
            with readable():
                rows = [_item(row) for row in page.rows]
            yield from ((row.id, row) for row in rows)


def _item(row: Row) -> ItemRow:
    return ItemRow(
        id=int(row["id"]),
        sku=leaf(row.get("sku")),
        type=row.get("item_type", ""),
        matrix=row.get("matrix_type", ""),
        inactive=row.get("is_inactive") == "T",
        subsidiaries=tuple(int(one) for one in row.get("subsidiary", "").split(",") if one.strip()),
    )


def _folded(sku: str) -> str:
    return sku.strip().lower()
