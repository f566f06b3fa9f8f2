"""A merchant whose shop calls our real receiver.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from bcns_pipeline.settings import load_settings
from bcns_pipeline.webhooks.options import read_options
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.orders.conftest import shop
from bcns_pipeline_tests.webhooks.serving import served

__all__ = ["shop"]


@pytest.fixture
def listening(shop: OrderFlow) -> Iterator[str]:
    """`shop` with a receiver, whose address is in the environment; deliveries are repeated quickly."""
    shop.control.shop_settings(allow_http_hooks=True, retry_scale=0.0005)
    secret = shop.environment.get("BCNS_BIGCOMMERCE_CLIENT_SECRET")
    assert secret, "the sandbox names the secret that it signs with"
    with served(shop.database_url, read_options(load_settings())) as receiver:
        address = f"{receiver.url}/webhooks/bigcommerce"
        shop.environment["BCNS_WEBHOOK_URL"] = address
        with variables(shop.environment):
            yield address
    shop.control.hook_events("clear")


Metadata = dict[str, Any]


@pytest.fixture
def observed(shop: OrderFlow) -> Callable[[str], Metadata]:
    """Runs a watch and gives the metadata of what it observed."""

    def run(job: str) -> Metadata:
        result = shop.run(job).result
        events = [one for one in result.all_events if one.event_type == dg.DagsterEventType.ASSET_OBSERVATION]
        return dict(events[-1].event_specific_data.asset_observation.metadata) if events else {}

    return run


@contextlib.contextmanager
def quiet_days(shop: OrderFlow, days: int) -> Iterator[None]:
    """The store switches our hooks off, and what happens in the block is told to nobody; it takes some days."""
    shop.control.hook_events("deactivate")
    yield
    shop.control.clock(advance_seconds=days * 86_400)
