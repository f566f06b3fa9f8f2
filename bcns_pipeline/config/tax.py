"""The mapping file's `orders.tax`: whose figure of the tax counts, and as what it is posted.

Put keys about tax here. Do not put arithmetic here (rules/orders/tax.py). Codes, types and items are
NetSuite's internal ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bcns_pipeline.config.base import Country, Currency, Exact, FieldName, Id, Name, OrderPath, Section
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.orders.policy import (
    OnMismatch,
    ReverseCharge,
    TaxCode,
    TaxMethod,
    TaxMode,
    TaxPolicy,
    fold,
)


class TaxCodeMapping(Section):
    """How one tax of BigCommerce's is posted."""

    code: Id | None = Field(None, description="SuiteTax: the tax code.")
    type: Id | None = Field(None, description="SuiteTax: the code's tax type.")
    rate: Exact | None = Field(None, description="Percent; default: what BigCommerce says, else worked out.")
    item: Id | None = Field(None, description="Without SuiteTax: the item whose line carries the tax.")

    def tax_code(self, type_: int | None = None) -> TaxCode:
        """What the rules need; `type_` is the tax type where none is given here."""
        return TaxCode(self.code, str(self.type or type_ or ""), self.rate, self.item)


class ReverseChargeMapping(TaxCodeMapping):
    """Business orders whose tax the buyer accounts for. Unproven ones wait."""

    countries: tuple[Country, ...] = Field(
        min_length=1, description="Where orders without tax must be proven, e.g. [DE, FR]."
    )
    company: Literal["any", "required"] = Field(
        "any", description="required: only orders that name a company are looked at."
    )
    evidence: OrderPath = Field(
        "billing_address.form_fields.VAT Number", description="Where the VAT number stands in the order."
    )
    field: FieldName | None = Field(None, description="NetSuite field that keeps it, e.g. custbody_vat_id.")


class TaxMapping(TaxCodeMapping):
    """Tax of orders. `code`, `type`, `rate` and `item` are for every tax that `codes` does not name."""

    mode: TaxMode = Field(
        "bc_final",
        description="bc_final: BigCommerce's tax is posted as charged. ns_recalc: NetSuite computes.",
    )
    method: TaxMethod = Field(
        "auto", description="bc_final through SuiteTax's override, or as a line; auto takes what is possible."
    )
    source: Literal["order", "lines"] = Field(
        "order", description="Which of BigCommerce's figures wins where they differ."
    )
    on_mismatch: OnMismatch = Field(
        "block", description="What to do where they differ by more than cents, or NetSuite computes another."
    )
    tolerance: dict[Currency, Exact] = Field(
        default_factory=dict, description="ns_recalc: how far NetSuite's total may be off, by currency."
    )
    codes: dict[Name, TaxCodeMapping] = Field(
        default_factory=dict,
        description="By name or class of a BigCommerce tax; costs one call per taxed order.",
    )
    exempt_code: Id | None = Field(None, description="SuiteTax: the code of lines without tax.")
    exempt_type: Id | None = Field(None, description="Its tax type; default: type.")
    marketplace_item: Id | None = Field(
        None, description="The item on a clearing account that takes tax which a marketplace remits."
    )
    reverse_charge: ReverseChargeMapping | None = None

    def policy(self) -> TaxPolicy:
        """What the rules need."""
        return TaxPolicy(
            mode=self.mode,
            method=self.method,
            source=self.source,
            on_mismatch=self.on_mismatch,
            tolerance=dict(self.tolerance),
            default=self.tax_code(),
            codes={fold(name): one.tax_code(self.type) for name, one in self.codes.items()},
            exempt=TaxCode(self.exempt_code, str(self.exempt_type or self.type or ""))
            if self.exempt_code
            else None,
            reverse_charge=self._reverse_charge(),
            marketplace_item=self.marketplace_item,
        )

    def _reverse_charge(self) -> ReverseCharge | None:
        given = self.reverse_charge
        if given is None:
            return None
        return ReverseCharge(
            post=given.tax_code(self.type),
            countries=frozenset(given.countries),
            evidence=parse_path(given.evidence),
            company_only=given.company == "required",
            field=given.field or "",
        )

    def faults(self) -> Iterator[str]:
        """What posting orders needs and is not there, as sentences."""
        if self.mode == "ns_recalc":
            return
        named = [self, *self.codes.values()]
        by_code, by_item = any(one.code for one in named), any(one.item for one in named)
        if self.method == "suitetax" and not by_code:
            yield "orders.tax.code is missing; orders.tax.method suitetax needs NetSuite's tax code."
        if self.method == "item_line" and not by_item:
            yield "orders.tax.item is missing; orders.tax.method item_line needs the item that carries the tax."
        if self.method == "auto" and not (by_code or by_item):
            yield (
                "orders.tax needs a code (accounts with SuiteTax) or an item (all others); without one, tax "
                "can't be posted as charged."
            )
        for place, one in (("", self), *((f".codes.{name}", one) for name, one in self.codes.items())):
            if one.code is not None and one.type is None and self.type is None:
                yield f"orders.tax{place}.type is missing; NetSuite wants the tax type beside the code."
