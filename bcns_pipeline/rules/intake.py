"""What is read next, and whether all of it arrived: windows over a cursor, certificates, missing orders.

Put the arithmetic of windows and the comparison of id sets here. Do not put hooks here (`hooks.py`), and no
clock: "now" is the source's own, because ours may differ from it. A window is half-open, [start, until), and
begins before the cursor by the overlap, since a source shows some changes late (facts/bigcommerce.md 3.12,
facts/netsuite.md 2.3); what is read twice has one effect.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

CURSOR_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (included) to `until` (excluded), both aware. ValueError for an empty or naive one."""

    start: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a window needs times with a zone")
        if self.start >= self.until:
            raise ValueError("a window must end after it starts")

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment < self.until


def next_window(
    cursor: datetime | None,
    now: datetime,
    overlap: timedelta,
    first_from: datetime,
    *,
    longest: timedelta | None = None,
) -> Window | None:
    """What to read now; None where `first_from` has not come yet.

    `cursor` is how far the last read got, None for never. Nothing before `first_from` is read. `longest`
    bounds how far past the cursor one read goes, so that a long outage is caught up with in portions. A
    cursor ahead of `now` (the source's clock was put back) counts as now.
    """
    known = first_from if cursor is None else min(cursor, now)
    start = max(first_from, known - overlap)
    until = now if longest is None else min(now, max(known, start) + longest)
    return Window(start, until) if start < until else None


def advanced(cursor: datetime | None, window: Window, read_to: datetime | None = None) -> datetime:
    """Where the cursor stands after `window` was read, or after it was read up to `read_to` (excluded).

    It does not fall back behind itself when a read stops within its overlap, and never passes the window.
    """
    reached = window.until if read_to is None else min(read_to, window.until)
    return reached if cursor is None else max(reached, min(cursor, window.until))


def cursor_value(moment: datetime) -> dict[str, Any]:
    """A cursor as it is remembered: versioned JSON, in UTC."""
    return {"version": CURSOR_VERSION, "until": moment.astimezone(UTC).isoformat()}


def read_cursor(value: object) -> datetime | None:
    """What `cursor_value` wrote, or a bare ISO time. Anything else is None: it re-reads and never re-sends."""
    text = value.get("until") if isinstance(value, Mapping) else value
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Listed(NamedTuple):
    """One order as a list page of the store shows it; `total` in `currency`, as charged."""

    order_id: int
    status_id: int
    total: Decimal
    currency: str
    created: datetime


class Missing(NamedTuple):
    """An order that the store has and we have no row of."""

    order_id: int
    total: Decimal
    currency: str
    age: timedelta

    @property
    def sentence(self) -> str:
        """For the exception MISSING_ORDER."""
        return (
            f"Order {self.order_id} over {self.total:f} {self.currency} was placed {_span(self.age)} ago, and "
            "nothing has taken it in."
        )


def missing_orders(
    listed: Iterable[Listed],
    known: Container[int],
    now: datetime,
    after: timedelta,
    statuses: Container[int],
) -> list[Missing]:
    """Orders of an eligible status, placed at least `after` ago, that are not `known`; oldest first."""
    found = [
        Missing(one.order_id, one.total, one.currency, now - one.created)
        for one in {row.order_id: row for row in listed}.values()
        if one.status_id in statuses and now - one.created >= after and one.order_id not in known
    ]
    return sorted(found, key=lambda one: (-one.age, one.order_id))


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof for one window: the ids that the store has against those that reached the inbox.

    `digest` is the sha256 of the canonical JSON of window, store ids and missing ids, so that whoever has the
    ids can recompute it.
    """

    resource: str
    cause: str
    window: Window
    in_store: int
    in_inbox: int
    missing: tuple[int, ...]
    digest: str

    @property
    def complete(self) -> bool:
        """Whether everything that the store has is in the inbox."""
        return not self.missing

    def document(self) -> dict[str, Any]:
        """As plain JSON, to be kept and shown."""
        return {
            "resource": self.resource,
            "cause": self.cause,
            "from": _text(self.window.start),
            "until": _text(self.window.until),
            "in_store": self.in_store,
            "in_inbox": self.in_inbox,
            "missing": list(self.missing),
            "complete": self.complete,
            "digest": self.digest,
        }


def certify(
    resource: str, window: Window, store_ids: Collection[int], inbox_ids: Collection[int], *, cause: str = ""
) -> Certificate:
    """Compare the two id sets. An id that only the inbox has is no fault: events also come from outside."""
    store, inbox = set(store_ids), set(inbox_ids)
    missing = tuple(sorted(store - inbox))
    content = {
        "resource": resource,
        "from": _text(window.start),
        "until": _text(window.until),
        "store": sorted(store),
        "missing": list(missing),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Certificate(resource, cause, window, len(store), len(store & inbox), missing, digest)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _span(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
