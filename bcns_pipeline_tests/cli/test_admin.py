"""migrate, keygen, config check and audit verify, and what bad input looks like at the command line.

Put commands here of whoever runs the installation.
"""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bcns_pipeline.cli.variables import unread_variables
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import STORE, Bcns
from bcns_pipeline_tests.state.stock_frames import stage


def test_migrate_brings_an_outside_database_up_once(
    bcns: Bcns, blank_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_DATABASE_URL", blank_database)
    first, again = bcns("migrate"), bcns("migrate")

    assert "was migrated to revision" in first.output
    assert "is already at revision" in again.output
    assert (first.exit_code, again.exit_code) == (0, 0)


def test_migrate_says_in_one_sentence_why_a_database_can_t_be_used(
    bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_DATABASE_URL", "postgresql://u:sesame@127.0.0.1:9/none")
    result = bcns("migrate")

    assert result.exit_code == 2
    assert "cannot be reached" in result.output
    assert "sesame" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("kind", "expected"), [("ec", ec.EllipticCurvePrivateKey), ("rsa", rsa.RSAPrivateKey)]
)
def test_keygen_writes_a_private_key_and_says_where_the_certificate_goes(
    bcns: Bcns, tmp_path: Path, kind: str, expected: type
) -> None:
    result = bcns(
        "keygen", "--kind", kind, "--out", str(tmp_path / "keys"), "--days", "365", "--name", "shop"
    )

    key, certificate = tmp_path / "keys" / "netsuite.key", tmp_path / "keys" / "netsuite.crt"
    assert result.exit_code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert isinstance(load_pem_private_key(key.read_bytes(), password=None), expected)
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert f"expires on {found.not_valid_after_utc:%Y-%m-%d}" in result.output
    assert "OAuth 2.0 Client Credentials (M2M) Setup" in result.output
    assert f"BCNS_NETSUITE_PRIVATE_KEY_PATH={key}" in result.output
    assert "PRIVATE KEY-----" not in result.output


def test_keygen_never_overwrites(bcns: Bcns, tmp_path: Path) -> None:
    bcns("keygen", "--out", str(tmp_path / "keys"))
    before = (tmp_path / "keys" / "netsuite.key").read_bytes()
    result = bcns("keygen", "--out", str(tmp_path / "keys"))

    assert result.exit_code == 2
    assert result.output.count("is not overwritten") == 2
    assert (tmp_path / "keys" / "netsuite.key").read_bytes() == before


def test_keygen_names_every_impossible_option_at_once(bcns: Bcns, tmp_path: Path) -> None:
    result = bcns("keygen", "--kind", "dsa", "--days", "9000", "--out", str(tmp_path / "keys"))

    assert result.exit_code == 2
    assert "--kind dsa" in result.output
    assert "--days 9000" in result.output
    assert not (tmp_path / "keys").exists()


def test_the_module_runs_where_the_script_is_not_on_the_path() -> None:
    run = [sys.executable, "-m", "bcns_pipeline", "plan", "nosuch"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no flow 'nosuch'")


def test_config_check_says_what_a_sound_file_amounts_to_and_which_variable_nobody_reads(
    bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_SLACK_URL", "https://hooks.test/hush")
    result = bcns("config", "check")

    assert result.exit_code == 0
    unread = "Warning: BCNS_SLACK_URL is no setting and is not read; did you mean BCNS_SLACK_WEBHOOK_URL?"
    assert result.stderr.splitlines() == [unread]
    # What stock does without is no fault, and said.
    assert "orders:       not before this is mended: orders.discounts.owner is missing" in result.output
    assert "cutover.at is missing" in result.output
    assert "payouts:      not before this is mended: payouts.providers is empty" in result.output
    assert "NetSuite 1 to BigCommerce 1" in result.output
    assert "America/New_York" in result.output


@pytest.mark.usefixtures("environment")
def test_a_variable_that_nobody_reads_is_named_with_what_was_probably_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In either source; not those that Kubernetes sets for a service, nor names of somebody else, nor empty ones."""
    Path(".env").write_text(
        "BCNS_DATABASE_URI=postgresql://u:hush@h/x\nBCNS_CONFIG_FILE=\nbcns_home=h\nOTHER=1\n"
    )
    for name in ("BCNS_HOOKS_SERVICE_HOST", "BCNS_HOOKS_PORT", "BCNS_HOOKS_PORT_80_TCP_ADDR", "XBCNS_HOME"):
        monkeypatch.setenv(name, "1")
    for name, value in (("BCNS_NETSUITE_ACOUNT_ID", "1"), ("bcns_store_hash", "abc"), ("BCNS_XYZZY", "hush")):
        monkeypatch.setenv(name, value)
    assert list(unread_variables()) == [
        "BCNS_DATABASE_URI is no setting and is not read; did you mean BCNS_DATABASE_URL?",
        "BCNS_NETSUITE_ACOUNT_ID is no setting and is not read; did you mean BCNS_NETSUITE_ACCOUNT_ID?",
        "BCNS_STORE_HASH is no setting and is not read; did you mean BCNS_BIGCOMMERCE_STORE_HASH?",
        "BCNS_XYZZY is no setting and is not read; correct its name, or remove it.",
    ]
    Path(".env").write_bytes(b"BCNS_DATABASE_URI=\xff\xfe")
    assert len(list(unread_variables())) == 3


def test_config_check_names_all_faults_at_once_with_code_2(bcns: Bcns, tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("version: 1\ninventory: {quantity: all, sku_field: 7, schedule: never}\n")
    result = bcns("config", "check", str(path))

    assert result.exit_code == 2
    for name in ("inventory.quantity", "inventory.sku_field", "inventory.schedule"):
        assert name in result.output
    assert "Traceback" not in result.output
    assert bcns("config", "check", str(tmp_path / "none.yaml")).exit_code == 2
    # No flow starts while an alert would reach nobody.
    path.write_text("version: 1\nalerts: {default: [email]}\n")
    result = bcns("config", "check", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "alerts.email.from is missing" in result.stderr


def test_audit_verify_ends_with_0_where_the_chain_holds(bcns: Bcns, state: State) -> None:
    stage(state, [1, 2], [5, 6])
    result = bcns("audit", "verify")

    assert result.exit_code == 0
    assert "The audit chain holds: 2 rows" in result.output
    assert bcns("audit", "verify", "--head", state.head_hash()).exit_code == 0


def test_audit_verify_ends_with_1_and_names_the_first_broken_row(
    bcns: Bcns, state: State, engine: sa.Engine
) -> None:
    stage(state, [1, 2], [5, 6])
    with engine.begin() as conn:
        conn.execute(sa.text("set local session_replication_role = replica"))
        conn.execute(sa.text("update bcns.audit set actor = 'mallory' where seq = 2"))
    result = bcns("audit", "verify")

    assert result.exit_code == 1
    assert "broken at row 2" in result.output


def test_a_head_that_is_none_is_bad_input(bcns: Bcns, state: State) -> None:
    result = bcns("audit", "verify", "--head", "nonsense")

    assert result.exit_code == 2
    assert "--head" in result.output


def test_commands_about_the_past_say_when_there_is_none(bcns: Bcns) -> None:
    for command in (
        ("status",),
        ("exceptions",),
        ("audit", "verify"),
        ("explain", "sku", "A"),
        ("smoke", "inventory", "A"),
    ):
        result = bcns(*command)
        assert result.exit_code == 2, command
        assert "holds nothing yet" in result.output


def test_commands_refuse_a_database_of_another_store(
    bcns: Bcns, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_BIGCOMMERCE_STORE_HASH", "other")
    result = bcns("status")

    assert result.exit_code == 2
    assert f"belongs to the BigCommerce store {STORE}" in result.output


def test_commands_about_the_past_need_no_credentials(
    bcns: Bcns, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BIGCOMMERCE_STORE_HASH", "BIGCOMMERCE_ACCESS_TOKEN", "NETSUITE_ACCOUNT_ID", "DATA_KEY"):
        monkeypatch.delenv(f"BCNS_{name}")

    assert bcns("status").exit_code == 0
    assert bcns("exceptions").exit_code == 0
