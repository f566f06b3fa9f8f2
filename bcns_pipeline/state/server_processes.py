"""Who works in a data folder: told by the kernel, because the id in a pid file proves nothing.

Put here how server processes are found, and how the remains of a killed one are cleared away. Do not put here
how one is started or stopped. Standard library only, because the keeper runs without site-packages.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from bcns_pipeline.state.server_folder import SOCKET, Place, socket_folder

PROC = Path("/proc")


def servers_working_in(data: Path) -> list[int]:
    """Ids of the postgres processes whose working folder is `data`; zombies do not count.

    The id in a pid file proves nothing: after a reboot, or in a copied checkout, it is somebody else's.
    """
    if not PROC.is_dir():
        return _servers_by_command_line(data)
    found: list[int] = []
    if not data.exists():
        return found
    here = data.stat()
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            there = (entry / "cwd").stat()
            same = (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
            # A person's shell may stand in the folder: it neither counts nor is ever signalled.
            if same and (entry / "comm").read_text().strip() == "postgres":
                found.append(int(entry.name))
    return found


def _servers_by_command_line(data: Path) -> list[int]:
    """Without /proc (macOS) only the postmaster is seen; it refuses to start beside its orphans by itself."""
    listing = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,stat=,command="], check=True, capture_output=True, text=True
    )
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    return [
        int(row[0])
        for row in rows
        if len(row) == 3 and "Z" not in row[1] and f"postgres -D {data} " in row[2] + " "
    ]


def living_server(data: Path) -> int | None:
    """The postmaster of `data`, or None. Its orphans do not count as one."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        named = int((data / "postmaster.pid").read_text().splitlines()[0])
        return named if named in servers_working_in(data) else None
    return None


def clear_remains(place: Place, patience_seconds: float = 1.0) -> None:
    """Remove what a killed postmaster left: first its orphans, then its pid file and socket.

    Orphans notice the death by themselves within moments; one that does not is ended, because it still
    holds the shared memory, and with no postmaster left nothing it does can count any more.
    """
    for number in (None, signal.SIGQUIT, signal.SIGKILL):
        deadline = time.monotonic() + patience_seconds
        while orphans := servers_working_in(place.data):
            if number is not None:
                for orphan in orphans:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(orphan, number)
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            break
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    folder = socket_folder(place)
    for name in (SOCKET, f"{SOCKET}.lock"):
        (folder / name).unlink(missing_ok=True)
