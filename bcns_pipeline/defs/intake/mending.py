"""The store's hooks are looked at, mended, looked at again, and the time in which they may have lost something is
read anew.

Put here what is remembered between two checks and the calls that mend. Do not put here what is wrong with a hook
(rules/hooks.py). The gap is written down before anything is mended: a process that dies in between leaves a hook
that looks well, and only this memory says that something is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from bcns_pipeline.defs.intake.backfill import FLOW, fill, question
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.outcomes import Outcome, Refused, Sent
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.hooks import Hook, HookAction, HookPlan, hook_plan
from bcns_pipeline.rules.intake import Certificate, Window, cursor_value, read_cursor
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.hook_header import hook_header

LAST_OK = "intake/hooks/last_ok"
GAP = "intake/hooks/gap"
CERTIFIED = "intake/hooks/certified"


@dataclass(frozen=True, slots=True)
class Mended:
    """What a check found and did. `broken` are sentences by scope, "store" for what concerns all of them."""

    hooks: int
    done: tuple[tuple[HookAction, str], ...] = ()
    broken: dict[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None

    @property
    def sentence(self) -> str:
        """The check in one line."""
        parts = [f"{self.hooks:,} hooks"]
        if self.done:
            parts.append(f"{len(self.done):,} repairs")
        if self.broken:
            parts.append(f"{len(self.broken):,} faults that need a person")
        if self.certificate is not None:
            missing = len(self.certificate.missing)
            parts.append(
                f"{self.certificate.in_store:,} orders read again, "
                + ("all of them in the inbox" if not missing else f"{missing:,} of them not in the inbox")
            )
        return "; ".join(parts)


def destination_of(connections: Connections) -> str | None:
    """Where the store is to call: the environment's address, else the mapping file's."""
    return connections.settings.webhook_url or connections.mapping.intake.hooks.destination


def repairs_of(connections: Connections, destination: str) -> list[str]:
    """What a check would do, in words; nothing is touched. Raises OutsideError where the store does not answer."""
    _, plan = _look(connections, destination, connections.bigcommerce().now())
    return [f"{one.kind} {one.scope}, because {one.reason}" for one in plan.actions]


def mend_hooks(connections: Connections, destination: str, progress: Callable[[str], None]) -> Mended:
    """Look, mend, look again, and fill the gap. Raises OutsideError where the store does not answer.

    What it refused is HOOK_BROKEN, one for each scope, which heals with the first check that finds it well.
    """
    state = connections.state
    now = connections.bigcommerce().now()
    hooks, plan = _look(connections, destination, now)
    _remember_gap(connections, plan, now)
    done = [(action, _do(connections, action, destination)) for action in plan.actions]
    if done:
        body = {"repairs": [f"{one.kind} {one.scope}: {_said(outcome)}" for one, outcome in done]}
        state.audit.append(None, "hooks.mended", "hooks", body)
        for one, outcome in done:
            progress(f"{one.kind} {one.scope}, because {one.reason}: {_said(outcome)}")
        # An answer that was lost is no news of the hook; the list is.
        hooks, plan = _look(connections, destination, now)
    broken = _broken(plan, done)
    with state.scope.transaction() as conn:
        state.exceptions.keep_only(FLOW, "HOOK_BROKEN", [f"hook:{one}" for one in broken], conn=conn)
        questions = [
            question("HOOK_BROKEN", Problem("HOOK_BROKEN", said), f"hook:{scope}")
            for scope, said in broken.items()
        ]
        state.exceptions.open_many(FLOW, questions, conn=conn)
        if not broken:
            state.cursors.move(LAST_OK, cursor_value(now), conn=conn)
    certificate = _fill_gap(connections, now, progress)
    return Mended(len(hooks), tuple((one, _said(out)) for one, out in done), broken, certificate)


def _look(connections: Connections, destination: str, now: datetime) -> tuple[list[Hook], HookPlan]:
    shop, (name, value) = connections.bigcommerce(), hook_header(connections.settings)
    found = [
        Hook(
            one.id,
            one.scope,
            one.destination,
            one.active,
            datetime.fromtimestamp(one.updated_at, UTC) if one.updated_at else now,
            ours=bool(one.matches),
        )
        for one in shop.hooks.list(headers={name: value})
    ]
    host = urlsplit(destination).hostname
    blocked = [
        one.seconds_left
        for one in shop.hooks.admin().blocked
        if one.seconds_left and _host(one.domain) == host
    ]
    plan = hook_plan(
        found,
        connections.mapping.hook_scopes(),
        destination,
        now,
        last_ok=read_cursor(connections.state.cursors.get(LAST_OK)),
        last_event=connections.state.inbox.last_event("webhook"),
        blocked_seconds=max(blocked, default=None),
        secret=connections.settings.webhook_header != "off",
    )
    return found, plan


def _do(connections: Connections, action: HookAction, destination: str) -> Outcome:
    hooks, (name, value) = connections.bigcommerce().hooks, hook_header(connections.settings)
    if action.kind == "delete" and action.hook_id is not None:
        return hooks.delete(action.hook_id)
    if action.hook_id is None:
        return hooks.create(action.scope, destination, {name: value})
    return hooks.update(
        action.hook_id, scope=action.scope, destination=destination, headers={name: value}, active=True
    )


def _broken(plan: HookPlan, done: list[tuple[HookAction, Outcome]]) -> dict[str, str]:
    said = {one.scope: _said(outcome) for one, outcome in done if not isinstance(outcome, Sent)}
    broken = {
        one.scope: f"{one.scope} does not deliver, because {one.reason}; to {one.kind} it failed: "
        f"{said.get(one.scope, 'the store took it, and does not show it')}."
        for one in plan.actions
    }
    if plan.faults:
        broken["store"] = " ".join(plan.faults)
    return broken


def _remember_gap(connections: Connections, plan: HookPlan, now: datetime) -> None:
    """What was certified up to a moment needs no second look: nothing changes in the past."""
    if plan.gap is None:
        return
    cursors, overlap = connections.state.cursors, connections.mapping.orders.poll.overlap_minutes
    start = plan.gap.start
    certified = read_cursor(cursors.get(CERTIFIED))
    if certified is not None:
        start = max(start, min(certified, now) - timedelta(minutes=overlap))
    pending = read_cursor(cursors.get(GAP))
    cursors.move(GAP, cursor_value(start if pending is None else min(start, pending)))


def _fill_gap(connections: Connections, now: datetime, progress: Callable[[str], None]) -> Certificate | None:
    """Read again what is remembered as a gap; it is forgotten once its certificate is complete."""
    cursors = connections.state.cursors
    start = read_cursor(cursors.get(GAP))
    cutover = cutover_of(connections.mapping)
    if start is None or cutover is None:
        return None
    start = max(start, cutover)
    if start >= now:
        return None
    certificate = fill(connections, Window(start, now), "webhooks were not delivered", progress)
    if certificate.complete:
        with connections.state.scope.transaction() as conn:
            cursors.move(GAP, None, conn=conn)
            cursors.move(CERTIFIED, cursor_value(now), conn=conn)
    return certificate


def _said(outcome: Outcome) -> str:
    match outcome:
        case Sent():
            return "done"
        case Refused(status, code, detail):
            return f"refused with {status} {code}: {detail}"
    return "no clear answer"


def _host(domain: str) -> str | None:
    return urlsplit(domain if "//" in domain else f"//{domain}").hostname
