"""Who is told of which open question, when, and how often: one message per code and flow, not one per record.

Put the grouping, its timing and the limits of backlogs here. Do not put wording here (`alert_text.py`), nor
sending. What was told is remembered by the flow as plain JSON; losing it tells once more and never less. A
message has no personal data, because subjects and codes have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from bcns_pipeline.rules.exceptions import CATALOGUE, Owner, Severity
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.problems import Problem

Sink = Literal["slack", "email", "webhook", "events"]
AlertKind = Literal["open", "update", "repeat", "resolve"]

SINKS: Final[tuple[Sink, ...]] = ("slack", "email", "webhook", "events")
MEMORY_VERSION: Final = 1
_SAMPLE: Final = 5
_MESSAGES: Final = 3
_RANK: Final[Mapping[str, int]] = {"warning": 0, "error": 1}


@dataclass(frozen=True, slots=True)
class Limit:
    """When a flow's waiting work is an alarm: more than `count`, or one older than `minutes`."""

    count: int
    minutes: int


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Where questions go. `routes`: sinks by owner, `default` for owners without one of their own.

    `owners` gives a code to somebody else than the catalogue does. `least` is the mildest severity that a sink
    takes. Between two messages of one group to one sink lie `group_minutes` at least; what stays open, is an
    error and is assigned to nobody is told again after `repeat_hours`.
    """

    routes: Mapping[str, tuple[Sink, ...]] = field(default_factory=dict)
    default: tuple[Sink, ...] = ("slack",)
    owners: Mapping[str, Owner] = field(default_factory=dict)
    least: Mapping[Sink, Severity] = field(default_factory=lambda: {"email": "error", "events": "error"})
    group_minutes: int = 15
    repeat_hours: int = 24
    backlog: Mapping[str, Limit] = field(default_factory=dict)
    runbooks: str = "docs/runbooks/{code}.md"

    def owner(self, code: str) -> Owner:
        """Who is asked about `code`; the integration's owner where it is in no catalogue."""
        kind = CATALOGUE.get(code)
        return self.owners.get(code, kind.owner if kind else Owner.INTEGRATION)

    def sinks(self, owner: str, severity: str) -> tuple[Sink, ...]:
        """Where this owner hears of questions of this severity."""
        named = self.routes.get(owner, self.default)
        return tuple(one for one in named if _RANK[severity] >= _RANK[self.least.get(one, "warning")])


@dataclass(frozen=True, slots=True)
class Open:
    """One open exception; `id` grows with time, `message` is what it says of its record."""

    id: int
    flow: str
    code: str
    severity: Severity
    subject: str
    opened_at: datetime
    amount: Money | None = None
    assigned: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one sink about one code in one flow.

    `count` are open now, `new` of them since the last message; `subjects` are some of the newest, `messages`
    what the first of these say; `amounts` the money that they move, by currency. For `resolve`, all of that is
    of the past and empty.
    """

    sink: Sink
    kind: AlertKind
    flow: str
    code: str
    owner: Owner
    severity: Severity
    count: int = 0
    new: int = 0
    subjects: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    amounts: tuple[Money, ...] = ()
    oldest: datetime | None = None
    newest_id: int = 0

    @property
    def group(self) -> str:
        """What it is about, whatever the sink: "orders/ITEM_UNMAPPED"."""
        return f"{self.flow}/{self.code}"

    def dedupe_key(self, store: str) -> str:
        """Under which a pager keeps one incident from opening to resolving."""
        return f"bcns/{store}/{self.group}"


@dataclass(frozen=True, slots=True)
class _Told:
    at: datetime
    newest_id: int
    open: bool
    severity: Severity


def alerts(
    questions: Iterable[Open], memory: Mapping[str, Any] | None, now: datetime, policy: AlertPolicy
) -> list[Alert]:
    """What to tell now. `memory` is what `remember` made of the messages that were delivered, None at first.

    A group is told of at once when it opens, then of news in it, then that it is over, each time no sooner
    than `group_minutes` after the last message, so that a code that comes and goes does not ring each time.
    """
    told = _read(memory)
    groups: dict[tuple[str, str], list[Open]] = {}
    for one in questions:
        groups.setdefault((one.flow, one.code), []).append(one)
    found: list[Alert] = []
    wanted: set[str] = set()
    for (flow, code), members in sorted(groups.items()):
        severity: Severity = "error" if any(one.severity == "error" for one in members) else "warning"
        owner = policy.owner(code)
        for sink in policy.sinks(owner, severity):
            name = f"{sink}:{flow}/{code}"
            wanted.add(name)
            kind = _kind(members, severity, told.get(name), now, policy)
            if kind is not None:
                since = told[name].newest_id if name in told and told[name].open else 0
                found.append(_alert(sink, kind, owner, severity, members, since))
    for name, last in sorted(told.items()):
        if last.open and name not in wanted and _rested(last, now, policy):
            sink, flow, code = _parts(name)
            found.append(Alert(sink, "resolve", flow, code, policy.owner(code), last.severity))
    return found


def remember(memory: Mapping[str, Any] | None, delivered: Iterable[Alert], now: datetime) -> dict[str, Any]:
    """The memory after these messages were delivered: plain JSON, for the cursor of the flow that sends."""
    told = _read(memory)
    for one in delivered:
        told[f"{one.sink}:{one.group}"] = _Told(now, one.newest_id, one.kind != "resolve", one.severity)
    return {
        "version": MEMORY_VERSION,
        "told": {
            name: {
                "at": last.at.astimezone(UTC).isoformat(),
                "newest_id": last.newest_id,
                "open": last.open,
                "severity": last.severity,
            }
            for name, last in sorted(told.items())
            # What was over for long has no say in the timing of the next message.
            if last.open or now - last.at < timedelta(days=7)
        },
    }


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work of one flow that waits: how much, and since when the oldest of it does (None for none)."""

    flow: str
    count: int
    oldest: datetime | None


def backlog_problems(
    waiting: Sequence[Waiting], now: datetime, limits: Mapping[str, Limit]
) -> dict[str, Problem]:
    """BACKLOG by flow, for flows that are beyond their limit; to be healed for all others."""
    found: dict[str, Problem] = {}
    for one in waiting:
        limit = limits.get(one.flow)
        if limit is None or one.oldest is None or not one.count:
            continue
        minutes = int((now - one.oldest).total_seconds() // 60)
        if one.count > limit.count or minutes > limit.minutes:
            found[one.flow] = Problem(
                "BACKLOG",
                f"{one.count:,} of {one.flow} wait, the oldest for {minutes:,} minutes; the limits are "
                f"{limit.count:,} and {limit.minutes:,} minutes.",
                f"flow:{one.flow}",
            )
    return found


def unrouted(policy: AlertPolicy) -> list[str]:
    """Owners of codes of whom nobody would hear, by name; a policy should have none."""
    owners = {policy.owner(code) for code, kind in CATALOGUE.items() if kind.severity == "error"}
    return sorted(owner.value for owner in owners if not policy.sinks(owner, "error"))


def _kind(
    members: Sequence[Open], severity: Severity, last: _Told | None, now: datetime, policy: AlertPolicy
) -> AlertKind | None:
    if last is None:
        return "open"
    if not _rested(last, now, policy):
        return None
    if not last.open:
        return "open"
    worse = _RANK[severity] > _RANK[last.severity]
    if worse or max(one.id for one in members) > last.newest_id:
        return "update"
    late = now - last.at >= timedelta(hours=policy.repeat_hours)
    owned = all(one.assigned for one in members)
    return "repeat" if late and severity == "error" and not owned else None


def _alert(
    sink: Sink, kind: AlertKind, owner: Owner, severity: Severity, members: Sequence[Open], since: int
) -> Alert:
    newest = sorted(members, key=lambda one: -one.id)
    money = [one.amount for one in members if one.amount is not None]
    currencies = sorted(Counter(one.currency for one in money))
    return Alert(
        sink,
        kind,
        members[0].flow,
        members[0].code,
        owner,
        severity,
        count=len(members),
        new=sum(one.id > since for one in members),
        subjects=tuple(one.subject for one in newest[:_SAMPLE]),
        messages=tuple(dict.fromkeys(one.message for one in newest[:_MESSAGES] if one.message)),
        amounts=tuple(total([one for one in money if one.currency == code], code) for code in currencies),
        oldest=min(one.opened_at for one in members),
        newest_id=newest[0].id,
    )


def _rested(last: _Told, now: datetime, policy: AlertPolicy) -> bool:
    return now - last.at >= timedelta(minutes=policy.group_minutes)


def _parts(name: str) -> tuple[Sink, str, str]:
    sink, _, group = name.partition(":")
    flow, _, code = group.partition("/")
    return next(one for one in SINKS if one == sink), flow, code


def _read(memory: Mapping[str, Any] | None) -> dict[str, _Told]:
    """What was told; entries that can't be understood count as never told."""
    found: dict[str, _Told] = {}
    kept = (memory or {}).get("told")
    for name, entry in kept.items() if isinstance(kept, Mapping) else ():
        try:
            last = _Told(
                datetime.fromisoformat(entry["at"]),
                int(entry["newest_id"]),
                bool(entry["open"]),
                "error" if entry["severity"] == "error" else "warning",
            )
        except (KeyError, TypeError, ValueError):
            continue
        if last.at.tzinfo is not None and str(name).partition(":")[0] in SINKS and "/" in str(name):
            found[str(name)] = last
    return found
