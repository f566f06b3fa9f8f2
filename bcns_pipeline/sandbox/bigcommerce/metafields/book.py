"""Metafields of orders: what an app notes on an order beside the shop's own fields.

Put the records here. Do not put endpoints here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Metafield:
    """One metafield of an order."""

    id: int
    order_id: int
    values: dict[str, str]
    created: datetime
    modified: datetime

    @property
    def place(self) -> tuple[int, str, str]:
        """What is unique about it."""
        return self.order_id, self.values["namespace"], self.values["key"]


@dataclass(slots=True)
class MetafieldBook:
    """All metafields of orders, by id, by place and by order."""

    fields: dict[int, Metafield] = field(default_factory=dict)
    places: dict[tuple[int, str, str], int] = field(default_factory=dict)
    orders: dict[int, list[Metafield]] = field(default_factory=dict)

    def add(self, one: Metafield) -> None:
        """Take in a new one."""
        self.fields[one.id] = one
        self.places[one.place] = one.id
        self.orders.setdefault(one.order_id, []).append(one)
