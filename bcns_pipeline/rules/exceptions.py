"""The catalogue of exceptions: what each code means, who owns it, where it comes from and how it is mended.

Put codes here with words a person on call can act on. Do not open or close exceptions here
(`state/exceptions.py`), and no text about a single record: that is the exception's own message. Every code
that the code base opens is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Severity = Literal["error", "warning"]


class Owner(StrEnum):
    """Who is asked first. The mapping file's alerts may send each of them elsewhere."""

    MERCHANDISING = "merchandising"  # items, SKUs, the two catalogues
    OPERATIONS = "operations"  # stock, locations, warehouses
    INTEGRATION = "integration"  # accounts, permissions, the pipeline itself


@dataclass(frozen=True, slots=True)
class Kind:
    """One code. `heals` says that it closes by itself once its cause is gone; else a person closes it."""

    code: str
    severity: Severity
    owner: Owner
    cause: str
    fix: str
    heals: bool = True


_KINDS: Final = (
    Kind(
        "SKU_AMBIGUOUS",
        "error",
        Owner.MERCHANDISING,
        "A SKU is blank, or stands on more than one item or variant, so a number could go to the wrong one.",
        "Give each NetSuite item and BigCommerce variant a SKU of its own; the next full sync unblocks it.",
    ),
    Kind(
        "SKU_UNTRACKED",
        "warning",
        Owner.MERCHANDISING,
        "BigCommerce does not track the stock of this product, and a stock push never switches tracking on.",
        "Switch inventory tracking on for the product in BigCommerce if its stock is to be kept.",
    ),
    Kind(
        "SKU_STALE",
        "error",
        Owner.OPERATIONS,
        "A SKU has been out of step for longer than two runs, although others went through.",
        "Look at `bcns explain sku`: it says what was sent, what was refused and what the store shows.",
    ),
    Kind(
        "QUANTITY_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "NetSuite gave something as a quantity that is no number, or an impossible one.",
        "Correct the item's stock in NetSuite; until then its last number stands in the store.",
    ),
    Kind(
        "KIT_UNRESOLVED",
        "error",
        Owner.MERCHANDISING,
        "A kit can't be computed: no stocked member, a member without quantity, or it contains itself.",
        "Correct its members in NetSuite; until then its last number stands in the store.",
    ),
    Kind(
        "KITS_UNREADABLE",
        "error",
        Owner.INTEGRATION,
        "The role may not read the members of kits, so kits keep their last number.",
        "Give the integration's role the permission to view items, then run `bcns doctor`.",
    ),
    Kind(
        "STOCK_DRIFT",
        "warning",
        Owner.OPERATIONS,
        "The store shows less than was confirmed, and NetSuite has not moved: sold, or edited by hand.",
        "Nothing, if orders are on their way to NetSuite; approve it to raise the store to its number.",
    ),
    Kind(
        "STOCK_REFUSED",
        "error",
        Owner.OPERATIONS,
        "BigCommerce refused the stock of a SKU; the rest of its batch went through.",
        "Read what it said: often the product's tracking was changed, or the location disabled.",
    ),
    Kind(
        "STOCK_UNCONFIRMED",
        "warning",
        Owner.OPERATIONS,
        "A pushed number was accepted, but the store did not show it in time.",
        "Nothing at first: the next run sends it again. If it stays, ask BigCommerce's support.",
    ),
    Kind(
        "DOUBLE_BUFFER",
        "error",
        Owner.OPERATIONS,
        "Safety stock is held back by two owners, so sellable units are hidden.",
        "Set BigCommerce's safety stock to 0, or inventory.safety_stock.owner to bigcommerce.",
    ),
    Kind(
        "LOCATION_SUSPENDED",
        "warning",
        Owner.OPERATIONS,
        "A mapped location is inactive in NetSuite or disabled in BigCommerce, and is left out.",
        "Enable it again, or remove it from inventory.locations.",
    ),
    Kind(
        "INVENTORY_BREAKER",
        "error",
        Owner.OPERATIONS,
        "A run would have changed more of the catalogue than inventory.breaker allows; nothing is sent.",
        "Look at the plan's table; then `bcns approve` lets one such plan through, or correct NetSuite.",
        heals=False,
    ),
)

CATALOGUE: Final[dict[str, Kind]] = {kind.code: kind for kind in _KINDS}
