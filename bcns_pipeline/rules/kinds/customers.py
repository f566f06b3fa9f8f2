"""What can be wrong with a shopper: nobody can say who it is, or NetSuite does not take the record.

Put the codes here that finding, making and changing customers open. Do not put other flows' codes here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "CUSTOMER_AMBIGUOUS",
        "error",
        Owner.SERVICE,
        "Several NetSuite customers have the shopper's e-mail address, so nobody can say whose the order is.",
        "Merge them in NetSuite, or say with `bcns merge` which one stands; waiting orders go by themselves.",
    ),
    Kind(
        "CUSTOMER_INACTIVE",
        "error",
        Owner.SERVICE,
        "The shopper's NetSuite customer is inactive, and NetSuite posts nothing to it.",
        "Make the customer active again, or say with `bcns merge` which customer took its place.",
    ),
    Kind(
        "CUSTOMER_REFUSED",
        "error",
        Owner.SERVICE,
        "NetSuite refused the customer record, so the shopper's orders wait.",
        "Read what it said and mend that: often a mandatory field, or a name that must be unique.",
    ),
    Kind(
        "CUSTOMER_CONFLICT",
        "warning",
        Owner.SERVICE,
        "A field of a customer was changed on both sides, to different values.",
        "Look at the customer: the side that customers.authority names has won.",
    ),
    Kind(
        "CUSTOMER_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "BigCommerce's customer record has a field that can't be understood.",
        "Look at the field that the message names; correct the shopper's record, or report it to us.",
    ),
)
