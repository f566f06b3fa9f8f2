"""What can be wrong at the close: a cent without a reason, a liability that can't be right, goods that do not come.

Put the codes here that the close opens about orders, stored value and goods of refunds. Those of clearing accounts are
with the payouts.
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
    Kind(
        "LIABILITY_DRIFT",
        "warning",
        Owner.FINANCE,
        "An account of stored value owes less than nothing, or somebody else moved it where nobody else should.",
        "Look at the account's register in NetSuite; book what is missing there, or take back what somebody booked.",
    ),
    Kind(
        "REFUND_NOT_RECEIVED",
        "warning",
        Owner.OPERATIONS,
        "Money went back for goods whose return NetSuite has authorised, and they have not been received in time.",
        "Receive them in NetSuite, or close the lines of the return that will not come.",
    ),
)
