"""One operation's call, made in a thread: looked up first where it was tried before, and what its answer means.

Put here what happens between a claim and its settling. Do not put here anything that touches the outbox: the
drain's own thread does that. What a refusal repeats of a shopper is masked here, before anybody sees it.
"""

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bcns_pipeline.defs.dispatch_models import DUPLICATE, Answer, Sender
from bcns_pipeline.outcomes import (
    Ambiguous,
    Outcome,
    OutsideError,
    Refused,
    Rejected,
    Sent,
    Unauthorised,
)
from bcns_pipeline.rules.scrub import scrub
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.worker import Worker, WorkerLost


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed operation to be sent, its payload in clear."""

    op: Operation
    payload: Mapping[str, Any] = field(repr=False)
    sender: Sender
    look_up_first: bool = False


def send(errand: Errand, worker: Worker, halt: threading.Event, answers: "queue.SimpleQueue[Answer]") -> None:
    """Send, unless the drain was halted or our identity is lost; the answer goes into the queue, whatever it is."""
    try:
        answer = _send(errand, worker, halt)
    except BaseException as error:  # a thread that ends without an answer would be waited for in vain
        reason = f"a fault of our own while it was sent: {type(error).__name__}"
        answer = Answer(errand.op, errand.payload, Ambiguous(reason), sent=1, error=error)
    answers.put(answer)


def _send(errand: Errand, worker: Worker, halt: threading.Event) -> Answer:
    op, payload, sender = errand.op, errand.payload, errand.sender
    if halt.is_set():
        return Answer(op, payload, None)
    looked_up = 0
    if errand.look_up_first:
        looked_up = 1
        there = _found(errand)
        if there is not None:
            return replace(there, look_ups=1)
    try:
        # The last moment: after a lost session somebody else may be looking this operation up.
        worker.assert_alive()
    except WorkerLost as lost:
        halt.set()
        return Answer(op, payload, None, look_ups=looked_up, error=lost)
    outcome = _outcome(sender, op, payload)
    if isinstance(outcome, Refused) and outcome.code == DUPLICATE:
        looked_up += 1
        there = _found(errand)
        if there is not None:
            return replace(there, sent=1, look_ups=looked_up)
    kept: Mapping[str, Any] = {}
    if isinstance(outcome, Sent):
        kept = {name: outcome.answer[name] for name in sender.keep if name in outcome.answer}
    elif isinstance(outcome, Refused):
        outcome = _masked(outcome, payload)
    elif isinstance(outcome, Ambiguous) and outcome.refused is not None:
        outcome = Ambiguous(scrub(outcome.reason, payload), _masked(outcome.refused, payload))
    return Answer(op, payload, outcome, sent=1, look_ups=looked_up, kept=kept)


def _masked(refused: Refused, payload: Mapping[str, Any]) -> Refused:
    named = tuple(scrub(name, payload) for name in refused.named)
    return replace(refused, detail=scrub(refused.detail, payload), named=named)


def _outcome(sender: Sender, op: Operation, payload: Mapping[str, Any]) -> Outcome:
    """What `send` says. A sender that reads before it writes may raise what a read raises."""
    try:
        return sender.send(op, payload)
    except Unauthorised as error:
        return Refused(error.status if error.status in {401, 403} else 401, error.code, error.detail)
    except Rejected as error:
        return Refused(error.status, error.code, error.detail)
    except OutsideError as error:
        return Ambiguous(error.message)


def _found(errand: Errand) -> Answer | None:
    """The answer where the look-up ends the matter: found, or not to be known now. None: it is not there."""
    op, payload = errand.op, errand.payload
    try:
        found = errand.sender.look_up([replace(op, payload=payload)])
    except OutsideError as error:
        return Answer(op, payload, Ambiguous(f"it could not be looked up: {error.message}"))
    if op.natural_key not in found:
        return Answer(op, payload, Ambiguous("the other side could not say whether it is there"))
    record_id = found[op.natural_key]
    if record_id is None:
        return None
    return Answer(op, payload, Sent(record_id=record_id), adopted=True)
