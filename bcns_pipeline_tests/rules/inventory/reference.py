"""The rules once more, slow and obvious: plain dictionaries, `Fraction`, one row at a time.

Put here only what a reader can check against the issue by eye. The fast rules are compared with these on
thousands of generated cases; nothing else uses them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

MAX_STOCK = 2_147_483_647
Terms = Mapping[str, Fraction]
Levels = Mapping[tuple[int, int], Terms]  # (item, NetSuite location)
NOTHING = Fraction(0)


def total(levels: Levels, item: int, sources: list[int], term: str) -> Fraction:
    """One term of an item summed over NetSuite locations; what is not there is 0."""
    return sum((levels.get((item, source), {}).get(term, NOTHING) for source in sources), NOTHING)


def sellable(
    levels: Levels,
    items: set[int],
    bills: Mapping[int, Mapping[int, Fraction]],
    routes: Mapping[int, int],
    formula: Callable[[Terms], Fraction],
    buffer: int,
    mode: str,
    terms: tuple[str, ...],
) -> dict[tuple[int, int], tuple[int, bool]]:
    """(item, BigCommerce location) -> (sellable, had to be held). `bills`: kit -> member -> needed."""

    def value(item: int, sources: list[int]) -> Fraction:
        if item not in items:  # a member that is gone
            return NOTHING
        return formula({term: total(levels, item, sources, term) for term in terms})

    result: dict[tuple[int, int], tuple[int, bool]] = {}
    for target in sorted(set(routes.values())):
        sources = [source for source, feeds in routes.items() if feeds == target]
        whole = {item: math.floor(value(item, sources)) for item in items}
        for kit, bill in bills.items():
            groups = [sources] if mode == "pooled" else [[source] for source in sources]
            whole[kit] = sum(
                min(math.floor(value(member, group) / need) for member, need in bill.items())
                for group in groups
            )
        for item, units in whole.items():
            number = units - buffer
            held = min(max(number, 0), MAX_STOCK)
            result[item, target] = (held, held != number)
    return result


def reason(
    wanted: int | None,
    confirmed: int | None,
    sent: int | None,
    live: int | None,
    *,
    inactive: bool,
    complete: bool,
    unread: bool,
    approved: bool,
    mapped: bool,
    moved: bool,
    lasting: bool = False,
) -> tuple[str, int] | None:
    """(reason, what the store should have) of one line, or None where nothing is said about it.

    `wanted` None = not read; `confirmed` None = no row in the state, -1 = never confirmed.
    """
    if wanted is None:
        if unread:
            return None
        if not complete and not inactive and live is None:
            return None
        if complete and not inactive and not mapped:
            return ("not_mapped", max(-1 if confirmed is None else confirmed, 0))
    gone = inactive or (wanted is None and complete)
    old = -1 if confirmed is None else confirmed
    new = 0 if gone else (wanted if wanted is not None else max(old, 0))
    if gone and old != new:
        return ("deactivated", new)
    if old == -1:
        return ("unchanged" if wanted is None else "new", new)
    if old != new:
        return ("changed", new)
    if sent not in (None, -1, old):
        return ("unsettled", new)
    if live is not None and live > new:
        return ("live_above", new)
    if live is not None and live < new:
        if approved:
            return ("raised_by_approval", new)
        if moved:
            return ("raised_after_change", new)
        return ("raised_after_wait" if lasting else "sold_or_drifted", new)
    return ("unchanged", new)
