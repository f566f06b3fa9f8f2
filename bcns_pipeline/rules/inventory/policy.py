"""What one merchant wants sold: the formula, the locations, the buffer and the limits, ready for computing.

Put the frozen policy here that the rules take. Do not read a file here: `config.py` makes a policy from the
merchant's mapping, and the flow fills in locations where the file may leave them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bcns_pipeline.rules.inventory.expression import Expression, parse_expression
from bcns_pipeline.rules.inventory.quantities import MAX_STOCK
from bcns_pipeline.rules.inventory.shares import Share

Quantity = Literal["available", "on_hand_minus_committed", "expression"]
KitMode = Literal["pooled", "per_location"]
BufferOwner = Literal["none", "netsuite", "pipeline", "bigcommerce"]
Route = tuple[Sequence[int], int]

_FORMULAS: Final = {"available": "available", "on_hand_minus_committed": "on_hand - committed"}


@dataclass(frozen=True, slots=True)
class Breaker:
    """When to pause pushing. Percentages of lines; fewer than `min_changed` lines never trip."""

    max_changed_percent: float = 30.0
    max_oversold_percent: float = 2.0
    min_changed: int = 10


@dataclass(frozen=True, slots=True)
class Policy:
    """How sellable numbers are made.

    `routes` are pairs (NetSuite location, BigCommerce location), ascending; several NetSuite locations may
    feed one BigCommerce location, never the other way round. `buffer` is what the pipeline itself holds
    back per item and BigCommerce location, in whole units: 0 unless it owns the safety stock. `shares` are parts
    of the numbers that storefronts of their own may sell.
    """

    expression: Expression
    routes: tuple[tuple[int, int], ...]
    kits: KitMode = "pooled"
    buffer: int = 0
    low_stock_threshold: int = 0
    breaker: Breaker = Breaker()
    shares: tuple[Share, ...] = ()

    @property
    def rule(self) -> str:
        """The formula as it stands beside every number that it made."""
        return self.rule_with("0")

    def rule_with(self, unposted: str) -> str:
        """The same with the units that are sold and not in NetSuite yet ("0" = none)."""
        text = self.expression.text
        if unposted != "0":
            text += f" - {unposted} unposted"
        return f"{text} - {self.buffer} held back" if self.buffer else text

    @property
    def netsuite_locations(self) -> tuple[int, ...]:
        """NetSuite locations whose stock counts, ascending."""
        return tuple(source for source, _ in self.routes)

    @property
    def pools(self) -> tuple[int, ...]:
        """BigCommerce locations that NetSuite locations feed, ascending."""
        return tuple(sorted({target for _, target in self.routes}))

    @property
    def bigcommerce_locations(self) -> tuple[int, ...]:
        """BigCommerce locations that are written to, ascending: the pools, and storefronts with a share of one."""
        parts = {one.location for one in self.shares if not one.paused}
        return tuple(sorted({*self.pools, *parts}))


def make_policy(
    routes: Iterable[Route],
    *,
    quantity: Quantity = "available",
    expression: str | None = None,
    kits: KitMode = "pooled",
    buffer: int = 0,
    low_stock_threshold: int = 0,
    breaker: Breaker | None = None,
    shares: Iterable[Share] = (),
) -> Policy:
    """A policy from routes ((NetSuite locations), BigCommerce location) and the merchant's choices.

    ValueError for no routes, a NetSuite location that is not positive or feeds two BigCommerce locations, a
    buffer outside 0..2,147,483,647, a share of a location that is not fed, or a faulty expression.
    """
    pairs = sorted((source, target) for sources, target in routes for source in sources)
    if not pairs:
        raise ValueError(
            "there is no location to take stock from; say which NetSuite locations feed the store"
        )
    sources = [source for source, _ in pairs]
    if sources[0] < 1:
        raise ValueError(f"{sources[0]} is no id of a NetSuite location; ids are whole numbers from 1 on")
    if min(target for _, target in pairs) < 1:
        raise ValueError("ids of BigCommerce locations are whole numbers from 1 on")
    if len(set(sources)) < len(sources):
        raise ValueError("a NetSuite location feeds the store twice, so its stock would be sold twice")
    if not 0 <= buffer <= MAX_STOCK:
        raise ValueError(f"a buffer of {buffer} units is not possible; 0 to {MAX_STOCK} are")
    if quantity == "expression":
        if expression is None:
            raise ValueError("the quantity is an expression, and there is none")
        formula = expression
    else:
        formula = _FORMULAS[quantity]
    divided = tuple(shares)
    pools = {target for _, target in pairs}
    if any(one.of not in pools or one.location in pools for one in divided):
        raise ValueError("a storefront's share is of a location that is fed, and goes to one that is not")
    return Policy(
        parse_expression(formula),
        tuple(pairs),
        kits,
        buffer,
        low_stock_threshold,
        breaker or Breaker(),
        divided,
    )


def double_buffer(owner: BufferOwner, store_holds_back: int) -> str | None:
    """One sentence where the store holds back stock (`safety_stock` > 0 somewhere) without being its owner.

    BigCommerce sells on-hand minus its own safety stock (facts/bigcommerce.md 2.3), so a second buffer would
    silently hide sellable units. None where there is exactly one owner.
    """
    if owner == "bigcommerce" or store_holds_back <= 0:
        return None
    said = "nobody" if owner == "none" else "NetSuite" if owner == "netsuite" else "the pipeline"
    return (
        f"inventory.safety_stock.owner says that {said} holds back stock, but BigCommerce itself holds back "
        f"up to {store_holds_back} units of an item; set its safety stock to 0, or the owner to bigcommerce."
    )
