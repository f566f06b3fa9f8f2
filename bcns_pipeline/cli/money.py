"""Sums of money per currency, as commands print them.

Put here what adds up amounts for people. Do not put wording here, nor a decision about money (rules/).
"""

from __future__ import annotations

from collections.abc import Iterable

from bcns_pipeline.rules.money import Money


def summed(amounts: Iterable[Money | None]) -> list[Money]:
    """One sum per currency, by currency; None counts for nothing, and currencies are never mixed."""
    sums: dict[str, Money] = {}
    for one in amounts:
        if one is not None:
            sums[one.currency] = sums.get(one.currency, Money.zero(one.currency)) + one
    return [sums[currency] for currency in sorted(sums)]
