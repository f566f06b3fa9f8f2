"""What must be true after each step of the order flow; a person reads these as promises.

Put the comparison and its severity here. Do not put the computation of either side here: what a run planned and did
is in the state.
"""

from datetime import datetime

import dagster as dg

from bcns_pipeline.defs.accounting import accounted_for
from bcns_pipeline.defs.days import days_of, zone_of
from bcns_pipeline.defs.orders.assets import order_references, orders, sales_order_plan, sales_orders
from bcns_pipeline.defs.orders.run import FLOW, REFERENCE_FLOW
from bcns_pipeline.defs.promises import WARN, none_asked, none_open, promise, within_budget
from bcns_pipeline.resources.connections import Connections

ACCOUNTED = ("planned", "linked", "held", "ignored", "listed", "waiting", "edited", "unchanged")


@promise(asset=orders, description="Every order of the run's days is in NetSuite, or says why it is not.")
def every_order_is_accounted_for(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """Of the run's days, or of today where the run has none; orders read and not looked at yet are not lost."""
    today = datetime.now(zone_of(connections.mapping)).date()
    days = days_of(context.run) or (today, today)
    found = connections.state.orders.completeness(*days)
    # Read and not looked at yet: the plan of this run, or of the next one, says what becomes of them.
    fresh = connections.state.orders.undecided(*days) if found.unexplained else set()
    lost = [one for one in found.unexplained if one not in fresh]
    return dg.AssetCheckResult(
        passed=not lost,
        severity=WARN,
        metadata={
            "days": f"{days[0]} to {days[1]}",
            **{f"orders_{name}": count for name, count in sorted(found.orders.items())},
            "without_a_reason": ", ".join(map(str, lost[:20])) or "none",
        },
    )


@promise(
    asset=sales_order_plan,
    blocking=True,
    description="Looked at = planned + linked + edited + unchanged + held + listed + ignored + waiting.",
)
def no_order_is_lost(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
    """Every order that was looked at is accounted for; otherwise nothing is sent."""
    return accounted_for(context, connections, FLOW, ACCOUNTED)


@promise(asset=sales_order_plan, description="No order waits for something that a person has to mend.")
def no_order_waits(connections: Connections) -> dg.AssetCheckResult:
    """An order that waits goes by itself once its cause is gone; someone should look meanwhile."""
    waiting = connections.state.orders.find(disposition="waiting", limit=10_000)
    codes: dict[str, int] = {}
    for one in waiting:
        codes[one.code or "?"] = codes.get(one.code or "?", 0) + 1
    return dg.AssetCheckResult(
        passed=not waiting,
        severity=WARN,
        metadata={"orders": len(waiting), **{f"code_{code}": count for code, count in sorted(codes.items())}},
    )


@promise(asset=sales_orders, description="Every order in NetSuite is equal to the cent.")
def totals_are_equal(connections: Connections) -> dg.AssetCheckResult:
    """What was charged and what NetSuite shows (identity E3): an order that drifted must not be billed."""
    return none_asked(connections, FLOW, ("ORDER_TOTAL_DRIFT",))


@promise(asset=sales_orders, description="No order has two records in NetSuite.")
def each_order_is_there_once(connections: Connections) -> dg.AssetCheckResult:
    """One confirmed creation per order, and one order per NetSuite record."""
    return none_open(connections.state.orders.doubled())


@promise(asset=order_references, description="NetSuite's number stands on every posted order.")
def every_order_has_its_number(connections: Connections) -> dg.AssetCheckResult:
    """A reference that was refused is an exception; one that is merely not written yet is the next run's."""
    unwritten = len(connections.state.orders.unreferenced(500))
    return none_asked(connections, REFERENCE_FLOW, ("REFERENCE_REFUSED",), WARN, not_written_yet=unwritten)


@promise(asset=order_references, description="No amount of an order moved while its number was written.")
def no_money_moved(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """No write of ours touches one; whoever edits an order in that moment is noticed too, hence a warning."""
    event = context.instance.get_latest_materialization_event(order_references.key)
    made = event.asset_materialization if event and event.run_id == context.run.run_id else None
    rows = made.metadata["money_moved"] if made else None
    moved = (
        [str(one.data["order"]) for one in rows.records] if isinstance(rows, dg.TableMetadataValue) else []
    )
    return dg.AssetCheckResult(
        passed=not moved, severity=WARN, metadata={"moved": ", ".join(moved[:20]) or "none"}
    )


CHECKS = [
    every_order_is_accounted_for,
    no_order_is_lost,
    no_order_waits,
    totals_are_equal,
    each_order_is_there_once,
    within_budget(sales_orders, "orders.call_budget", FLOW),
    every_order_has_its_number,
    no_money_moved,
]
