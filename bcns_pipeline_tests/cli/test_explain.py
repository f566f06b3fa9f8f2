"""`bcns explain sku`: the story of one number, now and at any moment before.

Put here what is told of a SKU's past; the state itself is tested in its own folder.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from bcns_pipeline.cli.explain import parse_moment
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.state.stock_frames import changes, write_plan


def link(state: State, items: dict[int, str]) -> None:
    """Link NetSuite items to variants by these SKUs."""
    numbers = list(items)
    frame = pd.DataFrame(
        {
            "item_id": numbers,
            "sku": [items[one] for one in numbers],
            "product_id": [1_000 + one for one in numbers],
            "variant_id": [2_000 + one for one in numbers],
            "tracking": ["variant"] * len(numbers),
        }
    )
    state.links.put_items(frame)


def push(
    state: State, new: int, *, old: int | None = None, read_back: int | None = None, location: int = 1
) -> None:
    """Item 1 through the outbox: planned, sent, read back."""
    frame = changes(
        [1],
        [new],
        read_seq=state.inventory.draw_read_seq(),
        old=None if old is None else [old],
        location=location,
    )
    plan = write_plan(state, frame)
    state.inventory.stage_batches(plan)
    with state.worker() as worker:
        batch = state.inventory.claim(worker, "inventory")
        assert batch is not None
        seen = new if read_back is None else read_back
        state.inventory.settle(batch.operation, [0], [seen], ["confirmed" if seen == new else "unconfirmed"])


def between(engine: sa.Engine) -> str:
    """The database's clock, as an argument of --at."""
    with engine.connect() as conn:
        return str(conn.execute(sa.text("select clock_timestamp()")).scalar_one().isoformat())


def test_now_it_tells_terms_rule_old_new_pushed_read_back_run_operation_and_links(
    bcns: Bcns, state: State
) -> None:
    link(state, {1: "SKU-1"})
    push(state, 5)
    push(state, 7, old=5)
    result = bcns("explain", "sku", "sku-1")

    assert result.exit_code == 0
    text = " ".join(result.output.split())
    for part in (
        *(
            "NetSuite item 1",
            "product 1001",
            "variant 2001",
            "available 7",
            "rule available",
            "old (confirmed) 5",
        ),
        *(
            "new (sellable) 7",
            "reason changed",
            "run run-1",
            "pushed 7 at ",
            "read back 7 at ",
            ": confirmed",
        ),
        *("2026-11-21 07:59:00 (NetSuite's clock)", ": 1 confirmed", "now confirmed 7 (pushed"),
    ):
        assert part in text, part


def test_at_a_moment_it_tells_what_was_known_then(bcns: Bcns, state: State, engine: sa.Engine) -> None:
    link(state, {1: "SKU-1"})
    before = between(engine)
    push(state, 5)
    first = between(engine)
    push(state, 7, old=5)

    nothing, then = (
        bcns("explain", "sku", "SKU-1", "--at", before),
        bcns("explain", "sku", "SKU-1", "--at", first),
    )
    assert "new (sellable)" not in nothing.output
    text = " ".join(then.output.split())
    assert "new (sellable) 5" in text
    assert "pushed 5" in text
    assert "read back 5" in text
    assert "old (confirmed) never confirmed" in text
    assert "new (sellable) 7" not in text


def test_what_was_not_read_back_at_that_moment_is_not_told_from_later(
    bcns: Bcns, state: State, engine: sa.Engine
) -> None:
    link(state, {1: "SKU-1"})
    plan = write_plan(state, changes([1], [5], read_seq=state.inventory.draw_read_seq()))
    state.inventory.stage_batches(plan)
    planned = between(engine)
    with state.worker() as worker:
        batch = state.inventory.claim(worker, "inventory")
        assert batch is not None
        state.inventory.settle(batch.operation, [0], [4], ["unconfirmed"])

    then = " ".join(bcns("explain", "sku", "SKU-1", "--at", planned).output.split())
    now = " ".join(bcns("explain", "sku", "SKU-1").output.split())
    assert "pushed not sent" in then
    assert "read back not yet at that moment" in then
    assert "read back 4 at" in now
    assert ": unconfirmed" in now


def test_every_location_has_its_own_table_with_its_last_line(bcns: Bcns, state: State) -> None:
    link(state, {1: "SKU-1"})
    push(state, 5)
    push(state, 9, location=2)
    text = " ".join(bcns("explain", "sku", "SKU-1").output.split())

    assert "location 1 " in text
    assert "location 2 " in text
    assert "new (sellable) 5" in text
    assert "new (sellable) 9" in text


def test_a_plan_that_was_only_looked_at_is_not_told_as_pushed(bcns: Bcns, state: State) -> None:
    link(state, {1: "SKU-1"})
    push(state, 5)
    write_plan(state, changes([1], [8], read_seq=state.inventory.draw_read_seq(), old=[5]), mode="plan")
    text = " ".join(bcns("explain", "sku", "SKU-1").output.split())

    assert "new (sellable) 5" in text
    assert "1 newer plan(s) with this SKU were only looked at" in text


def test_a_value_that_was_adopted_and_never_pushed_is_told_as_such(bcns: Bcns, state: State) -> None:
    link(state, {1: "SKU-1"})
    state.inventory.adopt(pd.DataFrame({"item_id": [1], "location_id": [1], "live": [12]}))
    result = bcns("explain", "sku", "SKU-1")

    assert result.exit_code == 0
    assert "location 1: 12 was in the store when it was first seen" in result.output
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert "nothing was known of it at that moment" in bcns("explain", "sku", "SKU-1", "--at", past).output


def test_a_renamed_sku_is_found_under_both_names(bcns: Bcns, state: State) -> None:
    push(state, 5)
    link(state, {1: "NEW-1"})

    assert "SKU-1 (now called NEW-1)" in bcns("explain", "sku", "SKU-1").output
    assert "new (sellable)" in bcns("explain", "sku", "NEW-1").output


def test_open_questions_about_the_sku_are_told_even_where_nothing_else_is(bcns: Bcns, state: State) -> None:
    state.exceptions.open(
        "inventory", Question("SKU_AMBIGUOUS", "sku:SKU-2", "SKU-2 is used twice", owner="merchandising")
    )
    blocked, unknown = bcns("explain", "sku", "sku-2"), bcns("explain", "sku", "NOTHING")

    assert blocked.exit_code == 1
    assert "SKU_AMBIGUOUS (merchandising" in blocked.output
    assert "SKU-2 is used twice" in blocked.output
    assert unknown.exit_code == 1
    assert "Nothing is known of the SKU NOTHING" in unknown.output


def test_a_moment_without_offset_is_meant_in_the_stores_time_zone(bcns: Bcns, state: State) -> None:
    assert parse_moment("2026-11-20T14:00", "America/New_York").astimezone(UTC) == datetime(
        2026, 11, 20, 19, tzinfo=UTC
    )
    assert parse_moment("2026-11-20T14:00+01:00", None).astimezone(UTC) == datetime(
        2026, 11, 20, 13, tzinfo=UTC
    )
    with pytest.raises(BadInput):
        parse_moment("yesterday", None)
    assert bcns("explain", "sku", "A", "--at", "yesterday").exit_code == 2


def test_a_question_that_names_the_sku_in_its_detail_is_told(bcns: Bcns, state: State) -> None:
    detail = {"sku": "TWICE-1", "item": 7}
    state.exceptions.open(
        "inventory", Question("SKU_AMBIGUOUS", "item:7", "used by two items", detail=detail)
    )
    state.exceptions.open(
        "inventory", Question("STOCK_DRIFT", "flow:inventory", "drifted", detail={"skus": ["D-1"]})
    )

    assert "used by two items" in bcns("explain", "sku", "twice-1").output
    assert "drifted" in bcns("explain", "sku", "D-1").output


def test_a_value_on_its_way_is_told_as_pushed_before_it_was_read_back(bcns: Bcns, state: State) -> None:
    link(state, {1: "SKU-1"})
    state.inventory.stage_batches(
        write_plan(state, changes([1], [6], read_seq=state.inventory.draw_read_seq()))
    )
    assert "pushed not sent" in " ".join(bcns("explain", "sku", "SKU-1").output.split())
    with state.worker() as worker:
        assert state.inventory.claim(worker, "inventory") is not None
        text = " ".join(bcns("explain", "sku", "SKU-1").output.split())
    assert "pushed 6 at " in text
    assert "read back not yet" in text
