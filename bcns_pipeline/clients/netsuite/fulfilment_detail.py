"""Reads an item fulfilment's record: order lines, parcels in whichever sublist the carrier has, custom fields.

Put the reading of that one JSON here. Fetching it is the work of `fulfilments.py`. Field names are those of the
2026.1 REST browser (facts/netsuite.md 2.6); references come as {"id": …, "refName": …} or as a bare value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from bcns_pipeline.clients.netsuite.models import DetailLine, FulfilmentDetail, Parcel

# Which sublist is filled depends on the carrier that the account integrates with.
PACKAGES: Final = ("package", "packageUps", "packageFedex", "packageUsps", "shipmentPackage")
_CUSTOM: Final = ("custbody", "cseg")


def read_detail(fulfilment_id: int, record: Mapping[str, Any]) -> FulfilmentDetail:
    """The fulfilment of a record. ValueError for a number that is none."""
    method = record.get("shipMethod")
    return FulfilmentDetail(
        id=fulfilment_id,
        status=str(_id(record.get("shipStatus")) or ""),
        order_id=_number(record.get("createdFrom")),
        ship_date=_day(record.get("shippedDate") or record.get("tranDate")),
        method_id=_number(method),
        method_name=str(method.get("refName") or "") if isinstance(method, Mapping) else "",
        lines=[_line(row) for row in _rows(record, "item")],
        parcels=[
            parcel for kind in PACKAGES for row in _rows(record, kind) if (parcel := _parcel(kind, row))
        ],
        custom={name: value for name, value in record.items() if name.lower().startswith(_CUSTOM)},
    )


def _line(row: Mapping[str, Any]) -> DetailLine:
    return DetailLine(
        order_line=_number(row.get("orderLine")),
        line=_number(row.get("line")),
        item=_number(row.get("item")),
        quantity=_amount(row.get("quantity")) or Decimal(0),
        # A saved fulfilment leaves the mark out or has it on; off are only lines that take no part.
        shipped=row.get("itemReceive") not in (False, "F"),
        kit_member_of=_number(row.get("kitMemberOf")),
        location=_number(row.get("location")),
    )


def _parcel(kind: str, row: Mapping[str, Any]) -> Parcel | None:
    """A package with a tracking number; the carriers' sublists put their name behind each field."""
    tracking = _starting(row, "packagetrackingnumber") or _starting(row, "trackingnumber")
    number = str(_label(tracking) or "").strip()
    if not number:
        return None
    text = _starting(row, "packagedescr")
    weight = _starting(row, "packageweight")
    return Parcel(kind, number, str(_label(text) or ""), _amount(weight))


def _rows(record: Mapping[str, Any], sublist: str) -> Iterator[Mapping[str, Any]]:
    held = record.get(sublist)
    items = held.get("items") if isinstance(held, Mapping) else None
    for row in items if isinstance(items, list) else ():
        if isinstance(row, Mapping):
            yield row


def _starting(row: Mapping[str, Any], beginning: str) -> Any:
    return next((value for name, value in row.items() if name.lower().startswith(beginning)), None)


def _id(value: Any) -> Any:
    return value.get("id") if isinstance(value, Mapping) else value


def _label(value: Any) -> Any:
    return value.get("refName") or value.get("id") if isinstance(value, Mapping) else value


def _number(value: Any) -> int | None:
    found = _id(value)
    return None if found is None or found == "" or isinstance(found, bool) else int(found)


def _amount(value: Any) -> Decimal | None:
    return None if value is None or isinstance(value, bool) else Decimal(str(value))


def _day(value: Any) -> date | None:
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value else None
