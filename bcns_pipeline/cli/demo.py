"""`bcns demo`: the whole product on generated data, told step by step and checked from outside.

Put the order of the chapters here, and how it begins and ends. Do not put a chapter's story here (demo_stock.py,
demo_orders.py ...) nor how a job works; the real ones run, in this process, on the sandbox in a process of its own.
What the demo promises is compared with the sandbox's own books, and a broken promise is exit code 1.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from bcns_pipeline.cli import local
from bcns_pipeline.cli.admin import verify_audit
from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_faults import Faults
from bcns_pipeline.cli.demo_hooks import Hooks
from bcns_pipeline.cli.demo_money import Money
from bcns_pipeline.cli.demo_orders import Orders
from bcns_pipeline.cli.demo_shipping import Shipping
from bcns_pipeline.cli.demo_stage import Stage, verdict
from bcns_pipeline.cli.demo_stock import Cast, Stock, choose
from bcns_pipeline.cli.explain import explain_stock
from bcns_pipeline.cli.flows import dagster_instance
from bcns_pipeline.cli.local_money import merchant_sections
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.sandbox.launch import running
from bcns_pipeline.settings import load_settings

LATENCY_MS = 40
LOCATIONS = 2
FEWEST_SKUS = 500
STATEMENT_MS, POOL_SECONDS, POOL_OVERFLOW = 60_000, 3600, 4
# BigCommerce's quota is for the bench to obey; here it would only make the reader wait.
SANDBOX = (
    *("--quota", "0"),
    *("--shop", "marketplace=true", "--shop", "allow_http_hooks=true", "--shop", "retry_scale=0.01"),
)


def run_demo(skus: int) -> int:
    """The whole story; 0 when every promise was kept, else 1. Raises BadInput where it can't begin."""
    if skus < FEWEST_SKUS:
        raise BadInput([f"--skus {skus} is too few for the story; write {FEWEST_SKUS} or more."])
    began, program = time.monotonic(), Path(sys.argv[0]).absolute()
    where = Path.cwd()
    with local.private_home("demo") as home:
        say(f"Starting a BigCommerce and a NetSuite of {skus:,} SKUs in {LOCATIONS} locations ...")
        with running(
            skus=skus, locations=LOCATIONS, latency_ms=LATENCY_MS, stock="stale", arguments=SANDBOX
        ) as sandbox:
            mapping = local.write_mapping(
                home, sandbox.locations, sections=merchant_sections(sandbox.accounting)
            )
            local.move_in(home, local.environment(home, mapping.path, sandbox.env, "demo"))
            say("Starting PostgreSQL ...")
            with dagster_instance() as instance:
                # Dagster opens a connection a query, some 200 a run, unless it is told that it will ask often.
                instance.optimize_for_webserver(
                    statement_timeout=STATEMENT_MS, pool_recycle=POOL_SECONDS, max_overflow=POOL_OVERFLOW
                )
                cast = choose(sandbox.control.books(), LOCATIONS, random.Random(1))  # noqa: S311 - no secret
                stage = Stage(sandbox, instance)
                tell(stage, cast, mapping)
                kept = conclude(stage)
    say(f"\nDemo time: {time.monotonic() - began:.0f} s (installation not included).")
    if kept:
        ask = f"BCNS_HOME={os.path.relpath(home, where)} {os.path.relpath(program, where)}"
        say(f"Its database is still there to be asked: {ask} explain sku {cast.moved[0]}")
    return 0 if kept else 1


def tell(stage: Stage, cast: Cast, mapping: local.MappingFile) -> None:
    """All chapters, in their order."""
    Stock(stage, cast).tell()
    why(stage, cast.kit)
    Orders(stage, mapping, cast.sold).tell()
    Shipping(stage, cast).tell()
    Hooks(stage).tell()
    Faults(stage).tell()
    Money(stage, cast).tell()
    proof(stage)


def why(stage: Stage, kit: str) -> None:
    """One number, explained."""
    stage.title(f"Why is it {stage.shows(kit)}?  $ bcns explain sku {kit}")
    stage.promise(f"{kit} can be explained", explain_stock(kit, None) == 0)


def proof(stage: Stage) -> None:
    """The audit chain, recomputed."""
    stage.title("Is it all on record?  $ bcns audit verify")
    stage.promise("the audit chain holds", verify_audit(None) == 0)


def conclude(stage: Stage) -> bool:
    """Checks, open questions and promises; whether all promises were kept."""
    stage.title("What Dagster's checks say")
    stage.show_checks()
    failed = {name for (_, name), found in stage.checks.items() if verdict(found).plain == "FAILED"}
    unmeant = failed - stage.meant_to_fail
    stage.promise(
        f"no check found an error but {', '.join(sorted(stage.meant_to_fail))}, which caught the drift",
        failed == stage.meant_to_fail,
        ", ".join(sorted(unmeant)),
    )
    with remembered(load_settings()) as state:
        counts = Counter((one.code, one.severity, one.owner) for one in state.exceptions.find())
    say(
        "Open questions (the generated catalogue has its oddities, as real ones have; orders wait as told above):"
    )
    show_table(["code", "severity", "owner", "how many"], [(*key, n) for key, n in sorted(counts.items())])
    return stage.all_kept()
