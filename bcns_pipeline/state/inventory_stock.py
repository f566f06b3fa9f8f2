"""What we believe the store has: the last value confirmed, sent and seen, per item and location.

Put SQL over `inventory_state` here. Do not put the lines of a plan here, nor what the numbers should be.
`confirmed` moves only on read-back, or once when a value that was in the store before us is adopted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from bcns_pipeline.state.audit import Audit, lock_chain
from bcns_pipeline.state.bulk import array_text, copy_out, quoted, texts
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import inventory_change, inventory_state, read_seq

# -1 stands for "never" in frames of int64. A store that really shows -1 is thus written again.
NEVER = -1
# Statements over the whole catalogue go in steps of this many rows, so that the fast lane waits at most
# for one step (about 50 ms).
_STEP_ROWS = 5_000
# NetSuite's own clock as TO_CHAR gives it: YYYY-MM-DD HH:MM:SS.
_CLOCK_WIDTH = 19


class InventoryStock:
    """The memory of one store's stock."""

    def __init__(self, scope: Scope, audit: Audit) -> None:
        self._scope = scope
        self._audit = audit

    def draw_read_seq(self, count: int = 1) -> int:
        """A number greater than all drawn before; with `count`, the first of as many in a row.

        Draw it *before* the page is asked for: what was read later always has the greater number.
        """
        if count < 1:
            raise ValueError("at least one number must be drawn")
        query = sa.text(
            f"select nextval('{read_seq.schema}.{read_seq.name}') from generate_series(1, :count)"
        )
        with self._scope.transaction() as tx:
            drawn: list[int] = list(tx.execute(query, {"count": count}).scalars())
        return min(drawn)

    def known(
        self,
        *,
        numbers: bool = False,
        items: Iterable[int] | None = None,
        conn: sa.Connection | None = None,
    ) -> pd.DataFrame:
        """Everything remembered, or of these items alone, ordered by item and location.

        Columns: int64 item_id, location_id, confirmed, sent, sent_seq, live (-1 = never); changed_at (str or
        None, NetSuite's clock at the read behind `confirmed`); origin ("adopted", "pushed" or None);
        pending_since (datetime64[us, UTC] or NaT: wanted differs from confirmed since then). With `numbers` only
        the first six, which takes less than half the time.
        """
        wanted = {name: source for name, source in _KNOWN.items() if not numbers or name in _NUMBERS}
        among = "" if items is None else f"and item_id = any('{array_text(map(int, items))}'::bigint[])"
        with self._scope.transaction(conn) as tx:
            query = f"""
                select {", ".join(sql for _, sql in wanted.values())}
                from {inventory_state.fullname} where store = {quoted(tx, self._scope.store)} {among}
                order by item_id, location_id
            """
            columns = copy_out(tx, query, [(name, kind) for name, (kind, _) in wanted.items()])
        frame = pd.DataFrame({name: columns[name].astype(np.int64) for name in _NUMBERS})
        if numbers:
            return frame
        frame["changed_at"] = pd.Series(texts(columns["changed_at"]), dtype=object)
        frame["origin"] = pd.Series(np.array(_ORIGINS, dtype=object)[columns["origin"]], dtype=object)
        # On the wire -infinity is the least number, as NaT is in numpy; times count from the year 2000.
        since = columns["pending_since"]
        since = np.where(since == _NO_TIME, _NO_TIME, since + _YEAR_2000).view("datetime64[us]")
        frame["pending_since"] = pd.Series(since).dt.tz_localize("UTC")
        return frame

    def adopt(self, frame: pd.DataFrame, *, conn: sa.Connection | None = None) -> int:
        """Take values first seen in the store as confirmed, where we remember nothing; returns how many.

        Columns: item_id, location_id, live (int64); changed_at (str or None) where it is known.
        """
        adopted = 0
        for step in self._steps(frame, "live"):
            with self._scope.transaction(conn) as tx:
                lock_chain(tx)
                rows = tx.execute(_ADOPT, {"store": self._scope.store, **step}).rowcount
                if rows:
                    self._audit.append(tx, "inventory.adopted", f"store:{self._scope.store}", {"rows": rows})
            adopted += rows
        return adopted

    def observe_live(self, frame: pd.DataFrame, *, conn: sa.Connection | None = None) -> int:
        """Note values seen in the store (item_id, location_id, live); changes nothing else. Returns rows."""
        seen = 0
        for step in self._steps(frame, "live"):
            with self._scope.transaction(conn) as tx:
                lock_chain(tx)
                seen += tx.execute(_OBSERVE, {"store": self._scope.store, **step}).rowcount
        return seen

    def mark_pending(self, frame: pd.DataFrame, *, conn: sa.Connection | None = None) -> None:
        """These (item_id, location_id) should change and could not be sent: their age counts from now."""
        for step in self._steps(frame, None):
            with self._scope.transaction(conn) as tx:
                lock_chain(tx)
                tx.execute(_MARK_PENDING, {"store": self._scope.store, **step})

    def forget_pending(
        self, kept: pd.DataFrame, *, but: Collection[int] = (), conn: sa.Connection | None = None
    ) -> int:
        """Everything was read: what is out of step without a line among `kept` is not ours to push any more.

        `kept` has item_id and location_id; `but` are items of which nothing was learnt, and what is on its way stays
        too. Returns how many (item, location) were forgotten.
        """
        keys = ["item_id", "location_id"]
        query = sa.select(inventory_state.c.item_id, inventory_state.c.location_id).where(
            inventory_state.c.store == self._scope.store, inventory_state.c.pending_since.is_not(None)
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            waiting = pd.DataFrame(tx.execute(query).all(), columns=keys, dtype="int64")
            waiting = waiting[~waiting["item_id"].isin(list(but))]
            found = waiting.merge(kept[keys].astype("int64").drop_duplicates(), how="left", indicator=True)
            gone = found.loc[found["_merge"] == "left_only", keys]
            return sum(
                tx.execute(_FORGET, {"store": self._scope.store, **step}).rowcount
                for step in self._steps(gone, None)
            )

    def forget(self, items: Collection[int], *, conn: sa.Connection | None = None) -> int:
        """These items are other records in the store now: nothing is known of them. Returns (item, location) pairs."""
        if not items:
            return 0
        gone = sa.delete(inventory_state).where(
            inventory_state.c.store == self._scope.store, inventory_state.c.item_id.in_(list(items))
        )
        with self._scope.transaction(conn) as tx:
            lock_chain(tx)
            pairs = tx.execute(gone).rowcount
            if pairs:
                about = {"items": len(items), "rows": pairs}
                self._audit.append(tx, "inventory.forgotten", f"store:{self._scope.store}", about)
            return pairs

    def _steps(self, frame: pd.DataFrame, value: str | None) -> list[Mapping[str, Any]]:
        ordered = frame.sort_values(["item_id", "location_id"])
        steps: list[Mapping[str, Any]] = []
        for start in range(0, len(ordered), _STEP_ROWS):
            part = ordered.iloc[start : start + _STEP_ROWS]
            step: dict[str, Any] = {"items": _ints(part["item_id"]), "locations": _ints(part["location_id"])}
            if value is not None:
                step["live"] = _ints(part[value])
                changed = part["changed_at"].tolist() if "changed_at" in part.columns else [None] * len(part)
                step["changed_at"] = [text if isinstance(text, str) else None for text in changed]
            steps.append(step)
        return steps


def _ints(values: pd.Series) -> str:
    return array_text(values.to_numpy(np.int64).tolist())


_NUMBERS = ("item_id", "location_id", "confirmed", "sent", "sent_seq", "live")
_ORIGINS = (None, "adopted", "pushed")
_NO_TIME = np.iinfo(np.int64).min
_YEAR_2000 = 946_684_800_000_000  # microseconds since 1970
# Type on the wire, and expression.
_KNOWN = {
    "item_id": (">i8", "item_id"),
    "location_id": (">i4", "location_id"),
    "confirmed": (">i4", f"coalesce(confirmed, {NEVER})"),
    "sent": (">i4", f"coalesce(sent, {NEVER})"),
    "sent_seq": (">i8", "sent_seq"),
    "live": (">i4", f"coalesce(live, {NEVER})"),
    "changed_at": (
        f"S{_CLOCK_WIDTH}",
        f"case when octet_length(netsuite_changed_at) = {_CLOCK_WIDTH} then netsuite_changed_at "
        f"else rpad(coalesce(netsuite_changed_at, ''), {_CLOCK_WIDTH}) end",
    ),
    "origin": (">i4", f"case origin when '{_ORIGINS[1]}' then 1 when '{_ORIGINS[2]}' then 2 else 0 end"),
    "pending_since": (">i8", "coalesce(pending_since, '-infinity')"),
}
_STATE = inventory_state.fullname
_PAIRS = "unnest(cast(:items as bigint[]), cast(:locations as int[])) as g(item_id, location_id)"
_SEEN = (
    "unnest(cast(:items as bigint[]), cast(:locations as int[]), cast(:live as int[]), "
    "cast(:changed_at as text[])) "
    "as g(item_id, location_id, live, changed_at)"
)
_ADOPT = sa.text(
    f"""
    insert into {_STATE} (store, item_id, location_id, confirmed, confirmed_at, origin, netsuite_changed_at,
        live, live_at)
    select :store, item_id, location_id, live, now(), 'adopted', changed_at, live, now() from {_SEEN}
    order by item_id, location_id
    on conflict (store, item_id, location_id) do nothing
    """
)
_OBSERVE = sa.text(
    f"""
    update {_STATE} s set live = g.live, live_at = now() from {_SEEN}
    where s.store = :store and s.item_id = g.item_id and s.location_id = g.location_id
    """
)
_MARK_PENDING = sa.text(
    f"""
    insert into {_STATE} (store, item_id, location_id, pending_since)
    select :store, item_id, location_id, now() from {_PAIRS} order by item_id, location_id
    on conflict (store, item_id, location_id) do update set pending_since = excluded.pending_since
    where inventory_state.pending_since is null
    """
)
_FORGET = sa.text(
    f"""
    update {_STATE} s set pending_since = null from {_PAIRS}
    where s.store = :store and s.item_id = g.item_id and s.location_id = g.location_id
      and not exists (select from {inventory_change.fullname} c
        where c.store = s.store and c.item_id = s.item_id and c.location_id = s.location_id
          and c.read_seq = s.sent_seq and c.outcome is null)
    """
)
