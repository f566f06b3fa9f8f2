"""What an outside call can end in, and what every outside call must pass.

Put the vocabulary here that clients, state and flows share without importing each other. Do not put HTTP,
SQL or Dagster here. A *write* returns one of four outcomes and never raises for what the other side
answered; a *read* returns data or raises an `OutsideError`, because unknown is not empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class System(StrEnum):
    """The outside systems that we talk to; the Gate and the Meter count by it."""

    BIGCOMMERCE = "bigcommerce"
    NETSUITE = "netsuite"
    PAYMENTS = "payments"
    ALERTS = "alerts"


class Lane(StrEnum):
    """Bulk work leaves some slots of a system free, which the fast lane may always use.

    The last lane is for what can wait: of a quota that is counted by time it leaves a part to all others.
    """

    BULK = "bulk"
    FAST = "fast"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it. `answer` is what it said (parsed JSON), `record_id` the id it gave, if any."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side said no, and would say no again. `named` are the identities its text names."""

    status: int
    code: str
    detail: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may or may not have happened: time-out, reset, 5xx, unreadable answer. Look the key up, never resend.

    `refused` is the refusal where the answer was one that has been seen to come with the work done all the same:
    it is believed once a look-up shows that nothing happened.
    """

    reason: str
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Nothing happened; the other side asks for patience longer than the transport is willing to wait."""

    retry_after_seconds: float | None = None


Outcome = Sent | Refused | Ambiguous | RateLimited


class OutsideError(Exception):
    """A read that did not give data. Tree: OutsideError > Unavailable | Rejected > Unauthorised.

    `system` and `operation` ("GET /v3/inventory/items") say where, the text says what; no secret and no
    personal data is ever part of either.
    """

    def __init__(self, system: System, operation: str, message: str) -> None:
        super().__init__(f"{system}: {operation}: {message}")
        self.system = system
        self.operation = operation
        self.message = message


class Unavailable(OutsideError):
    """Transient: retries were used up (overload, 5xx, time-out, 429). A later run may succeed."""


class Rejected(OutsideError):
    """Permanent: the same request would be refused again. Carries status, code and the refusing text."""

    def __init__(self, system: System, operation: str, status: int, code: str, detail: str) -> None:
        super().__init__(system, operation, f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class Unauthorised(Rejected):
    """Credentials are wrong, revoked or lack a scope or permission: a person has to act."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP exchange as the Meter sees it. `status` is None where no answer arrived; `seconds` is wall time."""

    system: System
    operation: str
    status: int | None
    seconds: float
    attempt: int = 1


class Gate(Protocol):
    """May I call now? Blocks until one of our slots of that system is free, across processes."""

    def admit(self, system: System) -> AbstractContextManager[None]:
        """Hold one slot of `system` for the length of the block."""
        ...


class Meter(Protocol):
    """A call was made. Called once per HTTP exchange, retries included; must be cheap and thread-safe."""

    def record(self, call: Call) -> None:
        """Count `call`."""
        ...
