from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.diff import DIFF_COLUMNS, NEVER, PUSHED, Reason, diff
from bcns_pipeline_tests.rules.inventory import reference

Key = tuple[int, int]
EARLY, LATE = "2026-01-01 00:00:00", "2026-02-01 00:00:00"


def frame(rows: Mapping[Key, Mapping[str, Any]], *names: str) -> pd.DataFrame:
    """item_id, location_id and the named columns; `changed_at` is text, all else int64."""
    data: dict[str, Any] = {
        "item_id": np.array([item for item, _ in rows], dtype=np.int64),
        "location_id": np.array([location for _, location in rows], dtype=np.int64),
    }
    for name in names:
        values = [row.get(name) for row in rows.values()]
        kind: Any = object if name == "changed_at" else np.int64
        data[name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(data)


def wanted(**rows: Any) -> pd.DataFrame:
    """`i1=5` is item 1 at location 1 with 5 to sell; a pair adds the moment of the last change."""
    pairs = {name: value if isinstance(value, tuple) else (value, EARLY) for name, value in rows.items()}
    lines = {_key(name): {"sellable": units, "changed_at": at} for name, (units, at) in pairs.items()}
    return frame(lines, "sellable", "changed_at")


def known(**rows: Any) -> pd.DataFrame:
    """`i1=5` is item 1 at location 1 confirmed as 5; a pair adds what was sent last."""
    pairs = {name: value if isinstance(value, tuple) else (value, value) for name, value in rows.items()}
    lines = {
        _key(name): {"confirmed": units, "sent": sent, "changed_at": EARLY}
        for name, (units, sent) in pairs.items()
    }
    return frame(lines, "confirmed", "sent", "changed_at")


def live(**rows: int) -> pd.DataFrame:
    """`i1=5` is item 1 at location 1 seen as 5."""
    return frame({_key(name): {"live": units} for name, units in rows.items()}, "live")


def _key(name: str) -> Key:
    item, _, location = name[1:].partition("_")
    return int(item), int(location or 1)


def said(found: pd.DataFrame) -> dict[Key, tuple[str, int, bool]]:
    """(item, location) -> (reason, new, is it sent)."""
    return {
        (row.item_id, row.location_id): (str(row.reason), row.new, row.push) for row in found.itertuples()
    }


@settings(max_examples=300)
@given(st.data())
def test_every_line_is_judged_as_by_the_slow_and_obvious_rules(data: st.DataObject) -> None:
    keys = st.tuples(st.integers(1, 5), st.sampled_from([1, 2, 1_000_000]))
    units = st.integers(0, 3)
    moments = st.sampled_from([None, EARLY, LATE])
    want = data.draw(st.dictionaries(keys, st.fixed_dictionaries({"sellable": units, "changed_at": moments})))
    know = data.draw(
        st.dictionaries(
            keys,
            st.fixed_dictionaries(
                {"confirmed": st.integers(-1, 3), "sent": st.integers(-1, 3), "changed_at": moments}
            ),
        )
    )
    seen = data.draw(st.none() | st.dictionaries(keys, st.fixed_dictionaries({"live": units})))
    complete = data.draw(st.booleans())
    inactive, unread, approved, lasting = (
        data.draw(st.sets(st.integers(1, 6), max_size=2)) for _ in range(4)
    )
    found = diff(
        frame(want, "sellable", "changed_at"),
        frame(know, "confirmed", "sent", "changed_at"),
        None if seen is None else frame(seen, "live"),
        complete=complete,
        inactive=inactive,
        unread=unread,
        approved=approved,
        lasting=lasting,
    )
    places = {location for _, location in want}
    expected = {}
    for key in sorted(want.keys() | know.keys()):
        line, then = want.get(key), know.get(key)
        now = line["changed_at"] if line else None
        before = then["changed_at"] if then else None
        verdict = reference.reason(
            line["sellable"] if line else None,
            then["confirmed"] if then else None,
            then["sent"] if then else None,
            seen[key]["live"] if seen and key in seen else None,
            inactive=key[0] in inactive,
            complete=complete,
            unread=key[0] in unread,
            approved=key[0] in approved,
            lasting=key[0] in lasting,
            mapped=key[1] in places,
            moved=now is not None and before is not None and now > before,
        )
        if verdict is not None:
            expected[key] = (*verdict, verdict[0] in {reason.value for reason in PUSHED})
    assert said(found) == expected
    assert list(said(found)) == sorted(expected)
    _rows_lead_back(found, want, know, seen or {})


def _rows_lead_back(found: pd.DataFrame, want: Any, know: Any, seen: Any) -> None:
    wanted_keys, known_keys = list(want), list(know)
    for row in found.itertuples():
        key = (row.item_id, row.location_id)
        assert (wanted_keys[row.wanted_row] if row.wanted_row >= 0 else None) == (
            key if key in want else None
        )
        assert (known_keys[row.known_row] if row.known_row >= 0 else None) == (key if key in know else None)
        assert row.old == (know[key]["confirmed"] if key in know else NEVER)
        assert row.live == (seen[key]["live"] if key in seen else NEVER)


def test_a_second_run_over_the_same_values_sends_nothing() -> None:
    values = {f"i{n}": n % 7 for n in range(1, 200)}
    found = diff(wanted(**values), known(**values), live(**values), complete=True)
    assert not found["push"].any()
    assert set(found["reason"]) == {Reason.UNCHANGED.value}


def test_missing_means_unknown_unless_everything_was_read() -> None:
    assert said(diff(wanted(i1=5), known(i1=5, i2=7))) == {(1, 1): ("unchanged", 5, False)}
    assert said(diff(wanted(i1=5), known(i1=5, i2=7), complete=True))[2, 1] == ("deactivated", 0, True)


def test_an_inactive_item_is_emptied_once() -> None:
    assert said(diff(wanted(), known(i2=7), inactive=[2])) == {(2, 1): ("deactivated", 0, True)}
    assert said(diff(wanted(), known(i2=0), inactive=[2])) == {(2, 1): ("unchanged", 0, False)}
    # Somebody put stock on it by hand again.
    assert said(diff(wanted(), known(i2=0), live(i2=3), inactive=[2]))[2, 1] == ("live_above", 0, True)


def test_an_empty_read_and_an_unmapped_location_empty_nothing() -> None:
    assert not diff(wanted(), known(i1=5, i2=7), complete=True)["push"].any()
    found = said(diff(wanted(i1=5), known(i1=5, i1_2=4), complete=True))
    assert found[1, 2] == ("not_mapped", 4, False)


def test_an_item_that_could_not_be_computed_keeps_what_it_has() -> None:
    assert said(diff(wanted(i1=5), known(i1=5, i2=7), complete=True, unread=[2])) == {
        (1, 1): ("unchanged", 5, False)
    }


def test_only_what_is_above_is_lowered_and_what_is_below_is_reported() -> None:
    found = said(diff(wanted(i1=5, i2=5), known(i1=5, i2=5), live(i1=6, i2=4)))
    assert found == {(1, 1): ("live_above", 5, True), (2, 1): ("sold_or_drifted", 5, False)}


def test_what_is_below_is_raised_once_netsuite_has_moved_or_a_person_said_so() -> None:
    found = diff(wanted(i1=(5, LATE), i2=5), known(i1=5, i2=5), live(i1=4, i2=4), approved=[2])
    assert said(found) == {(1, 1): ("raised_after_change", 5, True), (2, 1): ("raised_by_approval", 5, True)}


def test_a_value_sent_and_never_seen_is_sent_again_even_if_the_old_one_is_right_again() -> None:
    # 12 went out and was not read back; NetSuite is at 10 again, which is what was confirmed last.
    assert said(diff(wanted(i1=10), known(i1=(10, 12))))[1, 1] == ("unsettled", 10, True)
    assert said(diff(wanted(i1=10), known(i1=(10, NEVER))))[1, 1] == ("unchanged", 10, False)


def test_a_sampled_line_that_was_not_read_is_judged_by_its_confirmed_value() -> None:
    found = said(diff(wanted(), known(i1=5, i2=5, i3=NEVER), live(i1=7, i2=5, i3=5)))
    assert found == {
        (1, 1): ("live_above", 5, True),
        (2, 1): ("unchanged", 5, False),
        (3, 1): ("unchanged", 0, False),
    }


def test_frames_in_any_order_give_the_same_lines() -> None:
    values = {f"i{n}_{place}": n for n in range(1, 60) for place in (1, 2)}
    want, know = wanted(**values), known(**{**values, "i500": 3, "i7_1": 9})
    ordered = diff(want, know, live(**values), complete=True).drop(columns=["wanted_row", "known_row"])
    mixed = diff(
        want.sample(frac=1, random_state=1).reset_index(drop=True),
        know.sample(frac=1, random_state=2),
        live(**values).iloc[::-1],
        complete=True,
    )
    pd.testing.assert_frame_equal(ordered, mixed.drop(columns=["wanted_row", "known_row"]))


def test_a_line_that_comes_twice_is_a_mistake_of_ours_and_said_so() -> None:
    twice = pd.concat([wanted(i7=5), wanted(i7=6)], ignore_index=True)
    with pytest.raises(ValueError, match="item 7 at location 1 comes twice in wanted"):
        diff(twice, known(i1=5))


@pytest.mark.parametrize("item", [-1, 2**60])
def test_ids_that_cannot_be_told_apart_are_refused(item: int) -> None:
    with pytest.raises(ValueError, match="ids of items"):
        diff(frame({(item, 1000): {"sellable": 1}}, "sellable"), known(i1=1))


def test_the_result_has_its_columns_even_when_there_is_nothing() -> None:
    found = diff(wanted(), known(), live(), complete=True)
    assert tuple(found.columns) == DIFF_COLUMNS
    assert found.empty


def test_a_result_can_be_changed_without_changing_its_sources() -> None:
    want, know = wanted(i1=5), known(i1=5)
    found = diff(want, know)
    found.loc[0, "new"] = 99
    found.loc[0, "old"] = 98
    assert want["sellable"].tolist() == [5]
    assert know["confirmed"].tolist() == [5]
