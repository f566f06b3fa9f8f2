"""What others do to records: workflow locks, concurrent edits, scripts that change a record after its save.

Put the happenings here, with how often they strike. Do not put what a script's change means for a type here
(sales.py). Sources: facts/netsuite.md 3.6, 3.7 and 4, facts/finance.md 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.sandbox.netsuite.errors import Refused, changed, locked


@dataclass(slots=True)
class Script:
    """A user-event script on a record type (lower case).

    `refuse` makes it throw before the save. Else it changes the record after the save: `body` sets properties,
    `add` appends a line, `line` changes the line at `place`. It runs `times` times, None for ever, and only for
    records whose external id contains `match`.
    """

    record: str
    times: int | None = 1
    match: str = ""
    refuse: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, Any] = field(default_factory=dict)
    line: Mapping[str, Any] = field(default_factory=dict)
    place: int = 0


@dataclass(slots=True)
class DepositFailure:
    """The next `times` invoices whose external id contains `match` are made, and answered as if they were not.

    Seen in production: NetSuite makes an invoice of an order with a deposit, fails to apply the deposit by itself,
    and says so with a 400.
    """

    times: int
    match: str = ""


@dataclass(slots=True)
class Conflict:
    """The next `times` changes of a record type (or of one record) meet a concurrent edit."""

    record: str
    number: int | None
    times: int


class Interference:
    """Everything that is in the way."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.conflicts: list[Conflict] = []
        self.deposit_failures: list[DepositFailure] = []
        self.locks: set[tuple[str, int]] = set()

    def clear(self) -> None:
        """A quiet account."""
        self.scripts.clear()
        self.conflicts.clear()
        self.deposit_failures.clear()
        self.locks.clear()

    def check(self, record: str, number: int | None, external: str | None, *, reading: bool = False) -> None:
        """Refuse what a lock, a concurrent edit or a script forbids. A lock bites on GET too."""
        if number is not None and (record.lower(), number) in self.locks:
            raise locked()
        if reading:
            return
        for conflict in self.conflicts:
            if conflict.record == record.lower() and conflict.number in (None, number) and number is not None:
                conflict.times -= 1
                self.conflicts = [one for one in self.conflicts if one.times > 0]
                raise changed()
        for script in self.take(record, external, throwing=True):
            raise Refused("USER_ERROR", script.refuse)

    def take(self, record: str, external: str | None, *, throwing: bool = False) -> list[Script]:
        """The scripts that run now; each run is counted."""
        found = [
            script
            for script in self.scripts
            if script.record == record.lower()
            and bool(script.refuse) is throwing
            and script.match in (external or "")
            and script.times != 0
        ]
        for script in found:
            if script.times is not None:
                script.times -= 1
        self.scripts = [script for script in self.scripts if script.times != 0]
        return found

    def fails_deposit(self, external: str | None) -> bool:
        """Whether an invoice that was just made is answered with a failure; each time is counted."""
        found = next((one for one in self.deposit_failures if one.match in (external or "")), None)
        if found is None:
            return False
        found.times -= 1
        self.deposit_failures = [one for one in self.deposit_failures if one.times > 0]
        return True
