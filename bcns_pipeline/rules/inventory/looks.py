"""Looks at what changed since a moment, each of which may take several ticks of a sensor.

Put here what a tick hands over and where the next one goes on. Do not put the reading here, nor what is low. A look has
a beginning in NetSuite's clock and goes through the items in the order of their ids. What changes behind it while it is
under way belongs to the next look, which begins where this one began to read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Look:
    """At what changed since `since`; begun at `begun`, and gone through up to the item `after`."""

    since: str
    begun: str = ""
    after: int = 0


def gone_on(look: Look, low: Iterable[int], through: int | None, most: int) -> tuple[list[int], Look]:
    """The items to hand over, at most `most`, and how the next tick looks. None is passed over.

    `low` are those that were found, `through` the last item that was read whole; None where no item is left.
    """
    found = sorted({one for one in low if through is None or one <= through})
    if len(found) > most:
        return found[:most], replace(look, after=found[most - 1])
    return found, Look(look.begun) if through is None else replace(look, after=through)
