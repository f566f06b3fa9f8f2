"""Whatever a tick has time for, what changed is handed over after its last change: nothing is passed over."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.looks import Look, gone_on

ITEMS = 12
# What changes before a tick, how many items it has time to read, and how many it may hand over.
ticks = st.tuples(st.sets(st.integers(1, ITEMS)), st.integers(1, 5), st.integers(1, 4))


def tick(look: Look, now: int, changed: dict[int, int], time_for: int, most: int) -> tuple[list[int], Look]:
    """One tick of the sensor: what changed since the look's beginning, in the order of ids, as far as time allows."""
    if not look.after:
        look = replace(look, begun=f"{now:03}")
    left = sorted(one for one, at in changed.items() if one > look.after and f"{at:03}" >= look.since)
    # The item after the last whole one is seen in part.
    through = left[time_for - 1] if len(left) > time_for else None
    return gone_on(look, left[: time_for + 1], through, most)


@given(st.lists(ticks, min_size=1, max_size=20))
def test_every_change_is_handed_over_however_little_a_tick_has_time_for(
    told: list[tuple[set[int], int, int]],
) -> None:
    look, changed, seen = Look("000"), dict[int, int](), dict[int, int]()
    # Then nothing changes any more: two looks are under way at most.
    quiet = [(set[int](), 1, 1)] * (2 * ITEMS + 2)
    for now, (moved, time_for, most) in enumerate([*told, *quiet], 1):
        changed |= dict.fromkeys(moved, now)
        low, look = tick(look, now, changed, time_for, most)
        assert len(low) <= most
        seen |= dict.fromkeys(low, now)

    assert {one for one, at in changed.items() if seen.get(one, 0) < at} == set()


def test_a_look_that_has_time_for_all_begins_anew_where_it_began() -> None:
    assert gone_on(Look("10:00", "10:05"), [3, 1], None, 500) == ([1, 3], Look("10:05"))
    assert gone_on(Look("10:00", "10:05"), [3, 1], 2, 500) == ([1], Look("10:00", "10:05", 2))
    assert gone_on(Look("10:00", "10:05", 2), [3, 4, 5], None, 2) == ([3, 4], Look("10:00", "10:05", 4))
