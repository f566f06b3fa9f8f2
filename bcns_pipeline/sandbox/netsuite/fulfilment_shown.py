"""An item fulfilment as GET shows it: its lines with the order's, its parcels in the carrier's sublist.

Put the composition of the answer here. Do not put rules here.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.fulfilment_fields import PACKAGES
from bcns_pipeline.sandbox.netsuite.ledger import Line, Package, Transaction
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.showing import show

CARRIERS = (("ups", "packageUps"), ("fedex", "packageFedex"), ("usps", "packageUsps"))


def shown_fulfilment(
    made: Transaction, definition: Definition, context: Context
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The body and the lines of each sublist."""
    method = made.values.get("shipMethod")
    carrier = context.account.ship_methods.get(method.id) if method is not None else None
    body = show(
        definition.fields,
        {**header(made, context), "shipCarrier": None if carrier is None else carrier.carrier},
    )
    status = {"id": made.status, "refName": made.kind.statuses[made.status]}
    body |= {"status": status, "shipStatus": status}
    lists = {"item": [shown_line(line, definition) for line in made.lines]}
    chosen = sublist_of("" if carrier is None else carrier.name, context)
    for name, ending in PACKAGES.items():
        if name == chosen:
            fields = definition.sublists[name].fields
            lists[name] = [show(fields, shown_package(one, ending)) for one in made.packages]
    return body, lists


def header(made: Transaction, context: Context) -> dict[str, Any]:
    """What is said of any movement of goods above its lines."""
    customer = context.customers.get(made.entity or 0)
    source = context.ledger.get(made.source or 0)
    return {
        **made.values,
        "externalId": made.external,
        "tranId": made.number,
        "transactionNumber": f"{made.kind.code.upper()}{made.id}",
        "tranDate": made.day,
        "createdDate": context.clock.aware(made.created),
        "lastModifiedDate": context.clock.aware(made.modified),
        "createdFrom": None if source is None else Ref(source.id, f"{source.kind.label} #{source.number}"),
        "entity": None if customer is None else Ref(customer.id, customer.name),
        "subsidiary": Ref(made.subsidiary, context.account.subsidiaries[made.subsidiary].name),
    }


def sublist_of(method: str, context: Context) -> str:
    """Where parcels of a ship method stand."""
    if context.settings.carrier_packages:
        for word, name in CARRIERS:
            if method.lower().startswith(word):
                return name
    return "package"


def shown_line(line: Line, definition: Definition) -> dict[str, Any]:
    """One line: what was picked, and of which order line."""
    item = line.item
    return show(
        definition.sublists["item"].fields,
        {
            **line.values,
            "line": line.id,
            "orderLine": line.order_line,
            "item": None if item is None else Ref(item.id, item.name),
            "itemName": None if item is None else item.name,
            "itemType": None if item is None else item.kind,
            "itemReceive": True,
            "quantity": line.quantity,
            "location": None if line.location is None else Ref(line.location),
            "kitMemberOf": line.kit_member_of,
        },
    )


def shown_package(package: Package, ending: str) -> dict[str, Any]:
    """A parcel in a carrier's spelling."""
    return {
        f"packageTrackingNumber{ending}": package.tracking,
        f"packageDescr{ending}": package.description,
        f"packageWeight{ending}": package.weight,
    }
