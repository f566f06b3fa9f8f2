from __future__ import annotations

import pytest

from bcns_pipeline.webhooks import limits
from bcns_pipeline.webhooks.limits import FailureBuckets, sender, site


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_is_limited_after_its_burst_and_forgiven_with_time() -> None:
    clock = Clock()
    buckets = FailureBuckets(clock, burst=3, per_second=0.5)
    emptied = [buckets.fail("192.0.2.1") for _ in range(3)]
    assert emptied == [False, False, True]
    assert buckets.exhausted("192.0.2.1")
    assert not buckets.exhausted("192.0.2.2")
    clock.now += buckets.retry_after()
    assert not buckets.exhausted("192.0.2.1")


def test_a_flood_does_not_lengthen_its_own_sentence() -> None:
    clock = Clock()
    buckets = FailureBuckets(clock, burst=3, per_second=0.5)
    for _ in range(10_000):
        buckets.fail("192.0.2.1")
    clock.now += 2.5
    assert not buckets.exhausted("192.0.2.1")


def test_the_buckets_of_a_million_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 100)
    buckets = FailureBuckets(Clock())
    for number in range(1000):
        buckets.fail(f"10.0.{number // 250}.{number % 250}")
    assert len(buckets._buckets) == 100


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_a_sender_is_known_by_what_it_cannot_change_at_will(address: str, expected: str) -> None:
    assert site(address) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "127.0.0.1"),
        ("", "127.0.0.1"),
        ("192.0.2.9", "192.0.2.9"),
        ("made, up, 192.0.2.9", "192.0.2.9"),
        ("made up,", "127.0.0.1"),
    ],
)
def test_behind_a_proxy_only_what_the_proxy_wrote_counts(header: str | None, expected: str) -> None:
    assert sender("127.0.0.1", header) == expected
