"""What can be wrong with an order's money: it can't be booked, or the two sides do not have the same.

Put the codes here that the cash flow opens. Do not put codes of refunds, payouts or the close here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
    Kind(
        "TENDER_UNMAPPED",
        "error",
        Owner.FINANCE,
        "Money came by a gateway for which the mapping file has no provider, account or item.",
        "Add it under the key that the message gives; the capture is booked by the next run.",
    ),
    Kind(
        "PAYMENT_MISMATCH",
        "error",
        Owner.FINANCE,
        "The order's payments are not what the order came to.",
        "Look at the order's payments in BigCommerce and at the gateway, and settle the difference there.",
    ),
    Kind(
        "TRANSACTIONS_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "The order's payments can't be read, or hold a field that can't be understood.",
        "Look at the field that the message names; they are read again by themselves.",
    ),
    Kind(
        "CASH_REFUSED",
        "error",
        Owner.FINANCE,
        "NetSuite refused a deposit, payment, invoice or application.",
        "Read what it said and mend that; the next run sends it again.",
    ),
    Kind(
        "CASH_DRIFT",
        "error",
        Owner.FINANCE,
        "NetSuite shows another amount, account or application than what was taken and booked.",
        "Find who changed the record that the message names, and put it right in NetSuite.",
        hours=4,
    ),
    Kind(
        "INVOICE_PAID_ELSEWHERE",
        "error",
        Owner.FINANCE,
        "Money was taken for an invoice that something else has settled already.",
        "Undo the payment that was entered by hand, or dismiss this; nothing is booked twice meanwhile.",
    ),
    Kind(
        "INVOICE_TOTAL_DRIFT",
        "error",
        Owner.FINANCE,
        "The invoices of a billed order do not come to what the shopper was charged.",
        "Compare the invoice with the sales order: tax and shipping are what usually differs; correct it there.",
        hours=4,
    ),
    Kind(
        "CASH_SALE_SPLIT",
        "error",
        Owner.FINANCE,
        "An order with several tenders was posted as a cash sale, which has one account.",
        "Move the part of the other tender by hand, and let the channel post sales orders instead.",
    ),
    Kind(
        "CASH_SALE_ACCOUNT",
        "error",
        Owner.FINANCE,
        "The money of a cash sale is not in the account that its channel names.",
        "Change the account on the cash sale in NetSuite; Undeposited Funds is never right.",
    ),
    Kind(
        "MONEY_NOT_EQUAL",
        "error",
        Owner.FINANCE,
        "Captured less refunded in BigCommerce is not what NetSuite has for the order.",
        "Compare the records that the message names; what is missing is booked by the next run.",
        hours=4,
    ),
)
