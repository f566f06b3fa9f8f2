"""NetSuite's ledger and the shop's transactions as they are: what the demo's promises about money stand on.

Put here what is read from the sandbox past everything of ours. Do not import `rules` or `state` here: a mistake of
theirs would then confirm itself. Amounts are Decimals in the major unit; a debit is positive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.launch import Sandbox

TAKEN = ("purchase", "capture")


class Ledger:
    """The books at one moment; make another one for a later moment."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._store = sandbox.env["BCNS_BIGCOMMERCE_STORE_HASH"]
        self._numbers = {int(one): number for number, one in sandbox.accounting["accounts"].items()}
        self.records: list[Mapping[str, Any]] = list(sandbox.control.transactions())

    def number(self, account: int) -> str:
        """The number that people call an account by."""
        return self._numbers[account]

    def balances(self) -> dict[tuple[str, str], Decimal]:
        """{(number of an account, currency): balance}, of everything that is posted; what waits is not in it."""
        found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for record in self.records:
            for part in () if record["pending"] else record["postings"]:
                found[self._numbers[part["account"]], record["currency"]] += Decimal(part["foreign"])
        return dict(found)

    def of_orders(self, order_ids: Iterable[int], *kinds: str) -> list[Mapping[str, Any]]:
        """Records of these orders' payments, invoices and applications, of some types if given."""
        heads = tuple(
            f"bc-{self._store}-{what}-{one}-" for one in order_ids for what in ("deposit", "invoice", "apply")
        )
        return [one for one in self.of(*kinds) if str(one["external_id"] or "").startswith(heads)]

    def of(self, *kinds: str) -> list[Mapping[str, Any]]:
        """Records of these types, or all."""
        return [one for one in self.records if not kinds or one["type"] in kinds]

    def moved(self, records: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
        """{number of an account: what these records of one currency did to it}."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for record in records:
            for part in record["postings"]:
                found[self._numbers[part["account"]]] += Decimal(part["foreign"])
        return dict(found)

    def captured(self, order_ids: Iterable[int]) -> dict[int, Decimal]:
        """{order: what the shop's own transactions say was taken}."""
        return {
            int(order["id"]): sum(
                (
                    Decimal(str(one["amount"]))
                    for one in order["transactions"]
                    if one["event"] in TAKEN and one["status"] == "ok" and not one["test"]
                ),
                Decimal(0),
            )
            for order in self._sandbox.control.shop_state(*order_ids)
        }

    def entries(self) -> dict[str, Mapping[str, Any]]:
        """{the provider's trace number: the journal entry whose line on the bank account names it}."""
        found: dict[str, Mapping[str, Any]] = {}
        for record in self.of("journalEntry"):
            for part in record["postings"]:
                if self._numbers[part["account"]] == "1010":
                    found[str(part["memo"]).rpartition(" ")[2]] = record
        return found
