"""Safety stock has one owner: a store that holds back stock beside us is refused before anything is sent."""

from __future__ import annotations

import pytest

from bcns_pipeline_tests.defs.flow import Flow

SKU = "SKU-000002"
OURS = {"owner": "pipeline", "value": 2}


@pytest.mark.parametrize("safety_stock", [OURS, {"owner": "netsuite"}])
def test_a_double_buffer_is_refused_at_the_first_run_and_heals_when_mended(
    flow: Flow, safety_stock: dict[str, object]
) -> None:
    flow.configure(safety_stock=safety_stock)
    flow.stock(SKU, 50, 50)
    flow.hold_back(SKU, 4)

    run = flow.run(fails=True)
    assert len(run.failures) == 1
    assert "holds back up to 4 units" in run.failures[0]
    assert "set its safety stock to 0, or the owner to bigcommerce" in run.failures[0]
    assert run.attempts == 0
    assert flow.run(fails=True).failures == run.failures
    assert flow.puts() == 1  # the one that set the safety stock
    assert len(flow.open_exceptions("DOUBLE_BUFFER")) == 1

    flow.hold_back(SKU, 0)
    flow.run()
    assert not flow.open_exceptions("DOUBLE_BUFFER")
    assert flow.shop(SKU) == ((48, 48) if safety_stock is OURS else (50, 50))


def test_a_double_buffer_that_comes_later_is_seen_by_a_full_sync_and_then_refused(flow: Flow) -> None:
    flow.configure(safety_stock=OURS)
    flow.run()
    flow.hold_back(SKU, 3)
    flow.run("inventory_full_sync")
    flow.control.clear_log()

    flow.later()
    flow.stock(SKU, 20, 20)
    assert "up to 3 units" in flow.run(fails=True).failures[0]
    assert flow.puts() == 0
    # Refused before NetSuite is even asked.
    assert [entry for entry in flow.control.log(system="netsuite") if "suiteql" in entry["path"]] == []

    # The other way to mend it: the store is the owner.
    flow.configure(
        safety_stock={"owner": "bigcommerce"},
        breaker={"max_changed_percent": 100.0, "max_oversold_percent": 100.0},
    )
    flow.run()
    assert flow.shop(SKU) == (20, 20)
    assert not flow.open_exceptions("DOUBLE_BUFFER")


def test_where_nobody_is_named_as_the_owner_it_is_a_warning_that_stops_nothing(flow: Flow) -> None:
    flow.stock(SKU, 50, 50)
    flow.hold_back(SKU, 4)

    flow.run()

    assert flow.shop(SKU) == (50, 50)
    found = flow.open_exceptions("DOUBLE_BUFFER")
    assert [row.severity for row in found] == ["warning"]

    flow.hold_back(SKU, 0)
    flow.run("inventory_full_sync")
    flow.run()
    assert not flow.open_exceptions("DOUBLE_BUFFER")
