"""A private place for commands that bring their own accounts with them: `bcns demo` and `bcns dev`.

Put here the folder, the environment and the mapping file that point this build at a sandbox. Do not put here
what the commands then do. Nothing of the caller's own settings reaches them: neither variables, nor `.env`,
nor a database, nor the Slack address that real alerts go to.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import PREFIX, load_settings
from bcns_pipeline.state.keeper import open_lock, try_lock
from bcns_pipeline.state.server_folder import Folders, give_to_owner_of_parent

# A keeper stops its server within a second or two of its last user's end.
KEEPER_SECONDS = 30.0


@contextmanager
def private_home(name: str) -> Iterator[Path]:
    """The folder `name` in BCNS_HOME, emptied, and held against a second command of this name.

    It is left as it is at the end, so that its database can be asked afterwards. Raises BadInput.
    """
    parent = load_settings().home
    home = parent / name
    try:
        for folder in (parent, home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            give_to_owner_of_parent(folder)
        held = open_lock(parent / f"{name}.lock")
    except OSError as error:
        raise BadInput(
            [f"{error.filename} can't be used ({error.strerror}); set BCNS_HOME to a folder of yours."]
        ) from None
    try:
        if not try_lock(held, fcntl.LOCK_EX):
            raise BadInput([f"`bcns {name}` is running here already ({home}); end it first."])
        empty(home)
        yield home
    finally:
        os.close(held)


def empty(home: Path) -> None:
    """Remove what an earlier run left, its database included, which as root may lie outside of `home`.

    Raises BadInput where somebody still uses the database.
    """
    folders = Folders(home / "postgres")
    if folders.root.exists():
        _await_keeper(folders)
        if folders.base != folders.root:
            shutil.rmtree(folders.base, ignore_errors=True)
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _await_keeper(folders: Folders) -> None:
    deadline = time.monotonic() + KEEPER_SECONDS
    keeper = open_lock(folders.keeper_lock)
    try:
        while not try_lock(keeper, fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                raise BadInput(
                    [f"The database in {folders.root} is in use; end the commands that use it first."]
                )
            time.sleep(0.05)
    finally:
        os.close(keeper)


@dataclass(slots=True)
class MappingFile:
    """A merchant's mapping file in `home`, for a sandbox's accounts; change a section and `write` it again."""

    home: Path
    inventory: dict[str, Any]
    sections: dict[str, Any]

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self.home / "bcns.yaml"

    def write(self) -> Path:
        """The file as it stands now; runs that begin later go by it."""
        content = {"version": 1, "inventory": self.inventory, **self.sections}
        self.path.write_text(yaml.safe_dump(content, sort_keys=False))
        return self.path


def write_mapping(
    home: Path,
    locations: Sequence[Mapping[str, int]],
    inventory: Mapping[str, object] | None = None,
    sections: Mapping[str, object] | None = None,
) -> MappingFile:
    """A mapping file in `home`: one location to one, with the `inventory` keys and `sections` that are given."""
    routes = [{"netsuite": [one["netsuite"]], "bigcommerce": one["bigcommerce"]} for one in locations]
    made = MappingFile(home, {"locations": routes, **(inventory or {})}, dict(sections or {}))
    made.write()
    return made


def environment(home: Path, mapping: Path, accounts: Mapping[str, str], actor: str) -> dict[str, str]:
    """The environment of a process that works in `home` on these accounts, and knows of no others.

    Start it, too, in `home` as its working folder: a `.env` file is looked for there.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name != "DAGSTER_HOME"
    }
    own = {"HOME": str(home), "CONFIG": str(mapping), "ACTOR": actor}
    return {**kept, **accounts, **{PREFIX + name: value for name, value in own.items()}}


def move_in(home: Path, variables: Mapping[str, str]) -> None:
    """Make this process one that works in `home`."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(home)
