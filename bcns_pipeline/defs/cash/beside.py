"""Beside the drain: while calls are on their way, the next orders are planned, and what is written is followed.

Put here what is done next, and when. Do not put here how payments are read, plans are made, operations are staged or
records compared: it is all done by what the steps call too. One thread does it, so that only it knows what is on its
way; the drain's thread tells it which operations have ended, once that is committed.

A plan is whole, accounted for and written down before any of it is staged. Where the process dies, what was read waits
for its plan, a plan that was not staged never is, and what was written is looked at by the next run as a whole.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from bcns_pipeline.defs.cash.fates import remember
from bcns_pipeline.defs.cash.planning import ACCOUNTED, Planned, plan_for
from bcns_pipeline.defs.cash.readback import BATCH, ReadBack, read_back_of
from bcns_pipeline.defs.cash.run import FLOW, READING, piece
from bcns_pipeline.defs.cash.staging import MAKES_ROOM, follow, stage_plan, stands_of
from bcns_pipeline.defs.cash.take import Taken, take_some
from bcns_pipeline.defs.dispatch_models import Settled
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.outcomes import Sent
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.state.cash_models import CashDecision
from bcns_pipeline.state.plans import Plan

# The next piece is read while so many operations for each order of it wait: reading takes a third of their time.
AHEAD = 3


class Beside:
    """`with Beside(...) as beside:` stages `plan` and goes on from there; without one there is nothing to go on from.

    After the block: where orders `stands`, which are to be looked at `again`, how much was `held`, and the `error` that
    ended it early, if any; what was sent by then is to be finished before that is raised.
    """

    def __init__(
        self, connections: Connections, plan: Plan | None, progress: Callable[[str], None], *, drains: bool
    ) -> None:
        """`drains`: the run takes what waits, up to a batch, and not the orders of some days."""
        self.stands: dict[int, CashDecision] = {}
        self.again: set[int] = set()
        self.held = 0
        self.taken = Taken()
        self.planned: list[Planned] = []
        self.read_back = ReadBack()
        self.error: BaseException | None = None
        self._connections, self._plan, self._progress = connections, plan, progress
        self._piece = piece(connections)
        looked_at = plan.summary["looked_at"] if plan is not None else 0
        self._left = connections.mapping.cash.batch - looked_at if drains else 0
        self._after = 0
        # Of orders whose operations have all ended: those that are looked at again, and those that are read back.
        self._due: set[int] = set()
        self._written: set[int] = set()
        self._followed: set[int] = set()
        self._refused: set[int] = set()
        self._open: Counter[int] = Counter()
        # Of the drain's thread: what has ended and is not committed yet.
        self._ending: list[tuple[int, bool]] = []
        self._ended: queue.SimpleQueue[tuple[int, bool] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._staged = self._dry = False
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beside-cash")

    def __enter__(self) -> Self:
        if self._plan is not None:
            self._stage(self._plan)
            # The first drain sends it.
            self._staged = False
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._halt.set()
        self._ended.put(None)
        if self._plan is not None:
            self._thread.join()

    # --- the drain's thread ----------------------------------------------------------------------------------

    def ended(self, settled: Sequence[Settled]) -> None:
        """Told of ends inside the transaction that writes them: those of the one before are committed by now."""
        self._publish()
        self._ending = [(one.payload["order_id"], isinstance(one.outcome, Sent)) for one in settled]

    def has_more(self) -> bool:
        """Whether anything is staged that the drain which has just ended may not have seen; waits for what may be."""
        if self._plan is None:
            return False
        self._publish()
        self._ended.put(None)
        return self._answers.get()

    def _publish(self) -> None:
        for one in self._ending:
            self._ended.put(one)
        self._ending = []

    # --- its own thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._halt.is_set() and self._step():
                pass
        except BaseException as error:
            self.error = error
        finally:
            self._answers.put(False)

    def _step(self) -> bool:
        """One piece of work, what keeps the drain busy first; False once nothing is left."""
        while not self._ended.empty():
            self._hear()
        on_its_way = 0 if self._dry else sum(self._open.values())
        if self._left > 0 and on_its_way < AHEAD * self._piece:
            self._next()
        elif len(self._due) >= self._piece or (self._due and on_its_way < self._piece / 2):
            self._follow()
        elif len(self._written) >= (BATCH if self._left > 0 else self._piece):
            # Once there is time for it: what is left of this when all is sent keeps the next run waiting.
            self._compare()
        elif self._dry:
            return False
        else:
            self._hear()
        return True

    def _hear(self) -> None:
        told = self._ended.get()
        if told is None:
            self._dry = True
            self._answer()
            return
        order, sent = told
        if order not in self.stands:
            return
        self._open[order] -= 1
        if not sent:
            self._refused.add(order)
        if self._open[order] <= 0:
            self._ready([order])

    def _ready(self, orders: Collection[int]) -> None:
        """Nothing of these is on its way: the first time they may be due again, and the last time they are written."""
        ready = set(orders) - self._refused
        self._due |= (ready & self.again) - self._followed
        self._written |= ready - self.again

    def _answer(self) -> None:
        if self._dry and self._staged:
            self._dry = self._staged = False
            self._answers.put(True)

    def _next(self) -> None:
        """Read the payments of the next orders, plan them together with what else is due, and stage the plan."""
        connections, most = self._connections, min(self._piece, self._left)
        before = self.taken.looked_at
        self._after = take_some(connections, most, self.taken, self._progress, after=self._after)
        with connections.planner.exclusive(READING):
            due = connections.state.cash.take_due(connections.planner, datetime.now(UTC), most, more=True)
        looked_at = self.taken.looked_at - before
        self._left -= max(len(due), looked_at) or self._left
        if not due:
            return
        planned = plan_for(connections, due, mode=Mode.APPLY, beside=True)
        if sum(planned.counts[name] for name in ACCOUNTED) != len(due):
            raise PermanentFailure(
                f"{planned.sentence}: not every order is accounted for, so nothing of it is sent."
            )
        remember(connections, planned.fates, planned.learnt)
        self.planned.append(planned)
        self._stage(planned.plan)

    def _stage(self, plan: Plan) -> None:
        stands, staged = stands_of(plan), stage_plan(self._connections, plan)
        self.stands |= stands
        # Of a plan that this step had staged before it failed, nobody remembers what became of it.
        self.again |= set(plan.summary["again"]) if staged.first_time else stands.keys()
        self.held += len(staged.held)
        self._sent_for([int(op.group_key.partition(":")[2]) for op in staged.operations if op.group_key])

    def _follow(self) -> None:
        """Ask again of orders that are written, and stage what settles them."""
        going = self._connections.state.outbox.find(flow=FLOW)
        busy = {op.group_key for op in going}
        some = sorted(self._due)[: self._piece]
        self._due -= set(some)
        # What another run had left of an order is on its way still: it is looked at in the end.
        orders = {one for one in some if f"cash:{one}" not in busy}
        found = follow(self._connections, orders)
        self.stands |= found.stands
        self.held += found.held
        self._followed |= orders
        self.again -= orders
        self.again |= {step.order_id for step in found.steps if step.kind in MAKES_ROOM}
        self._sent_for([step.order_id for step in found.steps])
        self._ready(orders - {step.order_id for step in found.steps})

    def _sent_for(self, orders: Sequence[int]) -> None:
        """An operation of each was staged."""
        self._open.update(orders)
        self._staged |= bool(orders)
        self._answer()

    def _compare(self) -> None:
        some = sorted(self._written)[:BATCH]
        self._written -= set(some)
        read_back_of(self._connections, some, self.read_back)
