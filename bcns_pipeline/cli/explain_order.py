"""The whole story of one order: what happened on both sides and in between, its money, and what comes next.

Put here how an order's memory is told. It asks neither system: everything comes from the state. What a shopper
gave is shown only when asked for, and that is written into the audit chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table, stamp
from bcns_pipeline.cli.order_money import identities
from bcns_pipeline.cli.order_trail import Moment, trail
from bcns_pipeline.cli.queries_orders import inbox_row, operations_by, plan_lines_of
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.config import Mapping, load_or_default
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.natural_keys import edit_key, order_key
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.crypto import Unreadable
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.operations import OPEN, Operation
from bcns_pipeline.state.order_models import IN_NETSUITE, OrderState
from bcns_pipeline.state.scope import parse
from bcns_pipeline.state.store import State

# What of a document is the shopper's own; the rest of it is the order's.
PERSONAL = ("billing_address", "customer_message", "ip_address", "staff_notes")


@dataclass(frozen=True, slots=True)
class Story:
    """Everything remembered of one order. `document` and payloads are empty where the shopper was erased."""

    order_id: int
    state: OrderState | None
    waits_to_be_read: bool
    operations: list[Operation]
    payloads: list[dict[str, Any] | None] = field(repr=False)
    document: dict[str, Any] | None = field(repr=False)
    questions: list[ExceptionRow]
    moments: list[Moment]


def explain_order(order_id: int, *, show_personal: bool = False) -> int:
    """Print what is known of an order; 0 where there is something, else 1. Raises BadInput."""
    settings = load_settings()
    mapping, _ = load_or_default(settings.config)
    with remembered(settings, sealed=True) as state:
        zone = zone_of(settings)
        story = tell(state, order_id)
        if story.state is None and not story.moments:
            say(f"Nothing is known of order {order_id}: no event named it, and no poll or backfill found it.")
            say(f"`bcns replay --order {order_id} --apply` has it read from BigCommerce.")
            return 1
        _print(story, mapping, zone)
        if show_personal:
            _print_personal(state, story, settings.actor)
    return 0


def tell(state: State, order_id: int) -> Story:
    """Gather what the state knows of one order."""
    order, row = state.orders.get(order_id), inbox_row(state, order_id)
    lines = plan_lines_of(state, order_id)
    keys = {order_key(state.store, order_id)}
    if order is not None and order.applied_hash:
        keys.add(edit_key(state.store, order_id, order.applied_hash))
    operations = operations_by(
        state, ids={one.operation_id for one in lines if one.operation_id}, natural_keys=keys
    )
    questions = state.exceptions.find(subject=f"order:{order_id}", open_only=False)
    return Story(
        order_id=order_id,
        state=order,
        waits_to_be_read=row is not None and row.generation > row.done_generation,
        operations=operations,
        payloads=_payloads(state, operations),
        document=_document(state, order),
        questions=questions,
        moments=trail(state, order_id, row, lines, operations, questions),
    )


def _payloads(state: State, operations: list[Operation]) -> list[dict[str, Any] | None]:
    try:
        return [None if one is None else dict(one) for one in state.outbox.payloads(operations)]
    except Unreadable:
        return [None] * len(operations)


def _document(state: State, order: OrderState | None) -> dict[str, Any] | None:
    if order is None or order.document_id is None:
        return None
    try:
        body = state.documents.load_many([order.document_id]).get(order.document_id)
    except Unreadable:
        return None
    found = None if body is None else parse(body)
    return found if isinstance(found, dict) else None


def _print(story: Story, mapping: Mapping, zone: str | None) -> None:
    order = story.state
    if order is not None:
        where = (
            f", NetSuite {order.record_type} {order.netsuite_number or order.netsuite_id}"
            if (order.netsuite_id)
            else ""
        )
        say(
            f"Order {order.order_id}: {order.disposition}{f' ({order.code})' if order.code else ''}, "
            f"{order.total}{where}"
        )
        say(
            f"  placed {stamp(order.placed_at, zone)} in channel {order.channel_id} ({order.source}), status "
            f"{label(order.status_id)}"
        )
        if order.reason:
            say(f"  {order.reason}")
    else:
        say(f"Order {story.order_id}: not read yet")
    rows = [(stamp(one.at, zone), one.where, one.what) for one in story.moments]
    show_table(["when", "where", "what"], rows, styles=["dim"])
    if order is not None:
        show_table(["money", "", ""], identities(order, story.document, story.payloads, mapping))
    for asked in story.questions:
        if asked.resolved_at is None:
            entry = CATALOGUE.get(asked.code)
            say(f"open question {asked.id} {asked.code} ({asked.owner}): {asked.message}")
            if entry is not None:
                say(f"  fix: {entry.fix}")
    for sentence in comes_next(story, zone):
        say(f"next: {sentence}")


def comes_next(story: Story, zone: str | None = None) -> Iterator[str]:
    """What happens to the order now, and what a person can do; one sentence each."""
    order = story.state
    if story.waits_to_be_read:
        yield "an event about it waits in the inbox; the next run of orders reads it."
    if order is None:
        return
    held = [one for one in story.operations if one.state == "held"]
    for one in held:
        yield f"operation {one.id} waits for a decision: `bcns approve operation {one.id} --reason …`."
    match order.disposition:
        case "open":
            yield "it was read and not decided yet; the next run of orders plans it."
        case "waiting":
            yield (
                f"it waits for {order.code} to be mended and is tried again at "
                f"{stamp(order.retry_at, zone)}, or at once after `bcns replay --order {order.order_id} --apply`."
            )
        case "planned":
            yield "its write is in the outbox; the next run of orders sends it, or looks it up first."
        case "listed":
            yield "it is from before the cutover: `bcns adopt` links it where NetSuite has it."
        case "held" if not held:
            yield "its next change is looked at again; nothing else moves it, but for a replay."
        case "ignored":
            yield "nothing: it is never posted."
    if order.disposition in IN_NETSUITE:
        yield from _after_posting(order, story)


def _after_posting(order: OrderState, story: Story) -> Iterator[str]:
    moving = [one for one in story.operations if one.state in OPEN and one.state != "held"]
    if order.edited and order.disposition == "posted":
        when = f" (looked at again from {stamp(order.retry_at)})" if order.retry_at else ""
        yield f"BigCommerce has a later version than the one written; the next run compares it{when}."
    elif moving:
        yield f"{len(moving)} of its writes are on their way."
    if order.read_back_at is None:
        yield "the next run reads it back and compares it to the cent."
    if order.referenced_at is None:
        yield "its NetSuite number is still to be written onto the BigCommerce order."
    elif not order.edited and order.read_back_at is not None and not moving:
        yield "nothing for the order itself; what NetSuite ships of it goes to the store within minutes."


def _print_personal(state: State, story: Story, actor: str) -> None:
    """What the shopper gave, read through the vault; who asked is in the audit chain before it is shown."""
    if story.document is None:
        say(
            "What the shopper gave is not kept (any more): the order was never read, or its shopper was erased."
        )
        return
    found = [(name, value) for name in PERSONAL for value in _flat(story.document.get(name))]
    body = {"order": story.order_id, "fields": sorted({name for name, _ in found})}
    state.audit.append(None, "personal.shown", f"order:{story.order_id}", body, actor=actor)
    show_table(["personal data", ""], found)


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if inner not in (None, "", [], {}) and not isinstance(inner, (list, dict)):
                yield f"{name}: {inner}"
    elif isinstance(value, (str, int, Decimal)) and value != "":
        yield str(value)
