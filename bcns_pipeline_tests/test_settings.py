from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent


def pem(key: PrivateKeyTypes, protection: KeySerializationEncryption | None = None) -> str:
    """The key as PKCS8 text."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()).decode()


EC_KEY = pem(ec.generate_private_key(ec.SECP256R1()))
BIGCOMMERCE = {"BCNS_BIGCOMMERCE_STORE_HASH": "abc123", "BCNS_BIGCOMMERCE_ACCESS_TOKEN": "t0ken"}
NETSUITE = {
    "BCNS_NETSUITE_ACCOUNT_ID": "1234567_SB1",
    "BCNS_NETSUITE_CLIENT_ID": "client",
    "BCNS_NETSUITE_CERTIFICATE_ID": "certificate",
    "BCNS_NETSUITE_PRIVATE_KEY": EC_KEY,
}


@pytest.fixture(autouse=True)
def _no_environment_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BCNS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """Loaded from exactly these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def faults(made: Settings, system: str) -> list[str]:
    """What `require` finds wrong."""
    with pytest.raises(BadInput) as bad:
        made.require(system)
    return list(bad.value.faults)


def test_an_empty_environment_loads_with_defaults_and_lacks_only_what_is_asked_for(tmp_path: Path) -> None:
    made = load_settings()
    assert made.faults == ()
    assert made.database_url is None
    assert made.home == tmp_path / ".bcns"
    assert made.config == tmp_path / "bcns.yaml"
    assert made.netsuite_concurrency == 4
    assert made.actor
    assert [fault.split(" is missing")[0] for fault in faults(made, "bigcommerce")] == [
        "BCNS_BIGCOMMERCE_STORE_HASH",
        "BCNS_BIGCOMMERCE_ACCESS_TOKEN",
    ]
    assert [fault.split(" is missing")[0] for fault in faults(made, "netsuite")] == [
        "BCNS_NETSUITE_ACCOUNT_ID",
        "BCNS_NETSUITE_CLIENT_ID",
        "BCNS_NETSUITE_CERTIFICATE_ID",
        "BCNS_NETSUITE_PRIVATE_KEY or BCNS_NETSUITE_PRIVATE_KEY_PATH",
    ]


def test_complete_variables_make_complete_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, **BIGCOMMERCE, **NETSUITE)
    store = made.require("bigcommerce")
    assert (store.base_url, store.store_hash) == ("https://api.bigcommerce.com", "abc123")
    assert store.access_token.get_secret_value() == "t0ken"
    account = made.require("netsuite")
    assert account.base_url == "https://1234567-sb1.suitetalk.api.netsuite.com"
    assert account.token_url == f"{account.base_url}/services/rest/auth/oauth2/v1/token"
    assert account.concurrency == 4


def test_every_outside_address_can_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch,
        **BIGCOMMERCE,
        **NETSUITE,
        BCNS_BIGCOMMERCE_BASE_URL="http://127.0.0.1:8001/",
        BCNS_NETSUITE_BASE_URL="http://double:8002/prefix",
    )
    assert made.require("bigcommerce").base_url == "http://127.0.0.1:8001"
    assert (
        made.require("netsuite").token_url == "http://double:8002/prefix/services/rest/auth/oauth2/v1/token"
    )


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("api.bigcommerce.com", "is not an address"),
        ("ftp://host", "is not an address"),
        ("https://", "is not an address"),
        ("https://host:many", "is not an address"),
        ("https://user:secret@host", "remove user, password"),
        ("https://host?x=1", "remove user, password"),
        ("https://host/stores/abc123/v3", "remove the path from /stores"),
    ],
)
def test_a_malformed_address_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, address: str, part: str
) -> None:
    (fault,) = faults(settings(monkeypatch, **BIGCOMMERCE, BCNS_BIGCOMMERCE_BASE_URL=address), "bigcommerce")
    assert fault.startswith("BCNS_BIGCOMMERCE_BASE_URL")
    assert part in fault
    assert "secret" not in fault


def test_all_faults_come_at_once_and_none_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch,
        BCNS_BIGCOMMERCE_STORE_HASH="abc/123",
        BCNS_BIGCOMMERCE_ACCESS_TOKEN="hush hush",
        BCNS_BIGCOMMERCE_BASE_URL="nowhere",
        BCNS_NETSUITE_CONCURRENCY="hush",
    )
    found = faults(made, "bigcommerce")
    assert len(found) == 4
    assert "hush" not in " ".join(found)
    assert found[0].startswith("BCNS_NETSUITE_CONCURRENCY is not a whole number from 1 to 1000")


@pytest.mark.parametrize("value", ["0", "-1", "four", "1.5", "100000"])
def test_a_malformed_number_does_not_keep_the_rest_from_loading(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    made = settings(monkeypatch, **BIGCOMMERCE, BCNS_NETSUITE_CONCURRENCY=value)
    assert made.netsuite_concurrency == 4
    assert len(made.faults) == 1


def test_the_dotenv_file_counts_where_the_environment_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("BCNS_ACTOR=file\nBCNS_BIGCOMMERCE_STORE_HASH=fromfile\nOTHER=1\nBCNS_HOME=\n")
    made = settings(monkeypatch, BCNS_ACTOR="environment")
    assert made.actor == "environment"
    assert made.bigcommerce_store_hash == "fromfile"
    assert made.home == Path.cwd() / ".bcns"


def test_a_dotenv_file_that_is_no_text_is_a_sentence() -> None:
    Path(".env").write_bytes(b"BCNS_ACTOR=\xff\xfe\n")
    assert load_settings().faults == (".env is not UTF-8 text; save it as such, or remove it.",)


def test_the_key_may_be_a_file_or_one_line_of_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(EC_KEY)
    variables = {**NETSUITE, "BCNS_NETSUITE_PRIVATE_KEY": ""}
    made = settings(monkeypatch, **variables, BCNS_NETSUITE_PRIVATE_KEY_PATH="key.pem")
    assert made.require("netsuite").private_key.get_secret_value() == EC_KEY
    made = settings(monkeypatch, BCNS_NETSUITE_PRIVATE_KEY=EC_KEY.replace("\n", "\\n"))
    assert made.require("netsuite").private_key.get_secret_value() == EC_KEY


@pytest.mark.parametrize("size", [3072])
def test_an_rsa_key_will_do(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    key = pem(rsa.generate_private_key(65537, size))
    assert settings(monkeypatch, **{**NETSUITE, "BCNS_NETSUITE_PRIVATE_KEY": key}).require("netsuite")


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("no key", "is not a private key in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "holds a certificate"),
        (
            pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")),
            "protected by a passphrase",
        ),
        (pem(ec.generate_private_key(ec.SECP384R1())), "nor an EC key on P-256"),
        (pem(rsa.generate_private_key(65537, 1024)), "at least 2048 bits"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "is neither an RSA key"),
        (EC_KEY[:-60], "is not a private key in PEM form"),
    ],
)
def test_a_key_that_cannot_sign_is_one_sentence(monkeypatch: pytest.MonkeyPatch, key: str, part: str) -> None:
    (fault,) = faults(settings(monkeypatch, **{**NETSUITE, "BCNS_NETSUITE_PRIVATE_KEY": key}), "netsuite")
    assert fault.startswith("BCNS_NETSUITE_PRIVATE_KEY ")
    assert part in fault


@pytest.mark.parametrize(
    ("name", "part"), [("missing.pem", "does not exist"), (".", "can't be read"), ("der", "not a text file")]
)
def test_a_key_file_that_cannot_be_read_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, part: str
) -> None:
    (tmp_path / "der").write_bytes(b"\x30\x82\xff")
    variables = {**NETSUITE, "BCNS_NETSUITE_PRIVATE_KEY": "", "BCNS_NETSUITE_PRIVATE_KEY_PATH": name}
    (fault,) = faults(settings(monkeypatch, **variables), "netsuite")
    assert part in fault


def test_no_secret_is_shown_by_settings_or_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(
        monkeypatch,
        **{**BIGCOMMERCE, **NETSUITE, "BCNS_BIGCOMMERCE_ACCESS_TOKEN": "hush"},
        BCNS_DATABASE_URL="postgresql://bcns:hush@host/db",
        BCNS_DATA_KEY="hush",
        BCNS_SLACK_WEBHOOK_URL="https://hooks.test/hush",
        BCNS_ALERT_WEBHOOK_URL="https://alerts.test/hush",
        BCNS_PAGER_ROUTING_KEY="hush",
        BCNS_MAIL_SERVER="smtp://bcns:hush@mail.test",
    )
    shown = f"{made!r} {made} {made.require('bigcommerce')!r} {made.require('netsuite')!r}"
    assert "hush" not in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("WEBHOOK_SIGNATURE", "sometimes", "'required', 'optional' or 'off'"),
        ("WEBHOOK_HEADER_NAME", "X Secret", "should match pattern"),
        ("WEBHOOK_HEADER_SECRET", "hush", "at least 16"),
        ("WEBHOOK_HEADER_SECRET", "hush-hush-hush-hush\n", "without blanks or line ends"),
        ("NETSUITE_EVENT_TOKEN", "hush hush hush hush", "without blanks or line ends"),
        ("MAIL_SERVER", "https://bcns:hush@mail.test", "smtps://user:password@host:465"),
        ("SLACK_WEBHOOK_URL", "hooks.slack.test/hush", "https://host/path"),
        ("ALERT_WEBHOOK_URL", "https://ops.test/hu sh", "https://host/path"),
        ("PAGER_URL", "pager.test", "https://host/path"),
        ("WEBHOOK_URL", "http://hooks.test/hush", "https on port 443"),
    ],
)
def test_a_door_that_would_not_close_is_one_sentence_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    (fault,) = settings(monkeypatch, **{f"BCNS_{name}": value}).faults
    assert fault.startswith(f"BCNS_{name} is malformed")
    assert "Value error" not in fault
    assert part in fault
    assert "hush" not in fault


def test_the_store_hash_can_be_had_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, BCNS_BIGCOMMERCE_STORE_HASH="abc123").require_store() == "abc123"
    monkeypatch.delenv("BCNS_BIGCOMMERCE_STORE_HASH")
    with pytest.raises(BadInput, match="BCNS_BIGCOMMERCE_STORE_HASH is missing"):
        load_settings().require_store()


def test_an_unknown_system_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="none of bigcommerce, netsuite and stripe"):
        load_settings().require("bank")


def test_the_example_names_every_variable_and_sets_none() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    variables = [line for line in lines if line and not line.startswith("#")]
    assert {line.removesuffix("=") for line in variables} == {
        f"BCNS_{name.upper()}" for name in Settings.model_fields
    }
    assert all(line.endswith("=") for line in variables)


def test_stripe_needs_a_secret_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="BCNS_STRIPE_API_KEY is missing"):
        load_settings(None).require("stripe")
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", "pk_live_public")
    with pytest.raises(BadInput, match="publishable key"):
        load_settings(None).require("stripe")
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", "rk_live_secret")
    account = load_settings(None).require("stripe")
    assert account.base_url == "https://api.stripe.com"
    assert account.api_key.get_secret_value() == "rk_live_secret"
    assert "rk_live_secret" not in repr(account)
    monkeypatch.setenv("BCNS_STRIPE_BASE_URL", "ftp://nowhere")
    with pytest.raises(BadInput, match="BCNS_STRIPE_BASE_URL is not an address"):
        load_settings(None).require("stripe")


def test_drop_folders_are_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BCNS_PAYOUT_DROP_DIR", "drop")
    assert load_settings(None).payout_drop_dir == tmp_path / "drop"
    assert load_settings(None).bank_drop_dir is None
