from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.shipments.model import Fulfilment
from bcns_pipeline.rules.shipments.policy import ShipmentPolicy
from bcns_pipeline_tests.rules.shipments.parcels import Shop, line, order, shipped

LINES = 4
trackings = st.lists(st.sampled_from(["1Z1", "1Z2", "1Z3", "1Z4<BR>1Z5", "X" * 60]), max_size=3, unique=True)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[int], list[list[Fulfilment]]]:
    """Ordered units by line, the address of each line, and versions of up to three fulfilments."""
    ordered = [draw(st.integers(1, 4)) for _ in range(LINES)]
    places = [draw(st.sampled_from([20, 21])) for _ in range(LINES)]
    versions = []
    for number in range(draw(st.integers(1, 3))):
        held = {one: draw(st.integers(0, 3)) for one in range(1, LINES + 1)}
        held = {one: quantity for one, quantity in held.items() if quantity}
        last: list[str] = []
        rows = []
        for _ in range(draw(st.integers(1, 3))):
            # Parcels are added to a fulfilment; units too, now and then.
            last = [*last, *(one for one in draw(trackings) if one not in last)]
            for one in list(held):
                held[one] += draw(st.sampled_from([0, 0, 0, 1]))
            rows.append(shipped(dict(held), 501 + number, trackings=tuple(f"{number}{one}" for one in last)))
        versions.append(rows)
    return ordered, places, versions


@given(
    histories(),
    st.sampled_from(["comments", "shipments"]),
    st.lists(st.sampled_from(["", "lose links", "lose answers"]), min_size=4, max_size=4),
)
def test_no_line_is_ever_shipped_above_its_order_and_nobody_is_written_to_twice(
    history: tuple[list[int], list[int], list[list[Fulfilment]]], packages: Any, faults: list[str]
) -> None:
    ordered, places, versions = history
    shop = Shop(
        order(
            *(
                line(n + 1, quantity, place)
                for n, (quantity, place) in enumerate(zip(ordered, places, strict=True))
            )
        )
    )
    policy = ShipmentPolicy(packages=packages)
    for turn, fault in enumerate(faults):
        now = [rows[min(turn, len(rows) - 1)] for rows in versions]
        plan = shop.plan(*now, policy=policy)
        # The store refuses more than is open, an address that is not the line's, and numbers too long.
        for action in plan.actions:
            shop.take(action, noted=fault != "lose answers")
        if fault == "lose links":
            shop.links.clear()
        again = shop.run(*now, policy=policy)
        assert {action.kind for action in again.actions} <= {"adopt"}
        third = shop.plan(*now, policy=policy)
        assert third.actions == []
        assert shop.letters == len(shop.shipments)
        claimed = {
            one: sum(int(row.quantity) for each in now for row in each.lines if row.order_line_id == one)
            for one in range(1, LINES + 1)
        }
        for one, quantity in enumerate(ordered, 1):
            assert shop.units.get(one, 0) == min(quantity, claimed[one])
        beyond = any(claimed[one] > quantity for one, quantity in enumerate(ordered, 1))
        assert ("SHIPMENT_EXCEEDS_ORDER" in {problem.code for problem in third.problems}) == beyond


@given(histories())
def test_every_tracking_number_is_shown_to_the_shopper(
    history: tuple[list[int], list[int], list[list[Fulfilment]]],
) -> None:
    ordered, places, versions = history
    many = [replace(line(n + 1, 50, place)) for n, place in enumerate(places)]
    shop = Shop(order(*many))
    for rows in versions:
        for version in rows:
            shop.run(version)
        if not rows[-1].lines:
            continue
        shown = "\n".join(
            f"{body.get('tracking_number', '')}\n{body['comments']}" for body in shop.shipments.values()
        )
        for text in rows[-1].trackings:
            for number in text.split("<BR>"):
                assert number in shown
    assert len(ordered) == LINES
