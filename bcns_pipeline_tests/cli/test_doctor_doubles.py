"""`bcns doctor` on accounts that the sandbox can't be: settings, buffers, tax engines, certificates.

Put one test per finding here: it shows with the fault, and not without.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bcns_pipeline.cli.doctor import diagnose, exit_code, show_findings
from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, examine
from bcns_pipeline.clients.netsuite.keygen import make_key_and_certificate
from bcns_pipeline.config import Mapping
from bcns_pipeline.outcomes import System, Unavailable
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.doubles import SHOP, books, refusal, shop, stocked
from bcns_pipeline_tests.state.stock_frames import stage


def look(
    settings: Settings,
    what: str,
    *,
    shop_network: httpx.Client | None = None,
    books_network: httpx.Client | None = None,
) -> list[Finding]:
    """The findings about `what`."""
    findings = diagnose(settings, shop_network=shop_network or shop(), books_network=books_network or books())
    return [one for one in findings if one.what == what]


def one(settings: Settings, what: str, **networks: Any) -> Finding:
    """The only finding about `what`."""
    found = look(settings, what, **networks)
    assert len(found) == 1, found
    return found[0]


def map_file(text: str) -> None:
    """Replace the mapping file of the test's folder."""
    Path("bcns.yaml").write_text(f"version: 1\n{text}")


def test_a_healthy_pair_has_nothing_worse_than_a_note(settings: Settings) -> None:
    findings = list(diagnose(settings, shop_network=shop(), books_network=books()))

    assert {one.level for one in findings} <= {Level.OK, Level.NOTE}, findings
    assert exit_code(findings) == 0


def test_an_unreachable_store_hash_is_told_as_such(settings: Settings) -> None:
    found = one(settings, "BigCommerce credentials", shop_network=shop({"/v2/time": 404}))

    assert found.level is Level.BLOCKED
    assert "BCNS_BIGCOMMERCE_STORE_HASH" in found.mend


def test_stock_that_is_taken_at_shipping_is_a_warning_and_so_is_restocking_at_refund(
    settings: Settings,
) -> None:
    late = {
        "data": {"update_stock_behavior": "order_completed_or_shipped", "refund_order_stock_adjustment": True}
    }
    changed = shop({"/v3/settings/inventory": late})

    found = one(settings, "Stock settings", shop_network=changed)
    assert found.level is Level.WARNING
    assert "order_completed_or_shipped" in found.found
    assert one(settings, "Stock settings: refunds", shop_network=changed).level is Level.WARNING


def test_a_channel_that_takes_stock_differently_is_named(settings: Settings) -> None:
    def by_channel(request: httpx.Request) -> Any:
        own = "order_completed_or_shipped" if "channel_id" in request.url.params else "order_placed"
        return {"data": {"update_stock_behavior": own}}

    found = one(
        settings, "Stock settings of channel 1", shop_network=shop({"/v3/settings/inventory": by_channel})
    )
    assert found.level is Level.WARNING


@pytest.mark.parametrize("owner", ["none", "netsuite"])
def test_safety_stock_in_the_store_that_is_somebody_elses_to_hold_is_refused(
    settings: Settings, owner: str
) -> None:
    map_file(
        f"inventory: {{locations: [{{netsuite: [1], bigcommerce: 1}}], safety_stock: {{owner: {owner}}}}}\n"
    )
    found = one(settings, "Safety stock", shop_network=shop({"/v3/inventory/items": [stocked("A-1", 3)]}))

    assert found.level is Level.BLOCKED
    assert "up to 3 units" in found.found
    assert "A-1" in found.found


def test_safety_stock_of_the_pipeline_and_of_the_store_is_a_double_buffer(settings: Settings) -> None:
    map_file(
        "inventory: "
        "{locations: [{netsuite: [1], bigcommerce: 1}], safety_stock: {owner: pipeline, value: 2}}\n"
    )
    items = shop({"/v3/inventory/items": [stocked("A-1", 3)]})

    assert one(settings, "Safety stock", shop_network=items).level is Level.BLOCKED
    assert one(settings, "Safety stock").level is Level.OK


def test_safety_stock_at_a_location_that_is_not_mapped_is_nobodys_business(settings: Settings) -> None:
    items = shop({"/v3/inventory/items": [stocked("A-1", 3, location=7)]})

    assert one(settings, "Safety stock", shop_network=items).level is Level.OK


def test_an_owner_that_holds_nothing_back_is_noted(settings: Settings) -> None:
    map_file(
        "inventory: {locations: [{netsuite: [1], bigcommerce: 1}], safety_stock: {owner: bigcommerce}}\n"
    )

    assert one(settings, "Safety stock").level is Level.NOTE
    map_file("inventory: {locations: [{netsuite: [1], bigcommerce: 1}], safety_stock: {owner: netsuite}}\n")
    found = one(settings, "NetSuite safety stock", books_network=books({"safetystocklevel": [{"n": "4"}]}))
    assert found.level is Level.NOTE


def test_a_hook_that_bigcommerce_switched_off_is_a_warning_without_its_path(settings: Settings) -> None:
    hook = {
        "id": 1,
        "scope": "store/order/*",
        "destination": "https://us.test/secret-path",
        "is_active": False,
    }
    found = one(settings, "Hooks", shop_network=shop({"/v3/hooks": [hook]}))

    assert found.level is Level.WARNING
    assert "us.test" in found.found
    assert "secret-path" not in found.found


def test_a_quota_that_others_use_up_is_a_warning(settings: Settings) -> None:
    names = ("Quota", "Left")
    for left, level in (("100", Level.OK), ("10", Level.WARNING)):
        headers = dict(zip((f"X-Rate-Limit-Requests-{name}" for name in names), ("150", left), strict=True))
        headers |= {"X-Rate-Limit-Time-Window-Ms": "30000", "X-Rate-Limit-Time-Reset-Ms": "1"}
        assert one(settings, "BigCommerce quota", shop_network=shop(headers=headers)).level is level


def test_a_time_zone_other_than_the_stores_is_a_warning_and_none_is_a_note(settings: Settings) -> None:
    map_file("store: {timezone: Europe/Berlin}\ninventory: {locations: [{netsuite: [1], bigcommerce: 1}]}\n")
    assert one(settings, "Time zone").level is Level.WARNING
    map_file("inventory: {locations: [{netsuite: [1], bigcommerce: 1}]}\n")
    found = one(settings, "Time zone")
    assert found.level is Level.NOTE
    assert "America/New_York" in found.mend


def test_a_default_location_that_gets_no_stock_is_a_warning(settings: Settings) -> None:
    places = [
        {"id": 1, "label": "Main", "enabled": True},
        {"id": 2, "label": "Shop", "enabled": True, "is_default": True},
    ]
    found = one(settings, "Default location", shop_network=shop({"/v3/inventory/locations": places}))

    assert found.level is Level.WARNING
    assert "2 is not in inventory.locations" in found.found


def test_without_a_map_each_side_must_have_exactly_one_location(settings: Settings) -> None:
    map_file("store: {timezone: America/New_York}\n")
    assert one(settings, "BigCommerce locations").level is Level.OK
    assert one(settings, "NetSuite locations").level is Level.OK
    two = [{"id": 1, "label": "A", "enabled": True}, {"id": 2, "label": "B", "enabled": True}]
    assert (
        one(settings, "BigCommerce locations", shop_network=shop({"/v3/inventory/locations": two})).level
        is Level.BLOCKED
    )
    more = [{"id": "1", "isinactive": "F"}, {"id": "2", "isinactive": "F"}]
    assert (
        one(settings, "NetSuite locations", books_network=books({"FROM location": more})).level
        is Level.BLOCKED
    )


def test_an_inactive_location_and_one_that_is_not_for_sale_are_warnings(settings: Settings) -> None:
    def places(**changed: str) -> httpx.Client:
        row = {"id": "1", "name": "A", "isinactive": "F", "makeinventoryavailable": "T", **changed}
        return books({"makeinventoryavailable FROM location": [row]})

    assert one(settings, "Inactive locations", books_network=places(isinactive="T")).level is Level.WARNING
    closed = one(settings, "Locations not for sale", books_network=places(makeinventoryavailable="F"))
    assert closed.level is Level.WARNING


def test_a_location_without_a_visible_stock_row_is_a_warning(settings: Settings) -> None:
    found = one(settings, "Stock rows", books_network=books({"GROUP BY": []}))

    assert found.level is Level.WARNING
    assert "1: 0" in found.found


def test_a_role_that_sees_no_item_is_told_why_that_may_be(settings: Settings) -> None:
    found = one(settings, "NetSuite items", books_network=books({"MIN": [{}]}))

    assert found.level is Level.BLOCKED
    assert "restricted" in found.means


def test_a_role_that_may_not_query_is_told_which_permission_it_needs(settings: Settings) -> None:
    denied = {"/suiteql": lambda _: refusal(403, "INSUFFICIENT_PERMISSION", "Permission Violation")}
    found = one(settings, "NetSuite SuiteQL", books_network=books(paths=denied))

    assert found.level is Level.BLOCKED
    assert "SuiteAnalytics Workbook" in found.mend
    assert one(settings, "NetSuite: the rest", books_network=books(paths=denied)).level is Level.UNKNOWN


def test_an_account_that_does_not_tell_the_time_hides_nothing_else(settings: Settings) -> None:
    silent = books(paths={"/serverTime": lambda _: refusal(404, "NONEXISTENT_ID", "Record does not exist.")})

    assert one(settings, "NetSuite credentials", books_network=silent).level is Level.OK
    assert "SYSDATE is 20" in one(settings, "NetSuite clock", books_network=silent).found


def test_two_clocks_of_netsuite_that_disagree_are_a_warning(settings: Settings) -> None:
    def late() -> list[dict[str, str]]:
        moment = datetime.now(UTC) - timedelta(hours=8, minutes=5)
        return [{"now": moment.strftime("%Y-%m-%d %H:%M:%S")}]

    found = one(settings, "NetSuite clock", books_network=books({"SYSDATE": late}))
    assert found.level is Level.WARNING
    assert "overlap_minutes" in found.mend
    assert (
        one(settings, "NetSuite SuiteQL", books_network=books({"SYSDATE": [{"now": "today"}]})).level
        is Level.BLOCKED
    )


def test_a_term_of_the_rule_that_the_account_does_not_have_is_a_warning(settings: Settings) -> None:
    map_file(
        "inventory: {locations: [{netsuite: [1], bigcommerce: 1}], quantity: expression, "
        'expression: "available - in_transit"}\n'
    )
    lacks = books({r"SELECT quantityintransit": "Unknown identifier 'quantityintransit'."})
    found = one(settings, "Term in_transit", books_network=lacks)

    assert found.level is Level.WARNING
    assert not look(settings, "Term available", books_network=lacks)
    assert not look(settings, "Term in_transit")


def test_one_world_is_found_out_and_held_against_the_mapping_file(settings: Settings) -> None:
    subsidiaries = books({"subsidiary FROM location": [{"id": "1", "subsidiary": "1"}]})
    assert "has subsidiaries" in one(settings, "OneWorld", books_network=subsidiaries).found
    assert "no subsidiaries" in one(settings, "OneWorld").found
    map_file("netsuite: {oneworld: true}\ninventory: {locations: [{netsuite: [1], bigcommerce: 1}]}\n")
    assert one(settings, "OneWorld").level is Level.BLOCKED
    hidden = books({"subsidiary FROM location": "Record 'location' was not found"})
    assert one(settings, "OneWorld", books_network=hidden).level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["taxDetails", "total"], "SuiteTax"),
        (["taxItem", "total"], "legacy tax"),
        (["total"], "no tax field"),
    ],
)
def test_the_tax_engine_shows_in_the_fields_of_a_sales_order(
    settings: Settings, fields: list[str], said: str
) -> None:
    document = {"components": {"schemas": {"salesOrder": {"properties": {name: {} for name in fields}}}}}
    network = books(paths={"/metadata-catalog": lambda _: httpx.Response(200, json=document)})

    assert said in one(settings, "Tax engine", books_network=network).found
    assert one(settings, "Tax engine").level is Level.NOTE


def test_a_currency_that_netsuite_does_not_have_is_a_warning(settings: Settings) -> None:
    rows = [{"id": 1, "currency_code": "USD", "is_default": True}, {"id": 2, "currency_code": "EUR"}]
    found = one(settings, "Currencies", shop_network=shop({"/v2/currencies": rows}))

    assert found.level is Level.WARNING
    assert "EUR" in found.means


def test_a_limit_of_money_that_leaves_out_a_currency_is_a_warning(settings: Settings) -> None:
    rows = [{"id": 1, "currency_code": "USD", "is_default": True}, {"id": 2, "currency_code": "EUR"}]
    network = {"shop_network": shop({"/v2/currencies": rows})}
    map_file("orders:\n  materiality: {USD: 1000}\ncash:\n  materiality: {USD: 1000, EUR: 900}\n")

    found = one(settings, "orders.materiality", **network)
    assert (found.level, found.found) == (Level.WARNING, "has no limit in EUR")
    assert "orders.materiality.EUR" in found.mend
    assert [one.what for one in look(settings, "cash.materiality", **network)] == []


@pytest.fixture
def key_on_disk(environment: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The private key in a file, without a certificate beside it."""
    path = tmp_path / "netsuite.key"
    path.write_text(environment["BCNS_NETSUITE_PRIVATE_KEY"])
    monkeypatch.delenv("BCNS_NETSUITE_PRIVATE_KEY")
    monkeypatch.setenv("BCNS_NETSUITE_PRIVATE_KEY_PATH", str(path))
    return path


@pytest.mark.parametrize(("days_ago", "level"), [(0, Level.OK), (710, Level.WARNING), (740, Level.BLOCKED)])
def test_the_certificate_beside_the_key_says_when_it_ends(
    key_on_disk: Path, days_ago: int, level: Level
) -> None:
    made = datetime.now(UTC) - timedelta(days=days_ago)
    key, certificate, _ = make_key_and_certificate("ec", "test", now=made)
    key_on_disk.write_text(key)
    key_on_disk.with_suffix(".crt").write_text(certificate)

    assert one(load_settings(), "Certificate").level is level


def test_a_certificate_of_another_key_or_none_says_nothing_of_the_expiry(
    key_on_disk: Path, key: tuple[str, str]
) -> None:
    assert "Valid Until" in one(load_settings(), "Certificate").mend
    key_on_disk.with_suffix(".crt").write_text(make_key_and_certificate("ec", "other")[1])
    assert one(load_settings(), "Certificate").level is Level.WARNING
    key_on_disk.with_suffix(".crt").write_text("no certificate")
    assert "can't be read" in one(load_settings(), "Certificate").found


def test_a_database_that_is_not_migrated_belongs_to_others_or_is_not_there_stops_the_flows(
    environment: Any, blank_database: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_NETSUITE_ACCOUNT_ID", "7654321")
    assert one(load_settings(), "Accounts of the database").level is Level.BAD_INPUT
    monkeypatch.setenv("BCNS_DATABASE_URL", blank_database)
    found = one(load_settings(), "Database")
    assert found.level is Level.BLOCKED
    assert "bcns migrate" in found.mend
    monkeypatch.setenv("BCNS_DATABASE_URL", "postgresql://u:sesame@127.0.0.1:9/none")
    found = one(load_settings(), "Database")
    assert found.level is Level.BAD_INPUT
    assert "sesame" not in found.found


def test_a_missing_or_malformed_data_key_is_bad_input(
    environment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BCNS_DATA_KEY", "c2hvcnQ=")
    assert one(load_settings(), "Data key").level is Level.BAD_INPUT
    monkeypatch.delenv("BCNS_DATA_KEY")
    assert one(load_settings(), "Data key").level is Level.BAD_INPUT


def test_the_doctor_pins_nothing(settings: Settings, engine: sa.Engine) -> None:
    list(diagnose(settings, shop_network=shop(), books_network=books()))

    with engine.connect() as conn:
        assert conn.execute(sa.text("select count(*) from bcns.installation")).scalar_one() == 0


def test_whether_stock_may_be_written_is_known_from_the_last_push(settings: Settings, state: State) -> None:
    what = "BigCommerce stock writes"
    assert one(settings, what).level is Level.NOTE
    stage(state, [1], [5])
    with state.worker() as worker:
        batch = state.inventory.claim(worker, "inventory")
        assert batch is not None
        state.inventory.give_up(batch.operation, "403 FORBIDDEN: You don't have a required scope")
        assert one(settings, what).level is Level.BLOCKED
        stage(state, [1], [6])
        batch = state.inventory.claim(worker, "inventory")
        assert batch is not None
        state.inventory.settle(batch.operation, [0], [6], ["confirmed"])
    assert one(settings, what).level is Level.OK


def test_a_tripped_breaker_is_shown_with_the_command_that_clears_it(settings: Settings, state: State) -> None:
    state.exceptions.open("inventory", Question("INVENTORY_BREAKER", "flow:inventory", "40 % would change"))
    number = state.exceptions.find()[0].id
    found = one(settings, "Stock pushes")

    assert found.level is Level.BLOCKED
    assert f"bcns approve {number}" in found.mend


def test_a_probe_that_breaks_is_one_line_without_its_text_and_the_next_ones_run(settings: Settings) -> None:
    def broken(_: Patient) -> Iterator[Finding]:
        yield Finding("first", "seen before it broke")
        raise RuntimeError("token shop-token-0123456789")

    failed = Unavailable(System.NETSUITE, "GET /x", "gave up")

    def down(_: Patient) -> Iterator[Finding]:
        raise failed

    probes = [
        Probe("broken", broken),
        Probe("down", down, needed=True),
        Probe("again", down),
        Probe("last", lambda _: []),
    ]
    findings = list(examine(Patient(settings, Mapping()), "Test", (), probes))

    assert [one.level for one in findings] == [Level.OK, Level.UNKNOWN, Level.BLOCKED, Level.UNKNOWN]
    assert "shop-token" not in str(findings)
    assert "RuntimeError" in findings[1].found
    assert findings[3].found == "not looked at"
    assert SHOP["/v3/hooks"] == []


def test_at_a_terminal_it_is_a_table(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    show_findings("table", list(diagnose(settings, shop_network=shop(), books_network=books())))

    said = capsys.readouterr().out
    for text in ("what it means", "how to mend it", "BigCommerce credentials", "NetSuite SuiteQL"):
        assert text in said
