"""The folder of one embedded PostgreSQL: where it lies, and whom it belongs to.

Put here paths, owners and modes. Do not put here how the folder is filled (`server_programs.py`) or who works
in it (`server_processes.py`). Standard library only, because the keeper runs without site-packages; every
fault that a person can mend is a `BadInput` with one sentence.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import socket
import stat
import subprocess
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
    """Where the server works and whom it runs as. `changes_user`: we are root, and it must not be."""

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
        return subprocess.Popen(  # noqa: S603 - programs of PostgreSQL and constants of ours
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
        """Make `folder` the server user's own, and private. Raises BadInput where it is a stranger's."""
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


def socket_folder(place: Place) -> Path:
    """A folder for the socket: beside the data, or a short per-user one where none can be made there."""
    beside = place.own(place.base / "run")
    # libpq takes a comma for the end of a host.
    fits = len(str(beside / SOCKET).encode()) <= SOCKET_PATH_LIMIT and "," not in str(beside)
    if fits and _can_bind(beside):
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
