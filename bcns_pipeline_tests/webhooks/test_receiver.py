"""What the receiver answers, asked over real HTTP, with the inbox in a real PostgreSQL."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bcns_pipeline.webhooks.proofs import Demand
from bcns_pipeline_tests.webhooks.serving import OPTIONS, Served, options, served
from bcns_pipeline_tests.webhooks.signing import NETSUITE_TOKEN, legacy, payload, secret_header, signed

ORDER = ("order", "1001")
# Signed when the test runs: a signature is good for five minutes, and a whole suite may take longer.
Proof = Callable[[], dict[str, str]]


@pytest.mark.parametrize(
    "headers",
    [
        lambda: signed(payload()),
        secret_header,
        lambda: legacy(payload()),
        lambda: legacy(payload(), as_hex=False),
    ],
    ids=["signature", "header", "hex", "base64"],
)
def test_each_proof_alone_opens_the_door_and_the_row_is_there_with_the_answer(
    receiver: Served, headers: Proof
) -> None:
    answer = receiver.hook(headers=headers())
    assert (answer.status_code, answer.content) == (200, b"")
    assert receiver.rows() == {ORDER: 1}


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (dict, "unproven"),
        (lambda: signed(payload(), secret="another"), "signature_wrong"),
        (lambda: signed(payload(), at=time.time() - 3600), "signature_stale"),
        (lambda: signed(payload(), at=time.time() + 3600), "signature_stale"),
        (lambda: secret_header("another-secret-0123"), "header_wrong"),
        (lambda: {**signed(payload()), **secret_header("another-secret-0123")}, "header_wrong"),
        (lambda: legacy(payload(), "another"), "legacy_wrong"),
    ],
)
def test_who_cannot_prove_itself_is_refused_and_leaves_no_row(
    receiver: Served, headers: Proof, reason: str
) -> None:
    answer = receiver.hook(headers=headers())
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert receiver.answers() == {f"bigcommerce.refused.{reason}": 1}
    assert receiver.rows() == {}


def test_a_tampered_body_is_refused_over_http_too(receiver: Served) -> None:
    body = payload()
    assert receiver.hook(body.replace(b"1001", b"1002"), signed(body)).status_code == 401
    assert receiver.rows() == {}


@pytest.mark.parametrize("name", ["signature", "header", "legacy"])
def test_a_required_proof_is_asked_of_every_call(database_url: str, name: str) -> None:
    body = payload()
    proofs = {"signature": signed(body), "header": secret_header(), "legacy": legacy(body)}
    others = {key: value for kind, one in proofs.items() if kind != name for key, value in one.items()}
    with served(database_url, options(**{name: Demand.REQUIRED})) as receiver:
        assert receiver.hook(body, others).status_code == 401
        assert receiver.hook(body, {**others, **proofs[name]}).status_code == 200


def test_an_event_of_another_store_is_refused_however_well_it_is_proven(receiver: Served) -> None:
    assert receiver.hook(payload(store="other")).status_code == 401
    assert receiver.rows() == {}
    assert receiver.answers() == {"bigcommerce.refused.store": 1}


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, payload("store/order/created", id="x"), b"\xff"])
def test_a_proven_call_that_makes_no_sense_is_200_because_a_retry_would_not_help(
    receiver: Served, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = receiver.hook(body)
    assert (answer.status_code, answer.content) == (200, b"")
    assert receiver.answers() == {"bigcommerce.malformed": 1}
    assert receiver.rows() == {}
    assert "Traceback" not in caplog.text


def test_a_scope_that_no_flow_reads_is_200_and_counted(receiver: Served) -> None:
    assert receiver.hook(payload("store/cart/created", type="cart", id="abc")).status_code == 200
    assert receiver.hook(payload("store/hook/deliveryException", type="webhook", id=7)).status_code == 200
    _, health = receiver.health()
    assert health["answers"] == {"bigcommerce.ignored": 2}
    assert health["scopes"] == {"hook/deliveryException": 1, "other": 1}
    assert receiver.rows() == {}


def test_nothing_else_is_served(receiver: Served) -> None:
    get, post = receiver.client.get, receiver.client.post
    assert get(receiver.url + "/webhooks/bigcommerce").status_code == 405
    assert get(receiver.url + "/events/netsuite").status_code == 405
    assert post(receiver.url + "/healthz").status_code == 405
    for path in ("/", "/docs", "/webhooks", "/webhooks/bigcommerce/x", "/metrics", "/.env"):
        assert get(receiver.url + path).status_code == 404
        assert post(receiver.url + path, content=payload()).status_code == 404
    assert "server" not in get(receiver.url + "/healthz").headers


def test_netsuite_names_what_changed(receiver: Served) -> None:
    answer = receiver.event({"items": [12, "13"], "record": "itemfulfillment", "ids": [9001]})
    assert answer.status_code == 200
    assert receiver.rows() == {("item", "12"): 1, ("item", "13"): 1, ("fulfilment", "9001"): 1}


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer another-token-0123", NETSUITE_TOKEN, "Basic x"]
)
def test_netsuite_without_its_token_is_refused(receiver: Served, authorization: str) -> None:
    answer = receiver.event({"items": [12]}, authorization=authorization)
    assert answer.status_code == 401
    assert receiver.rows() == {}


def test_the_secrets_of_one_door_do_not_open_the_other(receiver: Served) -> None:
    assert receiver.hook(headers={"authorization": f"Bearer {NETSUITE_TOKEN}"}).status_code == 401
    answer = receiver.client.post(
        receiver.url + "/events/netsuite", json={"items": [1]}, headers=secret_header()
    )
    assert answer.status_code == 401


def test_the_author_of_the_netsuite_script_reads_what_is_wrong(receiver: Served) -> None:
    answer = receiver.event({"record": "vendorbill", "ids": [1]})
    assert answer.status_code == 400
    assert "no flow reads" in answer.json()["error"]
    assert "vendorbill" not in answer.text


def test_without_a_token_there_is_no_door_for_netsuite(database_url: str) -> None:
    with served(database_url, dataclasses.replace(OPTIONS, netsuite_token=None)) as receiver:
        assert receiver.event({"items": [12]}).status_code == 404
        assert receiver.rows() == {}


def test_a_thousand_copies_in_parallel_are_one_row_that_counts_them(receiver: Served) -> None:
    body = payload()
    headers = {**signed(body), **secret_header()}

    def send(copies: int) -> set[int]:
        with httpx.Client(timeout=30) as client:
            url = receiver.url + "/webhooks/bigcommerce"
            return {client.post(url, content=body, headers=headers).status_code for _ in range(copies)}

    with ThreadPoolExecutor(20) as pool:
        assert set().union(*pool.map(send, [50] * 20)) == {200}
    assert receiver.rows() == {ORDER: 1000}
    _, health = receiver.health()
    assert health["queue"]["written"] == 1000
    assert health["queue"]["batches"] < 1000
    assert health["backlog"]["order"]["waiting"] == 1


def test_order_and_repetition_of_events_do_not_matter(receiver: Served) -> None:
    numbers = [3, 1, 2, 3, 3, 1]
    for number in numbers:
        assert receiver.hook(payload("store/order/updated", type="order", id=number)).status_code == 200
    assert receiver.rows() == {("order", "1"): 2, ("order", "2"): 1, ("order", "3"): 3}


def test_the_log_names_the_order_and_neither_secrets_nor_addresses_nor_bodies(
    receiver: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        receiver.hook()
        receiver.hook(payload(), {"authorization": "Bearer a-guess-of-somebody"})
        receiver.event({"items": [12]})
    lines = [line.getMessage() for line in caplog.records if line.name == "bcns.webhooks.access"]
    assert [line.split(" ms")[0].rsplit(" ", 1)[0] for line in lines] == [
        "bigcommerce 200 taken",
        "bigcommerce 401 refused.header_wrong",
        "netsuite 200 taken",
    ]
    assert lines[0].endswith("order/created order 1001")
    ours = "".join(
        line.getMessage() for line in caplog.records if not line.name.startswith(("httpx", "httpcore"))
    )
    for secret in ("a-guess", "127.0.0.1", "a-header-secret", NETSUITE_TOKEN, "producer"):
        assert secret not in ours


def test_health_tells_backlog_and_counters(receiver: Served) -> None:
    receiver.hook()
    receiver.event({"items": [12, 13]})
    status, health = receiver.health()
    assert (status, health["status"], health["database"]) == (200, "ok", "ok")
    assert {name: one["waiting"] for name, one in health["backlog"].items()} == {
        "order": 1,
        "customer": 0,
        "fulfilment": 0,
        "sales_order": 0,
        "item": 2,
        "refund": 0,
    }
    assert health["backlog"]["order"]["oldest_seconds"] < 60
    assert health["backlog"]["customer"]["oldest_seconds"] is None
    assert health["answers"] == {"bigcommerce.taken": 1, "netsuite.taken": 1}


def test_health_shows_which_proofs_are_really_sent(receiver: Served) -> None:
    for headers in (secret_header(), {**secret_header(), **signed(payload())}, legacy(payload(), "another")):
        receiver.hook(headers=headers)
    assert receiver.health()[1]["proofs"] == {"header": 2, "signature": 1}


def test_the_clock_of_the_receiver_decides_about_replays(database_url: str) -> None:
    with served(database_url, clock=lambda: 1_700_000_100.0) as receiver:
        assert receiver.hook(headers=signed(payload(), at=1_700_000_000)).status_code == 200
        assert receiver.hook(headers=signed(payload())).status_code == 401
