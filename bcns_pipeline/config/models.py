"""The merchant's mapping file, typed: what flows where, when, and by which rule.

Put here how the sections make one file. Do not put keys of a flow here: each has a module of its own beside
this one. No secrets or addresses (`settings.py`), no arithmetic (rules). Every key has a default where one
is safe, and is missed where none is: `order_faults` says what posting orders needs beyond what stock does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from bcns_pipeline.config.alerts import AlertsMapping
from bcns_pipeline.config.base import Flag, Id, Section, TimeZone
from bcns_pipeline.config.cash import CashMapping
from bcns_pipeline.config.channels import ChannelMapping, share_faults, shares
from bcns_pipeline.config.customers import CustomersMapping
from bcns_pipeline.config.fulfilment import FulfilmentMapping
from bcns_pipeline.config.intake import METAFIELD_SCOPES, IntakeMapping
from bcns_pipeline.config.inventory import InventoryMapping
from bcns_pipeline.config.order_policy import order_policy
from bcns_pipeline.config.orders import OrdersMapping
from bcns_pipeline.config.payouts import PayoutsMapping
from bcns_pipeline.config.text import Several, read_mapping_text, sentences, text_of
from bcns_pipeline.rules.cash.policy import CashPolicy
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.inventory.policy import Policy, Route
from bcns_pipeline.rules.orders.policy import OrderPolicy


class StoreMapping(Section):
    """The store itself."""

    timezone: TimeZone | None = Field(None, description="IANA name; default: read from the store.")


class NetSuiteMapping(Section):
    """How this NetSuite account differs from others."""

    oneworld: Flag | Literal["auto"] = Field(
        "auto", description="Whether the account has subsidiaries; auto finds out."
    )
    scope_form: Literal["list", "string"] = Field(
        "list", description="How the scope is written into the token request (facts/netsuite.md 1)."
    )


class CutoverMapping(Section):
    """Where our responsibility begins."""

    at: date | datetime | None = Field(None, description="Older orders are adopted or listed, never created.")


class Mapping(Section):
    """The whole file. `Mapping()` is what a missing or faulty file stands for."""

    version: Literal[1] = Field(1, description="Version of this format.")
    store: StoreMapping = StoreMapping()
    netsuite: NetSuiteMapping = NetSuiteMapping()
    cutover: CutoverMapping = CutoverMapping()
    inventory: InventoryMapping = InventoryMapping()
    channels: dict[Id, ChannelMapping] = Field(
        default_factory=dict, description="Per storefront, by BigCommerce's channel id."
    )
    orders: OrdersMapping = OrdersMapping()
    customers: CustomersMapping = CustomersMapping()
    fulfilment: FulfilmentMapping = FulfilmentMapping()
    intake: IntakeMapping = IntakeMapping()
    cash: CashMapping = CashMapping()
    payouts: PayoutsMapping = PayoutsMapping()
    alerts: AlertsMapping = AlertsMapping()

    @field_validator("channels")
    @classmethod
    def _no_unit_twice(
        cls, channels: dict[int, ChannelMapping], info: ValidationInfo
    ) -> dict[int, ChannelMapping]:
        inventory = info.data.get("inventory")
        if inventory is not None:
            named = inventory.locations
            pools = None if named is None else [one.bigcommerce for one in named]
            faults = list(share_faults(channels, pools))
            if faults:
                raise Several(faults)
        return channels

    def stock_policy(self, routes: Sequence[Route], suspended: Collection[int] = ()) -> Policy:
        """What the rules of stock need, with the shares of storefronts; `suspended` locations are not written to."""
        return self.inventory.policy(
            routes, shares(self.channels, [target for _, target in routes], suspended)
        )

    @property
    def digest(self) -> str:
        """sha256 of the mapping with all its defaults, as canonical JSON: equal meaning, equal digest."""
        plain = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def nets_orders(self) -> bool:
        """Whether sold units are held back: wanted, and orders are posted by us, so that it ends at some time."""
        return self.inventory.netting.orders == "on" and not self.order_faults()

    def order_policy(self, store_zone: str | None = None) -> OrderPolicy:
        """What the rules of orders need. `store_zone` is the store's own, for where the file names none."""
        zone = self.store.timezone or store_zone or "UTC"
        return order_policy(self.orders, self.channels, self.cutover.at, zone)

    def hook_scopes(self) -> tuple[str, ...]:
        """What our hooks deliver: what the file names, and what its metafields need."""
        given = self.intake.hooks.scopes
        asked = self.order_policy().metafields and "store/order/*" not in given
        return (*given, *METAFIELD_SCOPES) if asked else given

    def cash_policy(self) -> CashPolicy:
        """What the rules of cash need, with the clearing accounts of all providers."""
        return self.cash.policy(self.payouts, self.channels)

    def cash_faults(self) -> list[str]:
        """What booking captures needs beyond what posting orders does, a sentence each."""
        return [*self.order_faults(), *self.cash.faults(self.payouts, self.channels)]

    def order_faults(self) -> list[str]:
        """What posting orders needs and the file does not say, a sentence each; stock does without it."""
        faults = list(self.orders.faults())
        if self.cutover.at is None:
            faults.append("cutover.at is missing; orders placed before it are never created in NetSuite.")
        for number, channel in self.channels.items():
            if channel.guests == "channel_guest" and channel.guest_customer is None:
                faults.append(
                    f"channels.{number}.guest_customer is missing, as all its guests are to be one."
                )
            if channel.marketplace and self.orders.tax.marketplace_item is None:
                faults.append(
                    f"orders.tax.marketplace_item is missing; channel {number} is a marketplace, whose tax "
                    "must not reach the tax account."
                )
        return faults

    def payout_faults(self) -> list[str]:
        """What posting payouts needs and the file does not say, a sentence each; orders do without it."""
        return list(self.payouts.faults())

    def require_orders(self) -> None:
        """Raises BadInput with `order_faults` where there are any."""
        faults = self.order_faults()
        if faults:
            raise BadInput(faults)


def load_mapping(path: Path) -> Mapping:
    """Read and check the file; raises BadInput with one sentence per fault, all at once."""
    return _mapping(path.name, text_of(path))


# A run, a tick and the definitions ask for the same file again and again, and reading it costs 20 ms of CPU time.
@lru_cache(maxsize=8)
def _mapping(name: str, content: str) -> Mapping:
    text = read_mapping_text(name, content)
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
