"""What all record types of one account share: master data, items, stock, customers, transactions, settings.

Put what rules reach for here, and how a reference is found. Do not put rules here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.account import CUSTOM_PRICE, Account, Named
from bcns_pipeline.sandbox.netsuite.claims import Claims
from bcns_pipeline.sandbox.netsuite.customers import Customers
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.interference import Interference
from bcns_pipeline.sandbox.netsuite.items import Items
from bcns_pipeline.sandbox.netsuite.ledger import Ledger
from bcns_pipeline.sandbox.netsuite.periods import Periods
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.settings import Settings
from bcns_pipeline.sandbox.netsuite.stock import Stock
from bcns_pipeline.sandbox.options import TaxEngine


@dataclass(slots=True)
class Context:
    """The books that rules work on. `account` changes with a new seed, the rest is emptied."""

    account: Account
    database: Database
    clock: Clock
    items: Items
    stock: Stock
    customers: Customers
    ledger: Ledger
    claims: Claims
    periods: Periods
    interference: Interference
    tax_engine: TaxEngine
    settings: Settings = field(default_factory=Settings)

    def today(self) -> date:
        """The day in the account's zone."""
        return self.clock.account().date()

    def base_precision(self, subsidiary: int) -> int:
        """The digits of a subsidiary's base currency."""
        base = self.account.subsidiaries[subsidiary].currency
        return self.account.currencies[base].precision

    def resolve(self, target: str, identity: str | None, external: str | None) -> Ref | None:
        """The record with this id or external id; only items, customers and transactions have the latter."""
        if identity is None:
            return self._external(target, external or "")
        if not identity.lstrip("-").isdigit():
            return None
        number = int(identity)
        if target == "item":
            item = self.items.get(number)
            return None if item is None else Ref(number, item.name)
        if target == "customer":
            customer = self.customers.get(number)
            return None if customer is None else Ref(number, customer.name)
        if target == "transaction":
            transaction = self.ledger.get(number)
            return None if transaction is None else Ref(number, transaction.number)
        if target == "pricelevel":
            known = number == CUSTOM_PRICE or number in self.account.price_levels
            return Ref(number, "Custom" if number == CUSTOM_PRICE else "") if known else None
        found: Named | None = self._tables()[target].get(number)
        return None if found is None else Ref(number, found.name)

    def _external(self, target: str, external: str) -> Ref | None:
        found: Any = None
        if target == "item":
            found = self.items.by_external(external)
        elif target == "customer":
            found = self.customers.by_external(external)
        elif target == "transaction":
            found = self.ledger.by_external(external)
        return None if found is None else Ref(found.id, getattr(found, "name", ""))

    def _tables(self) -> dict[str, Any]:
        account = self.account
        return {
            "subsidiary": account.subsidiaries,
            "currency": account.currencies,
            "location": account.locations,
            "department": account.departments,
            "classification": account.classes,
            "shipitem": account.ship_methods,
            "salestaxitem": account.tax_codes,
            "account": account.accounts,
            "paymentmethod": account.payment_methods,
        }
