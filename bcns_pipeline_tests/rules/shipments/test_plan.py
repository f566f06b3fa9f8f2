from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.rules.natural_keys import shipment_key
from bcns_pipeline.rules.shipments.model import Fulfilment, FulfilmentLine
from bcns_pipeline.rules.shipments.plan import ShipmentPlan, needs_shipments, note_body
from bcns_pipeline.rules.shipments.policy import ShipmentPolicy
from bcns_pipeline_tests.rules.shipments.parcels import STORE, Shop, line, order, shipped

NOTHING = ShipmentPlan()


def kinds(plan: ShipmentPlan) -> list[str]:
    return [action.kind for action in plan.actions]


def codes(plan: ShipmentPlan) -> list[str]:
    return [problem.code for problem in plan.problems]


def body(plan: ShipmentPlan, place: int = 0) -> dict[str, Any]:
    return dict(plan.actions[place].body)


def test_a_shipped_fulfilment_becomes_one_shipment_with_its_tracking() -> None:
    shop = Shop(order(line(1, 2), line(2)))
    plan = shop.plan(shipped({1: 2, 2: 1}))
    assert body(plan) == {
        "order_address_id": 20,
        "tracking_number": "1Z999",
        "shipping_provider": "ups",
        "tracking_carrier": "",
        "shipping_method": "UPS Ground",
        "comments": "NS IF501",
        "items": [{"order_product_id": 1, "quantity": 2}, {"order_product_id": 2, "quantity": 1}],
    }
    assert plan.actions[0].natural_key == shipment_key(STORE, 501, 20)
    assert plan.problems == []


@pytest.mark.parametrize("status", ["A", "B", ""])
def test_what_is_not_shipped_yet_is_not_told_to_anybody(status: str) -> None:
    assert Shop(order(line(1))).plan(shipped({1: 1}, status=status)) == NOTHING


def test_a_replay_makes_nothing_and_writes_to_nobody() -> None:
    shop = Shop(order(line(1, 2), line(2)))
    for _ in range(5):
        shop.run(shipped({1: 1}), shipped({1: 1, 2: 1}, 502, trackings=("1Z777",)))
    assert (shop.units, shop.letters) == ({1: 2, 2: 1}, 2)


def test_a_shipment_whose_answer_was_lost_is_adopted_by_its_marker() -> None:
    shop = Shop(order(line(1)))
    shop.take(shop.plan(shipped({1: 1})).actions[0], noted=False)
    assert kinds(shop.run(shipped({1: 1}))) == ["adopt"]
    assert (shop.letters, list(shop.links.values())) == (1, [3000])
    assert shop.plan(shipped({1: 1})) == NOTHING


def test_a_parcel_that_is_in_the_store_twice_is_asked_about_until_one_of_them_is_deleted() -> None:
    shop = Shop(order(line(1, 3)))
    shop.run(shipped({1: 1}))
    shop.enter(20, {1: 1}, tracking_number="1Z999", shipping_provider="ups", comments="NS IF501")
    for _ in range(2):
        plan = shop.run(shipped({1: 1}))
        assert (kinds(plan), codes(plan)) == ([], ["SHIPMENT_DOUBLED"])
    # Also where nobody remembers which of the two was ours.
    shop.links.clear()
    assert [(one.kind, one.shipment_id) for one in shop.plan(shipped({1: 1})).actions] == [("adopt", 3000)]
    # What the second one holds is nobody's, and is not given to another parcel.
    plan = shop.plan(shipped({1: 1}), shipped({1: 2}, 502, trackings=()))
    assert codes(plan) == ["SHIPMENT_DOUBLED", "SHIPMENT_EXCEEDS_ORDER"]
    shop.delete(3001)
    assert shop.run(shipped({1: 1}), shipped({1: 2}, 502, trackings=())).problems == []
    assert shop.units == {1: 3}


def test_a_parcel_that_somebody_split_by_hand_is_not_there_twice() -> None:
    shop = Shop(order(line(1, 4)))
    for units in (1, 2):
        shop.enter(20, {1: units}, tracking_number="1Z999", shipping_provider="ups", comments="NS IF501")
    plan = shop.plan(shipped({1: 3}))
    assert (kinds(plan), codes(plan)) == (["adopt", "adopt"], [])


def test_the_marker_of_another_fulfilment_is_not_ours() -> None:
    shop = Shop(order(line(1, 3)))
    shop.run(shipped({1: 1}, 5011))
    shop.links.clear()
    assert kinds(shop.plan(shipped({1: 1}, 501, trackings=()))) == ["create"]


def test_a_parcel_that_somebody_entered_by_hand_is_adopted_by_its_tracking_number() -> None:
    shop = Shop(order(line(1, 2)))
    shop.enter(20, {1: 2}, tracking_number="1Z999", shipping_provider="ups", comments="sent by Joe")
    plan = shop.run(shipped({1: 1}))
    assert (kinds(plan), codes(plan)) == (["adopt"], [])
    assert shop.plan(shipped({1: 1})) == NOTHING


def test_each_ship_to_address_has_a_shipment_of_its_own() -> None:
    shop = Shop(order(line(1, place=20), line(2, place=21)))
    plan = shop.run(shipped({1: 1, 2: 1}))
    assert [action.address_id for action in plan.actions] == [20, 21]
    assert [action.natural_key for action in plan.actions] == [
        shipment_key(STORE, 501, 20),
        shipment_key(STORE, 501, 21),
    ]


def test_tracking_that_comes_a_day_later_is_put_on_the_shipment() -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}, trackings=()))
    assert "tracking_number" not in shop.shipments[3000]
    plan = shop.run(shipped({1: 1}))
    assert (kinds(plan), body(plan)) == (["update"], {"tracking_number": "1Z999"})
    assert (shop.letters, shop.plan(shipped({1: 1}))) == (1, NOTHING)


def test_a_corrected_number_takes_the_old_ones_place_and_a_missing_one_takes_nothing() -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}))
    assert shop.plan(shipped({1: 1}, trackings=())) == NOTHING
    assert body(shop.plan(shipped({1: 1}, trackings=("1Z111",)))) == {"tracking_number": "1Z111"}


def test_further_parcels_stand_in_the_comments_of_the_one_shipment() -> None:
    shop = Shop(order(line(1, 3)))
    both = shipped({1: 3}, trackings=("1Z1", "1Z2<BR>1Z3"))
    shop.run(both)
    assert shop.shipments[3000]["tracking_number"] == "1Z1"
    assert shop.shipments[3000]["comments"] == "NS IF501\nFurther parcels: 1Z2, 1Z3"
    assert shop.plan(both) == NOTHING
    assert shop.plan(replace(both, trackings=("1Z3", "1Z1", "1Z2"))) == NOTHING


def test_a_later_parcel_is_added_to_comments_that_a_person_has_written_in() -> None:
    shop = Shop(order(line(1, 2)))
    shop.run(shipped({1: 2}, trackings=("1Z1",)))
    shop.shipments[3000]["comments"] = "Left with 1Z22 at the gate"
    plan = shop.run(shipped({1: 2}, trackings=("1Z1", "1Z2")))
    assert body(plan) == {"comments": "Left with 1Z22 at the gate\nFurther parcels: 1Z2"}


def test_further_parcels_are_shipments_where_the_merchant_wants_them_so() -> None:
    policy = ShipmentPolicy(packages="shipments")
    shop = Shop(order(line(1, 4), line(2)))
    three = shipped({1: 4, 2: 1}, trackings=("1Z1", "1Z2", "1Z3"))
    plan = shop.run(three, policy=policy)
    assert [action.body["tracking_number"] for action in plan.actions] == ["1Z1", "1Z2", "1Z3"]
    assert [action.body["comments"] for action in plan.actions] == [
        "NS IF501",
        "NS IF501 (2)",
        "NS IF501 (3)",
    ]
    assert shop.units == {1: 4, 2: 1}
    shop.links.clear()
    assert kinds(shop.run(three, policy=policy)) == ["adopt"] * 3
    assert (shop.plan(three, policy=policy), shop.letters) == (NOTHING, 3)


def test_parcels_without_a_unit_of_their_own_stand_in_the_comments_after_all() -> None:
    shop = Shop(order(line(1)))
    two = shipped({1: 1}, trackings=("1Z1", "1Z2"))
    plan = shop.run(two, policy=ShipmentPolicy(packages="shipments"))
    assert kinds(plan) == ["create"]
    assert body(plan)["comments"] == "NS IF501\nFurther parcels: 1Z2"


def test_a_number_that_is_too_long_goes_into_the_comments_whole() -> None:
    shop = Shop(order(line(1)))
    long = "X" * 51
    shop.run(shipped({1: 1}, trackings=(long,)))
    assert "tracking_number" not in shop.shipments[3000]
    assert shop.shipments[3000]["comments"] == f"NS IF501\nFurther parcels: {long}"
    assert shop.plan(shipped({1: 1}, trackings=(long,))) == NOTHING


def test_never_more_is_shipped_than_was_ordered_and_the_rest_is_a_problem() -> None:
    shop = Shop(order(line(1, 2)))
    plan = shop.run(shipped({1: 3}))
    assert shop.units == {1: 2}
    assert codes(plan) == ["SHIPMENT_EXCEEDS_ORDER"]
    assert plan.problems[0].sentence == (
        "Fulfilment IF501 has 1 more of line 1 (SKU-1) than is open: 2 ordered, 0 cancelled, 0 shipped."
    )
    assert codes(shop.run(shipped({1: 3}))) == ["SHIPMENT_EXCEEDS_ORDER"]
    assert shop.letters == 1


def test_a_unit_refunded_before_it_was_shipped_is_not_shipped_any_more() -> None:
    plan = Shop(order(line(1, 3, quantity_refunded=1))).plan(shipped({1: 3}))
    assert body(plan)["items"] == [{"order_product_id": 1, "quantity": 2}]
    assert codes(plan) == ["SHIPMENT_EXCEEDS_ORDER"]


def test_a_refund_is_taken_for_a_unit_that_was_not_shipped_as_long_as_there_is_one() -> None:
    """BigCommerce does not say which unit was refunded; one too few is asked about, one too many is gone."""
    part = order(line(1, 3, quantity_shipped=2, quantity_refunded=1))
    assert codes(Shop(part).plan(shipped({1: 1}))) == ["SHIPMENT_EXCEEDS_ORDER"]


def test_two_fulfilments_of_one_run_never_claim_the_same_unit() -> None:
    shop = Shop(order(line(1, 3)))
    plan = shop.run(shipped({1: 2}), shipped({1: 2}, 502, trackings=("1Z2",)))
    assert shop.units == {1: 3}
    assert codes(plan) == ["SHIPMENT_EXCEEDS_ORDER"]
    assert "IF502" in plan.problems[0].sentence


def test_a_kit_counts_once() -> None:
    kit = FulfilmentLine(1, 700, Decimal(2), order_line_id=1)
    members = [FulfilmentLine(n, 700 + n, Decimal(4), sku="PART", kit_line=1) for n in (2, 3)]
    plan = Shop(order(line(1, 2))).plan(shipped({}, lines=(kit, *members)))
    assert body(plan)["items"] == [{"order_product_id": 1, "quantity": 2}]
    assert plan.problems == []


def loose(sku: str, quantity: int, variant_id: int = 0, number: int = 1) -> FulfilmentLine:
    return FulfilmentLine(number, 900, Decimal(quantity), sku=sku, variant_id=variant_id)


def test_without_a_line_id_units_go_to_the_lines_of_that_variant_that_have_room() -> None:
    same = {"variant_id": 7, "sku": "A"}
    shop = Shop(order(line(1, 2, **same), line(2, 3, **same), line(3, 1)))
    plan = shop.run(shipped({}, lines=(loose("", 4, 7),)))
    assert body(plan)["items"] == [
        {"order_product_id": 1, "quantity": 2},
        {"order_product_id": 2, "quantity": 2},
    ]
    assert shop.plan(shipped({}, lines=(loose("", 4, 7),))) == NOTHING
    shop.run(shipped({}, 502, lines=(loose(" a ", 1, 0),), trackings=("1Z2",)))
    assert shop.units == {1: 2, 2: 3}


def test_a_line_that_was_not_ordered_is_a_problem_and_the_rest_goes() -> None:
    gift = shipped(
        {}, lines=(FulfilmentLine(1, 901, Decimal(1), order_line_id=1), loose("GIFT", 1, number=2))
    )
    shop = Shop(order(line(1)))
    plan = shop.run(gift)
    assert (shop.units, codes(plan)) == ({1: 1}, ["SHIPMENT_UNMATCHED"])
    assert plan.problems[0].sentence == (
        "Line 2 of fulfilment IF501, GIFT (item 900), is nothing that was ordered."
    )
    assert Shop(order(line(1))).plan(gift, policy=ShipmentPolicy(ignored=frozenset({900}))).problems == []


@pytest.mark.parametrize(
    "wrong",
    [
        FulfilmentLine(1, 900, Decimal("1.5"), order_line_id=1),
        FulfilmentLine(1, 900, Decimal(1), order_line_id=9),
    ],
)
def test_a_line_that_cannot_be_understood_is_a_problem(wrong: FulfilmentLine) -> None:
    plan = Shop(order(line(1))).plan(shipped({}, lines=(wrong,)))
    assert (kinds(plan), codes(plan)) == ([], ["SHIPMENT_UNMATCHED"])


def test_downloads_and_goods_that_are_picked_up_have_no_parcel() -> None:
    mixed = order(line(1), line(2, place=0, kind="digital"), line(3, place=30), pickups=(30,))
    plan = Shop(mixed).plan(shipped({1: 1, 2: 1, 3: 1}))
    assert body(plan)["items"] == [{"order_product_id": 1, "quantity": 1}]
    assert plan.problems == []
    assert Shop(mixed).plan(shipped({3: 1})) == NOTHING


@pytest.mark.parametrize("status", [0, 4, 5, 6, 13])
def test_an_order_that_was_called_off_or_is_disputed_gets_no_shipment(status: int) -> None:
    plan = Shop(order(line(1), status=status)).plan(shipped({1: 1}))
    assert (kinds(plan), codes(plan)) == ([], ["SHIPMENT_HELD"])


def test_a_parcel_of_a_disputed_order_is_still_tracked() -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}, trackings=()))
    shop.order = replace(shop.order, status_id=13)
    assert kinds(shop.plan(shipped({1: 1}))) == ["update"]


@pytest.mark.parametrize(
    ("status", "why"),
    [("A", "is not shipped any more"), ("B", "is not shipped any more"), ("", "was deleted in NetSuite")],
)
def test_a_fulfilment_that_was_taken_back_is_a_problem_once_shoppers_know_of_it(
    status: str, why: str
) -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}))
    plan = shop.plan(shipped({1: 1}, status=status))
    assert (kinds(plan), codes(plan)) == ([], ["FULFILMENT_WITHDRAWN"])
    assert plan.problems[0].sentence == f"Fulfilment IF501 {why}, and the store shows shipment 3000."


def test_units_cut_from_a_fulfilment_are_a_problem_as_items_of_a_shipment_stay() -> None:
    shop = Shop(order(line(1, 2), line(2)))
    shop.run(shipped({1: 2, 2: 1}))
    assert codes(shop.plan(shipped({1: 1, 2: 1}))) == ["FULFILMENT_WITHDRAWN"]
    assert codes(shop.plan(shipped({1: 2}))) == ["FULFILMENT_WITHDRAWN"]


def test_units_that_a_fulfilment_gained_become_another_shipment() -> None:
    shop = Shop(order(line(1, 3)))
    shop.run(shipped({1: 2}))
    more = shipped({1: 3}, trackings=("1Z999", "1Z888"))
    plan = shop.run(more)
    assert kinds(plan) == ["create"]
    assert (body(plan)["tracking_number"], body(plan)["comments"]) == ("1Z888", "NS IF501 (2)")
    assert (shop.units, shop.plan(more)) == ({1: 3}, NOTHING)


def test_a_shipment_deleted_in_the_store_is_made_again_under_another_key() -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}))
    shop.shipments.clear()
    shop.order = order(line(1))
    plan = shop.plan(shipped({1: 1}))
    assert [action.natural_key for action in plan.actions] == [shipment_key(STORE, 501, 20, 1)]


def test_a_carrier_that_the_merchant_did_not_map_is_told_and_stops_nothing() -> None:
    shop = Shop(order(line(1)))
    unknown = shipped({1: 1}, method="Pigeon Post", carrier="nonups")
    plan = shop.run(unknown, policy=ShipmentPolicy(tracking_url="https://track.test/{tracking}"))
    assert codes(plan) == ["CARRIER_UNMAPPED"]
    assert "ship method 'Pigeon Post' and carrier 'nonups'" in plan.problems[0].sentence
    assert shop.shipments[3000]["tracking_link"] == "https://track.test/1Z999"
    assert codes(shop.plan(replace(unknown, trackings=()))) == []


def test_a_shipment_is_completed_once_its_carrier_is_mapped() -> None:
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}), policy=ShipmentPolicy(carriers={}))
    assert body(shop.plan(shipped({1: 1}))) == {"shipping_provider": "ups"}


def test_shipments_have_to_be_read_only_where_there_may_be_some() -> None:
    assert not needs_shipments(order(line(1)), {})
    assert needs_shipments(order(line(1, quantity_shipped=1)), {})
    assert needs_shipments(order(line(1)), {"key": 3000})


def test_a_fulfilment_notes_its_shipments_where_the_account_has_a_field_for_them() -> None:
    policy = ShipmentPolicy(note_field="custbody_bc_shipment_id")
    assert note_body([12, 7, 12], policy) == {"custbody_bc_shipment_id": "7, 12"}
    assert note_body([], policy) is None
    assert note_body([7], ShipmentPolicy()) is None


def test_comments_of_the_merchants_own_still_carry_the_marker() -> None:
    policy = ShipmentPolicy(comments="Thanks for shopping! ({marker})")
    shop = Shop(order(line(1)))
    shop.run(shipped({1: 1}), policy=policy)
    assert shop.shipments[3000]["comments"] == "Thanks for shopping! (NS IF501)"
    shop.links.clear()
    assert kinds(shop.plan(shipped({1: 1}), policy=policy)) == ["adopt"]


def test_a_fulfilment_without_a_number_goes_by_its_id() -> None:
    nameless = Fulfilment(501, "", "C", shipped({1: 1}).lines)
    assert body(Shop(order(line(1))).plan(nameless))["comments"] == "NS 501"
