"""The mapping file's `fulfilment`: what shoppers see of their parcels, and what NetSuite learns of it.

Put keys of the fulfilment flow here, with their defaults and what contradicts them. Do not put rules here
(rules/shipments).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from bcns_pipeline.config.base import Calls, Currency, Exact, FieldName, Flag, Id, Name, Section, Text, Whole
from bcns_pipeline.config.orders import StatusId
from bcns_pipeline.rules.orders.policy import fold
from bcns_pipeline.rules.shipments.policy import (
    CARRIERS,
    PROVIDERS,
    Carrier,
    Packages,
    ShipmentPolicy,
    is_provider,
)

_LONGEST_TEMPLATE: Final = 400


def _provider(text: str) -> str:
    if not is_provider(text):
        known = ", ".join(sorted(PROVIDERS))
        raise ValueError(f"{text!r} is no shipping provider of BigCommerce; {known} and carrier_ID are")
    return text


def _with(placeholder: str) -> Any:
    def check(text: str) -> str:
        if text and placeholder not in text:
            raise ValueError(f"{text!r} lacks {placeholder}, which says where it goes")
        return text

    return AfterValidator(check)


def _web(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise ValueError(f"{text!r} is no address; write one such as https://example.com/?n={{tracking}}")
    return text


TrackingUrl = Annotated[Text, Field(max_length=_LONGEST_TEMPLATE), AfterValidator(_web), _with("{tracking}")]


class CarrierMapping(Section):
    """A carrier as the store knows it."""

    provider: Annotated[Text, AfterValidator(_provider)] = Field(
        "", description="BigCommerce's shipping_provider: ups, fedex, usps, royalmail, ..., carrier_ID."
    )
    tracking_carrier: Annotated[Text, Field(pattern=r"^[a-z0-9-]*$", max_length=60)] = Field(
        "", description="AfterShip's name of the courier, where provider has none for it."
    )
    url: TrackingUrl = Field("", description="Link with {tracking}; overrides the store's own.")


class FulfilmentPollMapping(Section):
    """How often new and changed fulfilments are looked for. NetSuite's clock, so the overlap is larger.

    No multiple of the other polls' periods: runs that start together take each other's processors.
    """

    seconds: Annotated[Whole, Field(ge=30, le=86_400)] = 75
    overlap_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 15


def _carriers() -> dict[str, CarrierMapping]:
    return {
        name: CarrierMapping(provider=one.provider, tracking_carrier=one.tracking_carrier, url=one.url)
        for name, one in CARRIERS.items()
    }


class FulfilmentMapping(Section):
    """Parcels, from NetSuite to BigCommerce."""

    sync: Flag = Field(True, description="Shipped fulfilments become shipments in the store.")
    carriers: dict[Name, CarrierMapping] = Field(
        default_factory=_carriers,
        description="By NetSuite's ship method or carrier, or a pattern such as ups*; case does not count.",
    )
    tracking_url: TrackingUrl = Field(
        "", description="Link with {tracking} for carriers that are not mapped."
    )
    packages: Packages = Field(
        "comments", description="Further parcels: in the comments, or shipments, each of which sends a mail."
    )
    comments: Annotated[Text, Field(max_length=_LONGEST_TEMPLATE, min_length=1), _with("{marker}")] = Field(
        "{marker}", description="Shoppers may read it; {marker} is NS and the fulfilment's number."
    )
    further: Annotated[Text, Field(max_length=_LONGEST_TEMPLATE, min_length=1), _with("{numbers}")] = Field(
        "Further parcels: {numbers}", description="Added to the comments; {numbers} are tracking numbers."
    )
    status: Flag = Field(True, description="Set Partially Shipped and Shipped by what was shipped.")
    keep_statuses: tuple[StatusId, ...] = Field(
        (), description="Statuses that an order keeps, besides those that are never moved."
    )
    ignore_items: tuple[Id, ...] = Field(
        (), description="NetSuite items that the warehouse adds and shoppers need not see."
    )
    note_field: FieldName | None = Field(
        None, description="Field of the fulfilment for the store's shipment, e.g. custbody_bc_shipment_id."
    )
    materiality: dict[Currency, Exact] = Field(
        default_factory=dict,
        description="By currency; shipments of goods above it are held until somebody approves.",
    )
    poll: FulfilmentPollMapping = FulfilmentPollMapping()
    watch_days: Annotated[Whole, Field(ge=0, le=365)] = Field(
        30, description="So long a fulfilment that is deleted in NetSuite is noticed; 0: not at all."
    )
    batch: Annotated[Whole, Field(ge=1, le=500)] = Field(
        500, description="Fulfilments that one run takes at most."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    def policy(self) -> ShipmentPolicy:
        """What the rules need."""
        return ShipmentPolicy(
            carriers={
                fold(name): Carrier(one.provider, one.tracking_carrier, one.url)
                for name, one in self.carriers.items()
            },
            tracking_url=self.tracking_url,
            packages=self.packages,
            comments=self.comments,
            further=self.further,
            status=self.status,
            kept=frozenset(self.keep_statuses),
            ignored=frozenset(self.ignore_items),
            note_field=self.note_field or "",
            materiality=dict(self.materiality),
        )
