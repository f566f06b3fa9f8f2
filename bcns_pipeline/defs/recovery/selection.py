"""Which orders a person means: by id, by code, by a query over what we remember, or by when they were placed.

Put the reading of such words here, for the command line and for run config alike. Do not put here what is done
with the orders (`replay.py`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bcns_pipeline.defs.recovery.replay import of_code
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.order_views import ASKED_BY
from bcns_pipeline.state.store import State

_SPLIT = re.compile(r"[\s,;]+")
_AND = re.compile(r"\s+and\s+|[\s,;]+", re.IGNORECASE)
# Ids of orders that were placed in [since, until), asked of the store itself; None is now, by the store's clock.
Listed = Callable[[datetime, datetime | None], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Selection:
    """One way to name orders. `since` and `until` (aware, half-open) may narrow `query`."""

    orders: tuple[int, ...] = ()
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    query: dict[str, str | int | date] = field(default_factory=dict)


def parse_selection(
    *, orders: str = "", code: str = "", since: str = "", until: str = "", query: str = "", zone: str = "UTC"
) -> Selection:
    """Read the words of a person; days and times without an offset are in `zone`. Raises BadInput."""
    faults: list[str] = []
    ways = [name for name, said in (("orders", orders), ("code", code), ("query", query)) if said.strip()]
    dated = bool(since.strip() or until.strip())
    if len(ways) > 1 or (dated and ways not in ([], ["query"])) or not (ways or dated):
        faults.append(
            "Name orders in one way: their ids, a file of ids, an error code, a query, or when they were "
            "placed (which may narrow a query)."
        )
    found = Selection(
        orders=tuple(_ids(orders, faults)),
        code=code.strip().upper() or None,
        since=_moment(since, "since", zone, faults),
        until=_moment(until, "until", zone, faults),
        query=_query(query, faults),
    )
    if found.since and found.until and found.since >= found.until:
        faults.append("The window is empty: since must be before until.")
    if found.until and found.since is None and not found.query:
        faults.append("Say from when on: since is missing.")
    if faults:
        raise BadInput(faults)
    return found


def select(state: State, selection: Selection, listed: Listed) -> list[int]:
    """The orders meant, by id. A window alone also finds those that we have never heard of. Raises OutsideError."""
    if selection.orders:
        return sorted(set(selection.orders))
    if selection.code:
        return of_code(state, selection.code)
    found = set(
        state.orders.ids(placed_since=selection.since, placed_before=selection.until, **selection.query)
    )
    if selection.since is not None and not selection.query:
        found |= set(listed(selection.since, selection.until))
    return sorted(found)


def _ids(text: str, faults: list[str]) -> Iterable[int]:
    for word in _SPLIT.split(text.strip()):
        if word.isdecimal() and int(word) > 0:
            yield int(word)
        elif word:
            faults.append(f"{word!r} is no order id; ids are numbers such as 1001.")


def _query(text: str, faults: list[str]) -> dict[str, str | int | date]:
    found: dict[str, str | int | date] = {}
    for term in _AND.split(text.strip()):
        if not term:
            continue
        name, equals, value = term.partition("=")
        if not equals or name not in ASKED_BY or not value:
            faults.append(f"{term!r} is no term of a query; write NAME=VALUE with {', '.join(ASKED_BY)}.")
            continue
        try:
            kind = ASKED_BY[name]
            found[name] = date.fromisoformat(value) if kind is date else int(value) if kind is int else value
        except ValueError:
            faults.append(f"{value!r} can't be the value of {name}.")
    return found


def _moment(text: str, name: str, zone: str, faults: list[str]) -> datetime | None:
    said = text.strip()
    if not said:
        return None
    try:
        if len(said) == len("2026-11-20"):
            return datetime.combine(date.fromisoformat(said), time.min, ZoneInfo(zone))
        moment = datetime.fromisoformat(said)
    except ValueError:
        faults.append(f"{name} {said!r} is no moment; write it as 2026-11-20 or 2026-11-20T14:00.")
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
