"""Runs a flow's job in this process, with the history that the Dagster UI shows.

Put here how a job is started outside of Dagster's own daemons. Do not put a flow's steps here. The instance
is the checkout's own (`dagster.yaml`), so a run made here is seen, counted and checked like any other.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import ExecuteInProcessResult

from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.config import load_or_default
from bcns_pipeline.defs.days import Days, day_partitions, tags_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure, our_sentence
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings


@dataclass(frozen=True, slots=True)
class FlowJob:
    """How a flow is run, and where its plan shows what: tables of an asset's metadata, in this order."""

    job: str
    plan: str
    tables: tuple[str, ...]
    full: str | None = None
    by_day: bool = False
    # What the flow needs of the mapping file beyond what stock needs (`Connections.require`).
    needs: Mapping[str, bool] = field(default_factory=dict)


ORDERS = {"orders": True}
JOBS = {
    "cash": FlowJob(
        "cash_application",
        "cash/application_plan",
        ("steps", "money_impact", "waits_for_approval", "waiting"),
        by_day=True,
        needs={"cash": True},
    ),
    # Of the month before this one; the job in Dagster, and `bcns report`, take any.
    "close": FlowJob("month_close", "close/clearing_evidence", ("table",)),
    "customers": FlowJob("customer_sync", "customers/change_plan", ("shoppers", "duplicates"), needs=ORDERS),
    "fulfilment": FlowJob(
        "fulfilment_sync", "fulfilment/shipment_plan", ("actions", "questions"), needs=ORDERS
    ),
    "inventory": FlowJob("inventory_sync", "inventory/diff", ("changes",), full="inventory_full_sync"),
    "orders": FlowJob(
        "order_sync",
        "orders/sales_order_plan",
        ("orders", "money_impact", "waits_for_approval"),
        by_day=True,
        needs=ORDERS,
    ),
    "payouts": FlowJob(
        "payout_posting",
        "payouts/journal_plan",
        ("entries", "findings"),
        by_day=True,
        needs={"payouts": True},
    ),
    "refunds": FlowJob(
        "refund_sync",
        "refunds/credit_plan",
        ("refunds", "records", "waits_for_approval"),
        by_day=True,
        needs=ORDERS,
    ),
}


def run_flow(flow: str, *, mode: str, full: bool = False, day: str | None = None) -> int:
    """Run FLOW and print what it says; in mode plan, the changes. 0, or 1 if it failed. Raises BadInput.

    `day` (YYYY-MM-DD, in the store's zone, or two with ".." between them) is for flows by day, `full` for those that
    have a full run.
    """
    known = JOBS.get(flow)
    if known is None:
        raise BadInput([f"There is no flow {flow!r}: {', '.join(sorted(JOBS))} are what can be run."])
    faults = []
    if full and known.full is None:
        faults.append(f"{flow} has no full run; leave --full away.")
    if day is not None and not known.by_day:
        faults.append(f"{flow} does not go by day; leave --day away.")
    days = None if day is None else _days(day)
    if day is not None and days is None:
        faults.append(f"--day {day!r} is no day; write it as 2026-11-20, or days as 2026-11-01..2026-11-20.")
    if days is not None and (said := _outside(days)):
        faults.append(said)
    if faults:
        raise BadInput(faults)
    job = known.full if full and known.full else known.job
    # The first step would refuse too, but Dagster's own storage may not even open with these settings.
    with connected(**known.needs), dagster_instance() as instance:
        result = execute(job, instance, run_config={"mode": mode}, say=say, days=days)
    if mode == "plan":
        for name in known.tables:
            columns, rows = table_of(result, known.plan, name)
            if rows:
                show_table(columns, rows, title=name.replace("_", " "))
    return 0 if result.success else 1


@contextmanager
def connected(**needs: bool) -> Iterator[Connections]:
    """What a run of a flow holds open (`needs` as in `Connections.require`), for commands outside of one.

    Raises BadInput with every fault of settings, mapping file and database that a run would refuse to start for.
    """
    with closing(Connections()) as connections:
        try:
            connections.require("bigcommerce", "netsuite", **needs)
            # Whose database it is, and whether it can be reached, is known once it is open.
            assert connections.state
            yield connections
        except PermanentFailure as refused:
            raise BadInput((refused.description or "").splitlines()) from None


def _days(text: str) -> Days | None:
    """First and last day; None where the text names none."""
    first, dots, last = text.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        return None
    written = f"{days[0]}..{days[1]}" if dots else str(days[0])
    return days if written == text and days[0] <= days[1] else None


def _outside(days: Days) -> str:
    """Where days are none of the store's, the sentence that says so: Dagster has a partition for each of those."""
    mapping, _ = load_or_default(load_settings().config)
    there = day_partitions(mapping)
    first, last = there.get_first_partition_key(), there.get_last_partition_key()
    if first is not None and last is not None and first <= str(days[0]) and str(days[1]) <= last:
        return ""
    return f"--day: the store's days go from {first}, the cutover, to today, {last}."


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The instance of this checkout: DAGSTER_HOME where set, else `dagster.yaml` with a home of its own.

    Raises BadInput where DAGSTER_HOME names no folder.
    """
    named = os.environ.get("DAGSTER_HOME")
    if named:
        if not Path(named).is_dir():
            raise BadInput(
                [f"DAGSTER_HOME names {named}, which is no folder; make it, or unset the variable."]
            )
        with dg.DagsterInstance.from_ref(_ref(Path(named), Path(named))) as instance:
            yield instance
        return
    home = load_settings().home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[2]
    config = Path.cwd() if (Path.cwd() / "dagster.yaml").exists() else root
    with dg.DagsterInstance.from_ref(_ref(home, config)) as instance:
        yield instance


def execute(
    job: str,
    instance: dg.DagsterInstance,
    *,
    run_config: Mapping[str, Any] | None = None,
    say: Callable[[str], object] | None = None,
    overrides: Mapping[str, Any] | None = None,
    day: str | None = None,
    days: Days | None = None,
) -> ExecuteInProcessResult:
    """One run of `job`; its steps print what they do. Failures are told to `say`, not raised.

    `day` is a partition of the job, `days` a range of them in the one run.
    """
    from bcns_pipeline.definitions import build_defs

    with warnings.catch_warnings():
        # That a part of Dagster is in beta is for whoever raises its pin, not for whoever runs a flow.
        warnings.simplefilter("ignore", dg.BetaWarning)
        definition = build_defs(overrides).resolve_job_def(job)
        result = definition.execute_in_process(
            run_config=dict(run_config or {}),
            instance=instance,
            raise_on_error=False,
            partition_key=day,
            tags=None if days is None else tags_of(days),
        )
    if not result.success and say is not None:
        for event in result.all_events:
            if event.is_step_failure:
                error = event.step_failure_data.error
                said = event.step_failure_data.user_failure_data
                say(
                    (said.description if said and said.description else None)
                    or our_sentence(error)
                    or (error.message if error else "failed")
                )
    return result


def metadata_of(result: ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """The plain values of an asset's metadata in this run; empty where it was not materialised."""
    for event in result.get_asset_materialization_events():
        if event.asset_key is not None and "/".join(event.asset_key.path) == asset:
            found = event.step_materialization_data.materialization.metadata
            return {name: getattr(value, "value", value) for name, value in found.items()}
    return {}


def table_of(result: ExecuteInProcessResult, asset: str, name: str) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a table in an asset's metadata in this run; both empty where there is none."""
    table = metadata_of(result, asset).get(name)
    if not isinstance(table, dg.TableMetadataValue):
        return [], []
    columns = [column.name for column in table.schema.columns]
    return columns, [[record.data[column] for column in columns] for record in table.records]


# Dagster's words for each step after one that failed or sent nothing, which is told already.
SKIPPED = ("Dependencies for step ", "Skipping step ")


class StepLog(logging.Handler):
    """Shows what the steps themselves say, and keeps Dagster's console quiet: its events are for the UI."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line per message of a step."""
        meta = getattr(record, "dagster_meta", None) or {}
        event = meta.get("dagster_event")
        said = meta.get("orig_message") if event is None else _waits(event)
        if said and not said.startswith(SKIPPED):
            sys.stdout.write(f"  {said}\n")
            sys.stdout.flush()
        # Dagster asks its console after its handlers, and a record without a level is below the console's. To
        # raise `python_log_level` instead would drop what steps say before any handler, the event log's
        # included, gets to see it.
        record.levelno = logging.NOTSET


def _waits(event: Any) -> str | None:
    """What a step waits for that will be tried again: half a minute without a word looks like a crash."""
    if not getattr(event, "is_step_up_for_retry", False):
        return None
    retry = event.step_retry_data
    return f"{our_sentence(retry.error) or 'It failed.'} Tried again in {retry.seconds_to_wait or 0:.0f} s."


def _ref(home: Path, config: Path) -> Any:
    from dagster._core.instance import InstanceRef

    # Dagster's console would print every event of a run between the lines that a person is after.
    logs = {"dagster_handler_config": {"handlers": {"steps": {"class": f"{__name__}.StepLog"}}}}
    return InstanceRef.from_dir(str(home), config_dir=str(config), overrides={"python_logs": logs})
