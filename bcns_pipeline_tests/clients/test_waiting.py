"""When we wait: hints of every shape, and the request quota obeyed before a 429 happens."""

from __future__ import annotations

import httpx
import pytest

from bcns_pipeline.clients.http.pacing import QuotaPacer
from bcns_pipeline.clients.http.retry import wait_hint
from bcns_pipeline_tests.clients.fakes import Script, transport

OK = httpx.Response(200, json={})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:17:00 GMT"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"x-retry-after": "15"}, 15.0),
        ({"retry-after": "soon", "x-retry-after": "3"}, 3.0),
        ({"x-rate-limit-requests-left": "0", "x-rate-limit-time-reset-ms": "12000"}, 12.0),
        ({"x-rate-limit-time-reset-ms": "12000"}, 12.0),
        ({"x-rate-limit-requests-left": "35", "x-rate-limit-time-reset-ms": "12000"}, None),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999"}, 3600.0),
        ({}, None),
    ],
)
def test_the_other_side_can_say_how_long_to_wait_in_many_ways(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert wait_hint(headers, now=1000.0) == seconds


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER", "X-Retry-After"])
def test_a_429_is_waited_out_whatever_the_case_of_its_header(name: str) -> None:
    client, time = transport(
        Script(httpx.Response(429, headers={name: "9"}), OK), uniform=lambda low, _high: low
    )
    client.read("GET", "/x", operation="GET /x")
    assert time.slept == [9.0]


def test_a_429_with_quota_left_backs_off_instead_of_waiting_for_the_window() -> None:
    headers = {"X-Rate-Limit-Requests-Left": "35", "X-Rate-Limit-Time-Reset-Ms": "29000"}
    client, time = transport(Script(httpx.Response(429, headers=headers), OK))
    client.read("GET", "/x", operation="GET /x")
    assert time.slept == [1.0]


def test_the_quota_is_obeyed_before_a_429_happens() -> None:
    left = [3]

    def shop(_request: httpx.Request) -> httpx.Response:
        left[0] -= 1
        assert left[0] >= 0, "the shop had to answer 429"
        headers = {"x-rate-limit-requests-left": str(left[0]), "X-Rate-Limit-Time-Reset-Ms": "30000"}
        return httpx.Response(200, json={}, headers=headers)

    client, time = transport(shop, pacer=QuotaPacer(reserve=1), uniform=lambda low, _high: low)
    client.read("GET", "/x", operation="GET /x")
    client.read("GET", "/x", operation="GET /x")
    assert time.slept == []
    left[0] = 3  # the window is renewed while the third call waits for it
    client.read("GET", "/x", operation="GET /x")
    assert time.slept == [30.0]


def test_parallel_calls_share_one_count_between_answers() -> None:
    pacer = QuotaPacer(reserve=0)
    pacer.observe({"x-rate-limit-requests-left": "2", "x-rate-limit-time-reset-ms": "10000"}, now=0.0)
    assert [pacer.delay(1.0), pacer.delay(1.0), pacer.delay(1.0)] == [0.0, 0.0, 9.0]
    # An answer that was overtaken still says 2: the smaller count stands.
    pacer.observe({"x-rate-limit-requests-left": "2", "x-rate-limit-time-reset-ms": "9000"}, now=1.0)
    assert pacer.delay(1.0) > 0
    assert pacer.delay(10.5) == 0.0


def test_the_last_lane_leaves_a_share_of_every_window_to_the_others() -> None:
    def taken(pacer: QuotaPacer) -> int:
        asked = {"x-rate-limit-requests-quota": "150", "x-rate-limit-requests-left": "149"}
        pacer.observe({**asked, "x-rate-limit-time-reset-ms": "30000"}, now=0.0)
        return next(n for n in range(200) if pacer.delay(1.0) > 0)

    assert taken(QuotaPacer(reserve=2)) == 147
    assert taken(QuotaPacer(reserve=2, share=1 / 3)) == 99


def test_without_headers_nothing_is_paced() -> None:
    pacer = QuotaPacer()
    pacer.observe({"x-rate-limit-requests-left": "many"}, now=0.0)
    assert pacer.delay(0.0) == 0.0
