"""Orders as both systems' own books show them, side by side: what the demo's promises about orders stand on.

Put here the comparison of shop and ledger. Do not import `rules` or `state` here: a mistake of theirs would then
confirm itself. Amounts are Decimals of the order's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.launch import Sandbox


@dataclass(frozen=True, slots=True)
class Pair:
    """One order: the shop's own, and every record that NetSuite has for it (there should be one, or none)."""

    order: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]

    @property
    def id(self) -> int:
        """The shop's number."""
        return int(self.order["id"])

    @property
    def charged(self) -> Decimal:
        """What the shopper was charged, tax included."""
        return Decimal(str(self.order["total_inc_tax"]))

    @property
    def currency(self) -> str:
        """Its ISO code."""
        return str(self.order["currency_code"])

    @property
    def record(self) -> Mapping[str, Any] | None:
        """NetSuite's record, where there is exactly one."""
        return self.records[0] if len(self.records) == 1 else None

    @property
    def difference(self) -> Decimal | None:
        """NetSuite's total less the charged one; None where there is not exactly one record."""
        return None if self.record is None else Decimal(str(self.record["total"])) - self.charged

    @property
    def equal(self) -> bool:
        """There once, in the same currency, and equal to the cent."""
        return self.record is not None and self.difference == 0 and self.record["currency"] == self.currency


@dataclass(frozen=True, slots=True)
class Books:
    """Both systems' books."""

    sandbox: Sandbox

    def pairs(self, ids: Iterable[int]) -> list[Pair]:
        """These orders with their records, in this order."""
        wanted = list(ids)
        shop = {int(one["id"]): one for one in self.sandbox.control.shop_state(*wanted)}
        store = self.sandbox.env["BCNS_BIGCOMMERCE_STORE_HASH"]
        records: dict[str, list[Mapping[str, Any]]] = {}
        for record in self.sandbox.control.transactions():
            records.setdefault(str(record["external_id"]), []).append(record)
        return [Pair(shop[one], records.get(f"bc-{store}-order-{one}", [])) for one in wanted]

    def pair(self, order_id: int) -> Pair:
        """One order."""
        (found,) = self.pairs([order_id])
        return found

    def customers_made_twice(self) -> list[str]:
        """External ids that more than one NetSuite customer carries."""
        ids = [one.get("externalId") for one in self.sandbox.control.netsuite_customers()]
        return sorted({one for one in ids if one and ids.count(one) > 1})


def unequal(pairs: Iterable[Pair]) -> str:
    """Those that are not there once and equal to the cent, for whoever has to look."""
    return ", ".join(
        f"order {one.id} has {len(one.records)} records, difference {one.difference}"
        for one in pairs
        if not one.equal
    )


def money(order: Mapping[str, Any]) -> dict[str, str]:
    """Every amount on the order itself: the store writes amounts as text with four decimals."""
    return {
        name: value
        for name, value in order.items()
        if isinstance(value, str) and value.replace(".", "", 1).replace("-", "", 1).isdigit() and "." in value
    }
