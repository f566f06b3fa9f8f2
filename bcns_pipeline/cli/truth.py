"""What the shop should show, worked out from the sandbox's own books without a line of the pipeline's code.

Put here the comparison that the demo stands on. Do not import `rules` or `state` here: a mistake of theirs
would then confirm itself. It is slow and plain on purpose.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STOCKED = ("InvtPart", "Assembly")
KITS = ("Kit", "Group")


@dataclass(frozen=True, slots=True)
class Line:
    """One SKU at one BigCommerce location: what NetSuite makes sellable, and what the shop shows."""

    sku: str
    location: int
    should: int
    shows: int


def compare(
    books: Mapping[str, Any], shop: Iterable[Mapping[str, Any]], routes: Iterable[Mapping[str, int]]
) -> list[Line]:
    """Every line that both sides have under a SKU of its own, by the rule `available`, kits by their members.

    `books` and `shop` are what the sandbox's control endpoint tells of itself; `routes` go one to one.
    """
    available: dict[tuple[int, int], float] = defaultdict(float)
    for level in books["levels"]:
        available[level["item"], level["location"]] = level["available"] or 0.0
    needs: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for member in books["members"]:
        needs[member["kit"]].append((member["item"], member["quantity"]))
    sold = [
        item
        for item in books["items"]
        if item["type"] in (*STOCKED, *KITS) and item["matrix"] != "PARENT" and not item["inactive"]
    ]
    used = Counter(item["sku"].lower() for item in sold)
    items = {item["sku"].lower(): item for item in sold if used[item["sku"].lower()] == 1}
    lines = []
    for row in shop:
        item = items.get(row["sku"].lower())
        if item is None:
            continue
        for route in routes:
            place = route["netsuite"]
            if item["type"] in KITS:
                should = min(
                    (
                        math.floor(max(available[member, place], 0) / need)
                        for member, need in needs[item["item"]]
                    ),
                    default=0,
                )
            else:
                should = max(0, math.floor(available[item["item"], place]))
            shows = row["on_hand"][str(route["bigcommerce"])]
            lines.append(Line(item["sku"], route["bigcommerce"], should, shows))
    return lines
