"""`make bench`: every figure, one line each.

`python -m bcns_pipeline_tests.bench [SKUS]` for all of them, `... receiver`, `... orders [COUNT]` or `... race [TIMES]`
for those alone.
"""

from __future__ import annotations

import sys

from bcns_pipeline_tests.bench import diff, figures, orders, race, receiver

if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    if asked == "receiver":
        raise SystemExit(1 if receiver.main() else 0)
    if asked == "race":
        raise SystemExit(1 if race.main(*map(int, sys.argv[2:3])) else 0)
    if asked == "orders":
        raise SystemExit(1 if orders.main(*map(int, sys.argv[2:3])) else 0)
    slow = diff.main()
    missed = figures.main(int(asked) if asked else 100_000) + receiver.main() + orders.main() + race.main()
    print(f"{missed} missed" if missed else "every figure reached")
    raise SystemExit(1 if missed or slow else 0)
