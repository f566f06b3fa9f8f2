"""Shoppers and customers for the tests of this folder, and a NetSuite that takes patches.

Put builders here. Do not put expectations here. The double appends an address without `internalId` and keeps
what a patch does not name, as the real one does (facts/netsuite.md 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper, ShopperAddress
from bcns_pipeline.rules.orders.model import Address

HOME = Address(
    "Jane", "Roe", "", "1 High St", "", "Austin", "Texas", "78701", "United States", "US", "512 555 0100"
)
WORK = Address(
    "Jane", "Roe", "Acme Ltd", "9 Low Rd", "Unit 4", "Leeds", "", "LS1 4AP", "United Kingdom", "GB"
)


def account(**given: Any) -> Shopper:
    """Shopper 9 with an account."""
    values = {
        "customer_id": 9,
        "channel_id": 1,
        "source": "account",
        "email": "jane@shop.test",
        "first_name": "Jane",
        "last_name": "Roe",
        "phone": "512 555 0100",
        "tax_exempt": False,
        "addresses": (ShopperAddress(HOME, 1),),
        **given,
    }
    return Shopper(**values)


def guest(**given: Any) -> Shopper:
    """Somebody at a checkout without an account."""
    values = {"customer_id": 0, "source": "order", "tax_exempt": None, "addresses": (ShopperAddress(HOME),)}
    return account(**{**values, **given})


def customer(number: int = 501, **given: Any) -> NetSuiteCustomer:
    """A NetSuite customer that says what `account()` says."""
    values = {
        "email": "Jane@shop.test",
        "first_name": "Jane",
        "last_name": "Roe",
        "phone": "(512) 555-0100",
        **given,
    }
    return NetSuiteCustomer(number, **values)


@dataclass
class Office:
    """One customer record in NetSuite."""

    values: dict[str, Any]
    book: dict[int, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def made_of(cls, body: dict[str, Any]) -> Office:
        """The record after the create."""
        office = cls({})
        office.take(body)
        return office

    def take(self, body: dict[str, Any]) -> None:
        """A create or a PATCH."""
        self.values |= {name: value for name, value in body.items() if name != "addressBook"}
        for item in body.get("addressBook", {}).get("items", []):
            number = item.get("internalId") or 8000 + len(self.book)
            assert item.get("internalId") is None or number in self.book
            self.book.setdefault(number, {}).update(item["addressBookAddress"])

    @property
    def row(self) -> NetSuiteCustomer:
        """As a query shows it."""
        shown = {name: self.values.get(name) or "" for name in ("email", "phone", "firstName", "lastName")}
        custom = {name: value for name, value in self.values.items() if name.startswith("cust")}
        return NetSuiteCustomer(
            501,
            self.values.get("externalId", ""),
            shown["email"],
            self.values.get("isPerson", True),
            shown["firstName"],
            shown["lastName"],
            self.values.get("companyName") or "",
            shown["phone"],
            values={name: _shown(value) for name, value in custom.items()},
        )

    @property
    def entries(self) -> list[BookEntry]:
        """The address book as a query shows it."""
        names = ("addressee", "addr1", "addr2", "city", "state", "zip")
        return [
            BookEntry(number, *(one.get(name) or "" for name in names), one.get("country", {}).get("id", ""))
            for number, one in self.book.items()
        ]


def _shown(value: Any) -> str:
    return "" if value is None else str(value["id"] if isinstance(value, dict) else value)
