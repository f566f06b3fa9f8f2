"""Which row of one frame is which row of another, by item and location, for a million rows at a time.

Put the matching of keys here. Do not put here what a match means (`diff.py`). Item and location become one
int64; columns that are in order already, as all of ours are, are merged in one pass instead of being
hashed, and where two frames hold the very same lines, as in most runs, they are only compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bcns_pipeline.rules.inventory.quantities import Flags, Scaled

_USABLE_BITS = 63


@dataclass(frozen=True, slots=True)
class Pairing:
    """Every line of the left or the right frame once, ordered by item and location.

    `left`, `right` and `third` are positions in the frames, -1 = none; `third` is None where there is no
    third frame. `aligned` says that left and right hold the same lines in the same, ascending order.
    """

    item: Scaled
    location: Scaled
    left: Scaled
    right: Scaled
    third: Scaled | None
    aligned: bool

    def only(self, keep: Flags) -> Pairing:
        """The lines that are to be kept."""
        third = None if self.third is None else self.third[keep]
        return Pairing(
            self.item[keep], self.location[keep], self.left[keep], self.right[keep], third, aligned=False
        )


def pair(
    left: pd.DataFrame,
    right: pd.DataFrame,
    third: pd.DataFrame | None = None,
    *,
    names: Sequence[str] = ("left", "right", "third"),
) -> Pairing:
    """Match frames with int64 `item_id` and `location_id`.

    ValueError where a line comes twice in one frame (`names` say in which), for negative ids, and for ids
    so large that item and location don't fit into 63 bits together.
    """
    item, location = _ids(left)
    if third is None and _same(item, location, *_ids(right)) and _ascend(item, location):
        rows = np.arange(len(item), dtype=np.int64)
        return Pairing(item, location, rows, rows, None, aligned=True)
    frames = [left, right] if third is None else [left, right, third]
    bits = _location_bits(frames)
    keyed = [_keyed(frame, bits, name) for frame, name in zip(frames, names, strict=False)]
    key, here, there = _outer(keyed[0], keyed[1])
    seen = keyed[2].rows(keyed[2].places(key)) if len(keyed) == 3 else None
    return Pairing(key >> bits, key & ((1 << bits) - 1), here, there, seen, aligned=here is there)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """The ascending keys of a frame; `order` holds the position of each in it, None = in order already."""

    key: Scaled
    order: Scaled | None

    def rows(self, places: Scaled) -> Scaled:
        """Positions in the frame of these places among the keys; -1 stays -1."""
        if self.order is None or not len(self.order):
            return places
        return np.where(places < 0, -1, self.order[places])

    def places(self, keys: Scaled) -> Scaled:
        """For each of `keys`, which ascend, its place among the keys here; -1 where there is none."""
        if np.array_equal(self.key, keys):
            return np.arange(len(keys), dtype=np.int64)
        _, _, found = pd.Index(keys).join(pd.Index(self.key), how="left", return_indexers=True)
        return _indexer(found, len(keys))


def _ids(frame: pd.DataFrame) -> tuple[Scaled, Scaled]:
    return frame["item_id"].to_numpy(np.int64), frame["location_id"].to_numpy(np.int64)


def _same(item: Scaled, location: Scaled, other_item: Scaled, other_location: Scaled) -> bool:
    return np.array_equal(item, other_item) and np.array_equal(location, other_location)


def _ascend(item: Scaled, location: Scaled) -> bool:
    later = item[1:] > item[:-1]
    later |= (item[1:] == item[:-1]) & (location[1:] > location[:-1])
    return bool(later.all())


def _location_bits(frames: Sequence[pd.DataFrame]) -> int:
    """How many low bits of a key hold the location."""
    ids = [_ids(frame) for frame in frames]
    if any(int(column.min(initial=0)) < 0 for pair_of_ids in ids for column in pair_of_ids):
        raise ValueError("ids of items and locations are never negative")
    bits = max(int(location.max(initial=0)) for _, location in ids).bit_length()
    if max(int(item.max(initial=0)) for item, _ in ids).bit_length() + bits > _USABLE_BITS:
        raise ValueError("ids of items and locations are too large to be told apart")
    return bits


def _keyed(frame: pd.DataFrame, bits: int, name: str) -> _Keyed:
    item, location = _ids(frame)
    key = (item << bits) | location
    if (key[1:] > key[:-1]).all():
        return _Keyed(key, None)
    order = np.argsort(key).astype(np.int64)
    key = key[order]
    twice = np.flatnonzero(key[1:] == key[:-1])
    if len(twice):
        row = order[twice[0]]
        raise ValueError(f"item {item[row]} at location {location[row]} comes twice in {name}")
    return _Keyed(key, order)


def _outer(left: _Keyed, right: _Keyed) -> tuple[Scaled, Scaled, Scaled]:
    """Every key of either side, and its positions; one and the same array where they agree everywhere."""
    if np.array_equal(left.key, right.key):
        places = np.arange(len(left.key), dtype=np.int64)
        return left.key, left.rows(places), right.rows(places)
    both, here, there = pd.Index(left.key).join(pd.Index(right.key), how="outer", return_indexers=True)
    key: Scaled = both.to_numpy(np.int64)
    return key, left.rows(_indexer(here, len(key))), right.rows(_indexer(there, len(key)))


def _indexer(found: npt.NDArray[np.intp] | None, size: int) -> Scaled:
    """pandas leaves an indexer out where it would be 0, 1, 2, ..."""
    return np.arange(size, dtype=np.int64) if found is None else found.astype(np.int64)
