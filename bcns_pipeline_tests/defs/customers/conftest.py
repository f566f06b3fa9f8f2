"""A merchant with shoppers, for the tests of the customer flow.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bcns_pipeline.defs.customers import apply
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.orders.conftest import merchant


@pytest.fixture
def shop(
    sandbox: Sandbox, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OrderFlow]:
    """A merchant of 40 SKUs in step whose orders flow."""
    monkeypatch.setattr(apply, "SETTLE_SECONDS", 0.2)
    with merchant(sandbox, database_url, tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def people(shop: OrderFlow) -> People:
    """The merchant's shoppers."""
    return People(shop)
