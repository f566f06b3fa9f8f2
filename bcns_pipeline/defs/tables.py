"""Tables and calls as a person sees them on a run's page in Dagster.

Put here what the reports of all flows share. Do not put a flow's own columns here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.usage import Usage

# A page of Dagster's UI is read by people: so many rows are shown, and the rest is in the state.
SHOWN = 100


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dg.TableMetadataValue:
    """A table that also has its columns when it has no rows."""
    records = [dg.TableRecord(dict(zip(names, map(plain, row), strict=True))) for row in rows]
    schema = dg.TableSchema([dg.TableColumn(name, _kind(name, records)) for name in names])
    return dg.MetadataValue.table(records, schema=schema)


def calls_of(connections: Connections, flow: str, minimum: int, budget: int | None = None) -> dict[str, Any]:
    """What a step cost in API calls, against the fewest that the same work can be done with; and the chain's head."""
    usage = connections.state.usage.flush(connections.meter, flow)
    calls = sum(row.calls for row in usage)
    return {
        "api_calls": calls,
        "api_calls_minimum": minimum,
        "api_calls_over_minimum": round(calls / minimum, 3) if minimum else 0.0,
        **({} if budget is None else {"api_call_budget": budget}),
        "calls": table(("system", "operation", "status", "calls", "seconds"), [_call(row) for row in usage]),
        "audit_head": connections.state.head_hash(),
    }


def spread_of(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile (nearest rank) as two numbers, which Dagster draws over the runs; {} without any."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        f"{name}_median_seconds": round(ordered[last // 2], 1),
        f"{name}_p95_seconds": round(ordered[min(last, -(-95 * len(ordered) // 100) - 1)], 1),
    }


def plain(value: Any) -> Any:
    """What a table record can hold: numpy's scalars are none of Python's."""
    found = value.item() if hasattr(value, "item") else value
    return found if isinstance(found, (int, float, bool)) else str(found)


def _call(row: Usage) -> tuple[Any, ...]:
    return (row.system, row.operation, row.status, row.calls, round(float(row.seconds), 2))


def _kind(name: str, records: Sequence[dg.TableRecord]) -> str:
    first: Mapping[str, Any] = records[0].data if records else {}
    value = first.get(name)
    return "int" if isinstance(value, int) else "float" if isinstance(value, float) else "string"
