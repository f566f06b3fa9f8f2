"""Starting a sandbox in a process of its own, and a small client for its control endpoint.

Put what tests, the demo and the bench need to run a sandbox here. Do not import the doubles here: the
starting process must not pay for them. The client is urllib only, so that it never shares code with the
client under test.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from bcns_pipeline.sandbox.bank.verbs import BankVerbs
from bcns_pipeline.sandbox.office_verbs import OfficeVerbs
from bcns_pipeline.sandbox.payments.verbs import PaymentVerbs
from bcns_pipeline.sandbox.shop_verbs import ShopVerbs

START_SECONDS = 60.0
STOP_SECONDS = 5.0


class SandboxFailed(Exception):
    """The sandbox did not start, or refused a verb; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Control(ShopVerbs, OfficeVerbs, PaymentVerbs, BankVerbs):
    """The control endpoint's verbs; each returns the parsed answer or raises `SandboxFailed`."""

    url: str
    timeout: float = 60.0

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any verb."""
        address = self.url + path + ("?" + urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data=data, method=method)  # noqa: S310 - loopback http
        try:
            with OPENER.open(request, timeout=self.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as fault:
            raise SandboxFailed(json.loads(fault.read())["error"]) from fault

    def seed(self, **options: Any) -> Any:
        """A new catalogue: skus, locations, seed, stock, troubles ("none", "default" or numbers by kind)."""
        return self.call("POST", "/seed", options)

    def adjust(self, changes: Sequence[Mapping[str, Any]] | None = None, **change: Any) -> Any:
        """NetSuite stock: item or sku, location, on_hand or delta; `all=True, delta=1` moves everything."""
        return self.call("POST", "/netsuite/stock", list(changes) if changes is not None else change)

    def levels(self, sku: str) -> Any:
        """NetSuite's stock rows of an item number."""
        return self.call("GET", "/netsuite/stock", sku=sku)

    def item(self, **fields: Any) -> Any:
        """Change (or with create=True add) a NetSuite item named by sku or item."""
        return self.call("POST", "/netsuite/item", fields)

    def members(self, sku: str, members: Sequence[Mapping[str, Any]]) -> Any:
        """What a kit is made of: each of `members` has sku and quantity."""
        return self.call("POST", "/netsuite/members", {"sku": sku, "members": list(members)})

    def edit(self, changes: Sequence[Mapping[str, Any]] | None = None, **change: Any) -> Any:
        """Stock set by hand in the shop: sku, location_id, quantity."""
        return self.call("POST", "/bigcommerce/stock", list(changes) if changes is not None else change)

    def product(self, **fields: Any) -> Any:
        """Rename (new_sku), hide (is_visible) or delete (deleted) what `sku` names in the shop."""
        return self.call("POST", "/bigcommerce/product", fields)

    def order(self, **order: Any) -> Any:
        """An order in the shop: sku, quantity, location_id. NetSuite is not told."""
        return self.call("POST", "/order", order)

    def post_order(self, **order: Any) -> Any:
        """Tell NetSuite: order_id of a placed order, or sku, quantity and location."""
        return self.call("POST", "/netsuite/order", order)

    def faults(self, *faults: Mapping[str, Any]) -> Any:
        """Set faults: system, kind, path_regex, method, times, skip, status, ms, after_commit."""
        return self.call("POST", "/faults", list(faults))

    def arrive(self) -> Any:
        """What a fault of kind `late` holds up arrives now; the log shows it as "arrived"."""
        return self.call("POST", "/faults/arrive", {})

    def clear_faults(self) -> Any:
        """No more faults."""
        return self.call("DELETE", "/faults")

    def clock(self, **change: float) -> Any:
        """advance_seconds or offset_seconds; without either just the time."""
        return self.call("POST", "/clock", change) if change else self.call("GET", "/clock")

    def log(self, since: int = 0, system: str | None = None) -> Any:
        """Calls that were answered, oldest first."""
        return self.call("GET", "/log", since=since, **({"system": system} if system else {}))

    def clear_log(self) -> int:
        """Forget the log; returns the last number, to be used as `since`."""
        return int(self.call("DELETE", "/log")["seq"])

    def cpu(self) -> Any:
        """The sandbox's own costs per operation, in seconds."""
        return self.call("GET", "/cpu")

    def clear_cpu(self) -> Any:
        """Count costs anew."""
        return self.call("DELETE", "/cpu")

    def latency(self, ms: float) -> Any:
        """Latency of every call from now on."""
        return self.call("POST", "/latency", {"ms": ms})

    def limits(self, **limits: Any) -> Any:
        """quota, quota_window_ms, concurrency, token_seconds, adjustment_delay_ms."""
        return self.call("POST", "/limits", limits)

    def role(self, **role: Any) -> Any:
        """administrator, hidden_tables, hidden_records: what the integration's role may see."""
        return self.call("POST", "/netsuite/role", role)

    def inventory(self, sku: str | None = None) -> Any:
        """The shop's stock as it is at this moment."""
        return self.call("GET", "/state/bigcommerce/inventory", **({"sku": sku} if sku else {}))

    def books(self) -> Any:
        """NetSuite's items with what is available where, and the members of its kits, at this moment."""
        return self.call("GET", "/state/netsuite/stock")


# Proxies of the environment have no business between two processes of one machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class Sandbox:
    """A running sandbox.

    `env` are the BCNS_* variables that point a pipeline at it, `accounting` the ids that a mapping file needs
    (see netsuite/account.py).
    """

    process: subprocess.Popen[str]
    bigcommerce_url: str
    netsuite_url: str
    control: Control
    env: dict[str, str]
    stripe_url: str = ""
    locations: list[dict[str, int]] = field(default_factory=list)
    token_url: str = ""
    accounting: dict[str, Any] = field(default_factory=dict)

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    *,
    skus: int = 1000,
    locations: int = 2,
    seed: int = 1,
    latency_ms: float = 0.0,
    stock: str = "zero",
    python: str = sys.executable,
    arguments: Sequence[str] = (),
) -> Sandbox:
    """Start a sandbox and wait until it answers.

    `arguments` are further command line switches (see __main__).
    """
    command = [python, "-m", "bcns_pipeline.sandbox", "--exit-with-parent"]
    for name, value in (("skus", skus), ("locations", locations), ("seed", seed), ("latency-ms", latency_ms)):
        command += [f"--{name}", str(value)]
    command += ["--stock", stock, *arguments]
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # In a session of its own: Ctrl-C is for whoever started us, who ends the sandbox when all else has ended.
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, stdout=subprocess.PIPE, text=True, env=env, start_new_session=True
    )
    line = first_line(process)
    if not line:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        raise SandboxFailed("The sandbox ended before it was ready; its error is on standard error.")
    ready = json.loads(line)
    return Sandbox(
        process=process,
        bigcommerce_url=ready["bigcommerce_url"],
        netsuite_url=ready["netsuite_url"],
        control=Control(ready["control_url"]),
        env=ready["env"],
        stripe_url=ready["stripe_url"],
        locations=ready["locations"],
        token_url=ready["token_url"],
        accounting=ready["accounting"],
    )


def first_line(process: subprocess.Popen[str]) -> str:
    """The line that says the sandbox is ready; empty when it ended or took too long."""
    lines: list[str] = []
    stdout = process.stdout
    assert stdout is not None
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    reader.join(START_SECONDS)
    return lines[0] if lines else ""


@contextlib.contextmanager
def running(**options: Any) -> Iterator[Sandbox]:
    """`start` as a context manager that says what it is."""
    sandbox = start(**options)
    try:
        yield sandbox
    finally:
        sandbox.stop()
