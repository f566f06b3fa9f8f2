"""Walks over what changed in a time window, so that a record which changes while we walk is never lost.

Put the walk here; asking for a page is the caller's. Page numbers shift when a record changes and moves to the
end, so every step asks anew from the last date of change that was seen, and drops what it has handed out
already. Dates have a resolution of one second, and whether a bound includes its own second is not written
anywhere: every bound is asked for a second wider than needed, and the surplus is dropped here. Facts:
`facts/bigcommerce.md` 3.1 and 3.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Generic, Protocol, TypeVar

from bcns_pipeline.clients.bigcommerce.api import stuck, sure_end

SECOND: Final = timedelta(seconds=1)
_MOST_STEPS: Final = 100_000


class Dated(Protocol):
    """What a record must show."""

    @property
    def id(self) -> int:
        """Its id."""
        ...

    @property
    def modified_at(self) -> datetime:
        """When it changed last, in UTC."""
        ...


R = TypeVar("R", bound=Dated)


@dataclass(frozen=True, slots=True)
class Batch(Generic[R]):
    """Records not handed out before in this walk; everything before `through` has been. `last` = all done."""

    rows: Sequence[R]
    through: datetime
    last: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """When to stop early: after `pages` requests, or once `clock` (seconds) is past `deadline`."""

    pages: int | None = None
    deadline: float | None = None
    clock: Callable[[], float] = lambda: 0.0

    def spent(self, pages: int) -> bool:
        """No further request fits in."""
        if self.pages is not None and pages >= self.pages:
            return True
        return self.deadline is not None and self.clock() >= self.deadline


def walk_changes(
    page: Callable[[datetime, datetime], Sequence[R]],
    dense: Callable[[datetime, datetime], Iterable[Sequence[R]]],
    *,
    since: datetime,
    before: datetime,
    limit: int,
    budget: Budget,
    operation: str,
) -> Iterator[Batch[R]]:
    """Every record whose date of change is in [`since`, `before`), oldest change first, each version once.

    `page(low, high)` gives the first `limit` records between two dates by date of change, ascending; `dense`
    gives all of them some other way, for more changes within a second than a page holds. Raises Unavailable
    when the pages are not in order. Ends without a `last` batch when the budget is used up.
    """
    start = since.replace(microsecond=0)
    seen: set[tuple[int, datetime]] = set()
    low = start
    # Until a page proves that the lower bound includes its own second, each is asked for from one before.
    back = SECOND
    for step in range(_MOST_STEPS):
        if budget.spent(step):
            return
        rows = page(low - back, before + SECOND)
        if not ascending(rows):
            raise stuck(operation, "rows are not in the order that was asked for")
        fresh = _fresh(rows, start, before, seen)
        if sure_end(len(rows), limit) or rows[-1].modified_at >= before:
            # A page that reaches beyond the window holds the rest of it.
            yield Batch(fresh, before, last=True)
            return
        newest = rows[-1].modified_at
        if rows[0].modified_at < low - back:
            raise stuck(operation, "rows are older than was asked for")
        if rows[0].modified_at == low - back:
            back = timedelta(0)
        if newest == low:
            # The whole page is one second, and there may be more of it than a page can show.
            yield Batch(fresh, low, last=False)
            for some in dense(low - SECOND, low + SECOND):
                yield Batch(_fresh(some, start, before, seen), low, last=False)
            low += SECOND
        elif newest > low:
            low = newest
            seen = {one for one in seen if one[1] >= low - SECOND}
            yield Batch(fresh, low, last=False)
        # Otherwise it was all of the second before, which is handed out already: ask again without it.
    raise stuck(operation, f"{_MOST_STEPS} steps and no end")


def _fresh(rows: Iterable[R], since: datetime, before: datetime, seen: set[tuple[int, datetime]]) -> list[R]:
    found = []
    for row in rows:
        version = (row.id, row.modified_at)
        if since <= row.modified_at < before and version not in seen:
            seen.add(version)
            found.append(row)
    return found


def ascending(rows: Sequence[Dated]) -> bool:
    """The rows are sorted by date of change, oldest first."""
    return all(earlier.modified_at <= later.modified_at for earlier, later in pairwise(rows))
