"""The generated merchant.

Put what exists, in which numbers, and what it is like here. Do not put HTTP here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.account import make_account
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.options import Options, Troubles
from bcns_pipeline.sandbox.world import make_world


@pytest.mark.parametrize("skus", [1, 10, 200, 3000])
def test_without_troubles_both_sides_have_exactly_the_skus_asked_for(skus: int) -> None:
    world = make_world(Options(skus=skus, troubles=Troubles.none()))
    sold = world.items[world.items["role"] != "parent"]
    assert len(sold) == len(world.variants) == skus
    assert set(sold["itemid"]) == set(world.variants["sku"])


def test_the_same_seed_makes_the_same_merchant_and_another_seed_another() -> None:
    one, again = make_world(Options(stock="stale")), make_world(Options(stock="stale"))
    pd.testing.assert_frame_equal(one.levels, again.levels)
    pd.testing.assert_frame_equal(one.members, again.members)
    assert np.array_equal(one.store_stock["onhand"], again.store_stock["onhand"])
    assert not one.levels.equals(make_world(Options(seed=2)).levels)


def test_every_oddity_is_there() -> None:
    world = make_world(Options(skus=100, locations=3))
    items, variants = world.items, world.variants
    assert items["itemid"].duplicated().any(), "a SKU used twice, under two parents"
    assert items["itemid"].str.lower().duplicated().sum() > items["itemid"].duplicated().sum()
    assert (variants["sku"] == "").any()
    assert (items["isinactive"] == "T").any()
    assert set(items["itemtype"]) >= {"InvtPart", "Assembly", "Kit", "NonInvtPart", "Service"}
    assert (world.levels["onhand"] % 1 > 0).any()
    assert (world.levels["onhand"] < 0).any()
    assert not variants["sku"][variants["sku"] != ""].str.lower().duplicated().any(), "the shop forbids it"
    assert world.suspended_location == 3
    parents = items[items["matrixtype"] == "PARENT"]["id"]
    assert not world.levels["item"].isin(parents).any()
    child = items[items["matrixtype"] == "CHILD"].iloc[0]
    assert child["fullname"].endswith(f" : {child['itemid']}")


def test_the_first_kit_needs_four_four_and_two_of_its_members() -> None:
    world = make_world(Options(skus=100))
    first = world.members[world.members["parentitem"] == world.members["parentitem"].iloc[0]]
    assert first["quantity"].tolist() == [4, 4, 2]


def test_stock_in_step_is_the_floor_of_what_is_available_and_never_negative() -> None:
    world = make_world(Options(skus=100, stock="in-step"))
    levels = world.levels.merge(world.items[["id", "itemid"]], left_on="item", right_on="id")
    places = {location: k for k, location in enumerate(world.netsuite_locations)}
    by_sku = dict(zip(world.variants["sku"], world.store_stock["onhand"].tolist(), strict=True))
    for row in levels.itertuples():
        if row.itemid in by_sku and not row.itemid.startswith(("TWICE", "CASE", "case")):
            expected = max(int(np.floor(row.onhand - row.committed)), 0)
            assert by_sku[row.itemid][places[row.location]] == expected, row.itemid


def test_a_hundred_thousand_skus_are_made_and_loaded() -> None:
    world = make_world(Options(skus=100_000))
    database = Database(Clock("America/Los_Angeles"))
    database.load(world, make_account(world.netsuite_locations, Options()))
    assert database.rows("SELECT count(*) FROM ns.aggregateitemlocation")[0][0] == len(world.levels)
