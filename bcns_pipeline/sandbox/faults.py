"""What can go wrong between a client and a system, on demand.

Put kinds of failure and the choice of calls that they hit here. Do not put a system's ordinary refusals
here: those live beside what is refused. A fault either keeps the call from the system (`before`) or hits
the way back, when the system has already done what it was asked. `late` does both: the client hears nothing, and
the call arrives when the control endpoint says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BEFORE = frozenset({"429", "429_bare", "reset_before", "login_overload", "late"})
AFTER = frozenset({"reset_after", "truncate"})
EITHER = frozenset({"5xx", "timeout", "html"})
KINDS = BEFORE | AFTER | EITHER | {"latency", "stale"}
SYSTEMS = frozenset({"bigcommerce", "netsuite", "stripe"})


@dataclass(slots=True)
class Fault:
    """One failure that waits for `times` matching calls (`None`: for all), after letting `skip` of them pass.

    `after_commit` moves a kind that may strike on either side of the work behind it.
    """

    system: str
    kind: str
    path: re.Pattern[str]
    method: str | None = None
    times: int | None = 1
    skip: int = 0
    status: int = 503
    ms: float = 1000.0
    after_commit: bool = False
    hits: int = 0

    @property
    def strikes_after(self) -> bool:
        """Whether the system has done its work when this fault strikes."""
        return self.kind in AFTER or (self.kind in EITHER and self.after_commit)


def parse_fault(raw: Mapping[str, Any]) -> Fault:
    """A fault from the control endpoint's JSON; `ValueError` says in one sentence what is wrong with it."""
    known = {"system", "kind", "path_regex", "method", "times", "skip", "status", "ms", "after_commit"}
    if unknown := sorted(set(raw) - known):
        raise ValueError(f"A fault has no field {unknown[0]!r}; it has {', '.join(sorted(known))}.")
    system, kind = str(raw.get("system", "")), str(raw.get("kind", ""))
    if system not in SYSTEMS:
        raise ValueError(f"A fault's system is bigcommerce, netsuite or stripe, not {system!r}.")
    if kind not in KINDS:
        raise ValueError(f"There is no fault of kind {kind!r}; there are {', '.join(sorted(KINDS))}.")
    if kind == "stale" and system != "bigcommerce":
        raise ValueError("Only bigcommerce can answer stale reads.")
    if kind == "login_overload" and system != "netsuite":
        raise ValueError("Only netsuite dresses overload up as a failed login.")
    times = raw.get("times", 1)
    method = raw.get("method")
    return Fault(
        system=system,
        kind=kind,
        path=re.compile(str(raw.get("path_regex", ""))),
        method=None if method is None else str(method).upper(),
        times=None if times is None else int(times),
        skip=int(raw.get("skip", 0)),
        status=int(raw.get("status", 503)),
        ms=float(raw.get("ms", 1000.0)),
        after_commit=bool(raw.get("after_commit", False)),
    )


class FaultBook:
    """The faults that are set. Those that have struck often enough drop out by themselves."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Set more faults, behind those that are set already."""
        self._faults.extend(faults)

    def clear(self) -> None:
        """No more faults."""
        self._faults.clear()

    def open(self) -> list[dict[str, Any]]:
        """What is still set, for the control endpoint."""
        return [
            {
                "system": f.system,
                "kind": f.kind,
                "path_regex": f.path.pattern,
                "times": f.times,
                "hits": f.hits,
            }
            for f in self._faults
        ]

    def take(self, system: str, method: str, path: str) -> list[Fault]:
        """The faults that strike this call; each use is counted."""
        if not self._faults:
            return []
        struck = []
        for fault in self._faults:
            if fault.system != system or (fault.method is not None and fault.method != method):
                continue
            if not fault.path.search(path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            struck.append(fault)
        self._faults = [f for f in self._faults if f.times is None or f.times > 0]
        return struck
