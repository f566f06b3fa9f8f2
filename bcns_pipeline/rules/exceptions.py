"""The catalogue of exceptions: what each code means, who owns it, where it comes from and how it is mended.

Put here what makes one catalogue of the flows' codes (`kinds/`, one module a flow). Do not open or close
exceptions here (`state/exceptions.py`), and no text about a single record: that is the exception's own
message. Every code that the code base opens is in the catalogue.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds import (
    cash,
    close,
    customers,
    fulfilment,
    intake,
    orders,
    payouts,
    refunds,
    stock,
)
from bcns_pipeline.rules.kinds.kind import Kind, Owner, Severity

__all__ = ["CATALOGUE", "Kind", "Owner", "Severity"]

_ALL: Final = (
    *(*stock.KINDS, *orders.KINDS, *customers.KINDS, *fulfilment.KINDS, *intake.KINDS),
    *cash.KINDS,
    *refunds.KINDS,
    *payouts.KINDS,
    *close.KINDS,
)
CATALOGUE: Final[dict[str, Kind]] = {kind.code: kind for kind in _ALL}
