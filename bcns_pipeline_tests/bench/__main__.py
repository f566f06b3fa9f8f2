"""`make bench`: every figure of issue 2, one line each. `python -m bcns_pipeline_tests.bench [SKUS]`."""

from __future__ import annotations

import sys

from bcns_pipeline_tests.bench import diff, figures

if __name__ == "__main__":
    slow = diff.main()
    missed = figures.main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    print(f"{missed} missed" if missed else "every figure reached")
    raise SystemExit(1 if missed or slow else 0)
