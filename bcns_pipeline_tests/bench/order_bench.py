"""A shop and an account with orders to post between them: what the rows about orders share.

Put here the place, the mapping file, the lanes as processes and how calls are counted. Do not put a figure here.
Latency differs by system: 100 ms for both, and 100 ms more on the way into NetSuite.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
import yaml

from bcns_pipeline.sandbox import launch
from bcns_pipeline.state.engine import create_engine, embedded_url
from bcns_pipeline_tests.defs.order_flow import OrderFlow

NETSUITE, BIGCOMMERCE = 0.2, 0.1
SLOTS, SHOP_SLOTS = 5, 5
WINDOW = 30
STANDARD, PRO = 150, 450
SKUS = 400


@dataclass(slots=True)
class Place:
    """A sandbox in its own process, and a state of its own in a temporary home."""

    sandbox: launch.Sandbox
    home: Path
    missed: int = 0
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def control(self) -> launch.Control:
        return self.sandbox.control

    @property
    def store(self) -> str:
        """The store's hash."""
        return self.sandbox.env["BCNS_BIGCOMMERCE_STORE_HASH"]

    @property
    def env(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("BCNS_", "DAGSTER"))
        }
        return {
            **kept,
            **self.sandbox.env,
            "BCNS_HOME": str(self.home / ".bcns"),
            "BCNS_CONFIG": str(self.home / "bcns.yaml"),
            "BCNS_DATA_KEY": base64.b64encode(b"b" * 32).decode(),
            "BCNS_NETSUITE_CONCURRENCY": str(SLOTS),
            **self.extra,
        }

    def line(self, work: str, figure: str, floor: str, ratio: str, *, reached: bool | None) -> None:
        """One row; None = printed for the reader, with nothing to reach."""
        word = "" if reached is None else "reached" if reached else "missed"
        self.missed += reached is False
        print(f"{work:<62} | {figure:>16} | {floor:>16} | {ratio:>9} | {word}", flush=True)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """A module of the bench in a process of its own."""
        command = [sys.executable, "-W", "ignore", "-m", *arguments]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env={**self.env, **variables}, **pipes)

    def lane(self, *arguments: str, **variables: str) -> dict[str, Any]:
        """What a lane measured, once it has ended."""
        return measured(self.start("bcns_pipeline_tests.bench.order_lane", *arguments, **variables))

    def weather(self, *, calm: bool) -> None:
        """Latency of every call from now on; none where it is calm."""
        self.control.clear_faults()
        self.control.latency(0 if calm else BIGCOMMERCE * 1000)
        if not calm:
            more = (NETSUITE - BIGCOMMERCE) * 1000
            self.control.faults(
                {"system": "netsuite", "kind": "latency", "path_regex": "", "ms": more, "times": None}
            )

    def ask(self, query: str, **values: Any) -> Any:
        """One value of our database."""
        engine = create_engine(embedded_url(self.home / ".bcns"))
        try:
            with engine.connect() as conn:
                return conn.execute(sa.text(query), values).scalar_one()
        finally:
            engine.dispose()

    def calls(self) -> Counter[str]:
        """Calls since the log was cleared: "netsuite POST suiteql" and the like."""
        return Counter(
            f"{one['operation']} {one['method']}" for one in self.control.log() if one["status"] != 429
        )

    def service(self) -> dict[str, float]:
        """Mean service seconds by operation since costs were cleared; unloaded where calls were serial."""
        costs = self.control.cpu()["operations"]
        return {name: one["service_total"] / one["count"] for name, one in costs.items() if one["count"]}


@contextmanager
def place(*, skus: int = SKUS, inventory: Mapping[str, Any] | None = None) -> Iterator[Place]:
    """A shop on an unlimited plan (`control.limits` sets one) and an account of more slots than our share."""
    home = Path(tempfile.mkdtemp(prefix="bcns-bench-"))
    # Where the server's own user can't enter, its data would go elsewhere and stay there.
    home.chmod(0o755)
    arguments = [
        "--quota",
        "0",
        "--concurrency",
        str(2 * SLOTS),
        "--troubles",
        "none",
        "--shop",
        "allow_http_hooks=true",
    ]
    try:
        with launch.start(skus=skus, locations=2, stock="in-step", arguments=arguments) as sandbox:
            found = Place(sandbox, home)
            # It asks for nothing but the sandbox's own ids.
            mapped = OrderFlow.mapped(cast(Any, found))
            routes = [
                {"netsuite": [one["netsuite"]], "bigcommerce": one["bigcommerce"]}
                for one in sandbox.locations
            ]
            document = {"version": 1, "inventory": {"locations": routes, **(inventory or {})}, **mapped}
            (home / "bcns.yaml").write_text(yaml.safe_dump(document))
            yield found
    finally:
        shutil.rmtree(home, ignore_errors=True)


def books(here: Place) -> list[dict[str, str]]:
    """NetSuite's records of orders that carry a key of ours."""
    return [one for one in here.control.transactions() if "-order-" in str(one["external_id"])]


def measured(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON of a module's last line; ends the bench where it failed."""
    said, complained = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args} failed:\n{said[-2000:]}\n{complained[-6000:]}")
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


def total(calls: Mapping[str, int], *prefixes: str) -> int:
    """How many calls were of these operations."""
    return sum(count for name, count in calls.items() if name.startswith(prefixes))


def pieces(count: int, size: int) -> int:
    """How many batches."""
    return -(-count // size)


def spread(seconds: Sequence[float], part: float) -> float:
    """A percentile, by the nearest rank."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * part))]
