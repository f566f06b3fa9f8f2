"""The merchant's mapping file, typed: what flows where, when, and by which rule.

Put every key of the file here, with its default and what contradicts it. Do not put secrets or addresses
here (`settings.py`), nor arithmetic (rules). Every key has a default where one is safe; the keys and their
meaning: design section 3.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bcns_pipeline.config.text import Several, read_mapping_text, sentences
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.inventory.expression import parse_expression
from bcns_pipeline.rules.inventory.policy import (
    Breaker,
    BufferOwner,
    KitMode,
    Policy,
    Quantity,
    Route,
    make_policy,
)
from bcns_pipeline.rules.inventory.quantities import MAX_STOCK
from bcns_pipeline.rules.schedule import parse_cron


def _cron(text: str) -> str:
    parse_cron(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one such as America/New_York or UTC") from None
    return name


# YAML says exactly what is a number and what is text; "5" for 5 or true for 1 would be somebody's slip.
Whole = Annotated[int, Strict()]
Text = Annotated[str, Strict()]
Count = Annotated[Whole, Field(ge=0, le=MAX_STOCK)]
Id = Annotated[Whole, Field(ge=1, le=2**53)]
Percent = Annotated[float, Strict(), Field(gt=0, le=100)]
CronLine = Annotated[Text, AfterValidator(_cron)]
TimeZone = Annotated[Text, AfterValidator(_zone)]
# Flows that are not built yet keep what is written for them; each gets its own model with its flow.
Later = dict[Text | Whole, Any]


class Section(BaseModel):
    """A group of keys. An unknown key is a fault, because a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StoreMapping(Section):
    """The store itself."""

    timezone: TimeZone | None = Field(None, description="IANA name; default: read from the store.")


class NetSuiteMapping(Section):
    """How this NetSuite account differs from others."""

    oneworld: Annotated[bool, Strict()] | Literal["auto"] = Field(
        "auto", description="Whether the account has subsidiaries; auto finds out."
    )
    scope_form: Literal["list", "string"] = Field(
        "list", description="How the scope is written into the token request (facts/netsuite.md 1)."
    )


class CutoverMapping(Section):
    """Where our responsibility begins."""

    at: date | datetime | None = Field(None, description="Older orders are adopted or listed, never created.")


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


class InventoryMapping(Section):
    """Stock, from NetSuite to BigCommerce."""

    schedule: CronLine = Field("7-59/15 * * * *", description="What changed, in the store's time zone.")
    full_schedule: CronLine = Field("23 2 * * *", description="Everything read on both sides.")
    reconciliation_schedule: CronLine = Field("41 3 * * 0", description="The catalogues compared as well.")
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
        2, description="An item out of step for longer is reported by itself."
    )
    call_budget: Annotated[Whole, Field(ge=1)] = Field(
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

    def policy(self, routes: Sequence[Route] | None = None) -> Policy:
        """What the rules need. `routes` ((NetSuite ids), BigCommerce id) replace the file's `locations`.

        The flow gives routes where the file names none, or to leave out locations that are not in use. Raises
        BadInput where there are no locations at all.
        """
        given = routes
        if given is None:
            given = [(route.netsuite, route.bigcommerce) for route in self.locations or ()]
        limits = self.breaker
        try:
            return make_policy(
                given,
                quantity=self.quantity,
                expression=self.expression,
                kits=self.kits.mode,
                buffer=self.safety_stock.value if self.safety_stock.owner == "pipeline" else 0,
                low_stock_threshold=self.low_stock.threshold,
                breaker=Breaker(limits.max_changed_percent, limits.max_oversold_percent, limits.min_changed),
            )
        except ValueError as error:
            raise BadInput([f"inventory.locations: {error}."]) from error


class Mapping(Section):
    """The whole file. `Mapping()` is what a missing or faulty file stands for."""

    version: Literal[1] = Field(1, description="Version of this format.")
    store: StoreMapping = StoreMapping()
    netsuite: NetSuiteMapping = NetSuiteMapping()
    cutover: CutoverMapping = CutoverMapping()
    inventory: InventoryMapping = InventoryMapping()
    channels: dict[Id, Later] = Field(default_factory=dict, description="Per storefront, by channel id.")
    orders: Later = Field(default_factory=dict)
    customers: Later = Field(default_factory=dict)
    cash: Later = Field(default_factory=dict)
    payouts: Later = Field(default_factory=dict)
    alerts: Later = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """sha256 of the mapping with all its defaults, as canonical JSON: equal meaning, equal digest."""
        plain = self.model_dump(mode="json")
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_mapping(path: Path) -> Mapping:
    """Read and check the file; raises BadInput with one sentence per fault, all at once."""
    text = read_mapping_text(path)
    try:
        mapping = Mapping.model_validate(text.content)
    except ValidationError as error:
        raise BadInput([*text.faults, *sentences(text, error, Mapping)]) from None
    if text.faults:
        raise BadInput(text.faults)
    return mapping


def load_or_default(path: Path) -> tuple[Mapping, list[str]]:
    """As `load_mapping`, but a missing or faulty file gives the defaults and its faults; it never raises."""
    try:
        return load_mapping(path), []
    except BadInput as bad:
        return Mapping(), list(bad.faults)


def json_schema() -> dict[str, Any]:
    """JSON Schema of the mapping file, for editors; `docs/bcns.schema.json` is this, written down."""
    schema = Mapping.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bcns.yaml", **schema}
