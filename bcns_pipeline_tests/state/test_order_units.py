"""Units that are sold and not in NetSuite, from the moment a poll has listed the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bcns_pipeline.state.order_models import Adopted, Decision, OrderLine
from bcns_pipeline.state.order_units import Glimpse
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.state.test_orders import line, posted, seen

LATER = timedelta(minutes=1)


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def glimpse(order_id: int, *lines: OrderLine, status: int = 11, minutes: int = 0) -> Glimpse:
    return Glimpse(order_id, seen(order_id).modified_at + minutes * LATER, status, lines)


def units(state: State, since: datetime | None = None) -> dict[int, int]:
    frame = state.orders.unposted_units(posted_since=since)
    return dict(zip(frame["variant_id"].tolist(), frame["units"].tolist(), strict=True))


def kept(state: State) -> int:
    with state.engine.connect() as conn:
        return int(conn.execute(sa.text("select count(*) from bcns.order_glimpse")).scalar_one())


def test_an_order_counts_as_soon_as_it_is_listed_and_once_after_it_was_read(state: State) -> None:
    state.orders.glimpse([glimpse(1, line(7, 2)), glimpse(2, line(7, 1), status=0)])
    assert units(state) == {7: 2}
    state.orders.note([seen(1, lines=(line(7, 2),))])
    assert units(state) == {7: 2}
    state.orders.posted([posted(1)])
    assert units(state) == {}


def test_a_listed_version_that_was_read_is_forgotten(state: State) -> None:
    state.orders.note([seen(1, lines=(line(7, 2),))])
    state.orders.glimpse([glimpse(1, line(7, 2))])
    assert kept(state) == 0
    state.orders.glimpse([glimpse(1, line(7, 5), minutes=1), glimpse(2, line(8, 1))])
    assert units(state) == {7: 5, 8: 1}
    state.orders.note([seen(2, lines=(line(8, 1),))])
    state.orders.glimpse([])
    assert kept(state) == 1


def test_an_older_version_listed_late_changes_nothing(state: State) -> None:
    state.orders.glimpse([glimpse(1, line(7, 5), minutes=2)])
    state.orders.glimpse([glimpse(1, line(7, 1), minutes=1)])
    assert units(state) == {7: 5}


def test_an_incomplete_order_counts_when_its_payment_is_listed(state: State) -> None:
    state.orders.note([seen(1, status=0, lines=(line(7, 2),))])
    state.orders.decide([Decision(1, "ignored", None, "incomplete")])
    assert units(state) == {}
    state.orders.glimpse([glimpse(1, line(7, 2), minutes=1)])
    assert units(state) == {7: 2}


def test_a_listed_change_of_an_order_in_netsuite_does_not_count_it_again(state: State) -> None:
    state.orders.note([seen(1, lines=(line(7, 2),)), seen(2, lines=(line(8, 2),))])
    state.orders.posted([posted(1)])
    state.orders.decide([Decision(2, "listed", None, "before the cutover")])
    state.orders.glimpse([glimpse(1, line(7, 2), status=2, minutes=1), glimpse(2, line(8, 2), minutes=1)])
    assert units(state) == {}


def test_a_cancellation_that_was_listed_gives_the_units_back(state: State) -> None:
    state.orders.note([seen(1, lines=(line(7, 2),))])
    state.orders.glimpse([glimpse(1, line(7, 2), status=5, minutes=1)])
    assert units(state) == {}


def test_an_order_adopted_since_the_stock_was_read_is_subtracted_still(state: State) -> None:
    before = datetime.now(UTC) - LATER
    state.orders.note([seen(1, lines=(line(7, 2),))])
    state.orders.adopted([Adopted(1, "ns-1", "salesOrder", "otherRefNum")])
    assert units(state, before) == {7: 2}
    assert units(state, datetime.now(UTC) + LATER) == {}
