"""How this NetSuite behaves where nobody could verify how the real one does, and preferences of the account.

Put switches here that tests turn while the sandbox runs. Do not put limits or features here that decide which
fields exist (options.py): those are fixed when the process starts. Source: facts/netsuite.md 3.6, 4 and 8.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Rounding = Literal["line", "header"]


@dataclass(slots=True)
class Settings:
    """Every switch with the behaviour that is harder on a client as its default.

    `price_level_overwrites`: without custom price level (-1) the item's own price replaces rate and amount.
    `shipping_needs_method`: `shippingCost` without `shipMethod` is dropped. `shipping_taxable`: the engine and
    the check of overridden tax details count shipping and handling as taxable. `tax_rounding`: SuiteTax rounds
    per line, or once per tax code. `legacy_taxes`: an account with legacy tax adds its own tax on save.
    `multi_subsidiary_customers`: a customer may have further subsidiaries. `commit_unapproved`: orders pending
    approval commit stock too. `receipts_commit`: stock that arrives goes to lines on back order, oldest first.
    `invoice_in_advance`: goods may be billed before they are shipped. `tax_override_survives`: an invoice takes
    overridden tax details over from its order. `deposits_apply_themselves`: an invoice made from an order takes the
    order's open deposits at once, in applications that NetSuite makes. `journals_need_approval`: a journal of which a
    request says nothing waits for a person. `approves_journals`: the integration's role may approve its own; without,
    `approved` is dropped without a word.
    `carrier_packages`: the account ships with UPS, FedEx and USPS, whose parcels stand in sublists of their own.
    """

    price_level_overwrites: bool = True
    shipping_needs_method: bool = True
    shipping_taxable: bool = False
    tax_rounding: Rounding = "line"
    legacy_taxes: bool = False
    multi_subsidiary_customers: bool = False
    commit_unapproved: bool = False
    receipts_commit: bool = True
    carrier_packages: bool = True
    invoice_in_advance: bool = False
    tax_override_survives: bool = True
    deposits_apply_themselves: bool = False
    journals_need_approval: bool = True
    approves_journals: bool = True

    def change(self, given: dict[str, Any]) -> dict[str, Any]:
        """Turn switches; returns all of them. Raises `ValueError` for an unknown one or a wrong value."""
        known = {f.name: f for f in fields(self)}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"There is no setting {name!r}; there are {', '.join(sorted(known))}.")
            if name == "tax_rounding":
                if value not in ("line", "header"):
                    raise ValueError("tax_rounding is line or header.")
            elif not isinstance(value, bool):
                raise ValueError(f"{name} is true or false.")
        for name, value in given.items():
            setattr(self, name, value)
        return asdict(self)
