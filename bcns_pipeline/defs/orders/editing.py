"""Plan: what a later version of an order changes in NetSuite.

Put here how the two versions and NetSuite's own are brought together. Do not compare them here (rules/orders/edits):
the version written last is built again from its document, by the policy of today, so that a new mapping is no edit.
Most new versions are echoes of our own writes; they change nothing of the draft, and cost no call to NetSuite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bcns_pipeline.defs.orders.evidence import Basis
from bcns_pipeline.defs.orders.facts import Known
from bcns_pipeline.defs.orders.fates import Fate, about_order, waiting
from bcns_pipeline.defs.orders.readback import written_as
from bcns_pipeline.defs.orders.run import FLOW
from bcns_pipeline.defs.orders.shown import shown
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import (
    TOTAL_LEFT,
    Patch,
    as_shown,
    plan_cancellation,
    plan_edit,
    same_sale,
)
from bcns_pipeline.rules.orders.facts import Facts
from bcns_pipeline.rules.orders.gate import has_refund
from bcns_pipeline.rules.orders.model import Details, Order
from bcns_pipeline.rules.orders.policy import CASH_SALE, SALES_ORDER, OrderPolicy, Record
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline.rules.orders.stopped import resumed
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.scope import parse


@dataclass(frozen=True, slots=True)
class Version:
    """The newest version of an order that is in NetSuite, and the one that was `written`; None where that is gone."""

    state: OrderState
    order: Order = field(repr=False)
    details: Details = field(repr=False)
    written: Order | None = field(repr=False)
    document_id: int | None = None


def written_version(connections: Connections, state: OrderState) -> tuple[Order | None, int | None]:
    """The version that NetSuite has, and its document's id; None where it is gone or can't be read any more."""
    documents = connections.state.documents
    for found in documents.find(kind="order", natural_key=f"order:{state.order_id}"):
        if found.fingerprint == state.applied_hash:
            body = documents.load_many([found.id]).get(found.id)
            try:
                return None if body is None else read_order(parse(body)), found.id
            except Unreadable:
                return None, None
    return None, None


def edit(connections: Connections, versions: Sequence[Version], known: Known) -> list[Fate]:
    """What becomes of each: an edit, nothing, or a question. Reads NetSuite once for all that differ."""
    fates: list[Fate] = []
    compared: list[tuple[Version, Draft, Draft]] = []
    cancelled = [one for one in versions if one.order.status_id == Status.CANCELLED]
    for one in versions:
        if one.order.status_id == Status.CANCELLED:
            continue
        drafts = _drafts(connections, one, known)
        if isinstance(drafts, Fate):
            fates.append(drafts)
        elif _same(*drafts):
            fates.append(_unchanged(one))
        else:
            compared.append((one, *drafts))
    looked_at = [*cancelled, *(one for one, _, _ in compared)]
    now = shown(connections, [_record_id(one) for one in looked_at])
    policy = connections.order_policy
    for one, before, after in compared:
        record = now.get(_record_id(one))
        if record is None:
            fates.append(_gone(one))
            continue
        patch = plan_edit(before, after, record, policy)
        basis = Basis(record, one.document_id)
        fates.append(_fate(one, None if _answered(connections, one, patch) else patch, basis))
    written = written_as(connections, [one.state for one in cancelled])
    for one in cancelled:
        record = now.get(_record_id(one))
        if record is None:
            fates.append(_gone(one))
            continue
        tax = one.state.expected_tax
        must_show = written.get(one.order.id) or as_shown(record, record.tax if tax is None else tax.amount)
        patch = plan_cancellation(must_show, record_kind(one.state.record_type), record, policy)
        fates.append(_fate(one, patch, Basis(record, must_show=must_show)))
    open_again = {
        one.order.id
        for one in versions
        if one.written and resumed(one.written.status_id, one.order.status_id)
    }
    return [replace(one, resumed=one.state.order_id in open_again) for one in fates]


def _drafts(connections: Connections, one: Version, known: Known) -> tuple[Draft, Draft] | Fate:
    """The version that was written and the newest one, both by the policy of today.

    Items may have been discontinued and customers been doubled since the order was posted. That is nobody's
    business as long as the order sells what it sold.
    """
    facts = known.of(one.order)
    policy = connections.order_policy
    after = [facts] if isinstance(facts, Problem) else build(one.order, one.details, facts, policy)
    if isinstance(after, list) or isinstance(facts, Problem):
        same = one.written is not None and same_sale(one.written, one.order)
        return _unchanged(one) if same else _waiting(one, after if isinstance(after, list) else [])
    if one.written is None:
        return _unknown(one)
    before = as_written(one.written, one.details, facts, policy)
    return (before, after) if isinstance(before, Draft) else _unknown(one)


def as_written(order: Order, details: Details, facts: Facts, policy: OrderPolicy) -> Draft | list[Problem]:
    """The draft of a version that NetSuite took: whatever was discontinued since, it was sold."""
    once = replace(facts, items=facts.items.as_once_sold())
    return build(order, details, once, policy, check_capture=False)


def record_kind(record_type: str | None) -> Record:
    """What a record of ours is, by the name that the record API has for it."""
    return CASH_SALE if record_type == CASH_SALE else SALES_ORDER


def _fate(one: Version, patch: Patch | Problem | None, basis: Basis) -> Fate:
    match patch:
        case None:
            return _unchanged(one, basis)
        case Problem():
            return _waiting(one, [patch])
        case _:
            reason, refunded = "; ".join(patch.reasons), has_refund(one.order)
            return Fate(one.state, None, "edited", reason=reason, patch=patch, basis=basis, refunded=refunded)


def _answered(connections: Connections, one: Version, patch: Patch | Problem | None) -> bool:
    """Whether a person has said that NetSuite's total is to stand though the order's is this one by now."""
    if not isinstance(patch, Problem) or patch.code != TOTAL_LEFT:
        return False
    subject = f"order:{one.order.id}"
    rows = connections.state.exceptions.find(flow=FLOW, code=TOTAL_LEFT, subject=subject, open_only=False)
    said = about_order(one.order.id, patch)
    return any(row.resolution in ("dismissed", "approved") and row.message == said for row in rows)


def _unchanged(one: Version, basis: Basis | None = None) -> Fate:
    return Fate(one.state, None, "unchanged", basis=basis, refunded=has_refund(one.order))


def _waiting(one: Version, problems: Sequence[Problem]) -> Fate:
    return replace(waiting(one.state, problems), refunded=has_refund(one.order))


def _gone(one: Version) -> Fate:
    said = f"{one.state.record_type} {one.state.netsuite_id} is not in NetSuite any more."
    return _waiting(one, [Problem("ORDER_EDIT_CONFLICT", said)])


def _record_id(one: Version) -> int:
    return int(one.state.netsuite_id or 0)


def _same(before: Draft, after: Draft) -> bool:
    return before.body() == after.body() and before.expected == after.expected


def _unknown(one: Version) -> Fate:
    said = "It changed, and the version that NetSuite has can't be built again, so the change can't be told."
    return _waiting(one, [Problem("ORDER_EDIT_CONFLICT", said)])
