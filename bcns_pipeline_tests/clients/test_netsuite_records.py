"""Creating and patching records: what each answer of NetSuite means, and what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.errors import classify, read_error
from bcns_pipeline.clients.netsuite.models import Kind
from bcns_pipeline.outcomes import Ambiguous, Refused, Sent
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.netsuite_double import netsuite

TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
ORDER = {"externalId": "bc-abc-order-1001", "memo": "x"}


def error(detail: str, code: str = "USER_ERROR", status: int = 400) -> httpx.Response:
    return httpx.Response(
        status, json={"status": status, "o:errorDetails": [{"detail": detail, "o:errorCode": code}]}
    )


def scripted(pem: str, *answers: Any) -> tuple[NetSuiteClient, Script]:
    server = Script(TOKEN, *answers)
    return netsuite(server, pem)[0], server


@pytest.mark.parametrize(
    ("detail", "code", "kind"),
    [
        ("Error while accessing a resource. This entity already exists.", "USER_ERROR", Kind.DUPLICATE),
        ("This external id has already been used.", "USER_ERROR", Kind.DUPLICATE),
        ("x", "DUP_RCRD", Kind.DUPLICATE),
        ("Record has been changed.", "USER_ERROR", Kind.RECORD_CHANGED),
        ("x", "RCRD_HAS_BEEN_CHANGED", Kind.RECORD_CHANGED),
        ("Your current role does not have permission to perform this.", "USER_ERROR", Kind.PERMISSION),
        ("You cannot post to a closed accounting period.", "USER_ERROR", Kind.PERIOD_CLOSED),
        ("The posting period is locked for A/R.", "USER_ERROR", Kind.PERIOD_CLOSED),
        ("This record has been locked by a user defined workflow.", "USER_ERROR", Kind.RECORD_LOCKED),
        ("You must enter a value for Subsidiary.", "USER_ERROR", Kind.MISSING_FIELD),
        ("Invalid Field Value 5 for the following field: currency", "USER_ERROR", Kind.CURRENCY),
        ("Invalid Field Value 6 for the following field: location", "USER_ERROR", Kind.INVALID_REFERENCE),
        (
            "You have entered an Invalid Field Value 6 for the following field: currency",
            "INVALID_CONTENT",
            Kind.CURRENCY,
        ),
        ("Invalid Field Value 2 for the following field: subsidiary", "USER_ERROR", Kind.SUBSIDIARY),
        (
            "The subsidiary restrictions on this record are incompatible with those defined for Item: X.",
            "USER_ERROR",
            Kind.SUBSIDIARY,
        ),
        ("The item RE-130 is inactive.", "USER_ERROR", Kind.INACTIVE),
        ("Invalid value for the property 'quantity'.", "INVALID_CONTENT", Kind.INVALID_FIELD),
        ("The applied deposit has another currency.", "USER_ERROR", Kind.UNKNOWN),
        ("x", "INVALID_CONTENT", Kind.INVALID_REFERENCE),
        ("Record does not exist.", "NONEXISTENT_ID", Kind.NOT_FOUND),
        ("Invalid login attempt. For more details, see", "INVALID_LOGIN", Kind.LOGIN),
        ("The automatic application of the deposit failed.", "USER_ERROR", Kind.UNKNOWN),
    ],
)
def test_one_table_reads_netsuites_texts(detail: str, code: str, kind: Kind) -> None:
    body = json.dumps({"o:errorDetails": [{"detail": detail, "o:errorCode": code}]}).encode()
    assert classify(read_error(400, body)) is kind


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (b"", "HTTP_400", "empty answer"),
        (b"<html>oops", "HTTP_400", "an HTML page instead of JSON (a gateway or a login page answered)"),
        (b"[]", "HTTP_400", "[]"),
        (b'"odd"', "HTTP_400", '"odd"'),
        (b'{"title": "Bad Request"}', "HTTP_400", "Bad Request"),
        (b'{"error": "invalid_client", "error_description": "no"}', "INVALID_CLIENT", "no"),
        (
            b'{"o:errorDetails": [{"detail": "a", "o:errorCode": "USER_ERROR", "o:errorPath": "item[0]"},'
            b' {"detail": "b", "o:errorCode": "INVALID_CONTENT"}]}',
            "INVALID_CONTENT",
            "a (at item[0]); b",
        ),
    ],
)
def test_error_bodies_of_every_kind_are_read(body: bytes, code: str, detail: str) -> None:
    found = read_error(400, body)
    assert (found.code, found.detail) == (code, detail)


def test_a_created_record_gives_its_id_and_unknown_fields_are_refused(pem: str) -> None:
    answer = httpx.Response(
        204, headers={"location": "https://ns.test/services/rest/record/v1/salesOrder/48213"}
    )
    client, server = scripted(pem, answer)
    assert client.create("salesOrder", ORDER) == Sent(record_id="48213")
    request = server.requests[-1]
    assert (request.method, request.url.path) == ("POST", "/services/rest/record/v1/salesOrder")
    assert request.headers["x-netsuite-propertynamevalidation"] == "Error"
    assert json.loads(request.content) == ORDER


def test_a_missing_location_is_made_up_for_by_the_external_id(pem: str) -> None:
    found = httpx.Response(
        200, json={"items": [{"id": "77", "externalid": ORDER["externalId"]}], "hasMore": False}
    )
    client, server = scripted(pem, httpx.Response(204), found)
    assert client.create("salesOrder", ORDER) == Sent(record_id="77")
    query = json.loads(server.requests[-1].content)
    assert query["q"].startswith(
        "SELECT id, externalid FROM transaction WHERE recordtype = ? AND externalid IN (?)"
    )
    assert query["params"] == ["salesorder", "bc-abc-order-1001"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error("This entity already exists."), "DUPLICATE"),
        (error("Record has been changed"), "RECORD_CHANGED"),
        (error("Record has been changed", status=409), "RECORD_CHANGED"),
        (error("You must enter a value for Entity."), "MISSING_FIELD"),
        (error("malformed", code="INVALID_REQUEST"), "INVALID_REQUEST"),
        (error("no", code="INSUFFICIENT_PERMISSION", status=403), "PERMISSION"),
    ],
)
def test_a_clear_refusal_carries_its_class(pem: str, answer: httpx.Response, code: str) -> None:
    client, server = scripted(pem, answer)
    outcome = client.create("salesOrder", ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("detail", "path", "named"),
    [
        (
            "Invalid Field Value 5 for the following field: item",
            "item.items[0].item",
            ("item.items[0].item",),
        ),
        ("Invalid Field Value 5 for the following field: currency", None, ("currency",)),
        ("You must enter a value for Ship Method.", None, ("Ship Method",)),
        ("This entity already exists.", None, ()),
    ],
)
def test_a_refusal_names_the_field_that_it_means(
    pem: str, detail: str, path: str | None, named: tuple[str, ...]
) -> None:
    where = {"o:errorPath": path} if path else {}
    body = {"o:errorDetails": [{"detail": detail, "o:errorCode": "USER_ERROR", **where}]}
    client, _ = scripted(pem, httpx.Response(400, json=body))
    outcome = client.create("salesOrder", ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.named == named


@pytest.mark.parametrize(
    "answer",
    [
        error("automatic application of the deposit"),
        error("An unexpected error occurred. Error ID: m1abc", "UNEXPECTED_ERROR"),
        httpx.Response(400, html="<html>"),
        httpx.Response(500, json={"o:errorDetails": [{"o:errorCode": "UNEXPECTED_ERROR"}]}),
        httpx.ReadTimeout("t"),
    ],
    ids=str,
)
def test_an_unclear_answer_to_a_create_is_ambiguous(pem: str, answer: Any) -> None:
    client, server = scripted(pem, answer)
    assert isinstance(client.create("salesOrder", ORDER), Ambiguous)
    assert len(server.requests) == 2


@pytest.mark.parametrize("key", ["", "1/2", "eid:a|b", "../customer/1", "eid:"])
def test_a_key_that_is_no_key_is_refused_before_it_is_sent(pem: str, key: str) -> None:
    client, server = scripted(pem, httpx.Response(204))
    with pytest.raises(ValueError, match="internal id"):
        client.patch("salesOrder", key, {})
    assert server.requests == []


def test_no_client_can_delete_anything_but_a_hook() -> None:
    import bcns_pipeline.clients.bigcommerce as bigcommerce
    import bcns_pipeline.clients.netsuite as netsuite_package

    for package in (bigcommerce, netsuite_package):
        for path in Path(str(package.__path__[0])).glob("*.py"):
            assert ('"DELETE"' in path.read_text("utf-8")) == (path.name == "hooks.py"), path.name
    assert not [name for name in dir(NetSuiteClient) if "delete" in name or "remove" in name]


def test_account_metadata_and_clocks_are_read(pem: str) -> None:
    time = httpx.Response(200, json={"serverTime": "2026-11-21T08:00:00Z"})
    limits = httpx.Response(200, json={"accountConcurrencyLimit": 15})
    catalog = httpx.Response(200, json={"openapi": "3.0.1"})
    client, server = scripted(pem, time, limits, catalog)
    assert client.server_time().isoformat() == "2026-11-21T08:00:00+00:00"
    assert client.governance() == {"accountConcurrencyLimit": 15}
    assert client.metadata(["salesOrder", "customer"]) == {"openapi": "3.0.1"}
    last = server.requests[-1]
    assert last.url.raw_path == b"/services/rest/record/v1/metadata-catalog?select=salesOrder,customer"
    assert last.headers["accept"] == "application/swagger+json"
