"""The drain: sends what a flow has staged, each operation once, and writes down how each call ended.

Put here when an operation is claimed, sent, looked up and settled; every flow but stock uses it. Do not put
here what a call looks like or what its end means to the flow: that is in the `Sender`s and in `on_settled`.

One thread owns the database: in each turn it settles what has come back and claims what comes next, in one
transaction; others only send. So a process that dies leaves rows that say `sending`, whose worker's lock is
free: the next drain looks them up by natural key before anything is sent again. Of a group, the next operation
is claimed only when the one before it is settled, whichever process has it.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bcns_pipeline.defs.dispatch_models import (
    ERASED,
    LOOK_UP_BATCH,
    Answer,
    Dispatched,
    Sender,
    Settled,
    Stop,
    Why,
)
from bcns_pipeline.defs.dispatch_send import Errand, send
from bcns_pipeline.outcomes import Ambiguous, Lane, OutsideError, RateLimited, Refused, Sent, Unauthorised
from bcns_pipeline.resources.connections import RESERVED_FOR_FAST_LANE, Connections
from bcns_pipeline.state.operations import Move, Operation
from bcns_pipeline.state.worker import Worker, WorkerLost

# An operation whose call ends in doubt twice in one drain is left to the next one.
TRIES = 2
# So many operations wait, claimed, for a free thread: they bridge the few ms of a turn.
AHEAD = 1
# Threads beyond the slots: while one reads its answer, another one has its request on the way. The Gate alone
# bounds calls.
SPARE_THREADS = 2
PROGRESS_SECONDS = 3.0


def dispatch(
    connections: Connections,
    flow: str,
    senders: Sequence[Sender],
    *,
    lane: Lane = Lane.BULK,
    parallel: int | None = None,
    budget_seconds: float | None = None,
    on_settled: Callable[[Sequence[Settled], Any], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Dispatched:
    """Send every operation of `flow` whose kind has a sender, leftovers of dead processes included.

    `parallel` calls at once; by default as many as the lane has NetSuite slots. After `budget_seconds` no new
    call is begun. `on_settled` is told of the ends of operations inside the transaction that writes them: what
    it does with `conn` (the second argument, for the state's methods) holds exactly where the end does.

    A rate limit, refused credentials, an outside system that can't be reached and a used-up budget stop the
    drain and leave the rest `planned`: see `Dispatched.stop` and `raise_if_stopped`. Raises `WorkerLost` where
    the database took our identity back, and what a sender raised by a fault of its own, once all others ended.
    """
    slots = parallel or _slots(connections, lane)
    drain = _Drain(connections, flow, senders, slots, budget_seconds, on_settled, progress)
    with connections.state.worker() as worker:
        return drain.run(worker)


def _slots(connections: Connections, lane: Lane) -> int:
    slots = connections.settings.require("netsuite").concurrency
    return slots - min(RESERVED_FOR_FAST_LANE, slots - 1) if lane is Lane.BULK else slots


class _Drain:
    """The memory of one drain. Only the thread that runs it touches the database, and its own fields."""

    def __init__(
        self,
        connections: Connections,
        flow: str,
        senders: Sequence[Sender],
        parallel: int,
        budget_seconds: float | None,
        on_settled: Callable[[Sequence[Settled], Any], None] | None,
        progress: Callable[[str], None] | None,
    ) -> None:
        self._state = connections.state
        self._flow = flow
        self._senders = {sender.kind: sender for sender in senders}
        self._parallel = parallel
        self._until = None if budget_seconds is None else time.monotonic() + budget_seconds
        self._on_settled = on_settled or (lambda _settled, _conn: None)
        self._say = progress or (lambda _text: None)
        self._said = time.monotonic()
        self._begun = time.monotonic()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._flying = 0
        self._halt = threading.Event()
        self._done = Dispatched()
        self._errors: list[BaseException] = []
        # Looked up before they were claimed, in the attempt given: absent ones may be sent, found ones are done.
        self._absent: dict[int, int] = {}
        self._found: dict[int, tuple[int, str]] = {}
        self._tries: dict[int, int] = {}
        # What was said of operations in doubt; true once a look-up does not find them.
        self._refusals: dict[int, Refused] = {}

    def run(self, worker: Worker) -> Dispatched:
        try:
            self._look_at_leftovers()
            threads = self._parallel + SPARE_THREADS
            with ThreadPoolExecutor(threads, thread_name_prefix=f"send-{self._flow}") as pool:
                try:
                    self._drain(worker, pool)
                    while not self._stopped() and self._resolve_doubts():
                        self._drain(worker, pool)
                except BaseException:
                    # Whatever it was: what is on its way is waited for and written down, what is not is given back.
                    self._halt.set()
                    while self._flying:
                        self._turn(worker, claim=False)
                    raise
        except WorkerLost as lost:
            self._errors.insert(0, lost)
        if self._errors:
            raise self._errors[0]
        return self._finished()

    def _stopped(self) -> bool:
        if self._until is not None and time.monotonic() >= self._until:
            self._stop(Why.BUDGET, "the time for this run is used up")
        return self._halt.is_set()

    def _stop(self, why: Why, said: str, error: OutsideError | Refused | RateLimited | None = None) -> None:
        self._halt.set()
        if self._done.stop is None:
            self._done.stop = Stop(why, said, error)

    def _drain(self, worker: Worker, pool: ThreadPoolExecutor) -> None:
        while True:
            for errand in self._turn(worker, claim=not self._stopped()):
                self._flying += 1
                self._tries[errand.op.id] = self._tries.get(errand.op.id, 0) + 1
                pool.submit(send, errand, worker, self._halt, self._answers)
            if not self._flying:
                return

    def _turn(self, worker: Worker, *, claim: bool) -> list[Errand]:
        """Settle what has come back, claim what comes next: one transaction, waiting for an answer if any flies."""
        answers = self._collect()
        errands: list[Errand] = []
        with self._state.scope.transaction() as tx:
            room = self._parallel * (1 + AHEAD) - self._flying if claim else 0
            settled, claimed = self._settle(answers, tx, worker, room)
            while claimed:
                sendable, ended = self._sort(claimed, tx)
                errands += sendable
                room -= len(sendable)
                # What ended without a call makes room for others, or for the next of its group.
                more, claimed = self._settle(ended, tx, worker, room) if ended else ([], [])
                settled += more
            if settled:
                self._on_settled(settled, tx)
        self._done.count(settled)
        self._tell()
        return errands

    def _collect(self) -> list[Answer]:
        answers: list[Answer] = []
        if self._flying:
            answers.append(self._answers.get())
            while not self._answers.empty():
                answers.append(self._answers.get())
            self._flying -= len(answers)
        return answers

    def _settle(
        self, answers: Sequence[Answer], tx: Any, worker: Worker | None = None, room: int = 0
    ) -> tuple[list[Settled], list[Operation]]:
        """Write down how calls ended, and claim up to `room` operations that come next.

        What another process has taken over meanwhile is left to it.
        """
        outbox, kinds = self._state.outbox, list(self._senders)
        moves = [self._move_of(answer) for answer in answers]
        # What waits for a refused leader is given up before anything is claimed.
        strands = any(move.state == "failed" and self._senders[move.op.kind].leads for move in moves)
        moved, claimed = (
            (outbox.move_many(moves, conn=tx), [])
            if strands or worker is None
            else outbox.turn(worker, self._flow, kinds, moves, room, conn=tx)
        )
        now = {op.id: op for op in moved}
        settled = [
            answer.settled(now[answer.op.id])
            for answer in answers
            if answer.op.id in now and now[answer.op.id].state in ("confirmed", "failed")
        ]
        if strands:
            settled += self._strand(settled, tx)
            if worker is not None and room:
                claimed = outbox.claim(worker, self._flow, kinds, room, conn=tx)
        return settled, claimed

    def _move_of(self, answer: Answer) -> Move:
        op, outcome = answer.op, answer.outcome
        self._done.sends += answer.sent
        self._done.look_ups += answer.look_ups
        if answer.error is not None:
            self._errors.append(answer.error)
        match outcome:
            case None:
                self._done.released += 1
                return Move(op, "planned", "not sent: the drain stopped", event="released")
            case Sent(record_id=record_id):
                reason = "looked up: it was there" if answer.adopted else None
                return Move(op, "confirmed", reason, {"id": record_id, **answer.kept})
            case Ambiguous(reason, refused):
                if refused is not None:
                    self._refusals[op.id] = refused
                return Move(op, "ambiguous", reason)
            case RateLimited(seconds):
                self._done.released += 1
                self._stop(Why.RATE_LIMITED, f"{op.kind}: asked to wait {seconds or 'some'} seconds", outcome)
                return Move(op, "planned", "the other side asked to wait", event="released")
            case Refused() if outcome.status in {401, 403} or outcome.code == "NOT_SENT":
                self._done.released += 1
                why = Why.UNREACHABLE if outcome.code == "NOT_SENT" else Why.UNAUTHORISED
                self._stop(why, f"{op.kind}: {outcome.status} {outcome.code}: {outcome.detail}", outcome)
                return Move(op, "planned", f"{outcome.status} {outcome.code}", event="released")
            case Refused():
                return Move(op, "failed", f"{outcome.status} {outcome.code}: {outcome.detail}")

    def _strand(self, settled: Sequence[Settled], tx: Any) -> list[Settled]:
        """What waited in the group of a leader that was refused can't be sent either: it is `superseded`."""
        stranded: list[Settled] = []
        outbox = self._state.outbox
        for leader in settled:
            if leader.op.state == "confirmed" or not self._senders[leader.op.kind].leads:
                continue
            if leader.op.group_key is None:
                continue
            followers = outbox.find(
                flow=self._flow, group_key=leader.op.group_key, states=("planned",), conn=tx
            )
            moves = [
                Move(op, "superseded", f"it needs {leader.op.natural_key}, which was refused")
                for op in followers
                if op.id > leader.op.id
            ]
            moved = outbox.move_many(moves, conn=tx)
            payloads = outbox.payloads(moved, conn=tx)
            stranded += [
                Settled(op, None, None, payload or {}, because=leader)
                for op, payload in zip(moved, payloads, strict=True)
            ]
        return stranded

    def _sort(self, claimed: Sequence[Operation], tx: Any) -> tuple[list[Errand], list[Answer]]:
        """Of what was just claimed: what is to be sent, and what is there already or can't be opened."""
        errands: list[Errand] = []
        ended: list[Answer] = []
        payloads = self._state.outbox.payloads(claimed, conn=tx)
        for op, payload in zip(claimed, payloads, strict=True):
            found = self._found.pop(op.id, None)
            if found is not None and found[0] == op.attempts - 1:
                ended.append(Answer(op, payload or {}, Sent(record_id=found[1]), adopted=True))
            elif payload is None:
                ended.append(Answer(op, {}, ERASED))
            else:
                looked_up = op.attempts == 1 or self._absent.pop(op.id, 0) == op.attempts - 1
                errands.append(Errand(op, payload, self._senders[op.kind], look_up_first=not looked_up))
        return errands, ended

    # --- looking up ----------------------------------------------------------------------------------

    def _look_at_leftovers(self) -> None:
        """What dead workers were sending, and what was tried before: looked up in batches before all else."""
        outbox, kinds = self._state.outbox, list(self._senders)
        doubtful = [op for op in outbox.recover(self._flow) if op.kind in self._senders]
        self._wait_for_the_other_side(doubtful)
        self._settle_looked_up(doubtful)
        tried = outbox.find(flow=self._flow, kinds=kinds, states=("planned",), attempted=True)
        # What was looked up just now need not be looked up again.
        tried = [op for op in tried if self._absent.get(op.id) != op.attempts]
        for op, record_id in self._look_up(tried):
            if record_id is None:
                self._absent[op.id] = op.attempts
            else:
                self._found[op.id] = (op.attempts, record_id)

    def _resolve_doubts(self) -> bool:
        """Look up what ended in doubt; True where anything may be sent again, or followers may go on."""
        doubtful = [op for op in self._state.outbox.recover(self._flow) if op.kind in self._senders]
        mine = [op for op in doubtful if op.id in self._tries]
        self._wait_for_the_other_side(mine)
        return self._settle_looked_up(mine) > 0

    def _settle_looked_up(self, doubtful: Sequence[Operation]) -> int:
        """Found is confirmed, absent was refused where that was said, else is planned again (up to `TRIES`).

        What the other side does not know stays. Returns how many moved.
        """
        looked_up = self._look_up(doubtful)
        answers: list[Answer] = []
        moves: list[Move] = []
        payloads = self._state.outbox.payloads([op for op, _ in looked_up])
        for (op, record_id), payload in zip(looked_up, payloads, strict=True):
            if record_id is not None:
                answers.append(Answer(op, payload or {}, Sent(record_id=record_id), adopted=True))
            elif (refused := self._refusals.pop(op.id, None)) is not None:
                answers.append(Answer(op, payload or {}, refused))
            elif self._tries.get(op.id, 0) < TRIES:
                self._absent[op.id] = op.attempts
                moves.append(Move(op, "planned", "looked up: it was not there", event="released"))
        if not answers and not moves:
            return 0
        with self._state.scope.transaction() as tx:
            moved = self._state.outbox.move_many(moves, conn=tx)
            settled, _ = self._settle(answers, tx)
            if settled:
                self._on_settled(settled, tx)
        self._done.count(settled)
        return len(moved) + len(settled)

    def _look_up(self, ops: Sequence[Operation]) -> list[tuple[Operation, str | None]]:
        """(operation, id or None = not there) in batches by kind; what the other side does not know is left out."""
        answered: list[tuple[Operation, str | None]] = []
        for kind, sender in self._senders.items():
            of_kind = [op for op in ops if op.kind == kind]
            for start in range(0, len(of_kind), LOOK_UP_BATCH):
                if self._halt.is_set():
                    return answered
                batch = of_kind[start : start + LOOK_UP_BATCH]
                opened = self._state.outbox.payloads(batch)
                clear = [
                    replace(op, payload=payload or {}) for op, payload in zip(batch, opened, strict=True)
                ]
                try:
                    found = sender.look_up(clear)
                except OutsideError as error:
                    why = Why.UNAUTHORISED if isinstance(error, Unauthorised) else Why.UNREACHABLE
                    self._stop(why, f"{kind} could not be looked up: {error}", error)
                    return answered
                self._done.look_ups += 1
                answered += [(op, found[op.natural_key]) for op in batch if op.natural_key in found]
        return answered

    def _wait_for_the_other_side(self, doubtful: Sequence[Operation]) -> None:
        """A call that ended in doubt may still be at work over there; looked up too early, it would be doubled."""
        now = datetime.now(UTC)
        waits = [
            self._senders[op.kind].settle_seconds - (now - op.sending_at).total_seconds()
            for op in doubtful
            if op.sending_at is not None
        ]
        longest = max((self._senders[op.kind].settle_seconds for op in doubtful), default=0.0)
        self._halt.wait(min(max(waits, default=0.0), longest))

    # --- telling -------------------------------------------------------------------------------------

    def _tell(self) -> None:
        if time.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = time.monotonic()
            self._say(self._done.sentence)

    def _finished(self) -> Dispatched:
        done = self._done
        done.seconds = time.monotonic() - self._begun
        left = self._state.outbox.find(
            flow=self._flow, kinds=list(self._senders), states=("planned", "ambiguous")
        )
        done.doubtful = [op for op in left if op.state == "ambiguous"]
        done.left = len(left) - len(done.doubtful)
        return done
