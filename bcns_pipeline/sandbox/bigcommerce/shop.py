"""One shop as a whole: catalogue, orders, shoppers, numbers, channels, currencies, and who is told of changes.

Put what several parts of the shop share here. Do not put HTTP or rules of one part here. `tell` is where
events leave; who listens is hooks.py's matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.certificates import Certificate, CertificateBook
from bcns_pipeline.sandbox.bigcommerce.customers.book import CustomerBook
from bcns_pipeline.sandbox.bigcommerce.metafields.book import MetafieldBook
from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings
from bcns_pipeline.sandbox.bigcommerce.state import Store
from bcns_pipeline.sandbox.clock import Clock

FIRST_ORDER_ID = 100
STOREFRONT, SECOND_STOREFRONT, MARKETPLACE = 1, 2, 3
# Units of the currency that one unit of the store's default currency (USD) buys.
RATES = {
    "USD": Decimal(1),
    "EUR": Decimal("0.92"),
    "GBP": Decimal("0.79"),
    "JPY": Decimal(150),
    "KWD": Decimal("0.307"),
}

Listener = Callable[[str, dict[str, Any], int], None]


class Shop:
    """The state of one store; a new seed replaces what was sold along with the catalogue."""

    def __init__(self, store_hash: str, clock: Clock, client_id: str, settings: ShopSettings) -> None:
        self.hash = store_hash
        self.clock = clock
        self.client_id = client_id
        self.settings = settings
        self.listener: Listener | None = None
        self.open(Store(store_hash, clock.utc()))

    def open(self, store: Store) -> None:
        """Start to sell from a catalogue: no orders, no shoppers."""
        self.store = store
        self.orders: dict[int, Order] = {}
        self.customers = CustomerBook()
        self.certificates = CertificateBook()
        self.metafields = MetafieldBook()
        self._numbers: Counter[str] = Counter(order=FIRST_ORDER_ID - 1)

    def now(self) -> datetime:
        """The shop's time; its records know no fractions of a second."""
        return self.clock.utc().replace(microsecond=0)

    def number(self, kind: str) -> int:
        """The next id of a kind of record."""
        self._numbers[kind] += 1
        return self._numbers[kind]

    def certificate(self, worth: Decimal) -> Certificate:
        """A new gift certificate."""
        return self.certificates.issue(self.hash, self.number("gift_certificate"), worth)

    def drawn(self, kind: str) -> int:
        """The last id of a kind that was drawn."""
        return self._numbers[kind]

    def take_back(self, kind: str) -> None:
        """The record that drew the last id of a kind did not come about."""
        self._numbers[kind] -= 1

    def tell(self, scope: str, data: dict[str, Any], channel_id: int = STOREFRONT) -> None:
        """Something happened. `scope` is without its leading `store/`."""
        if self.listener is not None:
            self.listener(scope, data, channel_id)

    # -- channels and currencies -----------------------------------------------------------------------------

    @property
    def currency(self) -> str:
        """The store's default currency."""
        return self.settings.currencies[0]

    def currency_ids(self) -> dict[str, int]:
        """Ids of the transactional currencies."""
        return {code: place for place, code in enumerate(self.settings.currencies, 1)}

    def rate(self, currency: str) -> Decimal:
        """What one unit of the default currency buys of another."""
        return RATES.get(currency, Decimal(1)) / RATES.get(self.currency, Decimal(1))

    def channels(self) -> Mapping[int, tuple[str, str, str]]:
        """Name, type and platform of each channel. Channel 1 always exists."""
        found = {STOREFRONT: ("Sandbox Trading", "storefront", "bigcommerce")}
        if self.settings.second_storefront:
            found[SECOND_STOREFRONT] = ("Sandbox Trading Europe", "storefront", "bigcommerce")
        if self.settings.marketplace:
            found[MARKETPLACE] = ("Amazon", "marketplace", "amazon")
        return found
