"""`bcns webhooks` says what is wrong before it listens. That it serves is tested in `webhooks/test_outages.py`."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from bcns_pipeline.cli import webhooks
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.hook_header import hook_header
from bcns_pipeline.state.store import State
from bcns_pipeline.webhooks.options import read_options
from bcns_pipeline_tests.cli.conftest import ACCOUNT, Bcns


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What the server would have been asked to do."""
    found: list[tuple[object, ...]] = []

    def run(*arguments: object, **further: object) -> None:
        found.append((*arguments, *further.values()))

    monkeypatch.setattr(webhooks, "run", run)
    monkeypatch.setattr(webhooks.signal, "signal", lambda *_: None)
    return found


def test_it_says_what_it_asks_of_callers_and_serves(bcns: Bcns, asked: list[tuple[object, ...]]) -> None:
    result = bcns("webhooks", "--port", "0", "--workers", "2", "--no-access-log")
    assert result.exit_code == 0, result.output
    assert asked == [("127.0.0.1", 0, 2, False)]
    assert "secret header optional, signature optional, X-BC-Signature optional" in result.output
    assert "POST /events/netsuite is off: BCNS_NETSUITE_EVENT_TOKEN is not set" in result.output
    assert "shop-secret" not in result.output


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"BCNS_BIGCOMMERCE_STORE_HASH": ""}, "BCNS_BIGCOMMERCE_STORE_HASH is missing"),
        ({"BCNS_WEBHOOK_SIGNATURE": "maybe"}, "BCNS_WEBHOOK_SIGNATURE is malformed"),
        (
            {"BCNS_WEBHOOK_SIGNATURE": "required", "BCNS_BIGCOMMERCE_CLIENT_SECRET": ""},
            "BCNS_WEBHOOK_SIGNATURE is required, but BCNS_BIGCOMMERCE_CLIENT_SECRET is missing",
        ),
        ({"BCNS_WEBHOOK_HEADER": "off", "BCNS_BIGCOMMERCE_CLIENT_SECRET": ""}, "Nothing proves who calls"),
        ({"BCNS_DATA_KEY": ""}, "BCNS_DATA_KEY is not set"),
        ({"BCNS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
    ],
)
def test_what_is_missing_is_a_sentence_and_nothing_listens(
    bcns: Bcns,
    asked: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    variables: Mapping[str, str],
    said: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    result = bcns("webhooks", "--port", "0")
    assert result.exit_code == 2
    assert said in result.stderr
    assert asked == []


def test_the_key_of_personal_data_is_not_asked_for_where_our_secret_is_set(
    bcns: Bcns, asked: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_DATA_KEY", "")
    monkeypatch.setenv("BCNS_WEBHOOK_HEADER_SECRET", "0123456789abcdef")
    assert bcns("webhooks", "--port", "0").exit_code == 0
    assert len(asked) == 1


def test_a_database_of_another_store_is_refused(
    bcns: Bcns, asked: list[tuple[object, ...]], engine: sa.Engine
) -> None:
    State(engine, "other").pin(ACCOUNT)
    result = bcns("webhooks", "--port", "0")
    assert result.exit_code == 2
    assert "belongs to the BigCommerce store other" in result.stderr
    assert asked == []


def test_a_port_that_is_taken_is_a_sentence(bcns: Bcns, asked: list[tuple[object, ...]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = bcns("webhooks", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "can't be had" in result.stderr
    for arguments in (["--port", "99999"], ["--host", "no.such.host.invalid"], ["--workers", "0"]):
        assert bcns("webhooks", *arguments).exit_code == 2
    assert asked == []


def test_receiver_and_hooks_agree_on_a_secret_that_nobody_set(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, value = hook_header(load_settings())
    assert (name, len(value)) == ("Authorization", len("Bearer ") + 64)
    asked = read_options(load_settings()).proofs
    assert (asked.header_name, asked.header_value) == ("authorization", value.encode())
    monkeypatch.setenv("BCNS_WEBHOOK_HEADER_NAME", "X-BCNS-Secret")
    assert hook_header(load_settings()) == ("X-BCNS-Secret", value.removeprefix("Bearer "))
    asked = read_options(load_settings()).proofs
    assert (asked.header_name, asked.header_value) == (
        "x-bcns-secret",
        value.removeprefix("Bearer ").encode(),
    )
    monkeypatch.setenv("BCNS_WEBHOOK_HEADER_SECRET", "0123456789abcdef")
    assert hook_header(load_settings()) == ("X-BCNS-Secret", "0123456789abcdef")
