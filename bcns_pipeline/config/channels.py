"""The mapping file's `channels`: which subsidiary, place and customer the orders of one storefront go to.

Put keys here that differ by storefront. Do not put what holds for all orders here (`orders.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from bcns_pipeline.config.base import Count, FieldName, Flag, Id, Section, Text, TimeZone, Whole
from bcns_pipeline.rules.cash.policy import PostAs
from bcns_pipeline.rules.inventory.shares import Share
from bcns_pipeline.rules.orders.policy import CASH_SALE, SALES_ORDER, Channel, Record, TaxMode

_RECORDS: Final[dict[str, Record]] = {"sales_order": SALES_ORDER, "cash_sale": CASH_SALE}


class AvailabilityMapping(Section):
    """What this storefront may sell, from a BigCommerce location of its own; the rest stays where it comes from."""

    location: Id = Field(description="Id of the BigCommerce location that the storefront sells from.")
    from_: Id | None = Field(
        None, alias="from", description="BigCommerce location of inventory.locations whose stock is divided."
    )
    percent: Annotated[Whole, Field(ge=0, le=100)] = Field(100, description="Of the units above keep.")
    keep: Count = Field(0, description="Units that others may sell before this storefront gets any.")
    at_most: Count | None = Field(None, description="Units of an item that are offered here at most.")


class ChannelMapping(Section):
    """One storefront or marketplace."""

    subsidiary: Id | None = Field(None, description="NetSuite subsidiary; needed in OneWorld accounts.")
    location: Id | None = Field(None, description="NetSuite location that orders are shipped from.")
    department: Id | None = None
    class_: Id | None = Field(None, alias="class", description="NetSuite class.")
    record: Literal["sales_order", "cash_sale"] = Field(
        "sales_order", description="cash_sale posts at once, for what was handed over at the till."
    )
    receipts: PostAs = Field(
        "deposit", description="deposit on the sales order when money is taken | payment on its invoice."
    )
    cash_account: Id | None = Field(
        None, description="Account of its cash sales, e.g. the till's provider's clearing account."
    )
    guests: Literal["per_guest", "channel_guest", "match_email"] = Field(
        "match_email", description="Which NetSuite customer a shopper without an account becomes."
    )
    guest_customer: Id | None = Field(None, description="The customer of all guests, for channel_guest.")
    tax_mode: TaxMode | None = Field(None, description="Instead of orders.tax.mode, for this channel.")
    price_includes_tax: Flag | None = Field(
        None, description="Only for orders that do not say it themselves (made before 2024-09)."
    )
    marketplace: Flag | None = Field(
        None,
        description="The marketplace collects tax and remits it itself; default: orders.sources tells.",
    )
    availability: AvailabilityMapping | None = Field(
        None, description="A share of the stock instead of the same stock as the other storefronts."
    )
    timezone: TimeZone | None = Field(None, description="Zone of the transaction date; default: the store's.")
    fields: dict[FieldName, Flag | Id | Text] = Field(
        default_factory=dict,
        description="NetSuite fields with one value for all orders: a whole number is an internal id.",
    )

    def channel(self, channel_id: int) -> Channel:
        """What the rules need."""
        return Channel(
            id=channel_id,
            subsidiary=self.subsidiary,
            location=self.location,
            department=self.department,
            class_id=self.class_,
            record=_RECORDS[self.record],
            cash_account=self.cash_account,
            tax_mode=self.tax_mode,
            prices_include_tax=self.price_includes_tax,
            marketplace=self.marketplace,
            zone=self.timezone or "",
            fields={name: _value(value) for name, value in self.fields.items()},
        )


def shares(
    channels: Mapping[int, ChannelMapping], pools: Sequence[int], paused: Collection[int] = ()
) -> list[Share]:
    """The shares of storefronts that have one. `pools`: BigCommerce locations that are fed; `paused`: out of use."""
    found = []
    for number, channel in channels.items():
        given = channel.availability
        if given is not None:
            of = given.from_ if given.from_ is not None else next(iter(pools), 0)
            paused_here = given.location in paused
            found.append(
                Share(number, given.location, of, given.percent, given.keep, given.at_most, paused_here)
            )
    return found


def share_faults(channels: Mapping[int, ChannelMapping], pools: Sequence[int] | None) -> Iterator[str]:
    """What contradicts itself, a sentence each. `pools` None: the file names no locations."""
    given = {number: one.availability for number, one in channels.items() if one.availability is not None}
    if pools is None:
        for number in given:
            yield (
                f"{number}.availability divides the stock of a location; name them in inventory.locations."
            )
        return
    percents: Counter[int] = Counter()
    taken: dict[int, int] = {}
    for number, one in given.items():
        key = f"{number}.availability"
        if one.location in pools:
            yield (
                f"{key}.location {one.location} is fed by inventory.locations; name one that only this "
                "storefront sells from."
            )
        elif one.location in taken:
            yield f"{key}.location {one.location} is that of channel {taken[one.location]} already."
        taken.setdefault(one.location, number)
        if one.from_ is None and len(pools) != 1:
            yield f"{key}.from is missing; it is one of {', '.join(map(str, sorted(pools)))}."
        elif one.from_ is not None and one.from_ not in pools:
            yield f"{key}.from {one.from_} is not among inventory.locations."
        else:
            percents[one.from_ if one.from_ is not None else pools[0]] += one.percent
    for pool, percent in percents.items():
        if percent > 100:
            yield (
                f"storefronts are given {percent} percent of BigCommerce location {pool}; more than "
                "100 would be sold twice."
            )


def _value(value: Text | Flag | Id) -> Any:
    return {"id": str(value)} if isinstance(value, int) and not isinstance(value, bool) else value
