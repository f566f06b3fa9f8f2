"""What differs: sellable numbers against the values last confirmed and the values seen in the live store.

Put here which line is sent, and why. Do not compute a sellable number here (`sellable.py`), and do not
limit how much is sent (`breaker.py`). Rows are matched on one int64 made of item and location
(`matching.py`), so that a million rows take less than a merge of two frames on two keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bcns_pipeline.rules.inventory.matching import pair
from bcns_pipeline.rules.inventory.quantities import Flags, Scaled

NEVER: Final = -1


class Reason(StrEnum):
    """Why a line is what it is. The order is that of the categories in a diff's `reason` column."""

    UNCHANGED = "unchanged"  # confirmed is sellable, and nothing that was seen contradicts it
    NEW = "new"  # never confirmed
    CHANGED = "changed"  # sellable is not what was confirmed
    DEACTIVATED = "deactivated"  # not active in NetSuite any more: 0, once
    UNSETTLED = "unsettled"  # another value was sent since and never confirmed: it may stand in the store
    LIVE_ABOVE = "live_above"  # the store would sell more than there is
    RAISED_AFTER_CHANGE = (
        "raised_after_change"  # the store has less, and NetSuite moved since: its word counts
    )
    RAISED_AFTER_WAIT = "raised_after_wait"  # the store has had less for long, and no order explains it
    RAISED_BY_APPROVAL = "raised_by_approval"  # the store has less, and a person said to raise it
    SOLD_OR_DRIFTED = "sold_or_drifted"  # the store has less, and NetSuite has not moved: reported, not sent
    NOT_MAPPED = "not_mapped"  # a location that is not written to any more: left alone

    @property
    def code(self) -> int:
        """Its number among the categories."""
        return _REASONS.index(self)


_REASONS: Final = tuple(Reason)
PUSHED: Final = (
    *(Reason.NEW, Reason.CHANGED, Reason.DEACTIVATED, Reason.UNSETTLED),
    *(Reason.LIVE_ABOVE, Reason.RAISED_AFTER_CHANGE, Reason.RAISED_AFTER_WAIT, Reason.RAISED_BY_APPROVAL),
)
REASON_TYPE: Final = pd.CategoricalDtype([reason.value for reason in _REASONS])
_IS_PUSHED: Final = np.array([reason in PUSHED for reason in _REASONS], dtype=np.bool_)
DIFF_COLUMNS: Final = (
    *("item_id", "location_id", "old", "new", "live"),
    *("reason", "push", "wanted_row", "known_row"),
)


def diff(
    wanted: pd.DataFrame,
    known: pd.DataFrame,
    live: pd.DataFrame | None = None,
    *,
    complete: bool = False,
    inactive: Iterable[int] = (),
    unread: Iterable[int] = (),
    approved: Iterable[int] = (),
    lasting: Iterable[int] = (),
) -> pd.DataFrame:
    """Every line that was read or remembered, with what to do about it.

    Args:
        wanted: `sellable` of everything read, linked or not: item_id, location_id, sellable, changed_at.
        known: what the state remembers: item_id, location_id, confirmed (-1 = never), changed_at (behind
            `confirmed`), and sent (-1 = never; may be missing).
        live: values seen in the store in this run: item_id, location_id, live. Lines not seen are not judged.
        complete: every active item was read, so what is missing in `wanted` is not active any more. Else
            missing means not read: such lines come only where `inactive` or `live` names them. Leave it False
            when a part of the read failed, kits included.
        inactive: item ids that NetSuite says are not active any more.
        unread: item ids that are there but could not be computed; their lines are left out.
        approved: item ids whose lower live value a person allowed to be raised.
        lasting: item ids whose live value has been lower for so long that no sale explains it; `wanted` has them.

    Returns a frame ordered by item_id and location_id: int64 item_id, location_id, old (confirmed, -1 =
    never), new (what the store should have), live (-1 = not seen); categorical reason (see `Reason`); bool
    push; int64 wanted_row and known_row, positions in the arguments (-1 = none). A line that is in `live`
    alone, without having been read, is judged against its confirmed value. ValueError for a line that comes
    twice.
    """
    pairs = pair(wanted, known, live, names=("wanted", "known", "live"))
    gone = _integers(inactive)
    if not pairs.aligned:
        # Lines that were not read are spoken of only where something is known of them all the same.
        silent = (pairs.left < 0) & np.isin(pairs.item, _integers(unread))
        if not complete:
            unspoken = (pairs.left < 0) & ~np.isin(pairs.item, gone)
            silent |= unspoken if pairs.third is None else unspoken & (pairs.third < 0)
        if silent.any():
            pairs = pairs.only(~silent)
    item, location, absent = pairs.item, pairs.location, pairs.left < 0
    # Most runs meet the very lines that are remembered, in the same order: nothing has to be picked out then.
    wanted_row, known_row = (None, None) if pairs.aligned else (pairs.left, pairs.right)
    old = _take(known, "confirmed", known_row)
    sent = _take(known, "sent", known_row) if "sent" in known.columns else None
    at_store = None if live is None or pairs.third is None else _take(live, "live", pairs.third)
    new = _take(wanted, "sellable", wanted_row)
    removed = np.isin(item, gone) if len(gone) else np.zeros(len(item), dtype=np.bool_)
    unmapped = None
    if absent.any():
        if complete:
            # A location taken out of the mapping is nobody's to empty, and a whole store after an empty read
            # even less. Items that NetSuite itself calls inactive are emptied wherever they are.
            mapped = np.isin(location, np.unique(wanted["location_id"].to_numpy(np.int64)))
            unmapped = absent & ~mapped & ~removed
            removed = removed | (absent & mapped)
        # What was not read has not changed since it was confirmed, as far as anybody knows.
        new = np.where(absent, np.maximum(old, 0), new)
    if removed.any():
        new = np.where(removed, 0, new)

    reason = _judge(old, new, sent, at_store, removed)
    lower = np.flatnonzero(reason == Reason.SOLD_OR_DRIFTED.code)
    if len(lower):
        reason[lower[np.isin(item[lower], _integers(lasting))]] = Reason.RAISED_AFTER_WAIT.code
        moved = _moved(wanted, known, pairs.left[lower], pairs.right[lower])
        reason[lower[moved]] = Reason.RAISED_AFTER_CHANGE.code
        reason[lower[np.isin(item[lower], _integers(approved))]] = Reason.RAISED_BY_APPROVAL.code
    if absent.any():
        # Looked at, but never confirmed: there is nothing to judge it against.
        reason[absent & ~removed & (old == NEVER)] = Reason.UNCHANGED.code
    if unmapped is not None:
        reason[unmapped] = Reason.NOT_MAPPED.code
    columns: dict[str, Any] = {
        "item_id": item,
        "location_id": location,
        "old": old,
        "new": new,
        "live": np.full(len(item), NEVER, dtype=np.int64) if at_store is None else at_store,
        "reason": pd.Categorical.from_codes(reason, dtype=REASON_TYPE, validate=False),
        "push": _IS_PUSHED[reason],
        "wanted_row": pairs.left,
        "known_row": pairs.right,
    }
    return pd.DataFrame(columns, copy=False)


def _judge(
    old: Scaled, new: Scaled, sent: Scaled | None, live: Scaled | None, removed: Flags
) -> npt.NDArray[np.int8]:
    """The reasons; a live value below is SOLD_OR_DRIFTED until somebody knows better."""
    reason = np.zeros(len(old), dtype=np.int8)
    differs = old != new
    if sent is not None:
        differs |= sent != old
    if live is not None:
        differs |= (live != new) & (live >= 0)
    # Most lines are in step in most runs; only the others are looked at closely.
    odd = np.flatnonzero(differs)
    old, new, removed = old[odd], new[odd], removed[odd]
    sent = old if sent is None else sent[odd]
    live = np.full(len(odd), NEVER, dtype=np.int64) if live is None else live[odd]
    reason[odd] = np.select(
        [
            (old != new) & removed,
            old == NEVER,
            old != new,
            (sent != NEVER) & (sent != old),
            (live != NEVER) & (live > new),
            (live != NEVER) & (live < new),
        ],
        [
            Reason.DEACTIVATED.code,
            Reason.NEW.code,
            Reason.CHANGED.code,
            Reason.UNSETTLED.code,
            Reason.LIVE_ABOVE.code,
            Reason.SOLD_OR_DRIFTED.code,
        ],
        default=Reason.UNCHANGED.code,
    )
    return reason


def _moved(wanted: pd.DataFrame, known: pd.DataFrame, wanted_row: Scaled, known_row: Scaled) -> Flags:
    """Has NetSuite's availability changed since the confirmed value was read? Both moments must be known."""
    now = _texts(wanted, wanted_row)
    then = _texts(known, known_row)
    return np.array(
        [isinstance(a, str) and isinstance(b, str) and a > b for a, b in zip(now, then, strict=True)],
        np.bool_,
    )


def _texts(frame: pd.DataFrame, row: Scaled) -> list[Any]:
    if "changed_at" not in frame.columns or not len(frame):
        return [None] * len(row)
    found = frame["changed_at"].iloc[np.maximum(row, 0)].tolist()
    return [text if place >= 0 else None for text, place in zip(found, row.tolist(), strict=True)]


def _take(frame: pd.DataFrame, name: str, row: Scaled | None) -> Scaled:
    """`frame[name]` at those rows (None = as it stands), -1 where the row is -1. An array of its own."""
    values = frame[name].to_numpy(np.int64)
    if row is None:
        return values.copy()
    if not len(values):
        return np.full(len(row), NEVER, dtype=np.int64)
    # Index -1 takes the last value, which is put right: cheaper than masking twice.
    taken = values[row]
    missing = row < 0
    if missing.any():
        taken[missing] = NEVER
    return taken


def _integers(values: Iterable[int]) -> Scaled:
    return values.astype(np.int64) if isinstance(values, np.ndarray) else np.fromiter(values, np.int64)
