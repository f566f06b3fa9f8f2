"""What can be wrong with stock: SKUs, kits, locations, and numbers that do not arrive.

Put the codes here that the inventory flow opens. Do not put other flows' codes here.
"""

from __future__ import annotations

from typing import Final

from bcns_pipeline.rules.kinds.kind import Kind, Owner

KINDS: Final = (
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
        "Read what it said: often the product was deleted, its tracking changed, or the location disabled.",
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
        "NETTING_LIMITED",
        "warning",
        Owner.OPERATIONS,
        "Units that are sold and not in NetSuite yet are not held back as they should be.",
        "Set inventory.netting.location, or let BigCommerce take stock when an order is placed.",
    ),
    Kind(
        "INVENTORY_BREAKER",
        "error",
        Owner.OPERATIONS,
        "A run would have changed more of the catalogue than inventory.breaker allows; nothing is sent.",
        "Look at the plan's table; then `bcns approve` lets one such plan through, or correct NetSuite.",
        heals=False,
        hours=1,
    ),
)
