"""The folders into which files are dropped for a pipeline to find.

Put the writing of whole files here. Do not put what stands in them here. A file appears under its name at once
and complete, as a careful sender does it; what is half or wrong in it was planted.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class Drops:
    """Two folders below `root`, or below a folder of our own, which is gone at the end."""

    def __init__(self, root: str = "") -> None:
        base = Path(root).absolute() if root else Path(tempfile.mkdtemp(prefix="sandbox-drops-"))
        self._own = None if root else weakref.finalize(self, shutil.rmtree, base, ignore_errors=True)
        self.payouts, self.bank = base / "payouts", base / "bank"
        for folder in (self.payouts, self.bank):
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, folder: Path, name: str, content: bytes) -> str:
        """Write a file; one of the same name that still lies there gives way. Returns the whole path."""
        part, path = folder / f".{name}.part", folder / name
        part.write_bytes(content)
        part.replace(path)
        return str(path)

    def close(self) -> None:
        """Remove the folder where it is our own."""
        if self._own is not None:
            self._own()
