"""Orders of another connector, adopted: `python -m bcns_pipeline_tests.bench adopt [COUNT]`.

COUNT orders are in the shop and, put there by somebody else under the shop's own number, in NetSuite. They are linked
and read back, nothing is written to either system, and the run that follows posts none of them. Put here the figure;
what is refused and why is a test (defs/recovery/test_living_with_it.py).
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from bcns_pipeline.sandbox.launch import Control
from bcns_pipeline_tests.bench.order_bench import measured, place

COUNT = 10_000
CLIENTS = 4
# So many ids go into one address.
PIECE = 500
ONE_RUN = "bcns_pipeline_tests.bench.one_run"
READS = ("netsuite.suiteql", "netsuite.token")


def main(count: int = COUNT) -> int:
    """Two lines; returns how many were missed."""
    with place() as here:
        here.weather(calm=True)
        ids = here.control.shop_orders(count, restock=True, within_seconds=3600)
        posted_elsewhere(here.control, ids)
        before = len(here.control.transactions())
        here.control.clear_log()
        since = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
        config = {"mode": "apply", "by": "otherrefnum", "since": since}
        run = measured(here.start(ONE_RUN, "adopt_orders", json.dumps(config)))
        calls = here.calls()
        linked = here.ask("select count(*) from bcns.order_state where disposition = 'adopted'")
        equal = here.ask(
            "select count(*) from bcns.order_state where disposition = 'adopted' and read_total_minor = total_minor"
        )
        here.line(
            f"{count:,} orders of another connector: linked, and read back", f"{linked:,}", f"{count:,}", f"{equal:,}",
            reached=linked == equal == count,
        )  # fmt: skip
        writes = {
            name: n for name, n in calls.items() if not name.endswith(" GET") and not name.startswith(READS)
        }
        after = measured(here.start(ONE_RUN, "order_sync"))
        more = len(here.control.transactions()) - before
        here.line(
            "  calls that wrote while adopting; records after the next run", f"{sum(writes.values())}", f"{more} more",
            "-", reached=not writes and not more,
        )  # fmt: skip
        print(
            f"  {sum(calls.values()):,} calls to both systems, {run['cpu_seconds']:.0f} s of CPU, "
            f"{run['peak_mb']:.0f} MB; {run['wall_seconds']:.1f} s, "
            f"and the next run {after['wall_seconds']:.1f} s; {dict(calls)}"
        )
    return here.missed


def posted_elsewhere(control: Control, ids: list[int]) -> None:
    """Each order as another connector would have put it there: its number, and the total that was charged."""
    pieces = (ids[at : at + PIECE] for at in range(0, len(ids), PIECE))
    totals = {one["id"]: float(one["total_inc_tax"]) for some in pieces for one in control.shop_state(*some)}
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda one: control.legacy_order(otherrefnum=str(one), total=totals[one]), ids))
