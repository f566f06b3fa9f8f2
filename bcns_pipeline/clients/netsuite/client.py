"""The NetSuite account as the flows see it: SuiteQL, record create and patch, clocks and account metadata.

Put one method per call here; stock reads are functions over `client.query` in `inventory.py`. There is no
method that deletes a record, and no PUT: sent again, an upsert doubles the lines of a transaction
(facts/netsuite.md 3.3). Facts: facts/netsuite.md 2 and 3.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.auth import Assertion, TokenAuth
from bcns_pipeline.clients.netsuite.errors import Kind, explain_query, explain_record, explain_token
from bcns_pipeline.clients.netsuite.models import NetSuiteLocation, Page
from bcns_pipeline.clients.netsuite.suiteql import Key, SuiteQL, readable
from bcns_pipeline.outcomes import Gate, Meter, Outcome, OutsideError, Refused, Rejected, Sent, System

log = logging.getLogger(__name__)
TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path
_RECORD: Final = "/services/rest/record/v1"
_TYPE: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
_KEY: Final = re.compile(r"^(?:\d{1,18}|eid:[A-Za-z0-9_-]{1,200})$")
_LOCATION_ID: Final = re.compile(r"/(\d+)/?$")
# Form loads and scripts run inside a write: Oracle's own limit is 15 minutes, seconds are usual.
_WRITE_SECONDS: Final = 300.0
_STRICT: Final = {"X-NetSuite-PropertyNameValidation": "Error"}


class NetSuiteClient:
    """One account. Thread-safe, no I/O when made. Reads raise OutsideError, writes return an Outcome.

    `base_url` is the API root in front of `/services/`, `token_url` "" for the usual path below it, with a
    host of its own where it has one. `scope_form` "list" or "string": see `auth.Assertion`.
    """

    def __init__(
        self,
        base_url: str,
        token_url: str,
        client_id: str,
        certificate_id: str,
        private_key_pem: str,
        *,
        gate: Gate,
        meter: Meter,
        scope_form: str = "list",
        audience: str | None = None,
        renew_ahead_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        client: HttpClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        full = token_url or base_url.rstrip("/") + TOKEN_PATH
        parts = urlsplit(full)
        shared: dict[str, Any] = {
            "gate": gate,
            "meter": meter,
            "retry": retry,
            "timeouts": timeouts,
            "client": client,
            "sleep": sleep,
            "clock": clock,
            "wall": wall,
            "uniform": uniform,
            "secrets": (private_key_pem,),
        }
        self._minter = Transport(
            System.NETSUITE, f"{parts.scheme}://{parts.netloc}", explain=explain_token, **shared
        )
        assertion = Assertion(
            audience or full, client_id, certificate_id, private_key_pem, scope_form=scope_form
        )
        auth = TokenAuth(
            assertion,
            self._minter,
            parts.path,
            renew_ahead_seconds=renew_ahead_seconds,
            clock=clock,
            wall=wall,
        )
        self._reads = Transport(System.NETSUITE, base_url, auth=auth, explain=explain_query, **shared)
        self._writes = Transport(System.NETSUITE, base_url, auth=auth, explain=explain_record, **shared)
        self._auth = auth
        self._sleep = sleep
        self._uniform = uniform
        self.query = SuiteQL(self._reads)

    # --- reading -------------------------------------------------------------------------------------

    def suiteql(self, q: str, params: Sequence[str | int] = (), limit: int = 1000, offset: int = 0) -> Page:
        """One page of SuiteQL; see `suiteql.SuiteQL.page`."""
        return self.query.page(q, params, limit=limit, offset=offset)

    def suiteql_all(self, q: str, params: Sequence[str | int] = (), limit: int = 1000) -> Iterator[Page]:
        """All pages by offset, up to 100,000 rows; see `suiteql.SuiteQL.all`."""
        return self.query.all(q, params, limit=limit)

    def keyset(
        self,
        q: str,
        start: Key,
        params: Callable[[Key], Sequence[str | int]],
        key: Callable[[dict[str, str]], Key],
        limit: int = 1000,
    ) -> Iterator[Page]:
        """All pages by key, without a ceiling; see `suiteql.SuiteQL.keyset`."""
        return self.query.keyset(q, start, params, key, limit=limit)

    def sign_in(self) -> None:
        """Mint a token now. Unauthorised for a wrong key, client id or certificate id."""
        self._auth.credential()

    def clock(self) -> str:
        """NetSuite's clock, "YYYY-MM-DD HH:MM:SS" in the frame of SuiteQL's dates: a watermark."""
        page = self.query.page("SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') AS now FROM dual")
        if len(page.rows) != 1 or not page.rows[0]:
            raise Rejected(System.NETSUITE, "clock", 200, "NO_CLOCK", "SYSDATE gave no row")
        return next(iter(page.rows[0].values()))

    def server_time(self) -> datetime:
        """`serverTime` in UTC; its distance from `clock` is the frame's offset."""
        value = self._get("/services/rest/system/v1/serverTime", _server_time)
        found: datetime = value
        return found

    def governance(self) -> dict[str, Any]:
        """`governanceLimits`: the account's concurrency. Administrators only, Unauthorised for others."""
        found: dict[str, Any] = self._get("/services/rest/system/v1/governanceLimits", _object)
        return found

    def metadata(self, types: Sequence[str]) -> dict[str, Any]:
        """The account's own OpenAPI of these record types, which its features and custom fields shape."""
        select = ",".join(_record_type(one) for one in types)
        accept = {"Accept": "application/swagger+json"}
        found: dict[str, Any] = self._get(f"{_RECORD}/metadata-catalog", _object, {"select": select}, accept)
        return found

    def locations(self) -> list[NetSuiteLocation]:
        """All locations, inactive ones included."""
        text = "SELECT id, name, isinactive, makeinventoryavailable FROM location ORDER BY id ASC"
        rows = [row for page in self.query.all(text) for row in page.rows]
        with readable():
            return [
                NetSuiteLocation(
                    id=int(row["id"]),
                    name=row.get("name", ""),
                    inactive=row.get("isinactive") == "T",
                    sells=None
                    if "makeinventoryavailable" not in row
                    else row["makeinventoryavailable"] == "T",
                )
                for row in rows
            ]

    def has(self, table: str, columns: Sequence[str] = ("id",)) -> str | None:
        """None where the account has these columns for our role, else NetSuite's words why not."""
        names = ", ".join(sql.identifier(one) for one in columns)
        try:
            self.query.page(f"SELECT {names} FROM {sql.identifier(table)} FETCH FIRST 1 ROWS ONLY")
        except Rejected as error:
            return error.detail
        return None

    def find_by_external_id(
        self, table: str, record_type: str | None, external_ids: Sequence[str]
    ) -> dict[str, str]:
        """{external id: internal id} of those that exist; `record_type` for table `transaction` only.

        Through SuiteQL, as a GET of the record would load its form in edit mode.
        """
        found: dict[str, str] = {}
        wanted = list(dict.fromkeys(external_ids))
        of_type = "recordtype = ? AND " if record_type else ""
        first = [record_type.lower()] if record_type else []
        for i in range(0, len(wanted), sql.MAX_IN):
            piece = wanted[i : i + sql.MAX_IN]
            marks = ", ".join("?" * len(piece))
            text = (
                f"SELECT id, externalid FROM {sql.identifier(table)} "
                f"WHERE {of_type}externalid IN ({marks}) ORDER BY id ASC"
            )
            for page in self.query.all(text, [*first, *piece]):
                with readable():
                    found.update({row["externalid"]: row["id"] for row in page.rows})
        return found

    # --- writing -------------------------------------------------------------------------------------

    def create(self, record_type: str, body: Mapping[str, Any]) -> Outcome:
        """`POST /record/v1/{type}`: Sent with the new internal id.

        `body` should carry its `externalId`: after an Ambiguous, or a Refused DUPLICATE, look that up before
        anything is sent again. Unknown field names are refused rather than dropped.
        """
        kind = _record_type(record_type)
        outcome, headers = self._writes.write_with_headers(
            "POST",
            f"{_RECORD}/{kind}",
            operation=f"POST /record/v1/{kind}",
            json=dict(body),
            headers=_STRICT,
            read_seconds=_WRITE_SECONDS,
        )
        self._warn(f"POST /record/v1/{kind}", headers, body)
        if not isinstance(outcome, Sent):
            return outcome
        match = _LOCATION_ID.search(headers.get("location", "").split("?")[0])
        return replace(outcome, record_id=match[1] if match else self._created_id(kind, body))

    def patch(self, record_type: str, key: str, body: Mapping[str, Any]) -> Outcome:
        """`PATCH /record/v1/{type}/{key}`; `key` is an internal id or `eid:` with an external id.

        Sublist lines without their key are appended, so send header fields, or lines with theirs.
        """
        kind = _record_type(record_type)
        if not _KEY.match(key):
            raise ValueError("a record is named by its internal id or by eid: and an external id")
        outcome, headers = self._writes.write_with_headers(
            "PATCH",
            f"{_RECORD}/{kind}/{key}",
            operation=f"PATCH /record/v1/{kind}/{{id}}",
            json=dict(body),
            headers=_STRICT,
            read_seconds=_WRITE_SECONDS,
        )
        self._warn(f"PATCH /record/v1/{kind}", headers, body)
        if not isinstance(outcome, Sent):
            return outcome
        return replace(outcome, record_id=None if key.startswith("eid:") else key)

    def patch_fresh(
        self,
        record_type: str,
        key: str,
        difference: Callable[[], Mapping[str, Any] | None],
        *,
        attempts: int = 4,
    ) -> Outcome:
        """Patch what `difference` finds, and again after somebody else changed the record in between.

        `difference` reads the record anew and returns what is still to be changed, or None for nothing: so a
        concurrent edit is never overwritten blindly. Ends Refused RECORD_CHANGED when `attempts` are used up.
        """
        outcome: Outcome = Sent()
        for attempt in range(1, attempts + 1):
            body = difference()
            if body is None:
                return Sent()
            outcome = self.patch(record_type, key, body)
            changed = isinstance(outcome, Refused) and outcome.code == Kind.RECORD_CHANGED
            if not changed or attempt == attempts:
                return outcome
            self._sleep(self._uniform(0.0, 0.5 * 2.0**attempt))
        return outcome

    def close(self) -> None:
        """Close the connections."""
        for transport in (self._minter, self._reads, self._writes):
            transport.close()

    # --- the same for all ----------------------------------------------------------------------------

    def _get(
        self,
        path: str,
        read: Callable[[bytes], Any],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        answer = self._reads.read(
            "GET", path, operation=f"GET {path}", params=params, headers=headers, parse=read
        )
        return answer.value

    def _created_id(self, record_type: str, body: Mapping[str, Any]) -> str | None:
        """The id of a record that was created without telling it; None where it can't be found out now."""
        external_id = body.get("externalId")
        if not isinstance(external_id, str):
            return None
        table = _table_of(record_type)
        try:
            found = self.find_by_external_id(
                table, record_type if table == "transaction" else None, [external_id]
            )
        except OutsideError as error:
            log.warning("%s was created, but its id could not be read: %s", record_type, error.message)
            return None
        return found.get(external_id)

    def _warn(self, operation: str, headers: Mapping[str, str], body: Any) -> None:
        warning = headers.get("x-netsuite-warning")
        if warning:
            log.warning("netsuite: %s: %s", operation, self._writes.redact(warning, body))


def _table_of(record_type: str) -> str:
    kind = record_type.lower()
    if kind in {"customer", "contact", "vendor", "employee"}:
        return kind
    return "item" if kind.endswith("item") else "transaction"


def _record_type(name: str) -> str:
    if not _TYPE.match(name):
        raise ValueError(f"{name!r} is not a record type")
    return name


def _object(body: bytes) -> dict[str, Any]:
    from bcns_pipeline.clients.http.body import decode_exact

    value = decode_exact(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - ValueError is what the transport retries
    return value


def _server_time(body: bytes) -> datetime:
    text = {key.lower(): value for key, value in _object(body).items()}.get("servertime")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
