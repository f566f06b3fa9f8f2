"""One run of a job in a process of its own, which the demo kills: `python -m bcns_pipeline.cli.demo_run JOB`.

Put here only what such a process does. Its history is thrown away with it, because a killed run would keep the
slot of its pool in Dagster's tables until a daemon looks; what counts is in the database that all runs share.
"""

from __future__ import annotations

import sys

import dagster as dg

from bcns_pipeline.cli.flows import execute


def main(job: str) -> int:
    """0 where the run succeeded."""
    quiet = {"python_logs": {"python_log_level": "CRITICAL"}}
    with dg.DagsterInstance.ephemeral(settings=quiet) as instance:
        return 0 if execute(job, instance).success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
