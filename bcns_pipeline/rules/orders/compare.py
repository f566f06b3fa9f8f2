"""What NetSuite shows against what was written, to the cent.

Put the comparison here, in sentences without personal data. Do not put the read-back here. A user-event script
or a tax engine may change a record after it was saved, so an accepted order is not yet an equal one
(facts/finance.md 3.4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import ITEM, Expected
from bcns_pipeline.rules.orders.facts import Shown, ShownLine
from bcns_pipeline.rules.orders.lines import DISCOUNT
from bcns_pipeline.rules.orders.matching import is_void, pair
from bcns_pipeline.rules.orders.policy import OrderPolicy

_MOST_LINES = 10
_HEADER = "shipping and handling"


def differences(expected: Expected, shown: Shown) -> list[str]:
    """One sentence for each difference; none where the record is as it was written."""
    if expected.currency != shown.currency:
        return [f"The order is in {shown.currency}, and {expected.currency} was written."]
    return [*_sum_differences(expected, shown), *_first(list(_line_differences(expected, shown)))]


def tax_differences(expected: Expected, shown: Shown, by_line: Mapping[int, Decimal]) -> list[str]:
    """One sentence for each line that NetSuite computed another tax for than was charged.

    `by_line` is NetSuite's tax by its line number. A discount's line counts with what it is a discount of, and what is
    on no line of ours is tax on shipping and handling. None where these rows do not come to the tax that the record
    shows: then they are not its tax.
    """
    rows = as_shown(by_line, shown.tax)
    if rows is None:
        return []
    paired = pair(expected.lines, shown.lines)
    names = {line.line: f"line {key.removesuffix(DISCOUNT)}" for key, line in paired.by_key.items()}
    names |= {line.line: f"a line of item {line.item} that is not ours" for line in paired.rest}
    charged, computed = Counter[str](), Counter[str]()
    for key, amount in expected.taxed:
        name = f"line {key}"
        charged[name if name in names.values() else _HEADER] += Money.of(amount, shown.currency).minor
    for number, amount in rows.items():
        computed[names.get(number, _HEADER)] += Money.of(amount, shown.currency).minor
    said = []
    for name in dict.fromkeys((*charged, *computed)):
        was, now = (Money(one[name], shown.currency) for one in (charged, computed))
        if was != now:
            said.append(f"Of {name}, {was} of tax was charged, and NetSuite computed {now}.")
    return _first(said)


def _first(lines: list[str]) -> list[str]:
    more = [f"{len(lines) - _MOST_LINES} more lines differ."] if len(lines) > _MOST_LINES else []
    return [*lines[:_MOST_LINES], *more]


def drift(expected: Expected, shown: Shown) -> Money:
    """How much NetSuite's total is above what was charged; below 0 where it is short. ValueError: currencies."""
    if expected.currency != shown.currency:
        raise ValueError(f"{shown.currency} and {expected.currency} can't be compared")
    return Money.of(shown.total - expected.total, expected.currency)


def tax_shown(shown: Shown, expected: Expected | None) -> Decimal:
    """The tax that the record carries: NetSuite's own, and what our lines of tax come to there.

    Without what was written, only lines that bear our name are known for such.
    """
    return shown.tax + sum((line.amount for line in _tax_lines(shown, expected)), Decimal(0))


def tax_by_item(shown: Shown, expected: Expected | None) -> dict[str, Decimal]:
    """{"item:934": tax that our own lines of it come to}; empty where NetSuite has tax of its own on the record, whose
    codes the record's lines do not tell."""
    found: dict[str, Decimal] = {}
    for line in _tax_lines(shown, expected) if not shown.tax else ():
        found[f"{ITEM}{line.item}"] = found.get(f"{ITEM}{line.item}", Decimal(0)) + line.amount
    return found


def as_shown(by_part: Mapping[int, Decimal], tax: Decimal) -> dict[int, Decimal] | None:
    """SuiteTax's rows of a record in the sign of the tax that it shows; None where they do not come to it.

    Published scripts that read these rows expect either sign of them.
    """
    found = sum(by_part.values(), Decimal(0))
    if abs(found) != abs(tax):
        return None
    return {part: amount if found == tax else -amount for part, amount in by_part.items()}


def _tax_lines(shown: Shown, expected: Expected | None) -> list[ShownLine]:
    if expected is None:
        return [line for line in shown.lines if _is_tax(line.key)]
    return [line for key, line in pair(expected.lines, shown.lines).by_key.items() if _is_tax(key)]


def _is_tax(key: str) -> bool:
    return key == "tax" or key.startswith("tax-")


def closing_line(expected: Expected, shown: Shown, policy: OrderPolicy) -> dict[str, Any] | None:
    """The patch that adds a rounding line for the drift of a tax that NetSuite itself computed.

    None unless the policy wants it so (`orders.tax.on_mismatch: residual`), and the drift is within the cap; nor
    where lines differ, or one is there for rounding already: then it is not the tax that moved the total.
    """
    off = drift(expected, shown)
    if list(_line_differences(expected, shown)) or any(
        one.item == policy.rounding_item for one in shown.lines
    ):
        return None
    priced = sum(1 for line in expected.lines if line.amount)
    within = 0 < abs(off.minor) <= min(priced, policy.max_rounding_lines)
    if policy.tax.on_mismatch != "residual" or policy.rounding_item is None or not within:
        return None
    line = {
        "item": {"id": str(policy.rounding_item)},
        "quantity": 1,
        "price": {"id": str(policy.price_level)},
        "rate": (-off).amount,
        "amount": (-off).amount,
    }
    if policy.line_id_field:
        line[policy.line_id_field] = "rounding"
    return {"item": {"items": [line]}}


def _sum_differences(expected: Expected, shown: Shown) -> Iterator[str]:
    for name, wanted, found, tolerance in (
        ("total", expected.total, shown.total, expected.tolerance),
        ("tax", expected.tax, shown.tax, expected.tolerance),
        ("shipping", expected.shipping + expected.handling, shown.shipping + shown.handling, Decimal(0)),
    ):
        if abs(found - wanted) > tolerance:
            yield f"The {name} is {found} {shown.currency}, and {wanted} was written."
    if expected.base is not None and shown.base_total is not None:
        base = Money.of(shown.base_total, expected.base.currency)
        # NetSuite converts each line for itself, and each may be half a unit off; so may shipping and tax.
        if abs((base - expected.base).minor) > (len(expected.lines) + 3) // 2:
            yield f"In the base currency it is {base}, and at the rate that was written {expected.base}."


def _line_differences(expected: Expected, shown: Shown) -> Iterator[str]:
    paired = pair(expected.lines, shown.lines)
    for line in expected.lines:
        found = paired.by_key.get(line.key)
        if found is None:
            yield f"Line {line.key} is not there."
            continue
        if found.item != line.item:
            yield f"Line {line.key} is of item {found.item}, and {line.item} was written."
        if line.quantity is not None and found.quantity != line.quantity:
            yield f"Line {line.key} has {found.quantity:f} units, and {line.quantity} were written."
        if found.amount != line.amount:
            yield f"Line {line.key} comes to {found.amount}, and {line.amount} was written."
    for other in paired.rest:
        if not is_void(other):
            yield f"A line of item {other.item} over {other.amount} was not written by us."
