"""Reads the store's small lists (locations, channels, currencies, statuses) and single records into models.

Put the reading of rows here whose number is small enough for one object each. Columnar pages are in
`parsing.py`. KeyError and TypeError mean another shape than asked for; `parsing.read_shape` turns them
around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bcns_pipeline.clients.bigcommerce.models import (
    Channel,
    Currency,
    InventorySettings,
    Location,
    Paging,
    Store,
)
from bcns_pipeline.clients.bigcommerce.parsing import page_of
from bcns_pipeline.clients.http.body import decode_exact

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a small list."""

    rows: list[Any]
    paging: Paging


def rows(body: bytes, page: int, limit: int, make: Callable[[Mapping[str, Any]], Any]) -> Rows:
    """One page, each row made into a model. Lists that ignore `limit` say their own page size in `meta`."""
    found, paging = page_of(body, page, limit)
    return Rows([make(row) for row in found], paging)


def one(body: bytes, make: Callable[[Mapping[str, Any]], T]) -> T:
    """A single record, bare (v2) or under `data` (v3)."""
    value = decode_exact(body)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    data = value.get("data")
    return make(data if isinstance(data, dict) else value)


def location(row: Mapping[str, Any]) -> Location:
    """A row of `/v3/inventory/locations`."""
    default = row.get("is_default")
    return Location(
        id=int(row["id"]),
        code=str(row.get("code") or ""),
        label=str(row.get("label") or ""),
        enabled=row.get("enabled") is not False,
        type_id=str(row.get("type_id") or ""),
        external=row.get("managed_by_external_source") is True,
        default=default if isinstance(default, bool) else None,
    )


def store(row: Mapping[str, Any]) -> Store:
    """The answer of `/v2/store` without its contact data."""
    zone = row.get("timezone")
    features = row.get("features")
    return Store(
        hash=str(row.get("id") or ""),
        name=str(row.get("name") or ""),
        timezone=str(zone["name"]) if isinstance(zone, dict) else "",
        currency=str(row.get("currency") or ""),
        plan_name=str(row.get("plan_name") or ""),
        plan_level=str(row.get("plan_level") or ""),
        status=str(row.get("status") or ""),
        default_channel_id=int(row.get("default_channel_id") or 1),
        multi_storefront=isinstance(features, dict) and features.get("multi_storefront_enabled") is True,
        prices_include_tax=row.get("is_price_entered_with_tax") is True,
    )


def channel(row: Mapping[str, Any]) -> Channel:
    """A row of `/v3/channels`."""
    money = row.get("currencies")
    money = money if isinstance(money, dict) else {}
    return Channel(
        id=int(row["id"]),
        name=str(row.get("name") or ""),
        type=str(row.get("type") or ""),
        platform=str(row.get("platform") or ""),
        status=str(row.get("status") or ""),
        external_id=str(row.get("external_id") or ""),
        currencies=tuple(money.get("enabled_currencies") or ()),
        default_currency=str(money.get("default_currency") or ""),
    )


def inventory_settings(row: Mapping[str, Any]) -> InventorySettings:
    """The answer of `/v3/settings/inventory`; absent and null both mean inherited."""
    return InventorySettings(
        update_stock_behavior=row.get("update_stock_behavior"),
        edit_order_stock_adjustment=row.get("edit_order_stock_adjustment"),
        refund_order_stock_adjustment=row.get("refund_order_stock_adjustment"),
        product_out_of_stock_behavior=row.get("product_out_of_stock_behavior"),
        option_out_of_stock_behavior=row.get("option_out_of_stock_behavior"),
    )


def currency(row: Mapping[str, Any]) -> Currency:
    """A row of `/v2/currencies`."""
    return Currency(
        id=int(row["id"]),
        code=str(row.get("currency_code") or ""),
        enabled=row.get("enabled") is not False,
        default=row.get("is_default") is True,
        decimal_places=int(row.get("decimal_places") or 0),
    )
