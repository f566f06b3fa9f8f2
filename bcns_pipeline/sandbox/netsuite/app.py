"""NetSuite as it answers HTTP: token, SuiteQL, system calls, records.

Put routing, the bearer check and the concurrency limit here. Do not put SQL or field rules here. Sources:
facts/netsuite.md 1, 2.1, 3.1, 3.8.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from datetime import UTC
from typing import Any

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.faults import Fault
from bcns_pipeline.sandbox.netsuite import errors
from bcns_pipeline.sandbox.netsuite.books import Books
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.oauth import TOKEN_PATH, Certificates, Tokens, token_endpoint
from bcns_pipeline.sandbox.netsuite.query import Engine
from bcns_pipeline.sandbox.netsuite.records import BASE
from bcns_pipeline.sandbox.netsuite.schema import tables
from bcns_pipeline.sandbox.options import Options
from bcns_pipeline.sandbox.web import Answer, Call, Routes, json_answer
from bcns_pipeline.sandbox.world import World

ZONE = "America/Los_Angeles"
DATE_FORMAT = "%-m/%-d/%Y"
SUITEQL_PATH = "/services/rest/query/v1/suiteql"
PAGE_LIMIT = 1000
ROW_CEILING = 100_000
RESOURCE = "application/vnd.oracle.resource+json"


class NetSuite:
    """One account, one integration, one role."""

    name = "netsuite"

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.certificates = Certificates("")
        self.tokens = Tokens(options.token_seconds)
        self.database = Database(clock, options.custom_fields)
        known = tables(
            oneworld=options.oneworld,
            multi_location=options.multi_location,
            suitetax=options.tax_engine == "suitetax",
            custom_fields=options.custom_fields,
        )
        self.engine = Engine(self.database, known, DATE_FORMAT)
        self.engine.hidden = frozenset(options.hidden_tables)
        self.administrator = options.administrator
        self.concurrency = options.concurrency
        self.running = 0
        self.peak = 0
        self.routes = Routes()
        self.routes.add("POST", TOKEN_PATH, "token", self._token)
        self.routes.add("POST", SUITEQL_PATH, "suiteql", self._suiteql, threaded=True)
        self.routes.add("GET", "/services/rest/system/v1/serverTime", "server_time", self._server_time)
        self.routes.add("GET", "/services/rest/system/v1/governanceLimits", "governance", self._governance)
        self.books = Books(self.database, clock, options)
        api = self.books.api
        self.routes.add("GET", f"{BASE}/metadata-catalog", "metadata", api.catalog)
        self.routes.add("GET", f"{BASE}/metadata-catalog/{{record}}", "metadata", api.describe)
        self.routes.add("POST", f"{BASE}/{{record}}", "create", api.create)
        self.routes.add("GET", f"{BASE}/{{record}}/{{key}}", "get", api.get)
        self.routes.add("PATCH", f"{BASE}/{{record}}/{{key}}", "patch", api.patch)
        self.routes.add("PUT", f"{BASE}/{{record}}/{{key}}", "put", api.put)
        transform = f"{BASE}/{{record}}/{{key}}/!transform/{{target}}"
        self.routes.add("POST", transform, "transform", api.transform)

    def load(self, world: World, options: Options) -> None:
        """Another merchant; credentials and limits stay."""
        self.books.load(world, options)

    # -- every call ------------------------------------------------------------------------------------------

    def enter(self, call: Call) -> Answer | None:
        """Count the call in and check its token; the token endpoint is outside both."""
        if call.path.rstrip("/") == TOKEN_PATH:
            return None
        if self.running >= self.concurrency:
            return errors.concurrency_exceeded()
        self.running += 1
        self.peak = max(self.peak, self.running)
        call.let_in = True
        if not self.tokens.valid(call.headers.get("authorization", "")):
            return errors.invalid_login()
        return None

    def leave(self, call: Call) -> None:
        """Count the call out."""
        if call.let_in:
            self.running -= 1
            call.let_in = False

    def finish(self, call: Call, answer: Answer) -> Answer:
        """NetSuite has no header of its own on every answer."""
        return answer

    def not_found(self, call: Call, allowed: list[str]) -> Answer:
        """No such service, or not with this verb."""
        if allowed:
            return errors.problem(405, "METHOD_NOT_ALLOWED", f"Method {call.method} is not allowed here.")
        return errors.problem(404, "NOT_FOUND", f"The requested resource '{call.path}' does not exist.")

    def struck(self, fault: Fault) -> Answer:
        """How NetSuite is unwell."""
        if fault.kind == "login_overload":
            return errors.invalid_login()
        if fault.kind in ("429", "429_bare"):
            return errors.concurrency_exceeded()
        return errors.unexpected(fault.status)

    # -- services --------------------------------------------------------------------------------------------

    def _token(self, call: Call) -> Answer:
        return token_endpoint(call, self.certificates, self.tokens)

    def _server_time(self, call: Call) -> Answer:
        now = self.clock.utc().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json_answer(200, {"serverTime": now}, RESOURCE)

    def _governance(self, call: Call) -> Answer:
        if not self.administrator:
            detail = "Permission Violation: You need the Administrator role to access this page."
            return errors.problem(403, "INSUFFICIENT_PERMISSION", detail)
        body = {
            "accountConcurrencyLimit": self.concurrency,
            "accountUnallocatedConcurrencyLimit": self.concurrency,
            "integrationLimitType": "accountLimit",
        }
        return json_answer(200, body, RESOURCE)

    def _suiteql(self, call: Call) -> Answer:
        preferences = {p.strip().lower() for p in call.headers.get("prefer", "").split(",")}
        if "transient" not in preferences:
            detail = "The required request header 'Prefer' is missing or is not 'transient'."
            return errors.problem(400, "INVALID_HEADER", detail, o_errorHeader="Prefer")
        limit, offset = paging(call)
        if isinstance(limit, Answer):
            return limit
        try:
            body = call.json()
        except ValueError:
            return errors.problem(400, "INVALID_REQUEST", "Invalid JSON in the request body.")
        query = body.get("q") if isinstance(body, dict) else None
        params = body.get("params", []) if isinstance(body, dict) else []
        if not isinstance(query, str) or not query.strip():
            return errors.problem(
                400, "INVALID_PARAMETER", "The parameter 'q' is missing.", o_errorQueryParam="q"
            )
        if not isinstance(params, list):
            return errors.problem(
                400, "INVALID_PARAMETER", "'params' must be an array.", o_errorQueryParam="params"
            )
        try:
            page = self.engine.page(query, params, limit, offset)
        except errors.SuiteQLError as fault:
            return errors.bad_query(str(fault))
        return Answer(200, envelope(call, page.items, page.count, page.total, limit, offset), RESOURCE)


def paging(call: Call) -> tuple[Any, int]:
    """`limit` and `offset` of a collection.

    In place of the limit the refusal, where they are out of bounds.
    """
    query = call.query
    try:
        limit, offset = int(query.get("limit", PAGE_LIMIT)), int(query.get("offset", 0))
    except ValueError:
        return errors.problem(400, "INVALID_PARAMETER", "limit and offset must be integers."), 0
    if not 1 <= limit <= PAGE_LIMIT:
        detail = f"The limit must be between 1 and {PAGE_LIMIT}."
        return errors.problem(400, "INVALID_PARAMETER", detail, o_errorQueryParam="limit"), 0
    if offset < 0 or offset % limit:
        detail = "Invalid value for the query parameter offset. The offset must be divisible by the limit."
        return errors.problem(400, "INVALID_PARAMETER", detail, o_errorQueryParam="offset"), 0
    if offset // limit >= PAGE_LIMIT or offset + limit > ROW_CEILING:
        detail = f"The query can return {ROW_CEILING} results at most, on {PAGE_LIMIT} pages."
        return errors.problem(400, "INVALID_PARAMETER", detail, o_errorQueryParam="offset"), 0
    return limit, offset


def envelope(call: Call, items: bytes, count: int, total: int, limit: int, offset: int) -> bytes:
    """The page around the rows, with the links that NetSuite gives."""
    base = f"http://{call.host}{SUITEQL_PATH}?limit={limit}&offset="
    more = offset + count < total
    links = []
    if offset:
        links += [("first", 0), ("prev", max(offset - limit, 0))]
    if more:
        links += [("next", offset + limit), ("last", (total - 1) // limit * limit)]
    links.append(("self", offset))
    shown = ",".join(f'{{"rel":"{rel}","href":"{base}{place}"}}' for rel, place in links)
    head = f'{{"links":[{shown}],"count":{count},"hasMore":{"true" if more else "false"},"items":['
    tail = f'],"offset":{offset},"totalResults":{total}}}'
    return b"".join([head.encode(), items, tail.encode()])
