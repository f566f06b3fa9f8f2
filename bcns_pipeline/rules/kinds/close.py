"""What can be wrong at the close: a cent for which no record gives a reason.

Put the codes here that the close opens about orders. Those about clearing accounts are with the payouts.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "CENT_UNKNOWN",
        "error",
        Owner.FINANCE,
        "Of what an order took and gave back, no record and no open question says where a part of it is.",
        "Follow the order with `bcns explain`; book what is missing, or take back what is too much.",
    ),
)
