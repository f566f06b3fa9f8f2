"""What must be true after a step, as a person reads it: the checks of one asset, kept together.

Put here how a check becomes part of the graph, and the answers that flows share. Do not put a comparison of one flow
here (its `checks.py`). Each check has its name, severity and history on its asset's page; but one step looks at all
that an asset promises, for a step of its own costs a check several times what its question to the state does.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from operator import attrgetter
from typing import Any

import dagster as dg

from bcns_pipeline.resources.connections import Connections

WARN = dg.AssetCheckSeverity.WARN
SHOWN = 20
# Takes what it names of `context` (dg.AssetCheckExecutionContext) and `connections`.
Keep = Callable[..., dg.AssetCheckResult]


@dataclass(frozen=True, slots=True)
class Promise:
    """A check: what the graph knows of it, and the function that says whether it is kept."""

    spec: dg.AssetCheckSpec
    keep: Keep


def promise(
    *, asset: dg.AssetsDefinition | dg.AssetKey, description: str, name: str = "", blocking: bool = False
) -> Callable[[Keep], Promise]:
    """Of the function below it. One that is `blocking` stops what lies downstream where it fails with ERROR."""

    def of(keep: Keep) -> Promise:
        spec = dg.AssetCheckSpec(
            name or keep.__name__, asset=asset, description=description, blocking=blocking
        )
        return Promise(spec, keep)

    return of


def none_open(
    found: Sequence[str], severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR, **more: Any
) -> dg.AssetCheckResult:
    """Passes where nothing was `found`; otherwise how many there are, and the first of them."""
    first = ", ".join(found[:SHOWN]) or "none"
    return dg.AssetCheckResult(
        passed=not found, severity=severity, metadata={"open": len(found), "first": first, **more}
    )


def none_asked(
    connections: Connections, flow: str, codes: Collection[str],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR, **more: Any,
) -> dg.AssetCheckResult:  # fmt: skip
    """Passes where no exception of `flow` with one of these codes is open."""
    found = connections.state.exceptions.find(flow=flow)
    return none_open([one.subject for one in found if one.code in codes], severity, **more)


def within_budget(asset: dg.AssetsDefinition, key: str, flow: str | None = None) -> Promise:
    """The calls of this run, of `flow` or of all in it, against `key` of the mapping; more are told, never refused."""

    @promise(asset=asset, name="calls_within_budget", description=f"The run stayed within {key}.")
    def keep(context: dg.AssetCheckExecutionContext, connections: Connections) -> dg.AssetCheckResult:
        calls = sum(row.calls for row in connections.state.usage.of_run(context.run.run_id, flow))
        budget = attrgetter(key)(connections.mapping)
        return dg.AssetCheckResult(
            passed=calls <= budget, severity=WARN, metadata={"calls": calls, "budget": budget}
        )

    return keep


def steps_of(promises: Iterable[Promise]) -> list[dg.AssetChecksDefinition]:
    """One step for each asset that is spoken of; a person may still ask for a single check."""
    by_asset: dict[dg.AssetKey, list[Promise]] = {}
    for one in promises:
        by_asset.setdefault(one.spec.asset_key, []).append(one)
    return [_step(key, kept) for key, kept in by_asset.items()]


def _step(asset: dg.AssetKey, promises: list[Promise]) -> dg.AssetChecksDefinition:
    name = f"{asset.to_python_identifier()}__promises"

    @dg.multi_asset_check(name=name, specs=[one.spec for one in promises], can_subset=True)
    def check(
        context: dg.AssetCheckExecutionContext, connections: Connections
    ) -> Iterator[dg.AssetCheckResult]:
        given: dict[str, Any] = {"context": context, "connections": connections}
        for one in promises:
            if one.spec.key in context.selected_asset_check_keys:
                found = one.keep(**{name: given[name] for name in signature(one.keep).parameters})
                yield found._replace(check_name=one.spec.name, asset_key=asset)

    return check
