"""Senders that mean harm or are broken: too much, too slow, too often; and who must not suffer from them."""

from __future__ import annotations

import dataclasses
import resource
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from bcns_pipeline.webhooks import body, serve
from bcns_pipeline.webhooks.limits import BURST, FailureBuckets
from bcns_pipeline_tests.webhooks.serving import OPTIONS, Served, served
from bcns_pipeline_tests.webhooks.signing import payload, secret_header, signed

START = "POST /webhooks/bigcommerce HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(autouse=True)
def _no_pardon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time brings back no failure: on a busy machine the calls of a test take as long as that."""
    monkeypatch.setitem(FailureBuckets.__init__.__kwdefaults__, "per_second", 1e-6)


def raw(receiver: Served, *parts: str | bytes, pause: float = 0.0, wait: float = 30.0) -> bytes:
    """Send `parts` over one connection, and read until the receiver closes it or `wait` is over."""
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=wait) as connection:
        for part in parts:
            connection.sendall(part.encode() if isinstance(part, str) else part)
            time.sleep(pause)
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
                if answer.endswith(b"\r\n\r\n"):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


def status(answer: bytes) -> int:
    """Of the first answer on a connection; 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def chunked(total: int, size: int = 4096) -> Iterator[bytes]:
    for _ in range(total // size):
        yield b"x" * size


def test_a_body_that_is_too_large_is_not_read_to_its_end(receiver: Served) -> None:
    assert receiver.hook(b"x" * (body.MOST_BYTES + 1)).status_code == 413
    assert receiver.hook(b"x" * body.MOST_BYTES).status_code == 200
    assert receiver.answers() == {"bigcommerce.malformed": 1, "bigcommerce.too_large": 1}


def test_a_chunked_body_is_cut_off_where_it_becomes_too_large(receiver: Served) -> None:
    url = receiver.url + "/webhooks/bigcommerce"
    answer = receiver.client.post(url, content=chunked(1_000_000), headers=secret_header())
    assert answer.status_code == 413
    small = receiver.client.post(url, content=iter([payload()[:50], payload()[50:]]), headers=secret_header())
    assert small.status_code == 200


def test_a_declared_length_is_believed_only_where_it_is_too_large(receiver: Served) -> None:
    for length in (body.MOST_BYTES + 1, 10**15):
        assert status(raw(receiver, START, f"Content-Length: {length}\r\n\r\n")) == 413
    # Less declared than sent: what follows is no request, and the connection ends with it.
    header = f"Authorization: {secret_header()['authorization']}\r\n"
    assert status(raw(receiver, START, header, "Content-Length: 2\r\n\r\n{}" + "x" * 100)) in (200, 400)
    assert receiver.rows() == {}


def test_an_endless_chunked_body_ends_with_413(receiver: Served) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = raw(receiver, START, "Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 20)
    assert status(answer) == 413


def test_a_body_that_does_not_come_is_answered_408(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.3)
    with served(database_url) as receiver:
        began = time.monotonic()
        answer = raw(receiver, START, "Content-Length: 50\r\n\r\n", "{")
        assert status(answer) == 408
        assert b"connection: close" in answer
        assert time.monotonic() - began < 8


def test_a_request_that_never_ends_is_cut_off(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 1.0)
    with served(database_url) as receiver:
        for parts in ([], [START], [START, "X-A: b\r\n"]):
            began = time.monotonic()
            assert raw(receiver, *parts) == b""
            assert time.monotonic() - began < 8
        # Drop by drop, each drop in time and the whole not.
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            raw(receiver, START, *["X-A: b\r\n"] * 500, pause=0.02)
        monkeypatch.setattr(serve, "REQUEST_SECONDS", 30.0)
        assert receiver.hook().status_code == 200


def test_a_sender_that_hangs_up_is_no_error(receiver: Served) -> None:
    for parts in (["POST"], [START], [START, "Content-Length: 50\r\n\r\n{"]):
        with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
            connection.sendall("".join(parts).encode())
    deadline = time.monotonic() + 60
    while receiver.answers().get("bigcommerce.gone", 0) < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert receiver.answers() == {"bigcommerce.gone": 1}
    assert receiver.hook().status_code == 200


def test_garbage_that_is_no_http_hurts_nobody(receiver: Served) -> None:
    assert status(raw(receiver, b"\x16\x03\x01\x02\x00\x01\x00")) == 400
    assert receiver.hook().status_code == 200


def test_an_address_that_fails_too_often_is_answered_early_and_a_genuine_call_from_it_is_not(
    receiver: Served,
) -> None:
    forged = [
        receiver.hook(headers=secret_header("another-secret-0123")).status_code for _ in range(BURST + 5)
    ]
    assert forged == [401] * BURST + [429] * 5
    limited = receiver.hook(headers={})
    assert limited.status_code == 429
    assert int(limited.headers["retry-after"]) >= 1
    for headers in (secret_header(), signed(payload()), {**signed(payload()), **secret_header()}):
        assert receiver.hook(headers=headers).status_code == 200
    assert receiver.hook(headers=signed(payload(), secret="another")).status_code == 429


def test_who_is_limited_is_not_read(receiver: Served) -> None:
    for _ in range(BURST):
        receiver.hook(headers={})
    began = time.monotonic()
    answer = raw(receiver, START, "Content-Length: 50\r\n\r\n")
    assert status(answer) == 429
    assert time.monotonic() - began < 8


def test_netsuites_door_is_limited_too(receiver: Served) -> None:
    codes = [receiver.event({"items": [1]}, token="another-token-0123").status_code for _ in range(BURST + 2)]
    assert codes == [401] * BURST + [429] * 2
    assert receiver.event({"items": [1]}).status_code == 200


def test_behind_a_proxy_each_address_has_a_bucket_of_its_own(database_url: str) -> None:
    with served(database_url, dataclasses.replace(OPTIONS, address_header="x-forwarded-for")) as receiver:

        def forge(address: str) -> int:
            headers = {**secret_header("another-secret-0123"), "x-forwarded-for": address}
            return receiver.hook(headers=headers).status_code

        # What the forger itself writes into the header stands left of what the proxy adds.
        codes = [forge(f"198.51.100.{number}, 192.0.2.1") for number in range(BURST + 1)]
        assert codes[-1] == 429
        assert forge("192.0.2.2") == 401


def test_a_header_that_nobody_trusts_does_not_change_the_address(receiver: Served) -> None:
    codes = []
    for number in range(BURST + 1):
        headers = {**secret_header("another-secret-0123"), "x-forwarded-for": f"192.0.2.{number}"}
        codes.append(receiver.hook(headers=headers).status_code)
    assert codes[-1] == 429


def test_a_flood_of_forged_calls_spoils_no_genuine_one(receiver: Served) -> None:
    stop = threading.Event()
    forged: list[int] = []

    def flood() -> None:
        big = b"x" * 60_000
        url, wrong = receiver.url + "/webhooks/bigcommerce", signed(b"y", secret="another")
        with httpx.Client(timeout=30) as client:
            while not stop.is_set():
                forged.append(client.post(url, content=big, headers=wrong).status_code)

    flooders = [threading.Thread(target=flood) for _ in range(4)]
    for one in flooders:
        one.start()
    try:
        while len(forged) < 100:
            time.sleep(0.01)
        before, genuine = len(forged), []
        while len(genuine) < 200 or len(forged) <= before + 200:
            assert all(one.is_alive() for one in flooders)
            order = payload("store/order/created", type="order", id=len(genuine) + 1)
            genuine.append(receiver.hook(order).status_code)
    finally:
        stop.set()
        for one in flooders:
            one.join()
    assert set(genuine) == {200}
    assert set(forged) == {401, 429}
    assert len(receiver.rows()) == len(genuine)


def test_a_process_holds_no_more_connections_than_it_has_descriptors_for() -> None:
    room = serve.room_for_connections()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 1 <= room <= serve.MOST_CONNECTIONS
    assert soft == resource.RLIM_INFINITY or room + serve.OTHER_DESCRIPTORS <= soft
