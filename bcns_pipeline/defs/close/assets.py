"""The close: bigcommerce/orders, netsuite/sales_orders, payouts/reconciliation -> close/tie_out -> close/evidence_pack.

Read this file to see what an auditor walks back from. Nothing here asks an outside system, and nothing is sent: both
steps read what the flows before have written down, so a period can be tied out again at any time.
"""

from datetime import date, timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.pack import pack
from bcns_pipeline.defs.close.shown import of_pack, of_tie_out
from bcns_pipeline.defs.days import by_day, day_partitions, zone_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure, stop_run_retries

FLOW = "close"
OWNERS = ["team:finance"]


class MonthConfig(dg.Config):
    """The run config of `close/evidence_pack`. `month` as 2026-11; empty = the month before this one."""

    month: str = ""


@dg.asset(
    key=["close", "tie_out"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[
        dg.AssetKey(["bigcommerce", "orders"]),
        dg.AssetKey(["netsuite", "sales_orders"]),
        dg.AssetKey(["payouts", "reconciliation"]),
    ],
    hooks={stop_run_retries},
    description="Of each order of a day: captured less refunded, and where every cent of it is; one reason each.",
)
def tie_out(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Tie one day out, from what is remembered."""
    connections.require()
    day = date.fromisoformat(context.partition_key)
    about = reports.about(connections.state, day, day + timedelta(days=1), connections.mapping.digest)
    found = reports.ties(connections.state, about)
    return dg.MaterializeResult(metadata=of_tie_out(found, about))


@dg.asset(
    key=["close", "evidence_pack"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[tie_out],
    hooks={stop_run_retries},
    description="The evidence of a month: sums, hashes, versions, checks, open questions and decisions.",
)
def evidence_pack(
    context: dg.AssetExecutionContext, config: MonthConfig, connections: Connections
) -> dg.MaterializeResult:
    """Make the pack, and put its hash into the audit chain: so what is shown later can be compared."""
    connections.require()
    state = connections.state
    try:
        first = date.fromisoformat(f"{config.month}-01") if config.month else None
    except ValueError:
        raise PermanentFailure(f"{config.month!r} is no month; write it as 2026-11.") from None
    if first is None:
        today = state.now().astimezone(zone_of(connections.mapping)).date()
        first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    until = (first + timedelta(days=32)).replace(day=1)
    made = pack(state, reports.about(state, first, until, connections.mapping.digest))
    state.audit.append(None, "close.evidence_pack", f"month:{first:%Y-%m}", {"sha256": made.sha256})
    context.log.info(
        f"{first:%Y-%m}: {'green' if made.green else 'not to be closed yet'}, sha256 {made.sha256}"
    )
    return dg.MaterializeResult(metadata=of_pack(made, first))


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """Both; the tie-out by the store's days."""
    return [by_day(tie_out, day_partitions(mapping)), evidence_pack]
