"""What a drain is told and what it tells: how to send a kind of operation, how each ended, why it stopped.

Put the types of `dispatch.py` here. Do not put here what any of it leads to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bcns_pipeline.outcomes import (
    Outcome,
    OutsideError,
    RateLimited,
    Refused,
    System,
    Unauthorised,
    Unavailable,
)
from bcns_pipeline.state.operations import Operation

# NetSuite takes about 1,000 values in an IN list; half of that leaves room for a second one in the query.
LOOK_UP_BATCH = 500
DUPLICATE = "DUPLICATE"
ERASED = Refused(0, "ERASED", "the shopper was erased before this was sent")


@dataclass(frozen=True, slots=True)
class Sender:
    """How operations of one kind are sent and found again.

    `send` makes the one call that writes, for an operation and its payload in clear, in any thread. `look_up`
    answers by natural key for operations whose `payload` is in clear: the record's id, or None where the write
    did not happen; a key that is left out is unknown, and its operation stays in doubt. It may raise
    OutsideError. `leads`: what follows in the group needs this one, and is given up where it is refused.
    `settle_seconds`: so long the other side may still work on a call that ended in doubt. `keep` are fields of
    the answer to be stored in clear beside the id: never personal data.
    """

    kind: str
    send: Callable[[Operation, Mapping[str, Any]], Outcome]
    look_up: Callable[[Sequence[Operation]], Mapping[str, str | None]]
    leads: bool = False
    settle_seconds: float = 0.0
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The end of one operation; `op` is as it stands now: confirmed, failed or superseded.

    `outcome` is Sent (with `adopted` where the record was found and not made just now) or Refused (its detail
    masked); None for one that was given up because `because`, the leader of its group, was refused.
    """

    op: Operation
    outcome: Outcome | None
    record_id: str | None
    payload: Mapping[str, Any] = field(repr=False)
    adopted: bool = False
    because: "Settled | None" = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one claimed operation. `outcome` None: it was not sent, because the drain stopped."""

    op: Operation
    payload: Mapping[str, Any] = field(repr=False)
    outcome: Outcome | None
    adopted: bool = False
    sent: int = 0
    look_ups: int = 0
    kept: Mapping[str, Any] = field(default_factory=dict)
    error: BaseException | None = None

    def settled(self, now: Operation) -> Settled:
        """As the flow is told of it, with the operation as it stands now."""
        record_id = getattr(self.outcome, "record_id", None)
        return Settled(now, self.outcome, record_id, self.payload, self.adopted)


class Why(StrEnum):
    """Why a drain left operations unsent."""

    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    UNREACHABLE = "unreachable"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Stop:
    """The drain stopped early. `said` is one sentence; `error` what the other side said, where it did."""

    why: Why
    said: str
    error: OutsideError | Refused | RateLimited | None = None


@dataclass(slots=True)
class Dispatched:
    """What a drain did. `left` operations are planned still: unsent, or waiting for one of their group.

    `refused` and `stranded` are told to `on_settled` too; `doubtful` ones are looked up by the next drain.
    `sends` and `look_ups` count calls of the senders; `released` how often a claim was given back unsent.
    """

    confirmed: int = 0
    adopted: int = 0
    refused: list[tuple[Operation, Refused]] = field(default_factory=list)
    stranded: list[Operation] = field(default_factory=list)
    doubtful: list[Operation] = field(default_factory=list)
    released: int = 0
    left: int = 0
    sends: int = 0
    look_ups: int = 0
    seconds: float = 0.0
    stop: Stop | None = None

    def count(self, settled: Sequence[Settled]) -> None:
        """Add the ends of operations."""
        for one in settled:
            if isinstance(one.outcome, Refused):
                self.refused.append((one.op, one.outcome))
            elif one.outcome is None:
                self.stranded.append(one.op)
            elif one.adopted:
                self.adopted += 1
            else:
                self.confirmed += 1

    @property
    def sentence(self) -> str:
        """The drain in one line."""
        parts = [f"{self.confirmed:,} written"]
        for count, what in (
            (self.adopted, "found there already"),
            (len(self.refused), "refused"),
            (len(self.stranded), "given up with what they need"),
            (len(self.doubtful), "in doubt"),
            (self.left, "left"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return "; ".join(parts) + (f"; stopped: {self.stop.said}" if self.stop else "")

    def raise_if_stopped(self, system: System, operation: str) -> None:
        """Unauthorised or Unavailable where the other side stopped the drain; nothing where the budget did."""
        if self.stop is None or self.stop.why is Why.BUDGET:
            return
        error = self.stop.error
        if isinstance(error, OutsideError):
            raise error
        if self.stop.why is Why.UNAUTHORISED and isinstance(error, Refused):
            raise Unauthorised(system, operation, error.status, error.code, error.detail)
        raise Unavailable(system, operation, self.stop.said)
