"""One run of a job in a process of its own; prints what it took as one JSON line on the last line.

`one_run JOB [RUN_CONFIG]`, the latter as JSON. Put here what has to be measured inside the process: wall time between
Dagster's own run events, peak memory, and the run's metadata. Do not put the arithmetic of floors here (`figures.py`).
"""

from __future__ import annotations

import json
import sys

from bcns_pipeline.cli.flows import dagster_instance, execute, metadata_of
from bcns_pipeline_tests.bench.usage import usage

STEPS = ("netsuite/inventory_snapshot", "inventory/diff", "bigcommerce/inventory_levels")


def main() -> int:
    job, config = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    with dagster_instance() as instance:
        result = execute(job, instance, run_config=config, say=lambda line: print(line, file=sys.stderr))
        stats = instance.get_run_stats(result.run_id)
        steps = {
            step.step_key: step.end_time - step.start_time
            for step in instance.get_run_step_stats(result.run_id)
        }
        measured = {
            "success": result.success,
            "run_id": result.run_id,
            # RUN_START to RUN_SUCCESS, as Dagster's own event log has them.
            "wall_seconds": stats.end_time - stats.start_time,
            "steps": steps,
            **usage(),
            "metadata": {
                asset: {
                    k: v
                    for k, v in metadata_of(result, asset).items()
                    if isinstance(v, (int, float, str, bool))
                }
                for asset in STEPS
            },
        }
    print(json.dumps(measured))
    return 0 if result.success else 1


if __name__ == "__main__":
    raise SystemExit(main())
