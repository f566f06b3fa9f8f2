"""The API cost ledger: how many calls a run made, of which kind, and how long they took.

Put counting and flushing here. Do not put budgets here: the flows judge them. Counting is a dictionary in
memory; the database sees one row per kind of call at the end of a step.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from bcns_pipeline.outcomes import Call, System
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.tables import api_usage


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of one kind. `status` is the HTTP status as text, "none" where no answer arrived."""

    system: System
    operation: str
    status: str
    calls: int
    seconds: float


class UsageMeter:
    """Counts calls of this process; safe to use from many threads. Implements `outcomes.Meter`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[System, str, str], list[float]] = defaultdict(lambda: [0, 0.0])

    def record(self, call: Call) -> None:
        """Count one HTTP exchange."""
        status = "none" if call.status is None else str(call.status)
        with self._lock:
            count = self._counts[call.system, call.operation, status]
            count[0] += 1
            count[1] += call.seconds

    def snapshot(self) -> list[Usage]:
        """What was counted since the last flush, ordered."""
        with self._lock:
            counted = {key: tuple(value) for key, value in self._counts.items()}
        return [
            Usage(system, operation, status, int(calls), seconds)
            for (system, operation, status), (calls, seconds) in sorted(counted.items())
        ]

    def take(self) -> list[Usage]:
        """As `snapshot`, and begin anew."""
        with self._lock:
            counted, self._counts = self._counts, defaultdict(lambda: [0, 0.0])
        return [
            Usage(system, operation, status, int(calls), seconds)
            for (system, operation, status), (calls, seconds) in sorted(counted.items())
        ]


class UsageLedger:
    """The table behind the meters."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def flush(self, meter: UsageMeter, flow: str, *, conn: sa.Connection | None = None) -> list[Usage]:
        """Add what the meter counted to this run and flow, and start it anew; returns what was added."""
        taken = meter.take()
        if taken:
            rows = [
                {
                    "run_id": self._scope.run_id,
                    "flow": flow,
                    "system": usage.system.value,
                    "operation": usage.operation,
                    "status": usage.status,
                    "calls": usage.calls,
                    "seconds": Decimal(str(round(usage.seconds, 3))),
                }
                for usage in taken
            ]
            insert = sa.dialects.postgresql.insert(api_usage)
            added = insert.on_conflict_do_update(
                index_elements=["run_id", "flow", "system", "operation", "status"],
                set_={
                    "calls": api_usage.c.calls + insert.excluded.calls,
                    "seconds": api_usage.c.seconds + insert.excluded.seconds,
                    "last_at": sa.func.now(),
                },
            )
            with self._scope.transaction(conn) as tx:
                tx.execute(added, rows)
        return taken

    def of_run(self, run_id: str, flow: str | None = None) -> list[Usage]:
        """What a run (and flow) has cost so far."""
        query = sa.select(api_usage).where(api_usage.c.run_id == run_id)
        if flow is not None:
            query = query.where(api_usage.c.flow == flow)
        order = (api_usage.c.system, api_usage.c.operation, api_usage.c.status)
        with self._scope.transaction() as tx:
            return [
                Usage(System(row.system), row.operation, row.status, row.calls, float(row.seconds))
                for row in tx.execute(query.order_by(*order))
            ]
