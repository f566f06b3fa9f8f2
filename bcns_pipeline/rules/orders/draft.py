"""What is to stand in NetSuite: the draft of a sales order or cash sale, and what to expect when reading back.

Put the shapes and their JSON here. Do not put decisions here: `sales_order.py` makes drafts, `edits.py`
compares two of them. Amounts are `Decimal` in the order's currency with exactly its digits; nothing is ever a
float. Field names and shapes: facts/netsuite.md 3.6 and 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.model import ZERO
from bcns_pipeline.rules.orders.policy import SALES_ORDER, Record
from bcns_pipeline.rules.orders.problems import Problem

# What a tax is posted as: SuiteTax's code, or the item of a line.
CODE, ITEM = "code:", "item:"

LineRole = Literal["product", "discount", "shipping", "handling", "wrapping", "fee", "tax", "rounding"]


@dataclass(frozen=True, slots=True)
class TaxDetail:
    """One row of SuiteTax's override: `rate` in percent, `basis` and `amount` in the order's currency."""

    code: int
    type: str
    basis: Decimal
    rate: Decimal
    amount: Decimal

    def body(self, reference: str) -> dict[str, Any]:
        """As NetSuite takes it, for the line of that reference."""
        return {
            "taxDetailsReference": {"id": reference},
            "taxType": self.type,
            "taxCode": {"id": str(self.code)},
            "taxBasis": self.basis,
            "taxRate": self.rate,
            "taxAmount": self.amount,
        }


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One item line. `key` names it for good: BigCommerce's line id for a product, "5501-discount" and the
    like for what belongs to one, "shipping", "fee-1", "tax", "rounding" for the rest.

    `quantity` is None for discount lines, which have none. `fields` are further NetSuite fields of the line.
    """

    key: str
    role: LineRole
    item: int
    quantity: int | None
    amount: Decimal
    rate: Decimal
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    taxes: tuple[TaxDetail, ...] = ()

    def body(self, price_level: int, *, referenced: bool) -> dict[str, Any]:
        """As NetSuite takes a new line; `referenced` names it for SuiteTax's rows."""
        found: dict[str, Any] = {"item": {"id": str(self.item)}}
        if self.quantity is not None:
            found["quantity"] = self.quantity
        found |= {"price": {"id": str(price_level)}, "rate": self.rate, "amount": self.amount, **self.fields}
        if referenced:
            found["taxDetailsReference"] = self.reference
        return found

    @property
    def reference(self) -> str:
        """The line's name among SuiteTax's rows."""
        return f"bc-{self.key}"


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """What a line must show: units and amount to the minor unit."""

    key: str
    item: int
    quantity: int | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Expected:
    """What NetSuite must show, in `currency`. `tolerance` is 0 unless NetSuite itself computes the tax.

    `tax` is NetSuite's own tax total: 0 where tax is a line. `charged_tax` is the tax that the shopper paid,
    `residual` what a rounding line closes (signed). `taxes` is the charged tax by its name ("" without one) and by what
    it is posted as ("code:12", "item:934"; "" where operations from before it was kept do not say), `taxed`
    that of each part by its key where NetSuite computes its own; what NetSuite shows does not depend on them.
    """

    total: Decimal
    tax: Decimal
    currency: str
    charged_tax: Decimal
    residual: Decimal = ZERO
    shipping: Decimal = ZERO
    handling: Decimal = ZERO
    tolerance: Decimal = ZERO
    lines: tuple[ExpectedLine, ...] = ()
    base: Money | None = None  # the total in the subsidiary's currency, where BigCommerce's rate was sent
    taxes: tuple[tuple[str, str, Decimal], ...] = field(default=(), compare=False)
    taxed: tuple[tuple[str, Decimal], ...] = field(default=(), compare=False)

    def document(self) -> dict[str, Any]:
        """As JSON, for the operation's payload and the state; amounts are text."""
        return {
            "total": str(self.total),
            "tax": str(self.tax),
            "currency": self.currency,
            "charged_tax": str(self.charged_tax),
            "residual": str(self.residual),
            "shipping": str(self.shipping),
            "handling": str(self.handling),
            "tolerance": str(self.tolerance),
            "base": None if self.base is None else [self.base.minor, self.base.currency],
            "taxes": [[name, how, str(amount)] for name, how, amount in self.taxes],
            # Only where it is asked for: what other operations hold stays what it was.
            **({"taxed": [[key, str(amount)] for key, amount in self.taxed]} if self.taxed else {}),
            "lines": [
                {"key": one.key, "item": one.item, "quantity": one.quantity, "amount": str(one.amount)}
                for one in self.lines
            ],
        }

    def posted_taxes(self) -> tuple[tuple[str, str, Money], ...]:
        """`taxes` as money."""
        return tuple((name, how, Money.exactly(amount, self.currency)) for name, how, amount in self.taxes)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Expected:
        """What `document` gave."""
        return cls(
            total=Decimal(document["total"]),
            tax=Decimal(document["tax"]),
            currency=document["currency"],
            charged_tax=Decimal(document["charged_tax"]),
            residual=Decimal(document["residual"]),
            shipping=Decimal(document["shipping"]),
            handling=Decimal(document["handling"]),
            tolerance=Decimal(document["tolerance"]),
            # Operations from before it was kept do not have it.
            base=Money(*document["base"]) if document.get("base") else None,
            taxes=tuple(
                (one[0], one[1] if one[2:] else "", Decimal(one[-1])) for one in document.get("taxes", ())
            ),
            taxed=tuple((key, Decimal(amount)) for key, amount in document.get("taxed", ())),
            lines=tuple(
                ExpectedLine(one["key"], int(one["item"]), one["quantity"], Decimal(one["amount"]))
                for one in document["lines"]
            ),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole record. `header` has every field of the body but the lines and what belongs to them.

    `impact` is the money that it moves: the charged total. `sources` says for the trail how the figures came
    about (identity, source of the tax, origin of the order). `flags` are warnings that did not stop it.
    """

    record: Record
    natural_key: str
    header: Mapping[str, Any] = field(repr=False)
    lines: tuple[DraftLine, ...] = field(repr=False)
    expected: Expected
    impact: Money
    price_level: int = -1
    overrides_tax: bool = False
    sources: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[Problem, ...] = ()

    def body(self) -> dict[str, Any]:
        """The record as POST takes it."""
        return {
            "externalId": self.natural_key,
            **self.header,
            "item": {
                "items": [line.body(self.price_level, referenced=self.overrides_tax) for line in self.lines]
            },
            **tax_details(self.lines, overridden=self.overrides_tax),
        }

    @property
    def is_order(self) -> bool:
        """Whether it is a sales order, which posts nothing by itself."""
        return self.record == SALES_ORDER


def tax_details(lines: Sequence[DraftLine], *, overridden: bool) -> dict[str, Any]:
    """The tax of all lines as SuiteTax's override; nothing where it is not overridden."""
    if not overridden:
        return {}
    rows = [detail.body(line.reference) for line in lines for detail in line.taxes]
    return {"taxDetailsOverride": True, "taxDetails": {"items": rows}}


def expected_lines(lines: Sequence[DraftLine]) -> tuple[ExpectedLine, ...]:
    """What the read-back compares of each line."""
    return tuple(ExpectedLine(line.key, line.item, line.quantity, line.amount) for line in lines)
