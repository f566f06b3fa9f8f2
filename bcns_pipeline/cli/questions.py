"""The exceptions: listed, shown with cause and fix, taken, closed, and tried again.

Put here what a person on call reads of an exception and does about it. Do not put approvals here
(`decisions.py`), nor what a retry does to an order (defs/recovery/replay.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import age, say, show_table, stamp
from bcns_pipeline.cli.queries import exception_by_id
from bcns_pipeline.cli.queries_orders import audit_of
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.defs.recovery.replay import effects, order_of, replay
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.kinds.kind import Kind
from bcns_pipeline.rules.money import Money
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.store import State

ROWS_SHOWN = 200
FORMATS: Final = ("table", "lines", "json")
# Flows whose exceptions about an order are mended by looking at the order again.
OF_ORDERS: Final = ("orders", "intake")
_AGE = re.compile(r"(\d+)\s*(m|min|h|d)")
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def show_exceptions(
    code: str | None = None,
    *,
    owner: str | None = None,
    flow: str | None = None,
    older_than: str | None = None,
    open_only: bool = True,
    shape: str = "table",
) -> None:
    """The exceptions that match, then cause and fix of each code once. Raises BadInput."""
    if shape not in FORMATS:
        raise BadInput([f"--format {shape} is not possible; write one of {', '.join(FORMATS)}."])
    limit = datetime.now(UTC) - parse_age(older_than) if older_than else None
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        rows = state.exceptions.find(code=code.upper() if code else None, flow=flow, open_only=open_only)
    found = [
        one
        for one in rows
        if (owner is None or owner in (one.owner, one.assigned_to))
        and (limit is None or one.opened_at <= limit)
    ]
    if shape == "json":
        say(json.dumps([_as_json(one) for one in found], ensure_ascii=False, indent=2))
        return
    if not found:
        say(f"No {'open ' if open_only else ''}exception{f' of code {code.upper()}' if code else ''}.")
        return
    if shape == "lines":
        for one in found:
            say(f"{one.id} {one.severity} {one.code} {one.owner} {one.subject}: {one.message}")
        return
    _show_rows(found, zone, open_only=open_only)


def _show_rows(found: Sequence[ExceptionRow], zone: str | None, *, open_only: bool) -> None:
    columns = ["no.", "severity", "code", "owner", "about", "since", "met", "what"]
    rows = [
        [one.id, one.severity, one.code, _owner(one), one.subject, stamp(one.opened_at, zone), one.count,
         one.message]
        for one in found
    ]  # fmt: skip
    if not open_only:
        columns.append("ended")
        for row, one in zip(rows, found, strict=True):
            row.append(_ending(one, zone))
    show_table(columns, rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        say(f"… and {len(rows) - ROWS_SHOWN:,} more; name a code with --code.")
    for name in sorted({one.code for one in found}):
        entry = CATALOGUE.get(name)
        if entry is not None:
            say(f"{name}: {entry.cause}")
            say(f"  fix: {entry.fix}")


def show_exception(number: int) -> None:
    """All that is known of one: cause, fix, runbook, history. Raises BadInput for an unknown number."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        one = _known(state, number)
        history = audit_of(state, [f"exception:{number}"])
    say(f"Exception {one.id}: {one.code} about {one.subject} ({one.severity}, flow {one.flow})")
    say(f"  {one.message}")
    entry = CATALOGUE.get(one.code)
    rows: list[tuple[str, object]] = [
        ("owner", _owner(one)),
        ("money", _amount(one)),
        ("open since", f"{stamp(one.opened_at, zone)} ({age(one.opened_at)} ago)"),
        ("last met", f"{stamp(one.last_seen_at, zone)}, {one.count:,} times in all"),
        ("run", one.run_id),
        *(
            (f"detail {name}", str(value))
            for name, value in sorted(one.detail.items())
            if value not in (None, "")
        ),
        ("ended", _ending(one, zone)),
    ]
    if entry is not None:
        ends = "by itself once its cause is gone" if entry.heals else "when a person closes it"
        rows += [("cause", entry.cause), ("fix", entry.fix), ("closes", ends)]
        rows.append(("answer by", _answer_by(one, entry, zone)))
        rows.append(("runbook", f"docs/runbooks/{one.code}.md"))
    show_table(["", ""], rows, styles=["dim"])
    for row in history:
        body = json.loads(row.body)
        said = ", ".join(f"{name} {body[name]}" for name in ("to", "resolution", "reason") if body.get(name))
        say(
            f"{stamp(row.at, zone)} {row.kind.removeprefix('exception.').replace('_', ' ')} by {row.actor}"
            f"{f': {said}' if said else ''}"
        )
    order_id = order_of(one.subject)
    if order_id is not None:
        say(f"`bcns explain order {order_id}` has the whole story of the order.")


def assign_exception(number: int, to: str) -> None:
    """Somebody takes it, or is given it. Raises BadInput."""
    if not to.strip():
        raise BadInput(["Nobody is named; write who takes it."])
    settings = load_settings()
    with remembered(settings) as state:
        row = state.exceptions.assign(number, to.strip(), actor=settings.actor)
        if row is None:
            raise BadInput([why_closed(state, number, zone_of(settings))])
    say(f"{row.code} {row.subject} is assigned to {row.assigned_to} by {settings.actor}.")


def resolve_exception(number: int, reason: str) -> None:
    """Close one without allowing what it held back. Raises BadInput."""
    if not reason.strip():
        raise BadInput(["--reason is empty; say why, because it goes into the audit chain."])
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        row = state.exceptions.resolve(number, "dismissed", reason.strip(), actor=settings.actor)
        if row is None:
            raise BadInput([why_closed(state, number, zone)])
    say(f"resolved by {settings.actor} at {stamp(row.resolved_at, zone)}: {row.code} {row.subject}")
    kind = CATALOGUE.get(row.code)
    meaning = kind.dismissed if kind is not None else ""
    say(f"  {meaning or 'It is asked again where the next run still finds it.'}")


def retry_exceptions(numbers: Iterable[int]) -> None:
    """Have these tried again at once. Raises BadInput where one is unknown or closed."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        wanted = list(dict.fromkeys(numbers))
        closed = [one for one in wanted if _is_closed(exception_by_id(state, one))]
        if closed:
            raise BadInput([why_closed(state, one, zone) for one in closed])
        rows = state.exceptions.request_retry(wanted, actor=settings.actor)
        ids = [order_of(one.subject) for one in rows if one.flow in OF_ORDERS]
        found = effects(state, [one for one in ids if one is not None])
        replay(
            state, found, actor=settings.actor, reason=f"retry of exceptions {', '.join(map(str, wanted))}"
        )
    for effect in found:
        say(f"order {effect.order_id}: {effect.what}. {effect.why}")
    others = sorted({one.flow for one in rows if one.flow not in OF_ORDERS})
    for flow in others:
        say(f"The next run of {flow} looks at it again.")
    if found:
        say("`bcns run orders`, or the sensor orders_waiting within seconds, takes them up.")


def _answer_by(one: ExceptionRow, entry: Kind, zone: str | None) -> str:
    by = one.opened_at + entry.answer_within
    late = one.resolved_at is None and datetime.now(UTC) > by
    return f"{stamp(by, zone)}{' (overdue)' if late else ''}"


def parse_age(text: str) -> timedelta:
    """ "30m", "4h", "2d" as a duration. Raises BadInput."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise BadInput([f"--age {text!r} is no age; write it as 30m, 4h or 2d."])
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def why_closed(state: State, number: int, zone: str | None) -> str:
    """Why nothing can be decided about this number."""
    known = exception_by_id(state, number)
    if known is None:
        return f"There is no exception {number}; `bcns exceptions` lists the open ones."
    return (
        f"Exception {number} ({known.code} {known.subject}) is closed already: {known.resolution} by "
        f"{known.resolved_by} at {stamp(known.resolved_at, zone)}."
    )


def _known(state: State, number: int) -> ExceptionRow:
    found = exception_by_id(state, number)
    if found is None:
        raise BadInput([f"There is no exception {number}; `bcns exceptions --all` lists every one."])
    return found


def _is_closed(one: ExceptionRow | None) -> bool:
    return one is None or one.resolved_at is not None


def _owner(one: ExceptionRow) -> str:
    return f"{one.owner} ({one.assigned_to})" if one.assigned_to else one.owner


def _amount(one: ExceptionRow) -> Money | None:
    return None if one.amount_minor is None or not one.currency else Money(one.amount_minor, one.currency)


def _ending(one: ExceptionRow, zone: str | None) -> str:
    if one.resolved_at is None:
        return "open"
    return f"{one.resolution} by {one.resolved_by} {stamp(one.resolved_at, zone)}: {one.resolution_reason}"


def _as_json(one: ExceptionRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "flow": one.flow,
        "code": one.code,
        "severity": one.severity,
        "owner": one.owner,
        "assigned_to": one.assigned_to,
        "subject": one.subject,
        "message": one.message,
        "amount": None if (amount := _amount(one)) is None else str(amount.amount),
        "currency": one.currency,
        "count": one.count,
        "opened_at": one.opened_at.isoformat(),
        "answer_by": (one.opened_at + entry.answer_within).isoformat()
        if (entry := CATALOGUE.get(one.code))
        else None,
        "resolved_at": one.resolved_at.isoformat() if one.resolved_at else None,
        "runbook": f"docs/runbooks/{one.code}.md",
    }
