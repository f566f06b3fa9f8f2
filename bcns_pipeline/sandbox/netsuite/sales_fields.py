"""The properties that sales orders, invoices, cash sales and what gives them back share, on the body and on the lines.

Put names and shapes here. Do not put rules here (sales.py). Source: Oracle's REST API Browser 2026.1 for
`salesOrder` and `salesOrder-itemElement`, as far as an integration of a shop could want them; without SuiteTax
no tax property exists (facts/netsuite.md 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from bcns_pipeline.sandbox.netsuite.definition import (
    Fields,
    Property,
    Sublist,
    date,
    enum,
    flag,
    number,
    reference,
    sublist,
    text,
)

BODY: Mapping[str, Property] = {
    "id": text("id", read_only=True),
    "externalId": text("externalid"),
    "tranId": text("tranid", read_only=True),
    "transactionNumber": text("transactionnumber", read_only=True),
    "tranDate": date(),
    "createdDate": Property("datetime", read_only=True),
    "lastModifiedDate": Property("datetime", read_only=True),
    "createdFrom": reference("transaction", read_only=True),
    "status": enum(read_only=True),
    "source": enum(read_only=True),
    "entity": reference("customer"),
    "subsidiary": reference("subsidiary", feature="oneworld"),
    "currency": reference("currency"),
    "exchangeRate": number(),
    "memo": text("memo"),
    "otherRefNum": text("otherrefnum"),
    "email": text(),
    "message": text(),
    "location": reference("location"),
    "department": reference("department"),
    "class": reference("classification"),
    "customForm": reference(),
    "terms": reference(),
    "salesRep": reference(),
    "leadSource": reference(),
    "paymentOption": reference("paymentmethod"),
    "handlingMode": enum("MIMIC", "PROCESS", "SAVE_ONLY"),
    "shipMethod": reference("shipitem"),
    "shippingCost": number(),
    "handlingCost": number(),
    "altShippingCost": number(read_only=True),
    "altHandlingCost": number(read_only=True),
    "shipDate": date(),
    "shipComplete": flag(),
    "shipAddressList": reference(),
    "billAddressList": reference(),
    "shippingAddress": Property("address"),
    "billingAddress": Property("address"),
    "discountItem": reference("item"),
    "discountRate": number(),
    "discountTotal": number(read_only=True),
    "subtotal": number(read_only=True),
    "total": number(read_only=True),
    "taxTotal": number(read_only=True, feature="suitetax"),
    "taxDetailsOverride": flag(feature="suitetax"),
    "taxRegOverride": flag(feature="suitetax"),
    "taxPointDate": Property("date", feature="suitetax"),
    "nexus": reference(feature="suitetax"),
    "entityTaxRegNum": text(feature="suitetax"),
    "subsidiaryTaxRegNum": text(feature="suitetax"),
    "toBeEmailed": flag(),
    "toBePrinted": flag(),
    "item": sublist(),
    "taxDetails": sublist(feature="suitetax"),
    "shipGroup": sublist(feature="suitetax"),
}
LINE: Mapping[str, Property] = {
    "line": Property("integer"),
    "lineUniqueKey": text(read_only=True),
    "item": reference("item"),
    "itemType": enum(read_only=True),
    "quantity": number(),
    "rate": number(),
    "amount": number(),
    "price": reference("pricelevel"),
    "description": text(),
    "location": reference("location"),
    "department": reference("department"),
    "class": reference("classification"),
    "isClosed": flag(),
    "isOpen": flag(read_only=True),
    "linked": flag(read_only=True),
    "expectedShipDate": date(),
    "requestedDate": date(),
    "commitInventory": enum("1", "2", "3"),
    "quantityCommitted": number(read_only=True),
    "quantityBackOrdered": number(read_only=True),
    "quantityFulfilled": number(read_only=True),
    "quantityBilled": number(read_only=True),
    "taxDetailsReference": text(feature="suitetax"),
    "taxAmount": number(read_only=True, feature="suitetax"),
    "giftCertFrom": text(),
    "giftCertMessage": text(),
    "giftCertRecipientName": text(),
    "giftCertRecipientEmail": text(),
    "giftCertNumber": text(),
}
TAX_DETAILS: Mapping[str, Property] = {
    "taxDetailsReference": enum(),
    "taxType": text(),
    "taxCode": reference("salestaxitem"),
    "taxBasis": number(),
    "taxRate": number(),
    "taxAmount": number(),
    "netAmount": number(read_only=True),
    "lineType": text(),
    "lineName": text(),
    "calcDetail": text(),
}
SHIP_GROUP: Mapping[str, Property] = {
    "id": Property("integer"),
    "shippingTaxDetailsReference": text(),
    "handlingTaxDetailsReference": text(),
    "shippingMethod": text(read_only=True),
    "shippingRate": number(read_only=True),
    "handlingRate": number(read_only=True),
}
SUBLISTS: Mapping[str, Sublist] = {
    "item": Sublist(Fields.of(LINE), existing=("line",), new=("orderLine",)),
    "taxDetails": Sublist(Fields.of(TAX_DETAILS), existing=("taxDetailsReference",)),
    "shipGroup": Sublist(Fields.of(SHIP_GROUP), existing=("id",)),
}
# What is made of another sale names the other one's line.
RETURNS: Mapping[str, Sublist] = {
    **SUBLISTS,
    "item": Sublist(
        Fields.of({**LINE, "orderLine": Property("integer")}), existing=("line",), new=("orderLine",)
    ),
}
# Properties that a line or a transaction holds in fields of its own; the rest stays in `values`.
LINE_FIELDS = frozenset(
    {"line", "orderLine", "item", "quantity", "rate", "amount", "price", "location", "isClosed"}
)
BODY_FIELDS = frozenset(
    {
        "externalId",
        "tranDate",
        "entity",
        "subsidiary",
        "currency",
        "exchangeRate",
        "item",
        "taxDetails",
        "apply",
    }
)
