"""The live store against what we know: what is above is lowered, what is below is reported, nothing is oversold."""

from __future__ import annotations

from bcns_pipeline_tests.defs.flow import Flow, wait_until

SKU = "SKU-000004"


def test_more_than_there_is_is_lowered_at_once_by_a_full_sync(flow: Flow) -> None:
    flow.stock(SKU, 10, 10)
    flow.run()
    flow.control.edit(sku=SKU, location_id=2, quantity=5_000)

    run = flow.run("inventory_full_sync")

    assert flow.shop(SKU) == (10, 10)
    assert run.metadata()["lines_healed"] == 1
    assert run.checks["nothing_oversells"]
    flow.assert_in_step()


def test_what_was_sold_is_reported_and_not_put_back(flow: Flow) -> None:
    flow.stock(SKU, 10, 10)
    flow.run()
    flow.control.order(sku=SKU, quantity=3, location_id=1)

    for job in ("inventory_full_sync", "inventory_sync", "inventory_full_sync"):
        run = flow.run(job)
        assert run.sent == 0
        assert flow.shop(SKU) == (7, 10)
    assert run.metadata()["drift_below_confirmed"] == 1
    found = flow.open_exceptions("STOCK_DRIFT")
    assert len(found) == 1
    assert SKU in found[0].message
    assert found[0].severity == "warning"


def test_drift_heals_when_netsuite_learns_of_the_order(flow: Flow) -> None:
    flow.stock(SKU, 10, 10)
    flow.run()
    order = flow.control.order(sku=SKU, quantity=3, location_id=1)
    flow.run("inventory_full_sync")

    flow.later()
    flow.control.post_order(order_id=order["id"])
    flow.run()
    assert flow.shop(SKU) == (7, 10)

    flow.run("inventory_full_sync")
    assert not flow.open_exceptions("STOCK_DRIFT")
    flow.assert_in_step()


def test_what_is_below_is_raised_once_netsuite_has_moved_since(flow: Flow) -> None:
    flow.stock(SKU, 10, 10)
    flow.run()
    flow.control.edit(sku=SKU, location_id=1, quantity=4)
    assert flow.run("inventory_full_sync").sent == 0

    # A count in NetSuite finds the very same number, later than our last look.
    flow.later(60)
    flow.control.adjust(sku=SKU, location=1, delta=5)
    flow.control.adjust(sku=SKU, location=1, delta=-5)
    run = flow.run("inventory_full_sync")

    assert run.sent == 1
    assert flow.shop(SKU) == (10, 10)
    flow.assert_in_step()


def test_an_approval_raises_what_is_below_in_the_next_run_and_only_once(flow: Flow) -> None:
    flow.configure(sample_size=5)
    flow.stock(SKU, 10, 10)
    flow.run()
    flow.control.edit(sku=SKU, location_id=1, quantity=4)
    flow.run("inventory_full_sync")

    flow.approve("STOCK_DRIFT")
    flow.run()
    assert flow.shop(SKU) == (10, 10)
    assert not flow.open_exceptions("STOCK_DRIFT")

    # What a shopper buys afterwards is not covered by that word.
    flow.control.order(sku=SKU, quantity=2, location_id=1)
    flow.run("inventory_full_sync")
    assert flow.shop(SKU) == (8, 10)
    assert len(flow.open_exceptions("STOCK_DRIFT")) == 1


def test_a_hand_edit_upwards_heals_within_a_full_sync_and_downwards_with_the_next_movement(
    flow: Flow,
) -> None:
    flow.stock(SKU, 10, 10)
    flow.stock("SKU-000005", 10, 10)
    flow.run()
    flow.control.edit(
        [
            {"sku": SKU, "location_id": 1, "quantity": 90},
            {"sku": "SKU-000005", "location_id": 1, "quantity": 1},
        ]
    )

    flow.run("inventory_full_sync")
    assert flow.shop(SKU) == (10, 10)
    assert flow.shop("SKU-000005") == (1, 10)

    flow.later()
    flow.stock("SKU-000005", 11, 10)
    flow.run()
    assert flow.shop("SKU-000005") == (11, 10)
    flow.run("inventory_full_sync")
    assert not flow.open_exceptions("STOCK_DRIFT")
    flow.assert_in_step()


def test_the_rolling_sample_finds_drift_within_a_few_incremental_runs(flow: Flow) -> None:
    flow.configure(sample_size=15)
    flow.run()
    flow.control.edit(sku="SKU-000033", location_id=1, quantity=88_888)
    flow.control.edit(sku="SKU-000022", location_id=1, quantity=0)
    flow.stock("SKU-000011", 5, 5)
    flow.later(60 * 60)
    flow.control.clear_log()

    # 40 SKUs, 15 a run.
    runs = [flow.run() for _ in range(3)]

    assert flow.shop("SKU-000033") == flow.should_show("SKU-000033")
    assert sum(run.metadata()["lines_healed"] for run in runs) == 1
    assert flow.shop("SKU-000022")[0] == 0
    assert "SKU-000022" in flow.open_exceptions("STOCK_DRIFT")[0].message


def test_drift_that_one_sample_found_is_not_forgotten_by_the_next(flow: Flow) -> None:
    flow.configure(sample_size=15)
    flow.run()
    for sku in ("SKU-000003", "SKU-000020", "SKU-000035"):
        flow.stock(sku, 50, 50)
    flow.later()
    flow.run()
    for sku in ("SKU-000003", "SKU-000020", "SKU-000035"):
        flow.control.order(sku=sku, quantity=1, location_id=1)

    for _ in range(4):
        flow.run()

    found = flow.open_exceptions("STOCK_DRIFT")
    assert len(found) == 1
    assert set(found[0].detail["skus"]) == {"SKU-000003", "SKU-000020", "SKU-000035"}


def test_a_sale_between_push_and_read_back_counts_as_confirmed(flow: Flow) -> None:
    flow.stock(SKU, 10, 10)
    flow.run()
    flow.later()
    flow.stock(SKU, 1_000, 10)
    # The order comes in while the adjustment is being applied.
    flow.control.faults(
        {
            "system": "bigcommerce",
            "kind": "latency",
            "path_regex": "inventory/items",
            "method": "GET",
            "ms": 600,
        }
    )
    child = flow.start()
    wait_until(lambda: flow.control.inventory(SKU)[0]["on_hand"]["1"] == 1_000)
    flow.control.order(sku=SKU, quantity=4, location_id=1)
    assert child.wait(60) == 0, child.stdout.read()

    assert flow.shop(SKU) == (996, 10)
    known = flow.state().inventory.known()
    assert known.loc[known["confirmed"] == 1_000, "live"].tolist() == [996]
    flow.assert_tidy()
