"""One run of a job in a process of its own, for tests that kill it or let two run at once.

Put here only what such a process does; `children.py` forks it. `--batch N` makes adjustment calls of N lines, so
that a small catalogue has many of them. The run's history is thrown away with the process; what counts is in the
database.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.inventory import planning
from bcns_pipeline_tests.defs.history import history


def main(arguments: Sequence[str]) -> int:
    """`arguments` are the job and its options. 0 where the run succeeded."""
    job, *options = arguments
    if options:
        _, batch = options
        planning.BATCH = int(batch)
    with history() as instance:
        result = build_defs().resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)
    return 0 if result.success else 1
