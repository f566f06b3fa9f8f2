"""The reports of a month as assets: the table on each one's page, its files where the merchant keeps them.

Put here how a report becomes an asset. Do not put rows, sums or file formats here: they are what `bcns report` shows
and writes (reports.py, rules/close). One step makes all of them, of the same answers.
"""

from collections.abc import Iterator
from decimal import Decimal

import dagster as dg

from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.assets import clearing_evidence, tie_out
from bcns_pipeline.defs.close.run import FLOW, OWNERS, MonthConfig, about, key_of
from bcns_pipeline.defs.close.shown import of_report
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import stop_run_retries
from bcns_pipeline.rules.close.files import WRITERS, file_name
from bcns_pipeline.rules.close.reports import SPECS, Spec, remainder, sums_are_right
from bcns_pipeline.rules.close.table import Report

CHECK = "it_ties_and_adds_up"


@dg.multi_asset(
    name="reports",
    specs=[
        dg.AssetSpec(
            key_of(name),
            deps=[tie_out, clearing_evidence],
            group_name=FLOW,
            kinds={"postgres"},
            owners=OWNERS,
            description=f"{one.number} {one.title}: {one.source}; as `bcns report {name}` shows and writes it.",
        )
        for name, one in SPECS.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=key_of(name),
            description="Nothing is left over, and the sums are those of the rows.",
        )
        for name in SPECS
    ],
    can_subset=True,
    hooks={stop_run_retries},
)
def finance_reports(
    context: dg.AssetExecutionContext, config: MonthConfig, connections: Connections
) -> Iterator[dg.MaterializeResult]:
    """Make each report that is asked for, and write it in each format; a plan shows it and writes no file."""
    connections.require()
    state = connections.state
    of = about(context.run, config, connections)
    for name, spec in SPECS.items():
        if key_of(name) not in context.selected_asset_keys:
            continue
        found = reports.make(state, name, of)
        files = [
            str(connections.write_report(file_name(name, of.since, of.until, format_), make(found)))
            for format_, make in WRITERS.items()
            if Mode(config.mode) is Mode.APPLY
        ]
        yield dg.MaterializeResult(
            asset_key=key_of(name),
            metadata={**of_report(found), "files": "\n".join(files) or "none: mode plan"},
            check_results=[_check(spec, found)],
        )


def _check(spec: Spec, found: Report) -> dg.AssetCheckResult:
    left: dict[str, Decimal] = remainder(spec, found)
    right = sums_are_right(found)
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=key_of(spec.name),
        passed=not left and right,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "left_over": ", ".join(f"{amount:f} {unit}" for unit, amount in sorted(left.items())) or "0.00",
            "sums_are_right": right,
        },
    )
