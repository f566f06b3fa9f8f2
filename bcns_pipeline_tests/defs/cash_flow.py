"""A merchant whose money flows: the order flow's merchant, with accounts for what shoppers pay.

Put here what every test of the cash flow does: place and ship orders, run, look into NetSuite's ledger. Do not put
expectations here. What NetSuite has is read from its own accounting lines, which share nothing with the rules.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from bcns_pipeline.cli.local_money import money_sections
from bcns_pipeline_tests.defs.flow import Impatient, Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow

# Where a shopper's payment ends up: clearing, bank, and what was owed to the shopper as stored value.
MONEY = ("1130", "1131", "1135", "1010", "2310", "2320")
# Two units of 10.00, one of 5.00, and shipping, to Texas.
LINES = [
    {"sku": "SKU-000001", "quantity": 2, "price": "10.00"},
    {"sku": "SKU-000002", "quantity": 1, "price": "5.00"},
]


class CashFlow(OrderFlow):
    """A merchant of 40 SKUs who sells and is paid."""

    def mapped(self) -> dict[str, Any]:
        """With the accounts that money goes to."""
        return {**super().mapped(), **money_sections(self.sandbox.accounting)}

    @property
    def accounts(self) -> dict[str, int]:
        """{number of an account: its internal id}."""
        return {number: int(one) for number, one in self.sandbox.accounting["accounts"].items()}

    def cash(self, **options: Any) -> Run:
        """One run of `cash_application`."""
        return self.run("cash_application", **options)

    def sold(self, kind: str = "plain", **order: Any) -> int:
        """An order in both systems; returns BigCommerce's id."""
        placed = int(self.control.shop_order(kind, restock=True, **order)["id"])
        self.sync()
        return placed

    def ship(self, order_id: int, **how: Any) -> None:
        """The warehouse ships all of an order, or `lines` of it."""
        self.later(60)
        self.control.fulfil(int(self.sales_order(order_id)["id"]), **how)

    def records(self, order_id: int, record: str = "") -> list[dict[str, Any]]:
        """NetSuite's records with a key of ours of this order's money, of one type if given, in the order made."""
        store = self.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
        keys = tuple(f"bc-{store}-{what}-{order_id}-" for what in ("deposit", "invoice", "apply"))
        found = [one for one in self.books() if str(one["external_id"] or "").startswith(keys)]
        return [one for one in found if record in ("", one["type"])]

    def paid(self, order_id: int) -> Decimal:
        """What the shop shows as taken: purchases and captures that went well."""
        (order,) = self.control.shop_state(order_id)
        return sum(
            (
                Decimal(str(one["amount"]))
                for one in order["transactions"]
                if one["event"] in ("purchase", "capture") and one["status"] == "ok" and not one["test"]
            ),
            Decimal(0),
        )

    def ledger(self, *order_ids: int) -> dict[str, Decimal]:
        """{number of an account: what records of these orders' money did to it, a debit positive}; 0 is left out."""
        numbers = {one: number for number, one in self.accounts.items()}
        ids = [one["id"] for order_id in order_ids for one in self.records(order_id)]
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.suiteql(
            "SELECT transaction, transactionline, account, amount FROM transactionaccountingline WHERE transaction "
            f"IN ({', '.join(map(str, ids)) or '0'}) ORDER BY transaction ASC, transactionline ASC"
        ):
            found[numbers[int(row["account"])]] += Decimal(row["amount"])
        return {number: amount for number, amount in sorted(found.items()) if amount}

    def suiteql(self, text: str) -> list[dict[str, str]]:
        """Rows of NetSuite's own, past everything under test."""
        connections = Impatient(config_path=self.environment["BCNS_CONFIG"])
        try:
            return [row for page in connections.netsuite().suiteql_all(text) for row in page.rows]
        finally:
            connections.close()

    def cash_until_done(self, runs: int = 5) -> None:
        """Runs of `cash_application` until one leaves nothing open; a run in bad weather may fail."""
        for _ in range(runs):
            result = self.job("cash_application").execute_in_process(
                instance=self.instance, raise_on_error=False
            )
            if result.success and not self.state().outbox.find(flow="cash") and not self.open_orders():
                return
            self.money_is_due()
        raise AssertionError(f"money is still open after {runs} runs: {self.open_orders()}")

    def open_orders(self) -> list[int]:
        """Orders whose money has to be looked at again."""
        with self._engine.begin() as conn:
            query = "select order_id from bcns.cash_order where disposition in ('open', 'waiting')"
            return list(conn.exec_driver_sql(query).scalars())

    def money_is_due(self) -> None:
        """What waits for its time is due: an hour has passed."""
        with self._engine.begin() as conn:
            for column in ("retry_at", "read_again_at"):
                conn.exec_driver_sql(
                    f"update bcns.cash_order set {column} = now() where {column} is not null"
                )
            conn.exec_driver_sql("delete from bcns.cursor where name = 'cash/periods'")

    def made(self, order_id: int) -> list[str]:
        """Types of the records of an order's money, in the order made."""
        return [one["type"] for one in self.records(order_id)]

    def assert_settled(self, *order_ids: int) -> None:
        """What was paid stands in the accounts of money; nothing is owed, open or on deposit; nothing is left over."""
        for order_id in order_ids:
            books = self.ledger(order_id)
            assert "1200" not in books, (order_id, books)
            assert "2300" not in books, (order_id, books)
            taken = sum((books.get(one, Decimal(0)) for one in MONEY), Decimal(0))
            assert taken == self.paid(order_id), (order_id, books)
        self.assert_tidy()

    def codes(self) -> set[str]:
        """Open questions of the flow."""
        return {one.code for one in self.state().exceptions.find(flow="cash")}
