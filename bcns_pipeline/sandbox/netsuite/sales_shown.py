"""A sales transaction as GET shows it.

Put the composition of the answer here. Do not put rules here.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite import tax
from bcns_pipeline.sandbox.netsuite.account import CUSTOM_PRICE
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.showing import show


def shown_sale(
    transaction: Transaction, definition: Definition, context: Context
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The body and the lines of each sublist, of a sales order or a cash sale."""
    totals, kind = transaction.totals, transaction.kind
    customer = context.customers.get(transaction.entity or 0)
    values: dict[str, Any] = {
        **transaction.values,
        "externalId": transaction.external,
        "tranId": transaction.number,
        "transactionNumber": f"{kind.code.upper()}{transaction.id}",
        "tranDate": transaction.day,
        "createdDate": context.clock.aware(transaction.created),
        "lastModifiedDate": context.clock.aware(transaction.modified),
        "entity": None if customer is None else Ref(customer.id, customer.name),
        "subsidiary": Ref(transaction.subsidiary, context.account.subsidiaries[transaction.subsidiary].name),
        "currency": Ref(transaction.currency, context.account.currencies[transaction.currency].name),
        "exchangeRate": transaction.exchange_rate,
        "subtotal": totals.subtotal,
        "discountTotal": totals.discount,
        "altShippingCost": totals.shipping,
        "altHandlingCost": totals.handling,
        "taxTotal": totals.tax,
        "total": totals.total,
    }
    if transaction.source is not None and (source := context.ledger.get(transaction.source)) is not None:
        values["createdFrom"] = Ref(source.id, f"{source.kind.label} #{source.number}")
    body = show(definition.fields, values)
    body["status"] = {"id": transaction.status, "refName": kind.statuses[transaction.status]}
    lists = {"item": [shown_line(line, transaction, definition) for line in transaction.lines]}
    if "taxDetails" in definition.sublists:
        fields = definition.sublists["taxDetails"].fields
        lists["taxDetails"] = [show(fields, tax.shown(row)) for row in transaction.taxes]
    if "shipGroup" in definition.sublists:
        lists["shipGroup"] = [
            show(definition.sublists["shipGroup"].fields, {"id": 1, **group})
            for group in transaction.values.get("shipGroup") or ()
        ]
    return body, lists


def shown_line(line: Line, transaction: Transaction, definition: Definition) -> dict[str, Any]:
    """One line of the item sublist."""
    reference = tax.reference_of(transaction, line.id, line.values)
    values: dict[str, Any] = {
        "line": line.id,
        "lineUniqueKey": str(line.unique),
        "item": None if line.item is None else Ref(line.item.id, line.item.name),
        "itemType": "EndGroup" if line.item is None else line.item.kind,
        "quantity": line.quantity,
        "rate": line.rate,
        "amount": line.amount,
        "price": Ref(line.price, "Custom") if line.price == CUSTOM_PRICE else Ref(line.price),
        "location": None if line.location is None else Ref(line.location),
        "isClosed": line.closed,
        "isOpen": not line.closed,
        "linked": bool(line.touched or line.billed),
        "quantityCommitted": line.committed,
        "quantityBackOrdered": line.backordered,
        "quantityFulfilled": line.fulfilled,
        "quantityBilled": line.billed,
        "taxDetailsReference": reference,
        "orderLine": line.order_line,
        "taxAmount": sum((row.amount for row in transaction.taxes if row.reference == reference), ZERO),
        **line.values,
    }
    return show(definition.sublists["item"].fields, values)
