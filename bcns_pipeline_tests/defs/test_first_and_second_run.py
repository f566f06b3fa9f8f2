"""What a merchant sees first: the first run brings the store into step, the second one writes nothing."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.flow import Flow


@pytest.mark.merchant(60, stock="zero")
def test_from_the_first_plan_to_the_first_change_what_is_sent_is_what_has_changed(flow: Flow) -> None:
    # -- a plan on a store never met sends nothing
    plan = flow.run("inventory_full_sync", mode="plan")
    assert plan.metadata("inventory/diff")["planned"] > 30
    assert flow.puts() == 0
    assert set(flow.whole_shop().values()) == {(0, 0)}

    # -- a first run fills the empty store
    first = flow.run()
    flow.assert_in_step()
    assert first.sent == first.metadata()["lines_confirmed"] > 60
    assert all(first.checks.values()), first.checks

    # -- and a second one writes nothing
    flow.control.clear_log()
    second = flow.run()
    assert second.sent == 0
    assert flow.puts() == 0
    assert all(second.checks.values()), second.checks
    flow.assert_in_step()

    # -- a plan shows the changes and sends nothing
    before = flow.whole_shop()
    flow.later(60 * 60)
    flow.stock("SKU-000007", 11, 12)
    flow.control.clear_log()
    plan = flow.run(mode="plan")
    assert plan.materialised == {"netsuite/inventory_snapshot", "inventory/diff"}
    changes = {(row["sku"], row["location"]): row["new"] for row in plan.records("changes")}
    assert changes == {("SKU-000007", 1): 11, ("SKU-000007", 2): 12}
    assert flow.puts() == 0
    assert flow.whole_shop() == before
    # Freshness hangs on materialisations, and checks of what was not sent are not made.
    assert "nothing_oversells" not in plan.checks
    flow.assert_tidy()

    # -- only what changed is read and sent
    flow.control.clear_log()
    run = flow.run()
    assert flow.shop("SKU-000007") == (11, 12)
    assert run.sent == 2
    # The clock, the stock, changed items and kit members; one adjustment, one look.
    calls = [(one["system"], one["method"]) for one in flow.control.log() if "token" not in one["path"]]
    assert calls.count(("bigcommerce", "PUT")) == 1
    assert len(calls) <= 6
    flow.assert_in_step()

    # -- and Dagster shows what was done
    row = run.records("changes")[0]
    assert {"sku", "old", "new", "reason", "rule", "available", "on_hand", "committed"} <= row.keys()
    pushed = run.metadata()
    assert pushed["lines_sent"] == pushed["lines_confirmed"] == 2
    assert 0 < pushed["api_calls"] <= pushed["api_call_budget"]
    assert pushed["api_calls_minimum"] <= pushed["api_calls"]
    assert pushed["summary"] == "inventory: 2 lines in 1 calls; 2 confirmed"
    assert run.checks["calls_within_budget"]

    # -- more calls than budgeted are told, and refused nothing
    flow.configure(call_budget=1)
    run = flow.run()
    assert not run.checks["calls_within_budget"]
    assert run.metadata()["api_call_budget"] == 1


def test_a_first_run_adopts_what_is_right_and_pushes_only_differences(flow: Flow) -> None:
    flow.control.edit(sku="SKU-000003", location_id=1, quantity=9_999)
    flow.control.edit(sku="SKU-000004", location_id=2, quantity=9_998)

    run = flow.run()

    # The rest of the catalogue was adopted as it stood.
    assert run.sent == 2
    assert {row["sku"] for row in run.records("changes")} == {"SKU-000003", "SKU-000004"}
    assert int(run.metadata("netsuite/inventory_snapshot")["adopted_from_the_store"]) == 80
    flow.assert_in_step()


@pytest.mark.merchant(
    40,
    stock="zero",
    duplicates=2,
    blanks=1,
    netsuite_orphans=3,
    bigcommerce_orphans=2,
    fractional=2,
    negative=2,
)
def test_every_row_is_accounted_for_and_later_runs_of_every_job_write_nothing_while_nothing_changes(
    flow: Flow,
) -> None:
    flow.control.clear_log()
    jobs = ("inventory_sync", "inventory_full_sync", "inventory_reconciliation", "inventory_sync")
    for turn, job in enumerate(jobs):
        run = flow.run(job)

        told = run.metadata("inventory/diff")
        assert told["fetched"] == told["planned"] + told["skipped"] + told["excepted"], job
        assert run.checks["nothing_is_lost"], job
        if turn < 2:
            assert told["excepted"] > 0, job
        if turn > 0:
            assert (run.sent, flow.puts()) == (0, 0), job
        flow.control.clear_log()
