"""Fixtures of the client tests: one key for all of them, since making it costs more than using it."""

from __future__ import annotations

import pytest

from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline_tests.clients.netsuite_double import NetSuiteDouble, netsuite


@pytest.fixture(scope="session")
def pem() -> str:
    """An EC private key."""
    return make_key_and_certificate("ec", "bcns tests", 30)[0]


@pytest.fixture
def double() -> NetSuiteDouble:
    """An empty NetSuite."""
    return NetSuiteDouble()


@pytest.fixture
def client(double: NetSuiteDouble, pem: str) -> NetSuiteClient:
    """A client of the double."""
    return netsuite(double, pem)[0]
