"""What a provider wrote, as the flow takes it: ids and numbers of orders, and nothing that names a shopper."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.defs.payouts.convert import lines_of, payout_of
from bcns_pipeline.defs.payouts.restated import difference
from bcns_pipeline.rules.payouts.model import PayoutLine
from bcns_pipeline.rules.payouts.policy import ORDER_HINTS
from bcns_pipeline.state.payout_journals import runs

DAY = date(2026, 3, 4)
PAYOUT = SourcePayout("stripe", "acct1", "po_1", "USD", 96, PayoutStatus.PAID, DAY)


def line(**fields: object) -> PayoutLine:
    """One line of a settlement, converted."""
    given_: dict[str, object] = {
        "id": "txn_1", "category": "charge", "gross": 100, "fee": 4, "net": 96, "currency": "USD",
        "occurred_at": datetime(2026, 3, 3, tzinfo=UTC), "row_sha256": "ab",
    }  # fmt: skip
    found = lines_of(Settlement(PAYOUT, (SourceLine(**{**given_, **fields}),), (), 1), ORDER_HINTS)  # type: ignore[arg-type]
    return found[0]


def test_what_may_name_a_shopper_is_left_behind() -> None:
    found = line(
        references=("ch_1", "Jane Roe", "jane@example.com", "pi_1"),
        order_hints=("1001", "for Jane Roe", "Order #1002"),
        description="Payment from Jane Roe",
    )
    assert found.references == ("ch_1", "pi_1")
    assert found.order_hints == ("1001", "Order #1002")
    assert found.description == ""


def test_tax_on_a_fee_is_told_apart_and_stays_a_part_of_it() -> None:
    found = line(fee_parts=(("stripe_fee", 3), ("tax", 1)))
    assert (found.fee, found.fee_tax) == (4, 1)


def test_only_a_payout_that_failed_has_a_day_of_failure() -> None:
    assert payout_of(PAYOUT, DAY).failed_on is None
    failed = SourcePayout("stripe", "acct1", "po_1", "USD", 96, PayoutStatus.FAILED, DAY)
    assert payout_of(failed, DAY).failed_on == DAY


def test_a_restated_report_is_told_line_by_line() -> None:
    before = [line(id="a"), line(id="b"), line(id="c")]
    now = [line(id="a"), line(id="b", fee=5, net=95), line(id="d")]
    found = difference(before, now)
    told = {(row["line"], row["what"]): (row["before"], row["now"]) for row in found.rows}
    assert told == {
        ("b", "fee"): (4, 5),
        ("b", "net"): (96, 95),
        ("c", "gone"): (96, None),
        ("d", "added"): (None, 96),
    }
    assert found.net == -1
    assert difference(before, before[::-1]).rows == []


@settings(max_examples=50)
@given(st.sets(st.integers(0, 200)))
def test_runs_of_numbers_lose_and_add_none(numbers: set[int]) -> None:
    held = runs(sorted(numbers))
    assert {number for first, last in held for number in range(first, last + 1)} == numbers
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(held))
