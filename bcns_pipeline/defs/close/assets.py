"""The close.

bigcommerce/orders, netsuite/sales_orders, payouts/reconciliation -> close/tie_out -> close/evidence_pack
payouts/reconciliation -> close/clearing_evidence -> reports/* (report_assets.py) -> close/evidence_pack

Read this file to see what an auditor walks back from. Nothing is sent. One step asks outside, what NetSuite and the
providers hold, whether goods of refunds came back, for a month also NetSuite's tax by code, and keeps the answers; the
others read what was written down, so a period can be tied out again at any time.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from bcns_pipeline.config import Mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.asking import ask, ask_each
from bcns_pipeline.defs.close.goods import ask_goods
from bcns_pipeline.defs.close.outside import outside
from bcns_pipeline.defs.close.pack import pack
from bcns_pipeline.defs.close.questions import of_clearing, of_goods, of_liabilities, of_orders
from bcns_pipeline.defs.close.run import FLOW, OWNERS, REPORTS, MonthConfig, about, day_by_day
from bcns_pipeline.defs.close.shown import of_evidence, of_pack, of_tie_out
from bcns_pipeline.defs.close.taxes import Told, ask_taxes
from bcns_pipeline.defs.days import by_day, day_partitions
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure, outside_errors, stop_run_retries
from bcns_pipeline.rules.close.tie_out import of_day


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
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=48), warn_window=timedelta(hours=26)
    ),
    description="Of each order of a day: captured less refunded, and where every cent of it is; one reason each.",
)
def tie_out(context: dg.AssetExecutionContext, connections: Connections) -> dg.MaterializeResult:
    """Tie the day or the days of the run out, one after the other, from what is remembered."""
    connections.require()
    days, tied = day_by_day(context.run, connections), []
    if not days:
        raise PermanentFailure("A tie-out is of days; run it with a day or a range of days as its partition.")
    for day in days:
        found = reports.ties(connections.state, day)
        of_orders(connections, found)
        tied.append(of_day(day.since, found))
    head = connections.state.head_hash()
    return dg.MaterializeResult(metadata={**of_tie_out(tied, bank=day.bank_evidenced), "audit_head": head})


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
    """Ask about the end of the month or of each day, keep the answers, and ask people about what is left over."""
    connections.require()
    state = connections.state
    days = day_by_day(context.run, connections)
    spans = days or [about(context.run, config, connections)]
    with outside_errors():
        taxes = Told() if days else ask_taxes(connections, spans[0])
        goods = ask_goods(connections, spans)
        asked = ask(connections, [reports.last_of(span) for span in spans])
        for span in spans:
            last = reports.last_of(span)
            said = outside(state, last)
            found, _ = reports.roll_forwards(state, span, said)
            if any(one.unexplained for one in found):
                ask_each(connections, last)
                said = outside(state, last)
    # An older day that is looked at again says nothing about today.
    told = []
    if state.clearing.is_newest(last):
        told = [*of_clearing(connections, found, said), *of_liabilities(connections, said)]
    told += of_goods(connections, last)
    return dg.MaterializeResult(
        metadata=of_evidence(connections, asked, reports.make(state, "clearing", span), told, taxes, goods)
    )


@dg.asset(
    key=["close", "evidence_pack"],
    group_name=FLOW,
    kinds={"postgres"},
    owners=OWNERS,
    deps=[tie_out, clearing_evidence, *REPORTS],
    # A plan materialises nothing: what lies downstream is skipped, and freshness does not turn green.
    output_required=False,
    hooks={stop_run_retries},
    # A person closes a month, once its payouts are in the bank.
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=62), warn_window=timedelta(days=45)
    ),
    description="The evidence of a month: sums, hashes, versions, checks, open questions and decisions.",
)
def evidence_pack(
    context: dg.AssetExecutionContext, config: MonthConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Make the pack, and put its hash into the audit chain: so what is shown later can be compared."""
    connections.require()
    if Mode(config.mode) is Mode.PLAN:
        context.log.info("mode plan: no evidence is made and no file written; the reports show the month")
        return
    state = connections.state
    month = about(context.run, config, connections)
    made, first = pack(state, month), month.since
    state.audit.append(None, "close.evidence_pack", f"month:{first:%Y-%m}", {"sha256": made.sha256})
    context.log.info(
        f"{first:%Y-%m}: {'green' if made.green else 'not to be closed yet'}, sha256 {made.sha256}"
    )
    yield dg.MaterializeResult(metadata={**of_pack(made, first), "audit_head": state.head_hash()})


def assets(mapping: Mapping) -> list[dg.AssetsDefinition]:
    """The tie-out by the store's days, and what is made of a month; the reports are beside (report_assets.py)."""
    return [by_day(tie_out, day_partitions(mapping), at_once=True), clearing_evidence, evidence_pack]
