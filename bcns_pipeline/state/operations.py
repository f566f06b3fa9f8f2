"""What an operation is: one intended call that writes, and the audit row of an event in its life.

Put types here that the outbox shares with those who build on it. Do not put SQL here, nor transitions
(`outbox.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bcns_pipeline.state.audit import Entry, Evidence
from bcns_pipeline.state.scope import digest

OPEN = ("planned", "sending", "held", "ambiguous")
# It may have reached the other side.
ON_ITS_WAY = ("sending", "ambiguous")


class Overtaken(Exception):
    """The operation is not (any more) in the state, attempt and hands that the caller believes."""


class SelfApproval(Exception):
    """Whoever staged an operation by hand does not approve it (design 5.13)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One intended call that writes, as it was when read. `attempts` counts claims and guards transitions.

    Operations of one `group_key` are sent in the order of their ids. `amount_minor` are minor units of
    `currency`; `staged_by` is the person who staged it by hand, None for the pipeline.
    """

    id: int
    store: str
    flow: str
    kind: str
    natural_key: str
    plan_id: int | None
    run_id: str
    payload: Mapping[str, Any] = field(repr=False)
    state: str
    attempts: int
    worker: int | None
    answer: Mapping[str, Any] | None = field(repr=False)
    reason: str | None
    staged_at: datetime
    sending_at: datetime | None
    settled_at: datetime | None
    group_key: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    staged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What `stage` writes down. With `subject` (a shopper's keyed hash) the payload is stored encrypted."""

    kind: str
    natural_key: str
    payload: Mapping[str, Any] = field(repr=False)
    plan_id: int | None = None
    evidence: Evidence | None = None
    subject: str | None = None
    group_key: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One transition of many (`Outbox.move_many`): `op` as it was read becomes `state`.

    `event` names the audit row where it is not the state's name. `answer` is stored in clear: ids and counts
    only.
    """

    op: Operation
    state: str
    reason: str | None = None
    answer: Mapping[str, Any] | None = field(default=None, repr=False)
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """The open operations that are sent one after the other. `first_id` is the one that all others wait for."""

    key: str
    first_id: int
    operations: int
    states: Mapping[str, int]


def entry_for(op: Operation, event: str, evidence: Evidence | None = None, **facts: Any) -> Entry:
    """The audit row of one event in the life of `op`; the digest of an answer stands for the answer."""
    body: dict[str, Any] = {
        "flow": op.flow,
        "kind": op.kind,
        "natural_key": op.natural_key,
        "attempt": op.attempts,
        "worker": str(op.worker) if op.worker is not None else None,
    }
    answer = facts.pop("answer", None)
    if answer is not None:
        body["answer_digest"] = digest(answer)
    payload = facts.pop("payload", None)
    if payload is not None:
        body["payload_digest"] = payload
    body.update({name: value for name, value in facts.items() if value is not None})
    return Entry(f"operation.{event}", f"operation:{op.id}", body, evidence)
