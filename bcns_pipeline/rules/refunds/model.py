"""What a BigCommerce refund is, typed, and what is remembered of the order that it belongs to.

Put frozen shapes here and what follows from one of them alone. Do not read JSON here (`reading.py`), nor decide
anything. Amounts of a refund are Money in the order's currency, >= 0 unless a name says otherwise; items keep the
amounts that BigCommerce named. Source: facts/finance.md 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bcns_pipeline.rules.money import Money, total

ItemKind = Literal["PRODUCT", "GIFT_WRAPPING", "SHIPPING", "HANDLING", "ORDER", "FEE", "TAX"]


@dataclass(frozen=True, slots=True)
class RefundItem:
    """One thing that is given back. `id`: order product (PRODUCT, GIFT_WRAPPING), address (SHIPPING, HANDLING),
    order (ORDER), fee or order (FEE).

    `requested` with tax, where an amount was named instead of units. `adjustment` <= 0: fees that the shop keeps.
    """

    kind: ItemKind
    id: int
    quantity: int | None = None
    requested: Money | None = None
    adjustment: Money | None = None


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """One way in which money goes back. `transaction_id` is BigCommerce's transaction, None where it names none."""

    id: int
    provider: str
    amount: Money
    offline: bool = False
    declined: bool = False
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """One version of a refund. `tax` is part of `total`, and may be negative where tax alone was corrected.

    `override`: the merchant named total and tax, and the items need not come to them. `created_at` is aware.
    """

    id: int
    order_id: int
    created_at: datetime
    total: Money
    tax: Money
    override: bool = False
    items: tuple[RefundItem, ...] = ()
    payments: tuple[RefundPayment, ...] = ()
    reason: str = field(default="", repr=False, compare=False)  # free text: people write names into it

    @property
    def currency(self) -> str:
        """The order's."""
        return self.total.currency

    @property
    def paid(self) -> Money:
        """What really goes back: payments that were not declined (P1)."""
        return total([one.amount for one in self.payments if not one.declined], self.currency)

    @property
    def declined(self) -> Money:
        """What a payment provider did not pay back."""
        return total([one.amount for one in self.payments if one.declined], self.currency)

    @property
    def void(self) -> bool:
        """Nothing of it went back: every payment was declined."""
        return bool(self.payments) and all(one.declined for one in self.payments)

    @property
    def units(self) -> dict[int, int]:
        """{order product: units given back}."""
        found: dict[int, int] = {}
        for one in self.items:
            if one.kind == "PRODUCT" and one.quantity:
                found[one.id] = found.get(one.id, 0) + one.quantity
        return found
