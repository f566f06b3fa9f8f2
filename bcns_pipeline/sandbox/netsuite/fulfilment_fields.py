"""The properties of an item fulfilment, on the body, its lines and its parcels.

Put names and shapes here. Do not put rules here (fulfilment.py). Source: Oracle's REST API Browser 2026.1: which
of the package sublists is filled depends on the carrier, and each carrier's fields end in its own name.
"""

from __future__ import annotations

from collections.abc import Mapping

from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
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
from bcns_pipeline.sandbox.netsuite.kinds import FULFILMENT

BODY: Mapping[str, Property] = {
    "id": text("id", read_only=True),
    "externalId": text("externalid"),
    "tranId": text("tranid", read_only=True),
    "transactionNumber": text(read_only=True),
    "tranDate": date(),
    "createdDate": Property("datetime", read_only=True),
    "lastModifiedDate": Property("datetime", read_only=True),
    "createdFrom": reference("transaction", read_only=True),
    "entity": reference("customer", read_only=True),
    "subsidiary": reference("subsidiary", read_only=True, feature="oneworld"),
    "status": enum(read_only=True),
    "shipStatus": enum("A", "B", "C"),
    "memo": text("memo"),
    "location": reference("location"),
    "department": reference("department"),
    "class": reference("classification"),
    "customForm": reference(),
    "shipMethod": reference("shipitem"),
    "shipCarrier": enum(read_only=True),
    "shippingCost": number(),
    "handlingCost": number(),
    "shippingAddress": Property("address"),
    "pickedDate": date(),
    "packedDate": date(),
    "shippedDate": date(),
    "item": sublist(),
    "package": sublist(),
    "packageUps": sublist(),
    "packageFedex": sublist(),
    "packageUsps": sublist(),
}
LINE: Mapping[str, Property] = {
    "line": Property("integer"),
    "orderLine": Property("integer"),
    "item": reference("item", read_only=True),
    "itemName": text(read_only=True),
    "itemType": text(read_only=True),
    "description": text(read_only=True),
    "itemReceive": flag(),
    "quantity": number(),
    "quantityRemaining": number(read_only=True),
    "location": reference("location"),
    "kitMemberOf": Property("integer", read_only=True),
}
# How each sublist spells its fields, and whether it has a description.
PACKAGES: Mapping[str, str] = {
    "package": "",
    "packageUps": "Ups",
    "packageFedex": "FedEx",
    "packageUsps": "Usps",
}


def package_fields(ending: str) -> Fields:
    """The fields of one package sublist."""
    found = {
        f"packageTrackingNumber{ending}": text(),
        f"packageWeight{ending}": number(),
        f"packageCartonNumber{ending}": text(),
    }
    if ending != "FedEx":
        found[f"packageDescr{ending}"] = text()
    return Fields.of(found)


DEFINITION = Definition(
    name=FULFILMENT.record,
    group="transaction",
    fields=Fields.of(BODY),
    sublists={
        "item": Sublist(Fields.of(LINE), existing=("line",), new=("orderLine",)),
        **{name: Sublist(package_fields(ending), existing=()) for name, ending in PACKAGES.items()},
    },
)
