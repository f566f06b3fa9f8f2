"""`make bench`: every figure, one line each.

`python -m bcns_pipeline_tests.bench [SKUS]` for all of them, `... receiver`, `... orders [COUNT]`, `... race [TIMES]`,
`... payouts [LINES] [LIVES]` or `... payout [LINES]` for those alone; `... month [ORDERS]`, `... latency`,
`... flood` and `... parcels [COUNT]` (daemon.py), `... shoppers [COUNT]`, `... low-stock [CHANGES] [SKUS]`,
`... bad-order [COUNT]` and `... adopt [COUNT]` run only when asked for.
"""

from __future__ import annotations

import sys

from bcns_pipeline_tests.bench import (
    adopt,
    bad_order,
    daemon,
    diff,
    figures,
    low_stock,
    month,
    orders,
    payout_run,
    payouts,
    race,
    receiver,
    shoppers,
)

ALONE = {
    "receiver": receiver.main,
    "orders": orders.main,
    "race": race.main,
    "payouts": payouts.main,
    "payout": payout_run.main,
    "month": month.main,
    "latency": daemon.latency,
    "flood": daemon.flood,
    "parcels": daemon.parcels,
    "low-stock": low_stock.low_stock,
    "shoppers": shoppers.shoppers,
    "bad-order": bad_order.main,
    "adopt": adopt.main,
}

if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    if asked and asked not in ALONE and not asked.isdecimal():
        print(__doc__)
        raise SystemExit(0 if asked in {"-h", "--help"} else 2)
    if asked in ALONE:
        raise SystemExit(1 if ALONE[asked](*map(int, sys.argv[2:4])) else 0)
    slow = diff.main()
    missed = figures.main(int(asked) if asked else 100_000) + receiver.main() + orders.main() + race.main()
    missed += payouts.main() + payout_run.main()
    print(f"{missed} missed" if missed else "every figure reached")
    raise SystemExit(1 if missed or slow else 0)
