"""What NetSuite makes of quantity, rate and amount of a line.

Put the arithmetic of one line here. Do not put taxes (tax.py) or checks of references here (sales.py).
Sources: facts/netsuite.md 3.6 and 4: an amount beats rate times quantity and is rounded half-up to the
currency's precision; without the custom price level the price level's own price replaces both.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from bcns_pipeline.sandbox.netsuite.account import CUSTOM_PRICE, Account
from bcns_pipeline.sandbox.netsuite.errors import missing
from bcns_pipeline.sandbox.netsuite.items import Item, Items
from bcns_pipeline.sandbox.netsuite.ledger import Line

RATE_DIGITS = Decimal("1e-8")


def rounded(amount: Decimal, precision: int) -> Decimal:
    """Half-up to so many decimals."""
    return amount.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)


def price_line(
    line: Line,
    item: Item,
    *,
    rate: Decimal | None,
    amount: Decimal | None,
    above: Sequence[Line],
    precision: int,
    overwriting: Decimal | None,
) -> None:
    """Set rate and amount of a line.

    `rate` and `amount` are what the request says, `above` the lines before it, `overwriting` the price of the
    line's price level, which leaves no say to the request. Raises `Refused` for a custom price without any.
    """
    if item.is_discount:
        line.quantity = None
        line.rate = amount if rate is None else rate
        line.amount = discount(item, rate, amount, above, precision)
        return
    quantity = line.quantity if line.quantity is not None else Decimal(1)
    line.quantity = quantity
    if overwriting is not None:
        line.rate, line.amount = overwriting, rounded(overwriting * quantity, precision)
    elif amount is not None:
        line.amount = rounded(amount, precision)
        line.rate = rate if rate is not None else unit_rate(line.amount, quantity)
    elif rate is not None:
        line.rate, line.amount = rate, rounded(rate * quantity, precision)
    elif line.price == CUSTOM_PRICE:
        raise missing("amount")
    else:
        line.rate, line.amount = None, rounded(Decimal(0), precision)


def discount(
    item: Item, rate: Decimal | None, amount: Decimal | None, above: Sequence[Line], precision: int
) -> Decimal:
    """What a discount line takes: its amount, its flat rate, or the item's own percentage of the line above."""
    if amount is not None:
        return rounded(amount, precision)
    if rate is not None:
        return rounded(rate, precision)
    base = above[-1].amount if above else Decimal(0)
    return rounded(base * (item.percent or Decimal(0)) / 100, precision)


def unit_rate(amount: Decimal, quantity: Decimal) -> Decimal | None:
    """The rate that NetSuite shows where only the amount was given."""
    return (amount / quantity).quantize(RATE_DIGITS).normalize() if quantity else None


def level_price(
    item: Item, level: int, items: Items, account: Account, *, overwrites: bool, given: bool
) -> Decimal | None:
    """The price that replaces what a request says, or stands in where it says nothing (`given` is false)."""
    if level == CUSTOM_PRICE or item.is_discount or not (overwrites or not given):
        return None
    return items.price(item, level, account)
