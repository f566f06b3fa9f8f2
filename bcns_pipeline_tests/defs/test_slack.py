"""What people are told: one line per run and its failures grouped, and silence where no webhook is set."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg

from bcns_pipeline.clients.slack import SlackClient
from bcns_pipeline.defs.platform.failed import heal_recovered, note_failure
from bcns_pipeline.state.usage import UsageMeter
from bcns_pipeline_tests.defs.flow import Flow, Impatient
from bcns_pipeline_tests.defs.relay import Server, serving


class OnlySlack:
    """Of the connections what the sensor of failed runs needs: it must work where everything else is broken."""

    def __init__(self, url: str) -> None:
        self._url = url

    def slack(self) -> SlackClient:
        return SlackClient(self._url, meter=UsageMeter())


def taken(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
    return 200, {"ok": True}


def down(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
    return 500, {}


def test_a_run_posts_one_line_with_its_failures_grouped_and_a_plan_posts_nothing(flow: Flow) -> None:
    """A slack that is down stops nothing."""
    with serving(down) as slack, flow.at(BCNS_SLACK_WEBHOOK_URL=slack.url):
        run = flow.run()
    assert run.success
    assert slack.seen

    with serving(taken) as slack, flow.at(BCNS_SLACK_WEBHOOK_URL=f"{slack.url}/services/T0/B0/secret"):
        flow.run(mode="plan")
        assert slack.seen == []

        # -- one line a run
        flow.later()
        flow.stock("SKU-000001", 5, 6)
        flow.run()
        assert [(method, path) for method, path, _ in slack.seen] == [("POST", "/services/T0/B0/secret")]
        assert said(slack) == ":white_check_mark: inventory: 2 lines in 1 calls; 2 confirmed"

        # -- failures are grouped by their reason
        flow.later()
        for sku in ("SKU-000001", "SKU-000002", "SKU-000003"):
            flow.stock(sku, 7, 8)
        flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": False})
        flow.run()
        flow.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": True})
        assert len(slack.seen) == 2
        first, *groups = said(slack).splitlines()
        assert first.startswith(":warning: inventory: 3 lines in 2 calls; 3 confirmed; 3 refused")
        assert len(groups) == 1
        assert groups[0].endswith("SKU-000001, SKU-000002, SKU-000003")

        # -- a paused run says so
        flow.later()
        flow.control.adjust(all=True, delta=500)
        flow.run()
        assert len(slack.seen) == 3
        assert said(slack).startswith(":warning: inventory: pushing is paused")


def said(slack: Server) -> str:
    """The text of the last message."""
    return str(json.loads(slack.seen[-1][2])["text"])


def fail(flow: Flow, connections: Any) -> str:
    """A run that fails, and what the sensor makes of it; returns the run's id."""
    run = flow.run(fails=True)
    failed = flow.instance.get_run_by_id(run.result.run_id)
    records = flow.instance.all_logs(run.result.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    event = records[0].get_dagster_event()
    context = dg.build_run_status_sensor_context("failed_runs", event, flow.instance, failed)
    note_failure(context.for_run_failure(), connections)
    return run.result.run_id


def test_a_failed_run_is_a_question_until_the_job_succeeds(flow: Flow) -> None:
    locations = flow.mapping["locations"]
    flow.configure(locations=None)
    connections = Impatient(config_path=flow.environment["BCNS_CONFIG"])
    fail(flow, connections)
    heal_recovered(flow.instance, connections)

    (question,) = flow.open_exceptions("RUN_FAILED")
    assert (question.subject, question.owner) == ("job:inventory_sync", "integration")
    assert question.message.startswith("inventory_sync failed: inventory.locations is not set")

    flow.configure(locations=locations)
    flow.run()
    heal_recovered(flow.instance, connections)
    connections.close()
    assert flow.open_exceptions("RUN_FAILED") == []


def test_without_a_state_a_failed_run_is_told_to_slack_with_its_own_sentence(flow: Flow) -> None:
    flow.configure(locations=None)

    with serving(taken) as slack, flow.at(BCNS_SLACK_WEBHOOK_URL=slack.url):
        run_id = fail(flow, OnlySlack(slack.url))

    text = json.loads(slack.seen[0][2])["text"]
    assert text.startswith(":red_circle: inventory_sync failed: inventory.locations is not set")
    assert run_id in text
