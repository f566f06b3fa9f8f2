"""Which objective counts for a SKU, and when it is late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.inventory.freshness import REST, Objective, held_to

SLOW = Objective("slow", ("SPARE-*",), 600.0)
FAST = Objective("fast", ("best-?00", "A-1"), 10.0)
WIDE = Objective("wide", ("*-1",), 60.0)


def test_the_first_class_that_has_a_sku_says_how_long_it_may_be_out_of_step() -> None:
    waiting = [
        ("SPARE-1", 599.0),
        ("BEST-100", 11.0),
        ("a-1", 10.0),
        ("B-1", 61.0),
        ("[x]", 31.0),
        ("Y", 30.0),
    ]

    found = {one.sku: (one.objective.name, one.late) for one in held_to(waiting, (SLOW, FAST, WIDE), 30.0)}

    assert found == {
        "SPARE-1": ("slow", False),
        "BEST-100": ("fast", True),
        "a-1": ("fast", False),
        "B-1": ("wide", True),
        "[x]": (REST, True),
        "Y": (REST, False),
    }


@given(st.lists(st.tuples(st.text(max_size=8), st.floats(0, 1_000))), st.floats(0, 1_000))
def test_every_sku_is_held_to_one_objective_and_without_classes_to_that_of_all(
    waiting: list[tuple[str, float]], rest: float
) -> None:
    found = held_to(waiting, (SLOW, FAST, WIDE), rest)
    assert [(one.sku, one.minutes) for one in found] == waiting
    assert [one.late for one in held_to(waiting, (), rest)] == [minutes > rest for _, minutes in waiting]
