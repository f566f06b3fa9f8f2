"""The live store against what we know: what is above is lowered, what is below is reported, nothing is oversold."""

from __future__ import annotations

from bcns_pipeline_tests.defs.flow import Flow, wait_until

SKU = "SKU-000004"
# What happens to each in the store while all of them have 10 at both locations.
ABOVE, UPWARDS, DOWNWARDS = "SKU-000004", "SKU-000005", "SKU-000006"
SOLD, SOLD_AND_TOLD, COUNTED = "SKU-000007", "SKU-000008", "SKU-000009"
FATES = (ABOVE, UPWARDS, DOWNWARDS, SOLD, SOLD_AND_TOLD, COUNTED)


def assert_shows(flow: Flow, others: dict[str, tuple[int, int]]) -> None:
    """The six show 10 and 10, but for `others`; says which do not."""
    wanted = dict.fromkeys(FATES, (10, 10)) | others
    shown = flow.whole_shop()
    wrong = {sku: (shown[sku], units) for sku, units in wanted.items() if shown[sku] != units}
    assert not wrong, f"shown, wanted: {wrong}"


def assert_drift(flow: Flow, *skus: str) -> None:
    """One question, of exactly these."""
    (found,) = flow.open_exceptions("STOCK_DRIFT")
    assert set(found.detail["skus"]) == set(skus)
    assert found.severity == "warning"
    assert any(sku in found.message for sku in skus)


def test_what_is_above_is_lowered_and_what_is_below_waits_for_netsuite_or_a_person(flow: Flow) -> None:
    # Small, so that no incremental run looks at many that it has not sent.
    flow.configure(sample_size=5)
    for sku in FATES:
        flow.stock(sku, 10, 10)
    flow.run()
    edits = ((ABOVE, 2, 5_000), (UPWARDS, 1, 90), (DOWNWARDS, 1, 1), (COUNTED, 1, 4))
    flow.control.edit([{"sku": sku, "location_id": at, "quantity": units} for sku, at, units in edits])
    flow.control.order(sku=SOLD, quantity=3, location_id=1)
    order = flow.control.order(sku=SOLD_AND_TOLD, quantity=3, location_id=1)

    # -- more than there is is lowered at once by a full sync; what is below is reported and not put back
    below = {DOWNWARDS: (1, 10), SOLD: (7, 10), SOLD_AND_TOLD: (7, 10), COUNTED: (4, 10)}
    run = flow.run("inventory_full_sync")
    assert_shows(flow, below)
    assert run.metadata()["lines_healed"] == 2
    assert run.checks["nothing_oversells"]
    for job in ("inventory_sync", "inventory_full_sync"):
        run = flow.run(job)
        assert run.sent == 0, job
        assert_shows(flow, below)
    assert run.metadata()["drift_below_confirmed"] == 4
    assert_drift(flow, DOWNWARDS, SOLD, SOLD_AND_TOLD, COUNTED)

    # -- a hand edit downwards is mended by the next movement, and an order by NetSuite's learning of it
    flow.later()
    flow.stock(DOWNWARDS, 11, 10)
    flow.control.post_order(order_id=order["id"])
    flow.run()
    assert_shows(flow, below | {DOWNWARDS: (11, 10)})

    # -- a count in NetSuite finds the very same number, later than our last look: raised
    flow.later(60)
    flow.control.adjust(sku=COUNTED, location=1, delta=5)
    flow.control.adjust(sku=COUNTED, location=1, delta=-5)
    run = flow.run("inventory_full_sync")
    assert run.sent == 1
    assert_shows(flow, {DOWNWARDS: (11, 10), SOLD: (7, 10), SOLD_AND_TOLD: (7, 10)})
    assert_drift(flow, SOLD)

    # -- an approval raises what is below in the next run
    flow.approve("STOCK_DRIFT")
    flow.run()
    assert flow.shop(SOLD) == (10, 10)
    assert not flow.open_exceptions("STOCK_DRIFT")
    flow.assert_in_step()

    # -- and only once: what a shopper buys afterwards is not covered by that word
    flow.control.order(sku=SOLD, quantity=2, location_id=1)
    flow.run("inventory_full_sync")
    assert flow.shop(SOLD) == (8, 10)
    assert_drift(flow, SOLD)


def test_the_rolling_sample_finds_drift_within_a_few_incremental_runs(flow: Flow) -> None:
    """And what one sample found is not forgotten by the next."""
    flow.configure(sample_size=15)
    sold = ("SKU-000003", "SKU-000020", "SKU-000035")
    for sku in sold:
        flow.stock(sku, 50, 50)
    flow.run()
    flow.control.edit(sku="SKU-000033", location_id=1, quantity=88_888)
    flow.control.edit(sku="SKU-000022", location_id=1, quantity=0)
    for sku in sold:
        flow.control.order(sku=sku, quantity=1, location_id=1)
    flow.stock("SKU-000011", 5, 5)
    flow.later(60 * 60)
    flow.control.clear_log()

    # 40 SKUs, 15 a run.
    runs = [flow.run() for _ in range(3)]

    assert flow.shop("SKU-000033") == flow.should_show("SKU-000033")
    assert sum(run.metadata()["lines_healed"] for run in runs) == 1
    assert flow.shop("SKU-000022")[0] == 0
    flow.run()
    assert_drift(flow, "SKU-000022", *sold)


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
            "ms": 2_000,
        }
    )
    child = flow.start()
    wait_until(lambda: flow.control.inventory(SKU)[0]["on_hand"]["1"] == 1_000)
    flow.control.order(sku=SKU, quantity=4, location_id=1)
    assert child.wait(180) == 0, child.stdout.read()

    assert flow.shop(SKU) == (996, 10)
    known = flow.state().inventory.known()
    assert known.loc[known["confirmed"] == 1_000, "live"].tolist() == [996]
    flow.assert_tidy()
