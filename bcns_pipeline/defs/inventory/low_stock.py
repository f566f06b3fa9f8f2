"""The fast lane: SKUs that run low reach the store within two minutes, whatever the bulk lane is doing.

Put the sensor that notices them and the job that pushes just those here. The steps are the flow's own; what is
different is the lane: its slots of the Gate are reserved, and it takes the store's lock between two bulk calls.
An op and not the assets, because an asset belongs to one pool and would wait for the full sync's end.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta

import dagster as dg
from pydantic import Field

from bcns_pipeline.clients.netsuite.models import LevelsPage
from bcns_pipeline.defs.inventory import buffer, report
from bcns_pipeline.defs.inventory.apply import apply_plan
from bcns_pipeline.defs.inventory.extract import back_in_time, take_snapshot
from bcns_pipeline.defs.inventory.identify import identify
from bcns_pipeline.defs.inventory.places import Places, find_places
from bcns_pipeline.defs.inventory.planning import excepted_of, make_plan, sellable_of
from bcns_pipeline.defs.inventory.run import LOW_STOCK_FLOW, Scope
from bcns_pipeline.defs.inventory.trouble import note_excepted
from bcns_pipeline.defs.modes import Mode, ModeConfig, mode_config
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure, outside_errors, stop_run_retries
from bcns_pipeline.rules.inventory.looks import Look, gone_on
from bcns_pipeline.state.inventory_views import pending_items

# A sensor has 60 s: what is more than this is for the next ticks, so that nothing is passed over.
MOST_ITEMS = 500
MOST_PAGES, SECONDS = 40, 35.0
OVERLAP = timedelta(minutes=2)


class LowStock(ModeConfig):
    """Which items to push."""

    item_ids: list[int] = Field(
        default_factory=list, description="NetSuite ids; without any, what an earlier run left open"
    )


@dg.op(pool="inventory_fast", description="Read these items anew, push what differs, read back.")
def push_low_stock(context: dg.OpExecutionContext, config: LowStock, connections: Connections) -> None:
    """The whole flow for a few items; ends with an observation of bigcommerce/inventory_levels."""
    connections.require("bigcommerce", "netsuite")
    say, mode = context.log.info, Mode(config.mode)
    only = config.item_ids or pending_items(connections.state)[:MOST_ITEMS]
    if not only:
        say("no item is low or left open")
        return
    with outside_errors():
        # Whether it was mended is for the full flow to see: the fast lane does not read the whole store.
        buffer.refuse(connections, look_again=False, lane=Lane.FAST)
        snapshot, items = take_snapshot(
            connections, Scope.CHANGED, context.run.run_id, say, lane=Lane.FAST, only=only
        )
        identify(connections, items, whole=False, lane=Lane.FAST, progress=say)
        planned = make_plan(connections, snapshot, flow=LOW_STOCK_FLOW, mode=mode, lane=Lane.FAST)
        if planned.lost:
            raise PermanentFailure(f"{planned.sentence}, and {planned.lost} more: nothing was sent.")
        computed = planned.wanted["item_id"].unique().tolist()
        note_excepted(connections, *excepted_of(connections, snapshot), computed, whole=False)
        said = "mode plan: nothing is sent"
        if mode is Mode.APPLY:
            said = apply_plan(connections, planned, progress=say, lane=Lane.FAST).sentence
    say(said)
    connections.state.usage.flush(connections.meter, LOW_STOCK_FLOW)
    context.log_event(
        dg.AssetObservation(
            ["bigcommerce", "inventory_levels"],
            metadata={
                "low_stock": said,
                "changes": report.changes_table(planned.lines),
                "audit_head": connections.state.head_hash(),
            },
        )
    )


@dg.job(
    name="inventory_low_stock",
    config=mode_config([push_low_stock], LowStock),
    hooks={stop_run_retries},
    description="The items that the low-stock sensor names, through the fast lane.",
)
def low_stock_job() -> None:
    """One step in a pool of its own."""
    push_low_stock()


@dg.sensor(
    name="low_stock",
    job=low_stock_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Every minute: items whose stock moved in NetSuite and is at or under the threshold.",
)
def low_stock_sensor(context: dg.SensorEvaluationContext, connections: Connections) -> dg.SensorResult:
    """Two or three calls; the run re-reads the truth, so that a tick seen twice does no harm."""
    connections.require("bigcommerce", "netsuite")
    clock = connections.stock(Lane.FAST).clock()
    if not context.cursor:
        return dg.SensorResult(skip_reason="nothing was looked at before", cursor=_cursor(Look(clock)))
    look, places = _look(context.cursor, clock), find_places(connections, Lane.FAST, refresh=False)
    pages, through = _pages(connections, look, places)
    low, look = gone_on(look, _low_items(connections, pages, places), through, MOST_ITEMS)
    cursor = _cursor(look)
    if not low:
        return dg.SensorResult(skip_reason="no changed item is low", cursor=cursor)
    request = dg.RunRequest(run_key=f"low-stock/{clock}", run_config={"item_ids": low})
    return dg.SensorResult(cursor=cursor, run_requests=[request])


def _cursor(look: Look) -> str:
    return json.dumps({"v": 2, **asdict(look)})


def _look(cursor: str, clock: str) -> Look:
    """The look that is under way, or one that begins now; an earlier release wrote down no more than `since`."""
    told = json.loads(cursor)
    look = Look(told["since"], told.get("begun", ""), told.get("after", 0))
    return look if look.after else replace(look, begun=clock)


def _pages(connections: Connections, look: Look, places: Places) -> tuple[list[LevelsPage], int | None]:
    """The pages of this tick, and the last item that they show whole; None where they show all that is left."""
    pages: list[LevelsPage] = []
    deadline = time.monotonic() + SECONDS
    for page in connections.stock(Lane.FAST).levels(
        places.netsuite,
        connections.state.inventory.draw_read_seq,
        changed_since=back_in_time(look.since, OVERLAP),
        after=look.after,
    ):
        pages.append(page)
        enough = len(pages) >= MOST_PAGES or time.monotonic() >= deadline
        if enough and page.through > look.after:
            return pages, page.through
    return pages, None


def _low_items(connections: Connections, pages: Sequence[LevelsPage], places: Places) -> list[int]:
    """Ids of the items in these pages that are at or under the threshold and differ from what is confirmed."""
    threshold = connections.mapping.inventory.low_stock.threshold
    wanted = sellable_of(connections, pages, places)
    low = wanted[wanted["sellable"] <= threshold]
    known = connections.state.inventory.known(numbers=True)[["item_id", "location_id", "confirmed"]]
    both = low.merge(known, on=["item_id", "location_id"], how="left")
    differ = both[both["sellable"] != both["confirmed"]]
    return [int(one) for one in differ["item_id"].unique()]
