"""Nothing that was looked at gets lost: the identity that every plan has to satisfy.

Put the count and the comparison here, which are the same for all flows. Do not put the names of a flow's outcomes here.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import ClassVar, Protocol

import dagster as dg

from bcns_pipeline.resources.connections import Connections


class Fated(Protocol):
    """Whatever a plan says of one record."""

    @property
    def outcome(self) -> str:
        """One of the flow's own names."""
        ...


class LookedAt:
    """Of a plan with one fate for every record that was looked at; `what` is what the records are called."""

    __slots__ = ()
    what: ClassVar[str]
    fates: Sequence[Fated]

    @property
    def counts(self) -> Counter[str]:
        """Records by outcome."""
        return Counter(fate.outcome for fate in self.fates)

    @property
    def identity(self) -> str:
        """What was looked at = what became of it."""
        parts = [f"{count:,} {outcome}" for outcome, count in sorted(self.counts.items())]
        return f"{self.what}: {len(self.fates):,} looked at = {' + '.join(parts) or '0'}"

    @property
    def sentence(self) -> str:
        """The plan in one line."""
        return self.identity


def accounted_for(
    context: dg.AssetCheckExecutionContext, connections: Connections, flow: str, outcomes: Collection[str]
) -> dg.AssetCheckResult:
    """Passes where the outcomes of this run's plan add up to what was looked at; a run without a plan passes."""
    plans = connections.state.plans.of_run(context.run.run_id, flow)
    counts = plans[-1].summary["outcomes"] if plans else {}
    looked_at = plans[-1].summary["looked_at"] if plans else 0
    accounted = sum(counts.get(name, 0) for name in outcomes)
    return dg.AssetCheckResult(
        passed=looked_at == accounted, metadata={"looked_at": looked_at, "accounted": accounted, **counts}
    )
