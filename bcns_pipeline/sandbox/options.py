"""What a sandbox can be told at its start.

Put switches here, with their defaults. Do not put anything here that follows from other switches. The same
object serves the command line, the launcher and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Stock = Literal["zero", "in-step", "stale"]
TaxEngine = Literal["suitetax", "legacy", "none"]
CUSTOM_FIELDS = (
    "custbody_bc_order_id",
    "custbody_bc_shipment_id",
    "custbody_psp_payout_id",
    "custbody_economic_date",
    "custbody_src_sha256",
    "custcol_bc_line_id",
    "custcol_bc_ship_to",
    "custentity_bc_customer_id",
)

ALL_SCOPES = (
    "store_inventory",
    "store_locations",
    "store_v2_products",
    "store_v2_information",
    "store_v2_orders",
    "store_v2_transactions",
    "store_v2_customers",
    "store_channel_settings",
)


@dataclass(frozen=True, slots=True)
class Troubles:
    """How many of each kind of oddity the catalogue has on top of its matched SKUs."""

    duplicates: int = 2
    blanks: int = 1
    netsuite_orphans: int = 3
    bigcommerce_orphans: int = 3
    inactive: int = 3
    fractional: int = 2
    negative: int = 2
    untracked: int = 2
    odd_skus: int = 2

    @classmethod
    def none(cls) -> Troubles:
        """A catalogue without any oddity."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes, limits and behaviour of one sandbox. Times are in the unit of the field's name."""

    skus: int = 1000
    locations: int = 2
    seed: int = 1
    stock: Stock = "zero"
    troubles: Troubles = field(default_factory=Troubles)
    latency_ms: float = 0.0
    adjustment_delay_ms: float = 300.0
    quota: int = 450
    quota_window_ms: int = 30_000
    scopes: tuple[str, ...] = ALL_SCOPES
    concurrency: int = 5
    token_seconds: int = 3600
    oneworld: bool = True
    multi_location: bool = True
    administrator: bool = False
    hidden_tables: tuple[str, ...] = ()
    tax_engine: TaxEngine = "suitetax"
    custom_fields: tuple[str, ...] = CUSTOM_FIELDS
    foreign_locations: int = 0
    # Settings of the shop as `name=value` (bigcommerce/settings.py).
    shop: tuple[str, ...] = ()
    key: Literal["ec", "rsa"] = "ec"
    bigcommerce_port: int = 0
    netsuite_port: int = 0
    control_port: int = 0
    stripe_port: int = 0
    # Where settlement files and bank statements are dropped; empty: a folder of our own, gone at the end.
    drop_dir: str = ""
    exit_with_parent: bool = False
