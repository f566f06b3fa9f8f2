"""Records of NetSuite: create, patch and read one, with what each answer means.

Put what is the same for every record type here; bodies and types are the callers'. There is no method that
deletes a record, and no PUT: sent again, an upsert doubles the lines of a transaction (facts/netsuite.md 3.3).
Facts: facts/netsuite.md 3.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bcns_pipeline.clients.http.body import decode_exact
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.suiteql import SuiteQL, readable
from bcns_pipeline.outcomes import Outcome, OutsideError, Rejected, Sent

log = logging.getLogger(__name__)
RECORD: Final = "/services/rest/record/v1"
_TYPE: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_]{0,63}$")
_KEY: Final = re.compile(r"^(?:\d{1,18}|eid:[A-Za-z0-9_-]{1,200})$")
_LOCATION_ID: Final = re.compile(r"/(\d+)/?$")
# Form loads and scripts run inside a write: Oracle's own limit is 15 minutes, seconds are usual.
_WRITE_SECONDS: Final = 300.0
_STRICT: Final = {"X-NetSuite-PropertyNameValidation": "Error"}


class Records:
    """Reads and writes of single records. Thread-safe. Reads raise OutsideError, writes return an Outcome."""

    def __init__(self, reads: Transport, writes: Transport) -> None:
        self._reads = reads
        self._writes = writes
        self.query = SuiteQL(reads)

    def record(self, record_type: str, key: str) -> dict[str, Any] | None:
        """`GET /record/v1/{type}/{key}` with its sublists, fractions as Decimal; None where it does not exist.

        Loads the record as a form in edit mode, slowly and under the role's edit permission: prefer SuiteQL.
        """
        kind = checked_type(record_type)
        try:
            answer = self._reads.read(
                "GET",
                f"{RECORD}/{kind}/{_checked(key)}",
                operation=f"GET /record/v1/{kind}/{{id}}",
                params={"expandSubResources": True},
                parse=read_object,
            )
        except Rejected as error:
            if error.status == 404:
                return None
            raise
        found: dict[str, Any] = answer.value
        return found

    def get(
        self,
        path: str,
        read: Callable[[bytes], Any],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """What `read` makes of the answer to one GET."""
        answer = self._reads.read(
            "GET", path, operation=f"GET {path}", params=params, headers=headers, parse=read
        )
        return answer.value

    def metadata(self, types: Sequence[str]) -> dict[str, Any]:
        """The account's own OpenAPI of these record types, which its features and custom fields shape."""
        select = ",".join(checked_type(one) for one in types)
        accept = {"Accept": "application/swagger+json"}
        found: dict[str, Any] = self.get(
            f"{RECORD}/metadata-catalog", read_object, {"select": select}, accept
        )
        return found

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

    def create(self, record_type: str, body: Mapping[str, Any]) -> Outcome:
        """`POST /record/v1/{type}`: Sent with the new internal id.

        `body` should carry its `externalId`: after an Ambiguous, or a Refused DUPLICATE, look that up before
        anything is sent again. Unknown field names are refused rather than dropped.
        """
        kind = checked_type(record_type)
        outcome, headers = self._write("POST", f"{RECORD}/{kind}", f"/record/v1/{kind}", body)
        if not isinstance(outcome, Sent):
            return outcome
        match = _LOCATION_ID.search(headers.get("location", "").split("?")[0])
        return replace(outcome, record_id=match[1] if match else self._created_id(kind, body))

    def transform(self, record_type: str, number: int, target: str, body: Mapping[str, Any]) -> Outcome:
        """`POST /record/v1/{type}/{id}/!transform/{target}`: Sent with the internal id of what was made.

        As `create`: a transform was seen to answer 400 although it had made its record (facts/netsuite.md 3.6).
        """
        kind, made = checked_type(record_type), checked_type(target)
        url = f"{RECORD}/{kind}/{int(number)}/!transform/{made}"
        outcome, headers = self._write("POST", url, f"/record/v1/{kind}/{{id}}/!transform/{made}", body)
        if not isinstance(outcome, Sent):
            return outcome
        match = _LOCATION_ID.search(headers.get("location", "").split("?")[0])
        return replace(outcome, record_id=match[1] if match else self._created_id(made, body))

    def patch(self, record_type: str, key: str, body: Mapping[str, Any]) -> Outcome:
        """`PATCH /record/v1/{type}/{key}`; `key` is an internal id or `eid:` with an external id.

        Sublist lines without their key are appended, so send header fields, or lines with theirs.
        """
        kind = checked_type(record_type)
        path = f"/record/v1/{kind}/{{id}}"
        outcome, _ = self._write("PATCH", f"{RECORD}/{kind}/{_checked(key)}", path, body)
        if not isinstance(outcome, Sent):
            return outcome
        return replace(outcome, record_id=None if key.startswith("eid:") else key)

    def _write(
        self, method: str, url: str, path: str, body: Mapping[str, Any]
    ) -> tuple[Outcome, Mapping[str, str]]:
        operation = f"{method} {path}"
        outcome, headers = self._writes.write_with_headers(
            method,
            url,
            operation=operation,
            json=dict(body),
            headers=_STRICT,
            read_seconds=_WRITE_SECONDS,
        )
        self._warn(operation, headers, body)
        return outcome, headers

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


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object with exact decimals; ValueError for anything else."""
    value = decode_exact(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - ValueError is what the transport retries
    return value


def _checked(key: str) -> str:
    if not _KEY.match(key):
        raise ValueError("a record is named by its internal id or by eid: and an external id")
    return key


def _table_of(record_type: str) -> str:
    kind = record_type.lower()
    if kind in {"customer", "contact", "vendor", "employee"}:
        return kind
    return "item" if kind.endswith("item") else "transaction"


def checked_type(name: str) -> str:
    """`name` if it can be a record type; ValueError otherwise."""
    if not _TYPE.match(name):
        raise ValueError(f"{name!r} is not a record type")
    return name
