"""The two watches over intake: whether hooks deliver, and whether every order has arrived.

Put jobs, schedules and checks here. Do not put here what they do (mending.py, completeness.py) nor what is shown of
it (report.py). Both are safe to run at any time and as often as one likes.
"""

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.days import bounds, days_of, zone_of
from bcns_pipeline.defs.intake import report
from bcns_pipeline.defs.intake.backfill import FLOW
from bcns_pipeline.defs.intake.completeness import CODE, compare
from bcns_pipeline.defs.intake.mending import destination_of, mend_hooks, repairs_of
from bcns_pipeline.defs.modes import Mode, ModeConfig, mode_config
from bcns_pipeline.defs.promises import promise
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries

ORDERS = dg.AssetKey(["bigcommerce", "orders"])


@dg.op(pool="intake", description="Hooks listed, mended, and the gap they left read again.")
def check_webhooks(context: dg.OpExecutionContext, config: ModeConfig, connections: Connections) -> None:
    """Without an address to call it says so and does nothing: polling brings every order, only later."""
    if not _wanted(context, connections):
        return
    destination = destination_of(connections)
    if destination is None:
        context.log.warning(
            "no hooks are wanted: neither BCNS_WEBHOOK_URL nor intake.hooks.destination is set"
        )
        return
    if Mode(config.mode) is Mode.PLAN:
        with outside_errors():
            repairs = repairs_of(connections, destination)
        context.log.info(f"mode plan: nothing is mended; it would be: {'; '.join(repairs) or 'nothing'}")
        return
    with outside_errors():
        mended = mend_hooks(connections, destination, context.log.info)
    context.log.info(mended.sentence)
    context.log_event(dg.AssetObservation(ORDERS, metadata=report.of_hooks(connections, mended)))


@dg.op(pool="intake", description="Ids of the store against ours.")
def compare_orders(context: dg.OpExecutionContext, config: ModeConfig, connections: Connections) -> None:
    """Ends with an observation of bigcommerce/orders: what is missing, and what is held for its status."""
    if not _wanted(context, connections):
        return
    with outside_errors():
        compared = compare(connections, Mode(config.mode))
    context.log.info(compared.sentence)
    context.log_event(dg.AssetObservation(ORDERS, metadata=report.of_comparison(connections, compared)))


def _wanted(context: dg.OpExecutionContext, connections: Connections) -> bool:
    """Whether this merchant posts orders at all; who lets only stock flow is not asked about them."""
    connections.require("bigcommerce", "netsuite")
    if connections.mapping.order_faults():
        context.log.info("the mapping file does not say how orders are posted: see `bcns doctor`")
        return False
    return True


@dg.job(
    config=mode_config([check_webhooks]),
    hooks={stop_run_retries},
    description="Makes and mends the store's webhooks, and reads again what they may have lost.",
)
def webhook_health() -> None:
    """One step."""
    check_webhooks()


@dg.job(
    config=mode_config([compare_orders]),
    hooks={stop_run_retries},
    description="Every order of the last days that the store has and we have not (MISSING_ORDER), and what is in "
    "NetSuite, once a day, against what it showed last.",
)
def order_completeness() -> None:
    """One step."""
    compare_orders()


@promise(asset=ORDERS, description="No order of the store is missing here.")
def every_order_has_arrived(
    context: dg.AssetCheckExecutionContext, connections: Connections
) -> dg.AssetCheckResult:
    """A run of days compares their ids; any other tells what the hourly comparison left open, without a call."""
    missing = {
        int(one.subject.partition(":")[2]) for one in connections.state.exceptions.find(flow=FLOW, code=CODE)
    }
    days = days_of(context.run)
    if days is not None:
        window = bounds(days[0], zone_of(connections.mapping), days[1])
        with outside_errors():
            heads = connections.bigcommerce().orders.ids(*window)
        statuses = connections.order_policy.statuses
        ids = {one.id for one in heads if one.status_id in statuses}
        unread = {str(one) for one in connections.state.orders.missing(ids)}
        # One that can't be read has been heard of, and is an exception of its own.
        missing = {int(one) for one in connections.state.inbox.missing("order", unread)}
    return dg.AssetCheckResult(
        passed=not missing,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"missing": len(missing), "orders": ", ".join(map(str, sorted(missing)[: report.SHOWN]))},
    )


JOBS = [webhook_health, order_completeness]
CHECKS = [every_order_has_arrived]


def schedules(mapping: Mapping) -> list[dg.ScheduleDefinition]:
    """Both watches, at the merchant's cron lines and in the store's time zone."""
    when = (
        ("webhook_health_regularly", webhook_health, mapping.intake.hooks.check_schedule),
        ("order_completeness_hourly", order_completeness, mapping.intake.missing_schedule),
    )
    return [
        dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=cron,
            execution_timezone=mapping.store.timezone or "UTC",
        )
        for name, job, cron in when
    ]
