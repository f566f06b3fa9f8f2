"""What a person sees of a run in Dagster: counts, tables of what changed and why, calls, drift over time.

Put metadata here, built from what the steps hand over. Do not put a decision or a query here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from bcns_pipeline.defs.inventory.apply import Applied
from bcns_pipeline.defs.inventory.extract import Snapshot
from bcns_pipeline.defs.inventory.identify import Identified
from bcns_pipeline.defs.inventory.orphans import Orphans
from bcns_pipeline.defs.inventory.planning import Planned
from bcns_pipeline.defs.inventory.run import FLOW
from bcns_pipeline.defs.tables import table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.inventory.freshness import Pending
from bcns_pipeline.rules.inventory.quantities import UNPOSTED, show_quantity

# A page of Dagster's UI is read by people: so many lines of a plan are shown, and the rest is in the state.
SHOWN = 100
DRIFT = "inventory.drift"
DRIFT_RUNS = 40
BARS = "▁▂▃▄▅▆▇█"


def freshness_table(waiting: Sequence[Pending]) -> dg.TableMetadataValue:
    """By class of SKUs: the objective, and what is out of step, for how long, and late; all of any other is fresh."""
    by_class: dict[str, list[Pending]] = {}
    for one in waiting:
        by_class.setdefault(one.objective.name, []).append(one)
    rows = [
        (name, some[0].objective.minutes, len(some), round(some[0].minutes, 1), sum(one.late for one in some))
        for name, some in sorted(by_class.items())
    ]
    return table(("class", "minutes allowed", "out of step", "longest (minutes)", "late"), rows)


def faulty_mapping(asset: dg.AssetKey, faults: Sequence[str]) -> dg.AssetCheckEvaluation:
    """The check `mapping_is_sound` as it stands on the asset's page, of a run that refuses to go on."""
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name="mapping_is_sound",
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"faults": "\n".join(faults)},
    )


def of_snapshot(snapshot: Snapshot, identified: Identified) -> dict[str, Any]:
    """What was read, from when on, and through which locations."""
    matched = identified.matched
    return {
        "newly_linked": len(matched.links) if matched else 0,
        "renamed": ", ".join(matched.renamed["netsuite_sku"].head(20)) if matched else "",
        "adopted_from_the_store": identified.adopted,
        "dagster/row_count": snapshot.rows,
        "pages": snapshot.pages,
        "scope": snapshot.scope,
        "complete": snapshot.complete,
        "changed_since": snapshot.since or "everything",
        "netsuite_clock": snapshot.clock,
        "items_made_inactive": len(snapshot.inactive),
        "locations": table(
            ("netsuite", "bigcommerce"),
            [(", ".join(map(str, sources)), target) for sources, target in snapshot.places.routes],
        ),
        "problems": dg.MetadataValue.md(
            "\n".join(f"- {text}" for text in snapshot.places.problems) or "none"
        ),
    }


def of_plan(planned: Planned) -> dict[str, Any]:
    """The plan: what would change and why, and what became of every row that was fetched."""
    return {
        "summary": planned.sentence,
        "plan": planned.plan.id,
        "plan_digest": planned.plan.digest,
        "fetched": planned.fetched,
        "planned": planned.count("planned"),
        "skipped": planned.count("skipped"),
        "excepted": planned.count("excepted"),
        "outcomes": table(
            ("outcome", "reason", "rows"),
            [(outcome, reason, rows) for (outcome, reason), rows in sorted(planned.counts.items())],
        ),
        "clamped_to_zero": planned.clamped,
        "breaker": planned.tripped or "not tripped",
        "changes": changes_table(planned.lines),
    }


def of_push(connections: Connections, applied: Applied) -> dict[str, Any]:
    """What was sent and read back, and what it cost."""
    state = connections.state
    usage = state.usage.flush(connections.meter, FLOW)
    minimum = minimum_calls(applied)
    drift = state.cursors.get(DRIFT) or []
    drift = [*drift, applied.below][-DRIFT_RUNS:]
    state.cursors.move(DRIFT, drift)
    calls = sum(row.calls for row in usage)
    return {
        "summary": applied.sentence,
        "held": applied.held or "no",
        "lines_sent": applied.sent,
        "lines_confirmed": applied.confirmed,
        "lines_unconfirmed": applied.unconfirmed,
        "lines_refused": len(applied.refused),
        "lines_superseded": applied.superseded,
        "lines_healed": applied.healed,
        "polls": applied.polls,
        "items_in_store": applied.items_seen,
        "drift_below_confirmed": applied.below,
        "drift_over_runs": dg.MetadataValue.md(
            f"`{sparkline(drift)}` lines below the confirmed value, last {len(drift)} runs"
        ),
        "api_calls": calls,
        "api_calls_minimum": minimum,
        "api_calls_over_minimum": round(calls / minimum, 3) if minimum else 0.0,
        "api_call_budget": connections.mapping.inventory.call_budget,
        "calls": table(
            ("system", "operation", "status", "calls", "seconds"),
            [
                (row.system, row.operation, row.status, row.calls, round(float(row.seconds), 2))
                for row in usage
            ],
        ),
        "refused": table(("sku", "bigcommerce_said"), applied.refused[:SHOWN]),
        "not_confirmed": table(("sku",), [(sku,) for sku in applied.stuck[:SHOWN]]),
        "audit_head": state.head_hash(),
    }


def minimum_calls(applied: Applied) -> int:
    """The fewest API calls that the same work can be done with; one token is not counted.

    NetSuite: its clock, the stock in pages of 1000, changed items and kit members. BigCommerce: adjustments of
    2000 lines, and the read-back in pages of 1000 items.
    """
    snapshot = applied.planned.snapshot
    netsuite = 1 + max(1, -(-snapshot.rows // 1000)) + 1 + (0 if snapshot.complete else 1)
    writes = -(-applied.sent // 2000)
    items = len(applied.planned.wanted["item_id"].unique()) if snapshot.complete else 1
    return netsuite + writes + -(-items // 1000)


def of_orphans(found: Orphans) -> dict[str, Any]:
    """SKUs without a partner, on either side."""
    return {
        "summary": found.sentence,
        "netsuite_only": len(found.netsuite_only),
        "bigcommerce_only": len(found.bigcommerce_only),
        "used_twice": len(found.ambiguous),
        "only_in_netsuite": _frame(found.netsuite_only),
        "only_in_bigcommerce": _frame(found.bigcommerce_only),
        "used_twice_or_blank": _frame(found.ambiguous),
    }


def changes_table(lines: pd.DataFrame) -> dg.TableMetadataValue:
    """The first lines of a plan: old, new, why, and the NetSuite terms behind the number."""
    terms = ("available", "on_hand", "committed", UNPOSTED)
    names = ("sku", "location", "old", "new", "reason", "rule", *terms)
    rows = [
        (
            line["sku"],
            line["location_id"],
            "never" if line["old"] < 0 else str(line["old"]),
            line["new"],
            line["reason"],
            line["rule"],
            *("-" if pd.isna(line[term]) else show_quantity(int(line[term])) for term in terms),
        )
        for line in lines.head(SHOWN).to_dict("records")
    ]
    return table(names, rows)


def _terms(scaled: Any) -> str:
    """A NetSuite term; blank where it was not read in this run (an item made inactive, a sample)."""
    return "" if pd.isna(scaled) else show_quantity(int(scaled))


def sparkline(values: Iterable[int]) -> str:
    """The values as a line of bars, scaled to the highest."""
    known = list(values)
    top = max(known, default=0) or 1
    return "".join(BARS[value * (len(BARS) - 1) // top] for value in known)


def _frame(frame: pd.DataFrame) -> dg.TableMetadataValue:
    return table(tuple(frame.columns), [tuple(row) for row in frame.head(SHOWN).itertuples(index=False)])
