"""Why a number is what it is: NetSuite's terms, the rule, the value pushed and the value read back.

Put here how one SKU's memory is told. It asks neither system: everything comes from the state, so that it
answers in a fraction of a second and for moments long past (13 months of stock changes are kept).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import NOTHING, age, say, show_table, shown, stamp
from bcns_pipeline.cli.queries import Item, item_of_id, items_of_sku, operations_of, plans_by_id, stock_of
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state import inventory_views as views
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.operations import ON_ITS_WAY
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

# As the columns of `inventory_change` are called.
TERMS = ("available", "on_hand", "committed", "in_transit", "backordered", "on_order", "unposted")
# An item changes once or twice a day in a location; this reaches back far enough to find each location's last
# line.
LINES = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """Everything known of one item at a moment. `lines` is the last line of each BigCommerce location."""

    item: Item | None
    lines: list[Any]
    plans: dict[int, Plan]
    operations: list[Any]
    stock: dict[int, Any]
    looked_at: int  # plans newer than the lines shown that were only looked at


def explain_stock(sku: str, at: str | None) -> int:
    """Print what is known of a SKU at a moment; 0 where there is something, else 1. Raises BadInput."""
    settings = load_settings()
    zone = zone_of(settings)
    moment = parse_moment(at, zone) if at else None
    with remembered(settings) as state:
        told = [tell(state, item, moment) for item in items_of_sku(state, sku)] or _by_history(
            state, sku, moment
        )
        questions = _questions(state, sku, told)
        for one in told:
            _print(one, sku, moment, zone)
        if not told:
            say(
                f"Nothing is known of the SKU {sku}: it is linked to no NetSuite item, and no stock was "
                "ever planned for it."
            )
        for asked in questions:
            since = stamp(asked.opened_at, zone)
            say(f"open question {asked.id} {asked.code} ({asked.owner}, since {since}): {asked.message}")
        if not told and not questions:
            say(
                "It is not on both sides under this name, or the flow has not run since it is: `bcns run "
                "inventory --full`."
            )
    return 0 if told else 1


def parse_moment(text: str, zone: str | None) -> datetime:
    """A moment as a person writes it; without an offset in the store's time zone. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(
            [f"--at {text!r} is no moment; write it as 2026-11-20T14:00 or 2026-11-20T14:00+01:00."]
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone) if zone else UTC)


def tell(state: State, item: Item | None, moment: datetime | None, item_id: int = 0) -> Told:
    """Gather what the state knows of one item."""
    number = item.item_id if item else item_id
    history = views.history(state, item_id=number, at=moment, limit=LINES)
    rows: list[Any] = list(history.itertuples(index=False))
    plans = plans_by_id(state, {int(row.plan_id) for row in rows})
    real = [row for row in rows if (plan := plans.get(int(row.plan_id))) is None or plan.mode == "apply"]
    last: dict[int, Any] = {}
    for row in real:
        last.setdefault(int(row.location_id), row)
    lines = [last[place] for place in sorted(last)]
    newest = max((int(row.plan_id) for row in lines), default=0)
    looked_at = len({int(row.plan_id) for row in rows if row not in real and int(row.plan_id) > newest})
    operations = operations_of(state, {int(row.plan_id) for row in lines})
    return Told(item, lines, plans, operations, stock_of(state, number), looked_at)


def _by_history(state: State, sku: str, moment: datetime | None) -> list[Told]:
    """A SKU that no link carries any more: renamed or gone, but its lines are kept."""
    history = views.history(state, sku=sku, at=moment, limit=LINES)
    return [
        tell(state, item_of_id(state, number), moment, number)
        for number in sorted({int(n) for n in history["item_id"]})
    ]


def _questions(state: State, sku: str, told: list[Told]) -> list[ExceptionRow]:
    names = {sku.lower(), *(one.item.sku.lower() for one in told if one.item)}
    subjects = {f"sku:{name}" for name in names}
    subjects |= {f"item:{one.item.item_id}" for one in told if one.item}
    return [
        one
        for one in state.exceptions.find()
        if one.subject.lower() in subjects or names & {name.lower() for name in _skus_in(one)}
    ]


def _skus_in(one: ExceptionRow) -> list[str]:
    """A question may be about an item, or about many SKUs at once, and then names them in its detail."""
    alone, many = one.detail.get("sku"), one.detail.get("skus")
    return [name for name in [alone, *(many if isinstance(many, list) else [])] if isinstance(name, str)]


def _print(told: Told, sku: str, moment: datetime | None, zone: str | None) -> None:
    item = told.item
    when = f" at {stamp(moment, zone)}" if moment else ""
    if item is not None:
        name = item.sku if item.sku.lower() == sku.lower() else f"{sku} (now called {item.sku})"
        say(
            f"{name}{when}: NetSuite item {item.item_id} is BigCommerce product {item.product_id}, variant "
            f"{item.variant_id}"
        )
        say(
            f"  linked by {item.origin} since {stamp(item.linked_at, zone)}; stock is tracked by "
            f"{item.tracking}"
        )
    else:
        say(f"{sku}{when}: no link carries this SKU any more; its lines are kept.")
    for line in told.lines:
        rows = _story(told, line, moment, zone)
        show_table([f"location {int(line.location_id)}", ""], rows, styles=["dim"])
    quiet = sorted(set(told.stock) - {int(line.location_id) for line in told.lines})
    for place in quiet:
        say(f"location {place}: {_never_pushed(told.stock[place], moment, zone)}")
    if not told.lines and not quiet:
        say("Nothing was planned for it up to then." if moment else "No stock was ever planned for it.")
    if told.looked_at:
        say(
            f"{told.looked_at} newer plan(s) with this SKU were only looked at (mode plan); nothing of "
            "them was sent."
        )


def _story(told: Told, line: Any, moment: datetime | None, zone: str | None) -> list[tuple[str, str]]:
    plan = told.plans.get(int(line.plan_id))
    operation = _operation_of(told.operations, line)
    then = moment or datetime.now(UTC)
    settled = _moment(line.settled_at)
    known = settled is not None and settled <= then
    sent = _moment(operation.sending_at) if operation is not None else None
    pushed = _pushed(line, operation)
    terms = ", ".join(
        f"{term.replace('_', ' ')} {_number(getattr(line, term))}"
        for term in TERMS
        if _there(getattr(line, term))
    )
    rows = [
        ("NetSuite said", terms or "no stock rows in the mapped locations"),
        (
            "changed there",
            f"{line.netsuite_changed_at} (NetSuite's clock)"
            if _there(line.netsuite_changed_at)
            else "not told",
        ),
        ("rule", str(line.rule)),
        ("old (confirmed)", shown(int(line.old)) if _there(line.old) else "never confirmed"),
        ("new (sellable)", shown(int(line.new))),
        ("reason", str(line.reason)),
        (
            "planned",
            f"{stamp(_moment(line.planned_at), zone)} by plan {int(line.plan_id)}, line {int(line.line)}, "
            f"read number {int(line.read_seq)}",
        ),
        ("run", shown(plan.run_id) if plan else NOTHING),
        ("operation", _operation(operation, zone)),
        (
            "pushed",
            f"{pushed:,}{f' at {stamp(sent, zone)}' if sent else ''}"
            if pushed is not None and (sent is None or sent <= then)
            else "not sent",
        ),
        ("read back", _read_back(line, known, settled, zone)),
    ]
    now = told.stock.get(int(line.location_id))
    if now is not None and moment is None:
        rows.append(("now", _now(now, zone)))
    return rows


def _pushed(line: Any, operation: Any) -> int | None:
    """What went out: the line says so once it is settled, and until then its operation does."""
    out = operation is not None and operation.state in ON_ITS_WAY and not _there(line.outcome)
    return int(line.new) if out else int(line.pushed) if _there(line.pushed) else None


def _operation_of(operations: list[Any], line: Any) -> Any:
    """The newest operation that holds the line; a split leaves older ones behind."""
    held = [
        one
        for one in operations
        if one.plan_id == int(line.plan_id)
        and int(one.payload.get("from_line", -1)) <= int(line.line) <= int(one.payload.get("to_line", -1))
    ]
    return held[-1] if held else None


def _operation(operation: Any, zone: str | None) -> str:
    if operation is None:
        return "none: the plan was not applied"
    ended = f" {stamp(operation.settled_at, zone)}" if operation.settled_at else ""
    return f"{operation.id} {operation.state}{ended}" + (f": {operation.reason}" if operation.reason else "")


def _read_back(line: Any, known: bool, settled: datetime | None, zone: str | None) -> str:
    if not known:
        return "not yet at that moment" if settled is not None else "not yet"
    value = shown(int(line.read_back)) if _there(line.read_back) else "nothing"
    return f"{value} at {stamp(settled, zone)}: {line.outcome}"


def _now(row: Any, zone: str | None) -> str:
    parts = [f"confirmed {shown(row.confirmed)} ({row.origin or 'never'}, {stamp(row.confirmed_at, zone)})"]
    if row.live is not None:
        parts.append(f"last seen in the store {row.live:,} ({age(row.live_at)} ago)")
    if row.pending_since is not None:
        parts.append(f"out of step for {age(row.pending_since)}")
    return "; ".join(parts)


def _never_pushed(row: Any, moment: datetime | None, zone: str | None) -> str:
    if row.confirmed_at is not None and moment is not None and row.confirmed_at > moment:
        return "nothing was known of it at that moment."
    if row.origin == "adopted":
        return (
            f"{row.confirmed:,} was in the store when it was first seen ({stamp(row.confirmed_at, zone)}), "
            "and NetSuite's "
            f"sellable quantity has not asked for another value since. {_now(row, zone)}."
        )
    return f"{_now(row, zone)}; its lines are older than what is kept."


def _there(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _number(value: Any) -> str:
    return f"{Decimal(str(value)).normalize():f}"


def _moment(value: Any) -> datetime | None:
    if not _there(value):
        return None
    moment: datetime = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return moment
