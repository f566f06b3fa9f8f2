from __future__ import annotations

from collections.abc import Iterator

import pytest

from bcns_pipeline_tests.webhooks.serving import Served, served


@pytest.fixture
def receiver(database_url: str) -> Iterator[Served]:
    """A running receiver with all proofs optional and NetSuite's door open, on an empty inbox."""
    with served(database_url) as found:
        yield found
