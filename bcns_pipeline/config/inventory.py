"""The mapping file's `inventory`: which stock is sold where, when it is looked at, and when pushing pauses.

Put keys of the stock flow here, with their defaults and what contradicts them. Do not put arithmetic here
(rules/inventory).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from bcns_pipeline.config.base import Calls, Count, CronLine, Id, Name, Percent, Section, Text, Whole
from bcns_pipeline.config.text import Several
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.inventory.expression import parse_expression
from bcns_pipeline.rules.inventory.freshness import REST, Objective
from bcns_pipeline.rules.inventory.policy import (
    Breaker,
    BufferOwner,
    KitMode,
    Policy,
    Quantity,
    Route,
    make_policy,
)
from bcns_pipeline.rules.inventory.shares import Share

_ON_OFF: Final = {"enum": ["on", "off", True, False]}


def _on_or_off(value: Any) -> Any:
    """YAML 1.1 reads on and off as true and false."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


class LocationMap(Section):
    """NetSuite locations whose stock is summed into one BigCommerce location."""

    netsuite: tuple[Id, ...] = Field(min_length=1, description="Internal ids of NetSuite locations.")
    bigcommerce: Id = Field(description="Id of the BigCommerce location.")


class KitsMapping(Section):
    """How kits and item groups are counted."""

    mode: KitMode = Field(
        "pooled", description="Members summed over the locations first, or kits per location."
    )


class SafetyStockMapping(Section):
    """What is held back, and by whom: exactly one owner."""

    owner: BufferOwner = "none"
    value: Count = Field(
        0, validate_default=True, description="Units per item and location, if ours to hold back."
    )

    @field_validator("value")
    @classmethod
    def _fits_the_owner(cls, value: int, info: ValidationInfo) -> int:
        owner = info.data.get("owner")
        if owner == "pipeline" and value == 0:
            raise ValueError(
                "0 units, although the pipeline owns the safety stock; set the units, or owner: none"
            )
        if owner not in {None, "pipeline"} and value > 0:
            raise ValueError(
                f"{value} units that nobody would hold back, as owner is {owner}; set owner: pipeline, or 0"
            )
        return value


class NettingMapping(Section):
    """Units that the store has sold and NetSuite does not know of are not offered again."""

    orders: Annotated[Literal["on", "off"], BeforeValidator(_on_or_off), WithJsonSchema(_ON_OFF)] = Field(
        "on", description="Has an effect only where the file says how orders are posted."
    )
    location: Literal["default"] | Id = Field(
        "default", description="BigCommerce location that orders take stock from; default: the store's own."
    )
    raise_after_hours: Annotated[Whole, Field(ge=0, le=720)] = Field(
        12,
        description="What the store has shown too little of for so long, with no order to explain it, is raised; "
        "0 = only once NetSuite moves, or a person approves.",
    )


class LowStockMapping(Section):
    """The fast lane."""

    threshold: Count = Field(5, description="Items that sell this many or fewer are looked at every minute.")


class BreakerMapping(Section):
    """When pushing pauses until a person has looked."""

    max_changed_percent: Percent = Field(
        30.0, description="Share of confirmed lines that one run may change."
    )
    max_oversold_percent: Percent = Field(2.0, description="Share of lines seen that may be above sellable.")
    min_changed: Count = Field(10, description="Fewer lines than this never trip the breaker.")


class FreshnessMapping(Section):
    """How long the SKUs of one class may be out of step."""

    name: Name
    skus: tuple[Name, ...] = Field(
        min_length=1, description="SKUs, or patterns with * and ?; case counts not."
    )
    minutes: Annotated[Whole, Field(ge=1, le=10_080)] = Field(
        description="One out of step for longer is reported."
    )


class InventoryMapping(Section):
    """Stock, from NetSuite to BigCommerce."""

    schedule: CronLine = Field("7-59/15 * * * *", description="What changed, in the store's time zone.")
    full_schedule: CronLine = Field("23 2 * * *", description="Everything read on both sides.")
    reconciliation_schedule: CronLine = Field("41 3 * * 0", description="The catalogues compared as well.")
    jitter_seconds: Annotated[Whole, Field(ge=0, le=600)] = Field(
        30, description="A run that a schedule starts waits up to so long first, at random."
    )
    quantity: Quantity = "available"
    expression: Text | None = Field(
        None,
        validate_default=True,
        description="+ - min max, numbers, available on_hand committed in_transit backordered on_order",
    )
    locations: tuple[LocationMap, ...] | None = Field(
        None, description="Without it, each side must have exactly one location."
    )
    kits: KitsMapping = KitsMapping()
    safety_stock: SafetyStockMapping = SafetyStockMapping()
    netting: NettingMapping = NettingMapping()
    low_stock: LowStockMapping = LowStockMapping()
    breaker: BreakerMapping = BreakerMapping()
    sku_field: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)] = Field(
        "itemid",
        description="The field of NetSuite's item that holds the SKU, e.g. itemid, upccode, custitem_sku.",
    )
    source: Literal["auto", "aggregateitemlocation", "inventoryitemlocations", "item"] = Field(
        "auto", description="Which NetSuite table stock is read from; auto takes the best one that answers."
    )
    sample_size: Annotated[Whole, Field(ge=0, le=1000)] = Field(
        100, description="Unchanged items whose live value is looked at in each run."
    )
    settle_seconds: Annotated[Whole, Field(ge=1, le=600)] = Field(
        30, description="How long a pushed value may take to be seen in the store."
    )
    overlap_minutes: Annotated[Whole, Field(ge=0, le=1440)] = Field(
        15, description="How far a read goes back behind the last one."
    )
    stale_after_cadences: Annotated[Whole, Field(ge=1, le=100)] = Field(
        2, description="A SKU of no class below that is out of step for longer is reported by itself."
    )
    freshness: tuple[FreshnessMapping, ...] = Field(
        (), description="Classes of SKUs with an objective of their own; the first that has a SKU counts."
    )
    call_budget: Calls = Field(
        2000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    @field_validator("expression")
    @classmethod
    def _fits_the_quantity(cls, text: str | None, info: ValidationInfo) -> str | None:
        quantity = info.data.get("quantity")
        if text is None:
            if quantity == "expression":
                raise ValueError("missing, although quantity is expression; write one, e.g. available - 2")
            return None
        parse_expression(text)
        if quantity not in {None, "expression"}:
            raise ValueError(f"not used, as quantity is {quantity}; set quantity: expression, or remove it")
        return text

    @field_validator("freshness")
    @classmethod
    def _each_class_once(cls, classes: tuple[FreshnessMapping, ...]) -> tuple[FreshnessMapping, ...]:
        names = Counter(one.name for one in classes)
        twice = [name for name, count in names.items() if count > 1 or name == REST]
        if twice:
            raise Several([f"a class {name!r} that is there already; give it another name" for name in twice])
        return classes

    def objectives(self) -> list[Objective]:
        """The classes of `freshness`, in the order in which they count."""
        return [Objective(one.name, one.skus, float(one.minutes)) for one in self.freshness]

    @field_validator("locations")
    @classmethod
    def _each_location_once(cls, routes: tuple[LocationMap, ...] | None) -> tuple[LocationMap, ...] | None:
        if routes is None:
            return None
        faults = ["an empty list; name at least one location, or remove the key"] if not routes else []
        targets = Counter(route.bigcommerce for route in routes)
        sources = Counter(source for route in routes for source in route.netsuite)
        faults += [
            f"BigCommerce location {target} stands there {count} times; write it once, with all its sources"
            for target, count in targets.items()
            if count > 1
        ]
        faults += [
            f"NetSuite location {source} stands there {count} times and would be sold as often; "
            "let it feed one BigCommerce location"
            for source, count in sources.items()
            if count > 1
        ]
        if faults:
            raise Several(faults)
        return routes

    def policy(self, routes: Sequence[Route] | None = None, shares: Sequence[Share] = ()) -> Policy:
        """What the rules need. `routes` ((NetSuite ids), BigCommerce id) replace the file's `locations`.

        The flow gives routes where the file names none, or to leave out locations that are not in use. `shares` are
        those of channels (`Mapping.stock_policy`), without those of locations that are left out. Raises
        BadInput where there are no locations at all.
        """
        given = routes
        if given is None:
            given = [(route.netsuite, route.bigcommerce) for route in self.locations or ()]
        fed, limits = {target for _, target in given}, self.breaker
        try:
            return make_policy(
                given,
                quantity=self.quantity,
                expression=self.expression,
                kits=self.kits.mode,
                buffer=self.safety_stock.value if self.safety_stock.owner == "pipeline" else 0,
                low_stock_threshold=self.low_stock.threshold,
                breaker=Breaker(limits.max_changed_percent, limits.max_oversold_percent, limits.min_changed),
                shares=[one for one in shares if one.of in fed],
            )
        except ValueError as error:
            raise BadInput([f"inventory.locations: {error}."]) from error
