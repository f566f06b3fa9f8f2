"""What the store says about itself: information, time, currencies, channels, locations, settings.

Put small read-only lists here. Do not put the catalogue or stock here. Sources: facts/bigcommerce.md 1.1,
2.5, 2.6, 5.4, 8; v2 lists are bare arrays and end with 204.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bcns_pipeline.sandbox.bigcommerce import errors, v2
from bcns_pipeline.sandbox.bigcommerce.money import exponent
from bcns_pipeline.sandbox.bigcommerce.paging import Window, integers, listing, texts, window
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.bigcommerce.state import Store
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

ZONE = "America/New_York"
INFORMATION = "store_v2_information"
SETTINGS: dict[str, Any] = {
    "product_out_of_stock_behavior": "do_nothing",
    "option_out_of_stock_behavior": "do_nothing",
    "stock_level_display": "dont_show",
    "default_out_of_stock_message": "Currently out of stock",
    "hide_in_product_filtering": False,
    "show_pre_order_stock_levels": False,
    "show_out_of_stock_message": True,
}
# symbol, name, country
MONEY = {
    "USD": ("$", "US Dollar", "US"),
    "EUR": ("€", "Euro", "DE"),
    "GBP": ("£", "Pound Sterling", "GB"),
    "JPY": ("¥", "Japanese Yen", "JP"),
    "KWD": ("KD", "Kuwaiti Dinar", "KW"),
}


class StoreInformation:
    """Endpoints over one store."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._clock = shop.clock
        self.plan = "Pro"

    def _store(self) -> Store:
        return self._shop.store

    def routes(self) -> list[Route]:
        """What is answered where."""
        return [
            ("GET", "/v3/inventory/locations", "locations", self.locations, "store_locations"),
            ("GET", "/v3/channels", "channels", self.channels, "store_channel_settings"),
            ("GET", "/v3/settings/inventory", "settings", self.settings, INFORMATION),
            ("GET", "/v2/store", "store", self.store, INFORMATION),
            ("GET", "/v2/time", "time", self.time, INFORMATION),
            ("GET", "/v2/currencies", "currencies", self.currencies, INFORMATION),
        ]

    def store(self, call: Call) -> Answer:
        """GET /v2/store."""
        settings, currency = self._shop.settings, self._shop.currency
        now = self._clock.utc().astimezone(ZoneInfo(ZONE))
        moved = now.dst()
        offset = now.utcoffset()
        assert moved is not None
        assert offset is not None
        body = {
            "id": self._store().hash,
            "account_uuid": "00000000-0000-4000-8000-000000000001",
            "domain": "sandbox.example.com",
            "secure_url": "https://sandbox.example.com",
            "control_panel_base_url": "https://store-sandbox.example.com",
            "status": "live",
            "name": "Sandbox Trading",
            "first_name": "Sam",
            "last_name": "Box",
            "address": "1 Loopback Street",
            "country": "United States",
            "country_code": "US",
            "infrastructure_region": "us-central1",
            "phone": "",
            "admin_email": "admin@example.com",
            "order_email": "orders@example.com",
            "favicon_url": "",
            "timezone": {
                "name": ZONE,
                "raw_offset": int((offset - moved).total_seconds()),
                "dst_offset": int((offset - moved).total_seconds()) + 3600,
                "dst_correction": bool(moved),
                "date_format": {
                    "display": "M jS Y",
                    "export": "M jS Y",
                    "extended_display": "M jS Y @ g:i A",
                },
            },
            "language": "en",
            "currency": currency,
            "currency_symbol": MONEY[currency][0],
            "decimal_separator": ".",
            "thousands_separator": ",",
            "decimal_places": exponent(currency),
            "currency_symbol_location": "left",
            "weight_units": "Ounces",
            "dimension_units": "Inches",
            "dimension_decimal_places": 2,
            "dimension_decimal_token": ".",
            "dimension_thousands_token": ",",
            "plan_name": self.plan,
            "plan_level": self.plan,
            "plan_is_trial": False,
            "industry": "Other",
            "logo": {"url": "https://sandbox.example.com/logo.png"},
            "is_price_entered_with_tax": settings.prices_include_tax,
            "store_id": 1000001,
            "default_channel_id": 1,
            "default_site_id": 1000,
            "active_comparison_modules": [],
            "features": {
                "stencil_enabled": True,
                "sitewidehttps_enabled": True,
                "facebook_catalog_id": "",
                "checkout_type": "optimized",
                "wishlists_enabled": True,
                "graphql_storefront_api_enabled": True,
                "shopper_consent_tracking_enabled": False,
                "multi_storefront_enabled": settings.second_storefront,
                "storefront_limits": {
                    "active": 1 + settings.second_storefront,
                    "total_including_inactive": 5,
                },
            },
        }
        return json_answer(200, body)

    def time(self, call: Call) -> Answer:
        """GET /v2/time."""
        return json_answer(200, {"time": int(self._clock.utc().timestamp())})

    def currencies(self, call: Call) -> Answer:
        """GET /v2/currencies."""
        shop = self._shop
        rows = []
        for code, place in shop.currency_ids().items():
            symbol, name, country = MONEY[code]
            rows.append(
                {
                    "id": place,
                    "is_default": place == 1,
                    "country_iso2": country,
                    "default_for_country_codes": [country] if place > 1 else [],
                    "currency_code": code,
                    "currency_exchange_rate": f"{shop.rate(code):.10f}",
                    "auto_update": False,
                    "token_location": "left",
                    "token": symbol,
                    "decimal_token": ".",
                    "thousands_token": ",",
                    "decimal_places": exponent(code),
                    "name": name,
                    "enabled": True,
                    "is_transactional": True,
                    "use_default_name": True,
                    "last_updated": "2026-01-01T00:00:00+00:00",
                }
            )
        return v2.sublist(call, shop.settings, rows)

    def channels(self, call: Call) -> Answer:
        """GET /v3/channels: the one that always exists, and what the shop was given besides."""
        shop = self._shop
        rows = []
        wanted = {name: texts(call, f"{name}:in") for name in ("status", "type", "platform")}
        for channel_id, (name, kind, platform) in shop.channels().items():
            channel: dict[str, Any] = {
                "id": channel_id,
                "external_id": "",
                "is_listable_from_ui": True,
                "is_enabled": True,
                "is_visible": True,
                "status": "active",
                "name": name,
                "type": kind,
                "platform": platform,
                "date_created": iso(shop.store.created),
                "date_modified": iso(shop.store.created),
                "icon_url": "https://sandbox.example.com/icon.png",
            }
            if call.query.get("include") == "currencies":
                channel["currencies"] = {
                    "enabled_currencies": list(shop.settings.currencies),
                    "default_currency": shop.currency,
                }
            if all(values is None or channel[field] in values for field, values in wanted.items()):
                rows.append(channel)
        return rows_answer(call, rows, 50, 250)

    def locations(self, call: Call) -> Answer:
        """GET /v3/inventory/locations."""
        store, query = self._store(), call.query
        ids, codes, types = (
            integers(call, "location_id:in"),
            texts(call, "location_code:in"),
            texts(call, "type_id:in"),
        )
        rows: list[dict[str, Any]] = []
        for place, location in enumerate(store.locations):
            default = place == 0
            if ids is not None and location.id not in ids:
                continue
            if codes is not None and location.code not in codes:
                continue
            if types is not None and "PHYSICAL" not in types:
                continue
            flags = {
                "is_default": default,
                "is_active": location.enabled,
                "managed_by_external_source": False,
                "storefront_visibility": True,
            }
            if any(name in query and truth(query[name]) != value for name, value in flags.items()):
                continue
            rows.append(
                {
                    "id": location.id,
                    "code": location.code,
                    "label": location.label,
                    "description": "",
                    "managed_by_external_source": False,
                    "type_id": "PHYSICAL",
                    "enabled": location.enabled,
                    "time_zone": ZONE,
                    "created_at": location.created_at,
                    "updated_at": location.created_at,
                    "storefront_visibility": True,
                    "special_hours": [],
                    "address": {
                        "address1": f"{location.id} Loopback Street",
                        "city": "Austin",
                        "state": "TX",
                        "zip": "78701",
                        "email": "warehouse@example.com",
                        "country_code": "US",
                        "geo_coordinates": {"latitude": 30.27, "longitude": -97.74},
                    },
                }
            )
        return rows_answer(call, rows, 50, 1000)

    def settings(self, call: Call) -> Answer:
        """GET /v3/settings/inventory; a channel without settings of its own shows the global ones here."""
        channel, settings = integers(call, "channel_id"), self._shop.settings
        if channel and channel[0] not in self._shop.channels():
            return errors.problem(422, "Channel not found", {"channel_id": "does not exist"})
        stock = {
            "edit_order_stock_adjustment": settings.edit_order_stock_adjustment,
            "refund_order_stock_adjustment": settings.refund_order_stock_adjustment,
            "update_stock_behavior": settings.update_stock_behavior,
        }
        return json_answer(200, {"data": {**SETTINGS, **stock}, "meta": {}})


def rows_answer(call: Call, rows: list[dict[str, Any]], default: int, most: int) -> Answer:
    """A short v3 list."""
    asked: Window = window(call, default, most)
    shown = [json_answer(200, row).body.decode() for row in rows[asked.start : asked.end]]
    return listing(asked, shown, len(rows))


def truth(text: str) -> bool:
    """A boolean of a query string."""
    return text.lower() in ("true", "1")


def iso(moment: datetime) -> str:
    """A moment as v3 writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
