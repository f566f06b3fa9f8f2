"""What tests of the command line need: an environment of their own, a runner, a sandbox, and a used database.

Put fixtures here. Do not put expectations here. No variable of the machine's own environment reaches a
command, and each test works in a folder of its own.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result

from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline.sandbox.launch import Sandbox, start
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli import command_line

STORE = "abc123"
ACCOUNT = "1234567_SB1"
MAPPING = """version: 1
store: {timezone: America/New_York}
inventory:
  locations: [{netsuite: [1], bigcommerce: 1}]
"""
Bcns = Callable[..., Result]


@pytest.fixture(scope="session")
def key() -> tuple[str, str]:
    """A private key and its certificate, as PEM."""
    pem, certificate, _ = make_key_and_certificate("ec", "test")
    return pem, certificate


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, key: tuple[str, str]
) -> Mapping[str, str]:
    """Complete settings on the test's database, a sound mapping file, and nothing else of ours around."""
    for name in list(os.environ):
        if name.startswith("BCNS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bcns.yaml").write_text(MAPPING)
    values = {
        "BCNS_DATABASE_URL": database_url,
        "BCNS_DATA_KEY": base64.b64encode(b"k" * 32).decode(),
        "BCNS_HOME": str(tmp_path / "home"),
        "BCNS_ACTOR": "ada",
        "BCNS_BIGCOMMERCE_BASE_URL": "https://shop.test",
        "BCNS_BIGCOMMERCE_STORE_HASH": STORE,
        "BCNS_BIGCOMMERCE_ACCESS_TOKEN": "shop-token-0123456789",
        "BCNS_BIGCOMMERCE_CLIENT_SECRET": "shop-secret-0123456789",
        "BCNS_NETSUITE_ACCOUNT_ID": ACCOUNT,
        "BCNS_NETSUITE_BASE_URL": "https://books.test",
        "BCNS_NETSUITE_CLIENT_ID": "client-id",
        "BCNS_NETSUITE_CERTIFICATE_ID": "certificate-id",
        "BCNS_NETSUITE_PRIVATE_KEY": key[0],
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def settings(environment: Mapping[str, str]) -> Settings:
    """The settings of `environment`."""
    return load_settings()


@pytest.fixture
def bcns(environment: Mapping[str, str]) -> Bcns:
    """Runs a command line in `environment`."""
    return command_line.bcns


@pytest.fixture
def state(engine: sa.Engine) -> State:
    """The state of a database that a run has tied to the two accounts."""
    found = State(engine, STORE, run_id="run-1", actor="ada")
    found.pin(ACCOUNT)
    return found


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """One sandbox for all tests of the folder; take `sandbox`, which is this, put right again."""
    with start(
        skus=60, locations=2, arguments=["--adjustment-delay-ms", "20", "--troubles", "none"]
    ) as found:
        yield found


@pytest.fixture
def sandbox(
    running_sandbox: Sandbox, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Sandbox]:
    """The sandbox, with the settings pointing at it and a mapping of its two locations."""
    for name, value in running_sandbox.env.items():
        monkeypatch.setenv(name, value)
    routes = [
        f"{{netsuite: [{one['netsuite']}], bigcommerce: {one['bigcommerce']}}}"
        for one in running_sandbox.locations
    ]
    mapping = (
        f"version: 1\nstore: {{timezone: America/New_York}}\ninventory:\n  locations: [{', '.join(routes)}]\n"
    )
    (tmp_path / "bcns.yaml").write_text(mapping)
    control = running_sandbox.control
    yield running_sandbox
    control.clear_faults()
    control.role(administrator=False, hidden_tables=[])
    control.call("POST", "/bigcommerce/scopes", {"scopes": SCOPES})
    control.clock(offset_seconds=0)
    control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": True})


SCOPES = [
    "store_inventory",
    "store_locations",
    "store_v2_products",
    "store_v2_information",
    "store_channel_settings",
]
