"""The close.

bigcommerce/orders, netsuite/sales_orders, payouts/reconciliation -> close/tie_out -> close/evidence_pack
payouts/reconciliation -> close/clearing_evidence -> reports/* (report_assets.py) -> close/evidence_pack

Read this file to see what an auditor walks back from. Nothing is sent. One step asks outside, what NetSuite and the
providers hold, and keeps the answers; the others read what was written down, so a period can be tied out again at any
time.
"""

from datetime import date, timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.asking import ask, ask_each
from bcns_pipeline.defs.close.outside import outside
from bcns_pipeline.defs.close.pack import pack
from bcns_pipeline.defs.close.questions import of_clearing, of_orders
from bcns_pipeline.defs.close.run import FLOW, OWNERS, REPORTS, MonthConfig, span
from bcns_pipeline.defs.close.shown import of_evidence, of_pack, of_tie_out
from bcns_pipeline.defs.days import by_day, day_partitions
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import outside_errors, stop_run_retries


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
    about = reports.about(connections.state, day, day + timedelta(days=1), connections.mapping)
    found = reports.ties(connections.state, about)
    of_orders(connections, found)
    return dg.MaterializeResult(metadata=of_tie_out(found, about))


@dg.asset(
    key=["close", "clearing_evidence"],
    group_name=FLOW,
    kinds={"netsuite"},
    owners=OWNERS,
    deps=[
        dg.AssetKey(["netsuite", "cash_records"]),
        dg.AssetKey(["netsuite", "refund_records"]),
        dg.AssetKey(["payouts", "reconciliation"]),
    ],
    hooks={stop_run_retries},
    description="What NetSuite and the providers say that the clearing accounts hold, beside our own roll-forward.",
)
def clearing_evidence(
    context: dg.AssetExecutionContext, config: MonthConfig, connections: Connections
) -> dg.MaterializeResult:
    """Ask about the end of the day or month, keep the answers, and ask people about what is left over."""
    connections.require()
    since, until = span(context, config, connections)
    state = connections.state
    about = reports.about(state, since, until, connections.mapping)
    with outside_errors():
        asked = ask(connections, until - timedelta(days=1))
        said = outside(state, asked.as_of)
        found, _ = reports.roll_forwards(state, about, said)
        if any(one.unexplained for one in found):
            ask_each(connections, asked.as_of)
            said = outside(state, asked.as_of)
    # An older day that is looked at again says nothing about today.
    told = of_clearing(connections, found, said) if asked.as_of == state.clearing.last_day() else []
    return dg.MaterializeResult(
        metadata=of_evidence(connections, asked, reports.make(state, "clearing", about), told)
    )


@dg.asset(
    key=["close", "evidence_pack"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[tie_out, clearing_evidence, *REPORTS],
    hooks={stop_run_retries},
    description="The evidence of a month: sums, hashes, versions, checks, open questions and decisions.",
)
def evidence_pack(
    context: dg.AssetExecutionContext, config: MonthConfig, connections: Connections
) -> dg.MaterializeResult:
    """Make the pack, and put its hash into the audit chain: so what is shown later can be compared."""
    connections.require()
    state = connections.state
    first, until = span(context, config, connections)
    made = pack(state, reports.about(state, first, until, connections.mapping))
    state.audit.append(None, "close.evidence_pack", f"month:{first:%Y-%m}", {"sha256": made.sha256})
    context.log.info(
        f"{first:%Y-%m}: {'green' if made.green else 'not to be closed yet'}, sha256 {made.sha256}"
    )
    return dg.MaterializeResult(metadata=of_pack(made, first))


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The tie-out by the store's days, and what is made of a month; the reports are beside (report_assets.py)."""
    return [by_day(tie_out, day_partitions(mapping)), clearing_evidence, evidence_pack]
