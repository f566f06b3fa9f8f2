"""How commands speak, wherever they are read: on a wide screen, a narrow one, in a pipe, and by `head`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bcns_pipeline.cli import console
from bcns_pipeline_tests.conftest import ROOT

COLUMNS = [f"amount_{number}" for number in range(30)]
AMOUNTS = [f"{number},123.45" for number in range(30)]


def test_no_amount_is_broken_in_a_pipe_or_on_a_screen_that_is_too_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console.show_table(COLUMNS, [AMOUNTS], unbroken=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert COLUMNS in lines
    assert AMOUNTS in lines

    def narrow(_at_least: int = 0) -> Console:
        return Console(highlight=False, markup=False, width=40)

    monkeypatch.setattr(console, "terminal", narrow)
    console.show_table(COLUMNS, [AMOUNTS, AMOUNTS], unbroken=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for pair in zip(COLUMNS, AMOUNTS, strict=True):
        assert lines.count(list(pair)) == 2


def test_whoever_reads_the_first_lines_only_gets_no_complaint(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "bcns_pipeline", "doctor"]
    env = {"PYTHONPATH": str(ROOT), "BCNS_DATABASE_URL": "nonsense", "HOME": str(tmp_path)}
    with subprocess.Popen(
        run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaints = process.stderr.read()
    assert complaints == ""
