"""What a provider says differently of a payout than it did before: the difference report.

Put the comparison of two versions here, a pure function. Do not decide here what follows: a person does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bcns_pipeline.rules.payouts.model import PayoutLine

_COMPARED = ("category", "gross", "fee", "net", "currency")


@dataclass(frozen=True, slots=True)
class Difference:
    """`rows`: {line, what, before, now} by line id; `net` what the payout comes to now, less what it came to before.

    `what` is added, gone, or the field that says otherwise. Amounts are minor units.
    """

    rows: list[dict[str, Any]]
    net: int

    @property
    def sentence(self) -> str:
        """The report in one line."""
        added = sum(row["what"] == "added" for row in self.rows)
        gone = sum(row["what"] == "gone" for row in self.rows)
        changed = len({row["line"] for row in self.rows}) - added - gone
        return (
            f"{added:,} lines more, {gone:,} fewer, {changed:,} otherwise; {self.net:+,} minor units in all"
        )


def difference(before: Sequence[PayoutLine], now: Sequence[PayoutLine]) -> Difference:
    """Two versions of a payout's lines, side by side by their ids."""
    old, new = {one.id: one for one in before}, {one.id: one for one in now}
    rows: list[dict[str, Any]] = []
    for identity in sorted(old.keys() | new.keys()):
        was, is_ = old.get(identity), new.get(identity)
        if was is None or is_ is None:
            what = "added" if was is None else "gone"
            rows.append(
                {
                    "line": identity,
                    "what": what,
                    "before": None if was is None else was.net,
                    "now": None if is_ is None else is_.net,
                }
            )
            continue
        for name in _COMPARED:
            one, other = getattr(was, name), getattr(is_, name)
            if one != other:
                rows.append({"line": identity, "what": name, "before": one, "now": other})
    return Difference(rows, sum(one.net for one in now) - sum(one.net for one in before))
