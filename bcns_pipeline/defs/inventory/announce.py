"""One line per run for people, and its failures grouped, to Slack where it is configured.

Put the wording here. Do not put here what counts as a failure: apply.py hands over what happened. A message that
can't be delivered is a warning in the run's log and stops nothing.
"""

from collections.abc import Callable, Iterable
from contextlib import closing

from bcns_pipeline.defs.inventory.apply import Applied
from bcns_pipeline.outcomes import Sent
from bcns_pipeline.resources.connections import Connections

# So many SKUs of a group are named; the exceptions name all of them.
NAMED = 10


def tell(connections: Connections, applied: Applied, warn: Callable[[str], None]) -> None:
    """Post the run's line; does nothing where no webhook is set."""
    slack = connections.slack()
    if slack is None:
        return
    with closing(slack):
        outcome = slack.post(message(applied))
    if not isinstance(outcome, Sent):
        warn(f"the run's summary did not reach Slack: {outcome}")


def message(applied: Applied) -> str:
    """The run in one line, then a line per kind of failure: refused for one reason, not confirmed."""
    trouble = bool(applied.held or applied.refused or applied.stuck)
    lines = [f"{':warning:' if trouble else ':white_check_mark:'} {escape(applied.sentence)}"]
    reasons: dict[str, list[str]] = {}
    for sku, said in applied.refused:
        reasons.setdefault(said, []).append(sku)
    lines += [f"• refused, {escape(said)}: {_some(skus)}" for said, skus in sorted(reasons.items())]
    if applied.stuck:
        lines.append(f"• accepted but not shown by the store yet: {_some(applied.stuck)}")
    return "\n".join(lines)


def escape(text: str) -> str:
    """As Slack wants it: its own three characters must not come from a SKU."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _some(skus: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(skus))
    more = f" and {len(distinct) - NAMED:,} more" if len(distinct) > NAMED else ""
    return escape(", ".join(distinct[:NAMED])) + more
