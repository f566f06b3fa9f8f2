"""Runs in processes of their own that cost no second of importing: forked from a server that has all modules.

Put here how such a process is made and watched. A child is a plain fork, so `kill -9` ends it as it would end a
run of Dagster's; the server has run nothing, so a child begins as a fresh interpreter does, only 3 s of CPU
earlier. Each pytest worker has a server of its own, which ends with it.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sys
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["bcns_pipeline_tests.defs.one_run"])


class Child:
    """One run of a job (`one_run.py`), or of `bcns`, with the part of `subprocess.Popen` that tests use."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        arguments: tuple[str, ...],
        program: str = "one_run",
    ) -> None:
        said = folder / f"child-{secrets.token_hex(4)}.txt"
        said.touch()
        _ensure_server()
        self._process = _SERVER.Process(
            target=_run, args=(str(folder), dict(environment), str(said), arguments, program)
        )
        self._process.start()
        self.stdout: TextIO = said.open()

    @property
    def pid(self) -> int:
        """Its own process id, not the server's."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """As `poll`."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; raises TimeoutError where it does not end in time."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f"the run did not end within {seconds} seconds")
        return self._process.exitcode

    def close(self) -> None:
        """It is gone, whether it had ended or not."""
        if self.poll() is None:
            self._process.kill()
        self.wait()
        self.stdout.close()


def _ensure_server() -> None:
    # The server inherits no list of folders to import from but this.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _run(
    folder: str, environment: dict[str, str], said: str, arguments: tuple[str, ...], program: str
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(said, os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = [program, *arguments]
    if program == "bcns":
        from bcns_pipeline.cli.main import main as command_line

        command_line()
        return
    # Only now: this module is also imported by the test, which has no need of it.
    from bcns_pipeline_tests.defs.one_run import main

    sys.exit(main(arguments))
