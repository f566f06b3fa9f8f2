"""A payout of 25,000 lines, from the provider's API to the entry that NetSuite shows: calls, memory and time.

Run `python -m bcns_pipeline_tests.bench payout [LINES]`. Put the one run here. What is promised:
one page per hundred lines and two more at the provider, six at NetSuite, 500 MB.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bcns_pipeline.cli.local_payouts import payouts_section
from bcns_pipeline_tests.bench.order_bench import Place, measured, place

LINES = 25_000
NETSUITE_CALLS, MEGABYTES = 6, 500


def main(lines: int = LINES) -> int:
    """Print the rows; how many figures were missed."""
    with place() as here:
        _map(here.home / "bcns.yaml", here.sandbox.accounting)
        _paid(here, 3)
        _run(here)
        _paid(here, lines)
        here.control.clear_log()
        found = _run(here)
        asked = [one for one in here.control.log() if one["status"] != 429]
        at_provider = sum(one["system"] == "stripe" for one in asked)
        in_books = sum(one["system"] == "netsuite" for one in asked)
        pages = -(-lines // 100) + 2
        work = f"payout of {lines:,} lines"
        here.line(
            f"{work}: calls to the provider",
            str(at_provider),
            f"<= {pages}",
            "",
            reached=at_provider <= pages,
        )
        here.line(
            f"{work}: calls to NetSuite", str(in_books), f"<= {NETSUITE_CALLS}", "",
            reached=in_books <= NETSUITE_CALLS,
        )  # fmt: skip
        peak = found["peak_mb"]
        here.line(
            f"{work}: memory at its peak",
            f"{peak:.0f} MB",
            f"<= {MEGABYTES} MB",
            "",
            reached=peak <= MEGABYTES,
        )
        here.line(f"{work}: from API to posted entry", f"{found['wall_seconds']:.1f} s", "", "", reached=None)
        posted = here.ask("select count(*) from bcns.payout where status = 'draft_posted'")
        here.line(f"{work}: payouts posted", str(posted), "2", "", reached=posted == 2)
        return here.missed


def _map(path: Path, accounting: Any) -> None:
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**document, "payouts": payouts_section(accounting)}))


def _paid(here: Place, count: int) -> None:
    here.control.bulk_charges(count)
    here.control.payout_day("stripe", arrives=0, status="paid")


def _run(here: Place) -> dict[str, Any]:
    return measured(here.start("bcns_pipeline_tests.bench.one_run", "payout_posting"))
