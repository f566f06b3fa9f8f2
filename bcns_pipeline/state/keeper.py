"""The keeper: one small process per home that starts PostgreSQL, restarts it, and stops it in the end.

Put here the life of the server process. Do not put here anything that needs an installed package:
`embedded.py` runs this with the bare interpreter (`python -I -S`), so that a keeper costs 13 MB and not 100.
The protocol between the two is written down in `embedded.py`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.server_folder import (
    MAJOR,
    Folders,
    Place,
    find_place,
    give_to_owner_of_parent,
    socket_folder,
)
from bcns_pipeline.state.server_processes import clear_remains, living_server, servers_working_in
from bcns_pipeline.state.server_programs import build, last_words, open_log, reachable_programs

READY_SECONDS = 60.0
# A server that dies this often, each time this young, is left alone until somebody asks for it again.
QUICK_DEATHS = 3
STEADY_SECONDS = 5.0

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Dagster opens a connection per query; webserver, daemon, four runs and eight threads each must fit.
    "max_connections": "200",
    "shared_buffers": "128MB",
    # A full sync writes its 200,000 lines over two connections, which with the default of 4 MB wait for each other.
    "wal_buffers": "16MB",
    "fsync": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "max_locks_per_transaction": "128",
    # Workers would cost start-up time, and /dev/shm, of which a container has 64 MB.
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "dynamic_shared_memory_type": "mmap",
    "jit": "off",
    # A client killed during a long statement lets go of its advisory locks within this time.
    "client_connection_check_interval": "2s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] %q%a ",
}


def open_lock(path: Path) -> int:
    """A descriptor to flock, which programs we start do not inherit. Another user's file will do as well."""
    with contextlib.suppress(PermissionError):
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        give_to_owner_of_parent(path)
        return fd
    return os.open(path, os.O_RDONLY)


def try_lock(fd: int, how: int) -> bool:
    """Take the flock `how` (LOCK_SH or LOCK_EX) now, or return False."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Keeper:
    """Holds `keeper_lock` while it lives: there is one per home. Nobody else starts or stops the server."""

    def __init__(self, root: Path, programs: Path) -> None:
        self._folders = Folders(root)
        self._programs = programs
        self._server: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._changing = threading.Lock()

    def run(self, report: int) -> int:
        """Serve until the last lease is gone; returns an exit code.

        Writes one JSON line to the descriptor `report` as soon as it is clear how the start went:
        {"state": "ready" | "busy"} or {"fault": sentence}.
        """
        try:
            lock = open_lock(self._folders.keeper_lock)
            if not self._lock_within(lock, seconds=0.5):
                _tell(report, {"state": "busy"})
                return 0
            # For people who look; the lock and not the number says whether a keeper lives.
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
            place = find_place(self._folders)
            # Where the data lies in /var/tmp, systemd-tmpfiles spares what lies below a folder with a flock.
            guard = os.open(place.base, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(guard, fcntl.LOCK_SH)
            self._programs = reachable_programs(self._programs, place)
            self._bring_up(place)
        except BadInput as bad:
            _tell(report, {"fault": " ".join(bad.faults)})
            return 1
        except (OSError, subprocess.SubprocessError) as error:
            _tell(report, {"fault": f"The embedded PostgreSQL cannot work in {self._folders.root}: {error}."})
            return 1
        _tell(report, {"state": "ready"})
        signal.signal(signal.SIGTERM, self._on_terminate)
        threading.Thread(target=self._stop_behind_the_last_user, args=(place,), daemon=True).start()
        return self._keep_up(place)

    @staticmethod
    def _lock_within(lock: int, seconds: float) -> bool:
        """A client that only looks whether a keeper lives holds the lock for an instant: ask repeatedly."""
        deadline = time.monotonic() + seconds
        while not try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _bring_up(self, place: Place) -> None:
        version_file = place.data / "PG_VERSION"
        if not version_file.exists():
            if place.data.exists():
                # Not ours to judge: kept aside for a person.
                place.data.rename(place.base / f"data-without-version-{time.time_ns()}")
            build(place, self._programs, self._folders.log)
        version = version_file.read_text().strip()
        if version != str(MAJOR):
            raise BadInput(
                [
                    f"{place.data} was written by PostgreSQL {version}, and this is {MAJOR}: dump it with "
                    f"version {version} and move it away, or set BCNS_DATABASE_URL."
                ]
            )
        with self._changing:
            if self._stopping:
                return
            self._child = None
            self._server = living_server(place.data)
            if self._server is None:
                clear_remains(place)
                self._child = self._start(place)
                self._server = self._child.pid
        self._await_ready(place)

    def _start(self, place: Place) -> subprocess.Popen[bytes]:
        socket = socket_folder(place)
        quoted = str(socket).replace('"', '""')
        settings = {**SERVER_SETTINGS, "unix_socket_directories": f'"{quoted}"'}
        note = self._folders.socket_note
        fresh = note.with_suffix(".new")
        fresh.write_text(str(socket))
        give_to_owner_of_parent(fresh)
        fresh.replace(note)
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        output = open_log(self._folders.log)
        try:
            return place.spawn([self._programs / "postgres", "-D", place.data, *arguments], output)
        finally:
            os.close(output)

    def _await_ready(self, place: Place) -> None:
        """The postmaster writes its state into line 8 of its pid file; pg_ctl waits for the same line."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(OSError):
                lines = (place.data / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[7].startswith("ready") and lines[0] == str(self._server):
                    return
            if not self._lives(place):
                words = last_words(self._folders.log)
                raise BadInput([f"The embedded PostgreSQL in {place.data} did not start: {words}."])
            if time.monotonic() > deadline:
                raise BadInput(
                    [
                        f"The embedded PostgreSQL in {place.data} is not ready after {READY_SECONDS:.0f} "
                        f"seconds: see {self._folders.log}."
                    ]
                )
            time.sleep(0.005)

    def _lives(self, place: Place) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self._server is not None and self._server in servers_working_in(place.data)

    def _keep_up(self, place: Place) -> int:
        """Restart a server that died under its users, but not one that dies again and again."""
        quick_deaths = 0
        while True:
            born = time.monotonic()
            if self._child is not None:
                self._child.wait()
            while self._lives(place):  # somebody else's child: we took over from a killed keeper
                time.sleep(0.2)
            if self._stopping:
                return 0
            quick_deaths = quick_deaths + 1 if time.monotonic() - born < STEADY_SECONDS else 0
            if quick_deaths >= QUICK_DEATHS:
                print("keeper: the server dies again and again, so it is left alone", file=sys.stderr)
                return 1
            try:
                self._bring_up(place)
            except (BadInput, OSError) as error:
                print(f"keeper: {error}", file=sys.stderr)
                return 0 if self._stopping else 1

    def _stop_behind_the_last_user(self, place: Place) -> None:
        # Kept until this process ends, so newcomers wait for their lease until the server is down.
        fcntl.flock(open_lock(self._folders.lease_lock), fcntl.LOCK_EX)
        self._stop(place)

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        place = find_place(self._folders)
        threading.Thread(target=self._stop, args=(place,), daemon=True).start()

    def _stop(self, place: Place) -> None:
        """Fast shutdown with a checkpoint; then immediate; then the hard way. The next start recovers."""
        with self._changing:
            self._stopping = True
        for number, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            deadline = time.monotonic() + patience
            if self._lives(place) and self._server is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._server, number)
            while self._lives(place):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
            else:
                return


def _tell(report: int, message: dict[str, str]) -> None:
    # The launcher may have been killed; the keeper then serves whoever comes next, or stops by itself.
    with contextlib.suppress(OSError):
        os.write(report, json.dumps(message).encode() + b"\n")
    os.close(report)


def launch(root: Path, programs: Path) -> int:
    """Leave a keeper behind and print what it reports. Forks while there is one thread, and detaches from the
    terminal and from the caller's descriptors, so that no signal meant for the caller reaches it."""
    hear, report = os.pipe()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if os.fork():
        os.close(report)
        with os.fdopen(hear) as heard:
            sys.stdout.write(heard.readline())
        return 0
    os.close(hear)
    os.setsid()
    nothing, log = os.open(os.devnull, os.O_RDWR), open_log(Folders(root).log)
    for source, target in ((nothing, 0), (nothing, 1), (log, 2)):
        os.dup2(source, target)
    os._exit(Keeper(root, programs).run(report))


def main() -> int:
    """`keeper ROOT PROGRAMS`, both absolute."""
    return launch(Path(sys.argv[1]), Path(sys.argv[2]))
