"""How commands speak: sentences, tables and times, the same at a terminal, in a pipe and in a log.

Put wording-free output helpers here. Do not put what is said here: each command knows its own sentences. Text
of ours and of outside systems is never read as markup, because a SKU may well be called "[bold]".
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

NOTHING = "\N{EN DASH}"
# A pipe has no width; this one keeps rows of a table on one line in most cases, and a wider table has a wider one.
PIPE_WIDTH = 180
_UNBOUNDED = 100_000


def terminal(at_least: int = PIPE_WIDTH) -> Console:
    """A console on the standard output of this moment; a test's runner replaces that stream."""
    width = None if sys.stdout.isatty() else max(PIPE_WIDTH, at_least)
    return Console(highlight=False, markup=False, width=width)


def say(text: str = "") -> None:
    """One line on standard output, never wrapped: whoever greps finds whole sentences."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{text}\n")


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    styles: Sequence[str] = (),
    unbroken: bool = False,
) -> None:
    """A table of plain texts; None shows as a dash. `styles` are one per column.

    `unbroken`: no word and no amount is broken; where the screen is too narrow, each row is shown as lines of its own.
    """
    texts = [[value if isinstance(value, Text) else Text(shown(value)) for value in row] for row in rows]
    table, console, needed = _table(columns, texts, title, styles), terminal(), 0
    if unbroken:
        needed = Measurement.get(console, console.options.update(width=_UNBOUNDED), table).minimum
        console = terminal(needed)
    if needed <= console.width:
        console.print(table)
        return
    for row in texts:
        console.print(_table(["", ""], list(zip(map(Text, columns), row, strict=True)), title, ["dim"]))


def _table(
    columns: Sequence[str], rows: Iterable[Sequence[Text]], title: str, styles: Sequence[str]
) -> Table:
    table = Table(box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, overflow="fold", style=styles[place] if place < len(styles) else None)
    for row in rows:
        table.add_row(*row)
    return table


def shown(value: object) -> str:
    """A value as people write it: thousands apart, a dash for nothing."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def stamp(moment: datetime | None, zone: str | None = None) -> str:
    """A moment in `zone` (UTC by default) with the zone's name, so that nobody has to guess."""
    if moment is None:
        return NOTHING
    place = ZoneInfo(zone) if zone else UTC
    return moment.astimezone(place).strftime("%Y-%m-%d %H:%M:%S %Z")


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago: "4 min", "3 h", "12 d"."""
    if moment is None:
        return NOTHING
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 90:
        return f"{max(0, seconds):.0f} s"
    for limit, unit, name in ((5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"
