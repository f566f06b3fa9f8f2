"""The fast lane, round by round: a SKU runs low in NetSuite; how long until the store shows it?

Run by `figures.py` in a process of its own while a full sync runs in another. Each round is the sensor's tick and
the run that it asks for; the minute between two ticks is added by the reader of the figures.
"""

from __future__ import annotations

import json
import sys
import time

import dagster as dg

from bcns_pipeline.cli.flows import dagster_instance
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.inventory.low_stock import low_stock_sensor
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.sandbox.launch import Control


def main() -> int:
    control, place, rounds = Control(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    skus = sys.argv[4:]
    seconds = []
    job = build_defs().resolve_job_def("inventory_low_stock")
    with dagster_instance() as instance:
        cursor = tick(instance, None).cursor
        for number in range(rounds):
            sku = skus[number % len(skus)]
            control.adjust(sku=sku, location=place["netsuite"], on_hand=1 + number % 3, committed=0)
            changed = time.monotonic()
            asked = tick(instance, cursor)
            cursor = asked.cursor
            for request in asked.run_requests or []:
                job.execute_in_process(run_config=request.run_config, instance=instance)
            shown = control.inventory(sku)[0]["on_hand"]
            took = time.monotonic() - changed
            assert shown[str(place["bigcommerce"])] == 1 + number % 3, (sku, shown)
            seconds.append(took)
    print(json.dumps(seconds))
    return 0


def tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    resources = {"connections": Connections()}
    with dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context:
        result = low_stock_sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


if __name__ == "__main__":
    raise SystemExit(main())
