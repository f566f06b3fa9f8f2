"""What each storefront may sell of one physical stock: parts of a number that together are that number.

Put the division here. Do not put here how the number comes about (`sellable.py`). BigCommerce keeps stock by location
and not by storefront (facts/bigcommerce.md 2.6, 8), so a storefront of its own has a location of its own, which is fed
from the location that the stock belongs to. Whatever the rules say, the parts never add up to more than there is:
each is taken from what the ones before have left, and the last takes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcns_pipeline.rules.inventory.quantities import Scaled


@dataclass(frozen=True, slots=True)
class Share:
    """What a storefront's `location` may sell of the number of BigCommerce location `of`, which keeps the rest.

    `percent` (0..100, rounded down) of the units above `keep`, and never more than `at_most` (None = no limit).
    The part of a `paused` location is withheld: nothing is written there, and nobody else may sell it.
    """

    channel: int
    location: int
    of: int
    percent: int
    keep: int = 0
    at_most: int | None = None
    paused: bool = False

    @property
    def rule(self) -> str:
        """For the text beside a number: "30% above 5, at most 50, for channel 2"."""
        limits = [f"{self.percent}%"]
        if self.keep:
            limits.append(f"above {self.keep}")
        if self.at_most is not None:
            limits.append(f"at most {self.at_most}")
        return f"{' '.join(limits)} for channel {self.channel}"


@dataclass(frozen=True, slots=True)
class Divided:
    """Whole numbers by item and location. `of` is the column that each of `locations` (ascending) was made from."""

    locations: tuple[int, ...]
    of: Scaled
    number: Scaled
    shares: tuple[Share | None, ...]


def divide(number: Scaled, pools: Sequence[int], shares: Sequence[Share]) -> Divided:
    """`number` (whole units >= 0 by item and pool) divided; the parts of a pool add up to it, or to less if paused."""
    column = {pool: place for place, pool in enumerate(pools)}
    parts: dict[int, npt.NDArray[np.int64]] = {pool: number[:, place] for pool, place in column.items()}
    source, made_by = dict(column), dict[int, Share]()
    for one in sorted(shares, key=lambda share: share.channel):
        whole = number[:, column[one.of]]
        part = np.maximum(whole - one.keep, 0) * one.percent // 100
        if one.at_most is not None:
            part = np.minimum(part, one.at_most)
        part = np.minimum(part, parts[one.of])
        parts[one.of] = parts[one.of] - part
        if not one.paused:
            parts[one.location], source[one.location], made_by[one.location] = part, column[one.of], one
    locations = tuple(sorted(parts))
    return Divided(
        locations,
        np.array([source[one] for one in locations], dtype=np.int64),
        np.column_stack([parts[one] for one in locations]),
        tuple(made_by.get(one) for one in locations),
    )
