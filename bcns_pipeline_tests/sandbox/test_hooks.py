"""Webhooks of the shop: setting up, payloads, signatures, delivery, and what happens to events on their way.

Put hooks here. Do not put the pipeline's receiver here: the one in this file keeps what it gets.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from bcns_pipeline.sandbox.bigcommerce.hooks import letters
from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.launch import Sandbox
from bcns_pipeline_tests.contract import require_specs, validate_response

SCALE = 0.0005
SECRET = {"Authorization": "Bearer s3cret"}


@dataclass
class Mailbox:
    """A receiver that keeps every request and answers as it is told."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self, scope: str | None = None) -> list[dict[str, Any]]:
        """Payloads received, of one scope if given."""
        found = [json.loads(body) for _, body in list(self.got)]
        return [one for one in found if scope in (None, one["scope"])]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A receiver on this machine."""
    box = Mailbox()

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_port}/events"
    yield box
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _clean(sandbox: Sandbox, shop: httpx.Client) -> Iterator[None]:
    """Hooks to this machine are allowed and waits short; afterwards there is no hook and no disturbance."""
    sandbox.control.shop_settings(allow_http_hooks=True, retry_scale=SCALE)
    yield
    sandbox.control.clock(offset_seconds=0)
    sandbox.control.hook_events("clear")
    for row in shop.get("/v3/hooks?limit=250").json()["data"]:
        if row["id"] != 20_001:
            shop.delete(f"/v3/hooks/{row['id']}")
    usual = ShopSettings().show()
    sandbox.control.shop_settings(**{k: v for k, v in usual.items() if k != "marketplace"})


def subscribe(shop: httpx.Client, scope: str, destination: str, **more: Any) -> int:
    """Set up a hook and return its id."""
    answer = shop.post(
        "/v3/hooks", json={"scope": scope, "destination": destination, "headers": SECRET, **more}
    )
    assert answer.status_code == 200, answer.text
    return int(answer.json()["data"]["id"])


def until(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait until something is true and return it."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.01)
    assert found
    return found


def quiet(sandbox: Sandbox) -> None:
    """Wait until nothing is on its way."""
    until(lambda: sandbox.control.deliveries(10**9)["pending"] == 0)


# -- setting up ----------------------------------------------------------------------------------------------


@pytest.mark.contract
def test_every_answer_is_as_the_official_file_says(shop: httpx.Client) -> None:
    require_specs()
    hook = {"scope": "store/order/*", "destination": "https://example.com/hooks", "headers": {"X-Key": "1"}}
    made = shop.post("/v3/hooks", json=hook)
    number = made.json()["data"]["id"]
    for answer in (
        made,
        shop.post("/v3/hooks", json=hook),
        shop.get("/v3/hooks?is_active=true"),
        shop.get("/v3/hooks/admin"),
        shop.get(f"/v3/hooks/{number}"),
        shop.put(f"/v3/hooks/{number}", json={**hook, "is_active": False}),
        shop.put("/v3/hooks/admin", json={"emails": ["owner@example.com"]}),
        shop.delete(f"/v3/hooks/{number}"),
        shop.get(f"/v3/hooks/{number}"),
    ):
        method, status = answer.request.method, answer.status_code
        validate_response(method, str(answer.url), status, answer.headers, answer.content)
    assert shop.get(f"/v3/hooks/{number}").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "store/order/paid"},
        {"scope": "order/created"},
        {"destination": "https://example.com:8443/hooks"},
        {"destination": "http://example.com/hooks"},
        {"destination": "example.com"},
        {"is_active": "yes"},
        {"headers": {"X-Key": 1}},
        {"headers": {"X-Key": "a\r\nX-Other: b"}},
        {"active": True},
    ],
    ids=str,
)
def test_what_can_not_be_a_hook_is_422(shop: httpx.Client, change: dict[str, Any]) -> None:
    hook = {"scope": "store/order/created", "destination": "https://example.com/hooks", **change}
    answer = shop.post("/v3/hooks", json=hook)
    assert answer.status_code == 422
    assert next(iter(change)) in answer.json()["errors"]


def test_plain_http_is_refused_unless_it_is_allowed(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    sandbox.control.shop_settings(allow_http_hooks=False)
    answer = shop.post("/v3/hooks", json={"scope": "store/order/created", "destination": mailbox.url})
    assert answer.status_code == 422


def test_one_hook_per_scope_and_destination_and_ten_per_scope(shop: httpx.Client) -> None:
    for number in range(10):
        subscribe(shop, "store/order/created", f"https://example.com/{number}")
    again = {"scope": "store/order/created", "destination": "https://example.com/3"}
    eleventh = {"scope": "store/order/created", "destination": "https://example.com/11"}
    assert shop.post("/v3/hooks", json=again).status_code == 422
    assert "limit" in shop.post("/v3/hooks", json=eleventh).json()["title"]
    other = subscribe(shop, "store/order/updated", "https://example.com/3")
    assert shop.put(f"/v3/hooks/{other}", json=again).status_code == 422


def test_lists_filter_by_scope_destination_and_state(shop: httpx.Client) -> None:
    first = subscribe(shop, "store/order/created", "https://example.com/a", is_active=False)
    second = subscribe(shop, "store/order/updated", "https://example.com/a")

    def ids(query: str) -> list[int]:
        return [row["id"] for row in shop.get(f"/v3/hooks?{query}").json()["data"]]

    assert ids("destination=https://example.com/a") == [first, second]
    assert ids("scope=store/order/updated") == [second]
    assert ids("is_active=true") == [second]
    assert first in ids("is_active=false")


# -- what is sent --------------------------------------------------------------------------------------------


def test_an_order_is_told_thinly_signed_and_with_the_hooks_own_headers(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    subscribe(shop, "store/order/created", mailbox.url)
    before = int(time.time())
    order = sandbox.control.shop_order(restock=True)["id"]
    until(lambda: mailbox.got)
    headers, body = mailbox.got[0]
    payload = json.loads(body)
    assert payload["data"] == {"type": "order", "id": order}
    assert (payload["scope"], payload["producer"]) == ("store/order/created", "stores/sandbox1")
    compact = json.dumps(payload["data"], separators=(",", ":")).encode()
    assert payload["hash"] == hashlib.sha1(compact).hexdigest()
    assert headers["authorization"] == SECRET["Authorization"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = sandbox.env["BCNS_BIGCOMMERCE_CLIENT_SECRET"].encode()
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert before <= int(headers["webhook-timestamp"]) <= time.time()


def test_the_signature_is_that_of_the_published_vector() -> None:
    body = (
        b'{"producer":"stores/abcde","hash":"3f9ea420af83450d7ef9f78b08c8af25b2213637","created_at":1700000000,'
        b'"store_id":"11111","scope":"store/order/created","data":{"type":"order","id":173331}}'
    )
    letter = letters.Letter(1, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "store/order/created", {}, body)
    headers = letters.sign(letter, "0123456789abcdef_client_secret_example", 1_700_000_000, "standard")
    assert headers["webhook-signature"] == "v1,N5d4vL69kNr5KKoNIE/Tg239bTKgYg+AIAy/2jtGPIU="


@pytest.mark.parametrize(
    ("style", "names"),
    [
        ("none", set()),
        ("legacy", {"x-bc-signature"}),
        ("both", {"x-bc-signature", "webhook-id", "webhook-timestamp", "webhook-signature"}),
    ],
)
def test_other_stores_sign_otherwise_or_not_at_all(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox, style: str, names: set[str]
) -> None:
    sandbox.control.shop_settings(webhook_signature=style)
    subscribe(shop, "store/order/created", mailbox.url)
    sandbox.control.shop_order(restock=True)
    until(lambda: mailbox.got)
    assert {name for name in mailbox.got[0][0] if "webhook-" in name or "signature" in name} == names


def test_each_happening_has_its_event(sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox) -> None:
    for scope in ("store/order/*", "store/customer/*", "store/shipment/*", "store/product/*", "store/sku/*"):
        subscribe(shop, scope, mailbox.url)
    control = sandbox.control
    made = control.shop_order("authorised_only", restock=True, lines=[{"sku": "SKU-000030"}])
    number, line = made["id"], made["lines"][0]
    control.pay_order(number)
    shop.put(f"/v2/orders/{number}", json={"staff_notes": "x"})
    note = {"permission_set": "read", "namespace": "n", "key": "k", "value": "v"}
    shop.post(f"/v3/orders/{number}/metafields", json=note)
    items = [{"order_product_id": line["id"], "quantity": 1}]
    shop.post(f"/v2/orders/{number}/shipments", json={"order_address_id": line["address_id"], "items": items})
    control.refund_order(number, amount="1")
    control.shopper(id=made["customer_id"], phone="1")
    control.shopper_address(customer_id=made["customer_id"], city="Elsewhere")
    quiet(sandbox)
    seen = [one["scope"].removeprefix("store/") for one in mailbox.bodies()]
    assert {
        "customer/created",
        "customer/updated",
        "customer/address/created",
        "product/inventory/order/updated",
        "order/created",
        "order/statusUpdated",
        "order/updated",
        "order/transaction/created",
        "order/metafield/created",
        "order/refund/created",
        "shipment/created",
    } == set(seen)
    assert seen.count("order/created") == 1
    moves = [one["data"]["status"] for one in mailbox.bodies("store/order/statusUpdated")]
    pairs = {(one["previous_status_id"], one["new_status_id"]) for one in moves}
    assert pairs == {(0, 11), (11, 2), (2, 14)}
    assert mailbox.bodies("store/shipment/created")[0]["data"]["orderId"] == number
    assert "refund_id" in mailbox.bodies("store/order/refund/created")[0]["data"]["refund"]


def test_an_address_alone_is_no_update_of_the_customer(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    shopper = sandbox.control.shopper()
    subscribe(shop, "store/customer/updated", mailbox.url)
    subscribe(shop, "store/customer/address/updated", mailbox.url)
    sandbox.control.shopper_address(id=shopper["addresses"][0]["id"], city="Elsewhere")
    quiet(sandbox)
    told = [(one["scope"], one["data"]["address"]["customer_id"]) for one in mailbox.bodies()]
    assert told == [("store/customer/address/updated", shopper["id"])]


def test_two_changes_of_one_order_carry_the_same_hash_and_different_ids(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    order = sandbox.control.shop_order(restock=True)["id"]
    subscribe(shop, "store/order/updated", mailbox.url)
    for note in ("one", "two"):
        shop.put(f"/v2/orders/{order}", json={"staff_notes": note})
    until(lambda: len(mailbox.got) == 2)
    assert len({one["hash"] for one in mailbox.bodies()}) == 1
    assert len({headers["webhook-id"] for headers, _ in mailbox.got}) == 2


def test_a_channels_own_hook_hears_its_channel_only(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    sandbox.control.shop_settings(second_storefront=True)
    subscribe(shop, "store/channel/2/order/created", mailbox.url)
    sandbox.control.shop_order(restock=True)
    second = sandbox.control.shop_order(restock=True, channel_id=2)["id"]
    quiet(sandbox)
    told = [(one["scope"], one["data"]["id"]) for one in mailbox.bodies()]
    assert told == [("store/channel/2/order/created", second)]


# -- delivery ------------------------------------------------------------------------------------------------


def test_a_failed_delivery_is_tried_again_with_the_same_id_until_it_is_taken(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    mailbox.status = 503
    subscribe(shop, "store/order/created", mailbox.url)
    sandbox.control.shop_order(restock=True)
    until(lambda: len(mailbox.got) >= 3)
    mailbox.status = 200
    quiet(sandbox)
    assert len({headers["webhook-id"] for headers, _ in mailbox.got}) == 1
    rows = sandbox.control.deliveries()["deliveries"][-len(mailbox.got) :]
    assert [row["attempt"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["status"] == 503
    assert rows[-1]["status"] == 200


def test_after_the_last_try_the_hook_is_off_the_owner_told_and_what_comes_then_is_lost(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    sandbox.control.shop_settings(retry_scale=0.000001)
    number = subscribe(shop, "store/order/created", mailbox.url)
    mailbox.status = 500
    sandbox.control.shop_order(restock=True)
    until(lambda: shop.get(f"/v3/hooks/{number}").json()["data"]["is_active"] is False)
    assert len(mailbox.got) == 12
    admin = {row["id"]: row["status"] for row in shop.get("/v3/hooks/admin").json()["data"]["hooks_list"]}
    assert admin[number] == "deactivated"
    assert f"Webhook {number} " in sandbox.control.deliveries()["mails"][-1]
    mailbox.status = 200
    lost = sandbox.control.shop_order(restock=True)["id"]
    shop.put(f"/v3/hooks/{number}", json={"is_active": True})
    heard = sandbox.control.shop_order(restock=True)["id"]
    until(lambda: len(mailbox.got) == 13)
    assert mailbox.bodies()[-1]["data"]["id"] == heard
    assert lost not in [one["data"]["id"] for one in mailbox.bodies()]


def test_nobody_at_home_is_a_failure_too(sandbox: Sandbox, shop: httpx.Client) -> None:
    number = subscribe(shop, "store/order/created", "http://127.0.0.1:9/events")

    def tried() -> list[dict[str, Any]]:
        # Another test's event may still be on its way.
        return [one for one in sandbox.control.deliveries()["deliveries"] if one["hook_id"] == number]

    sandbox.control.shop_order(restock=True)
    row = until(tried)[0]
    assert (row["status"], row["attempt"]) == (None, 1)
    assert row["error"]


def test_ninety_idle_days_switch_a_hook_off_and_an_event_starts_them_anew(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    day = 86_400
    idle = subscribe(shop, "store/order/refund/created", mailbox.url)
    busy = subscribe(shop, "store/order/created", mailbox.url)
    sandbox.control.clock(advance_seconds=60 * day)
    sandbox.control.shop_order(restock=True)
    sandbox.control.clock(advance_seconds=31 * day)
    states = {row["id"]: row["is_active"] for row in shop.get("/v3/hooks").json()["data"]}
    assert (states[idle], states[busy]) == (False, True)


def test_a_domain_that_fails_too_often_rests_and_is_listed(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    sandbox.control.shop_settings(retry_scale=0.02)
    subscribe(shop, "store/order/created", mailbox.url)
    mailbox.status = 401
    sandbox.control.shop_orders(110, restock=True, kind="guest")
    blocked = until(lambda: shop.get("/v3/hooks/admin").json()["data"]["blocked_domains"])
    assert blocked[0]["destination"] in mailbox.url
    assert {one["failure_description"] for one in blocked[0]["reasons"]} == {"answered 401"}
    mailbox.status = 200
    until(
        lambda: (
            {one["data"]["id"] for one in mailbox.bodies()}
            and not shop.get("/v3/hooks/admin").json()["data"]["blocked_domains"]
        )
    )
    quiet(sandbox)
    assert len({one["data"]["id"] for one in mailbox.bodies()}) == 110


def test_failures_are_told_to_the_hook_for_them_elsewhere(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    subscribe(shop, "store/hook/deliveryException", mailbox.url)
    number = subscribe(shop, "store/order/created", "http://127.0.0.1:9/events")
    sandbox.control.shop_order(restock=True)
    until(lambda: mailbox.got)
    data = mailbox.bodies()[0]["data"]
    assert (data["type"], data["id"], data["error_code"]) == ("webhook", number, "90001")


# -- disturbances --------------------------------------------------------------------------------------------


def test_events_double_swap_places_and_get_lost_as_asked(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    subscribe(shop, "store/order/created", mailbox.url)
    control = sandbox.control
    control.hook_events("duplicate", copies=2)
    control.hook_events("drop")
    doubled, lost = control.shop_orders(2, restock=True)
    quiet(sandbox)
    assert [one["data"]["id"] for one in mailbox.bodies()] == [doubled] * 3
    assert len({headers["webhook-id"] for headers, _ in mailbox.got}) == 1
    # Other tests' events of other kinds stand there too, and not all of them are about one thing with an id.
    noted = {row["data"].get("id") for row in control.deliveries()["deliveries"]}
    assert {doubled, lost} <= noted
    mailbox.got.clear()
    control.hook_events("reorder", count=2)
    first = control.shop_order(restock=True)["id"]
    time.sleep(0.1)
    assert mailbox.got == []
    second = control.shop_order(restock=True)["id"]
    quiet(sandbox)
    assert sorted(one["data"]["id"] for one in mailbox.bodies()) == [first, second]
    sent = [row["data"]["id"] for row in control.deliveries()["deliveries"] if row["note"] == "reordered"]
    assert set(sent[-2:]) == {first, second}


def test_an_event_can_come_late_and_again_a_hundred_times(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    subscribe(shop, "store/order/created", mailbox.url)
    sandbox.control.hook_events("delay", seconds=0.3)
    began = time.monotonic()
    sandbox.control.shop_order(restock=True)
    until(lambda: mailbox.got)
    assert time.monotonic() - began >= 0.3
    sandbox.control.hook_events("repeat", copies=100)
    quiet(sandbox)
    assert len(mailbox.got) == 101
    assert len({(headers["webhook-id"], body) for headers, body in mailbox.got}) == 1


@pytest.mark.parametrize("signature", ["good", "wrong", "stale", "none"])
def test_forged_events_carry_what_was_asked_for(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox, signature: str
) -> None:
    number = subscribe(shop, "store/order/created", mailbox.url)
    mailbox.status = 401
    sandbox.control.hook_events("forge", hook_id=number, signature=signature, headers="wrong", data={"id": 7})
    until(lambda: mailbox.got)
    headers, body = mailbox.got[0]
    assert json.loads(body)["data"] == {"id": 7}
    assert headers["authorization"] != SECRET["Authorization"]
    if signature == "none":
        assert "webhook-signature" not in headers
    else:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = sandbox.env["BCNS_BIGCOMMERCE_CLIENT_SECRET"].encode()
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert (headers["webhook-signature"] == f"v1,{digest}") is (signature != "wrong")
        assert (time.time() - int(headers["webhook-timestamp"]) > 600) is (signature == "stale")
    time.sleep(0.1)
    assert len(mailbox.got) == 1


def test_a_hook_switched_off_by_hand_hears_nothing(
    sandbox: Sandbox, shop: httpx.Client, mailbox: Mailbox
) -> None:
    number = subscribe(shop, "store/order/created", mailbox.url)
    sandbox.control.hook_events("deactivate", hook_id=number)
    sandbox.control.shop_order(restock=True)
    assert shop.get(f"/v3/hooks/{number}").json()["data"]["is_active"] is False
    sandbox.control.hook_events("activate", hook_id=number)
    sandbox.control.hook_events("emit", scope="store/order/created", data={"type": "order", "id": 5})
    until(lambda: mailbox.got)
    quiet(sandbox)
    assert [one["data"]["id"] for one in mailbox.bodies()] == [5]
