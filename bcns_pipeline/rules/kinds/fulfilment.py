"""What can be wrong with a parcel: it does not fit its order, or one of the two systems does not take it.

Put the codes here that the fulfilment flow opens. Do not put other flows' codes here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "SHIPMENT_REFUSED",
        "error",
        Owner.OPERATIONS,
        "BigCommerce refused the shipment, so the shopper does not know of the parcel.",
        "Read what it said and mend that; the next run sends the shipment again.",
    ),
    Kind(
        "SHIPMENT_DOUBLED",
        "error",
        Owner.OPERATIONS,
        "The store shows one parcel twice: a call that was given up for lost arrived after it had been sent again.",
        "Delete the second shipment in BigCommerce, and tell the shopper that there is one parcel.",
    ),
    Kind(
        "SHIPMENT_EXCEEDS_ORDER",
        "error",
        Owner.OPERATIONS,
        "NetSuite shipped more of a line than the shopper ordered and has not been shipped yet.",
        "Compare the fulfilment with the order; what goes beyond it is never sent to the store.",
    ),
    Kind(
        "SHIPMENT_UNMATCHED",
        "error",
        Owner.OPERATIONS,
        "A line of the fulfilment belongs to no line of the shopper's order.",
        "Ship what was ordered, or list the item under fulfilment.ignore_items if shoppers need not see it.",
    ),
    Kind(
        "SHIPMENT_HELD",
        "error",
        Owner.SERVICE,
        "NetSuite shipped an order that is cancelled, refunded or disputed in the store.",
        "Stop the parcel or give the order another status; a shipment would tell the shopper that it comes.",
        hours=1,
    ),
    Kind(
        "CARRIER_UNMAPPED",
        "warning",
        Owner.OPERATIONS,
        "A shipment went out with its tracking number, but the store does not know the carrier.",
        "Add the carrier or the shipping method to fulfilment.carriers; the shipment is then completed.",
    ),
    Kind(
        "FULFILMENT_WITHDRAWN",
        "error",
        Owner.OPERATIONS,
        "A fulfilment that the store shows as shipped was taken back, cut or deleted in NetSuite.",
        "Delete or correct the shipment in BigCommerce, and tell the shopper; we never delete one.",
    ),
    Kind(
        "SHIPMENT_NOTE_REFUSED",
        "warning",
        Owner.INTEGRATION,
        "NetSuite refused to take the shipment's id on its fulfilment.",
        "Read what it said, and check the field that fulfilment.note_field names; it is tried again.",
    ),
    Kind(
        "STATUS_REFUSED",
        "error",
        Owner.SERVICE,
        "BigCommerce refused the new status of an order.",
        "Read what it said, and set the status there by hand if it is right; it is tried again.",
    ),
)
