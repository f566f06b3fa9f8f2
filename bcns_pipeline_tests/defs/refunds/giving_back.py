"""A merchant who gives money back: orders that are in NetSuite, paid and billed, and what became of their refunds.

Put here what every test of the flow does. Do not put expectations here. Captures and invoices are made as the cash flow
makes them, under its keys, so that these tests need no run of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bcns_pipeline.cli.local_money import money_sections
from bcns_pipeline.outcomes import Sent
from bcns_pipeline.rules.natural_keys import deposit_key, refund_key, refund_payment_key
from bcns_pipeline.state.refund_models import RefundState
from bcns_pipeline_tests.defs.flow import Impatient, Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow

JOB = "refund_sync"
D = Decimal


class RefundFlow(OrderFlow):
    """A merchant whose orders are paid through stripe and braintree."""

    def mapped(self) -> dict[str, Any]:
        """The order sections, and those of cash, payouts and refunds."""
        found = {**super().mapped(), **money_sections(self.sandbox.accounting)}
        stripe = found["payouts"]["providers"]["stripe"]
        accounts = {number: int(one) for number, one in self.sandbox.accounting["accounts"].items()}
        stripe["clearing"] = {"USD": accounts["1130"], "EUR": accounts["1133"]}
        return found

    def refunds_decide(self, **keys: Any) -> None:
        """Change `cash.refunds` of the mapping file."""
        self.decide("cash", refunds={**self.sections["cash"]["refunds"], **keys})

    # -- the shop and the office ------------------------------------------------------------------------------

    def sold(self, *kinds: str, paid: bool = True, billed: bool = True, **order: Any) -> list[int]:
        """Orders in NetSuite, each paid into its deposits and billed, unless told otherwise."""
        placed = [self.control.shop_order(kind, restock=True, **order)["id"] for kind in kinds or ("plain",)]
        self.sync()
        for one in placed:
            if paid:
                self.book(one)
            if billed:
                self.bill(one)
        return placed

    def book(self, order_id: int) -> None:
        """Its captures are booked as deposits on the clearing account, as the cash flow does."""
        record = self.sales_order(order_id)
        numbers = self.sandbox.accounting["accounts"]
        (order,) = self.control.shop_state(order_id)
        clearing = {"stripe": "1130", "braintree": "1134"}
        for one in order["transactions"]:
            if one["event"] in ("purchase", "capture") and one["gateway"] in clearing:
                body = {
                    "externalId": deposit_key(self.state().store, order_id, one["id"]),
                    "customer": {"id": str(record["entity"])},
                    "salesOrder": {"id": str(record["id"])},
                    "payment": D(str(one["amount"])),
                    "account": {"id": numbers[clearing[one["gateway"]]]},
                    "undepFunds": {"id": "F"},
                }
                self.write("customerDeposit", body)

    def bill(self, order_id: int) -> None:
        """All of it is shipped and on an invoice."""
        record = self.sales_order(order_id)
        self.control.fulfil(record["id"])
        self.control.enter_invoice(record["id"])

    def write(self, record: str, body: dict[str, Any]) -> int:
        """A record by hand, through the product's own client."""
        connections = Impatient(config_path=self.environment["BCNS_CONFIG"])
        try:
            outcome = connections.netsuite().create(record, body)
        finally:
            connections.close()
        assert isinstance(outcome, Sent), outcome
        return int(outcome.record_id or 0)

    def refund(self, order_id: int, **refund: Any) -> int:
        """A refund in the shop; its id."""
        return int(self.control.refund_order(order_id, **refund)["id"])

    # -- our side ------------------------------------------------------------------------------------------------

    def give_back(self, **options: Any) -> Run:
        """One run of `refund_sync`."""
        return self.run(JOB, **options)

    def refund_due_now(self) -> None:
        """What waits for its time is due."""
        with self._engine.begin() as conn:
            conn.exec_driver_sql("update bcns.refund_state set retry_at = now() where retry_at is not null")

    def ago(self, days: int) -> None:
        """All refunds were made so many days earlier."""
        with self._engine.begin() as conn:
            conn.exec_driver_sql(f"update bcns.refund_state set day = day - {days}")

    def stands(self, refund_id: int) -> RefundState:
        """Where a refund stands."""
        found = self.state().refunds.get(refund_id)
        assert found is not None
        return found

    def records(self, refund_id: int, payments: int = 3) -> dict[str, dict[str, Any]]:
        """{key without its head: the record in NetSuite} of one refund; each key at most once."""
        store = self.state().store
        keys = [refund_key(store, refund_id)]
        keys += [refund_payment_key(store, refund_id, n) for n in range(1, payments + 1)]
        found: dict[str, dict[str, Any]] = {}
        for one in self.books():
            if one["external_id"] in keys:
                name = one["external_id"].removeprefix(f"bc-{store}-")
                assert name not in found, name
                found[name] = one
        return found

    def balances(self) -> dict[str, Decimal]:
        """Balances by account number, a debit positive."""
        return {number: D(str(one)) for number, one in self.control.ledger()["balances"].items()}

    def questions(self, code: str) -> list[str]:
        """Subjects of open questions of the refund flow with this code."""
        return sorted(one.subject for one in self.state().exceptions.find(flow="refunds", code=code))
