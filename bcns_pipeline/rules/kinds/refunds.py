"""What can be wrong with a refund: with its figures, with the money behind it, or with one of the two systems.

Put the codes here that the refund flow opens. Do not put other flows' codes here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "REFUND_DECLINED",
        "error",
        Owner.FINANCE,
        "The payment provider declined a refund that BigCommerce shows.",
        "Refund the shopper another way in BigCommerce; what was posted is taken back, or held, as the mapping says.",
    ),
    Kind(
        "REFUND_NO_PSP",
        "error",
        Owner.FINANCE,
        "A refund was recorded outside the gateway, and no payment provider has shown it in time.",
        "Look for it at the provider; name the provider's id, or correct the refund in BigCommerce.",
    ),
    Kind(
        "REFUND_WITHOUT_RECORD",
        "error",
        Owner.FINANCE,
        "The order is marked as refunded or is cancelled, and its money is not known to have gone back.",
        "Make the refund in BigCommerce, offline if the money went back already; or correct the order's status.",
    ),
    Kind(
        "REFUND_EXCEEDS_CAPTURE",
        "error",
        Owner.FINANCE,
        "More would go back than was taken: of the order, of one way of paying, or of one of its lines.",
        "Compare the refunds with the order's payments; what is beyond them is never posted.",
        hours=4,
    ),
    Kind(
        "REFUND_DOES_NOT_ADD",
        "error",
        Owner.FINANCE,
        "The refund's items or its payments do not come to its total.",
        "Compare items, adjustments and payments of the refund; correct it, or post it by hand and dismiss this.",
    ),
    Kind(
        "REFUND_UNMAPPED",
        "error",
        Owner.INTEGRATION,
        "The mapping file does not say which item or account a part of the refund is posted to.",
        "Add the key that the message names; the next run posts the refund.",
    ),
    Kind(
        "REFUND_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "BigCommerce's refund has a field that can't be understood.",
        "Look at the field that the message names, and report it to us.",
    ),
    Kind(
        "REFUND_BEFORE_ORDER",
        "warning",
        Owner.FINANCE,
        "The refund waits for its order, which is not in NetSuite yet.",
        "Look at what the order waits for; the refund follows by itself.",
    ),
    Kind(
        "REFUND_BEFORE_CAPTURE",
        "warning",
        Owner.FINANCE,
        "The refund waits for the payment that it gives back, which is not booked in NetSuite yet.",
        "Look at what the payment waits for; the refund follows by itself.",
    ),
    Kind(
        "REFUND_NOT_BILLED",
        "error",
        Owner.FINANCE,
        "The refund takes back units that were never billed, and the order can't be cut by them: the message says why.",
        "Do what the message names, or bill the order in NetSuite: the refund follows. Else post it by hand.",
    ),
    Kind(
        "REFUND_REFUSED",
        "error",
        Owner.INTEGRATION,
        "NetSuite refused the refund or a part of it.",
        "Read what it said and mend that; the next run tries it again.",
    ),
    Kind(
        "REFUND_DRIFT",
        "error",
        Owner.FINANCE,
        "NetSuite shows another total than was refunded, or something of the credit is left unapplied.",
        "Find who changed the credit memo or its settlement after it was made, and set it right there.",
        hours=4,
    ),
)
