"""What we believe the store has."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
import sqlalchemy as sa

from bcns_pipeline.state import inventory_views as views
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.partitions import month_of
from bcns_pipeline.state.plans import Plans
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.state.stock_frames import FLOW, confirmed, stage


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1")


def pairs(*items: int, live: int | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"item_id": list(items), "location_id": 1})
    return frame if live is None else frame.assign(live=live)


def test_a_fresh_store_is_unknown_with_the_right_columns(state: State) -> None:
    known = state.inventory.known()
    assert len(known) == 0
    assert known.dtypes.astype(str).to_dict() == {
        **dict.fromkeys(["item_id", "location_id", "confirmed", "sent", "sent_seq", "live"], "int64"),
        **dict.fromkeys(["changed_at", "origin"], "object"),
        "pending_since": "datetime64[us, UTC]",
    }


def test_values_are_adopted_only_where_nothing_is_remembered(state: State) -> None:
    assert state.inventory.adopt(pairs(1, 2, live=5)) == 2
    assert state.inventory.adopt(pairs(2, 3, live=9)) == 1
    assert confirmed(state) == {1: 5, 2: 5, 3: 9}
    assert state.inventory.known()["origin"].tolist() == ["adopted"] * 3


def test_what_was_seen_in_the_store_does_not_move_what_was_confirmed(state: State) -> None:
    state.inventory.adopt(pairs(1, live=5))
    assert state.inventory.observe_live(pairs(1, 7, live=3)) == 1
    known = state.inventory.known()
    assert (known["confirmed"].tolist(), known["live"].tolist()) == ([5], [3])


def test_the_age_of_a_pending_line_counts_from_the_first_time(state: State) -> None:
    state.inventory.mark_pending(pairs(1, 2))
    before = state.inventory.known()["pending_since"].tolist()
    state.inventory.mark_pending(pairs(1))
    assert state.inventory.known()["pending_since"].tolist() == before
    assert abs((before[0] - datetime.now(UTC)).total_seconds()) < 60

    # Everything was read: what has no line is forgotten, but for items of which nothing was learnt.
    assert state.inventory.forget_pending(pairs(2), but=[1]) == 0
    assert state.inventory.forget_pending(pairs(2)) == 1
    assert state.inventory.known()["pending_since"].isna().tolist() == [True, False]


def test_numbers_drawn_later_are_greater(state: State) -> None:
    first = state.inventory.draw_read_seq(5)
    assert state.inventory.draw_read_seq() == first + 5


def test_stores_do_not_see_each_other(state: State, engine: sa.Engine) -> None:
    state.inventory.adopt(pairs(1, live=5))
    stage(state, [2], [3])
    other = State(engine, "h2'; --")
    assert len(other.inventory.known()) == 0
    with other.worker() as worker:
        assert other.inventory.claim(worker, FLOW) is None


def test_old_months_are_dropped_and_the_chain_knows(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _ = state.plans.draw()
    monkeypatch.setattr(Plans, "draw", lambda plans: (number, datetime(2025, 9, 10, tzinfo=UTC)))
    stage(state, [1], [5])
    assert views.history(state, item_id=1)["planned_at"].dt.month.tolist() == [9]
    assert state.inventory.drop_old_months(datetime(2026, 10, 31, tzinfo=UTC)) == []
    assert state.inventory.drop_old_months(datetime(2026, 11, 1, tzinfo=UTC)) == ["inventory_change_202509"]
    verified = state.verify_audit()
    assert isinstance(verified, Verified)
    assert verified.dropped == 1


def test_months_are_cut_in_utc(state: State) -> None:
    east = datetime.fromisoformat("2026-12-01T01:00:00+02:00")
    assert month_of(east) == "inventory_change_202611"


def test_history_shows_what_was_true_at_a_time(state: State) -> None:
    stage(state, [1], [5])
    between = datetime.now(UTC)
    stage(state, [1], [6])
    assert views.history(state, sku="sku-1")["new"].tolist() == [6, 5]
    assert views.history(state, sku="SKU-1", at=between)["new"].tolist() == [5]
