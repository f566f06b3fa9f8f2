"""`bcns report tax`: does what NetSuite shows of tax tie to what shoppers were charged, month by month?"""

from __future__ import annotations

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.order_models import Posted, ReadBack
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.cli.orders_seed import TOTAL, see, wait

TAX = Money(871, "USD")


def post(state: State, order_id: int, shown: Money | None) -> None:
    """It is in NetSuite with the tax that was charged, which shows `shown` of it."""
    see(state, order_id)
    state.orders.posted([Posted(order_id, f"9{order_id}", "salesOrder", "v1", TOTAL, TAX)])
    if shown is not None:
        state.orders.read_back([ReadBack(order_id, TOTAL, shown)])


def test_a_month_ties_or_says_by_how_much_it_does_not(bcns: Bcns, state: State) -> None:
    post(state, 1001, TAX)
    post(state, 1002, TAX)
    tied = bcns("report", "tax", "--month", "2026-11")
    post(state, 1003, TAX - Money(1, "USD"))
    post(state, 1004, None)
    wait(state, 1005)
    off = bcns("report", "tax")

    assert tied.exit_code == 0, tied.output
    for text in ("2026-11", "233.46", "17.42", "Every month ties."):
        assert text in tied.output, text
    assert off.exit_code == 1
    for text in (
        "2026-11, channel 1, USD: NetSuite shows -0.01 USD of tax more than was charged.",
        "1 orders are written and not read back yet.",
        "1 orders are not in NetSuite: `bcns orders`.",
    ):
        assert text in off.output, text


def test_another_month_is_empty_and_none_at_all_is_refused(bcns: Bcns, state: State) -> None:
    post(state, 1001, TAX)
    assert "No order of that time." in bcns("report", "tax", "--month", "2026-10").output
    assert bcns("report", "tax", "--month", "November").exit_code == 2
