"""The store's webhooks against what we want: what to mend, and which time has to be read again.

Put the comparison here. Do not call anything here. Source: facts/bigcommerce.md 6: a hook is switched off
after 48 hours of failed deliveries or 90 idle days, at most 10 stand under one scope, and nothing that was
lost is ever sent again, so every repair comes with the gap that polling has to fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from bcns_pipeline.rules.intake import Window

ActionKind = Literal["create", "reactivate", "move", "secure", "delete"]

IDLE: Final = timedelta(days=90)
# The last of 11 retries comes 173,040 seconds after the event: what was lost may be that much older.
RETRIES_LAST: Final = timedelta(seconds=173_040)
MOST_PER_SCOPE: Final = 10
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook as the store lists it. `ours` says that it carries our present secret, whatever its address.

    `changed` is when it was last changed, which for one that the store switched off is that moment.
    """

    id: int
    scope: str
    destination: str = field(repr=False)
    active: bool
    changed: datetime
    ours: bool = False


@dataclass(frozen=True, slots=True)
class HookAction:
    """One repair; `hook_id` is None for a hook to be made. `reason` is the rest of "because".

    A hook that is made or changed gets our destination, our secret header and is_active: true, all at once.
    """

    kind: ActionKind
    scope: str
    hook_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class HookPlan:
    """Repairs in the order in which they are made, faults that only a person can mend, the time to re-read."""

    actions: tuple[HookAction, ...] = ()
    faults: tuple[str, ...] = ()
    gap: Window | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be done and nothing is wrong."""
        return not self.actions and not self.faults


def hook_plan(
    found: Sequence[Hook],
    wanted: Iterable[str],
    destination: str,
    now: datetime,
    *,
    last_ok: datetime | None = None,
    last_event: datetime | None = None,
    blocked_seconds: int | None = None,
    secret: bool = True,
) -> HookPlan:
    """What makes `found` deliver each of the `wanted` scopes to `destination`, exactly once.

    `last_ok` is when a check last found everything well, `last_event` when any event last came in, None =
    never. `blocked_seconds` is how long the store still refuses to call our domain. `secret` says that our
    receiver asks for the secret header. Others may share the API account: ours are the hooks with our secret
    and those at our destination, and the rest is left alone.
    """
    scopes = sorted(set(wanted))
    ours = sorted(
        (hook for hook in found if hook.ours or _same(hook.destination, destination)),
        key=lambda hook: hook.id,
    )
    actions: list[HookAction] = []
    faults: list[str] = []
    since: list[datetime] = []
    for scope in scopes:
        here = [hook for hook in ours if hook.scope == scope]
        right = [hook for hook in here if _same(hook.destination, destination)]
        # Of several the one that works already, so that nothing is lost while the others go.
        keep = min(right or here, key=lambda hook: (not hook.active, hook.id), default=None)
        actions += [
            HookAction("delete", scope, hook.id, "another hook delivers this scope")
            for hook in here
            if hook is not keep
        ]
        if keep is None:
            if sum(hook.scope == scope for hook in found) >= MOST_PER_SCOPE:
                faults.append(
                    f"{scope} has {MOST_PER_SCOPE} hooks of others, which is all that the store allows."
                )
                continue
            actions.append(HookAction("create", scope, None, "there is none"))
            if last_ok is not None:
                since.append(last_ok)
            continue
        repair = _repair(keep, right=bool(right), secret=secret, idle=_idle(last_event, now))
        if repair is not None:
            actions.append(repair)
            since.append(last_ok or keep.changed)
    actions += [
        HookAction("delete", hook.scope, hook.id, "nobody wants this scope any more")
        for hook in ours
        if hook.scope not in scopes and hook.ours
    ]
    if blocked_seconds is not None:
        faults.append(
            f"The store does not call our domain for another {blocked_seconds} seconds, because fewer than "
            "90 % of its calls were answered well."
        )
        since.append(last_ok or now)
    # Deletions first, or a moved hook would meet the one whose place it takes.
    order = {"delete": 0, "move": 1, "secure": 2, "reactivate": 3, "create": 4}
    actions.sort(key=lambda action: order[action.kind])
    return HookPlan(tuple(actions), tuple(faults), _gap(since, now))


def receiver_address(text: str) -> str:
    """`text` where the store could call it; ValueError says what is wrong with it. This machine may be plain http."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    ours = parts.hostname in _HERE
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.path in {"", "/"}:
        raise ValueError(
            f"{text!r} is no address of a receiver; write one such as https://hooks.example.com/webhooks/bigcommerce"
        )
    if not ours and (parts.scheme != "https" or port not in {None, 443}):
        raise ValueError("BigCommerce calls https on port 443 only; put the receiver behind such an address")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("remove user, ? and # from it; secrets go in the header, not in the address")
    return text


def _repair(hook: Hook, *, right: bool, secret: bool, idle: bool) -> HookAction | None:
    if not right:
        return HookAction("move", hook.scope, hook.id, "it delivers to an address that is not ours now")
    if secret and not hook.ours:
        return HookAction("secure", hook.scope, hook.id, "it does not carry our present secret")
    if not hook.active:
        why = "the store switched it off after 90 idle days" if idle else "the store switched it off"
        return HookAction("reactivate", hook.scope, hook.id, why)
    return None


def _idle(last_event: datetime | None, now: datetime) -> bool:
    return last_event is not None and now - last_event >= IDLE


def _gap(since: Sequence[datetime], now: datetime) -> Window | None:
    """From the oldest moment that may have lost something, less the time for which the store keeps trying."""
    return Window(min(*since, now) - RETRIES_LAST, now) if since else None


def _same(one: str, other: str) -> bool:
    left, right = urlsplit(one), urlsplit(other)
    return (left.hostname, _port(left.port), _path(one)) == (right.hostname, _port(right.port), _path(other))


def _port(port: int | None) -> int:
    return 443 if port is None else port


def _path(destination: str) -> str:
    return urlsplit(destination).path.rstrip("/")
