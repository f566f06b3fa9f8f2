"""One merchant under test: a sandbox, a database, a mapping file, and runs of the real jobs between them.

Put here what every test of the flow does: seed, run, look at both sides. Do not put expectations here. What the
store should show is worked out anew from NetSuite's own rows, in plain integers, so that it shares nothing with
the rules under test.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
import yaml
from dagster import ExecuteInProcessResult

from bcns_pipeline.clients.http.exchange import Timeouts
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.sandbox.launch import OPENER, Sandbox
from bcns_pipeline.state.audit_verify import Verified
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.store import State
from bcns_pipeline.state.worker import Worker
from bcns_pipeline_tests.defs.children import Child

DATA_KEY = base64.b64encode(b"k" * 32).decode()
WAIT_SECONDS = 90.0
PUT = "PUT /v3/inventory/adjustments/absolute"
LEVELS = "bigcommerce/inventory_levels"


class Impatient(Connections):
    """The product's own connections, but for waits: a silent server is given up after a second."""

    _retry = RetryPolicy(attempts=6, base_seconds=0.02, cap_seconds=0.2, total_seconds=10.0)
    _timeouts = Timeouts(connect=2.0, read=1.0, write=2.0, pool=5.0)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of a job did."""

    result: ExecuteInProcessResult

    @property
    def success(self) -> bool:
        return bool(self.result.success)

    def metadata(self, asset: str = LEVELS) -> dict[str, Any]:
        """The plain values of an asset's metadata; empty where it was not materialised."""
        for event in self.result.all_events:
            if event.is_step_materialization and "/".join(event.asset_key.path) == asset:
                found = event.step_materialization_data.materialization.metadata
                return {name: getattr(value, "value", value) for name, value in found.items()}
        return {}

    def observed(self, asset: str, name: str) -> list[Any]:
        """A plain value of each observation of an asset."""
        found = [e for e in self.result.all_events if e.event_type_value == "ASSET_OBSERVATION"]
        kept = [e.asset_observation_data.asset_observation for e in found]
        return [one.metadata[name].value for one in kept if "/".join(one.asset_key.path) == asset]

    def records(self, name: str, asset: str = "inventory/diff") -> list[dict[str, Any]]:
        """The rows of a table in an asset's metadata."""
        for event in self.result.all_events:
            if event.is_step_materialization and "/".join(event.asset_key.path) == asset:
                table = event.step_materialization_data.materialization.metadata[name]
                return [dict(record.data) for record in table.records]
        return []

    @property
    def sent(self) -> int:
        """Lines sent to the store."""
        return int(self.metadata()["lines_sent"])

    @property
    def materialised(self) -> set[str]:
        return {"/".join(e.asset_key.path) for e in self.result.all_events if e.is_step_materialization}

    @property
    def checks(self) -> dict[str, bool]:
        """Whether each check that was made has passed."""
        found = (e for e in self.result.all_events if e.event_type_value == "ASSET_CHECK_EVALUATION")
        return {e.asset_check_evaluation_data.check_name: e.asset_check_evaluation_data.passed for e in found}

    @property
    def failures(self) -> list[str]:
        """What each failed step says: the description of its dg.Failure, else its error."""
        said = []
        for event in self.result.all_events:
            if event.is_step_failure:
                data = event.step_failure_data
                given = data.user_failure_data
                said.append(given.description if given else _innermost(data.error))
        return said

    @property
    def attempts(self) -> int:
        """Steps that were started again."""
        return sum(event.event_type_value == "STEP_RESTARTED" for event in self.result.all_events)


@dataclass
class Flow:
    """A merchant and our flow between its two systems. `mapping` is the `inventory:` part of the file."""

    sandbox: Sandbox
    database_url: str
    folder: Path
    instance: dg.DagsterInstance
    mapping: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control = self.sandbox.control
        self._engine = create_engine(self.database_url)
        self.environment = {
            **self.sandbox.env,
            "BCNS_DATABASE_URL": self.database_url,
            "BCNS_DATA_KEY": DATA_KEY,
            "BCNS_HOME": str(self.folder / "home"),
            "BCNS_CONFIG": str(self.folder / "bcns.yaml"),
            "BCNS_ACTOR": "ada",
        }

    def close(self) -> None:
        for child in self.children:
            child.close()
        self._engine.dispose()

    # -- the merchant ----------------------------------------------------------------------------------------

    def seed(self, skus: int = 40, *, locations: int = 2, stock: str = "in-step", **troubles: int) -> None:
        """A fresh catalogue without oddities but for `troubles`, and a mapping of its locations one to one."""
        kinds = dict.fromkeys(TROUBLES, 0)
        self.control.seed(skus=skus, locations=locations, stock=stock, troubles={**kinds, **troubles})
        # Two minutes pass, so that what happens from now on is newer than what the catalogue was made with.
        self.control.clock(advance_seconds=120)
        self.control.clear_log()
        self.configure(locations=self.routes(locations))

    def routes(self, count: int) -> list[dict[str, Any]]:
        """NetSuite's locations, each to one of the store's."""
        return [
            {"netsuite": [books], "bigcommerce": shop}
            for books, shop in zip(NETSUITE_LOCATIONS[:count], range(1, count + 1), strict=True)
        ]

    def configure(self, **inventory: Any) -> None:
        """Change the mapping file; what is not given stays, and None removes a key."""
        self.mapping = {k: v for k, v in {**BASE, **self.mapping, **inventory}.items() if v is not None}
        self.write_mapping(inventory=self.mapping)

    def write_mapping(self, **sections: Any) -> None:
        """The mapping file, anew."""
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        (self.folder / "bcns.yaml").write_text(yaml.dump({"version": 1, **sections}, Dumper=dumper))

    def stock(self, sku: str, *on_hand: float, **terms: float) -> None:
        """NetSuite's stock of a SKU at its first, second … location; nothing is committed unless given."""
        for location, quantity in zip(NETSUITE_LOCATIONS, on_hand, strict=False):
            self.control.adjust(sku=sku, location=location, on_hand=quantity)
            self.control.adjust(sku=sku, location=location, **{"committed": 0, **terms})

    def later(self, seconds: float = 5) -> None:
        """The clock of both systems goes on."""
        self.control.clock(advance_seconds=seconds)

    def hold_back(self, sku: str, units: int, location: int = 1) -> None:
        """Set the store's own safety stock, through its API as a merchant's other tool would."""
        found = self.control.inventory(sku)[0]
        identity = {"variant_id": found["variant_id"]}
        body = {"settings": [{"identity": identity, "safety_stock": units}]}
        assert self.another_tool("PUT", f"/v3/inventory/locations/{location}/items", body) == 200
        wait_until(lambda: self.control.inventory(sku)[0]["safety_stock"][str(location)] == units)

    def another_tool(self, method: str, path: str, body: Any = None) -> int:
        """What a merchant's other tool does through the store's API; the status of the answer."""
        env = self.sandbox.env
        url = f"{env['BCNS_BIGCOMMERCE_BASE_URL']}/stores/{env['BCNS_BIGCOMMERCE_STORE_HASH']}{path}"
        headers = {"X-Auth-Token": env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"], "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        with OPENER.open(request) as answer:
            return int(answer.status)

    def shop(self, sku: str) -> tuple[int, ...]:
        """What the store shows of a SKU, by location, once everything accepted has been applied."""
        self.settle()
        return tuple(self.control.inventory(sku)[0]["on_hand"].values())

    def settle(self) -> None:
        """Wait until the store has taken every adjustment that it accepted."""
        wait_until(lambda: not self.control.limits()["adjustments_pending"])

    def whole_shop(self) -> dict[str, tuple[int, ...]]:
        """What the store shows of every SKU."""
        self.settle()
        return {row["sku"]: tuple(row["on_hand"].values()) for row in self.control.inventory()}

    def should_show(self, sku: str) -> tuple[int, ...]:
        """Availability in NetSuite by location, rounded down and never below 0."""
        rows = {row["location"]: Fraction(row["available"]) for row in self.control.levels(sku)}
        routes = self.mapping["locations"]
        return tuple(max(0, math.floor(sum(rows.get(at, 0) for at in one["netsuite"]))) for one in routes)

    def skus(self) -> list[str]:
        """SKUs with stock of their own that are in both systems."""
        return [row["sku"] for row in self.control.inventory() if row["sku"].startswith(("SKU-", "ASM-"))]

    def assert_in_step(self) -> None:
        """Every SKU shows exactly what NetSuite has, the outbox is empty, and the audit chain holds."""
        shown = self.whole_shop()
        wanted = {sku: self.should_show(sku) for sku in self.skus()}
        wrong = {sku: (shown[sku], one) for sku, one in wanted.items() if shown[sku] != one}
        assert not wrong, f"shown, wanted: {wrong}"
        self.assert_tidy()

    def assert_tidy(self) -> None:
        """Nothing is left open in the outbox, and the audit chain holds."""
        state = self.state()
        left = state.outbox.find()
        assert not left, f"left open in the outbox: {left}"
        audited = state.verify_audit()
        assert isinstance(audited, Verified), audited

    @contextlib.contextmanager
    def at(self, **addresses: str) -> Iterator[None]:
        """Other variables for the runs in the block, e.g. an address."""
        before = self.environment
        self.environment = {**before, **addresses}
        try:
            with variables(self.environment):
                yield
        finally:
            self.environment = before

    def age_pending(self, minutes: int) -> None:
        """As if what is out of step had been so for longer."""
        with self._engine.begin() as conn:
            conn.exec_driver_sql(
                f"update bcns.inventory_state set pending_since = pending_since - interval '{minutes} minutes'"
            )

    def tags(self, run: Run) -> dict[str, str]:
        """The tags of a run as Dagster's own retry daemon would read them."""
        found = self.instance.get_run_by_id(run.result.run_id)
        assert found is not None
        return dict(found.tags)

    def age_operations(self, minutes: int) -> None:
        """As if what is open in the outbox had been staged earlier."""
        with self._engine.begin() as conn:
            conn.exec_driver_sql(
                f"update bcns.operation set staged_at = staged_at - interval '{minutes} minutes'"
            )

    def end_other_sessions(self, keep: Worker) -> None:
        """The database server ends every session but that of `keep` and our own."""
        with self._engine.begin() as conn:
            conn.execute(
                sa.text(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
                    "and pid <> pg_backend_pid() and pid not in (select pid from pg_locks where locktype = "
                    "'advisory' and (classid::bigint << 32) | objid::bigint = :id)"
                ),
                {"id": keep.id},
            )
        self._engine.dispose()

    # -- our side --------------------------------------------------------------------------------------------

    def state(self, run_id: str = "test") -> State:
        return State(
            self._engine, self.environment["BCNS_BIGCOMMERCE_STORE_HASH"], run_id=run_id, actor="ada"
        )

    def job(self, name: str) -> dg.JobDefinition:
        """A job for one run, with short waits."""
        return _job(name, self._mapping_text())

    def definitions(self) -> dg.Definitions:
        """All that Dagster has of this merchant, with short waits."""
        return _definitions(self._mapping_text())

    def _mapping_text(self) -> str:
        file = Path(self.environment["BCNS_CONFIG"])
        return file.read_text() if file.exists() else ""

    def run(
        self,
        job: str = "inventory_sync",
        *,
        mode: str | None = None,
        run_config: Any = None,
        fails: bool = False,
    ) -> Run:
        """One run of a job in this process; fails the test where it fails, unless that is expected."""
        config = {"mode": mode} if mode else run_config or {}
        result = self.job(job).execute_in_process(
            run_config=config, instance=self.instance, raise_on_error=False
        )
        run = Run(result)
        assert run.success is not fails, run.failures
        return run

    def start(self, job: str = "inventory_sync", *options: str) -> Child:
        """The same in a process of its own, which a test may kill. `options` are those of one_run.py."""
        self._started_at = datetime.now(UTC)
        child = Child(self.folder, {**os.environ, **self.environment}, (job, *options))
        self.children.append(child)
        return child

    def kill(self, child: Child) -> None:
        """kill -9 of the child that was started last; returns once the database server has noticed, too."""
        assert child.poll() is None, child.stdout.read()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        # Until then the next run finds what the dead one has in its hands still held.
        wait_until(lambda: not self._sessions_since(self._started_at))

    def _sessions_since(self, moment: datetime) -> int:
        """Sessions of the database, but ours, that are no older."""
        query = sa.text(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
            "and backend_type = 'client backend' and backend_start >= :moment"
        )
        with self._engine.connect() as conn:
            return int(conn.execute(query, {"moment": moment}).scalar_one())

    def kill_at(self, job: str, fault: dict[str, Any], when: str) -> None:
        """A run of `job` is killed while it waits for the call that `fault` strikes; fails where it makes none."""

        def struck_or_ended() -> bool:
            # The call hangs for as long as it takes us to notice.
            time.sleep(0.1)
            return self.control.call("GET", "/faults") == [] or child.poll() is not None

        self.control.faults(fault)
        child = self.start(job)
        wait_until(struck_or_ended)
        assert child.poll() is None, f"{when}: the run ended before it was killed"
        self.kill(child)
        self.control.clear_faults()

    def puts(self) -> int:
        """Adjustment calls that reached the store."""
        return sum(entry["method"] == "PUT" for entry in self.control.log(system="bigcommerce"))

    def open_exceptions(self, code: str) -> list[ExceptionRow]:
        return self.state().exceptions.find(code=code)

    def approve(self, code: str) -> None:
        """A person allows it."""
        for found in self.open_exceptions(code):
            self.state().exceptions.resolve(found.id, "approved", "looked at it", actor="ada")


@lru_cache(maxsize=16)
def _definitions(_mapping: str) -> dg.Definitions:
    """As this mapping file has them, made once for all runs: the file's place is read from the environment."""
    return build_defs({"connections": Impatient()})


@lru_cache(maxsize=64)
def _job(name: str, mapping: str) -> dg.JobDefinition:
    return _definitions(mapping).resolve_job_def(name)


def _innermost(error: Any) -> str:
    """The cause behind Dagster's own words, with the place where it was raised."""
    while error.cause is not None:
        error = error.cause
    return f"{error.message}{''.join(error.stack[-1:])}"


def wait_until(true: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
    """Wait for something that another process does; fails the test where it does not happen."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.02)


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """These BCNS_ variables and no others, for a while."""
    before = {name: value for name, value in os.environ.items() if name.startswith("BCNS_")}
    for name in before:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("BCNS_")]:
            del os.environ[name]
        os.environ.update(before)


BASE: dict[str, Any] = {"settle_seconds": 2}
NETSUITE_LOCATIONS = (1, 6, 9, 12)
TROUBLES = (
    *("duplicates", "blanks", "netsuite_orphans", "bigcommerce_orphans", "inactive"),
    *("fractional", "negative", "untracked", "odd_skus"),
)
