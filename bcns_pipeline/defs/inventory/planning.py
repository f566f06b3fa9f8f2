"""Plan: from what was read, the mapping and what the state remembers, to the lines that a push would send.

Put here how the pure rules are fed and what their result is written to. Do not put arithmetic here
(rules/inventory), and do not send anything: a plan that nobody applies can never be sent.
"""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from bcns_pipeline.clients.netsuite.models import TERMS, LevelsPage
from bcns_pipeline.defs.inventory import netting
from bcns_pipeline.defs.inventory.extract import MEMBERS, WATERMARK, Snapshot, last_snapshot, members_of
from bcns_pipeline.defs.inventory.identify import blocked_items
from bcns_pipeline.defs.inventory.linked import item_links
from bcns_pipeline.defs.inventory.pages import LEVELS, frame_of
from bcns_pipeline.defs.inventory.places import Places
from bcns_pipeline.defs.inventory.run import inventory_digest
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.rules.inventory.breaker import trips
from bcns_pipeline.rules.inventory.diff import Reason, diff
from bcns_pipeline.rules.inventory.frames import no_members
from bcns_pipeline.rules.inventory.netting import Sold
from bcns_pipeline.rules.inventory.policy import Policy
from bcns_pipeline.rules.inventory.quantities import UNPOSTED
from bcns_pipeline.rules.inventory.sellable import sellable, unresolved_kits
from bcns_pipeline.state import inventory_views as views
from bcns_pipeline.state.plans import Plan

PROOFS = "inventory.proofs"
# Lines of one adjustment call.
BATCH = 2_000
LINE_COLUMNS = (
    *("item_id", "location_id", "product_id", "variant_id", "sku", "tracking"),
    *("old", "new", "read_seq", "rule", "netsuite_changed_at", "reason", *TERMS, UNPOSTED),
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with its lines in sending order, and `counts`: every fetched row by (outcome, reason).

    `wanted` is what the store should show of everything that was read; heal.py compares it with what it shows.
    """

    plan: Plan
    snapshot: Snapshot
    lines: pd.DataFrame
    wanted: pd.DataFrame
    counts: dict[tuple[str, str], int]
    clamped: int = 0
    tripped: str | None = None

    @property
    def fetched(self) -> int:
        """Rows (item and location) that were read or have to be spoken of."""
        return int(self.plan.summary["fetched"])

    @property
    def lost(self) -> int:
        """Fetched rows of which nothing is said; anything but 0 is a fault of ours, and nothing may be sent."""
        return self.fetched - sum(self.counts.values())

    @property
    def reads_whole_store(self) -> bool:
        """A complete run looks at every value in the store, a small one at its own lines and a sample."""
        return self.snapshot.complete

    @property
    def sentence(self) -> str:
        """The plan in one line."""
        parts = [f"{self.count(name):,} {name}" for name in ("planned", "skipped", "excepted")]
        return f"{self.plan.flow}: {self.fetched:,} rows fetched = {' + '.join(parts)}"

    def count(self, outcome: str) -> int:
        """Rows that ended so: planned, skipped or excepted."""
        return sum(rows for (which, _), rows in self.counts.items() if which == outcome)

    def products(self) -> dict[str, int]:
        """SKUs of the lines, with their product ids."""
        return dict(zip(self.lines["sku"].tolist(), self.lines["product_id"].tolist(), strict=True))


def make_plan(
    connections: Connections, snapshot: Snapshot, *, flow: str, mode: Mode, lane: Lane = Lane.BULK
) -> Planned:
    """Compute and write the plan of a run. Raises nothing for single items: those are counted as excepted.

    Raises OutsideError where orders are netted and can't be listed.
    """
    if connections.mapping.nets_orders:
        netting.catch_up(connections, lane)
        # What was computed before, to say what orphans are worth, does not know of these orders.
        connections.scratch.pop("inventory.wanted", None)
    with ThreadPoolExecutor(1, thread_name_prefix="remember") as beside:
        remembered = beside.submit(connections.state.inventory.known, numbers=True)
        wanted, excepted = wanted_of(connections, snapshot)
        known = remembered.result()
    found = diff(
        wanted,
        known,
        complete=snapshot.speaks,
        inactive=snapshot.inactive,
        unread=set().union(*excepted.values()),
    )
    if mode is Mode.APPLY:
        sold = connections.scratch[netting.SOLD]
        netting.remember(connections, sold, wanted, complete=snapshot.complete)
    # Counted before anything was computed: an item that got lost on the way to its number would be missing below.
    fetched = connections.scratch["inventory.read"] + int((found["wanted_row"] < 0).sum())
    confirmed = int((known["confirmed"] >= 0).sum())
    return write_plan(
        connections, snapshot, flow, mode, found, wanted, excepted, fetched=fetched, confirmed=confirmed
    )


def recounted(connections: Connections, planned: Planned, lane: Lane) -> Planned:
    """The plan with `wanted` net of what was sold since it was made; the same where nothing was."""
    if not connections.mapping.nets_orders:
        return planned
    snapshot = planned.snapshot
    wanted_of(connections, snapshot)
    before = connections.scratch[netting.SOLD]
    netting.catch_up(connections, lane)
    now = netting.count(connections, snapshot.places, snapshot.taken_at)
    if not netting.grew(before, now):
        return planned
    return replace(
        planned, wanted=_read_anew(connections, planned, _computed(connections, snapshot, now)[0], lane)
    )


def _read_anew(connections: Connections, planned: Planned, wanted: pd.DataFrame, lane: Lane) -> pd.DataFrame:
    """`wanted`, with lines of the plan that orders have overtaken computed from a new read of NetSuite.

    A line that is sent twice has to be newer the second time, and only a new read is: another lane may have read
    this item since, and its number must not be overwritten by an older one.
    """
    keys = ["item_id", "location_id"]
    sent = planned.lines[[*keys, "new"]].merge(wanted[[*keys, "sellable"]], on=keys)
    late = set(sent.loc[sent["sellable"] < sent["new"], "item_id"].tolist())
    if not late:
        return wanted
    places, every = planned.snapshot.places, netting.kits(connections)
    bill = every[every["parent_id"].isin(late)]
    since, read_seq = netting.moment(connections), connections.state.inventory.draw_read_seq()
    items = {*late, *bill["item_id"].tolist()} - set(every["parent_id"].tolist())
    stock, draw = connections.stock(lane), connections.state.inventory.draw_read_seq
    pages = list(stock.levels(places.netsuite, draw, item_ids=sorted(items)))
    policy = connections.mapping.stock_policy(places.routes, places.suspended)
    levels, unread = frame_of(pages, policy)
    anew = sellable(
        levels,
        bill,
        policy,
        unread=unread["item_id"].tolist(),
        members_seq=read_seq,
        sold=netting.count(connections, places, since),
    )
    kept = [wanted[~wanted["item_id"].isin(late)], anew[anew["item_id"].isin(late)]]
    return pd.concat(kept, ignore_index=True).sort_values(keys, ignore_index=True)


def plan_of(connections: Connections, run_id: str, *, flow: str) -> Planned:
    """The plan that this run made, with its lines, for the step that applies it."""
    plans = connections.state.plans.of_run(run_id, flow)
    if not plans:
        raise PermanentFailure(
            "This run has no plan: run the job inventory_sync, or materialise inventory/diff in the same run."
        )
    kept = connections.scratch.get(f"inventory.plan.{flow}")
    if kept is not None and kept.plan.id == plans[0].id:
        planned: Planned = kept
        return planned
    plan, snapshot = plans[0], last_snapshot(connections)
    return Planned(
        plan=plan,
        snapshot=snapshot,
        lines=views.plan_lines(connections.state, plan),
        wanted=wanted_of(connections, snapshot)[0],
        counts={(outcome, reason): rows for outcome, reason, rows in plan.summary["outcomes"]},
        clamped=plan.summary["clamped"],
        tripped=plan.summary["tripped"],
    )


def sellable_of(connections: Connections, pages: Sequence[LevelsPage], places: Places) -> pd.DataFrame:
    """Sellable numbers of pages just read, without writing anything down; kits are left out."""
    policy = connections.mapping.stock_policy(places.routes, places.suspended)
    sold = netting.count(connections, places, None)
    return sellable(frame_of(pages, policy)[0], no_members(), policy, sold=sold)


def wanted_of(connections: Connections, snapshot: Snapshot) -> tuple[pd.DataFrame, dict[str, set[int]]]:
    """What the store should show of everything that was read, and the items that could not be computed.

    Computed once per run and process; a step that runs alone computes it anew from the documents.
    """
    kept = connections.scratch.get("inventory.wanted")
    if kept is not None and kept[0] == snapshot.read_seq:
        return kept[1], kept[2]
    sold = netting.count(connections, snapshot.places, snapshot.taken_at)
    wanted, unread, kits = _computed(connections, snapshot, sold)
    excepted = {
        "unreadable_quantity": set(unread["item_id"].tolist()),
        "kit_not_computable": set(kits["item_id"].tolist()),
    }
    connections.scratch["inventory.wanted"] = (snapshot.read_seq, wanted, excepted)
    connections.scratch["inventory.excepted"] = (unread, kits)
    connections.scratch[netting.SOLD] = sold
    return wanted, excepted


def _computed(
    connections: Connections, snapshot: Snapshot, sold: Sold | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Sellable numbers, unreadable quantities and kits that can't be computed."""
    policy = connections.mapping.stock_policy(snapshot.places.routes, snapshot.places.suspended)
    levels, unread = _levels(connections, snapshot, policy)
    members, members_seq = _members(connections, snapshot)
    if sold is not None and not snapshot.complete:
        more = netting.kits_of(connections, set(levels["item_id"].tolist()), members)
        if len(more):
            members = pd.concat([members, more], ignore_index=True)
            members_seq = snapshot.read_seq if members_seq is None else members_seq
    read = pd.concat([levels["item_id"], unread["item_id"], members["parent_id"]]).nunique()
    connections.scratch["inventory.read"] = read * len(policy.bigcommerce_locations)
    arguments: dict[str, Any] = {
        "complete": snapshot.complete and not snapshot.unreadable,
        "inactive": snapshot.inactive,
        "unread": unread["item_id"].tolist(),
    }
    wanted = sellable(levels, members, policy, members_seq=members_seq, sold=sold, **arguments)
    return wanted, unread, unresolved_kits(levels, members, **arguments)


def excepted_of(connections: Connections, snapshot: Snapshot) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Why items have no number: unreadable quantities (item_id, term, value) and kits (item_id, why)."""
    wanted_of(connections, snapshot)
    frames: tuple[pd.DataFrame, pd.DataFrame] = connections.scratch["inventory.excepted"]
    return frames


def _levels(
    connections: Connections, snapshot: Snapshot, policy: Policy
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The stock rows of a snapshot: those just read, else decoded again from the documents."""
    kept = connections.scratch.pop("inventory.levels", None)
    if kept is not None and kept[0] == snapshot.read_seq and kept[1]:
        if connections.mapping.nets_orders:
            # Orders are counted once more after the push.
            connections.scratch["inventory.levels"] = kept
        levels, unread = zip(*kept[1], strict=True)
        return pd.concat(levels, ignore_index=True), pd.concat(unread, ignore_index=True)
    documents, stock = connections.state.documents, connections.stock()
    pages = []
    for document in documents.find(run_id=snapshot.run_id, kind=LEVELS, limit=1_000_000):
        key = json.loads(document.natural_key)
        if key["clock"] == snapshot.clock:
            body = documents.load(document.id)
            pages.append(stock.decode(body, document.read_seq or 0, key["source"], key["location"]))
    return frame_of(pages, policy)


def _members(connections: Connections, snapshot: Snapshot) -> tuple[pd.DataFrame, int | None]:
    """The kit members of a snapshot, and the read_seq drawn before they were read."""
    documents = connections.state.documents
    found = list(documents.find(run_id=snapshot.run_id, kind=MEMBERS, natural_key=snapshot.clock, limit=1))
    if not found:
        return no_members(), None
    return members_of(json.loads(documents.load(found[0].id))), found[0].read_seq


def write_plan(
    connections: Connections,
    snapshot: Snapshot,
    flow: str,
    mode: Mode,
    found: pd.DataFrame,
    wanted: pd.DataFrame,
    excepted: dict[str, set[int]],
    *,
    fetched: int,
    confirmed: int,
    seen: int | None = None,
) -> Planned:
    """Join links, count every row by what becomes of it, and write the plan with its lines.

    `fetched` is how many rows have to be spoken of. `confirmed` is how many lines the state has a confirmed value
    of; the breaker measures the plan by it, and by how many were `seen`.
    """
    state, mapping = connections.state, connections.mapping
    links = item_links(connections)
    place = np.searchsorted(links["item_id"].to_numpy(), found["item_id"].to_numpy())
    linked = np.zeros(len(found), dtype=np.bool_)
    if len(links):
        place = np.minimum(place, len(links) - 1)
        linked = links["item_id"].to_numpy()[place] == found["item_id"].to_numpy()
    ambiguous = list(blocked_items(connections))
    blocked = found["item_id"].isin(ambiguous).to_numpy()
    reason = found["reason"].astype(str).to_numpy(dtype=object)
    push = found["push"].to_numpy()
    sendable = push & linked & ~blocked
    counts: Counter[tuple[str, str]] = Counter()
    counts.update(("planned", why) for why in reason[sendable])
    counts.update(("skipped", why) for why in reason[~push & linked & ~blocked])
    counts[("skipped", "not_in_bigcommerce")] += int((~linked & ~blocked).sum())
    counts[("excepted", "sku_ambiguous")] += int(blocked.sum())
    policy = mapping.stock_policy(snapshot.places.routes, snapshot.places.suspended)
    targets = len(policy.bigcommerce_locations)
    for why, items in excepted.items():
        counts[("excepted", why)] += len(items) * targets
    chosen = found[sendable].reset_index(drop=True)
    lines = _lines(chosen, links.iloc[place[sendable]].reset_index(drop=True), wanted, snapshot)
    # Until a first run has ended, the store's values are not ours to judge changes by.
    if state.cursors.get(WATERMARK) is None:
        confirmed = 0
    tripped = (confirmed and trips(lines, confirmed, policy.breaker, seen=seen)) or None
    summary = {
        "fetched": fetched,
        **{
            name: sum(n for (which, _), n in counts.items() if which == name)
            for name in ("planned", "skipped", "excepted")
        },
        "outcomes": [[outcome, why, rows] for (outcome, why), rows in sorted(counts.items()) if rows],
        "clamped": int(wanted["clamped"].sum()),
        "tripped": tripped,
    }
    plan = state.inventory.write_plan(
        lines,
        flow=flow,
        mode=mode.value,
        as_of=datetime.now(UTC),
        config_digest=inventory_digest(mapping),
        summary=summary,
    )
    if mode is Mode.APPLY:
        # What staging needs is hashed while Dagster writes down this step and runs its checks.
        prover = ThreadPoolExecutor(1, thread_name_prefix="prove")
        connections.scratch[f"{PROOFS}.{plan.id}"] = prover.submit(state.inventory.prove, plan, BATCH)
        prover.shutdown(wait=False)
    kept = {key: rows for key, rows in counts.items() if rows}
    planned = Planned(plan, snapshot, lines, wanted, kept, summary["clamped"], tripped)
    connections.scratch[f"inventory.plan.{flow}"] = planned
    return planned


def _lines(
    chosen: pd.DataFrame, links: pd.DataFrame, wanted: pd.DataFrame, snapshot: Snapshot
) -> pd.DataFrame:
    """Lines in sending order: by variant, so that reading back page by page can follow the sender."""
    row = chosen["wanted_row"].to_numpy()
    read = row >= 0
    lines = pd.DataFrame({name: chosen[name] for name in ("item_id", "location_id", "old", "new")})
    for name in ("product_id", "variant_id", "sku", "tracking"):
        lines[name] = links[name]
    lines["reason"] = chosen["reason"].astype(str).astype(object)
    source = wanted.iloc[np.maximum(row, 0)] if len(wanted) else wanted
    for name in (*TERMS, UNPOSTED):
        # Not read in this run (made inactive, or only sampled): there are no terms to show.
        lines[name] = (
            pd.array(np.where(read, source[name].to_numpy(), 0), dtype="Int64") if len(wanted) else pd.NA
        )
        lines.loc[~read, name] = pd.NA
    # In most runs there is nothing in it, and nothing is what a NULL costs.
    lines.loc[lines[UNPOSTED] == 0, UNPOSTED] = pd.NA
    gone = (lines["reason"] == Reason.DEACTIVATED.value).to_numpy()
    unread = np.where(gone, "not active in NetSuite: 0", "as confirmed before: not read in this run").astype(
        object
    )
    lines["rule"] = np.where(read, source["rule"].to_numpy(), unread) if len(wanted) else unread
    lines["netsuite_changed_at"] = (
        np.where(read, source["changed_at"].to_numpy(), None) if len(wanted) else None
    )
    lines["read_seq"] = (
        np.where(read, source["read_seq"].to_numpy(), snapshot.read_seq) if len(wanted) else snapshot.read_seq
    )
    # A batch covers whole items, and within it the lines of one location stand together.
    order = np.lexsort((lines["location_id"].to_numpy(), lines["variant_id"].to_numpy()))
    return lines.iloc[order].reset_index(drop=True)[list(LINE_COLUMNS)]
