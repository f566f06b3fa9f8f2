"""The other side of a drain in these tests: records by key, made anew by each call, as one without keys would.

Put the double of an outside system here, and how a test makes it misbehave. Do not put expectations here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.defs.dispatch_models import Sender
from bcns_pipeline.outcomes import Outcome, OutsideError, Sent
from bcns_pipeline.state.operations import Operation

FLOW, KIND, LEADER = "orders", "sales_order", "customer"


@dataclass
class FarSide:
    """Each call makes a record. `answers` hold for one key what its next calls answer, first come, first served.

    An entry is an outcome (nothing happened), or a function that gets `make` and returns the outcome.
    """

    seconds: float = 0.0
    records: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[Outcome | Callable[[Callable[[], Outcome]], Outcome]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calls: list[str] = field(default_factory=list)
    look_ups: list[list[str]] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    broken: OutsideError | None = None
    groups_at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0
    crossed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, op: Operation, payload: Mapping[str, Any]) -> Outcome:
        group = op.group_key or op.natural_key
        with self.lock:
            self.calls.append(op.natural_key)
            self.groups_at_once[group] += 1
            if self.groups_at_once[group] > 1:
                self.crossed.append(group)
            self.most_at_once = max(self.most_at_once, sum(self.groups_at_once.values()))
            answers = self.answers[op.natural_key]
            answer = answers.pop(0) if answers else None
        try:
            time.sleep(self.seconds)
            if answer is None:
                return self.make(op.natural_key)
            return answer(lambda: self.make(op.natural_key)) if callable(answer) else answer
        finally:
            with self.lock:
                self.groups_at_once[group] -= 1

    def make(self, key: str) -> Outcome:
        with self.lock:
            made = f"id-{key}-{len(self.records[key]) + 1}"
            self.records[key].append(made)
        return Sent(record_id=made)

    def look_up(self, ops: Sequence[Operation]) -> Mapping[str, str | None]:
        with self.lock:
            self.look_ups.append([op.natural_key for op in ops])
            if self.broken is not None:
                raise self.broken
            keys = [op.natural_key for op in ops if op.natural_key not in self.unknown]
            return {key: self.records[key][0] if self.records[key] else None for key in keys}

    def sender(self, kind: str = KIND, **options: Any) -> Sender:
        return Sender(kind, self.send, self.look_up, **options)

    @property
    def made(self) -> dict[str, int]:
        """How many records there are by key; keys without any are left out."""
        return {key: len(made) for key, made in self.records.items() if made}
