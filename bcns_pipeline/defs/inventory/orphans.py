"""Orphans: SKUs that only one side knows, and SKUs that are used twice.

Put here how the findings of the last reconciliation are kept and shown. What pairs with what is decided in
rules/identity, and the two catalogues are read in identify.py.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from bcns_pipeline.defs.inventory.extract import last_snapshot
from bcns_pipeline.defs.inventory.identify import live_frame
from bcns_pipeline.defs.inventory.planning import wanted_of
from bcns_pipeline.outcomes import Rejected
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.identity import Matched

CURSOR = "inventory.orphans"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Orphans:
    """Frames with columns sku, id, since (date first seen alone), units and value (stock at stake), most units first.

    `value` is units x what NetSuite says that a unit costs, as text with two decimals; "unknown" without a cost:
    where the role may not read it, and for what only BigCommerce has.
    """

    netsuite_only: pd.DataFrame
    bigcommerce_only: pd.DataFrame
    ambiguous: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The report in one line."""
        return (
            f"{len(self.netsuite_only):,} SKUs only in NetSuite, {len(self.bigcommerce_only):,} only in BigCommerce, "
            f"{len(self.ambiguous):,} used twice or blank"
        )


def keep_orphans(connections: Connections, matched: Matched) -> None:
    """Remember what a look at both catalogues could not pair, and since when each has been alone."""
    found = {
        "netsuite_only": _pairs(matched.netsuite_only, "item_id"),
        "bigcommerce_only": _pairs(matched.bigcommerce_only, "variant_id"),
        "ambiguous": [(one.sku, one.item_id) for one in matched.ambiguous],
    }
    state = connections.state
    before = {
        (side, row["sku"], row["id"]): row["since"]
        for side, rows in (state.cursors.get(CURSOR) or {}).items()
        for row in rows
    }
    today = datetime.now(UTC).date().isoformat()
    units = {
        "netsuite_only": _sellable_units(connections),
        "bigcommerce_only": _shop_units(connections, matched),
    }
    costs = _costs(connections, units["netsuite_only"], found["netsuite_only"])
    kept: dict[str, list[dict[str, Any]]] = {
        side: [
            {
                "sku": sku,
                "id": number,
                "since": before.get((side, sku, number), today),
                "units": units.get(side, {}).get(number, 0),
                "value": _value(units[side].get(number, 0), costs.get(number))
                if side == "netsuite_only"
                else UNKNOWN,
            }
            for sku, number in rows
        ]
        for side, rows in found.items()
    }
    state.cursors.move(CURSOR, kept)


def _pairs(frame: pd.DataFrame, number: str) -> list[tuple[str, int]]:
    return list(zip(frame["sku"].tolist(), frame[number].tolist(), strict=True))


def _shop_units(connections: Connections, matched: Matched) -> dict[int, int]:
    """Units that the store shows of a variant which nobody keeps up to date, by variant id: a call per few hundred."""
    alone = matched.bigcommerce_only
    alone = alone[alone["sku"] != ""]
    products = dict(zip(alone["sku"].tolist(), alone["product_id"].tolist(), strict=True))
    pages = [page.levels for page in connections.shop_stock().of_skus(products)]
    return live_frame(pages).groupby("variant_id")["on_hand"].sum().to_dict()


def _sellable_units(connections: Connections) -> dict[int, int]:
    """Sellable units by NetSuite item, as read in this run: what an item that nobody can buy is worth in stock."""
    wanted, _ = wanted_of(connections, last_snapshot(connections))
    return wanted.groupby("item_id")["sellable"].sum().to_dict()


def _costs(
    connections: Connections, units: dict[int, int], alone: list[tuple[str, int]]
) -> dict[int, Decimal]:
    """What a unit of each lonely item costs that has any; nothing where the role may not see costs."""
    items = [item for _, item in alone if units.get(item)]
    try:
        return connections.stock().costs(items) if items else {}
    except Rejected:
        return {}


def _value(units: int, cost: Decimal | None) -> str:
    """Two decimals whatever the currency has: a report, and nothing is booked from it."""
    if not units:
        return "0.00"
    return UNKNOWN if cost is None else str((units * cost).quantize(Decimal("0.01"), ROUND_HALF_UP))


def find_orphans(connections: Connections) -> Orphans:
    """The findings of the last reconciliation; empty frames before the first one."""
    kept = connections.state.cursors.get(CURSOR) or {}
    return Orphans(
        *(_frame(kept.get(side, [])) for side in ("netsuite_only", "bigcommerce_only", "ambiguous"))
    )


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["sku", "id", "since", "units", "value"])
    # What an earlier version remembered has no value yet.
    frame["value"] = frame["value"].fillna(UNKNOWN)
    return frame.sort_values(["units", "sku"], ascending=[False, True], ignore_index=True)
