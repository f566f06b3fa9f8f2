"""Which line that NetSuite shows is which line of ours.

Put the pairing here. Do not compare here (`compare.py`, `edits.py`). With a line-id field the line says it
itself; without one, lines stand in the order in which they were written, less those that somebody took away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from bcns_pipeline.rules.orders.facts import ShownLine
from bcns_pipeline.rules.orders.model import ZERO


class OurLine(Protocol):
    """What a line of a draft and an expected line have in common."""

    @property
    def key(self) -> str: ...

    @property
    def item(self) -> int: ...

    @property
    def quantity(self) -> int | None: ...

    @property
    def amount(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Paired:
    """`by_key`: NetSuite's line for each of ours that was found. `rest`: lines of NetSuite's that are nobody's."""

    by_key: Mapping[str, ShownLine]
    rest: tuple[ShownLine, ...]


def pair(ours: Sequence[OurLine], shown: Sequence[ShownLine]) -> Paired:
    """Each of our lines with its line in NetSuite: by key, else the same in every figure, else the same item."""
    by_key = {line.key: line for line in shown if line.key}
    found = {line.key: by_key[line.key] for line in ours if line.key in by_key}
    free = [line for line in shown if line.line not in {one.line for one in found.values()}]
    for alike in (same_figures, _same_item):
        for line in ours:
            if line.key in found:
                continue
            # A line that bears another key is another line of ours, however alike they look.
            match = next((one for one in free if not one.key and alike(line, one)), None)
            if match is not None:
                found[line.key] = match
                free.remove(match)
    return Paired(found, tuple(free))


def same_figures(ours: OurLine, shown: ShownLine) -> bool:
    """Whether item, units and amount are the same."""
    units = ours.quantity is None or ours.quantity == shown.quantity
    return _same_item(ours, shown) and units and ours.amount == shown.amount


def is_void(line: ShownLine) -> bool:
    """Whether nothing is left of the line: an edit took its units away."""
    return line.amount == ZERO and line.quantity == ZERO


def _same_item(ours: OurLine, shown: ShownLine) -> bool:
    return ours.item == shown.item
