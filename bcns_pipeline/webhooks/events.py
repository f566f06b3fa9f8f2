"""From a verified body to what has changed: a resource and an id, and nothing else of it.

Put here which scope means which record. Do not put here what the record holds: the payload is a hint, and its
content is read again by the flows. Pure. Scopes and payloads: facts/bigcommerce.md 6.2; NetSuite's body is
our own format, sent by the script in `deploy/netsuite`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bcns_pipeline.clients.bigcommerce.models import OUR_NAMESPACE
from bcns_pipeline.state.inbox import Resource

# BigCommerce's own complaint that a hook of ours does not answer; it has a counter, and no record.
DELIVERY_EXCEPTION = "hook/deliveryException"
# One call of the NetSuite script names at most so many records; a longer list is a mistake in the script.
MOST_IDS = 1000
_ID = re.compile(r"[0-9]{1,18}")
# What becomes the name of a counter; scopes are a few words of letters, and the wildcard of channels.
_SCOPE = re.compile(r"[A-Za-z/*]{1,64}")
_CHANNEL = re.compile(r"^channel/[0-9]+/")
_FULFILMENT_RECORDS = frozenset({"itemfulfillment", "itemfulfilment", "fulfilment"})


class Malformed(Exception):
    """The body is not what its sender promises. The text is a fixed sentence without any of its content."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One record that its system says has changed; `id` as the inbox writes it."""

    resource: Resource
    id: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a webhook call says. `scope` is for counters: without channel ids, or "other" if not read by us.

    `changed` is None where the scope is nothing that we read.
    """

    store: str
    scope: str
    changed: Changed | None


def read_webhook(body: bytes) -> Note:
    """A BigCommerce payload. Raises Malformed."""
    payload = _object(body)
    producer, scope, data = payload.get("producer"), payload.get("scope"), payload.get("data")
    if not (isinstance(producer, str) and producer.startswith("stores/")):
        raise Malformed("the payload names no producer")
    if not isinstance(scope, str):
        raise Malformed("the payload names no scope")
    # Per-channel scopes of orders are the same news; a channel's stock events keep their literal `*`.
    name = _CHANNEL.sub("", scope.removeprefix("store/"))
    store = producer.removeprefix("stores/")
    found = _place_of_id(name) if _SCOPE.fullmatch(name) and not _is_ours(name, data) else None
    if found is None:
        return Note(store, name if name == DELIVERY_EXCEPTION else "other", None)
    resource, path = found
    value: Any = data
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return Note(store, name, Changed(resource, _identity(value)))


def _is_ours(scope: str, data: Any) -> bool:
    """Our own metafields would call us back after every order."""
    metafield = scope.startswith("order/metafield/") and isinstance(data, Mapping)
    return metafield and data.get("namespace") == OUR_NAMESPACE


def _place_of_id(scope: str) -> tuple[Resource, tuple[str, ...]] | None:
    """Which resource a scope is about, and where in `data` its id stands; None for what we do not read.

    By family rather than by list, so that a scope added to `store/order/*` wakes us too: a needless hint
    costs one read, a missed one waits for the poll.
    """
    family, _, rest = scope.partition("/")
    match family, rest.partition("/")[0]:
        case "order", "message":
            return None
        case "order", "metafield":
            return "order", ("resource_id",)
        # That its order changed as well is told by an event of the order's own.
        case "order", "refund":
            return "refund", ("refund", "refund_id")
        case "order", "transaction":
            return "order", ("order_id",)
        case "order", _:
            return "order", ("id",)
        case "shipment", _:
            return "order", ("orderId",)
        case "customer", "address":
            return "customer", ("address", "customer_id")
        case "customer", "channel":
            return "customer", ("customer_id",)
        case "customer", "created" | "updated" | "deleted":
            return "customer", ("id",)
    return None


def read_netsuite(body: bytes) -> list[Changed]:
    """Our script's body, without doubles: `{"items": [12, 13]}`, `{"record": "itemfulfillment", "ids": [7]}`.

    Both may stand in one body. `record` is a record type as SuiteScript spells it: item fulfilments, or any
    kind of item (`inventoryitem`, `kititem`, ...). Raises Malformed.
    """
    payload = _object(body)
    changed = [Changed("item", _identity(one)) for one in _list(payload.get("items", []))]
    record = payload.get("record")
    if record is not None:
        if not isinstance(record, str):
            raise Malformed("`record` must be a record type")
        changed += [Changed(_netsuite_resource(record), _identity(one)) for one in _list(payload.get("ids"))]
    if not changed:
        raise Malformed("the body names no record: expected `items`, or `record` and `ids`")
    if len(changed) > MOST_IDS:
        raise Malformed(f"the body names more than {MOST_IDS} records")
    return list(dict.fromkeys(changed))


def _netsuite_resource(record: str) -> Resource:
    name = record.lower()
    if name in _FULFILMENT_RECORDS:
        return "fulfilment"
    if name.endswith("item") or name in ("itemgroup", "kit"):
        return "item"
    raise Malformed("`record` is a type that no flow reads: expected an item fulfilment or a kind of item")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        # `from None`: the original quotes what it could not read.
        raise Malformed("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed("the body is not a JSON object")
    return payload


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("the ids must be a list")
    return value


def _identity(value: Any) -> str:
    """A positive whole number, given as one or as its digits, in its one spelling."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _ID.fullmatch(text) or int(text) == 0:
        raise Malformed("an id is not a positive whole number")
    return str(int(text))
