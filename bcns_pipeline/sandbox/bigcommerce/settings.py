"""How this shop is set up: what a merchant chooses in the control panel, and what nobody has confirmed.

Put switches of the shop here, with their defaults. Do not put behaviour here. They can be changed while the
sandbox runs, as a merchant changes them under a running integration. What facts/bigcommerce.md marks
[unverified] is a switch, so that both readings can be tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

RATE_ROUNDING = "RATE_ROUNDING"
NO_ROUNDING = "NO_ROUNDING"
CHOICES: dict[str, tuple[str, ...]] = {
    "rounding": (RATE_ROUNDING, NO_ROUNDING),
    "order_page_overflow": ("refuse", "clamp"),
    "end_of_list": ("204", "empty"),
    "webhook_signature": ("standard", "legacy", "both", "none"),
}


@dataclass(slots=True)
class ShopSettings:
    """The shop's switches.

    `prices_include_tax`, `rounding`: how carts are priced from now on; placed orders stay as they are.
    `auto_ship_status`: a shipment moves its order to Partially Shipped or Shipped (facts 10.9).
    `order_page_max`, `order_page_overflow`: largest `limit` of /v2/orders, and 413 or a silent cut above it.
    `side_loading`: whether `include=` is obeyed on /v2/orders; without it, consignments and fees stay stubs.
    `end_of_list`: 204 or `[]` behind the last page of a v2 list (facts 10.5).
    `metafield_batches`, `metafield_batch_max`: whether /v3/orders/metafields takes writes, and how many a call.
    `second_storefront`, `marketplace`: channel 2, and channel 3 (Amazon).
    `currencies`: transactional currencies, the store's default first.
    `refund_order_stock_adjustment`, `edit_order_stock_adjustment`, `update_stock_behavior`: facts 2.5.
    `allow_http_hooks`: hooks may point at plain http on this machine.
    `webhook_signature`: Standard Webhooks headers, `X-BC-Signature` (hex HMAC-SHA256 of the body), or none.
    `retry_scale`: what each of the waits between deliveries, and of the blocklist, is multiplied with.
    `hook_timeout_seconds`: how long a destination may take to answer.
    """

    prices_include_tax: bool = False
    rounding: str = RATE_ROUNDING
    auto_ship_status: bool = True
    order_page_max: int = 250
    order_page_overflow: str = "refuse"
    side_loading: bool = True
    end_of_list: str = "204"
    metafield_batches: bool = True
    metafield_batch_max: int = 50
    second_storefront: bool = False
    marketplace: bool = False
    currencies: tuple[str, ...] = ("USD", "EUR", "JPY", "KWD")
    refund_order_stock_adjustment: bool = False
    edit_order_stock_adjustment: bool = True
    update_stock_behavior: str = "order_placed"
    allow_http_hooks: bool = False
    webhook_signature: str = "standard"
    retry_scale: float = 1.0
    hook_timeout_seconds: float = 10.0

    def change(self, values: Mapping[str, Any]) -> None:
        """Set some switches; `ValueError` names what does not exist or does not fit, and then none is set."""
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        ready: dict[str, Any] = {}
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(f"The shop has no setting {name!r}; it has {', '.join(sorted(kinds))}.")
            ready[name] = _fitted(name, value, kinds[name])
        for name, value in ready.items():
            setattr(self, name, value)

    def show(self) -> dict[str, Any]:
        """All switches as JSON can hold them."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


def from_pairs(pairs: Iterable[str]) -> ShopSettings:
    """Settings from `name=value` texts of a command line; `ValueError` says what is wrong."""
    settings = ShopSettings()
    for pair in pairs:
        name, found, value = pair.partition("=")
        if not found:
            raise ValueError(f"A shop setting is written name=value, not {pair!r}.")
        settings.change({name.strip().replace("-", "_"): value})
    return settings


def _fitted(name: str, value: Any, kind: type) -> Any:
    if kind is tuple:
        values = value.split(",") if isinstance(value, str) else value
        return tuple(str(one).strip().upper() for one in values)
    if kind is bool:
        if isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
        if not isinstance(value, bool):
            raise ValueError(f"The setting {name} is true or false, not {value!r}.")
        return value
    if kind in (int, float):
        return kind(value)
    value = str(value)
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"The setting {name} is one of {', '.join(CHOICES[name])}, not {value!r}.")
    return value
