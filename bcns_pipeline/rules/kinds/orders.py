"""What can be wrong with an order on its way into NetSuite, and after it got there.

Put the codes here that the order flow opens. Do not put codes of customers, shipments or intake here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "ITEM_UNMAPPED",
        "error",
        Owner.MERCHANDISING,
        "A line's SKU is on no NetSuite item, or on several, so nobody can say what was sold.",
        "Give one NetSuite item that SKU; the order goes by itself once the item is there.",
    ),
    Kind(
        "ITEM_IS_PARENT",
        "error",
        Owner.MERCHANDISING,
        "A line carries the SKU of a matrix parent, which can't be sold; one of its children was.",
        "Give the BigCommerce variant the SKU of the NetSuite child item.",
    ),
    Kind(
        "ITEM_NOT_SELLABLE",
        "error",
        Owner.MERCHANDISING,
        "A line's NetSuite item is inactive, or an item group, which takes no price of its own.",
        "Make the item active again, or use a kit instead of an item group.",
    ),
    Kind(
        "CHARGE_UNMAPPED",
        "error",
        Owner.FINANCE,
        "The order carries a charge for which the mapping file names no NetSuite item.",
        "Name the item under the key that the message gives; waiting orders go with the next run.",
    ),
    Kind(
        "DISCOUNT_UNOWNED",
        "error",
        Owner.FINANCE,
        "BigCommerce gave a discount, although the mapping says that NetSuite owns discounts.",
        "Take the discount out of BigCommerce, or set orders.discounts.owner to bigcommerce.",
    ),
    Kind(
        "SHIP_METHOD_UNMAPPED",
        "error",
        Owner.OPERATIONS,
        "The order's shipping method stands for no NetSuite ship method.",
        "Add it to orders.shipping.methods; waiting orders go with the next run.",
    ),
    Kind(
        "SHIP_TO_UNMAPPED",
        "error",
        Owner.OPERATIONS,
        "The order goes to several addresses, and NetSuite's header has room for one.",
        "Map $ship_to to a field of the line in orders.line_fields, so that the warehouse reads it there.",
    ),
    Kind(
        "CURRENCY_UNMAPPED",
        "error",
        Owner.FINANCE,
        "NetSuite does not take the order's currency, for this customer or with enough digits.",
        "Add the currency in NetSuite, to the customer too, or map it in orders.currencies.",
    ),
    Kind(
        "CHANNEL_UNMAPPED",
        "error",
        Owner.INTEGRATION,
        "The order or the shopper came through a storefront that the mapping file does not know.",
        "Add the channel under channels, with its subsidiary and location.",
    ),
    Kind(
        "PAYMENT_METHOD_UNMAPPED",
        "error",
        Owner.FINANCE,
        "The order's payment method stands for none of NetSuite's, and the mapping wants one.",
        "Add it to orders.payment_methods, or set orders.unmapped_payment to ignore.",
    ),
    Kind(
        "TAX_CODE_UNMAPPED",
        "error",
        Owner.FINANCE,
        "The order carries a tax for which the mapping file has no NetSuite tax code or item.",
        "Add it to orders.tax, under the key that the message gives.",
    ),
    Kind(
        "ORDER_COMPONENTS_DO_NOT_ADD",
        "error",
        Owner.FINANCE,
        "Lines, charges, discounts and tax do not add up to what the shopper was charged.",
        "Compare the order's parts with its total in BigCommerce; correct it there, or book it by hand.",
    ),
    Kind(
        "ORDER_NOT_CAPTURED",
        "error",
        Owner.FINANCE,
        "Money taken, authorised and stored value used are not what the order came to.",
        "Look at the order's payments in BigCommerce and at the gateway, and settle the difference there.",
    ),
    Kind(
        "ORDER_TOTAL_DRIFT",
        "error",
        Owner.FINANCE,
        "NetSuite shows another total, tax or line than was written.",
        "Find what changed it after saving: a script, a tax engine or a person; then replay the order.",
        hours=4,
    ),
    Kind(
        "TAX_MISMATCH",
        "error",
        Owner.FINANCE,
        "BigCommerce's own figures for the tax of this order disagree by more than cents.",
        "Compare the tax of its lines with the order's; set orders.tax.source to the one you file by.",
    ),
    Kind(
        "TAX_EXEMPT_MISMATCH",
        "error",
        Owner.FINANCE,
        "One system takes the shopper for exempt from tax and the other does not.",
        "Correct the customer where it is wrong: the taxable box in NetSuite, or the exemption in BigCommerce.",
    ),
    Kind(
        "REVERSE_CHARGE_UNPROVEN",
        "error",
        Owner.FINANCE,
        "An order without tax went to a reverse-charge country, and no sound VAT number is with it.",
        "Get the VAT number from the shopper and add it to the order; or invoice with tax.",
    ),
    Kind(
        "SUBSIDIARY_MISMATCH",
        "error",
        Owner.INTEGRATION,
        "Customer, items, location and order do not belong to the same subsidiary.",
        "Extend the record that the message names to the subsidiary, or correct the channel's mapping.",
    ),
    Kind(
        "ORDER_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "BigCommerce's order has a field that can't be understood.",
        "Look at the field that the message names; correct the order, or report it to us.",
    ),
    Kind(
        "ORDER_REFUSED",
        "error",
        Owner.INTEGRATION,
        "NetSuite refused the order.",
        "Read what it said, mend that, then replay the order.",
    ),
    Kind(
        "ORDER_EDIT_CONFLICT",
        "error",
        Owner.SERVICE,
        "The order changed in BigCommerce in a way that NetSuite's order can no longer take.",
        "Decide which side is right and mend the other by hand; then replay the order.",
    ),
    Kind(
        "ORDER_TOTAL_LEFT",
        "error",
        Owner.FINANCE,
        "The order's total changed in BigCommerce, and orders.updates leaves NetSuite's order at the old one.",
        "Change NetSuite's order to the total that the message names, or dismiss this if the old one is to stand.",
        dismissed="NetSuite's total stands: nothing is written, and nobody is asked again about this total (about the "
        "next one they are). `bcns report orders` shows the difference as let stand, with your name and reason: it no "
        "longer keeps the month from closing.",
    ),
    Kind(
        "ORDER_NOT_ADOPTED",
        "error",
        Owner.FINANCE,
        "A record of another connector carries the order's number, and differs or may be another order's.",
        "Link it with `bcns adopt --accept-differences`, or resolve this, and the order is posted.",
        heals=False,
    ),
    Kind(
        "ORDER_STOPPED_IN_NETSUITE",
        "error",
        Owner.SERVICE,
        "The sales order was closed, cancelled or put on hold in NetSuite while the shop's order is open.",
        "Tell the shopper and cancel the order in BigCommerce, or release it in NetSuite.",
    ),
    Kind(
        "REFUND_PENDING",
        "warning",
        Owner.FINANCE,
        "The order was posted at its full total, and BigCommerce has refunded some of it.",
        "The refund flow books it and closes this; where it is off, book the refund in NetSuite by hand.",
    ),
    Kind(
        "REFERENCE_REFUSED",
        "warning",
        Owner.INTEGRATION,
        "BigCommerce refused to take the NetSuite number on its order.",
        "Read what it said; the sales order itself is fine. It is tried again by each run.",
    ),
    Kind(
        "PERIOD_CLOSED",
        "error",
        Owner.FINANCE,
        "The record's date lies in an accounting period that is closed or locked.",
        "Open the period, or let the record take the first open day; then replay it.",
    ),
)
