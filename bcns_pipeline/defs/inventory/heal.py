"""Heal: what the store shows against what it should, without overselling.

Put here which lines of the live store are looked at, and what is done about them. What a difference means is a
rule (rules/inventory/diff). A value below the confirmed one may have been sold, so only NetSuite's own movement or
a person raises it, and a person's word counts once; where orders are netted, time does as well (lasting.py).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bcns_pipeline.defs.inventory import netting
from bcns_pipeline.defs.inventory.lasting import lasting, note_below
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.planning import Planned, write_plan
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.inventory.diff import Reason, diff
from bcns_pipeline.state.exceptions import ExceptionRow

SAMPLE = "inventory.sample"
# More items than this in one incremental run are a bulk change; the rest is seen by the sample and the night's run.
MOST_LOOKED_AT = 1_000
# Which approval of STOCK_DRIFT was the last, and the items for which it has been used up.
APPROVED = "inventory.drift_approved"


@dataclass(frozen=True, slots=True)
class Healing:
    """What the store shows against what it should: a plan that lowers what is above, and SKUs that are below.

    `level` are SKUs of a sample that are not below (empty where all were looked at); `approved` are items that
    were looked at and that a person allowed to be raised.
    """

    planned: Planned | None
    drifted: list[str]
    level: list[str]
    approved: list[int]

    @property
    def below(self) -> int:
        """SKUs below the confirmed value."""
        return len(self.drifted)


def heal_plan(connections: Connections, planned: Planned, live: pd.DataFrame, *, confirmed: bool) -> Healing:
    """Compare what the store shows (item_id, location_id, live) with what it should.

    `confirmed`: every line of the plan was, and with it the value that the store shows is written down. Of a line that
    was refused or overtaken it is news.

    Above sellable is lowered at once, lines of this run included where orders that were placed meanwhile have
    lowered what is sellable (see `planning.recounted`). Below the confirmed value is reported unless orders that
    NetSuite does not know yet explain it, and raised only where NetSuite has moved since, a person allowed it, or it
    has outlasted every sale.
    """
    if live.empty:
        return Healing(None, [], [], [])
    state = connections.state
    keys = ["item_id", "location_id"]
    just_sent = planned.lines[[*keys, "new"]].merge(planned.wanted[[*keys, "sellable"]], on=keys, how="left")
    # A line of this run that does not show its value yet waits for the next run, which reads it anew; one that was
    # overtaken by an order does not.
    overtaken = just_sent["sellable"] < just_sent["new"]
    others = live[~_among(live, just_sent[~overtaken])]
    news = others if confirmed else live
    items = news["item_id"].unique()
    known = state.inventory.known(items=items)
    before = news.merge(known[[*keys, "live"]], on=keys, how="left", suffixes=("", "_before"))
    state.inventory.observe_live(before[before["live"] != before["live_before"]])
    approved = _approved(connections)
    wanted = planned.wanted[planned.wanted["item_id"].isin(items)].reset_index(drop=True)
    # Only of what was read in this run: any other number is not net of what was sold since.
    read = set(wanted["item_id"].tolist())
    outlasted = [one for one in lasting(connections, planned.snapshot.places) if one in read]
    found = diff(wanted, known, others, approved=approved, lasting=outlasted)
    seen = found[found["live"] >= 0]
    links = item_links(connections).set_index("item_id")
    unexplained = ~netting.explained(
        connections.scratch.get(netting.SOLD), seen, planned.snapshot.places, connections.mapping
    )
    below = seen.loc[(seen["reason"] == Reason.SOLD_OR_DRIFTED.value) & unexplained, "item_id"]
    drifted = sorted(set(links["sku"].reindex(below).dropna().tolist()))
    looked_at = live["item_id"].unique()
    note_below(connections, below.unique().tolist(), looked_at.tolist())
    level: list[str] = []
    if not planned.reads_whole_store:
        level = sorted(set(links["sku"].reindex(looked_at).dropna().tolist()) - set(drifted))
    used = sorted(set(approved) & set(looked_at.tolist()))
    raised = (Reason.RAISED_AFTER_CHANGE, Reason.RAISED_AFTER_WAIT, Reason.RAISED_BY_APPROVAL)
    healing = {Reason.LIVE_ABOVE.value, *(one.value for one in raised)}
    # Only those: another run's line that is on its way also shows more than was last confirmed.
    above = seen["push"] & (seen["live"] > seen["new"]) & _among(seen, just_sent[overtaken])
    to_heal = seen[seen["reason"].isin(healing) | above]
    if to_heal.empty:
        return Healing(None, drifted, level, used)
    plan = write_plan(
        connections,
        planned.snapshot,
        planned.plan.flow,
        Mode.APPLY,
        to_heal,
        wanted,
        {},
        fetched=len(to_heal),
        confirmed=int((state.inventory.known(numbers=True)["confirmed"] >= 0).sum()),
        seen=len(seen),
    )
    return Healing(plan, drifted, level, used)


def _among(lines: pd.DataFrame, chosen: pd.DataFrame) -> pd.Series:
    """Which of the lines (item_id, location_id) are among the chosen ones."""
    keys = ["item_id", "location_id"]
    marked = lines[keys].merge(chosen[keys].assign(chosen=True), on=keys, how="left")["chosen"]
    return marked.notna().set_axis(lines.index)


def sample_of(connections: Connections) -> dict[str, int]:
    """The next SKUs of the rolling sample, with their product ids: they ride in the read-back call."""
    size = connections.mapping.inventory.sample_size
    links = item_links(connections)
    if not size or links.empty:
        return {}
    cursors = connections.state.cursors
    start = int(cursors.get(SAMPLE) or 0)
    place = int(np.searchsorted(links["item_id"].to_numpy(), start, side="right"))
    chosen = links.iloc[(place + np.arange(min(size, len(links)))) % len(links)]
    cursors.move(SAMPLE, int(chosen["item_id"].iloc[-1]))
    # What a person allowed to be raised need not wait for its turn.
    chosen = pd.concat([chosen, links[links["item_id"].isin(_approved(connections))]])
    return dict(zip(chosen["sku"].tolist(), chosen["product_id"].tolist(), strict=True))


def read_anew(connections: Connections, planned: Planned) -> dict[str, int]:
    """SKUs whose stock NetSuite has just told, with their product ids, where orders are netted: they are looked at.

    A sale and a receipt of as many units leave the sellable number where it was confirmed, and the store below it.
    """
    if not connections.mapping.nets_orders:
        return {}
    links = item_links(connections)
    told = links[links["item_id"].isin(planned.wanted["item_id"].unique())].head(MOST_LOOKED_AT)
    return dict(zip(told["sku"].tolist(), told["product_id"].tolist(), strict=True))


def _approved(connections: Connections) -> list[int]:
    """Items whose lower live value a person allowed to be raised, by approving STOCK_DRIFT; each of them once.

    What a shopper buys after that is drift again, and nobody's approval.
    """
    state = connections.state
    latest = _last_drift(connections)
    if latest is None or latest.resolution != "approved":
        return []
    used = state.cursors.get(APPROVED) or {"exception": None, "items": []}
    spent = set(used["items"]) if used["exception"] == latest.id else set()
    links = item_links(connections)
    allowed = links.loc[links["sku"].isin(set(latest.detail.get("skus", ()))), "item_id"].tolist()
    return [item for item in allowed if item not in spent]


def use_up_approval(connections: Connections, items: list[int]) -> None:
    """These items were looked at under the last approval; it says nothing of what becomes of them later."""
    latest = _last_drift(connections)
    if not items or latest is None:
        return
    cursors = connections.state.cursors
    used = cursors.get(APPROVED) or {"exception": None, "items": []}
    before = used["items"] if used["exception"] == latest.id else []
    cursors.move(APPROVED, {"exception": latest.id, "items": sorted({*before, *items})})


def _last_drift(connections: Connections) -> ExceptionRow | None:
    found = connections.state.exceptions.find(code="STOCK_DRIFT", open_only=False)
    return found[-1] if found else None
