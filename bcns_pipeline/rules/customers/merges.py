"""The merge map: which customer took another one's place, as a person said.

Put the following of the map here. Do not put its storage here. It is obeyed by every later sync, so a
customer merged in NetSuite, or meant to be, is never written to again.
"""

from __future__ import annotations

from collections.abc import Mapping


class Merges:
    """A map from merged ids to those that took their place, which may have been merged in turn."""

    def __init__(self, into: Mapping[int, int] | None = None) -> None:
        self._into = dict(into or {})

    def survivor(self, customer_id: int) -> int:
        """Who stands for `customer_id` now. In a circle, which no map should have, the smallest id does."""
        seen = [customer_id]
        while seen[-1] in self._into:
            following = self._into[seen[-1]]
            if following in seen:
                return min(seen[seen.index(following) :])
            seen.append(following)
        return seen[-1]
