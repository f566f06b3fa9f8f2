"""A shopper as BigCommerce knows it, a customer as NetSuite shows it, and the address book of each.

Put shapes here and what follows from one of them alone. Do not read JSON here (`reading.py`), nor decide
anything. NetSuite's ids are whole numbers; None means "not known", which is never taken for "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bcns_pipeline.rules.orders.model import Address

Source = Literal["account", "order"]


@dataclass(frozen=True, slots=True)
class ShopperAddress:
    """One address of a shopper. `id` is BigCommerce's own, 0 for what stands on an order only."""

    address: Address
    id: int = 0


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper, from its account or from what it typed at a checkout.

    `customer_id` 0 is a guest. `email` is folded (`fold_email`), "" where there is none. `tax_exempt` is None
    where the source does not say, as an order does not. `addresses`: the billing address first, if there is
    one. `facts` has plain values by the names that `customers.fields` may use (`reading.FACTS`).
    """

    customer_id: int
    channel_id: int
    source: Source
    email: str = field(default="", repr=False)
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    tax_exempt: bool | None = None
    addresses: tuple[ShopperAddress, ...] = field(default=(), repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def guest(self) -> bool:
        """Without an account: BigCommerce has no customer record then."""
        return self.customer_id == 0


@dataclass(frozen=True, slots=True)
class NetSuiteCustomer:
    """A customer as NetSuite shows it. `subsidiaries` and `currencies` are all that it may be used with.

    `taxable` is None where the account shows no such box (SuiteTax). `values` are custom fields and references
    by property name in lower case, as text, "" where blank; what is missing there was not read.
    """

    id: int
    external_id: str = ""
    email: str = field(default="", repr=False)
    is_person: bool = True
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    inactive: bool = False
    subsidiaries: frozenset[int] | None = None
    currencies: frozenset[int] | None = None
    taxable: bool | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def serves(self, subsidiary: int | None) -> bool:
        """Whether orders of `subsidiary` may be posted to it; None is an account without subsidiaries."""
        return subsidiary is None or self.subsidiaries is None or subsidiary in self.subsidiaries


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One entry of a NetSuite customer's address book; `id` is the `internalId` that a patch names, 0 = not shown."""

    id: int
    addressee: str = field(default="", repr=False)
    addr1: str = field(default="", repr=False)
    addr2: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    zip: str = field(default="", repr=False)
    country_code: str = ""


def fold_email(text: str) -> str:
    """Two e-mail addresses are the same where these are: case and outer blanks do not count.

    The same folding as the keyed hash under which a shopper's data is sealed (`Vault.subject`).
    """
    return text.strip().casefold()
