"""Apply: one plan through the outbox, read back, and what the store shows above sellable lowered at once.

Put the order of these steps here. What an answer means is in push.py, what a read-back proves in readback.py,
what a number should be in the rules. Whoever holds the flow's lock is the only one to apply it; what an earlier
process left open is read back or given up here, and never sent again: a retry re-reads the truth.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from bcns_pipeline.defs.inventory import breaker, buffer, planning
from bcns_pipeline.defs.inventory.extract import move_watermark
from bcns_pipeline.defs.inventory.heal import heal_plan, read_anew, sample_of, use_up_approval
from bcns_pipeline.defs.inventory.identify import by_item
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.planning import PROOFS, Planned, excepted_of, recounted
from bcns_pipeline.defs.inventory.push import Pushed, push
from bcns_pipeline.defs.inventory.readback import ReadBack, Seen
from bcns_pipeline.defs.inventory.run import now_and_then
from bcns_pipeline.defs.inventory.trouble import note_push
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.inventory import Batch
from bcns_pipeline.state.outbox import Operation
from bcns_pipeline.state.worker import Worker

# A first look at what another process had sent: it has had its time to be applied.
LEFTOVER_PATIENCE_SECONDS = 5.0


@dataclass(slots=True)
class Applied:
    """What a run did. Counts are lines (item and location)."""

    planned: Planned
    held: str | None = None
    batches: int = 0
    sent: int = 0
    confirmed: int = 0
    unconfirmed: int = 0
    superseded: int = 0
    polls: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    healed: int = 0
    below: int = 0
    items_seen: int = 0

    @property
    def sentence(self) -> str:
        """The run in one line."""
        if self.held:
            return f"inventory: pushing is paused: {self.held}"
        parts = [f"{self.sent:,} lines in {self.batches} calls", f"{self.confirmed:,} confirmed"]
        for count, what in (
            (self.unconfirmed, "not confirmed yet"),
            (len(self.refused), "refused"),
            (self.superseded, "overtaken by newer values"),
            (self.healed, "lowered because the store showed more than is sellable"),
            (self.below, "below the confirmed value (sold or drifted)"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return f"inventory: {'; '.join(parts)}"


def apply_plan(
    connections: Connections,
    planned: Planned,
    *,
    progress: Callable[[str], None],
    lane: Lane = Lane.BULK,
) -> Applied:
    """Send, read back, heal, and move the watermark. Raises OutsideError where a system can't be reached.

    In a complete run the whole store is read once; otherwise the lines sent and a rolling sample.
    """
    state, flow, progress = connections.state, planned.plan.flow, now_and_then(progress)
    applied = Applied(planned)
    with state.worker() as worker, worker.exclusive(f"{state.store}/{flow}/apply"):
        if settle_leftovers(connections, flow, planned.plan.id, lane):
            _withdraw_what_is_in_step(connections, planned)
        # Older lines of the other lane that wait to be sent are overtaken by what this run has read.
        _, flying = state.inventory.note_read(planned.wanted[["item_id", "location_id", "read_seq"]])
        state.inventory.mark_pending(flying)
        if planned.snapshot.speaks:
            # A location taken out of the mapping file, or a product deleted in the store, is out of step no more.
            unknown = pd.concat([one["item_id"] for one in excepted_of(connections, planned.snapshot)])
            state.inventory.forget_pending(planned.lines, but=unknown.tolist())
        applied.held = breaker.hold(connections, planned)
        if applied.held:
            return applied
        live = _send(connections, worker, planned, applied, lane, progress)
        buffer.note(connections, buffer.most_held_back(live), whole=planned.reads_whole_store)
        sure = applied.confirmed == len(planned.lines)
        healing = heal_plan(connections, recounted(connections, planned, lane), live, confirmed=sure)
        applied.below = healing.below
        if healing.planned is not None and not breaker.hold(connections, healing.planned):
            healed_before = applied.confirmed
            _send(connections, worker, healing.planned, applied, lane, progress)
            applied.healed = applied.confirmed - healed_before
        use_up_approval(connections, healing.approved)
        note_push(
            connections,
            applied.refused,
            applied.stuck,
            healing.drifted,
            healing.level,
            whole=planned.snapshot.complete,
        )
        if lane is Lane.BULK:
            move_watermark(connections, planned.snapshot)
    return applied


def settle_leftovers(connections: Connections, flow: str, plan_id: int, lane: Lane) -> bool:
    """What a dead process left: possibly sent lines are read back, unsent ones are given up for the new plan.

    Returns whether any was read back, so that what is confirmed may have moved since the plan was made.
    """
    state = connections.state
    for old in state.outbox.find(flow=flow, states=("planned",)):
        if old.plan_id != plan_id:
            state.inventory.give_up(old, f"computed anew by plan {plan_id}", outcome="superseded")
    doubtful = state.outbox.recover(flow)
    if not doubtful:
        return False
    readback = ReadBack(connections, lane, patience_seconds=LEFTOVER_PATIENCE_SECONDS)
    products: dict[str, int] = {}
    for operation in doubtful:
        lines = _flying(connections, operation)
        if lines.empty:
            state.inventory.give_up(operation, "nothing of it was being sent", outcome="superseded")
        else:
            readback.expect(Batch(operation, lines, 0))
            products.update(zip(lines["sku"].tolist(), lines["product_id"].tolist(), strict=True))
    readback.read_skus(products)
    readback.finish()
    return True


def _withdraw_what_is_in_step(connections: Connections, planned: Planned) -> None:
    """A line that a leftover has already brought about is not sent again: a unit sold since would come back."""
    inventory = connections.state.inventory
    known = inventory.known(numbers=True)
    settled = known[(known["sent"] < 0) | (known["sent"] == known["confirmed"])]
    keys = ["item_id", "location_id"]
    lines = planned.lines[[*keys, "new"]].reset_index(names="line")
    lines = lines.merge(settled[[*keys, "confirmed"]], on=keys)
    inventory.withdraw(planned.plan, lines.loc[lines["new"] == lines["confirmed"], "line"].tolist())


def _flying(connections: Connections, operation: Operation) -> pd.DataFrame:
    lines = connections.state.inventory.lines(operation)
    flying = lines[lines["outcome"] == "pushed"]
    return flying.assign(old=flying["old"].fillna(-1).astype("int64"))


def _send(
    connections: Connections,
    worker: Worker,
    planned: Planned,
    applied: Applied,
    lane: Lane,
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Push one plan and read back; returns what the store showed, by item."""
    state = connections.state
    begun = connections.scratch.pop(f"{PROOFS}.{planned.plan.id}", None)
    state.inventory.stage_batches(planned.plan, planning.BATCH, proofs=begun.result() if begun else None)
    readback = ReadBack(connections, lane, patience_seconds=connections.mapping.inventory.settle_seconds)
    if planned.reads_whole_store:
        pushed = _push_while_reading(connections, worker, planned, readback, lane, progress)
    else:
        pushed = push(
            connections,
            worker,
            planned.plan,
            planned.lines,
            lane=lane,
            progress=progress,
            on_flight=readback.expect,
        )
        products = {**sample_of(connections), **read_anew(connections, planned), **planned.products()}
        if products:
            readback.read_skus(products)
    seen = readback.finish()
    _count(applied, pushed, seen)
    return by_item(seen.live, item_links(connections))


def _push_while_reading(
    connections: Connections,
    worker: Worker,
    planned: Planned,
    readback: ReadBack,
    lane: Lane,
    progress: Callable[[str], None],
) -> Pushed:
    """The store is read page by page behind the sender, in a thread of its own."""
    sent = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        try:
            readback.read_store(sent.is_set, progress)
        except BaseException as error:  # raised again in the sender's thread
            failed.append(error)

    reader = threading.Thread(target=read, name="read-back", daemon=True)
    reader.start()
    try:
        pushed = push(
            connections,
            worker,
            planned.plan,
            planned.lines,
            lane=lane,
            progress=progress,
            on_flight=readback.expect,
        )
    finally:
        sent.set()
        reader.join()
    if failed:
        raise failed[0]
    return pushed


def _count(applied: Applied, pushed: Pushed, seen: Seen) -> None:
    applied.batches += pushed.calls
    applied.sent += pushed.lines
    applied.superseded += pushed.superseded
    applied.refused += pushed.refused
    applied.confirmed += seen.confirmed
    applied.unconfirmed += seen.unconfirmed
    applied.polls += seen.polls
    applied.stuck += seen.stuck
    applied.items_seen += len(seen.live["variant_id"].unique())
