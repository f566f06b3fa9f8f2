"""What BigCommerce's refusals say: one reading for v3 objects, v2 arrays, problem+json, HTML and nothing.

Put the parsing of error bodies here, and of the identities that a 422 names only in its title. What to do
about a refusal is decided by `http/transport.py` and by the flows. Facts: `facts/bigcommerce.md` 1.4 and
2.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce.models import Adjustment
from bcns_pipeline.clients.http.verdicts import Fault, summary, verdict

_CODE_BY_STATUS: Final[Mapping[int, str]] = {
    400: "BAD_REQUEST",
    401: "UNAUTHORISED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    413: "TOO_LARGE",
    422: "INVALID",
    429: "RATE_LIMITED",
    507: "PLAN_LIMIT",
}
_KIND: Final = r"(?P<kind>variant_id|product_id|location_id|sku|variant|product|location|item)"
# As in: tracked by variant_id 106, or sku RE-130.
_PAIR: Final = re.compile(
    r"\b(?P<kind>variant_id|product_id|sku)s?\b[\s:=]+[\"']?(?P<value>[^\s,;\[\]\"']+)", re.IGNORECASE
)
# As in: Location not found, identities: [3,2].
_LIST: Final = re.compile(r"\[(?P<values>[^\[\]]*)\]")
_LISTED: Final = re.compile(_KIND + r"s?\b", re.IGNORECASE)
_INDEX: Final = re.compile(r"^(?:items?[.\[])?(?P<index>\d+)\b")
# A batch of metafields that was saved in part names what was saved: `saved:118/bcns/netsuite_id`.
SAVED: Final = "saved:"
_FULL: Final = {"variant": "variant_id", "product": "product_id", "location": "location_id"}
_NOT_A_SKU: Final = frozenset(
    {"is", "not", "was", "are", "does", "with", "must", "and", "or", "in", "already"}
)


def explain(status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
    """A Fault whose detail is the title with its field errors, and whose `named` are the identities in it."""
    code = "REDIRECT" if 300 <= status < 400 else _CODE_BY_STATUS.get(status, f"HTTP_{status}")
    try:
        value = json.loads(body)
    except ValueError:
        return Fault(verdict(status), code, summary(body))
    detail = _detail(value) or summary(body)
    named = (*named_identities(_title(value)), *_numbered(value), *_saved(value))
    return Fault(verdict(status), code, detail, named)


def _detail(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(filter(None, map(_detail, value)))
    if not isinstance(value, dict):
        return str(value)
    parts = [_title(value)]
    errors = value.get("errors")
    if isinstance(errors, dict):
        parts += [f"{field}: {text}" for field, text in list(errors.items())[:20]]
    elif isinstance(errors, list):
        parts += [_detail(one) for one in errors[:20]]
    batch = value.get("batch_errors")
    if isinstance(batch, list):
        parts += [str(one.get("field_errors", one)) for one in batch[:20] if isinstance(one, dict)]
    return "; ".join(filter(None, parts))


def _numbered(value: Any) -> tuple[str, ...]:
    """Lines that field errors name by their place, all of them, as `line:1`."""
    errors = value.get("errors") if isinstance(value, dict) else None
    matches = map(_INDEX.match, errors) if isinstance(errors, dict) else ()
    return tuple(dict.fromkeys(f"line:{int(match['index'])}" for match in matches if match))


def _saved(value: Any) -> tuple[str, ...]:
    """Rows of a partly refused batch that were taken all the same (facts/bigcommerce.md 3.11)."""
    rows = value.get("data") if isinstance(value, dict) else None
    return tuple(
        f"{SAVED}{row['resource_id']}/{row.get('namespace')}/{row.get('key')}"
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and "resource_id" in row
    )


def _title(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    for key in ("title", "message", "detail", "error"):
        if isinstance(value.get(key), str) and value[key]:
            return str(value[key])
    return ""


def named_identities(title: str) -> tuple[str, ...]:
    """Identities in a title as `variant_id:106`, `product_id:113`, `sku:RE-130`, `location_id:3`, in order.

    Shapes seen in the spec and in vendors' captures; an unknown wording gives none, and the caller bisects.
    """
    found: dict[str, None] = {}
    for match in _PAIR.finditer(title):
        kind, value = match["kind"].lower(), match["value"].rstrip(".")
        if kind == "sku" and value.lower() in _NOT_A_SKU:
            continue
        if kind != "sku" and not value.isdigit():
            continue
        found[f"{kind}:{value}"] = None
    before = 0
    for match in _LIST.finditer(title):
        # What is listed is named between the bracket before and this one. One pattern for both would look from every
        # word to the end of a title that names 2,000 lines: seconds.
        start = max(
            before, title.rfind("[", before, match.start()) + 1, title.rfind("]", before, match.start()) + 1
        )
        listed, before = _LISTED.search(title, start, match.start()), match.end()
        if listed is None:
            continue
        kind = _FULL.get(listed["kind"].lower(), listed["kind"].lower())
        values = [v.strip().strip("\"'") for v in match["values"].split(",")]
        if kind == "sku":
            found.update({f"sku:{v}": None for v in values if v and " " not in v})
        elif kind != "item":
            found.update({f"{kind}:{v}": None for v in values if v.isdigit()})
    return tuple(found)


def named_adjustments(detail: str, named: Iterable[str], items: Sequence[Adjustment]) -> tuple[str, ...]:
    """`named` as far as the request had it, in its spelling, and what only the request can resolve.

    Field errors name a line by its number: that line alone is meant, and comes with its location as
    `variant_id:106@3`. A SKU may stand in words that we don't know, or hold blanks. Where nothing of the
    request is recognised, `named` as it was: the caller finds no line for it and bisects.
    """
    named = tuple(named)
    sent = {_key(item).lower(): _key(item) for item in items}
    sent.update({f"location_id:{item.location_id}": f"location_id:{item.location_id}" for item in items})
    found = dict.fromkeys(sent[one.lower()] for one in named if one.lower() in sent)
    for one in named:
        kind, _, number = one.partition(":")
        if kind == "line" and int(number) < len(items):
            item = items[int(number)]
            found[f"{_key(item)}@{item.location_id}"] = None
    if not found and "sku" in detail.lower():
        for item in items:
            if item.sku is not None and re.search(rf"(?<![\w-]){re.escape(item.sku)}(?![\w-])", detail):
                found[_key(item)] = None
    return tuple(found) or named


def _key(item: Adjustment) -> str:
    kind, value = item.identity()
    return f"{kind}:{value}"
