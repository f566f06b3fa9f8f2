"""Our definitions as a code location that Dagster's backfill daemon loads and launches runs of.

Put here what a backfill from an asset's page goes through: the daemon's own loop, the workspace, the launcher. They
work in this process; which runs there are is Dagster's decision, and the runs are real. Do not put expectations here.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.daemon import BackfillDaemon

from bcns_pipeline.definitions import build_defs
from bcns_pipeline_tests.defs.flow import Impatient


def definitions() -> dg.Definitions:
    """What the code location has: ours, with short waits."""
    path = os.environ["BCNS_CONFIG"]
    return build_defs({"connections": Impatient(config_path=path)}, config_path=path)


class NoServers(GrpcServerRegistry):
    """Of code servers: the one location works in this process."""

    def __init__(self) -> None:
        self._waited_for_servers = True

    def __exit__(self, *_: object) -> None: ...


def backfill(
    instance: dg.DagsterInstance, assets: Sequence[str], first: date, last: date
) -> list[dg.DagsterRun]:
    """Ask for these days of the assets, let the daemon look until it is done, and give the runs that it launched."""
    days = [(first + timedelta(days=one)).isoformat() for one in range((last - first).days + 1)]
    ours = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(python_file=str(Path(__file__)), attribute="definitions"), location_name="bcns"
    )
    target = InProcessWorkspaceLoadTarget([ours])
    with (
        # Dagster's own code reads a property of schedules that it has deprecated.
        warnings.catch_warnings(action="ignore"),
        WorkspaceProcessContext(instance, target, grpc_server_registry=NoServers()) as workspace,
        BackfillDaemon({"num_workers": 0}) as daemon,
    ):
        asked = PartitionBackfill.from_asset_partitions(
            backfill_id="days",
            asset_graph=workspace.create_request_context().asset_graph,
            partition_names=days,
            asset_selection=[dg.AssetKey(one.split("/")) for one in assets],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
        instance.add_backfill(asked)
        # Between two looks the daemon waits until it is told to end: here it is told so, and asked on.
        told = threading.Event()
        told.set()
        for _ in daemon.core_loop(workspace, told):
            found = instance.get_backfill("days")
            assert found is not None
            if found.status is BulkActionStatus.COMPLETED_SUCCESS:
                break
            assert found.status is BulkActionStatus.REQUESTED, found.error
        return list(instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": "days"})))
