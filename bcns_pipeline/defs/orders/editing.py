"""Plan: what a later version of an order changes in NetSuite.

Put here how the two versions and NetSuite's own are brought together. Do not compare them here (rules/orders/edits):
the version written last is built again from its document, by the policy of today, so that a new mapping is no edit.
Most new versions are echoes of our own writes; they change nothing of the draft, and cost no call to NetSuite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bcns_pipeline.defs.orders.facts import Known
from bcns_pipeline.defs.orders.fates import Fate, waiting
from bcns_pipeline.defs.orders.shown import shown
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import plan_cancellation, plan_edit
from bcns_pipeline.rules.orders.facts import Shown
from bcns_pipeline.rules.orders.gate import has_refund
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.scope import parse


@dataclass(frozen=True, slots=True)
class Version:
    """The newest version of an order that is in NetSuite."""

    state: OrderState
    order: Order = field(repr=False)
    details: Details = field(repr=False)


def edit(connections: Connections, versions: Sequence[Version], known: Known) -> list[Fate]:
    """What becomes of each: an edit, nothing, or a question. Reads NetSuite once for all that differ."""
    fates: list[Fate] = []
    compared: list[tuple[Version, Draft, Draft]] = []
    for one in versions:
        drafts = _drafts(connections, one, known)
        if isinstance(drafts, Fate):
            fates.append(drafts)
        elif _same(*drafts) and one.order.status_id != Status.CANCELLED:
            fates.append(Fate(one.state, None, "unchanged", refunded=has_refund(one.order)))
        else:
            compared.append((one, *drafts))
    now = shown(connections, [int(one.state.netsuite_id or 0) for one, _, _ in compared])
    return fates + [
        _compare(connections, one, before, after, now.get(int(one.state.netsuite_id or 0)))
        for one, before, after in compared
    ]


def _drafts(connections: Connections, one: Version, known: Known) -> tuple[Draft, Draft] | Fate:
    facts = known.of(one.order)
    if isinstance(facts, Problem):
        return waiting(one.state, [facts])
    after = build(one.order, one.details, facts, connections.order_policy)
    if isinstance(after, list):
        return waiting(one.state, after)
    written = _written(connections, one.state)
    if written is None:
        return _unknown(one.state)
    before = build(written, one.details, facts, connections.order_policy)
    return (before, after) if isinstance(before, Draft) else _unknown(one.state)


def _written(connections: Connections, state: OrderState) -> Order | None:
    """The version that NetSuite has, from its document; None where it is gone or can't be read any more."""
    documents = connections.state.documents
    for found in documents.find(kind="order", natural_key=f"order:{state.order_id}"):
        if found.fingerprint == state.applied_hash:
            body = documents.load_many([found.id]).get(found.id)
            try:
                return None if body is None else read_order(parse(body))
            except Unreadable:
                return None
    return None


def _compare(
    connections: Connections, one: Version, before: Draft, after: Draft, record: Shown | None
) -> Fate:
    policy = connections.order_policy
    if record is None:
        said = f"{one.state.record_type} {one.state.netsuite_id} is not in NetSuite any more."
        return waiting(one.state, [Problem("ORDER_EDIT_CONFLICT", said)])
    if one.order.status_id == Status.CANCELLED:
        patch = plan_cancellation(after, record, policy)
    else:
        patch = plan_edit(before, after, record, policy)
    refunded = has_refund(one.order)
    match patch:
        case None:
            return Fate(one.state, None, "unchanged", refunded=refunded)
        case Problem():
            return waiting(one.state, [patch])
        case _:
            reason = "; ".join(patch.reasons)
            return Fate(one.state, None, "edited", reason=reason, draft=after, patch=patch, refunded=refunded)


def _same(before: Draft, after: Draft) -> bool:
    return before.body() == after.body() and before.expected == after.expected


def _unknown(state: OrderState) -> Fate:
    said = "It changed, and the version that NetSuite has can't be built again, so the change can't be told."
    return waiting(state, [Problem("ORDER_EDIT_CONFLICT", said)])
