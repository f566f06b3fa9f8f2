"""Orders and customers as documents: one shape of consignments, one moment of change, canonical bytes.

Put here what makes a document of what was read, without losing or adding a figure. What an order means is the
work of the rules; asking for its parts is that of `orders.py`. Facts: `facts/bigcommerce.md` 3.1, 3.2, 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, Final

from bcns_pipeline.clients.bigcommerce.models import CustomerDocument, OrderDocument, OrderHead
from bcns_pipeline.clients.http.body import canonical_json

Document = dict[str, Any]
_KINDS: Final = ("pickups", "shipping", "downloads")
# In consignments these are numbers, in `/shipping_addresses` the same figures are text.
_SIDES: Final = ("cost_ex_tax", "cost_inc_tax", "cost_tax")
_COSTS: Final = (*_SIDES, *(f"handling_{side}" for side in _SIDES), "base_cost", "base_handling_cost")


def order(row: Document) -> OrderDocument:
    """An order as read. ValueError or KeyError without an id or a date of change."""
    consignments = row.get("consignments")
    if isinstance(consignments, list):
        # The older shape: the same object, in a list of its own (facts/bigcommerce.md 3.2).
        row = {**row, "consignments": _one_object(consignments)}
    return OrderDocument(
        id=int(row["id"]), modified_at=moment(row["date_modified"]), document=row, raw=canonical_json(row)
    )


def customer(row: Document) -> CustomerDocument:
    """A customer as read. ValueError or KeyError without an id or a date of change."""
    return CustomerDocument(
        id=int(row["id"]), modified_at=moment(row["date_modified"]), document=row, raw=canonical_json(row)
    )


def head(row: Mapping[str, Any]) -> OrderHead:
    """The few fields of an order that the completeness check compares."""
    return OrderHead(
        id=int(row["id"]),
        status_id=int(row["status_id"]),
        total=decimal(row["total_inc_tax"]),
        # Amounts are in the currency that was charged (facts/bigcommerce.md 3.4).
        currency=str(row.get("default_currency_code") or row.get("currency_code") or ""),
        created_at=moment(row["date_created"]),
    )


def moment(text: Any) -> datetime:
    """The store's dates, RFC-2822 (v2) or ISO-8601 (v3), in UTC. ValueError for anything else."""
    if not isinstance(text, str) or not text:
        raise ValueError("a record without its date")
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(value: datetime | None) -> str | None:
    """A date for a filter: ISO-8601 in UTC, whole seconds. ValueError without a zone: it would mean another."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a date for the store needs its time zone")
    return value.astimezone(UTC).replace(microsecond=0).isoformat()


def decimal(value: Any) -> Decimal:
    """A figure that the store writes as text, whole or fractional number. ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("a figure that is no number")  # noqa: TRY004 - the transport retries it
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise ValueError("a figure that is no number") from None
    if not found.is_finite():
        raise ValueError("a figure that is no number")
    return found


def lacks_parts(row: Mapping[str, Any]) -> bool:
    """The store ignored `include`: where consignments should be there is an address to fetch them from."""
    consignments = row.get("consignments")
    if isinstance(consignments, list):
        return False
    return not isinstance(consignments, dict) or "resource" in consignments


def lacks_lines(row: Mapping[str, Any]) -> bool:
    """The store included consignments, but addresses of line items instead of line items."""
    return any(_is_stub(line) for place in _places(row.get("consignments")) for line in _lines(place))


def with_lines(consignments: Any, lines: Sequence[Document]) -> Document:
    """`consignments` with each address of a line item replaced by the line. KeyError for one that is unknown."""
    known = {int(line["id"]): line for line in lines}
    found = deepcopy(_one_object(consignments) if isinstance(consignments, list) else consignments)
    for place in _places(found):
        # The last part of the address is the line's id: /orders/129/products/12.
        place["line_items"] = [
            known[int(line["resource"].rpartition("/")[2])] if _is_stub(line) else line
            for line in _lines(place)
        ]
    return dict(found)


def _places(consignments: Any) -> Iterator[Document]:
    """Every consignment of every kind, in either shape."""
    for one in consignments if isinstance(consignments, list) else [consignments]:
        if isinstance(one, dict):
            certificates = (one.get("email") or {}).get("gift_certificates") or []
            lists = [one.get(kind) or [] for kind in _KINDS] + [certificates]
            for some in lists:
                yield from some if isinstance(some, list) else [some]


def _lines(place: Mapping[str, Any]) -> list[Any]:
    lines = place.get("line_items") or []
    return lines if isinstance(lines, list) else [lines]


def _is_stub(line: Any) -> bool:
    return isinstance(line, dict) and "resource" in line and "id" not in line


def lacks_fees(row: Mapping[str, Any]) -> bool:
    """As `lacks_parts`, for the fees."""
    fees = row.get("fees")
    return isinstance(fees, dict) and "resource" in fees


def assembled(lines: Sequence[Document], addresses: Sequence[Document]) -> Document:
    """`/products` and `/shipping_addresses` as the object that `include` would have given.

    No line is dropped: one whose address is unknown gets a consignment with that id and nothing else.
    """
    shipping: dict[int, Document] = {int(one["id"]): _consignment(one) for one in addresses}
    pickups: dict[int, Document] = {}
    downloads: list[Document] = []
    certificates: list[Document] = []
    for line in lines:
        kind, pickup = line.get("type"), int(line.get("order_pickup_method_id") or 0)
        if kind == "giftcertificate":
            certificates.append(line)
        elif pickup:
            pickups.setdefault(pickup, {"id": pickup, "line_items": []})["line_items"].append(line)
        elif kind == "digital":
            downloads.append(line)
        else:
            place = int(line.get("order_address_id") or 0)
            shipping.setdefault(place, {"id": place, "line_items": []})["line_items"].append(line)
    return {
        "pickups": list(pickups.values()),
        "shipping": list(shipping.values()),
        "downloads": [{"line_items": downloads}] if downloads else [],
        "email": {"gift_certificates": [{"line_items": certificates}] if certificates else []},
    }


def _consignment(address: Document) -> Document:
    costs = {name: decimal(address[name]) for name in _COSTS if address.get(name) not in (None, "")}
    return {**address, **costs, "line_items": []}


def _one_object(consignments: list[Any]) -> Document:
    """Usually one object; several are put together kind by kind."""
    if len(consignments) == 1 and isinstance(consignments[0], dict):
        return dict(consignments[0])
    if not all(isinstance(one, dict) for one in consignments):
        raise ValueError("consignments of another shape")
    found: Document = {kind: [x for one in consignments for x in one.get(kind) or ()] for kind in _KINDS}
    emails = [(one.get("email") or {}).get("gift_certificates") or [] for one in consignments]
    # One of the store's own examples has the bare object here (facts/bigcommerce.md 3.2).
    lists = [some if isinstance(some, list) else [some] for some in emails]
    return {**found, "email": {"gift_certificates": [x for some in lists for x in some]}}
