"""What the demo stands on: the sandbox, Dagster's instance, the promises made and what became of them.

Put here how a step runs a job, looks into the sandbox and shows what it found. Do not put the story here
(`demo.py`). Everything that decides whether a promise was kept comes from the sandbox's own books and log.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import ExecuteInProcessResult
from rich.text import Text

from bcns_pipeline.cli.console import say, show_table, terminal
from bcns_pipeline.cli.flows import execute, metadata_of, table_of
from bcns_pipeline.cli.truth import Line, compare
from bcns_pipeline.sandbox.launch import Control, Sandbox

LEVELS = "bigcommerce/inventory_levels"
WRITES = ("PUT", "POST", "DELETE", "PATCH")
SHOWN = 12


@dataclass(slots=True)
class Stage:
    """One performance. `promises` collects what was said would happen, and whether it did."""

    sandbox: Sandbox
    instance: dg.DagsterInstance
    promises: list[tuple[str, bool]] = field(default_factory=list)
    checks: dict[tuple[str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)
    # Checks that a chapter made fail on purpose, to show that they do.
    meant_to_fail: set[str] = field(default_factory=set)
    step: int = 0
    seen: int = 0

    @property
    def control(self) -> Control:
        """The hand that moves the sandbox."""
        return self.sandbox.control

    def title(self, text: str) -> None:
        """The next step."""
        self.step += 1
        terminal().print(Text(f"\n{self.step}. {text}", style="bold cyan"))

    def promise(self, text: str, kept: bool, otherwise: str = "") -> None:
        """Say whether it was kept, and remember it."""
        self.promises.append((text, kept))
        mark = Text.assemble(("✓ ", "green") if kept else ("✗ ", "bold red"), text)
        terminal().print(mark if kept or not otherwise else mark + Text(f": {otherwise}"))

    def all_kept(self) -> bool:
        """Whether every promise was kept, with the broken ones once more."""
        kept = sum(done for _, done in self.promises)
        self.title(f"{kept} of {len(self.promises)} promises kept")
        for text, done in self.promises:
            if not done:
                terminal().print(Text.assemble(("  BROKEN  ", "bold red"), text))
        return kept == len(self.promises)

    def run(
        self, job: str, *, day: str | None = None, config: Mapping[str, Any] | None = None
    ) -> ExecuteInProcessResult:
        """One run of a job (or of its partition `day`), with what its steps say; a failed run is a broken promise."""
        self.seen = self.control.clear_log()
        terminal().print(Text(f"→ {job}{f' of {day}' if day else ''}", style="bold"))
        began = time.monotonic()
        result = execute(job, self.instance, run_config=config, say=say, day=day)
        self.promise(f"{job} succeeded in {time.monotonic() - began:.1f} s", result.success)
        for found in result.get_asset_check_evaluations():
            self.checks["/".join(found.asset_key.path), found.check_name] = found
        return result

    def calls(self) -> list[dict[str, Any]]:
        """What both systems were asked since the last run began, the token apart, from the sandbox's log."""
        return [call for call in self.control.log(since=self.seen) if not call["operation"].endswith("token")]

    def writes(self) -> list[dict[str, Any]]:
        """Those of them that write: NetSuite is only ever asked, though its queries are POSTs."""
        return [
            call
            for call in self.calls()
            if call["method"] in WRITES and call["operation"] != "netsuite.suiteql"
        ]

    def lines(self) -> list[Line]:
        """The truth about every level."""
        return compare(self.control.books(), self.control.inventory(), self.sandbox.locations)

    def shows(self, sku: str) -> int:
        """What the shop shows in location 1."""
        return int(self.control.inventory(sku)[0]["on_hand"]["1"])

    def show_changes(self, result: ExecuteInProcessResult) -> None:
        """The first lines of what the run changed, and why."""
        columns, rows = table_of(result, "inventory/diff", "changes")
        show_table(columns, rows[:SHOWN])
        if len(rows) > SHOWN:
            say(f"... and {len(rows) - SHOWN} more.")

    def show_calls(self, result: ExecuteInProcessResult, most: int) -> None:
        """API calls against the fewest possible, from the sandbox's log; at most `most` were promised."""
        calls = self.calls()
        counts = Counter(call["operation"] for call in calls)
        say("API calls: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        fewest = metadata_of(result, LEVELS).get("api_calls_minimum")
        self.promise(
            f"{len(calls)} API calls; the fewest that can do it are {fewest}, at most {most} were promised",
            len(calls) <= most,
        )

    def show_checks(self) -> None:
        """The last result of each check."""
        rows = [
            (asset, name, verdict(found), facts(found))
            for (asset, name), found in sorted(self.checks.items())
        ]
        show_table(["asset", "check", "last result", "found"], rows)


def differing(lines: Sequence[Line]) -> list[Line]:
    """Those that do not show what they should."""
    return [line for line in lines if line.should != line.shows]


def told(lines: Sequence[Line]) -> str:
    """The first few of them."""
    some = [f"{one.sku} in {one.location} shows {one.shows} and should {one.should}" for one in lines[:5]]
    return ", ".join(some) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")


def verdict(found: dg.AssetCheckEvaluation) -> Text:
    """A check's result in a word: a warning is for a person to look at, a failure breaks the demo."""
    if found.passed:
        return Text("passed", style="green")
    warned = found.severity is dg.AssetCheckSeverity.WARN
    return Text("look at it", style="yellow") if warned else Text("FAILED", style="bold red")


def facts(found: dg.AssetCheckEvaluation) -> str:
    """What a check noted, in one line."""
    values = {name.replace("_", " "): value.value for name, value in found.metadata.items()}
    return "; ".join(f"{name} {value}" for name, value in values.items() if value not in (None, ""))
