"""The stop-sale switch: how much of the catalogue may one run change before a person has to look.

Put the limits' arithmetic here. Do not put the pausing or its approval here: the flow remembers both. First
loads never trip, for there is nothing confirmed yet that they could spoil.
"""

from __future__ import annotations

import pandas as pd

from bcns_pipeline.rules.inventory.diff import Reason
from bcns_pipeline.rules.inventory.policy import Breaker

# A person allowed the others by name, or they only repeat what a limit has let through before.
COUNTED = (Reason.CHANGED, Reason.DEACTIVATED, Reason.RAISED_AFTER_CHANGE)


def trips(lines: pd.DataFrame, known: int, limits: Breaker, *, seen: int | None = None) -> str | None:
    """One sentence with figures where `lines` go beyond a limit, else None.

    `lines` have `reason` and `old` (a diff, or those of its lines that would be sent). `known` counts *all*
    lines that are remembered as confirmed, read in this run or not, because the limit is a share of the
    catalogue. `seen` counts the lines whose live value was looked at; without it the share above sellable
    is of `known`.
    """
    reason = lines["reason"].astype(str)
    changed = int((reason.isin([one.value for one in COUNTED]) & (lines["old"] >= 0)).sum())
    above = int((reason == Reason.LIVE_ABOVE.value).sum())
    looked_at = known if seen is None else seen
    faults = []
    # Whole numbers on both sides: 30 of 100 is not more than 30 %.
    if changed >= max(limits.min_changed, 1) and changed * 100 > limits.max_changed_percent * known:
        faults.append(
            f"this run would change {changed:,} of {known:,} confirmed values ({_percent(changed, known)}), "
            f"and {limits.max_changed_percent:g} % is the limit"
        )
    if above >= max(limits.min_changed, 1) and above * 100 > limits.max_oversold_percent * looked_at:
        faults.append(
            f"BigCommerce would sell more than there is for {above:,} of {looked_at:,} values looked at "
            f"({_percent(above, looked_at)}), and {limits.max_oversold_percent:g} % is the limit"
        )
    if not faults:
        return None
    text = "; ".join(faults)
    return f"{text[0].upper()}{text[1:]}: nothing is sent until a person has looked and approved."


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f} %" if whole else "all"
