"""Which transactions are money, and what an order's payments come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bcns_pipeline.rules.cash.tenders import mismatch, of_marketplace, taken
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import Tender
from bcns_pipeline.rules.orders.status import Status
from bcns_pipeline_tests.rules.orders.examples import EXAMPLE_C, POLICY, order_of

NEW_YORK = ZoneInfo("America/New_York")
ORDER = order_of(EXAMPLE_C)
TOTAL = "116.73"


def tender(event: str, amount: str, number: int = 1, **more: Any) -> Tender:
    given = {
        "method": "credit_card",
        "currency": "USD",
        "status": "ok",
        "test": False,
        "gateway": "stripe",
        **more,
    }
    return Tender(number, event, amount=Decimal(amount), **given)


def booked(*tenders: Tender) -> list[tuple[int, str]]:
    return [(one.transaction_id, str(one.amount.amount)) for one in taken(ORDER, tenders, NEW_YORK).captures]


@pytest.mark.parametrize(
    ("tenders", "captures"),
    [
        ([tender("purchase", TOTAL)], [(1, TOTAL)]),
        ([tender("authorization", TOTAL)], []),
        ([tender("authorization", TOTAL), tender("capture", TOTAL, 2, reference_id=1)], [(2, TOTAL)]),
        ([tender("authorization", TOTAL), tender("void", TOTAL, 2, reference_id=1)], []),
        ([tender("purchase", TOTAL), tender("void", TOTAL, 2, reference_id=1)], []),
        ([tender("purchase", TOTAL), tender("void", "16.73", 2, reference_id=1)], [(1, "100.00")]),
        ([tender("purchase", TOTAL, status="error")], []),
        ([tender("purchase", TOTAL, test=True)], []),
        ([tender("pending", TOTAL)], []),
        ([tender("pending", TOTAL), tender("purchase", TOTAL, 2)], [(2, TOTAL)]),
        ([tender("settled", TOTAL)], []),
        ([tender("purchase", TOTAL), tender("purchase", TOTAL)], [(1, TOTAL)]),
        ([tender("capture", "16.73", 3), tender("capture", "100", 2)], [(2, "100.00"), (3, "16.73")]),
        ([tender("purchase", TOTAL), tender("refund", TOTAL, 2, reference_id=1)], [(1, TOTAL)]),
        ([tender("purchase", TOTAL, currency="EUR")], []),
    ],
)
def test_a_tender_that_was_taken_is_one_capture(
    tenders: list[Tender], captures: list[tuple[int, str]]
) -> None:
    assert booked(*tenders) == captures


def test_what_is_promised_or_went_back_is_told_apart() -> None:
    found = taken(
        ORDER,
        [
            tender("authorization", "80"),
            tender("capture", "30", 2, reference_id=1),
            tender("pending", "7", 3),
            tender("refund", "5", 4, reference_id=2),
            tender("purchase", "9", 5, currency="EUR"),
        ],
        NEW_YORK,
    )
    assert [str(one.amount) for one in (found.captured, found.authorised, found.pending, found.refunded)] == [
        "30.00",
        "50.00",
        "7.00",
        "5.00",
    ]
    assert [one.code for one in found.problems] == ["PAYMENT_MISMATCH"]


def test_each_tender_of_a_split_is_told_by_its_kind_and_by_the_day_at_the_store() -> None:
    late = datetime(2026, 3, 5, 3, 30, tzinfo=UTC)
    found = taken(
        ORDER,
        [
            tender(
                "purchase", "50", 1, method="gift_certificate", gateway="giftcertificate", happened_at=late
            ),
            tender("purchase", "16.73", 2, method="store_credit", gateway="storecredit", happened_at=late),
            tender(
                "purchase", "50", 3, method="electronic_wallet", gateway="paypalexpress", happened_at=late
            ),
        ],
        NEW_YORK,
    )
    assert [(one.kind, one.gateway, one.on) for one in found.captures] == [
        ("gift_certificate", "giftcertificate", date(2026, 3, 4)),
        ("store_credit", "storecredit", date(2026, 3, 4)),
        ("gateway", "paypalexpress", date(2026, 3, 4)),
    ]


def test_a_marketplace_took_the_whole_total() -> None:
    found = of_marketplace(replace(ORDER, order_source="amazon"), NEW_YORK)
    assert [(one.transaction_id, one.gateway, one.amount) for one in found.captures] == [
        (0, "amazon", Money.exactly(TOTAL, "USD"))
    ]


@pytest.mark.parametrize(
    ("tenders", "more", "fits"),
    [
        ([tender("purchase", TOTAL)], {}, True),
        ([tender("authorization", TOTAL)], {}, True),
        ([tender("purchase", "116.72")], {}, False),
        ([tender("purchase", TOTAL), tender("purchase", TOTAL, 2)], {}, False),
        ([], {}, False),
        ([], {"payment_method": "Bank Deposit"}, True),
        ([], {"status_id": Status.CANCELLED}, True),
        ([tender("purchase", "50")], {"gift_certificate": Decimal("66.73")}, True),
    ],
)
def test_what_was_taken_is_what_the_order_came_to(
    tenders: list[Tender], more: dict[str, Any], fits: bool
) -> None:
    assert (mismatch(replace(ORDER, **more), tenders, POLICY) is None) is fits
