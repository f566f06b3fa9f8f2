"""What was shipped in NetSuite, and what the store shows as shipped.

Put shapes here, and the reading of a shipment of the store. Do not decide anything here. NetSuite's ids are
internal ids; BigCommerce names a line by its order_product_id and a place by its order_address_id. Facts:
facts/netsuite.md 2.6, facts/bigcommerce.md 3.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from bcns_pipeline.rules.orders import fields
from bcns_pipeline.rules.orders.fields import Json, Unreadable

SHIPPED: Final = "C"  # A picked, B packed

ActionKind = Literal["create", "update", "adopt"]


@dataclass(frozen=True, slots=True)
class FulfilmentLine:
    """One line of a fulfilment; `quantity` is positive.

    `order_line_id` is BigCommerce's line where NetSuite's line says so (the custom field that keeps it), else
    None, and `variant_id` and `sku` tell which it may be: those of the item's link, 0 and "" where it has
    none. `kit_line` is the `line` of the kit that this one is a member of.
    """

    line: int
    item_id: int
    quantity: Decimal
    order_line_id: int | None = None
    variant_id: int = 0
    sku: str = ""
    kit_line: int | None = None


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """An item fulfilment. `status` is NetSuite's letter, "" for one that was deleted.

    `trackings` are the numbers of its parcels, as NetSuite gives them.
    """

    id: int
    number: str
    status: str
    lines: tuple[FulfilmentLine, ...] = ()
    trackings: tuple[str, ...] = ()
    carrier: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment as the store shows it. `items` are units by line."""

    id: int
    address_id: int
    items: Mapping[int, int]
    tracking: str = ""
    provider: str = ""
    carrier: str = ""
    link: str = ""
    comments: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ShipmentAction:
    """One thing to do in the store. `natural_key` names the shipment, whatever its id.

    `create` posts `body`, `update` puts it (never items), `adopt` only notes that `shipment_id` is ours. `items` are
    (line, units) of a shipment to be made.
    """

    kind: ActionKind
    natural_key: str
    fulfilment_id: int
    address_id: int
    shipment_id: int | None = None
    body: Mapping[str, object] = field(default_factory=dict, repr=False)
    items: tuple[tuple[int, int], ...] = ()


def read_shipment(document: Json) -> Shipment:
    """A shipment of `GET /v2/orders/{id}/shipments`. Raises Unreadable, a sentence naming the field."""
    text, whole = fields.text, fields.whole
    shipment_id = whole(document, "id")
    if shipment_id < 1:
        raise Unreadable("shipment: id is missing.")
    items: dict[int, int] = {}
    for row in fields.rows(document.get("items"), "items"):
        line_id = whole(row, "order_product_id", "items.")
        items[line_id] = items.get(line_id, 0) + whole(row, "quantity", "items.")
    return Shipment(
        id=shipment_id,
        address_id=whole(document, "order_address_id"),
        items=items,
        tracking=text(document, "tracking_number"),
        provider=text(document, "shipping_provider"),
        carrier=text(document, "tracking_carrier"),
        link=text(document, "tracking_link"),
        comments=text(document, "comments"),
    )
