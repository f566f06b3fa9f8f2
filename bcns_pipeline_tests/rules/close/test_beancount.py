"""The ledger export before a judge that shares no code with us: `bean-check`, run as a program.

Put here what only another program can say. What the export is made of is in `cli/test_reports.py`.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from bcns_pipeline.rules.close.beancount import export


def bean_check(path: Path) -> str:
    """What the program finds wrong with a ledger; "" for nothing."""
    program = Path(sys.executable).with_name("bean-check")
    done = subprocess.run(
        [program, "--no-cache", path], capture_output=True, text=True, check=False, timeout=180
    )
    assert (done.returncode == 0) is not bool(done.stderr), done
    return done.stderr


def entry(key: str, currency: str, *legs: tuple[int, str, int], **head: Any) -> list[dict[str, Any]]:
    """Rows of one entry: account, role and minor units, a debit positive."""
    return [
        {
            "natural_key": key, "kind": "payout", "tran_date": date(2026, 3, 4), "currency": currency, "approved": True,
            "account": account, "role": role, "debit": max(minor, 0), "credit": max(-minor, 0), **head,
        }
        for account, role, minor in legs
    ]  # fmt: skip


def example(off: int = 0) -> list[dict[str, Any]]:
    """Entries of three currencies, one unapproved, one reversed, one with a role that nobody knows."""
    payout = ((1010, "bank", 567_063 + off), (6110, "fees", 19_583), (1130, "clearing", -586_646))
    return [
        *entry("psp-stripe-a-payout-po_1", "USD", *payout),
        *entry("psp-stripe-a-payout-po_1-rev1", "USD", *((a, r, -m) for a, r, m in payout), kind="reversal"),
        *entry('odd "key"\\', "JPY", (1011, "bank", 10_500), (1131, "clearing", -10_500), approved=False),
        *entry(
            "dinars", "BHD", (1012, "bank", 1_005), (9999, "whatever", -1_005), tran_date=date(2026, 3, 2)
        ),
    ]


def test_another_program_finds_nothing_wrong_with_the_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "journals.beancount"
    ledger.write_text(export(example()))
    assert bean_check(ledger) == ""


def test_a_cent_too_much_is_found_by_it(tmp_path: Path) -> None:
    ledger = tmp_path / "journals.beancount"
    ledger.write_text(export(example(off=1)))
    said = bean_check(ledger)
    assert "does not balance" in said
    assert "0.01 USD" in said
