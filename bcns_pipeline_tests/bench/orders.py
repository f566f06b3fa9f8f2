"""The figures of issue 3, section 6, about waiting orders: `python -m bcns_pipeline_tests.bench orders [COUNT]`.

Put the arithmetic of floors here and nothing that is measured inside the product (`order_lane.py`).

The fewest calls for N orders, C of them with customers that NetSuite lacks, in B runs of at most 500:
  writes  one per order and one per new customer (the record API has no batch that answers ids per record);
  reads   per run: who the shoppers are, in which subsidiaries the known ones may buy, the items (a page per 1,000),
          what is there under our keys already, and the headers of the read-back; besides a page per 1,000 lines.
Floor = calls x (latency + the sandbox's own unloaded service time for such a call, measured first) / slots, in
each system, the larger of the two; in BigCommerce never below calls / quota of the plan. Times under load never
enter it. The account's facts (once a day) and tokens are in the figures and not in the minimum.
"""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bcns_pipeline.defs.intake.automation import RUNS_AT_ONCE
from bcns_pipeline_tests.bench.order_bench import (
    BIGCOMMERCE,
    NETSUITE,
    PRO,
    SHOP_SLOTS,
    SLOTS,
    STANDARD,
    WINDOW,
    Place,
    measured,
    pieces,
    place,
    total,
)

COUNT, BATCH, PAGE, SHOP_PAGE = 2_000, 500, 1_000, 250
OVERHEAD_ORDERS, OVERHEAD_ROUNDS = 200, 3
LANE = "bcns_pipeline_tests.bench.order_lane"
# As many runs as the sensor lets be on their way.
LANES = RUNS_AT_ONCE


def main(count: int = COUNT) -> int:
    """Print one line per figure; returns how many were missed."""
    with place() as here:
        print(
            f"{count:,} waiting orders, {NETSUITE * 1000:.0f} ms a NetSuite call on {SLOTS} slots, "
            f"{BIGCOMMERCE * 1000:.0f} ms a BigCommerce call"
        )
        here.line("work", "figure", "floor", "ratio", reached=None)
        known = shoppers(here, count // 2)
        service = here.service()
        shown = ", ".join(f"{name} {seconds * 1000:.1f}" for name, seconds in sorted(service.items()))
        print(f"unloaded service times (ms): {shown}")
        overhead(here)
        for plan, quota in (("Pro", PRO), ("Standard", STANDARD)):
            backlog(here, count, known, service, plan, quota)
        answer(here)
    return here.missed


def shoppers(here: Place, count: int) -> list[int]:
    """Shoppers whom NetSuite knows, because they have bought before: one order each, one call at a time."""
    here.weather(calm=True)
    ids = here.control.shop_orders(count, restock=True, within_seconds=3600)
    here.control.clear_cpu()
    here.lane("orders", BCNS_NETSUITE_CONCURRENCY="1")
    referenced(here)
    return sorted({one["customer_id"] for one in here.control.shop_state(*ids)} - {0})


def referenced(here: Place) -> None:
    """All orders so far carry their number, and the echo of that is read: what is measured next pays for none of it."""
    posted = here.ask("select count(*) from bcns.order_state where netsuite_number is not null")
    here.lane("references", str(posted))
    here.lane("orders", BCNS_NETSUITE_CONCURRENCY="1")


def backlog(
    here: Place, count: int, known: list[int], service: dict[str, float], plan: str, quota: int
) -> None:
    """`count` orders wait; the references of one run are written while the next one posts, as in production."""
    control = here.control
    here.weather(calm=True)
    control.limits(quota=0)
    # What was there before is out of the polls' overlap.
    control.clock(advance_seconds=900)
    # Placed within the overlap of the next poll: older ones would have been seen by an earlier one.
    ids = control.shop_orders(count // 2, restock=True, within_seconds=90)
    ids += control.shop_orders(
        count - count // 2, restock=True, within_seconds=90, returning=1, customer_ids=known
    )
    customers = len(control.netsuite_customers())
    before = int(here.ask("select count(*) from bcns.order_state where referenced_at is not null"))
    mark = int(here.ask("select coalesce(max(id), 0) from bcns.operation"))
    control.limits(quota=quota, quota_window_ms=WINDOW * 1000)
    here.weather(calm=False)
    control.clear_log()
    references = here.start(LANE, "references", str(before + count))
    posting = [here.start(LANE, "orders") for _ in range(LANES)]
    run = together([measured(one) for one in posting])
    calls_of_orders = here.calls()
    last = float(
        here.ask(
            "select extract(epoch from max(settled_at)) from bcns.operation "
            "where id > :mark and kind = 'sales_order' and state = 'confirmed'",
            mark=mark,
        )
    )
    lane = measured(references)
    calls = here.calls()
    made = len(control.netsuite_customers()) - customers
    right(here, ids, plan)
    began = min(one["began"] for one in run["runs"])
    rows(here, count, made, service, plan, quota, calls_of_orders, last - began, run)
    written_back(here, count, service, plan, quota, calls, lane)


def together(lanes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What lanes that ran side by side took: all runs and CPU, and the memory of the larger one."""
    return {
        "runs": [run for lane in lanes for run in lane["runs"]],
        "peak_mb": max(lane["peak_mb"] for lane in lanes),
        "cpu_seconds": sum(lane["cpu_seconds"] for lane in lanes),
    }


def right(here: Place, ids: list[int], plan: str) -> None:
    """Before any figure counts: every order is there once, at the total that was charged."""
    shop = {f"order-{one['id']}": one["total_inc_tax"] for one in here.control.shop_state(*ids)}
    books: Counter[str] = Counter()
    equal = 0
    for one in here.control.transactions():
        name = "order-" + one["external_id"].rpartition("-")[2]
        if name in shop:
            books[name] += 1
            equal += abs(float(one["total"]) - float(shop[name])) < 0.001
    fine = len(books) == len(ids) == equal and set(books.values()) == {1}
    here.line(
        f"{plan}: orders in NetSuite, each once, equal to the cent", f"{equal:,}", f"{len(ids):,}", "-",
        reached=fine,
    )  # fmt: skip


def rows(
    here: Place, count: int, made: int, service: dict[str, float], plan: str, quota: int,
    calls: Counter[str], wall: float, run: dict[str, Any],
) -> None:  # fmt: skip
    tokens = total(calls, "netsuite.token")
    asked = total(calls, "netsuite.") - tokens
    writes, batches = count + made, pieces(count, BATCH)
    lines = int(
        here.ask(
            "select coalesce(sum(jsonb_array_length(lines)), 0) from "
            "(select lines from bcns.order_state order by order_id desc limit :count) newest", count=count,
        )
    )  # fmt: skip
    # Who, where, items, what is there, and headers: each once a run; lines by pages of 1,000.
    reads = 5 * batches + pieces(lines, PAGE)
    minimum = writes + reads
    here.line(
        f"{plan}: NetSuite calls per order, {made:,} new customers (<= 1.6)", f"{asked / count:.3f}",
        f"{minimum / count:.3f}", "-", reached=asked / count <= 1.6,
    )  # fmt: skip
    here.line(
        f"{plan}: NetSuite calls to the minimum (and {tokens} token) (<= 1.07)", f"{asked:,}", f"{minimum:,}",
        f"{asked / minimum:.3f}", reached=asked / minimum <= 1.07,
    )  # fmt: skip
    looked = sum(n for name, n in calls.items() if name.startswith("bigcommerce.") and name.endswith(" GET"))
    here.line(
        f"{plan}: BigCommerce reads per order (<= 0.05)", f"{looked / count:.4f}", f"{looked} reads", "-",
        reached=looked / count <= 0.05,
    )  # fmt: skip
    netsuite = (
        writes * (NETSUITE + service["netsuite.create"]) + reads * (NETSUITE + service["netsuite.suiteql"])
    ) / SLOTS
    pages = 2 * pieces(count, SHOP_PAGE)
    shop = max(
        pages * (BIGCOMMERCE + service["bigcommerce.orders"]) / SHOP_SLOTS, (pages / quota - 1) * WINDOW
    )
    floor = max(netsuite, shop)
    here.line(
        f"{plan}: wall to the last sales order (<= 1.2)", f"{wall:.1f} s", f"{floor:.1f} s", f"{wall / floor:.2f}",
        reached=wall <= 1.2 * floor,
    )  # fmt: skip
    here.line(f"{plan}: peak memory of the run", f"{run['peak_mb']:.0f} MB", "-", "-", reached=None)
    steps: Counter[str] = Counter()
    for one in run["runs"]:
        steps.update(one["steps"])
    shown = ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps.most_common() if seconds >= 0.1)
    print(
        f"  {len(run['runs'])} runs; by step (s): {shown}; CPU {run['cpu_seconds']:.1f}; calls {dict(calls)}"
    )


def written_back(
    here: Place, count: int, service: dict[str, float], plan: str, quota: int, calls: Counter[str],
    lane: dict[str, Any],
) -> None:  # fmt: skip
    """The lane of its own: a write per order, its metafields by batches, and money read before and after."""
    wall = lane["runs"][-1]["began"] + lane["runs"][-1]["wall"] - lane["runs"][0]["began"]
    all_of_shop = total(calls, "bigcommerce.")
    puts = total(calls, "bigcommerce.order_put")
    seconds = all_of_shop * (BIGCOMMERCE + service["bigcommerce.order_put"]) / SHOP_SLOTS
    # The first window's quota is there at once.
    floor = max(seconds, (all_of_shop / quota - 1) * WINDOW)
    here.line(
        f"{plan}: write-back lane, {puts:,} references, {all_of_shop:,} calls", f"{wall:.1f} s", f"{floor:.1f} s",
        f"{wall / floor:.2f}", reached=None,
    )  # fmt: skip


def overhead(here: Place) -> None:
    """What Dagster costs: the same steps as one in-process run and as plain calls, without latency, in turns."""
    here.weather(calm=True)
    found: dict[str, list[float]] = {"orders": [], "bare": []}
    for _ in range(OVERHEAD_ROUNDS):
        for lane in found:
            here.control.shop_orders(OVERHEAD_ORDERS, restock=True, within_seconds=60)
            run = here.lane(lane)
            found[lane].append(sum(one["wall"] for one in run["runs"]))
    referenced(here)
    with_dagster, without = statistics.median(found["orders"]), statistics.median(found["bare"])
    each = (with_dagster - without) / OVERHEAD_ORDERS * 1000
    said = ", ".join(
        f"{name} {', '.join(f'{one:.2f}' for one in seconds)} s" for name, seconds in found.items()
    )
    here.line("overhead of Dagster per order, without latency", f"{each:.1f} ms", "-", "-", reached=None)
    print(f"  {OVERHEAD_ORDERS} orders a run: {said}")


def answer(here: Place) -> None:
    """`bcns explain order`, among all that were posted."""
    asked, orders = (
        here.ask(f"select {what} from bcns.order_state") for what in ("max(order_id)", "count(*)")
    )
    ask = here.start("bcns_pipeline_tests.bench.answer", "order", str(asked))
    said, wrong = ask.communicate()
    if ask.returncode:
        raise SystemExit(f"order {asked} was not explained:\n{wrong[-4000:]}")
    seconds = float(said.split()[-1])
    here.line(
        f"`bcns explain order` among {orders:,} (<= 1 s)", f"{seconds:.2f} s", "-", "-", reached=seconds <= 1
    )


if __name__ == "__main__":
    raise SystemExit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT) else 0)
