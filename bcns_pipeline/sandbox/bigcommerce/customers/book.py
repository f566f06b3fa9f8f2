"""The shop's registered customers and their addresses.

Put the records and how they are found here. Do not put JSON, HTTP or checks of a request here. An e-mail
address is unique per channel, not per store (facts/bigcommerce.md 4.1). A change of an address is none of
its customer: neither date nor event of the customer moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.money import ZERO

# What makes two addresses of one customer the same to the shop.
ADDRESS_FIELDS = (
    "first_name",
    "last_name",
    "company",
    "address1",
    "address2",
    "city",
    "state_or_province",
    "postal_code",
    "country_code",
    "phone",
)


@dataclass(slots=True)
class Address:
    """One address of a customer."""

    id: int
    customer_id: int
    values: dict[str, str]
    country: str
    address_type: str = "residential"
    form_fields: list[dict[str, Any]] = field(default_factory=list)

    def same(self) -> tuple[str, ...]:
        """What it is compared by."""
        return tuple(self.values.get(name, "").strip().casefold() for name in ADDRESS_FIELDS)


@dataclass(slots=True)
class Customer:
    """One registered shopper. `channel_ids` None: known on all channels."""

    id: int
    email: str
    first_name: str
    last_name: str
    created: datetime
    modified: datetime
    company: str = ""
    phone: str = ""
    notes: str = ""
    tax_exempt_category: str = ""
    customer_group_id: int = 0
    origin_channel_id: int = 1
    channel_ids: list[int] | None = None
    store_credit: Decimal = ZERO
    form_fields: list[dict[str, Any]] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)

    def known_on(self, channel_id: int) -> bool:
        """Whether the shopper can sign in on a channel."""
        return self.channel_ids is None or channel_id in self.channel_ids


class CustomerBook:
    """All customers, by id and by e-mail address."""

    def __init__(self) -> None:
        self.customers: dict[int, Customer] = {}
        self.addresses: dict[int, Address] = {}
        self._by_email: dict[str, list[Customer]] = {}

    def add(self, customer: Customer) -> None:
        """Take in a new customer."""
        self.customers[customer.id] = customer
        self._by_email.setdefault(customer.email.casefold(), []).append(customer)

    def rename(self, customer: Customer, email: str) -> None:
        """Give a customer another e-mail address."""
        self._by_email[customer.email.casefold()].remove(customer)
        customer.email = email
        self._by_email.setdefault(email.casefold(), []).append(customer)

    def by_email(self, email: str) -> list[Customer]:
        """Everybody with this address; more than one only across channels."""
        return self._by_email.get(email.casefold(), [])

    def on_channel(self, email: str, channel_id: int) -> Customer | None:
        """The one customer with this address on a channel."""
        return next((c for c in self.by_email(email) if c.known_on(channel_id)), None)

    def clash(self, email: str, channel_ids: list[int] | None, but: int = 0) -> bool:
        """Whether another customer has this address on one of the channels."""
        return any(
            c.id != but
            and (channel_ids is None or c.channel_ids is None or bool(set(channel_ids) & set(c.channel_ids)))
            for c in self.by_email(email)
        )

    def add_address(self, address: Address) -> bool:
        """Take in an address; False where the customer has the same one already."""
        customer = self.customers[address.customer_id]
        if any(one.same() == address.same() for one in customer.addresses):
            return False
        customer.addresses.append(address)
        self.addresses[address.id] = address
        return True
