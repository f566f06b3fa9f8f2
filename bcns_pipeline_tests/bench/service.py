"""What the sandbox itself needs for a call when nothing else runs, and what the recipe of the guides takes.

Put calls made one at a time here, through our own clients. Do not put the product's runs here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.models import Adjustment
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.inventory import read_levels
from bcns_pipeline.outcomes import Call, Sent, System
from bcns_pipeline.sandbox.launch import Sandbox

CALLS = 12


class _Free:
    """No gate and no meter: these calls stand alone."""

    @contextmanager
    def admit(self, system: System) -> Iterator[None]:
        yield

    def record(self, call: Call) -> None:
        return None


def measure(env: Mapping[str, str], sandbox: Sandbox) -> dict[str, float]:
    """Mean service seconds, without latency, of a full page or a full batch of each operation."""
    netsuite, shop = _clients(env)
    places = [place["netsuite"] for place in sandbox.locations]

    def levels() -> None:
        pages = read_levels(netsuite, locations=places, draw_seq=lambda: 1, parallel=1, ranges=[(0, 10**12)])
        list(islice(pages, CALLS))

    next(iter(read_levels(netsuite, locations=places, draw_seq=lambda: 1, parallel=1, ranges=[(0, 10**12)])))
    items = shop.inventory_page(page=2).levels
    batch = [
        Adjustment(place, count, product_id=product)
        for product, place, count in zip(items.product_id, items.location_id, items.on_hand, strict=True)
    ]
    tracked = {
        product
        for page in [shop.products_page(page=n) for n in range(1, 21)]
        for product, tracking in zip(page.product_id, page.tracking, strict=True)
        if tracking == "product"
    }
    batch = [line for line in batch if line.product_id in tracked][:2000]
    return {
        "netsuite.suiteql": _mean(sandbox, "netsuite.suiteql", levels),
        "netsuite.small": _mean(sandbox, "netsuite.suiteql", lambda: [netsuite.clock() for _ in range(CALLS)]),
        "bigcommerce.inventory": _mean(
            sandbox, "bigcommerce.inventory", lambda: [shop.inventory_page(page=n + 3) for n in range(CALLS)]
        ),
        "bigcommerce.absolute": _mean(
            sandbox, "bigcommerce.absolute", lambda: [shop.set_inventory(batch, "service time") for _ in range(CALLS)]
        ) * 2000 / max(len(batch), 1),
    }  # fmt: skip


def per_sku_recipe(env: Mapping[str, str], sandbox: Sandbox, skus: int) -> float:
    """Seconds for one look-up and one update per SKU, one after the other, as guides teach it."""
    _, shop = _clients(env)
    counted = shop.products_page(page=1)
    chosen = [
        (sku, product)
        for sku, product, tracking in zip(counted.sku, counted.product_id, counted.tracking, strict=True)
        if sku and tracking == "product"
    ][:skus]
    place = sandbox.locations[0]["bigcommerce"]
    started = time.monotonic()
    for sku, product in chosen:
        assert shop.variants_page(sku=sku).product_id == [product]
        assert isinstance(shop.set_inventory([Adjustment(place, 1, product_id=product)], "recipe"), Sent)
    return (time.monotonic() - started) * skus / len(chosen)


def _mean(sandbox: Sandbox, operation: str, work: Callable[[], Any]) -> float:
    sandbox.control.clear_cpu()
    work()
    cost = sandbox.control.cpu()["operations"][operation]
    return float(cost["service_total"]) / int(cost["count"])


def _clients(env: Mapping[str, str]) -> tuple[NetSuiteClient, BigCommerceClient]:
    free = _Free()
    netsuite = NetSuiteClient(
        env["BCNS_NETSUITE_BASE_URL"], "", env["BCNS_NETSUITE_CLIENT_ID"], env["BCNS_NETSUITE_CERTIFICATE_ID"],
        env["BCNS_NETSUITE_PRIVATE_KEY"], gate=free, meter=free,
    )  # fmt: skip
    shop = BigCommerceClient(
        env["BCNS_BIGCOMMERCE_BASE_URL"], env["BCNS_BIGCOMMERCE_STORE_HASH"], env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"],
        gate=free, meter=free,
    )  # fmt: skip
    return netsuite, shop
