"""`python -m bcns_pipeline.sandbox`: the command line of the sandbox.

Put switches here. Do not put behaviour here. It prints one JSON line when it is ready and then serves until
it is ended.
"""

from __future__ import annotations

import argparse

from bcns_pipeline.sandbox.bigcommerce.settings import from_pairs
from bcns_pipeline.sandbox.options import ALL_SCOPES, CUSTOM_FIELDS, Options, Troubles
from bcns_pipeline.sandbox.serve import run
from bcns_pipeline.sandbox.world import NETSUITE_LOCATION_IDS


def parse(arguments: list[str] | None = None) -> Options:
    """Options from the command line."""
    base = Options()
    parser = argparse.ArgumentParser("bcns_pipeline.sandbox", description="A local BigCommerce and NetSuite.")
    parser.add_argument("--skus", type=int, default=base.skus, help="matched SKUs")
    parser.add_argument("--locations", type=int, default=base.locations)
    parser.add_argument("--seed", type=int, default=base.seed)
    parser.add_argument(
        "--stock", choices=("zero", "in-step", "stale"), default=base.stock, help="the shop's stock"
    )
    parser.add_argument("--troubles", choices=("default", "none"), default="default")
    parser.add_argument("--latency-ms", type=float, default=base.latency_ms)
    parser.add_argument("--adjustment-delay-ms", type=float, default=base.adjustment_delay_ms)
    parser.add_argument("--quota", type=int, default=base.quota, help="requests per window; 0 is unlimited")
    parser.add_argument("--quota-window-ms", type=int, default=base.quota_window_ms)
    parser.add_argument("--scopes", default=",".join(ALL_SCOPES), help="the store API account's scopes")
    parser.add_argument("--concurrency", type=int, default=base.concurrency, help="NetSuite's account limit")
    parser.add_argument("--token-seconds", type=int, default=base.token_seconds)
    parser.add_argument("--no-oneworld", action="store_true")
    parser.add_argument("--no-multi-location", action="store_true")
    parser.add_argument("--administrator", action="store_true", help="the role may read governanceLimits")
    parser.add_argument("--hide-tables", default="", help="tables that the role may not see")
    parser.add_argument("--tax-engine", choices=("suitetax", "legacy", "none"), default=base.tax_engine)
    parser.add_argument("--custom-fields", default=",".join(CUSTOM_FIELDS), help="NetSuite's own fields")
    parser.add_argument(
        "--foreign-locations", type=int, default=0, help="how many of the last are the second subsidiary's"
    )
    parser.add_argument(
        "--shop", action="append", default=[], metavar="NAME=VALUE", help="a setting of the shop"
    )
    parser.add_argument("--key", choices=("ec", "rsa"), default=base.key)
    parser.add_argument("--bigcommerce-port", type=int, default=0)
    parser.add_argument("--netsuite-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--stripe-port", type=int, default=0)
    parser.add_argument("--drop-dir", default="", help="where settlement files and bank statements go")
    parser.add_argument("--exit-with-parent", action="store_true")
    given = parser.parse_args(arguments)
    try:
        from_pairs(given.shop)
    except ValueError as fault:
        parser.error(str(fault))
    if not 1 <= given.locations <= len(NETSUITE_LOCATION_IDS) or given.skus < 1:
        parser.error(f"needs at least one SKU and 1 to {len(NETSUITE_LOCATION_IDS)} locations")
    return Options(
        skus=given.skus,
        locations=given.locations,
        seed=given.seed,
        stock=given.stock,
        troubles=Troubles.none() if given.troubles == "none" else Troubles(),
        latency_ms=given.latency_ms,
        adjustment_delay_ms=given.adjustment_delay_ms,
        quota=given.quota,
        quota_window_ms=given.quota_window_ms,
        scopes=tuple(s for s in given.scopes.split(",") if s),
        concurrency=given.concurrency,
        token_seconds=given.token_seconds,
        oneworld=not given.no_oneworld,
        multi_location=not given.no_multi_location,
        administrator=given.administrator,
        hidden_tables=tuple(t.lower() for t in given.hide_tables.split(",") if t),
        tax_engine=given.tax_engine,
        custom_fields=tuple(f.lower() for f in given.custom_fields.split(",") if f),
        foreign_locations=given.foreign_locations,
        shop=tuple(given.shop),
        key=given.key,
        bigcommerce_port=given.bigcommerce_port,
        netsuite_port=given.netsuite_port,
        control_port=given.control_port,
        stripe_port=given.stripe_port,
        drop_dir=given.drop_dir,
        exit_with_parent=given.exit_with_parent,
    )


if __name__ == "__main__":
    run(parse())
