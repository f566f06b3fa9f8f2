"""Validation against BigCommerce's own OpenAPI files: what we send, and what our sandbox answers.

Put only the finding and loading of the files and the two checks here; both the client tests and the sandbox
tests import it, so it knows neither. Do not copy the files into this repository, and do not exempt a request
because the file is wrong: send something else (`variant_id:in` is one integer, so no list goes there).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml

# First prefix that matches wins, so the longer ones stand first.
FILE_BY_PREFIX: Final[tuple[tuple[str, str], ...]] = (
    ("/v3/inventory/locations", "locations.v3.yml"),
    ("/v3/inventory", "inventory.v3.yml"),
    ("/v3/catalog/variants", "catalog/product-variants_catalog.v3.yml"),
    ("/v3/catalog/trees", "catalog/category-trees_catalog.v3.yml"),
    ("/v3/catalog/brands", "catalog/brands_catalog.v3.yml"),
    ("/v3/catalog", "catalog/products_catalog.v3.yml"),
    ("/v3/channels", "channels.v3.yml"),
    ("/v3/settings", "settings.v3.yml"),
    ("/v3/sites", "sites.v3.yml"),
    ("/v3/hooks", "webhooks.v3.yml"),
    ("/v3/customers", "customers.v3.yml"),
    ("/v3/orders", "orders.v3.yml"),
    ("/v3/pricelists", "price_lists.v3.yml"),
    ("/v3/tax/properties", "tax_properties.v3.yml"),
    ("/v2/store", "store_information.v2.yml"),
    ("/v2/time", "store_information.v2.yml"),
    ("/v2/currencies", "currencies.v2.yml"),
    ("/v2/order", "orders.v2.oas2.yml"),
    ("/v2/customer", "customers.v2.yml"),
    ("/v2/tax_classes", "tax_classes.v2.yml"),
)
# These two are no valid OpenAPI documents: openapi-core refuses them, so their schemas are used one by one.
SCHEMA_ONLY: Final = frozenset({"customers.v2.yml", "tax_classes.v2.yml"})
# A stub (url, resource) and the object that it stands for are alternatives of one `oneOf` in this file, but
# without required properties every object is both, so that no order at all would pass. Naming what tells them
# apart makes the file stricter, never laxer.
REQUIRED_TO_TELL_APART: Final[Mapping[str, Mapping[str, list[str]]]] = {
    "orders.v2.oas2.yml": {
        "orderConsignments_Resource": ["url", "resource"],
        "orderConsignment_Get": ["pickups", "shipping", "downloads", "email"],
        "products_Resource": ["url", "resource"],
        "orderFees_Resource": ["url", "resource"],
    }
}
_STORE_PATH: Final = re.compile(r"^.*?/stores/(?P<hash>[^/]+)(?P<path>/v[23]/.*)$")
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


def specs_dir() -> Path:
    """Where the files are: BCNS_SPECS_DIR, or `../shared/specs` beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "specs"
    return Path(os.environ.get("BCNS_SPECS_DIR") or default) / "bigcommerce" / "reference"


def status() -> str:
    """One sentence for the end of a test run: did the contract tests have something to run against?"""
    if specs_dir().is_dir():
        return f"contract tests ran against {specs_dir()}"
    return f"contract tests were skipped: no OpenAPI files at {specs_dir()} (set BCNS_SPECS_DIR)"


def require_specs() -> None:
    """Skip the calling test where the files are absent; fail it instead under BCNS_CONTRACT=require."""
    if specs_dir().is_dir():
        return
    if os.environ.get("BCNS_CONTRACT") == "require":
        pytest.fail(status(), pytrace=False)
    pytest.skip(status())


def validate_request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Raise AssertionError when the request breaks the file; `url` is absolute or starts at `/stores/`.

    Stricter than the file's schema in one point: a query parameter that the file does not declare is refused.
    """
    store_hash, path, query = _split(url)
    file, _, operation = _operation(method, path)
    declared = {p["name"] for p in operation["parameters"] if p["in"] == "query"}
    unknown = sorted({name for name, _ in query} - declared)
    if unknown:
        raise AssertionError(f"{method} {path}: query parameters not in {file}: {', '.join(unknown)}")
    if file in SCHEMA_ONLY:
        if body:
            schema = _json_schema_of(operation.get("requestBody", {}), "application/json")
            _validate_with_schema(file, schema, body)
        return
    request = _request(method, store_hash, path, query, headers, body)
    _run(lambda: _openapi(file).validate_request(request), f"{method} {path} against {file}")


def validate_response(
    method: str,
    url: str,
    status_code: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_headers: Mapping[str, str] | None = None,
) -> None:
    """Raise AssertionError when an answer breaks the file.

    An empty 204 to a list read is what the live v2 API does and no file says (facts/bigcommerce.md 1.5), so
    it passes; so do the statuses which facts/bigcommerce.md 1.4 lists for every operation (401, 429, 5xx).
    """
    store_hash, path, query = _split(url)
    file, _, operation = _operation(method, path)
    if status_code == 204 and not body:
        return
    if str(status_code) not in operation["responses"] and (
        status_code in {401, 403, 413, 429} or status_code >= 500
    ):
        return
    if file in SCHEMA_ONLY:
        answer = operation["responses"].get(str(status_code), {})
        _validate_with_schema(file, _json_schema_of(answer, "application/json"), body)
        return
    sent = request_headers or {"Accept": "application/json", "X-Auth-Token": "t"}
    request = _request(method, store_hash, path, query, sent, b"")
    response = _Answer(status_code, headers, body)
    _run(
        lambda: _openapi(file).validate_response(request, response),
        f"{method} {path} {status_code} against {file}",
    )


class _Answer:
    """The shape that openapi-core asks of a response."""

    def __init__(self, status_code: int, headers: Mapping[str, str], data: bytes) -> None:
        from werkzeug.datastructures import Headers

        self.status_code = status_code
        self.headers = Headers(dict(headers))
        self.data = data
        self.content_type = self.headers.get("content-type", "application/json").lower()


def _request(
    method: str,
    store_hash: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
) -> Any:
    from openapi_core.datatypes import RequestParameters
    from werkzeug.datastructures import Headers, ImmutableMultiDict

    class _Request:
        def __init__(self) -> None:
            self.host_url = "https://api.bigcommerce.com"
            self.path = f"/stores/{store_hash}{path}"
            self.method = method.lower()
            self.body = body or None
            received = Headers(dict(headers))
            self.content_type = received.get("content-type", "application/json").lower()
            self.parameters = RequestParameters(query=ImmutableMultiDict(list(query)), header=received)

    return _Request()


def _split(url: str) -> tuple[str, str, list[tuple[str, str]]]:
    parts = urlsplit(url)
    match = _STORE_PATH.match(parts.path)
    if match is None:
        raise AssertionError(f"{parts.path} is not below /stores/<hash>/v2 or /v3")
    return match["hash"], unquote(match["path"]), parse_qsl(parts.query, keep_blank_values=True)


def _operation(method: str, path: str) -> tuple[str, str, dict[str, Any]]:
    """File, path template and operation (parameters resolved) of a call; AssertionError when unknown."""
    names = [name for prefix, name in FILE_BY_PREFIX if path.startswith(prefix)]
    # /inventory/locations/{id}/items lives in the inventory file, the locations themselves in their own.
    for file in dict.fromkeys([*names, *(("inventory.v3.yml",) if path.startswith("/v3/inventory") else ())]):
        for template, pattern, item in _paths(file):
            if pattern.fullmatch(path[3:]) and method.lower() in item:
                operation = dict(item[method.lower()])
                raw = [*item.get("parameters", []), *operation.get("parameters", [])]
                document = _document(file)
                operation["parameters"] = [_resolve(document, p) for p in raw]
                operation["responses"] = {
                    str(code): _resolve(document, answer) for code, answer in operation["responses"].items()
                }
                return file, template, operation
    raise AssertionError(f"{method} {path} is in none of {names or 'the files'}")


@cache
def _document(file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((specs_dir() / file).read_text("utf-8"), Loader=yaml.CSafeLoader)
    for schema, names in REQUIRED_TO_TELL_APART.get(file, {}).items():
        loaded["components"]["schemas"][schema]["required"] = names
    return loaded


@cache
def _openapi(file: str) -> Any:
    """A loaded file. Kept for the life of the process: building the validators costs up to half a second."""
    from openapi_core import Config, OpenAPI

    # Errors of the inventory and tax files come as problem+json, which openapi-core does not parse itself.
    return OpenAPI.from_dict(
        _document(file),
        config=Config(extra_media_type_deserializers={"application/problem+json": json.loads}),
    )


@cache
def _paths(file: str) -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Path templates of a file as patterns, fixed ones before those with variables."""
    found = []
    for template, item in _document(file)["paths"].items():
        if _METHODS & set(item):
            fixed = re.split(r"\{[^}]+\}", template)
            found.append((template, re.compile("[^/]+".join(map(re.escape, fixed))), item))
    return sorted(found, key=lambda entry: entry[0].count("{"))


def _resolve(document: Mapping[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _json_schema_of(node: Mapping[str, Any], content_type: str) -> dict[str, Any]:
    schema: dict[str, Any] = node.get("content", {}).get(content_type, {}).get("schema", {})
    return schema


def _validate_with_schema(file: str, schema: dict[str, Any], body: bytes) -> None:
    import jsonschema

    # OpenAPI 3.0 numbers its exclusive bounds as booleans beside the bound, which is JSON Schema draft 4.
    whole = {"components": _document(file).get("components", {}), **schema}
    _run(lambda: jsonschema.Draft4Validator(whole).validate(json.loads(body)), f"a body against {file}")


def _run(check: Any, what: str) -> None:
    try:
        check()
    except Exception as error:  # whatever the validator raises is the verdict
        _refuse(error, what)


def _refuse(error: BaseException, what: str) -> NoReturn:
    lines = [f"{what}: {type(error).__name__}: {error}"]
    cause = error.__cause__
    while cause is not None:
        lines.append(f"  because {type(cause).__name__}: {str(cause)[:500]}")
        lines += [f"    {str(one)[:300]}" for one in getattr(cause, "schema_errors", [])]
        cause = cause.__cause__
    raise AssertionError("\n".join(lines)) from error
