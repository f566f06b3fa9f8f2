"""Bad input is said in one sentence per fault, all at once, before anything is asked or sent anywhere."""

from __future__ import annotations

import dagster as dg
import pytest

from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline_tests.defs.flow import Flow, variables

JOBS = ("inventory_sync", "inventory_full_sync", "inventory_reconciliation", "inventory_low_stock")
NO_RETRY = "dagster/retry_on_asset_or_op_failure"
CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION


@pytest.mark.parametrize("job", JOBS)
def test_missing_settings_and_a_faulty_mapping_are_all_said_at_once(flow: Flow, job: str) -> None:
    flow.configure(quantity="everything", kits={"mode": "somehow"})
    environment = dict(flow.environment)
    del environment["BCNS_NETSUITE_CLIENT_ID"], environment["BCNS_BIGCOMMERCE_ACCESS_TOKEN"]
    environment["BCNS_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nowhere"
    environment["BCNS_NETSUITE_CONCURRENCY"] = "many"
    environment["BCNS_DATA_KEY"] = "too short"
    flow.control.clear_log()

    with variables(environment):
        run = flow.run(job, fails=True)

    # The first step has failed, and what hangs on it was not begun.
    assert len(run.failures) == 1
    sentences = run.failures[0].splitlines()
    for word in (
        "inventory.quantity",
        "inventory.kits.mode",
        "BCNS_NETSUITE_CLIENT_ID",
        "BCNS_BIGCOMMERCE_ACCESS_TOKEN",
        "BCNS_NETSUITE_CONCURRENCY",
        "BCNS_DATA_KEY",
    ):
        assert sum(word in sentence for sentence in sentences) == 1, (word, sentences)
    assert len(sentences) == 6
    # The WARN check says it too, although what fails has no checks made behind it.
    if job != "inventory_low_stock":
        (logged,) = flow.instance.all_logs(run.result.run_id, of_type=CHECKED)
        said = logged.dagster_event.asset_check_evaluation_data
        assert (said.check_name, said.passed, said.severity.value) == ("mapping_is_sound", False, "WARN")
        assert "inventory.quantity" in said.metadata["faults"].value
        assert "BCNS_" not in said.metadata["faults"].value
    assert run.attempts == 0
    assert flow.control.log() == []
    assert flow.tags(run)[NO_RETRY] == "false"


def test_a_missing_mapping_file_is_one_sentence(flow: Flow) -> None:
    (flow.folder / "bcns.yaml").unlink()
    flow.control.clear_log()

    run = flow.run(fails=True)

    assert len(run.failures) == 1
    assert "bcns.yaml" in run.failures[0]
    assert flow.control.log() == []


@pytest.mark.parametrize("secret", ["BCNS_NETSUITE_PRIVATE_KEY", "BCNS_BIGCOMMERCE_ACCESS_TOKEN"])
def test_a_wrong_key_is_a_permanent_failure_in_one_sentence_that_shows_no_secret(
    flow: Flow, secret: str
) -> None:
    wrong = make_key_and_certificate("ec", "other")[0] if "KEY" in secret else "not-the-token-0123456789"
    with flow.at(**{secret: wrong}):
        run = flow.run(fails=True)

    assert len(run.failures) == 1
    assert run.attempts == 0
    assert len(run.failures[0].splitlines()) == 1
    assert wrong not in run.failures[0]
    assert flow.tags(run)[NO_RETRY] == "false"
    # Not a transient fault, so nobody knocked at the door again and again.
    assert len(flow.control.log()) <= 6


def test_the_state_of_other_accounts_is_refused(flow: Flow) -> None:
    flow.run()
    flow.control.clear_log()

    with flow.at(BCNS_NETSUITE_ACCOUNT_ID="7654321"):
        run = flow.run(fails=True)

    assert len(run.failures) == 1
    assert "7654321" in run.failures[0]
    assert flow.control.log() == []
    assert run.attempts == 0


@pytest.mark.merchant(30, locations=1, stock="zero")
def test_without_locations_in_the_mapping_one_location_on_each_side_is_enough(flow: Flow) -> None:
    flow.configure(locations=None)

    flow.run()

    flow.mapping["locations"] = flow.routes(1)
    flow.assert_in_step()


def test_without_locations_in_the_mapping_several_are_refused_with_a_sentence(flow: Flow) -> None:
    flow.configure(locations=None)

    run = flow.run(fails=True)

    assert len(run.failures) == 1
    assert (
        "say in the mapping file which NetSuite locations feed which BigCommerce location" in run.failures[0]
    )
    assert run.attempts == 0
    assert flow.puts() == 0


def test_a_mapped_location_that_a_side_does_not_have_is_refused_with_a_sentence(flow: Flow) -> None:
    """Of NetSuite's, which may also be hidden from the role, every item would else have nothing to sell."""
    flow.run()
    shown = flow.whole_shop()
    flow.configure(locations=[{"netsuite": [1, 999], "bigcommerce": 1}, {"netsuite": [6], "bigcommerce": 77}])

    run = flow.run(fails=True)

    shop, books = run.failures[0].splitlines()
    assert "BigCommerce has no location 77" in shop
    assert "NetSuite shows no location 999, so that its stock would count as 0; it shows 1, 6" in books
    assert flow.whole_shop() == shown

    # -- and where it is the only one, too, in either lane
    flow.configure(locations=[{"netsuite": [999], "bigcommerce": 1}])
    for job in ("inventory_full_sync", "inventory_low_stock"):
        flow.run(job, run_config={"item_ids": [1001]} if job.endswith("stock") else {}, fails=True)
    assert flow.whole_shop() == shown
