"""What a merchant sees first: the first run brings the store into step, the second one writes nothing."""

from __future__ import annotations

from bcns_pipeline_tests.defs.flow import Flow


def test_a_first_run_fills_an_empty_store_and_a_second_one_writes_nothing(flow: Flow) -> None:
    flow.seed(60, stock="zero")

    first = flow.run()
    flow.assert_in_step()
    assert first.sent == first.metadata()["lines_confirmed"] > 60
    assert all(first.checks.values()), first.checks

    flow.control.clear_log()
    second = flow.run()
    assert second.sent == 0
    assert flow.puts() == 0
    assert all(second.checks.values()), second.checks
    flow.assert_in_step()


def test_a_first_run_adopts_what_is_right_and_pushes_only_differences(flow: Flow) -> None:
    flow.control.edit(sku="SKU-000003", location_id=1, quantity=9_999)
    flow.control.edit(sku="SKU-000004", location_id=2, quantity=9_998)

    run = flow.run()

    # The rest of the catalogue was adopted as it stood.
    assert run.sent == 2
    assert {row["sku"] for row in run.records("changes")} == {"SKU-000003", "SKU-000004"}
    assert int(run.metadata("netsuite/inventory_snapshot")["adopted_from_the_store"]) == 80
    flow.assert_in_step()


def test_every_later_run_of_every_job_writes_nothing_while_nothing_changes(flow: Flow) -> None:
    flow.seed(
        40, stock="zero", duplicates=2, netsuite_orphans=2, bigcommerce_orphans=2, fractional=2, negative=2
    )
    flow.run()
    flow.control.clear_log()

    runs = [flow.run(job) for job in ("inventory_full_sync", "inventory_reconciliation", "inventory_sync")]

    assert [run.sent for run in runs] == [0, 0, 0]
    assert flow.puts() == 0


def test_only_what_changed_is_read_and_sent(flow: Flow) -> None:
    flow.run()
    flow.later(60 * 60)
    flow.stock("SKU-000007", 11, 12)
    flow.control.clear_log()

    run = flow.run()

    assert flow.shop("SKU-000007") == (11, 12)
    assert run.sent == 2
    # The clock, the stock, changed items and kit members; one adjustment, one look.
    calls = [(one["system"], one["method"]) for one in flow.control.log() if "token" not in one["path"]]
    assert calls.count(("bigcommerce", "PUT")) == 1
    assert len(calls) <= 6
    flow.assert_in_step()


def test_every_fetched_row_is_planned_skipped_or_excepted(flow: Flow) -> None:
    flow.seed(
        40,
        stock="zero",
        duplicates=2,
        blanks=1,
        netsuite_orphans=3,
        bigcommerce_orphans=2,
        fractional=2,
        negative=2,
    )
    for job in ("inventory_sync", "inventory_full_sync"):
        run = flow.run(job)
        told = run.metadata("inventory/diff")
        assert told["fetched"] == told["planned"] + told["skipped"] + told["excepted"]
        assert told["excepted"] > 0
        assert run.checks["nothing_is_lost"]


def test_a_plan_shows_the_changes_and_sends_nothing(flow: Flow) -> None:
    flow.run()
    before = flow.whole_shop()
    flow.later()
    flow.stock("SKU-000002", 5, 6)
    flow.control.clear_log()

    run = flow.run(mode="plan")

    assert run.materialised == {"netsuite/inventory_snapshot", "inventory/diff"}
    changes = {(row["sku"], row["location"]): row["new"] for row in run.records("changes")}
    assert changes == {("SKU-000002", 1): 5, ("SKU-000002", 2): 6}
    assert flow.puts() == 0
    assert flow.whole_shop() == before
    # Freshness hangs on materialisations, and checks of what was not sent are not made.
    assert "nothing_oversells" not in run.checks
    flow.assert_tidy()

    assert flow.run().sent == 2
    flow.assert_in_step()


def test_a_plan_on_a_store_never_met_sends_nothing_either(flow: Flow) -> None:
    flow.seed(30, stock="zero")

    run = flow.run("inventory_full_sync", mode="plan")

    assert run.metadata("inventory/diff")["planned"] > 30
    assert flow.puts() == 0
    assert set(flow.whole_shop().values()) == {(0, 0)}


def test_a_run_says_what_it_did_in_dagster(flow: Flow) -> None:
    flow.run()
    flow.later()
    flow.stock("SKU-000001", 3, 4)

    run = flow.run()

    row = run.records("changes")[0]
    assert {"sku", "old", "new", "reason", "rule", "available", "on_hand", "committed"} <= row.keys()
    pushed = run.metadata()
    assert pushed["lines_sent"] == pushed["lines_confirmed"] == 2
    assert 0 < pushed["api_calls"] <= pushed["api_call_budget"]
    assert pushed["api_calls_minimum"] <= pushed["api_calls"]
    assert pushed["summary"] == "inventory: 2 lines in 1 calls; 2 confirmed"
