"""What stands in an order's way, as a code of the catalogue and a sentence for a person.

Put the shape here. Do not put causes and remedies here: those are the catalogue's (`rules/kinds/orders.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from bcns_pipeline.rules.money import Money


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` of the catalogue; `sentence` says what is wrong with this order, without personal data.

    `fact` names what is missing, where it is one thing that may appear by itself or be mapped
    ("sku:ABC-1", "ship_method:UPS (Ground)"), so that all orders waiting for it are found at once.
    `amount` is what the question is about, where that is not the whole order.
    """

    code: str
    sentence: str
    fact: str = ""
    amount: Money | None = None
