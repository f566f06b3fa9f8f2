"""Low stock while full syncs run, with Dagster's real daemons: how long from NetSuite to the store, read back.

`python -m bcns_pipeline_tests.bench low-stock [CHANGES] [SKUS]` (issue 2, section 6: 95 % within two minutes).
Asked for by name, because it takes minutes on a machine of its own. Each full sync has every line to send: the
mapping file's expression is turned by one unit before each, which NetSuite knows nothing of, so that the sensor sees
only what ran low. Put nothing here that calls the sensor or a run: ticks and launches are Dagster's own.
"""

from __future__ import annotations

import time
from itertools import count

import sqlalchemy as sa
import yaml

from bcns_pipeline.cli.dagster_ui import DagsterUI
from bcns_pipeline.state.engine import create_engine, embedded_url
from bcns_pipeline_tests.bench.daemon import running
from bcns_pipeline_tests.bench.order_bench import Place, measured, place, spread

FULL = "inventory_full_sync"
CHANGES, SKUS = 12, 100_000
# An odd number of seconds, so that changes fall everywhere between two ticks.
PAUSE, WAIT, MOST = 13.0, 150.0, 120.0
# Sellable is one less in every second full sync, and both are low.
LOW = 3
POLICY = {
    "quantity": "expression",
    "breaker": {"max_changed_percent": 100, "max_oversold_percent": 100},
    "call_budget": 100_000,
}
PLENTY = """
    select s.item_id from bcns.inventory_state s
    where s.location_id = :place and s.confirmed > 20 and not exists (
        select from bcns.kit_member k where s.item_id in (k.kit_id, k.item_id))
    order by md5(s.item_id::text) limit :many
"""
ARRIVED = """
    select item_id, extract(epoch from confirmed_at) from bcns.inventory_state
    where location_id = :place and item_id = any(:items) and confirmed <= :low
"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
FULL_SYNCS = "select start_time, end_time, status from dagster.runs where pipeline_name = :job"


def low_stock(changes: int = CHANGES, skus: int = SKUS) -> int:
    """One line; returns 1 where it was missed."""
    with place(skus=skus, inventory={**POLICY, "expression": "available"}) as here:
        measured(here.start("bcns_pipeline_tests.bench.one_run", FULL))
        with running(here, orders=False) as ui:
            changed, arrived, syncs = watch(here, ui, changes)
        seconds = [arrived[item] - at for item, at in changed.items() if item in arrived]
        if not seconds:
            raise SystemExit(f"of {len(changed)} items that ran low none was read back")
        beside = sum(
            any(began <= changed[item] and changed[item] < ended for began, ended in syncs)
            for item in changed
        )
        here.line(
            f"low in NetSuite -> read back, {len(seconds)} of {changes}, {beside} made during {len(syncs)} full syncs",
            f"{spread(seconds, 0.5):.0f} s median", f"p95 {spread(seconds, 0.95):.0f} s", f"max {max(seconds):.0f} s",
            reached=len(seconds) == changes and spread(seconds, 0.95) <= MOST and beside >= changes * 0.8,
        )  # fmt: skip
    return here.missed


def watch(
    here: Place, ui: DagsterUI, changes: int
) -> tuple[dict[int, float], dict[int, float], list[tuple[float, float]]]:
    """When each item was changed in NetSuite and when it was read back, and the full syncs from start to end."""
    engine, shelf = create_engine(embedded_url(here.home / ".bcns")), here.sandbox.locations[0]
    repository, turn, until = ui.repositories()[0], count(1), time.time() + PAUSE * changes + WAIT
    changed: dict[int, float] = {}
    arrived: dict[int, float] = {}
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            at = {"place": shelf["bigcommerce"]}
            items = list(conn.execute(sa.text(PLENTY), {**at, "many": changes}).scalars())
            begins = 0.0
            while len(arrived) < changes and time.time() < until:
                runs = conn.execute(sa.text(FULL_SYNCS), {"job": FULL}).all()
                if all(run.status in ENDED for run in runs):
                    turn_expression(here, next(turn) % 2)
                    ui.launch(repository, FULL)
                under_way = any(run.start_time and run.status not in ENDED for run in runs)
                if len(changed) < changes and under_way and time.time() >= begins:
                    item = items[len(changed)]
                    here.control.adjust([{"item": item, "location": shelf["netsuite"], "on_hand": LOW}])
                    changed[item], begins = time.time(), time.time() + PAUSE
                values = {**at, "items": [one for one in changed if one not in arrived], "low": LOW}
                arrived.update({row[0]: float(row[1]) for row in conn.execute(sa.text(ARRIVED), values)})
                time.sleep(0.5)
            syncs = [
                (run.start_time, run.end_time or time.time())
                for run in conn.execute(sa.text(FULL_SYNCS), {"job": FULL}).all()
                if run.start_time
            ]
    finally:
        engine.dispose()
    return changed, arrived, syncs


def turn_expression(here: Place, less: int) -> None:
    """Every number of the catalogue moves by one with the next full sync."""
    path = here.home / "bcns.yaml"
    document = yaml.safe_load(path.read_text())
    document["inventory"]["expression"] = f"available - {less}" if less else "available"
    path.write_text(yaml.safe_dump(document))
