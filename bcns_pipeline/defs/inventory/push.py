"""Apply: send a plan's batches serially under the store's lock, and hand back what is in flight.

Put here what an answer to an adjustment call means for its batch. Do not put the reading back here
(readback.py), nor a quantity. The lock is held for one call at a time, so that the fast lane gets in between
two batches of a full sync; a line that something newer has overtaken meanwhile is not sent (design 5.8).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bcns_pipeline.clients.bigcommerce.models import AdjustmentColumns
from bcns_pipeline.outcomes import Ambiguous, Lane, Outcome, RateLimited, Refused, Sent, System, Unavailable
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.inventory import Batch
from bcns_pipeline.state.inventory_views import fresh_lines
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.worker import Worker

OPERATION = "PUT /v3/inventory/adjustments/absolute"


@dataclass(slots=True)
class Pushed:
    """What became of a plan: lines that are out and have to be read back, and what was refused."""

    lines: int = 0
    superseded: int = 0
    calls: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)  # SKU, what BigCommerce said


def store_lock(store: str) -> str:
    """The lock under which every adjustment call of this store is made, whichever lane makes it."""
    return f"bigcommerce/{store}/adjustments"


def push(
    connections: Connections,
    worker: Worker,
    plan: Plan,
    lines: pd.DataFrame,
    *,
    lane: Lane,
    progress: Callable[[str], None],
    on_flight: Callable[[Batch], None],
) -> Pushed:
    """Send every staged batch of `plan`, whose lines these are.

    Raises Unavailable where the store asks for more patience than we have: what was not sent then stays planned,
    and the next run computes it anew. `on_flight` is told of each batch as soon as it is out, so that reading back
    can begin while the next one is being sent.
    """
    state, shop = connections.state, connections.shop_stock(lane)
    pushed = Pushed()
    lock, reason = store_lock(state.store), f"bcns plan {plan.id}"

    def prepare() -> tuple[Batch, Callable[[], Outcome]] | None:
        batch = state.inventory.claim(worker, plan.flow, plan_id=plan.id, lines=lines)
        return None if batch is None else (batch, shop.adjustment(adjustments(batch.lines), reason))

    with ThreadPoolExecutor(1, thread_name_prefix="claim") as claimer:
        coming = claimer.submit(prepare)
        # What a refusal put back (without the refused lines, or cut in two) is claimed at the end.
        while (ready := coming.result() or prepare()) is not None:
            batch, send = ready
            with worker.exclusive(lock):
                # What another lane has sent since the claim is newer.
                fresh = fresh_lines(state, worker, batch)
                # The next batch is claimed, and its body made, while this one is on its way.
                coming = claimer.submit(prepare)
                if 0 < len(fresh) < len(batch.lines):
                    send = shop.adjustment(adjustments(fresh), reason)
                outcome = send() if len(fresh) else None
            pushed.superseded += batch.superseded + len(batch.lines) - len(fresh)
            pushed.calls += outcome is not None
            try:
                flight = _in_flight(connections, replace(batch, lines=fresh), outcome, pushed)
            except Unavailable:
                # What was claimed meanwhile was never sent; that may be what has just been put back.
                if (ahead := coming.result()) is not None:
                    state.inventory.release(ahead[0].operation, "the store asked to wait before its turn")
                raise
            if flight is not None:
                pushed.lines += len(flight.lines)
                on_flight(flight)
                progress(f"sent {pushed.lines:,} of {plan.lines:,} lines")
    return pushed


def adjustments(lines: pd.DataFrame) -> AdjustmentColumns:
    """The lines as BigCommerce takes them: product-tracked items by product id, the others by variant id."""
    by_product = (lines["tracking"] == "product").to_numpy()
    identity = np.where(by_product, lines["product_id"].to_numpy(), lines["variant_id"].to_numpy())
    return AdjustmentColumns(
        location_id=lines["location_id"].tolist(),
        kind=np.where(by_product, "product_id", "variant_id").tolist(),
        identity=identity.tolist(),
        quantity=lines["new"].tolist(),
    )


def _in_flight(
    connections: Connections, batch: Batch, outcome: Outcome | None, pushed: Pushed
) -> Batch | None:
    """The batch, where it is (or may be) on its way and must be read back."""
    state = connections.state
    match outcome:
        case Sent() | None:
            # Not confirmed: 200 only says that the adjustment was accepted (facts/bigcommerce.md 2.2).
            return batch
        case Ambiguous(reason):
            return replace(batch, operation=state.outbox.doubt(batch.operation, reason))
        case RateLimited(seconds):
            state.inventory.release(batch.operation, "the store asked to wait")
            raise Unavailable(
                System.BIGCOMMERCE, OPERATION, f"rate limited, next try in {seconds or 'some'} s"
            )
        case Refused() as refused:
            _isolate(connections, batch, refused, pushed)
            return None


def _isolate(connections: Connections, batch: Batch, refused: Refused, pushed: Pushed) -> None:
    """One bad line never stops the others: the named ones are left out, or the batch is cut in two."""
    inventory = connections.state.inventory
    bad = named_lines(batch.lines, refused.named)
    if bad.empty and len(batch.lines) == 1:
        bad = batch.lines
    pushed.refused.extend((sku, refused.detail) for sku in bad["sku"].tolist())
    if bad.empty:
        inventory.split(batch.operation, refused.detail)
    elif len(bad) == len(batch.lines):
        inventory.give_up(batch.operation, refused.detail)
    else:
        inventory.release(batch.operation, refused.detail, refused=bad["line"].tolist())


def named_lines(lines: pd.DataFrame, named: tuple[str, ...]) -> pd.DataFrame:
    """The lines that the refusal names: `variant_id:106`, `product_id:7`, `sku:A`, `location_id:3`; one: `...@3`."""
    words = {name.lower() for name in named}
    hit = pd.Series(False, index=lines.index)
    for column in ("variant_id", "product_id", "sku", "location_id"):
        name = f"{column}:" + lines[column].astype(str).str.lower()
        hit |= name.isin(words) | (name + "@" + lines["location_id"].astype(str)).isin(words)
    return lines.loc[hit]
