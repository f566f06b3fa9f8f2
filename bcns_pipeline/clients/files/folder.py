"""A folder in which people or other programs drop files: what waits there, and where it goes afterwards.

Put the handling of files here, no reading of what they say. A file is moved only after its bytes are stored by the
caller, and a move is one rename, so a process that dies leaves the file where it was or where it belongs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bcns_pipeline.clients.files.models import BadFile, Document

DONE: Final = "done"
REJECTED: Final = "rejected"
# A copy that is still under way has a fresh time on it; programs that copy with care use one of these names.
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp")
_SETTLED_SECONDS: Final = 5.0
LARGEST_BYTES: Final = 256 * 1024 * 1024


class DropFolder:
    """One drop folder. `origin` names it in documents; `wall` gives the time (tests)."""

    def __init__(self, path: Path, origin: str, *, wall: Callable[[], float] = time.time) -> None:
        self.path = path
        self._origin = origin
        self._wall = wall

    def waiting(self) -> list[Path]:
        """Files to read, oldest first; none where the folder is empty. OSError where it can't be listed.

        Left out are folders, hidden files, unfinished copies, and what was written to in the last five seconds.
        """
        now = self._wall()
        found: list[tuple[float, str, Path]] = []
        for path in self.path.iterdir():
            if path.name.startswith((".", "~")) or path.name.lower().endswith(_UNFINISHED):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:  # another process took it between the two looks
                continue
            if path.is_file() and now - status.st_mtime >= _SETTLED_SECONDS:
                found.append((status.st_mtime, path.name, path))
        return [path for _, _, path in sorted(found)]

    def read(self, path: Path) -> Document:
        """The file as it is; BadFile TOO_LARGE for one that no provider writes, UNREADABLE for one that is not ours."""
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            text = f"{size:,} bytes are more than the {LARGEST_BYTES:,} that a settlement or a statement may have"
            raise BadFile("TOO_LARGE", text, file=path.name)
        try:
            content = path.read_bytes()
        except PermissionError:
            raise BadFile("UNREADABLE", "this user may not read it", file=path.name) from None
        return Document(self._origin, path.name, content, datetime.fromtimestamp(self._wall(), UTC))

    def done(self, path: Path) -> Path:
        """Move a file that was taken to `done/`. Its new place; nothing there is written over."""
        return self._move(path, DONE)

    def reject(self, path: Path, sentence: str) -> Path:
        """Move a file that can't be taken to `rejected/`, with the reason in a text file beside it."""
        moved = self._move(path, REJECTED)
        moved.with_name(moved.name + ".reason.txt").write_text(sentence + "\n", encoding="utf-8")
        return moved

    def _move(self, path: Path, place: str) -> Path:
        folder = self.path / place
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        path.rename(target)
        return target

    def counts(self) -> tuple[int, int]:
        """How many files wait (fresh ones too), and how many were rejected."""
        waiting = sum(1 for path in self.path.iterdir() if path.is_file() and not path.name.startswith("."))
        rejected = self.path / REJECTED
        bad = (
            sum(1 for path in rejected.iterdir() if not path.name.endswith(".reason.txt"))
            if rejected.is_dir()
            else 0
        )
        return waiting, bad
