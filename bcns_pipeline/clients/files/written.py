"""Writes a file that people read: whole or not at all.

Put the way to the disk here. Do not put what stands in the file here (rules/close/files.py).
"""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that nobody reads half a file; folders are made. OSError where that can't be done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
