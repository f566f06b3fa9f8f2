"""What the one way out of the house does with answers, losses and refusals, for reads and for writes."""

from __future__ import annotations

import logging
from decimal import Decimal

import httpx
import pytest

from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.outcomes import Ambiguous, RateLimited, Refused, Rejected, Sent, Unauthorised, Unavailable
from bcns_pipeline_tests.clients.fakes import CountingMeter, OpenGate, Script, transport

OK = httpx.Response(200, json={"a": 1})
PUT = {"operation": "PUT /x", "json": {"a": 1}}


def lost(kind: type[httpx.RequestError]) -> httpx.RequestError:
    return kind("at https://shop.test/x?email=jane@roe.test")


@pytest.mark.parametrize(
    "fault",
    [
        lost(httpx.ConnectError),
        lost(httpx.ConnectTimeout),
        lost(httpx.ReadTimeout),
        lost(httpx.ReadError),
        lost(httpx.WriteError),
        lost(httpx.RemoteProtocolError),
        httpx.Response(500),
        httpx.Response(503, html="<html>gateway</html>"),
        httpx.Response(429),
        httpx.Response(408),
        httpx.Response(200, content=b'{"a": 1'),
        httpx.Response(200, html="<html>maintenance</html>"),
        httpx.Response(200, content=b""),
    ],
    ids=str,
)
def test_a_read_is_repeated_after_anything_transient(fault: httpx.Response | Exception) -> None:
    server = Script(fault, OK)
    client, time = transport(server)
    assert client.read("GET", "/x", operation="GET /x").json() == {"a": 1}
    assert len(server.requests) == 2
    assert time.slept == [1.0]


def test_fractions_are_read_as_decimals() -> None:
    client, _ = transport(Script(httpx.Response(200, content=b'{"price": 0.10}')))
    assert client.read("GET", "/x", operation="GET /x").json() == {"price": Decimal("0.10")}


def test_a_read_gives_up_after_its_attempts_and_says_why() -> None:
    meter, gate = CountingMeter(), OpenGate()
    client, _ = transport(Script(httpx.Response(502)), meter=meter, gate=gate)
    with pytest.raises(
        Unavailable, match=r"bigcommerce: GET /x: gave up after 4 attempts in \d+ s: 502 HTTP_502"
    ):
        client.read("GET", "/x", operation="GET /x")
    assert [(call.status, call.attempt) for call in meter.calls] == [(502, 1), (502, 2), (502, 3), (502, 4)]
    assert gate.admitted == 4
    assert gate.held == 0


def test_a_read_stops_when_the_next_wait_would_pass_its_total_time() -> None:
    server = Script(httpx.Response(429, headers={"Retry-After": "500"}))
    client, time = transport(server)
    with pytest.raises(Unavailable, match="429"):
        client.read("GET", "/x", operation="GET /x")
    assert len(server.requests) == 1
    assert time.slept == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, Rejected), (404, Rejected), (409, Rejected), (507, Rejected)]
)
def test_a_permanent_refusal_ends_a_read_at_once(status: int, error: type[Rejected]) -> None:
    server = Script(httpx.Response(status, json={"title": "no"}))
    client, _ = transport(server)
    with pytest.raises(error) as caught:
        client.read("GET", "/x", operation="GET /x")
    assert caught.value.status == status
    assert not isinstance(caught.value, Unauthorised)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_static_token_is_unauthorised_at_once(status: int) -> None:
    server = Script(httpx.Response(status))
    client, _ = transport(server)
    with pytest.raises(Unauthorised):
        client.read("GET", "/x", operation="GET /x")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_never_followed(status: int) -> None:
    server = Script(httpx.Response(status, headers={"Location": "https://elsewhere.test/"}))
    client, _ = transport(server)
    with pytest.raises(Rejected):
        client.read("GET", "/x", operation="GET /x")
    assert isinstance(client.write("PUT", "/x", **PUT), Refused)
    assert [request.url.host for request in server.requests] == ["shop.test", "shop.test"]


@pytest.mark.parametrize(
    "fault",
    [
        lost(httpx.ReadTimeout),
        lost(httpx.WriteTimeout),
        lost(httpx.ReadError),
        lost(httpx.WriteError),
        lost(httpx.RemoteProtocolError),
        httpx.Response(500),
        httpx.Response(503, headers={"Retry-After": "1"}),
        httpx.Response(408),
        httpx.Response(200, content=b'{"transaction'),
        httpx.Response(200, html="<html>"),
        httpx.Response(200, content=b""),
        httpx.Response(303, headers={"Location": "/done"}),
    ],
    ids=str,
)
def test_a_write_that_may_have_happened_is_ambiguous_and_never_sent_again(
    fault: httpx.Response | Exception,
) -> None:
    server = Script(fault, OK)
    client, _ = transport(server)
    assert isinstance(client.write("PUT", "/x", **PUT), Ambiguous)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fault",
    [lost(httpx.ConnectError), lost(httpx.ConnectTimeout), lost(httpx.PoolTimeout), httpx.Response(429)],
    ids=str,
)
def test_a_write_is_sent_again_when_provably_nothing_happened(fault: httpx.Response | Exception) -> None:
    server = Script(fault, OK)
    client, time = transport(server)
    assert client.write("PUT", "/x", **PUT) == Sent({"a": 1})
    assert len(server.requests) == 2
    assert time.slept


def test_a_write_that_is_throttled_for_too_long_says_for_how_long() -> None:
    client, _ = transport(Script(httpx.Response(429, headers={"retry-after": "900"})))
    assert client.write("PUT", "/x", **PUT) == RateLimited(900.0)


def test_a_write_without_any_connection_ends_as_rate_limited_because_nothing_happened() -> None:
    client, _ = transport(Script(lost(httpx.ConnectError)))
    assert client.write("PUT", "/x", **PUT) == RateLimited(None)


def test_a_refused_write_carries_status_and_text() -> None:
    client, _ = transport(Script(httpx.Response(422, content=b"no such thing")))
    assert client.write("PUT", "/x", **PUT) == Refused(422, "HTTP_422", "no such thing")


def test_a_write_with_a_wrong_token_is_refused_and_not_repeated() -> None:
    server = Script(httpx.Response(401))
    client, _ = transport(server)
    outcome = client.write("PUT", "/x", **PUT)
    assert isinstance(outcome, Refused)
    assert outcome.status == 401
    assert len(server.requests) == 1


def test_an_address_that_is_no_address_is_a_sentence_and_not_a_traceback_of_retries() -> None:
    client, time = transport(Script(httpx.UnsupportedProtocol("no scheme")))
    with pytest.raises(Rejected, match="must start with https://"):
        client.read("GET", "/x", operation="GET /x")
    assert isinstance(client.write("PUT", "/x", **PUT), Refused)
    assert time.slept == []


def test_waits_grow_and_stay_under_the_cap() -> None:
    policy = RetryPolicy(attempts=6, base_seconds=1.0, cap_seconds=5.0, total_seconds=1000)
    client, time = transport(Script(httpx.Response(500)), retry=policy)
    with pytest.raises(Unavailable):
        client.read("GET", "/x", operation="GET /x")
    assert time.slept == [2.0, 4.0, 5.0, 5.0, 5.0]


def test_jitter_is_full_so_that_clients_do_not_come_back_together() -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    client, time = transport(Script(httpx.Response(500), OK), uniform=uniform)
    client.read("GET", "/x", operation="GET /x")
    assert asked == [(0.0, 1.0)]
    assert time.slept == [0.0]


def test_commas_and_colons_stay_readable_in_query_strings() -> None:
    server = Script(OK)
    client, _ = transport(server)
    client.read("GET", "/x", operation="GET /x", params={"sku:in": "A,B&C", "is_default": True, "none": None})
    assert server.requests[0].url.raw_path == b"/x?sku:in=A,B%26C&is_default=true"


def test_decimals_are_sent_digit_for_digit_and_floats_not_at_all() -> None:
    server = Script(OK)
    client, _ = transport(server)
    client.write(
        "PUT", "/x", operation="PUT /x", json={"amount": Decimal("10.10"), "n": [Decimal("1E+2"), 3]}
    )
    assert server.requests[0].content == b'{"amount":10.10,"n":[100,3]}'
    with pytest.raises(TypeError, match="float"):
        client.write("PUT", "/x", operation="PUT /x", json={"lines": [{"amount": 10.1}]})


def test_no_secret_and_no_personal_data_is_logged_or_raised(caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cr3t-store-token"
    body = {
        "customer": {"firstName": "Jane", "lastName": "Roeberg", "email": "jane@roe.test"},
        "note": "kept",
    }
    echo = (
        f"Invalid X-Auth-Token: {secret} for jane@roe.test, Jane Roeberg, +1 555 010 9999, "
        "card 4111 1111 1111 1111, Authorization: Bearer abcdef123456, eyJhbGciOi.eyJzdWIi.sig-x kept"
    )
    caplog.set_level(logging.DEBUG)
    client, _ = transport(
        Script(httpx.Response(503, json={"title": echo}), httpx.Response(400, content=echo.encode())),
        headers={"X-Auth-Token": secret},
        secrets=(secret,),
    )
    with pytest.raises(Rejected) as caught:
        client.read("POST", "/x", operation="POST /x", json=body, params={"email:in": "jane@roe.test"})
    refused, _ = transport(Script(httpx.Response(400, content=echo.encode())), secrets=(secret,))
    outcome = refused.write("POST", "/x", operation="POST /x", json=body)
    assert isinstance(outcome, Refused)
    down, _ = transport(Script(lost(httpx.ReadTimeout)), secrets=(secret,))
    with pytest.raises(Unavailable) as gone:
        down.read("GET", "/x", operation="GET /x")
    shown = "\n".join([caplog.text, str(caught.value), outcome.detail, str(gone.value)])
    for hidden in (secret, "jane@roe", "Jane", "Roeberg", "9999", "4111", "abcdef123456", "eyJ", "sig-x"):
        assert hidden not in shown
    assert "kept" in outcome.detail


def test_httpx_itself_logs_no_address_once_a_transport_opened_its_own_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from bcns_pipeline.clients.http.exchange import _open_client

    caplog.set_level(logging.DEBUG)
    _open_client().close()
    assert logging.getLogger("httpx").getEffectiveLevel() == logging.WARNING
    assert logging.getLogger("httpcore").getEffectiveLevel() == logging.WARNING
