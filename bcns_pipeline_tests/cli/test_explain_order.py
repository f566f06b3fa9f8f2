"""`bcns explain order`: the timeline, the money and what comes next, from what is remembered alone."""

from __future__ import annotations

import pytest

from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.order_models import Adopted, Decision, Disposition, Posted, ReadBack
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.cli.orders_seed import TOTAL, hold, see, wait


def test_an_order_that_nobody_told_us_of_ends_with_1_and_the_command_that_reads_it(
    bcns: Bcns, state: State
) -> None:
    result = bcns("explain", "order", "999")

    assert result.exit_code == 1
    assert "`bcns replay --order 999 --apply`" in result.output


def test_an_order_that_waits_in_the_inbox_is_known_before_it_is_read(bcns: Bcns, state: State) -> None:
    state.inbox.record([Event("order", "1001", "webhook"), Event("order", "1001", "poll")])
    result = bcns("explain", "order", "1001")

    assert result.exit_code == 0
    assert "first event (so far by poll, webhook)" in result.output
    assert "next: an event about it waits in the inbox" in result.output


def test_a_held_write_names_the_command_that_lets_it_go(bcns: Bcns, state: State) -> None:
    operation = hold(state, 1001)
    told = bcns("explain", "order", "1001").output

    assert f"operation {operation.id} sales_order held: It moves 116.73 USD." in told
    assert f"next: operation {operation.id} waits for a decision" in told
    bcns("approve", "operation", str(operation.id), "--reason", "a known wholesaler")
    after = bcns("explain", "order", "1001").output
    assert "approved by ada: a known wholesaler" in after
    assert "next: its write is in the outbox" in after


def test_a_waiting_order_says_when_it_is_tried_again_and_what_mends_it(bcns: Bcns, state: State) -> None:
    wait(state, 1001)
    state.exceptions.open("orders", Question("ITEM_UNMAPPED", "order:1001", "The SKU X-1 is on no item."))
    told = bcns("explain", "order", "1001").output

    assert "waiting (ITEM_UNMAPPED), 116.73 USD" in told
    assert "next: it waits for ITEM_UNMAPPED to be mended and is tried again at" in told
    assert "fix: Give one NetSuite item that SKU" in told


@pytest.mark.parametrize(
    ("disposition", "said"),
    [
        ("open", "the next run of orders plans it"),
        ("held", "nothing else moves it, but for a replay"),
        ("listed", "`bcns adopt` links it"),
        ("ignored", "it is never posted"),
    ],
)
def test_each_place_where_an_order_can_stand_has_a_next(
    bcns: Bcns, state: State, disposition: Disposition, said: str
) -> None:
    see(state, 1001)
    state.orders.decide([Decision(1001, disposition, "X", "A reason.")])

    assert said in bcns("explain", "order", "1001").output


def test_a_drift_shows_as_the_difference_of_the_identity(bcns: Bcns, state: State) -> None:
    see(state, 1001)
    state.orders.posted([Posted(1001, "77", "salesOrder", "v1", TOTAL, Money(871, "USD"))])
    assert "next: the next run reads it back" in bcns("explain", "order", "1001").output
    state.orders.read_back([ReadBack(1001, Money(11_674, "USD"), Money(871, "USD"), "SO77")])
    told = bcns("explain", "order", "1001").output

    assert "off by 0.01 USD" in told
    assert "still to be written onto the BigCommerce order" in told
    see(state, 1001, version="v2")
    assert "a later version than the one written" in bcns("explain", "order", "1001").output


def test_an_adopted_order_says_how_it_was_found(bcns: Bcns, state: State) -> None:
    see(state, 1001)
    state.orders.adopted([Adopted(1001, "77", "salesOrder", "externalid WEB-{id}", "SO77")])
    state.orders.read_back([ReadBack(1001, TOTAL, None, "SO77")])
    told = bcns("explain", "order", "1001").output

    assert "how externalid WEB-{id}" in told
    assert "NetSuite salesOrder SO77" in told
    assert "equal to the cent" in told


def test_what_was_never_read_can_not_be_shown(bcns: Bcns, state: State) -> None:
    see(state, 1001)
    shown = bcns("explain", "order", "1001", "--show-personal")

    assert "What the shopper gave is not kept" in shown.output
    assert state.audit.rows(subject="order:1001") == []
