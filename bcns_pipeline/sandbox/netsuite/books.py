"""The books of one account put together: context, record types, the record API.

Put wiring here. Do not put rules here. A new record type is a definition, a class with its rules, and two lines
here; what it shows in SuiteQL goes through the ledger, or through the backlog.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite import (
    application,
    cashrefund,
    cashsale,
    creditmemo,
    deposit,
    fulfilment_fields,
    invoice,
    journal_fields,
    payment,
    receipt,
    refund,
    returned,
    salesorder,
)
from bcns_pipeline.sandbox.netsuite.account import make_account
from bcns_pipeline.sandbox.netsuite.application import Applications
from bcns_pipeline.sandbox.netsuite.cashrefund import CashRefunds
from bcns_pipeline.sandbox.netsuite.cashsale import CashSales
from bcns_pipeline.sandbox.netsuite.claims import Claims
from bcns_pipeline.sandbox.netsuite.context import Context
from bcns_pipeline.sandbox.netsuite.creditmemo import CreditMemos
from bcns_pipeline.sandbox.netsuite.customer import CUSTOMER
from bcns_pipeline.sandbox.netsuite.customers import Customers, Relationships
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.definition import Definition, Feature
from bcns_pipeline.sandbox.netsuite.deposit import Deposits
from bcns_pipeline.sandbox.netsuite.fulfilment import Fulfilments
from bcns_pipeline.sandbox.netsuite.interference import Interference
from bcns_pipeline.sandbox.netsuite.invoice import Invoices
from bcns_pipeline.sandbox.netsuite.items import Items
from bcns_pipeline.sandbox.netsuite.journal import Journals
from bcns_pipeline.sandbox.netsuite.kinds import CASH_SALE
from bcns_pipeline.sandbox.netsuite.ledger import Ledger, Transaction
from bcns_pipeline.sandbox.netsuite.payment import Payments
from bcns_pipeline.sandbox.netsuite.periods import Periods
from bcns_pipeline.sandbox.netsuite.postings import post
from bcns_pipeline.sandbox.netsuite.receipt import ItemReceipts
from bcns_pipeline.sandbox.netsuite.records import RecordApi
from bcns_pipeline.sandbox.netsuite.refund import Refunds
from bcns_pipeline.sandbox.netsuite.returned import ReturnAuthorisations
from bcns_pipeline.sandbox.netsuite.rows import Rows
from bcns_pipeline.sandbox.netsuite.salesorder import SalesOrders
from bcns_pipeline.sandbox.netsuite.settings import Settings
from bcns_pipeline.sandbox.netsuite.stock import Stock
from bcns_pipeline.sandbox.options import Options
from bcns_pipeline.sandbox.world import NETSUITE_LOCATION_IDS, World


class Books:
    """One account's records. Which fields exist is settled for the life of the process."""

    def __init__(self, database: Database, clock: Clock, options: Options) -> None:
        self._features = features(options)
        self._fields = [field.lower() for field in options.custom_fields]
        periods = Periods(database)
        claims = Claims()
        self.rows = Rows(database, periods, claims)
        items = Items(database)
        customers = Customers(self._entity(CUSTOMER), database, clock)
        self.context = Context(
            account=make_account(NETSUITE_LOCATION_IDS[: options.locations], options),
            database=database,
            clock=clock,
            items=items,
            stock=Stock(database, items, clock),
            customers=customers,
            ledger=Ledger(self._write),
            claims=claims,
            periods=periods,
            interference=Interference(),
            tax_engine=options.tax_engine,
        )
        self.orders = SalesOrders(self._transaction(salesorder.DEFINITION), self.context)
        self.fulfilments = Fulfilments(
            self._transaction(fulfilment_fields.DEFINITION), self.context, self.orders
        )
        self.cash_sales = CashSales(CASH_SALE, self._transaction(cashsale.DEFINITION), self.context)
        self.deposits = Deposits(self._transaction(deposit.DEFINITION), self.context)
        self.applications = Applications(self._transaction(application.DEFINITION), self.context)
        self.invoices = Invoices(
            self._transaction(invoice.DEFINITION), self.context, self.orders, self.applications
        )
        self.payments = Payments(self._transaction(payment.DEFINITION), self.context)
        self.credit_memos = CreditMemos(self._transaction(creditmemo.DEFINITION), self.context)
        self.refunds = Refunds(self._transaction(refund.DEFINITION), self.context)
        self.cash_refunds = CashRefunds(self._transaction(cashrefund.DEFINITION), self.context)
        self.journals = Journals(self._transaction(journal_fields.DEFINITION), self.context)
        self.returns = ReturnAuthorisations(self._transaction(returned.DEFINITION), self.context)
        self.receipts = ItemReceipts(
            self._transaction(receipt.DEFINITION), self.context, self.returns, self.orders
        )
        self.api = RecordApi(self.context)
        self.api.add(customers)
        self.api.add(self.orders)
        self.api.add(self.cash_sales)
        self.api.add(self.fulfilments)
        self.api.add_transform("salesOrder", self.fulfilments)
        self.api.add(self.returns)
        self.api.add(self.receipts)
        for source in ("salesOrder", "invoice", "cashSale"):
            self.api.add_transform(source, self.returns)
        self.api.add_transform("returnAuthorization", self.receipts)
        self._money()
        if options.oneworld:
            self.api.add(Relationships(customers))

    def _money(self) -> None:
        """The record types of money, and what they are made from."""
        for records in (
            self.invoices,
            self.deposits,
            self.applications,
            self.payments,
            self.credit_memos,
            self.refunds,
            self.cash_refunds,
            self.journals,
        ):
            self.api.add(records)
        self.api.add_transform("salesOrder", self.invoices)
        self.api.add_transform("customerDeposit", self.applications)
        self.api.add_transform("invoice", self.payments)
        self.api.add_transform("invoice", self.credit_memos)
        self.api.add_transform("cashSale", self.cash_refunds)

    def load(self, world: World, options: Options) -> None:
        """Start over with another merchant: no records, nothing in the way, every switch at its default."""
        context = self.context
        context.settings = Settings()
        context.account = context.customers.account = make_account(world.netsuite_locations, options)
        context.customers.clear()
        context.ledger.clear()
        context.claims.clear()
        context.interference.clear()
        self.orders.clear()
        context.database.load(world, context.account)
        context.periods.load()

    def _write(self, transaction: Transaction) -> None:
        """What a transaction does to the ledger follows from it, and is shown with it."""
        context = self.context
        if transaction.kind.posting:
            claims = context.claims.of(transaction.id)
            precision = context.base_precision(transaction.subsidiary)
            transaction.postings = post(transaction, claims, precision)
        self.rows.write(transaction)

    def _entity(self, definition: Definition) -> Definition:
        return definition.for_account(self._features, body=self._own("custentity"))

    def _transaction(self, definition: Definition) -> Definition:
        return definition.for_account(
            self._features,
            body=self._own("custbody"),
            lines={name: self._own("custcol") for name in ("item", "line")},
        )

    def _own(self, prefix: str) -> Sequence[str]:
        return [field for field in self._fields if field.startswith(f"{prefix}_")]


def features(options: Options) -> frozenset[Feature]:
    """The features that decide which properties exist."""
    found: set[Feature] = set()
    if options.oneworld:
        found.add("oneworld")
    if options.tax_engine == "suitetax":
        found.add("suitetax")
    if options.tax_engine == "legacy":
        found.add("legacy")
    return frozenset(found)
