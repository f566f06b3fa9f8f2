"""Kits and item groups: which stock limits them, and by how much of it.

Put the reading of the bill of members here: nested kits, doubled members, members that are gone. Do not sum
stock here (`sellable.py`). Kits have no stock of their own (facts/netsuite.md 5); an item that carries
stock itself is never treated as a kit, so assemblies count as stocked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bcns_pipeline.rules.inventory.quantities import QUANTITY_LIMIT, QUANTITY_SCALE, Scaled

_DEEPEST: Final = 8
NOT_READ: Final = "a member's stock was not read"
NO_QUANTITY: Final = "a member has no quantity above 0"
NO_STOCKED_MEMBER: Final = "no member carries stock"
NESTED_TOO_DEEP: Final = f"it is nested in itself, or deeper than {_DEEPEST} levels"


@dataclass(frozen=True, slots=True)
class Bill:
    """What kits are made of, ordered by kit: `need[row]` (scaled) of the stock in `row_of[row]`.

    `row_of` is a row of the item grid; one past its end is a member that is gone and of which there is
    nothing. `starts[n]` is the first row of `kit_id[n]`. `unresolved` says (kit, why) for kits that can't
    be computed.
    """

    kit_id: Scaled
    starts: Scaled
    member_id: Scaled
    row_of: Scaled
    need: Scaled
    unresolved: tuple[tuple[int, str], ...]


def bill_of(
    members: pd.DataFrame,
    items: Scaled,
    *,
    complete: bool,
    inactive: Iterable[int],
    unread: Iterable[int],
) -> Bill:
    """Resolve `members` (see `frames.members_frame`) against the ascending ids of the items that were read.

    A stocked member that was not read leaves its kit out, except where it is known to be gone: it is
    inactive, or `complete` says that every active item was read, but for those in `unread`.
    """
    own = _column(members, "parent_id")
    carries_stock = np.isin(own, items)
    rows = members[~carries_stock] if carries_stock.any() else members
    parent, item, need = (_column(rows, name) for name in ("parent_id", "item_id", "quantity"))
    stocked = _flag(rows, "stocked", default=True)
    gone = _flag(rows, "inactive", default=False) | np.isin(item, np.fromiter(inactive, np.int64))
    if np.isin(item, parent).any():
        parent, item, need, stocked, gone, why = _flatten(parent, item, need, stocked, gone)
    else:
        why = {}
    every_kit = np.unique(parent)
    unresolved: dict[int, str] = dict(why)
    _note(unresolved, parent[stocked & (need <= 0)], NO_QUANTITY)
    parent, item, need, gone = parent[stocked], item[stocked], need[stocked], gone[stocked]
    _note(unresolved, np.setdiff1d(every_kit, parent), NO_STOCKED_MEMBER)

    # One member on two lines of a kit is needed for both.
    order = np.lexsort((item, parent))
    parent, item, need, gone = parent[order], item[order], need[order], gone[order]
    first = np.ones(len(parent), dtype=np.bool_)
    first[1:] = (parent[1:] != parent[:-1]) | (item[1:] != item[:-1])
    at = np.flatnonzero(first)
    if len(at) < len(parent):
        need, gone = np.add.reduceat(need, at), np.logical_or.reduceat(gone, at)
        parent, item = parent[at], item[at]

    place = np.searchsorted(items, item)
    read = np.zeros(len(item), dtype=np.bool_)
    inside = place < len(items)
    read[inside] = items[place[inside]] == item[inside]
    row_of = np.where(read & ~gone, place, len(items))
    unknown = ~read & ~gone
    if complete:
        unknown &= np.isin(item, np.fromiter(unread, np.int64))
    _note(unresolved, parent[unknown], NOT_READ)
    if unresolved:
        keep = ~np.isin(parent, np.fromiter(unresolved, np.int64))
        parent, item, row_of, need = parent[keep], item[keep], row_of[keep], need[keep]
    kit_id, starts = np.unique(parent, return_index=True)
    return Bill(kit_id, starts, item, row_of, need, tuple(sorted(unresolved.items())))


def units_of_members(members: pd.DataFrame, kits: Scaled) -> tuple[Scaled, Scaled, Scaled]:
    """Which stocked members those of `kits` that are kits take, and how much of each (scaled): three columns.

    A member on two lines comes twice. Members without a readable quantity are left out: such a kit is not sold by
    us at all (`unresolved_kits`).
    """
    parent, item, need = (_column(members, name) for name in ("parent_id", "item_id", "quantity"))
    stocked = _flag(members, "stocked", default=True)
    if np.isin(item, parent).any():
        gone = np.zeros(len(parent), dtype=np.bool_)
        parent, item, need, stocked, _, _ = _flatten(parent, item, need, stocked, gone)
    taken = stocked & (need > 0) & np.isin(parent, kits)
    return parent[taken], item[taken], need[taken]


def _flatten(
    parent: Scaled, item: Scaled, need: Scaled, stocked: np.ndarray, gone: np.ndarray
) -> tuple[Scaled, Scaled, Scaled, np.ndarray, np.ndarray, dict[int, str]]:
    """Replace members that are kits by their own members. Few accounts nest kits, so plain Python will do."""
    bill: dict[int, list[tuple[int, int, bool, bool]]] = defaultdict(list)
    for kit, *line in zip(
        parent.tolist(), item.tolist(), need.tolist(), stocked.tolist(), gone.tolist(), strict=True
    ):
        bill[kit].append((line[0], line[1], line[2], line[3]))
    lines: list[tuple[int, int, int, bool, bool]] = []
    why: dict[int, str] = {}
    for kit in bill:
        open_lines = list(bill[kit])
        flat: list[tuple[int, int, bool, bool]] = []
        for _ in range(_DEEPEST):
            inner = [line for line in open_lines if line[0] in bill]
            flat += [line for line in open_lines if line[0] not in bill]
            open_lines = [
                (member, _times(outer, quantity), has_stock, is_gone or outer_gone)
                for outer_id, outer, _, outer_gone in inner
                for member, quantity, has_stock, is_gone in bill[outer_id]
            ]
            if not open_lines:
                break
        if open_lines:
            why[kit] = NESTED_TOO_DEEP
        lines += [(kit, *line) for line in flat]
    columns = list(zip(*lines, strict=True)) or [(), (), (), (), ()]
    kits, items, needs = (np.array(column, dtype=np.int64) for column in columns[:3])
    flags = [np.array(column, dtype=np.bool_) for column in columns[3:]]
    return kits, items, needs, flags[0], flags[1], why


def _times(outer: int, inner: int) -> int:
    """Scaled product, rounded up: who needs more can never make too many. 0 stays 0, and is reported."""
    return min(-(-outer * inner // QUANTITY_SCALE), QUANTITY_LIMIT * QUANTITY_SCALE)


def _note(unresolved: dict[int, str], kits: Scaled, why: str) -> None:
    for kit in kits.tolist():
        unresolved.setdefault(kit, why)


def _column(frame: pd.DataFrame, name: str) -> Scaled:
    return frame[name].to_numpy(np.int64)


def _flag(frame: pd.DataFrame, name: str, *, default: bool) -> np.ndarray:
    if name in frame.columns:
        return frame[name].to_numpy(np.bool_)
    return np.full(len(frame), default, dtype=np.bool_)
