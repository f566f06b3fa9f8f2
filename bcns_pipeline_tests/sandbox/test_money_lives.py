"""Random lives of money in NetSuite: whatever is applied, credited and refunded, the ledger stays true.

Put invariants over all record types here. Do not put single expectations here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcns_pipeline_tests.sandbox.desk import ITEMS, Desk, line
from bcns_pipeline_tests.sandbox.money import IDS, shipped

DESK = Desk(tax_engine="none")
DONE = {"CustDep": "C", "CustInvc": "B", "CustCred": "B"}
EUR = {"currency": {"id": "2"}}
STEP = st.tuples(
    st.sampled_from(["deposit", "invoice", "apply", "pay", "credit", "refund", "back", "reapply"]),
    st.integers(1, 9_999),
    st.integers(90, 130),
    st.integers(0, 7),
)


class Life:
    """One customer's transactions in euros, each at a rate of its own."""

    def __init__(self) -> None:
        self.customer = {"id": str(DESK.customer(currencyList={"items": [EUR]}))}
        self.deposits: list[tuple[int, int]] = []
        self.invoices: list[tuple[int, int]] = []
        self.credits: list[int] = []
        self.orders: list[int] = []

    def step(self, what: str, cents: int, percent: int, pick: int) -> None:
        """One thing that happens; a refusal is an answer like any other."""
        amount = Decimal(cents) / 100
        head = {**EUR, "exchangeRate": Decimal(percent) / 100 + Decimal("0.0071")}
        bank = {"account": {"id": IDS["1133"]}, "undepFunds": {"id": "F"}}
        paid = {"customer": self.customer, **head, **bank}
        if what == "deposit":
            order = shipped(DESK, line(1001, 1, amount), entity=self.customer, **head)
            self.orders.append(order)
            body = {**paid, "salesOrder": {"id": str(order)}, "payment": amount}
            self.deposits.append((order, DESK.post("customerDeposit", body)))
        elif what == "invoice" and self.orders:
            order = self.orders.pop(pick % len(self.orders))
            self.invoices.append((order, DESK.post(f"salesOrder/{order}/!transform/invoice", {})))
        elif what == "apply" and self.deposits and self.invoices:
            _, deposit = self.deposits[pick % len(self.deposits)]
            self._send(f"customerDeposit/{deposit}/!transform/depositApplication", self._apply(amount, pick))
        elif what == "pay" and self.invoices:
            body = {**paid, "payment": amount, **self._apply(amount / 2, pick)}
            if made := self._send("customerPayment", body):
                self.credits.append(made)
        elif what == "credit":
            body = {"entity": self.customer, **head, "item": {"items": [line(ITEMS["goodwill"], 1, amount)]}}
            applied = self._apply(amount / 2, pick) if self.invoices else {}
            if made := self._send("creditMemo", {**body, **applied}):
                self.credits.append(made)
        elif what == "reapply" and self.credits and self.invoices:
            number = self.credits[pick % len(self.credits)]
            record = DESK.sql("SELECT recordtype r FROM transaction WHERE id = ?", str(number))[0]["r"]
            DESK.send("PATCH", f"{record}/{number}", self._apply(amount, pick + 1))
        else:
            self._refund(what, amount, pick, paid)

    def _refund(self, what: str, amount: Decimal, pick: int, paid: dict[str, Any]) -> None:
        body = {name: value for name, value in paid.items() if name != "undepFunds"}
        if what == "back" and self.deposits:
            row = {
                "doc": {"id": str(self.deposits[pick % len(self.deposits)][1])},
                "amount": round(amount, 2),
            }
            self._send("customerRefund", {**body, "deposit": {"items": [row]}})
        elif what == "refund" and self.credits:
            row = {"doc": {"id": str(self.credits[pick % len(self.credits)])}, "amount": round(amount, 2)}
            self._send("customerRefund", {**body, "apply": {"items": [row]}})

    def _apply(self, amount: Decimal, pick: int) -> dict[str, Any]:
        doc = {"id": str(self.invoices[pick % len(self.invoices)][1])}
        return {
            "apply": {
                "items": [{"doc": doc, "apply": True, "amount": max(round(amount, 2), Decimal("0.01"))}]
            }
        }

    def _send(self, path: str, body: dict[str, Any]) -> int | None:
        answer = DESK.send("POST", path, body)
        assert answer.status in (204, 400), answer.body
        return int(dict(answer.headers)["Location"].rsplit("/", 1)[1]) if answer.status == 204 else None

    def check(self) -> None:
        """What is open is never negative, and is what stands on receivables and deposits."""
        rows = DESK.sql(
            """SELECT t.id, t.type, t.status, t.foreigntotal f, t.foreignamountunpaid a, t.foreignamountpaid ap,
               t.foreignpaymentamountunused b, t.foreignpaymentamountused bp, l.amountunpaid base
               FROM transaction t LEFT JOIN transactionaccountingline l
               ON l.transaction = t.id AND l.transactionline = 0 WHERE t.entity = ? AND t.posting = 'T'""",
            self.customer["id"],
        )
        open_base = {"1200": Decimal(0), "2300": Decimal(0)}
        for row in rows:
            if "a" not in row and "b" not in row:
                continue
            left, used = Decimal(row.get("a") or row["b"]), Decimal(row.get("ap") or row["bp"])
            assert left >= 0
            assert left + used == abs(Decimal(row["f"]))
            if row["type"] != "CustPymt":
                # A payment's letter says whether it was banked.
                assert (left == 0) == (row["status"] == DONE[row["type"]])
            if left == 0:
                assert Decimal(row["base"]) == 0
            account = "2300" if row["type"] == "CustDep" else "1200"
            open_base[account] += Decimal(row["base"]) * (1 if row["type"] == "CustInvc" else -1)
        posted = DESK.sql(
            """SELECT l.account, SUM(l.amount) s FROM transactionaccountingline l
               JOIN transaction t ON t.id = l.transaction WHERE t.entity = ? GROUP BY l.account""",
            self.customer["id"],
        )
        found = {row["account"]: Decimal(row["s"]) for row in posted}
        assert sum(found.values()) == 0
        for number, amount in open_base.items():
            assert found.get(IDS[number], Decimal(0)) == amount


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=4, max_size=14))
def test_open_items_are_the_balance_of_receivables_and_deposits(
    steps: list[tuple[str, int, int, int]],
) -> None:
    life = Life()
    for one in [("deposit", 5_000, 108, 0), ("invoice", 1, 100, 0), *steps]:
        life.step(*one)
    life.check()


def test_every_money_record_needs_an_open_period() -> None:
    desk = Desk(tax_engine="none")
    customer = {"id": str(desk.customer())}
    order = shipped(desk, line(1001, 1, 20), entity=customer)
    bank = {"account": {"id": IDS["1130"]}}
    paid = {"customer": customer, **bank, "payment": 10}
    deposit = desk.post("customerDeposit", {**paid, "salesOrder": {"id": str(order)}})
    owed = desk.post(f"salesOrder/{order}/!transform/invoice", {})
    lines = {"item": {"items": [line(ITEMS["goodwill"], 1, 10)]}}
    memo = desk.post("creditMemo", {"entity": customer, **lines})
    sale = desk.post("cashSale", {**desk.body(line(1001, 1, 20), entity=customer), **bank})
    apply = {"apply": {"items": [{"doc": {"id": str(owed)}}]}}
    credit = {"apply": {"items": [{"doc": {"id": str(memo)}}]}}
    requests: dict[str, dict[str, Any]] = {
        "customerDeposit": paid,
        f"customerDeposit/{deposit}/!transform/depositApplication": apply,
        "customerPayment": paid,
        f"invoice/{owed}/!transform/customerPayment": bank,
        "creditMemo": {"entity": customer, **lines},
        f"invoice/{owed}/!transform/creditMemo": {},
        "customerRefund": {"customer": customer, **bank, **credit},
        "cashRefund": {"entity": customer, **bank, **lines},
        f"cashSale/{sale}/!transform/cashRefund": {},
    }
    for state in ("closed", "locked"):
        desk.people.period({"state": state})
        for path, body in requests.items():
            assert f"Period is {state}" in desk.refused("POST", path, body)[1], path
    desk.people.period({"state": "open"})
    for path, body in requests.items():
        desk.post(path, body)
