"""Users of an embedded server in processes of their own, which tests can kill.

Put here how such a process is started and how the server's processes are found. Do not put tests here.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from bcns_pipeline.state.embedded import EmbeddedServer, installed_programs
from bcns_pipeline.state.server_folder import SHORT, Folders
from bcns_pipeline.state.server_processes import living_server, servers_working_in

_USER = """
import sys
from pathlib import Path
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.embedded import EmbeddedServer
try:
    lease = EmbeddedServer(Path(sys.argv[1]), programs=Path(sys.argv[2])).acquire()
except BadInput as bad:
    print("fault", *bad.faults, flush=True)
else:
    print(lease.url, flush=True)
    sys.stdin.read()  # holds the lease until our parent closes the pipe
"""


@functools.cache
def quick_programs() -> Path:
    """PostgreSQL that does not wait for the disk: tests end processes and no machine."""
    folder = Path(tempfile.mkdtemp(prefix="bcns-programs-", dir=SHORT))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for name, more in (("initdb", "--no-sync --wal-segsize=1"), ("postgres", "-F")):
        # `postgres --version` takes no other option.
        add = f'[ "$1" = --version ] || set -- "$@" {more}'
        (folder / name).write_text(f'#!/bin/sh\n{add}\nexec "{installed_programs() / name}" "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def server_of(home: Path) -> EmbeddedServer:
    """The embedded server of `home`, quick."""
    return EmbeddedServer(home, programs=quick_programs())


class User:
    """A process that acquires a lease on the server of `home`, and holds it until it is killed or closed."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(home), str(quick_programs())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def url(self) -> str:
        """What it was given; "fault ..." with the sentences where it was refused."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        """As the kernel does it when memory runs out."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def folders(home: Path) -> Folders:
    return Folders(home.resolve() / "postgres")


def postmaster(home: Path) -> int | None:
    """Id of the running server of `home`."""
    return living_server(folders(home).data)


def keeper(home: Path) -> int:
    """Id of the process that keeps the server of `home`."""
    return int(folders(home).keeper_lock.read_text())


def kill(pid: int | None) -> None:
    """kill -9, and wait until it is gone."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))


def alive(pid: int) -> bool:
    """A zombie is not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_down(home: Path) -> bool:
    return not servers_working_in(folders(home).data)


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
