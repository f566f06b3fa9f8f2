"""What one merchant wants shoppers to see of a parcel, ready for the rules.

Put the frozen policy here, and which carrier the store takes a parcel for. Do not read a file here:
`config/fulfilment.py` makes a policy from the mapping. Providers: facts/bigcommerce.md 3.10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final, Literal
from urllib.parse import quote

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.orders.status import Status

Packages = Literal["comments", "shipments"]

# What BigCommerce takes as `shipping_provider`, besides "" and carrier_{id}.
PROVIDERS: Final = frozenset(
    {"auspost", "canadapost", "endicia", "usps", "fedex", "royalmail", "ups", "upsready", "upsonline"}
    | {"shipperhq"}
)
_CUSTOM_PROVIDER: Final = re.compile(r"carrier_[0-9]{1,10}")
LONGEST_TRACKING: Final = 50
LONGEST_LINK: Final = 500


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier as the store knows it. `url` has {tracking} where the number goes; it overrides the store's own."""

    provider: str = ""
    tracking_carrier: str = ""
    url: str = ""


# Names of ship methods usually begin with the carrier's; everything else is the merchant's to say.
CARRIERS: Final[dict[str, Carrier]] = {
    "ups*": Carrier("ups"),
    "fedex*": Carrier("fedex"),
    "usps*": Carrier("usps"),
    "dhl express*": Carrier(tracking_carrier="dhl"),
    "royal mail*": Carrier("royalmail"),
    "australia post*": Carrier("auspost"),
    "canada post*": Carrier("canadapost"),
}


def is_provider(text: str) -> bool:
    """Whether BigCommerce takes this as `shipping_provider`."""
    return text == "" or text in PROVIDERS or bool(_CUSTOM_PROVIDER.fullmatch(text))


@dataclass(frozen=True, slots=True)
class ShipmentPolicy:
    """How fulfilments become shipments.

    `carriers` by folded name or pattern of NetSuite's ship method or carrier. `packages`: further parcels of
    one fulfilment stand in the `comments` of its one shipment, or are `shipments` of their own, each of which
    writes to the shopper. `comments` has {marker} in it, by which a shipment of ours is known again; `further`
    has {numbers}. `kept` are statuses that an order keeps, `ignored` items that shoppers need not see.
    `materiality`: by currency, what the goods of a shipment may cost without a person's approval.
    """

    carriers: Mapping[str, Carrier] = field(default_factory=lambda: dict(CARRIERS))
    tracking_url: str = ""
    packages: Packages = "comments"
    comments: str = "{marker}"
    further: str = "Further parcels: {numbers}"
    status: bool = True
    kept: frozenset[int] = frozenset()
    ignored: frozenset[int] = frozenset()
    note_field: str = ""
    materiality: Mapping[str, Decimal] = field(default_factory=dict)

    def too_large(self, value: Money) -> str | None:
        """One sentence where the goods of a shipment are worth more than may go without a person's approval."""
        limit = self.materiality.get(value.currency)
        if limit is None or value <= Money.of(limit, value.currency):
            return None
        return f"{value} is above fulfilment.materiality of {limit} {value.currency}."


# Called off or never sold; a shipment would write to the shopper and may move the order (feature L5).
HELD: Final = frozenset(
    {Status.INCOMPLETE, Status.CANCELLED, Status.DECLINED, Status.REFUNDED, Status.DISPUTED}
)


def carrier_of(policy: ShipmentPolicy, method: str, code: str) -> Carrier | None:
    """The carrier by ship method, then by carrier code; None where neither is mapped. Exact names come first."""
    names = [fold(name) for name in (method, code) if name.strip()]
    for name in names:
        if name in policy.carriers:
            return policy.carriers[name]
    for name in names:
        for pattern, carrier in policy.carriers.items():
            if fnmatchcase(name, pattern):
                return carrier
    return None


def tracking_link(template: str, tracking: str) -> str:
    """The link for a number, "" where there is no template or it would be longer than the store takes."""
    if not template or not tracking:
        return ""
    link = template.replace("{tracking}", quote(tracking, safe=""))
    return link if len(link) <= LONGEST_LINK else ""
