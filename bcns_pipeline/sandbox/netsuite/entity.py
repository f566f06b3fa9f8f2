"""A customer as it is kept, and what orders ask of it.

Put the state of a customer here. Do not put how a request changes it here (customers.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import BASE_PRICE
from bcns_pipeline.sandbox.netsuite.addresses import AddressBook
from bcns_pipeline.sandbox.netsuite.reading import Ref


@dataclass(slots=True)
class Customer:
    """One customer. `values` are its properties by their names in REST, typed as they were read.

    `subsidiaries` are further ones beside the primary, `currencies` further ones beside the primary.
    """

    id: int
    created: datetime
    modified: datetime
    values: dict[str, Any] = field(default_factory=dict)
    book: AddressBook = field(default_factory=AddressBook)
    currencies: list[int] = field(default_factory=list)
    subsidiaries: dict[int, int] = field(default_factory=dict)
    registrations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def external(self) -> str | None:
        """The external id."""
        found: str | None = self.values.get("externalId")
        return found

    @property
    def name(self) -> str:
        """What NetSuite shows for a reference to it."""
        return str(self.values.get("entityId", ""))

    @property
    def inactive(self) -> bool:
        """Whether it may not be used any more."""
        return bool(self.values.get("isInactive"))

    @property
    def taxable(self) -> bool:
        """Whether the engine taxes it."""
        return bool(self.values.get("taxable", True))

    @property
    def currency(self) -> int:
        """Its primary currency."""
        return self._id("currency", 1)

    @property
    def subsidiary(self) -> int:
        """Its primary subsidiary; the one company without OneWorld."""
        return self._id("subsidiary", 1)

    @property
    def price_level(self) -> int:
        """The level at which it buys."""
        return self._id("priceLevel", BASE_PRICE)

    def _id(self, name: str, default: int) -> int:
        found = self.values.get(name)
        return found.id if isinstance(found, Ref) else default
