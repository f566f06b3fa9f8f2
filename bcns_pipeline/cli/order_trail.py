"""One order's timeline: events, reads, decisions, plans, writes and questions, as they happened.

Put here how rows of the state become moments. Do not put the order's money here (`order_money.py`), and no
personal data: every text is made of ids, codes, amounts and our own sentences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bcns_pipeline.cli.queries_orders import PlannedLine, audit_of
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.operations import Operation
from bcns_pipeline.state.store import State

# At one moment, what causes comes before what follows from it.
_ORDER = ("inbox", "BigCommerce", "plan", "decision", "NetSuite", "question", "person")
# The other side of each kind of write; everything else is NetSuite's.
_IN_THE_STORE = frozenset(
    {"order_reference", "order_metafields", "shipment", "shipment_update", "order_status"}
)
_STEPS = {
    "seen": "its newest version counts from now on",
    "read_back": "read back",
    "taxed": "its tax by code was asked for",
    "referenced": "NetSuite's number stands on the BigCommerce order",
    "absorbed": "the newest version changes nothing in NetSuite",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: when, on which side or in which part of ours, and what."""

    at: datetime
    where: str
    what: str


def trail(
    state: State,
    order_id: int,
    row: Any,
    lines: Sequence[PlannedLine],
    operations: Sequence[Operation],
    questions: Sequence[ExceptionRow],
) -> list[Moment]:
    """All moments, oldest first. `row` is the order's inbox row, or None."""
    found = [
        *_events(row),
        *_reads(state, order_id),
        *_decisions(state, order_id),
        *_plans(lines),
        *_writes(state, operations),
        *_asked(questions),
    ]
    places = {name: at for at, name in enumerate(_ORDER)}
    return sorted(found, key=lambda one: (one.at, places.get(one.where, len(places))))


def _events(row: Any) -> Iterator[Moment]:
    if row is None:
        return
    by = ", ".join(row.sources)
    yield Moment(row.first_seen, "inbox", f"first event (so far by {by})")
    if row.last_seen > row.first_seen:
        yield Moment(row.last_seen, "inbox", f"latest of {row.count:,} events")


def _reads(state: State, order_id: int) -> Iterator[Moment]:
    found = sorted(
        state.documents.find(kind="order", natural_key=f"order:{order_id}"), key=lambda one: one.id
    )
    for number, one in enumerate(found, start=1):
        yield Moment(
            one.fetched_at,
            "BigCommerce",
            f"version {number} read (document {one.id}, run {_run(one.run_id)})",
        )


def _decisions(state: State, order_id: int) -> Iterator[Moment]:
    for one in state.orders.steps(order_id):
        where = {"read_back": "NetSuite", "taxed": "NetSuite", "referenced": "BigCommerce"}.get(
            one.step, "decision"
        )
        said = _STEPS.get(one.step, one.step.replace("_", " "))
        if one.step in ("decided", "posted", "adopted"):
            said = " ".join(
                part
                for part in (one.disposition, f"({one.code})" if one.code else "", one.reason or "")
                if part
            )
            # The tax by name and code is the tax report's.
            facts = ", ".join(
                f"{name} {value}"
                for name, value in sorted(one.facts.items())
                if name not in ("taxes", "tax_rows")
            )
            said = f"{said}: {facts}" if facts else said
        yield Moment(one.at, where, said)


def _plans(lines: Sequence[PlannedLine]) -> Iterator[Moment]:
    for one in lines:
        amount = (
            f", {Money(one.amount_minor, one.currency)}"
            if one.amount_minor is not None and one.currency
            else ""
        )
        looked = "" if one.mode == "apply" else ", only looked at"
        fate = f", {one.fate} as operation {one.operation_id}" if one.operation_id else ""
        yield Moment(
            one.made_at,
            "plan",
            f"plan {one.plan_id}: {one.action} {one.kind}{amount} because {one.reason} (mapping "
            f"{one.config_digest[:12]}, run {_run(one.run_id)}{looked}{fate})",
        )


def _writes(state: State, operations: Sequence[Operation]) -> Iterator[Moment]:
    by_subject = {f"operation:{one.id}": one for one in operations}
    for row in audit_of(state, by_subject):
        one, body = by_subject[row.subject], json.loads(row.body)
        event = row.kind.removeprefix("operation.")
        attempt = f", attempt {body['attempt']}" if event == "sending" and body.get("attempt") else ""
        where = "BigCommerce" if one.kind in _IN_THE_STORE else "NetSuite"
        if event in ("planned", "held"):
            where = "plan"
        elif event in ("approved", "cancelled"):
            where = "person"
        by = f" by {row.actor}" if where == "person" else ""
        reason = body.get("reason") or (one.reason if event == one.state == "held" else None)
        why = f": {reason}" if reason else ""
        yield Moment(
            row.at, where, f"operation {one.id} {one.kind} {event}{attempt}{by}{why}{_answer(one, event)}"
        )


def _answer(one: Operation, event: str) -> str:
    """What the other side said, where the operation ended by it; answers hold ids and counts only."""
    if event not in ("confirmed", "failed") or not one.answer:
        return ""
    return f" ({', '.join(f'{name} {value}' for name, value in sorted(one.answer.items()))})"


def _asked(questions: Sequence[ExceptionRow]) -> Iterator[Moment]:
    for one in questions:
        yield Moment(
            one.opened_at, "question", f"exception {one.id} {one.code} opened ({one.severity}): {one.message}"
        )
        if one.retry_requested_at is not None:
            yield Moment(one.retry_requested_at, "person", f"exception {one.id} {one.code}: retry asked for")
        if one.resolved_at is not None:
            yield Moment(
                one.resolved_at,
                "person" if one.resolved_by != "bcns" else "question",
                f"exception {one.id} {one.code} {one.resolution} by {one.resolved_by}: {one.resolution_reason}",
            )


def _run(run_id: str | None) -> str:
    return (run_id or "none")[:8]
