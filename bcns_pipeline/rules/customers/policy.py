"""What one merchant wants of customers, ready for the rules.

Put the frozen policy here. Do not read a file here: `config/customers.py` makes a policy from the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from bcns_pipeline.rules.orders.paths import Path

CompanyMode = Literal["when_named", "never", "always_person"]
Ambiguous = Literal["exception", "oldest"]
Authority = Literal["bigcommerce", "netsuite", "first_write"]
Guests = Literal["per_guest", "channel_guest", "match_email"]
EntityId = Literal["auto", "named"]

# Fields with an authority, besides the custom ones.
FIELDS: Final = ("name", "company", "email", "phone", "addresses")


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field and the path to its value (from one of `reading.FACTS`).

    With `values` (text to internal id) the field is a list: what is not among them is not sent.
    """

    name: str
    path: Path
    values: Mapping[str, int] | None = None

    @property
    def of_channel(self) -> bool:
        """Whether it notes where the shopper came from."""
        return self.path.parts == ("channel_id",)


@dataclass(frozen=True, slots=True)
class CustomerPolicy:
    """How shoppers become customers.

    `company`: `when_named` makes a company of whoever names one; `always_person` makes a person that carries
    the company's name; `never` makes a person and leaves the name to addresses. `authority` says who owns a
    field once the customer is there: `bigcommerce` overwrites, `netsuite` never sends again, `first_write`
    fills what is blank. On create every field is sent, for there is nothing yet that could be overwritten;
    `category`, `price_level` and `terms` (internal ids) are sent only then.
    `entity_id: named` gives each customer a unique name, for accounts without auto-numbering.
    """

    company: CompanyMode = "when_named"
    ambiguous: Ambiguous = "exception"
    authority: Mapping[str, Authority] = field(default_factory=dict)
    category: int | None = None
    price_level: int | None = None
    terms: int | None = None
    entity_id: EntityId = "auto"
    fields: tuple[CustomField, ...] = ()
    addresses: bool = True

    def owner(self, name: str) -> Authority:
        """Who owns a field. A channel, once noted, stays: where a shopper came from does not change."""
        given = self.authority.get(name)
        if given is not None:
            return given
        channel = any(one.name == name and one.of_channel for one in self.fields)
        return "netsuite" if channel else "bigcommerce"


@dataclass(frozen=True, slots=True)
class Storefront:
    """Where a shopper shops. `subsidiary` is None in an account without subsidiaries.

    `home` says that it is the subsidiary of the store's first channel. A shopper of another one is another
    customer with keys of its own, unless NetSuite lets the first one be used there too, so that two
    storefronts of two subsidiaries never meet in one record.
    """

    channel_id: int
    subsidiary: int | None = None
    home: bool = True
    guests: Guests = "match_email"
    guest_customer: int | None = None
