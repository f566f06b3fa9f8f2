"""The weather: each kind of fault as a client sees it, and what the system has done by then.

Put faults here. Do not put ordinary refusals here.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.sandbox.conftest import Suiteql, settle

ITEMS = "/v3/inventory/items?limit=5"
ABSOLUTE = "/v3/inventory/adjustments/absolute"


def set_stock(shop: httpx.Client, quantity: int, patience: float = 5.0) -> httpx.Response:
    """One line for SKU-000020, which is a product of its own; who sends it waits for so many seconds."""
    found = shop.get("/v3/inventory/items?sku:in=SKU-000020").json()["data"][0]["identity"]
    line = {"location_id": 1, "product_id": found["product_id"], "quantity": quantity}
    return shop.put(ABSOLUTE, json={"items": [line]}, timeout=patience)


def stock(sandbox: Sandbox) -> int:
    """What became of it, once the shop has taken all that it accepted."""
    settle(sandbox)
    return int(sandbox.control.inventory("SKU-000020")[0]["on_hand"]["1"])


def fault(sandbox: Sandbox, kind: str, path: str = "inventory", **more: object) -> None:
    """Set one fault of the shop."""
    sandbox.control.faults({"system": "bigcommerce", "kind": kind, "path_regex": path, **more})


def test_429_comes_with_headers_and_bare_429_without(sandbox: Sandbox, shop: httpx.Client) -> None:
    fault(sandbox, "429")
    fault(sandbox, "429_bare", skip=1)
    first, second = shop.get(ITEMS), shop.get(ITEMS)
    assert (first.status_code, second.status_code) == (429, 429)
    assert "X-Rate-Limit-Requests-Left" in first.headers
    assert not [name for name in second.headers if name.startswith("x-rate")]
    assert shop.get(ITEMS).status_code == 200


@pytest.mark.parametrize(("after", "wanted"), [(False, 1), (True, 2)])
def test_5xx_strikes_before_or_after_the_commit(
    sandbox: Sandbox, shop: httpx.Client, after: bool, wanted: int
) -> None:
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=1)
    fault(sandbox, "5xx", "absolute", status=502, after_commit=after)
    assert set_stock(shop, 2).status_code == 502
    assert stock(sandbox) == wanted


@pytest.mark.parametrize(("kind", "wanted"), [("reset_before", 1), ("reset_after", 2)])
def test_a_reset_leaves_the_client_in_doubt(
    sandbox: Sandbox, shop: httpx.Client, kind: str, wanted: int
) -> None:
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=1)
    fault(sandbox, kind, "absolute", method="PUT")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        set_stock(shop, 2)
    assert stock(sandbox) == wanted


def test_a_late_call_is_lost_to_its_client_and_arrives_when_it_is_told_to(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=1)
    fault(sandbox, "late", "absolute", method="PUT")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        set_stock(shop, 2)
    assert set_stock(shop, 3).status_code == 200
    assert stock(sandbox) == 3
    sandbox.control.arrive()
    assert stock(sandbox) == 2


@pytest.mark.parametrize(("after", "wanted"), [(False, 1), (True, 2)])
def test_a_timeout_stays_silent(sandbox: Sandbox, shop: httpx.Client, after: bool, wanted: int) -> None:
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=1)
    fault(sandbox, "timeout", "absolute", after_commit=after)
    since = sandbox.control.clear_log()
    with pytest.raises(httpx.ReadTimeout):
        set_stock(shop, 2, patience=0.3)
    # Its client has given up, which says nothing about how far the shop is.
    while not [one for one in sandbox.control.log(since) if one["fault"] == "timeout"]:
        time.sleep(0.01)
    assert stock(sandbox) == wanted


def test_a_truncated_answer_breaks_off(sandbox: Sandbox, shop: httpx.Client) -> None:
    fault(sandbox, "truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        shop.get(ITEMS)


def test_html_is_no_json(sandbox: Sandbox, shop: httpx.Client) -> None:
    fault(sandbox, "html")
    answer = shop.get(ITEMS)
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_a_stale_read_shows_what_was_before(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=1)
    sandbox.control.edit(sku="SKU-000020", location_id=1, quantity=2)
    fault(sandbox, "stale")
    path = "/v3/inventory/items?sku:in=SKU-000020"
    seen = [shop.get(path).json()["data"][0]["locations"][0]["total_inventory_onhand"] for _ in range(2)]
    assert seen == [1, 2]


def test_latency_of_a_path_is_its_own(sandbox: Sandbox, shop: httpx.Client) -> None:
    fault(sandbox, "latency", ms=60_000)
    assert shop.get("/v2/time", timeout=30).status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        shop.get(ITEMS, timeout=0.5)


def test_a_call_on_its_way_when_a_new_world_begins_never_arrives(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    fault(sandbox, "latency", ms=1_000, method="PUT")
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(set_stock, shop, 7)
        while sandbox.control.call("GET", "/faults"):
            time.sleep(0.01)
        sandbox.control.seed()
        before = stock(sandbox)
        with pytest.raises(httpx.TransportError):
            late.result()
    assert stock(sandbox) == before


def test_overload_may_look_like_a_failed_login(sandbox: Sandbox, suiteql: Suiteql) -> None:
    sandbox.control.faults(
        {"system": "netsuite", "kind": "login_overload", "path_regex": "suiteql", "times": 1}
    )
    answer = suiteql("SELECT id FROM location ORDER BY id ASC")
    assert answer.status_code == 401
    assert "Invalid login attempt" in answer.text
    assert suiteql("SELECT id FROM location ORDER BY id ASC").status_code == 200


def test_what_a_fault_can_not_be_is_said_in_a_sentence(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxFailed, match="no fault of kind 'meteor'"):
        fault(sandbox, "meteor")
    with pytest.raises(SandboxFailed, match="no field 'often'"):
        fault(sandbox, "429", often=3)


def test_the_log_names_calls_and_faults_but_no_secret(sandbox: Sandbox, shop: httpx.Client) -> None:
    since = sandbox.control.clear_log()
    fault(sandbox, "html")
    shop.get(ITEMS)
    entry = sandbox.control.log(since, "bigcommerce")[0]
    assert (entry["operation"], entry["status"], entry["fault"]) == ("bigcommerce.inventory", 502, "html")
    assert sandbox.env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"] not in str(entry)
