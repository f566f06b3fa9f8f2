"""Writes to orders and hooks: what is sent, what an answer means, and which names and addresses are not kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bcns_pipeline.clients.bigcommerce.models import Metafield
from bcns_pipeline.outcomes import Ambiguous, RateLimited, Refused, Sent, Unavailable
from bcns_pipeline_tests.clients.fakes import Script
from bcns_pipeline_tests.clients.shop_double import at, shop

FIELDS = [Metafield(118, "netsuite_id", "5501", "bcns"), Metafield(119, "netsuite_id", "5502", "bcns")]
ECHO = {"id": 118, "status_id": 2, "billing_address": {"first_name": "Jane", "email": "jane@example.com"}}


def saved(one: Metafield, id: int) -> dict[str, Any]:
    return {
        "id": id, "resource_id": one.order_id, "key": one.key, "value": one.value, "namespace": one.namespace,
        "permission_set": one.permission_set,
    }  # fmt: skip


def sent(server: Script, n: int = -1) -> Any:
    return json.loads(server.requests[n].content)


def test_a_reference_and_a_status_are_all_that_is_put_and_no_person_is_in_the_answer() -> None:
    server = Script(httpx.Response(200, json=ECHO))
    client = shop(server)
    assert client.orders.put_reference(118, "5501") == Sent({"id": 118, "status_id": 2}, "118")
    assert sent(server) == {"external_order_id": "5501"}
    assert client.orders.put_status(118, 2) == Sent({"id": 118, "status_id": 2}, "118")
    assert sent(server) == {"status_id": 2}
    assert {(one.method, one.url.path) for one in server.requests} == {("PUT", "/stores/abc/v2/orders/118")}


def test_a_shipment_gives_its_id_and_an_unclear_answer_is_never_a_second_parcel() -> None:
    answer = {"id": 7, "order_id": 118, "items": [], "shipping_address": {"first_name": "Jane"}}
    server = Script(httpx.Response(201, json=answer))
    body = {"order_address_id": 128, "items": [{"order_product_id": 194, "quantity": 1}]}
    outcome = shop(server).orders.create_shipment(118, body)
    assert outcome == Sent({"id": 7, "order_id": 118, "items": []}, "7")
    assert sent(server) == body
    lost = Script(httpx.ReadTimeout("t"))
    assert isinstance(shop(lost).orders.create_shipment(118, body), Ambiguous)
    assert len(lost.requests) == 1
    refusal = httpx.Response(
        400, json=[{"status": 400, "message": "The quantity is above what was ordered."}]
    )
    refused = shop(Script(refusal)).orders.update_shipment(118, 7, {"tracking_number": "1Z"})
    assert refused == Refused(400, "BAD_REQUEST", "The quantity is above what was ordered.")


def test_no_shipments_is_an_empty_list() -> None:
    assert shop(Script(httpx.Response(204))).orders.shipments(118) == []


def test_metafields_of_many_orders_go_in_one_call() -> None:
    rows = [saved(one, 40 + n) for n, one in enumerate(FIELDS)]
    server = Script(httpx.Response(200, json={"data": rows, "errors": [], "meta": {}}))
    outcome = shop(server).orders.create_metafields(FIELDS)
    assert isinstance(outcome, Sent)
    shared = {"permission_set": "read", "namespace": "bcns", "key": "netsuite_id"}
    assert sent(server) == [
        {"resource_id": 118, **shared, "value": "5501"},
        {"resource_id": 119, **shared, "value": "5502"},
    ]
    assert len(server.requests) == 1


def test_a_partly_saved_batch_names_the_orders_that_failed() -> None:
    body = {
        "data": [saved(FIELDS[0], 40)],
        "errors": [
            {"status": 422, "title": "Bulk operation has failed", "errors": {"1.resource_id": "not found"}}
        ],
        "meta": {"total": 2, "success": 1, "failed": 1},
    }
    outcome = shop(Script(httpx.Response(422, json=body))).orders.create_metafields(FIELDS)
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.code, outcome.named) == (422, "INVALID", ("order:119",))
    assert "Bulk operation has failed" in outcome.detail
    whole = httpx.Response(422, json={"status": 422, "title": "no"})
    outcome = shop(Script(whole)).orders.create_metafields(FIELDS)
    assert isinstance(outcome, Refused)
    assert outcome.named == ("order:118", "order:119")


def test_a_store_without_the_call_for_many_gets_one_call_each_from_then_on() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.removeprefix("/stores/abc/v3/orders/"))
        if seen[-1] == "metafields":
            return httpx.Response(405, json={"status": 405, "title": "Method not allowed"})
        body = json.loads(request.content)
        assert "resource_id" not in body
        return httpx.Response(
            200, json={"data": {"id": 40, "resource_id": int(seen[-1].split("/")[0]), **body}}
        )

    seen: list[str] = []
    client = shop(server)
    outcome = client.orders.create_metafields(FIELDS)
    assert isinstance(outcome, Sent)
    assert [row["resource_id"] for row in outcome.answer["data"]] == [118, 119]
    assert seen == ["metafields", "118/metafields", "119/metafields"]
    client.orders.create_metafields(FIELDS[1:])
    assert seen[3:] == ["119/metafields"]


def test_single_metafields_amount_to_one_outcome() -> None:
    none = httpx.Response(404, json={"status": 404, "title": "no such path"})
    good = httpx.Response(200, json={"data": saved(FIELDS[0], 40)})
    clash = httpx.Response(409, json={"status": 409, "title": "the key exists"})
    outcome = shop(Script(none, good, clash)).orders.create_metafields(FIELDS)
    assert outcome == Refused(409, "CONFLICT", "the key exists", ("order:119",))
    outcome = shop(Script(none, good, httpx.Response(500))).orders.create_metafields(FIELDS)
    assert isinstance(outcome, Ambiguous)
    assert "1 of 2" in outcome.reason
    outcome = shop(Script(none, httpx.Response(429))).orders.create_metafields(FIELDS)
    assert isinstance(outcome, RateLimited)
    outcome = shop(Script(none, good, httpx.Response(429))).orders.create_metafields(FIELDS)
    assert isinstance(outcome, Ambiguous)


def test_metafields_are_read_by_cursor_to_the_end() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after")
        row = saved(FIELDS[0], 40) if after is None else saved(FIELDS[1], 41)
        cursor = {"end_cursor": "b" if after else "a", "links": {} if after else {"next": "?after=a"}}
        return httpx.Response(200, json={"data": [row], "meta": {"cursor_pagination": cursor}})

    found = shop(server).orders.metafields([("bcns", "netsuite_id")])
    assert [one.order_id for one in found] == [118, 119]


def test_metafields_are_read_by_page_where_there_is_no_cursor() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        meta = {"pagination": {"current_page": page, "total_pages": 2, "total": 2, "count": 1}}
        return httpx.Response(200, json={"data": [saved(FIELDS[page - 1], 39 + page)], "meta": meta})

    assert [one.id for one in shop(server).orders.metafields([("bcns", "netsuite_id")])] == [40, 41]


def test_metafields_of_many_orders_are_one_list_and_of_old_ones_or_of_one_are_asked_for_alone() -> None:
    asked: list[str] = []
    tier, other = Metafield(118, "tier", "Gold", "loyalty"), Metafield(118, "tier", "1", "bcns")

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.removeprefix("/stores/abc/v3/orders/"))
        if asked[-1] == "404/metafields":
            return httpx.Response(404, json={"status": 404, "title": "Not found"})
        number = len(asked)
        cursor = {"end_cursor": str(number), "links": {"next": "?after"} if endless else {}}
        rows = [saved(tier, 40), saved(other, 41), saved(replace(tier, order_id=7), 42)]
        if asked[-1] != "metafields":
            rows, cursor = rows[:2], {"links": {}}
        return httpx.Response(200, json={"data": rows, "meta": {"cursor_pagination": cursor}})

    wanted, placed = [("loyalty", "tier"), ("bcns", "id")], {118: at(0), 404: at(5)}
    gold = {118: {"loyalty": {"tier": "Gold"}}, 404: {}}
    endless = False
    assert shop(server).orders.metafield_values(placed, wanted) == gold
    assert asked == ["metafields"]
    # More than a page since the older of two: each is asked for, and one that was deleted has none.
    endless = True
    assert shop(server).orders.metafield_values(placed, wanted) == gold
    assert asked[1:3] == ["metafields"] * 2
    assert sorted(asked[3:]) == ["118/metafields", "404/metafields"]
    asked.clear()
    assert shop(server).orders.metafield_values({118: at(0)}, wanted) == {118: gold[118]}
    assert asked == ["118/metafields"]


def test_a_cursor_that_points_at_itself_is_an_error() -> None:
    cursor = {"end_cursor": "a", "links": {"next": "?after=a"}}
    body = {"data": [saved(FIELDS[0], 40)], "meta": {"cursor_pagination": cursor}}
    with pytest.raises(Unavailable, match="circles"):
        shop(Script(httpx.Response(200, json=body))).orders.metafields([("bcns", "netsuite_id")])


def hook(headers: dict[str, str] | None, **more: Any) -> httpx.Response:
    row = {"id": 3, "scope": "store/order/*", "destination": "https://a.test/h", "headers": headers, **more}
    pagination = {"total": 1, "count": 1, "current_page": 1, "total_pages": 1}
    return httpx.Response(200, json={"data": [row], "meta": {"pagination": pagination}})


@pytest.mark.parametrize(
    ("headers", "matches"),
    [
        ({"x-secret": "new"}, True),
        ({"X-Secret": "old"}, False),
        ({"X-Secret": "new", "B": "c"}, False),
        (None, False),
    ],
)
def test_a_hook_says_whether_its_secret_is_ours_without_showing_it(
    headers: dict[str, str] | None, matches: bool
) -> None:
    client = shop(Script(hook(headers, is_active=False, updated_at=1561488106)))
    found = client.hooks.list(headers={"X-Secret": "new"})[0]
    assert (found.id, found.active, found.matches, found.updated_at) == (3, False, matches, 1561488106)
    assert "new" not in repr(found)
    assert "old" not in repr(found)
    assert client.hooks.list()[0].matches is None


def test_hooks_are_made_mended_and_taken_away() -> None:
    row = {
        "id": 3,
        "scope": "store/order/*",
        "is_active": True,
        "headers": {"X-Secret": "s"},
        "client_id": "c",
    }
    server = Script(httpx.Response(200, json={"data": row, "meta": {}}))
    hooks = shop(server).hooks
    kept = {"id": 3, "scope": "store/order/*", "is_active": True}
    assert hooks.create("store/order/*", "https://a.test/h", {"X-Secret": "s"}) == Sent(kept, "3")
    assert sent(server)["is_active"] is True
    assert hooks.update(3, active=True) == Sent(kept, "3")
    assert sent(server) == {"is_active": True}
    assert hooks.delete(3) == Sent(kept, "3")
    assert [(one.method, one.url.path) for one in server.requests[1:]] == [
        ("PUT", "/stores/abc/v3/hooks/3"),
        ("DELETE", "/stores/abc/v3/hooks/3"),
    ]


def test_a_refusal_that_repeats_the_secret_does_not_carry_it_on() -> None:
    refusal = httpx.Response(
        422, json={"status": 422, "title": "header X-Secret: hunter2-hunter2 is too long"}
    )
    outcome = shop(Script(refusal)).hooks.create(
        "store/order/*", "https://a.test/h", {"X-Secret": "hunter2-hunter2"}
    )
    assert isinstance(outcome, Refused)
    assert outcome.detail == "header X-Secret: [hidden] is too long"


def test_the_health_of_hooks_is_read() -> None:
    data = {
        "emails": ["ops@example.com"],
        "hooks_list": [{"id": 3, "status": "deactivated"}],
        "blocked_domains": [
            {
                "destination": "a.test",
                "time_left": 90,
                "reasons": [{"failure_description": "timeout", "count": 12}],
            }
        ],
    }
    health = shop(Script(httpx.Response(200, json={"data": data, "meta": {}}))).hooks.admin()
    assert health.status == {3: "deactivated"}
    assert health.blocked[0].seconds_left == 90
    assert health.blocked[0].reasons == ("timeout (12 times)",)


def test_orders_have_no_method_that_deletes() -> None:
    client = shop(Script(httpx.Response(204)))
    for part in (client, client.orders, client.customers):
        assert not [name for name in dir(part) if "delete" in name or "remove" in name or "archive" in name]
