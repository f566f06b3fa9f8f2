"""What a process of the bench took, as it sees itself."""

from __future__ import annotations

import resource
from pathlib import Path


def usage() -> dict[str, float]:
    """`peak_mb` and `cpu_seconds` of this process.

    The peak is that of this program's own memory (VmHWM): getrusage's also counts what its parent held when it was
    started, which is a gigabyte after `diff.py`.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return {"peak_mb": peak / 1024, "cpu_seconds": sum(resource.getrusage(resource.RUSAGE_SELF)[:2])}
