"""`bcns doctor` against the sandbox: what it says of a healthy pair of accounts, and of each way to be ill.

Put probes here whose fault the sandbox can have. Faults that it can't have are in `test_doctor_doubles.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.cli.conftest import SCOPES, Bcns


def line_of(result: Result, what: str) -> str:
    """The one line about `what`."""
    found = [line for line in result.output.splitlines() if line[10:].startswith(f"{what} | ")]
    assert len(found) == 1, f"{what}: {found}\n{result.output}"
    return found[0]


def test_two_healthy_accounts_get_code_0_and_every_line_says_ok_or_what_to_know(
    sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_NETSUITE_CONCURENCY", "9")
    result = bcns("doctor")

    assert result.exit_code == 0, result.output
    assert line_of(result, "Environment").startswith("warning ")
    assert "did you mean BCNS_NETSUITE_CONCURRENCY?" in line_of(result, "Environment")
    for what in (
        *("Settings", "Mapping file", "Database", "Data key", "BigCommerce credentials", "BigCommerce quota"),
        *(
            "BigCommerce scope store_inventory",
            "BigCommerce scope store_v2_products_read_only",
            "Time zone",
            "Channels",
        ),
        *(
            "Stock settings",
            "Safety stock",
            "BigCommerce locations",
            "NetSuite credentials",
            "NetSuite SuiteQL",
        ),
        *(
            "NetSuite table item",
            "NetSuite table itemmember",
            "NetSuite table location",
            "SKU field",
            "Stock source",
        ),
        *("Multi-location", "NetSuite items", "OneWorld", "NetSuite locations", "Stock rows", "Currencies"),
    ):
        assert line_of(result, what).startswith("ok "), what
    assert "SYSDATE is UTC-08:00" in line_of(result, "NetSuite clock")
    assert "450 requests per 30 s" in line_of(result, "BigCommerce quota")
    assert result.output.splitlines()[-1].endswith("the flows can run.")


def test_it_only_reads(sandbox: Sandbox, bcns: Bcns) -> None:
    since = sandbox.control.clear_log()
    bcns("doctor")

    writes = [
        (one["method"], one["path"]) for one in sandbox.control.log(since=since) if one["method"] != "GET"
    ]
    assert writes
    assert {path for _, path in writes} <= {
        "/services/rest/auth/oauth2/v1/token",
        "/services/rest/query/v1/suiteql",
    }


def test_no_secret_is_ever_shown(sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [sandbox.env[f"BCNS_BIGCOMMERCE_{name}"] for name in ("ACCESS_TOKEN", "CLIENT_SECRET")]
    secrets += [sandbox.env["BCNS_NETSUITE_PRIVATE_KEY"].splitlines()[1]]
    monkeypatch.setenv("BCNS_DATABASE_URL", "postgresql://bcns:sesame-open@127.0.0.1:9/bcns")
    sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": []})

    output = bcns("doctor").output + bcns("doctor", "--format", "json").output

    assert not [secret for secret in [*secrets, "sesame-open"] if secret in output]


@pytest.mark.parametrize(
    ("scope", "shown", "level"),
    [
        ("store_inventory", "store_inventory", "blocked"),
        ("store_locations", "store_locations_read_only", "blocked"),
        ("store_v2_products", "store_v2_products_read_only", "blocked"),
        ("store_v2_information", "store_v2_information_read_only", "warning"),
        ("store_channel_settings", "store_channel_settings_read_only", "warning"),
    ],
)
def test_a_missing_scope_is_named_by_its_parameter_name_and_hides_nothing_else(
    sandbox: Sandbox, bcns: Bcns, scope: str, shown: str, level: str
) -> None:
    sandbox.control.call("POST", "/bigcommerce/scopes", {"scopes": [one for one in SCOPES if one != scope]})
    result = bcns("doctor")

    line = line_of(result, f"BigCommerce scope {shown}")
    assert line.startswith(level)
    assert "403" in line
    assert "create a new store-level API account" in line
    granted = [
        line for line in result.output.splitlines() if "BigCommerce scope " in line and "| granted |" in line
    ]
    assert len(granted) == 4
    assert line_of(result, "NetSuite credentials").startswith("ok ")
    assert result.exit_code == (1 if level == "blocked" else 0)


def test_a_wrong_bigcommerce_token_is_one_line_and_netsuite_is_looked_at_all_the_same(
    sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_BIGCOMMERCE_ACCESS_TOKEN", "not-the-token")
    result = bcns("doctor")

    line = line_of(result, "BigCommerce credentials")
    assert line.startswith("blocked")
    assert "401" in line
    assert "not looked at" in line_of(result, "BigCommerce: the rest")
    assert line_of(result, "Stock source").startswith("ok ")
    assert result.exit_code == 1


def test_a_wrong_netsuite_key_is_told_apart_from_an_overloaded_netsuite(
    sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_NETSUITE_PRIVATE_KEY", make_key_and_certificate("ec", "other")[0])
    wrong = line_of(bcns("doctor"), "NetSuite credentials")
    monkeypatch.setenv("BCNS_NETSUITE_PRIVATE_KEY", sandbox.env["BCNS_NETSUITE_PRIVATE_KEY"])
    sandbox.control.faults(
        {"system": "netsuite", "kind": "login_overload", "path_regex": "token$", "times": None}
    )
    overloaded = line_of(bcns("doctor"), "NetSuite credentials")

    assert wrong.startswith("blocked")
    assert "does not know this key" in wrong
    assert "BCNS_NETSUITE_CERTIFICATE_ID" in wrong
    assert overloaded.startswith("blocked")
    assert "overloaded" in overloaded
    assert "Try again" in overloaded


def test_a_login_refused_once_under_load_is_not_a_finding(sandbox: Sandbox, bcns: Bcns) -> None:
    sandbox.control.faults(
        {"system": "netsuite", "kind": "login_overload", "path_regex": "suiteql$", "times": 1}
    )

    assert line_of(bcns("doctor"), "NetSuite SuiteQL").startswith("ok ")


@pytest.mark.parametrize(
    ("table", "line", "level", "code"),
    [
        ("item", "NetSuite table item", "blocked", 1),
        ("itemmember", "NetSuite table itemmember", "warning", 0),
        ("location", "NetSuite table location", "warning", 0),
        ("currency", "Currencies", "note", 0),
    ],
)
def test_a_table_that_the_role_may_not_read_is_one_line_with_what_is_lost(
    sandbox: Sandbox, bcns: Bcns, table: str, line: str, level: str, code: int
) -> None:
    sandbox.control.role(hidden_tables=[table])
    result = bcns("doctor")

    found = line_of(result, line)
    assert found.startswith(level)
    assert f"Record '{table}' was not found" in found
    assert result.exit_code == code
    assert line_of(result, "BigCommerce credentials").startswith("ok ")


def test_the_stock_source_falls_back_and_says_so(sandbox: Sandbox, bcns: Bcns) -> None:
    sandbox.control.role(hidden_tables=["aggregateitemlocation"])
    result = bcns("doctor")

    line = line_of(result, "Stock source")
    assert line.startswith("warning")
    assert "inventoryitemlocations" in line
    assert result.exit_code == 0


def test_an_account_without_stock_by_location_contradicts_a_mapping_of_two_locations(
    sandbox: Sandbox, bcns: Bcns
) -> None:
    sandbox.control.role(hidden_tables=["aggregateitemlocation", "inventoryitemlocations"])
    result = bcns("doctor")

    assert line_of(result, "Multi-location").startswith("blocked")
    assert "totals of items mix all locations" in line_of(result, "Stock source")
    assert line_of(result, "Stock source").startswith("blocked")
    assert result.exit_code == 1


def test_ids_in_the_mapping_file_that_do_not_exist_are_named_on_both_sides(
    sandbox: Sandbox, bcns: Bcns, tmp_path: Path
) -> None:
    (tmp_path / "bcns.yaml").write_text(
        "version: 1\nnetsuite: {oneworld: false}\ninventory:\n"
        "  locations: [{netsuite: [1, 77], bigcommerce: 9}]\n  sku_field: custitem_nothing\n"
        "channels: {1: {subsidiary: 99, location: 1}, 5: {}}\n"
    )
    result = bcns("doctor")

    assert "names 9;" in line_of(result, "BigCommerce locations")
    assert "names 77;" in line_of(result, "NetSuite locations")
    assert "channels: 5 not in the store" in line_of(result, "Channels in the mapping file")
    assert "channels.1.subsidiary: 99" in line_of(result, "Channels' subsidiary")
    assert line_of(result, "Channels' location").startswith("ok ")
    assert "inventory.sku_field" in line_of(result, "SKU field")
    assert line_of(result, "OneWorld").startswith("blocked")
    assert result.exit_code == 1


def test_a_disabled_location_and_one_that_the_storefront_does_not_show_are_warnings(
    sandbox: Sandbox, bcns: Bcns
) -> None:
    sandbox.control.call("POST", "/bigcommerce/location", {"location_id": 2, "enabled": False})
    result = bcns("doctor")

    assert line_of(result, "Disabled locations").startswith("warning")
    default = line_of(result, "Default location")
    assert default.startswith("warning")
    assert "aggregated stock" in default


def test_the_concurrency_limit_is_compared_where_the_role_may_see_it(
    sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = line_of(bcns("doctor"), "NetSuite concurrency")
    sandbox.control.role(administrator=True)
    seen = line_of(bcns("doctor"), "NetSuite concurrency")
    monkeypatch.setenv("BCNS_NETSUITE_CONCURRENCY", "50")
    above = line_of(bcns("doctor"), "NetSuite concurrency")

    assert hidden.startswith("ok ")
    assert "not visible to this role" in hidden
    assert "our share is 4 of 5" in seen
    assert above.startswith("warning")
    assert "BCNS_NETSUITE_CONCURRENCY" in above


def test_clocks_that_are_apart_are_warnings(sandbox: Sandbox, bcns: Bcns) -> None:
    sandbox.control.clock(offset_seconds=240)
    result = bcns("doctor")

    assert line_of(result, "BigCommerce credentials").startswith("warning")
    assert line_of(result, "NetSuite credentials").startswith("warning")
    assert "NTP" in line_of(result, "NetSuite credentials")


def test_an_endpoint_that_is_down_is_one_line_and_the_rest_is_looked_at(sandbox: Sandbox, bcns: Bcns) -> None:
    sandbox.control.faults(
        {"system": "bigcommerce", "kind": "5xx", "path_regex": "/v3/hooks", "times": None},
        {"system": "netsuite", "kind": "html", "path_regex": "metadata-catalog", "times": None},
    )
    result = bcns("doctor")

    assert line_of(result, "Hooks").startswith("unknown")
    assert "503" in line_of(result, "Hooks")
    assert line_of(result, "Tax engine").startswith("unknown")
    assert line_of(result, "Currencies").startswith("ok ")
    assert result.exit_code == 0


def test_faults_of_settings_and_mapping_are_all_told_with_code_2_and_what_can_be_looked_at_is(
    sandbox: Sandbox, bcns: Bcns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BCNS_BIGCOMMERCE_ACCESS_TOKEN")
    monkeypatch.delenv("BCNS_BIGCOMMERCE_STORE_HASH")
    monkeypatch.setenv("BCNS_KEEP_DOCUMENTS_DAYS", "3")
    monkeypatch.setenv("BCNS_STRIPE_API_KEY", "rk_live_x")
    (tmp_path / "bcns.yaml").write_text("version: 1\ninventory: {quantity: all, sku_field: 7}\n")
    result = bcns("doctor")

    bad = [line for line in result.output.splitlines() if line.startswith("bad input")]
    assert [line for line in bad if "BCNS_BIGCOMMERCE_ACCESS_TOKEN is missing" in line]
    assert [line for line in bad if "BCNS_BIGCOMMERCE_STORE_HASH is missing" in line]
    assert [line for line in bad if "inventory.quantity" in line]
    assert [line for line in bad if "inventory.sku_field" in line]
    # A variable that several probes need is told once.
    (days,) = (line for line in bad if "BCNS_KEEP_DOCUMENTS_DAYS" in line)
    assert "is malformed (it should be greater than or equal to 90); correct or remove it." in days
    assert "NetSuite credentials" not in result.output
    assert result.exit_code == 2

    # No flow starts while an alert would reach nobody, so it does not say that they can.
    (tmp_path / "bcns.yaml").write_text("version: 1\nalerts: {default: [email]}\n")
    alerts = [line for line in bcns("doctor").output.splitlines() if "alerts.email" in line]
    assert [line.partition("|")[0].strip() for line in alerts] == ["bad input Alerts"] * 2

    monkeypatch.delenv("BCNS_KEEP_DOCUMENTS_DAYS")
    assert line_of(bcns("doctor"), "NetSuite credentials").startswith("ok ")


def test_the_report_comes_as_json_and_markdown_too(sandbox: Sandbox, bcns: Bcns) -> None:
    findings = json.loads(bcns("doctor", "--format", "json").output)
    markdown = bcns("doctor", "--format", "markdown").output

    assert {"what", "found", "means", "mend", "level"} == set(findings[0])
    assert markdown.count("\n|") >= len(findings)
    assert bcns("doctor", "--format", "yaml").exit_code == 2


def test_the_least_scopes_are_listed_without_asking_anybody(bcns: Bcns) -> None:
    result = bcns("doctor", "--scopes")

    assert result.exit_code == 0
    for name in (
        "store_inventory",
        "store_v2_products_read_only",
        "SuiteAnalytics Workbook",
        "Lists > Items (View)",
    ):
        assert name in result.output
