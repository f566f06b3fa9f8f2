"""Whether records that were read back are what was booked: each by itself, and all of an order together."""

from __future__ import annotations

import pytest

from bcns_pipeline.rules.cash.verify import Entry, order_faults, record_faults
from bcns_pipeline_tests.rules.cash.ledger import usd


def entry(kind: str, written: str | None, shown: str | None, left: str | None = None, **more: int) -> Entry:
    amounts = (None if text is None else usd(text) for text in (written, shown, left))
    return Entry(f"bc-abc-{kind}-1", kind, *amounts, **more)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (entry("deposit", "9.00", "9.00", "9.00", account=5, shown_account=5), []),
        (entry("deposit", "9.00", "9.00", "9.00", account=5), []),
        (entry("invoice", None, "9.00", "0.00"), []),
        (entry("deposit", "9.00", "8.99", "9.00"), ["was written with 9.00 USD, and shows 8.99 USD."]),
        (
            entry("deposit", "9.00", "9.00", account=5, shown_account=6),
            ["was written to account 5, and is in 6."],
        ),
        (
            entry("application", "9.00", None),
            ["NetSuite does not show application bc-abc-application-1 any more."],
        ),
    ],
)
def test_a_record_is_compared_with_what_was_written(one: Entry, said: list[str]) -> None:
    found = record_faults(one)
    assert len(found) == len(said)
    assert all(part in fault for part, fault in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("entries", "refunded", "right"),
    [
        ([entry("deposit", "9.00", "9.00", "9.00")], "0.00", True),
        ([entry("deposit", "9.00", "9.00", "4.00"), entry("application", "5.00", "5.00")], "0.00", True),
        ([entry("deposit", "9.00", "9.00", "4.00")], "0.00", False),
        # Back to the shopper out of the deposit: as much as went back, and no more.
        ([entry("deposit", "9.00", "9.00", "4.00")], "5.00", True),
        ([entry("deposit", "9.00", "9.00", "4.00")], "4.99", False),
        # NetSuite applied it by itself: its invoice says so.
        ([entry("deposit", "9.00", "9.00", "0.00"), entry("invoice", None, "9.00", "0.00")], "0.00", True),
        ([entry("deposit", "9.00", "9.00", "0.00"), entry("invoice", None, "9.00", "1.00")], "0.00", False),
        # An invoice that a payment settled says nothing of the deposit.
        (
            [
                entry("deposit", "9.00", "9.00", "0.00"),
                entry("payment", "9.00", "9.00", "0.00"),
                entry("invoice", None, "9.00", "0.00"),
            ],
            "0.00",
            False,
        ),
        # More applied than was ever there.
        ([entry("deposit", "9.00", "9.00", "4.00"), entry("application", "6.00", "6.00")], "0.00", False),
    ],
)
def test_open_and_applied_come_to_what_was_booked(entries: list[Entry], refunded: str, right: bool) -> None:
    assert (order_faults(entries, "USD", usd(refunded)) == []) is right
