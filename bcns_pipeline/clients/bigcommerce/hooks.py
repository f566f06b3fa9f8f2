"""Webhooks of our own API account: list, make, mend, take away, and how their deliveries fare.

Put one method per call here. Which hooks there should be, and what is mended, is decided by the flows. Header
values are secrets: they are sent and compared, never handed out. Facts: `facts/bigcommerce.md` 6.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce.api import MAX_ROWS, Subject
from bcns_pipeline.clients.bigcommerce.models import BlockedDomain, Hook, HookHealth
from bcns_pipeline.outcomes import Outcome

_HOOKS: Final = "/v3/hooks"
_KEPT: Final = ("id", "scope", "is_active")


class BigCommerceHooks(Subject):
    """Hooks of one store and API account. Thread-safe."""

    def list(self, *, headers: Mapping[str, str] | None = None) -> Sequence[Hook]:
        """Every hook that this API account made; those of other accounts are invisible to it.

        With `headers`, each hook says whether it sends exactly these (`matches`): a hook with an old secret
        is heard as forged.
        """
        return self._api.rows(_HOOKS, lambda row: _hook(row, headers), limit=MAX_ROWS)

    def create(
        self, scope: str, destination: str, headers: Mapping[str, str], *, active: bool = True
    ) -> Outcome:
        """Subscribe `destination` (https, port 443) to `scope`; at most 10 per scope, one per destination."""
        body = {"scope": scope, "destination": destination, "headers": dict(headers), "is_active": active}
        return self._api.write("POST", _HOOKS, body, f"POST {_HOOKS}", _KEPT)

    def update(
        self,
        hook_id: int,
        *,
        scope: str | None = None,
        destination: str | None = None,
        headers: Mapping[str, str] | None = None,
        active: bool | None = None,
    ) -> Outcome:
        """Change what is given; `active=True` switches a hook on again. Safe to repeat."""
        given: dict[str, Any] = {
            "scope": scope,
            "destination": destination,
            "headers": None if headers is None else dict(headers),
            "is_active": active,
        }
        body = {name: value for name, value in given.items() if value is not None}
        return self._api.write("PUT", f"{_HOOKS}/{hook_id}", body, f"PUT {_HOOKS}/{{id}}", _KEPT)

    def delete(self, hook_id: int) -> Outcome:
        """Take one hook away: its events are not sent again by any means."""
        return self._api.write("DELETE", f"{_HOOKS}/{hook_id}", None, f"DELETE {_HOOKS}/{{id}}", _KEPT)

    def admin(self) -> HookHealth:
        """`GET /v3/hooks/admin`: the state of each hook, and destinations blocked for failing too often."""
        return self._api.one(f"{_HOOKS}/admin", _health)


def _hook(row: Mapping[str, Any], expected: Mapping[str, str] | None) -> Hook:
    headers = row.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    return Hook(
        id=int(row["id"]),
        scope=str(row.get("scope") or ""),
        destination=str(row.get("destination") or ""),
        active=row.get("is_active") is True,
        header_names=tuple(headers),
        matches=None if expected is None else _equal(headers, expected),
        updated_at=int(row.get("updated_at") or 0),
    )


def _equal(headers: Mapping[str, Any], expected: Mapping[str, str]) -> bool:
    """Same names whatever their case, same values, compared in constant time."""
    ours = {name.lower(): value for name, value in expected.items()}
    theirs = {name.lower(): str(value) for name, value in headers.items()}
    if ours.keys() != theirs.keys():
        return False
    return all(hmac.compare_digest(theirs[name].encode(), value.encode()) for name, value in ours.items())


def _health(row: Mapping[str, Any]) -> HookHealth:
    hooks = row.get("hooks_list") or ()
    blocked = row.get("blocked_domains") or ()
    return HookHealth(
        status={int(one["id"]): str(one.get("status") or "") for one in hooks if "id" in one},
        blocked=tuple(
            BlockedDomain(
                domain=str(one.get("destination") or ""),
                seconds_left=int(one.get("time_left") or 0),
                reasons=tuple(_reason(why) for why in one.get("reasons") or ()),
            )
            for one in blocked
        ),
    )


def _reason(why: Mapping[str, Any]) -> str:
    return f"{why.get('failure_description') or 'failed'} ({int(why.get('count') or 0)} times)"
