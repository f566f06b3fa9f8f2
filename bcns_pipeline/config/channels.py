"""The mapping file's `channels`: which subsidiary, place and customer the orders of one storefront go to.

Put keys here that differ by storefront. Do not put what holds for all orders here (`orders.py`).
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from bcns_pipeline.config.base import FieldName, Flag, Id, Section, Text, TimeZone
from bcns_pipeline.rules.orders.policy import CASH_SALE, SALES_ORDER, Channel, Record, TaxMode

_RECORDS: Final[dict[str, Record]] = {"sales_order": SALES_ORDER, "cash_sale": CASH_SALE}


class ChannelMapping(Section):
    """One storefront or marketplace."""

    subsidiary: Id | None = Field(None, description="NetSuite subsidiary; needed in OneWorld accounts.")
    location: Id | None = Field(None, description="NetSuite location that orders are shipped from.")
    department: Id | None = None
    class_: Id | None = Field(None, alias="class", description="NetSuite class.")
    record: Literal["sales_order", "cash_sale"] = Field(
        "sales_order", description="cash_sale posts at once, for what was handed over at the till."
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
            tax_mode=self.tax_mode,
            prices_include_tax=self.price_includes_tax,
            marketplace=self.marketplace,
            zone=self.timezone or "",
            fields={name: _value(value) for name, value in self.fields.items()},
        )


def _value(value: Text | Flag | Id) -> Any:
    return {"id": str(value)} if isinstance(value, int) and not isinstance(value, bool) else value
