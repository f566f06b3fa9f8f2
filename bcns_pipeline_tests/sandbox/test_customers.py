"""Registered shoppers: lists, cursors, writes, and what does not move when an address does.

Put customers of the shop here. Do not put NetSuite's customers here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed
from bcns_pipeline_tests.contract import require_specs, validate_response

HOME = {
    "first_name": "Ada",
    "last_name": "Berg",
    "address1": "1 Main Street",
    "city": "Austin",
    "country_code": "US",
    "state_or_province": "Texas",
    "postal_code": "78701",
}


@pytest.fixture(autouse=True)
def _as_it_was(sandbox: Sandbox) -> Iterator[None]:
    """The shop's settings are put back after each test."""
    yield
    usual = ShopSettings().show()
    sandbox.control.shop_settings(**{k: v for k, v in usual.items() if k != "marketplace"})


@pytest.fixture
def ada(sandbox: Sandbox, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A shopper without an address, whose e-mail address is the test's own."""
    email = f"ada.{abs(hash(request.node.name))}@example.com"
    found: dict[str, Any] = sandbox.control.shopper(
        first_name="Ada", last_name="Berg", email=email, address=None
    )
    return found


def rows(shop: httpx.Client, path: str) -> list[dict[str, Any]]:
    """The data of a list."""
    answer = shop.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def one(shop: httpx.Client, customer_id: int) -> dict[str, Any]:
    """A customer with addresses."""
    return rows(shop, f"/v3/customers?id:in={customer_id}&include=addresses")[0]


@pytest.mark.contract
def test_every_read_and_write_is_as_the_official_files_say(sandbox: Sandbox, shop: httpx.Client) -> None:
    require_specs()
    sandbox.control.shopper(form_fields=[{"name": "Size", "value": "M"}], store_credit="4.50")
    include = "include=addresses,storecredit,attributes,formfields,shopper_profile_id,segment_ids"
    new = {"email": "contract@example.com", "first_name": "Con", "last_name": "Tract"}
    made = shop.post("/v3/customers", json=[{**new, "addresses": [HOME]}])
    number = made.json()["data"][0]["id"]
    address = shop.post("/v3/customers/addresses", json=[{**HOME, "city": "Dallas", "customer_id": number}])
    there = address.json()["data"][0]["id"]
    for answer in (
        made,
        address,
        shop.put("/v3/customers", json=[{"id": number, "company": "Acme"}]),
        shop.put("/v3/customers/addresses", json=[{"id": there, "city": "Houston"}]),
        shop.post("/v3/customers/addresses", json=[{**HOME, "customer_id": number}]),
        shop.get(f"/v3/customers?{include}"),
        shop.get("/v3/customers?date_modified:min=2020-01-01&sort=date_modified:asc&limit=1"),
        shop.get("/v3/customers?id:in=999999"),
        shop.get(f"/v3/customers/addresses?customer_id:in={number}&include=formfields"),
        shop.get("/v2/customer_groups"),
    ):
        assert answer.status_code == 200, answer.text
        method = answer.request.method
        validate_response(method, str(answer.url), 200, answer.headers, answer.content)


def test_pages_and_cursors_lead_through_the_same_list(sandbox: Sandbox, shop: httpx.Client) -> None:
    ids = [sandbox.control.shopper()["id"] for _ in range(5)]
    query = f"/v3/customers?id:in={','.join(map(str, ids))}&limit=2"
    by_page = [row["id"] for page in (1, 2, 3) for row in rows(shop, f"{query}&page={page}")]
    first = shop.get(query).json()
    assert set(first["meta"]) == {"pagination", "cursor_pagination"}
    assert set(shop.get(f"{query}&page=2").json()["meta"]) == {"pagination"}
    by_cursor, body = [row["id"] for row in first["data"]], first
    while "next" in body["meta"]["cursor_pagination"]["links"]:
        cursor = body["meta"]["cursor_pagination"]["end_cursor"]
        body = shop.get(f"{query}&after={cursor}").json()
        assert set(body["meta"]) == {"cursor_pagination"}
        by_cursor += [row["id"] for row in body["data"]]
    assert by_page == by_cursor == ids
    back = body["meta"]["cursor_pagination"]["start_cursor"]
    assert [row["id"] for row in rows(shop, f"{query}&before={back}")] == ids[2:4]


def test_a_cursor_through_changes_does_not_lose_whoever_was_not_touched(
    sandbox: Sandbox, shop: httpx.Client
) -> None:
    ids = [sandbox.control.shopper()["id"] for _ in range(4)]
    query = f"/v3/customers?id:in={','.join(map(str, ids))}&limit=2&sort=date_modified:asc"
    body = shop.get(query).json()
    sandbox.control.clock(advance_seconds=5)
    try:
        sandbox.control.shopper(id=ids[1], company="Moved to the end")
        cursor = body["meta"]["cursor_pagination"]["end_cursor"]
        rest = rows(shop, f"{query}&after={cursor}&limit=10")
        assert [row["id"] for row in rest] == [ids[2], ids[3], ids[1]]
    finally:
        sandbox.control.clock(offset_seconds=0)


def test_filters_find_by_address_name_and_date(
    sandbox: Sandbox, shop: httpx.Client, ada: dict[str, Any]
) -> None:
    number, email = ada["id"], ada["email"]
    assert [row["id"] for row in rows(shop, f"/v3/customers?email:in={email.upper()}")] == [number]
    assert number in [row["id"] for row in rows(shop, "/v3/customers?name:in=Ada Berg&limit=250")]
    modified = one(shop, number)["date_modified"]
    window = f"date_modified:min={modified}&date_modified:max={modified}&id:in={number}"
    assert [row["id"] for row in rows(shop, f"/v3/customers?{window}")] == [number]
    assert rows(shop, f"/v3/customers?date_created:max=2020-01-01&id:in={number}") == []
    for wrong in ("sort=id:asc", "include=orders", "date_modified:min=yesterday", "first_name=Ada"):
        assert shop.get(f"/v3/customers?{wrong}").status_code == 422


def test_a_changed_address_does_not_touch_its_customer(
    sandbox: Sandbox, shop: httpx.Client, ada: dict[str, Any]
) -> None:
    number = ada["id"]
    before = one(shop, number)["date_modified"]
    sandbox.control.clock(advance_seconds=60)
    try:
        made = shop.post("/v3/customers/addresses", json=[{**HOME, "customer_id": number}]).json()["data"][0]
        shop.put("/v3/customers/addresses", json=[{"id": made["id"], "city": "Houston"}])
        found = one(shop, number)
        assert (found["date_modified"], found["addresses"][0]["city"]) == (before, "Houston")
        sandbox.control.shopper(id=number, phone="555")
        assert one(shop, number)["date_modified"] > before
    finally:
        sandbox.control.clock(offset_seconds=0)


def test_the_same_address_again_is_answered_with_200_and_left_out(
    shop: httpx.Client, ada: dict[str, Any]
) -> None:
    mine = {**HOME, "customer_id": ada["id"]}
    assert len(shop.post("/v3/customers/addresses", json=[mine]).json()["data"]) == 1
    again = shop.post("/v3/customers/addresses", json=[{**mine, "city": "AUSTIN "}, {**mine, "city": "Waco"}])
    assert (again.status_code, [row["city"] for row in again.json()["data"]]) == (200, ["Waco"])
    assert one(shop, ada["id"])["address_count"] == 2


@pytest.mark.parametrize(
    "change",
    [{"state_or_province": "TX"}, {"postal_code": ""}, {"country_code": "usa"}, {"customer_id": 0}],
    ids=str,
)
def test_an_address_that_can_not_be_is_refused(
    shop: httpx.Client, ada: dict[str, Any], change: dict[str, Any]
) -> None:
    answer = shop.post("/v3/customers/addresses", json=[{**HOME, "customer_id": ada["id"], **change}])
    assert answer.status_code == 422
    assert (
        f"0.{next(iter(change))}" in answer.json()["errors"]
        or "0.state_or_province" in answer.json()["errors"]
    )
    assert one(shop, ada["id"])["address_count"] == 0


def test_eleven_customers_are_too_many_and_one_bad_one_keeps_all_out(
    shop: httpx.Client, ada: dict[str, Any]
) -> None:
    new = [{"email": f"many{n}@example.com", "first_name": "M", "last_name": "N"} for n in range(11)]
    assert shop.post("/v3/customers", json=new).status_code == 413
    taken = {**new[1], "email": ada["email"].upper()}
    for bad in (taken, {**new[1], "first_name": ""}, {"email": "x@example.com"}, new[0]):
        assert shop.post("/v3/customers", json=[new[0], bad]).status_code == 422
    assert rows(shop, "/v3/customers?email:in=many0@example.com") == []
    assert shop.put("/v3/customers", json=[{"id": 999_999, "company": "X"}]).status_code == 422


def test_an_address_of_e_mail_is_unique_per_channel_only(sandbox: Sandbox, shop: httpx.Client) -> None:
    sandbox.control.shop_settings(second_storefront=True)
    first = sandbox.control.shopper(email="both@example.com", channel_id=1)
    second = sandbox.control.shopper(email="both@example.com", channel_id=2)
    assert [row["id"] for row in rows(shop, "/v3/customers?email:in=both@example.com")] == [
        first["id"],
        second["id"],
    ]
    with pytest.raises(SandboxFailed, match="already"):
        sandbox.control.shopper(email="Both@example.com", channel_id=2)


def test_a_shopper_who_comes_back_is_the_same_customer(
    sandbox: Sandbox, shop: httpx.Client, ada: dict[str, Any]
) -> None:
    made = sandbox.control.shop_order(email=ada["email"], restock=True)
    assert made["customer_id"] == ada["id"]
    assert sandbox.control.shop_order("guest", email=ada["email"], restock=True)["customer_id"] == 0
    exempt = sandbox.control.shop_order("tax_exempt", restock=True)
    assert one(shop, exempt["customer_id"])["tax_exempt_category"] == "Government"
    assert sandbox.control.shop_order(customer_id=exempt["customer_id"], restock=True)["tax"] == "0.00"
