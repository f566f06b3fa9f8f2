"""Setting up webhooks: /v3/hooks.

Put the endpoints and their rules here. Do not put delivery here. Source: facts/bigcommerce.md 6.1: ten hooks
per scope, one per scope and destination, https on port 443 (plain http on this machine only as a setting of
the sandbox). Headers are shown to whoever may list the hooks.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bcns_pipeline.sandbox.bigcommerce import v3
from bcns_pipeline.sandbox.bigcommerce.hooks.book import A_SCOPE, EXCEPTIONS, Hook, known
from bcns_pipeline.sandbox.bigcommerce.hooks.courier import Courier
from bcns_pipeline.sandbox.bigcommerce.paging import listing, window
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

FIELDS = frozenset({"scope", "destination", "is_active", "headers", "events_history_enabled"})
LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
MOST_HEADERS = 64


class Hooks:
    """Endpoints over one account. No scope is needed: every account may list its own."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._shop = courier.shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        return [
            ("GET", "/v3/hooks", "hooks", self.list, None),
            ("POST", "/v3/hooks", "hook_post", self.create, None),
            ("GET", "/v3/hooks/admin", "hooks_admin", self.admin, None),
            ("PUT", "/v3/hooks/admin", "hooks_admin_put", self.emails, None),
            ("GET", "/v3/hooks/{hook_id}", "hook", self.one, None),
            ("PUT", "/v3/hooks/{hook_id}", "hook_put", self.update, None),
            ("DELETE", "/v3/hooks/{hook_id}", "hook_delete", self.delete, None),
        ]

    def _row(self, hook: Hook) -> dict[str, Any]:
        return {
            "id": hook.id,
            "client_id": self._shop.client_id,
            "store_hash": self._shop.hash,
            "scope": hook.scope,
            "destination": hook.destination,
            "headers": hook.headers,
            "is_active": hook.active,
            "created_at": int(hook.created.timestamp()),
            "updated_at": int(hook.updated.timestamp()),
        }

    def _hooks(self) -> list[Hook]:
        self._courier.book.tidy(self._shop.now())
        return list(self._courier.book.hooks.values())

    def list(self, call: Call) -> Answer:
        """GET /v3/hooks."""
        query = call.query
        asked = window(call, v3.DEFAULT_LIMIT, v3.LIMIT)
        active = query.get("is_active")
        rows = [
            hook
            for hook in self._hooks()
            if query.get("scope", hook.scope) == hook.scope
            and query.get("destination", hook.destination) == hook.destination
            and (active is None or (active.lower() in ("true", "1")) == hook.active)
        ]
        shown = [json_answer(200, self._row(hook)).body.decode() for hook in rows[asked.start : asked.end]]
        return listing(asked, shown, len(rows))

    def admin(self, call: Call) -> Answer:
        """GET /v3/hooks/admin: why hooks are off, and which domains are not sent to at present."""
        active = call.query.get("is_active")
        hooks = [
            {**self._row(hook), "status": hook.status}
            for hook in self._hooks()
            if active is None or (active.lower() in ("true", "1")) == hook.active
        ]
        data = {
            "emails": self._courier.book.emails,
            "hooks_list": hooks,
            "blocked_domains": self._courier.blocklist.shown(),
        }
        return json_answer(200, {"data": data, "meta": {}})

    def emails(self, call: Call) -> Answer:
        """PUT /v3/hooks/admin."""
        body = _body(call)
        emails = body.get("emails")
        if not isinstance(emails, list) or not all(isinstance(one, str) and "@" in one for one in emails):
            raise v3.refuse(422, None, {"emails": "must be a list of e-mail addresses"})
        self._courier.book.emails = emails
        return Answer(204)

    def _find(self, hook_id: str) -> Hook:
        self._courier.book.tidy(self._shop.now())
        hook = self._courier.book.hooks.get(int(hook_id)) if hook_id.isdigit() else None
        if hook is None:
            raise v3.refuse(404)
        return hook

    def _answer(self, hook: Hook) -> Answer:
        return json_answer(200, {"data": self._row(hook), "meta": {}})

    def one(self, call: Call, hook_id: str) -> Answer:
        """GET /v3/hooks/{id}."""
        return self._answer(self._find(hook_id))

    def create(self, call: Call) -> Answer:
        """POST /v3/hooks."""
        body = _body(call)
        for name in ("scope", "destination"):
            if name not in body:
                raise v3.refuse(422, None, {name: "is required"})
        self._check(body, None)
        active = body.get("is_active", True)
        hook = self._courier.book.add(
            body["scope"], body["destination"], body.get("headers"), active=active, now=self._shop.now()
        )
        return self._answer(hook)

    def update(self, call: Call, hook_id: str) -> Answer:
        """PUT /v3/hooks/{id}."""
        hook, body = self._find(hook_id), _body(call)
        self._check({"scope": hook.scope, "destination": hook.destination, **body}, hook)
        hook.scope = body.get("scope", hook.scope)
        hook.destination = body.get("destination", hook.destination)
        hook.headers = body.get("headers", hook.headers)
        if "is_active" in body and body["is_active"] != hook.active:
            hook.status = "active" if body["is_active"] else "inactive"
            hook.heard = self._shop.now()
        hook.updated = self._shop.now()
        return self._answer(hook)

    def delete(self, call: Call, hook_id: str) -> Answer:
        """DELETE /v3/hooks/{id}."""
        hook = self._find(hook_id)
        del self._courier.book.hooks[hook.id]
        return self._answer(hook)

    def _check(self, body: dict[str, Any], mine: Hook | None) -> None:
        """Raise `Refusal` for what can't be a hook."""
        faults = dict.fromkeys(sorted(set(body) - FIELDS), "is not a field of a webhook")
        scope, destination, headers = body["scope"], body["destination"], body.get("headers")
        if not isinstance(scope, str) or not known(scope):
            faults["scope"] = "is not a scope"
        if not isinstance(destination, str) or not self._reachable(destination):
            faults["destination"] = "must be an https address on port 443"
        if not isinstance(body.get("is_active", True), bool):
            faults["is_active"] = "must be true or false"
        if headers is not None and not _header_like(headers):
            faults["headers"] = "must be an object of texts"
        if faults:
            raise v3.refuse(422, None, faults)
        others = [one for one in self._courier.book.hooks.values() if one is not mine and one.scope == scope]
        if any(one.destination == destination for one in others):
            raise v3.refuse(
                422, "A webhook with this scope and destination exists already", {"scope": "exists"}
            )
        if len(others) >= (1 if scope == EXCEPTIONS else A_SCOPE):
            raise v3.refuse(422, f"The limit of webhooks for {scope} is reached", {"scope": "limit reached"})

    def _reachable(self, destination: str) -> bool:
        try:
            parts = urlsplit(destination)
            port = parts.port
        except ValueError:
            return False
        if parts.scheme == "https" and parts.hostname:
            return port in (None, 443) or (
                self._shop.settings.allow_http_hooks and parts.hostname in LOOPBACK
            )
        return parts.scheme == "http" and self._shop.settings.allow_http_hooks and parts.hostname in LOOPBACK


def _body(call: Call) -> dict[str, Any]:
    try:
        body = call.json()
    except ValueError as fault:
        raise v3.refuse(400, "Input is invalid") from fault
    if not isinstance(body, dict):
        raise v3.refuse(422, "The request body must be an object")
    return body


def _header_like(headers: Any) -> bool:
    return (
        isinstance(headers, dict)
        and len(headers) <= MOST_HEADERS
        and all(
            isinstance(value, str) and name and not any(c in name + value for c in "\r\n")
            for name, value in headers.items()
        )
    )
