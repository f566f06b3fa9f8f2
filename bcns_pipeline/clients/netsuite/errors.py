"""What NetSuite's refusals say: `o:errorDetails`, OAuth errors, HTML; and the one table that reads texts.

Put the classification here and nowhere else: NetSuite gives most business refusals the code USER_ERROR, so
only the text tells a duplicate from a closed period. What is done about a class is decided by the transport
and the flows. Sources: facts/netsuite.md 1, 3.2 and 3.7.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bcns_pipeline.clients.http.verdicts import Fault, Verdict, summary, verdict
from bcns_pipeline.clients.netsuite.models import Kind

# First match wins. Codes that say it all come before texts; SOAP's and SuiteScript's codes are aliases.
_BY_CODE: Final[Mapping[str, Kind]] = {
    "DUP_RCRD": Kind.DUPLICATE,
    "DUP_ENTITY": Kind.DUPLICATE,
    "UNIQUE_CUST_ID_REQD": Kind.DUPLICATE,
    "RCRD_HAS_BEEN_CHANGED": Kind.RECORD_CHANGED,
    "RCRD_LOCKED_BY_WF": Kind.RECORD_LOCKED,
    "INSUFFICIENT_PERMISSION": Kind.PERMISSION,
    "NONEXISTENT_ID": Kind.NOT_FOUND,
    "INVALID_LOGIN": Kind.LOGIN,
    "INVALID_LOGIN_ATTEMPT": Kind.LOGIN,
    "CONCURRENCY_LIMIT_EXCEEDED": Kind.OVERLOADED,
    "SSS_REQUEST_LIMIT_EXCEEDED": Kind.OVERLOADED,
}
# These say that a value is wrong; the text may say what about it.
_WRONG_VALUE: Final = frozenset({"INVALID_CONTENT", "INVALID_KEY_OR_REF", "INVALID_FLD_VALUE"})
_NOT: Final = r"(invalid|not\b|cannot|can't|incompatible|restrict|differ|mismatch)"
_BY_TEXT: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"invalid login attempt", Kind.LOGIN),
        (r"concurren\w* (request )?limit|too many (concurrent )?requests", Kind.OVERLOADED),
        (r"record has been changed", Kind.RECORD_CHANGED),
        (r"already exists|already been (used|taken)|duplicate (record|entity|external)", Kind.DUPLICATE),
        (r"not have permission|insufficient permission|permission violation", Kind.PERMISSION),
        (r"period[^.]*(closed|locked|not open)|closed (\w+ )?period|no open period", Kind.PERIOD_CLOSED),
        (r"locked by a user defined workflow|record (is|has been) locked", Kind.RECORD_LOCKED),
        (r"(must|please) enter (a )?value|missing (a )?required|is required", Kind.MISSING_FIELD),
        (r"\binactive\b|made inactive|not active", Kind.INACTIVE),
        (rf"{_NOT}[^.]*\bsubsidiar|\bsubsidiar[^.]*{_NOT}", Kind.SUBSIDIARY),
        (rf"{_NOT}[^.]*\bcurrenc|\bcurrenc[^.]*{_NOT}", Kind.CURRENCY),
        (r"invalid field value|invalid reference|unknown reference|reference key", Kind.INVALID_REFERENCE),
        (r"invalid (value|property)|not a valid", Kind.INVALID_FIELD),
        (r"record does not exist", Kind.NOT_FOUND),
    )
)
# As in: Invalid Field Value 5 for the following field: currency.
_FIELD: Final = re.compile(r"for the following field:\s*(?P<field>[\w.\[\]]+)", re.IGNORECASE)
# As in: You must enter a value for Ship Method.
_MISSING: Final = re.compile(r"enter (?:a )?value(?:\(s\))? for:?\s+(?P<field>[\w ]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What could be read of an error body: the telling code, all texts, an OAuth error name if any.

    `fields` are those that it names, by path or in its text.
    """

    code: str
    detail: str
    oauth: str = ""
    fields: tuple[str, ...] = ()


def read_error(status: int, body: bytes) -> ErrorBody:
    """Codes and texts of any body: NetSuite's, OAuth's, a JSON of another shape, HTML, nothing."""
    try:
        value = json.loads(body)
    except ValueError:
        return ErrorBody(f"HTTP_{status}", summary(body))
    if isinstance(value, list):
        value = value[0] if value and isinstance(value[0], dict) else {}
    if not isinstance(value, dict):
        return ErrorBody(f"HTTP_{status}", summary(body))
    if isinstance(value.get("error"), str):
        text = value.get("error_description")
        return ErrorBody(value["error"].upper(), str(text or value["error"]), oauth=value["error"])
    details = [one for one in value.get("o:errorDetails") or () if isinstance(one, dict)]
    codes = [str(one["o:errorCode"]) for one in details if one.get("o:errorCode")]
    top = value.get("o:errorCode")
    if top and (not codes or codes[0] == "USER_ERROR"):
        codes.insert(0 if not codes else 1, str(top))
    texts = [_text(one) for one in details] or [str(value.get("detail") or value.get("title") or "")]
    detail = "; ".join(filter(None, texts)) or summary(body)
    return ErrorBody(_telling(codes) or f"HTTP_{status}", detail, fields=_fields(details, detail))


def _telling(codes: list[str]) -> str:
    """The code that says most: USER_ERROR says nothing, so any other wins over it."""
    return next((code for code in codes if code != "USER_ERROR"), codes[0] if codes else "")


def _text(detail: Mapping[str, Any]) -> str:
    text = str(detail.get("detail") or "")
    path = detail.get("o:errorPath") or detail.get("o:errorQueryParam") or detail.get("o:errorHeader")
    return f"{text} (at {path})" if path else text


def _fields(details: list[dict[str, Any]], text: str) -> tuple[str, ...]:
    paths = [str(one["o:errorPath"]) for one in details if one.get("o:errorPath")]
    named = [match["field"].strip(" .") for pattern in (_FIELD, _MISSING) for match in pattern.finditer(text)]
    return tuple(dict.fromkeys(paths or named))


def classify(error: ErrorBody) -> Kind:
    """The class of a refusal, from its code where that says something, else from its text."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    for pattern, kind in _BY_TEXT:
        if pattern.search(error.detail):
            return kind
    return Kind.INVALID_REFERENCE if error.code in _WRONG_VALUE else Kind.UNKNOWN


def explain_query(status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
    """For reads: the code stays NetSuite's own (INVALID_PARAMETER, NONEXISTENT_ID)."""
    error = read_error(status, body)
    kind = classify(error)
    return Fault(
        _verdict(status, kind),
        "REDIRECT" if 300 <= status < 400 else error.code,
        error.detail,
        forbidden=kind is Kind.PERMISSION,
        overload=kind is Kind.LOGIN and status == 401,
    )


def explain_record(status: int, headers: Mapping[str, str], body: bytes) -> Fault:
    """For writes: the code is our class, and `named` are the fields that the refusal names.

    A USER_ERROR whose text we don't know is `unclear`, as is an unexpected error: a transform was seen
    to answer 400 although it had created its record (facts/netsuite.md 3.6), so the caller looks the key up.
    """
    error = read_error(status, body)
    kind = classify(error)
    fault = explain_query(status, headers, body)
    code = kind.value if kind is not Kind.UNKNOWN else error.code
    says_nothing = error.code in {"USER_ERROR", "UNEXPECTED_ERROR", f"HTTP_{status}"}
    unclear = kind is Kind.UNKNOWN and status in {400, 409, 422} and says_nothing
    return Fault(
        fault.verdict,
        fault.code if fault.code == "REDIRECT" else code,
        f"{error.code}: {error.detail}",
        error.fields,
        unclear=unclear,
        forbidden=fault.forbidden,
        overload=fault.overload,
    )


def explain_token(status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
    """For the token endpoint.

    An OAuth error means a wrong key, id or certificate and is final at once; "Invalid
    login attempt" in NetSuite's own format is what overload looks like, and is worth a second try.
    """
    error = read_error(status, body)
    kind = classify(error)
    if error.oauth in {"temporarily_unavailable", "server_error"}:
        return Fault(Verdict.RETRY, error.code, error.detail)
    if kind is Kind.LOGIN and not error.oauth:
        return Fault(Verdict.REAUTHENTICATE, error.code, error.detail, forbidden=True, overload=True)
    decided = _verdict(status, kind)
    if decided in {Verdict.REAUTHENTICATE, Verdict.FATAL}:
        return Fault(Verdict.FATAL, error.code, error.detail, forbidden=400 <= status < 500 and status != 404)
    return Fault(decided, error.code, error.detail)


def _verdict(status: int, kind: Kind) -> Verdict:
    if kind is Kind.OVERLOADED:
        return Verdict.RATE_LIMITED
    decided = verdict(status)
    # Some services give 400 or 403 to a token that is not good any more.
    if kind is Kind.LOGIN and decided is Verdict.FATAL:
        return Verdict.REAUTHENTICATE
    return decided
