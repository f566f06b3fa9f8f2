"""Settlement: what a value read back from the store says about a line that was sent.

Put the reading of one old, new and live value here. Do not put polling, SQL or Dagster here. Shoppers take
stock between the push and the read-back, and BigCommerce applies a push some time after its 200, so that
"not equal" is either "sold meanwhile" or "not applied yet", and only some cases tell which.
"""

from __future__ import annotations

NEVER = -1


def settlement(old: int, new: int, live: int) -> bool:
    """True where `live` proves that `new` was applied; `old` is the last confirmed value (-1 = never).

    Equal is proof. Below `new` is proof (sold since) only where the old value could not have become `live` by
    selling alone: a raise seen above its old value, or a cut seen below its new one.
    """
    if live == new:
        return True
    if live > new or old == NEVER:
        return False
    return live > old if new > old else new < old
