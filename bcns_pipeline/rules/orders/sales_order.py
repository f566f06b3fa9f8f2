"""From an order to the draft of its record in NetSuite, or to everything that stands in its way at once.

Put here how the rules of an order work together. Do not put rules of one matter here: items and subsidiaries
are `preflight.py`, amounts `totals.py`, tax `tax.py`, lines and header have a module each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.rules.orders.capture import Settled, settled
from bcns_pipeline.rules.orders.draft import Draft, DraftLine, Expected, expected_lines
from bcns_pipeline.rules.orders.facts import Facts
from bcns_pipeline.rules.orders.gate import is_marketplace, source_of
from bcns_pipeline.rules.orders.header import draft_header, exchange_rate
from bcns_pipeline.rules.orders.lines import Charges, draft_lines, in_header
from bcns_pipeline.rules.orders.model import ZERO, Details, Order
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy
from bcns_pipeline.rules.orders.preflight import Found, Place, preflight, too_fine
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.tax import TaxPlan, plan_tax
from bcns_pipeline.rules.orders.totals import Totals, add_up


@dataclass(slots=True)
class _Sums:
    """The money of an order. `residual` is what the rounding line has to close, `total` what NetSuite shows."""

    totals: Totals
    residual: Money
    total: Money
    settled: Settled | None
    flags: list[Problem] = field(default_factory=list)


def build(
    order: Order, details: Details, facts: Facts, policy: OrderPolicy, *, check_capture: bool = True
) -> Draft | list[Problem]:
    """The draft of the order's sales order or cash sale, or all its problems.

    `check_capture` False leaves out identity E1: for an earlier version, whose transactions nobody has kept.
    ValueError where `needs(order, policy)` names a detail that was not read: without it, nothing can be said.
    """
    found = preflight(order, facts, policy)
    channel = found.place.channel if found.place else Channel(order.channel_id)
    marketplace = is_marketplace(order, channel, policy)
    problems = [*found.problems, *_discount_problems(order, policy)]
    sums = _sums(order, details, channel, policy, marketplace=marketplace, check_capture=check_capture)
    if isinstance(sums, list):
        return _unique([*problems, *sums])
    taxes = plan_tax(order, sums.totals, details, channel, facts, policy, marketplace=marketplace)
    if isinstance(taxes, list):
        return _unique([*problems, *taxes])
    # An unknown way of shipping is a problem already; it must not look like a header without one.
    ships = found.ship_method is not None or any(one.code == "SHIP_METHOD_UNMAPPED" for one in found.problems)
    charges = in_header(sums.totals.parts, taxes, policy, ship_method=ships)
    lines = draft_lines(order, sums.totals.parts, found.items, taxes, charges, sums.residual, channel, policy)
    problems += [one for one in lines if isinstance(one, Problem)]
    if problems or found.place is None:
        return _unique(problems)
    made = [line for line in lines if isinstance(line, DraftLine)]
    if not made:
        return [Problem("ORDER_COMPONENTS_DO_NOT_ADD", "The order has nothing on it that could be posted.")]
    if found.place.digits is not None:
        fine = too_fine(_amounts(made, charges), order.currency, found.place.digits)
        if fine is not None:
            return [fine]
    return Draft(
        record=channel.record,
        natural_key=order_key(facts.store, order.id),
        header=draft_header(order, found, found.place, charges, taxes, facts, policy),
        lines=tuple(made),
        expected=replace(
            _expected(sums, taxes, charges, made, policy), base=_base(order, sums.total, found.place, policy)
        ),
        impact=sums.totals.charged,
        price_level=policy.price_level,
        overrides_tax=taxes.overrides,
        sources=_sources(order, sums, taxes, policy, found),
        flags=tuple(sums.flags),
    )


def _amounts(lines: Iterable[DraftLine], charges: Charges) -> Iterator[Decimal]:
    """Every amount that is sent."""
    for line in lines:
        yield line.amount
        yield from (row.amount for row in line.taxes)
    yield from (one.amount for one in (charges.shipping, charges.handling) if one is not None)


def prices_include_tax(order: Order, channel: Channel) -> bool:
    """Which side of the tax is exact: the order says so itself since 2024-09, else its channel."""
    if order.prices_include_tax is not None:
        return order.prices_include_tax
    return bool(channel.prices_include_tax)


def _discount_problems(order: Order, policy: OrderPolicy) -> list[Problem]:
    given = order.discount_amount + order.coupon_discount
    applied = sum((one.amount for line in order.lines for one in line.discounts), ZERO)
    if policy.discount_owner != "netsuite" or not (given or applied):
        return []
    off = Money.of(max(given, applied), order.currency)
    return [Problem("DISCOUNT_UNOWNED", f"BigCommerce took {off} off, and NetSuite owns discounts.")]


def _sums(
    order: Order,
    details: Details,
    channel: Channel,
    policy: OrderPolicy,
    *,
    marketplace: bool,
    check_capture: bool,
) -> _Sums | list[Problem]:
    totals = add_up(
        order,
        inclusive=prices_include_tax(order, channel),
        tax_source=policy.tax.source,
        max_residual=policy.max_rounding_lines,
        coupons=details.coupons,
    )
    if isinstance(totals, Problem):
        return [totals]
    sums = _Sums(totals, totals.residual, totals.charged, None)
    problems = []
    if totals.tax.disagree:
        each = ", ".join(
            f"{part.key} {Money.of(tax, order.currency).amount}"
            for part, tax in zip(totals.parts, totals.tax.weights, strict=True)
            if tax
        )
        carried = f"{totals.tax.by_parts} of tax ({each or 'none of them any'})"
        said = f"The lines carry {carried}, and the order {totals.tax.by_order}."
        problem = Problem("TAX_MISMATCH", said)
        if policy.tax.on_mismatch == "block":
            problems.append(problem)
        else:
            sums.flags.append(problem)
    if (
        check_capture and not marketplace
    ):  # a marketplace's money comes by settlement, and BigCommerce never sees it
        problems += _capture(order, details, policy, sums)
    return problems or sums


def _capture(order: Order, details: Details, policy: OrderPolicy, sums: _Sums) -> list[Problem]:
    """Identity E1. A rest within the cap may go to the rounding line, so that NetSuite shows the money taken."""
    if policy.capture == "off":
        return []
    if details.transactions is None:
        raise ValueError("orders.capture_policy needs the order's transactions, and they were not read")
    sums.settled = settled(order, details.transactions, policy)
    if sums.settled.settles(sums.totals.charged):
        return []
    off = sums.settled.whole - sums.totals.charged
    problem = Problem(
        "ORDER_NOT_CAPTURED",
        f"The order came to {sums.totals.charged}, and {sums.settled.whole} settle it ({sums.settled}).",
    )
    if policy.capture == "flag":
        sums.flags.append(problem)
        return []
    priced = sum(1 for part in sums.totals.parts if part.net or part.tax)
    if policy.capture == "residual" and abs(off.minor) <= min(priced, policy.max_rounding_lines):
        sums.residual += off
        sums.total += off
        return []
    return [problem]


def _expected(
    sums: _Sums, taxes: TaxPlan, charges: Charges, lines: list[DraftLine], policy: OrderPolicy
) -> Expected:
    currency, charged_tax = sums.total.currency, sums.totals.tax.total
    by_netsuite = charged_tax.amount if taxes.engine else Money.of(taxes.by_netsuite, currency).amount
    nothing = Money.zero(currency)
    return Expected(
        total=sums.total.amount,
        tax=by_netsuite,
        currency=currency,
        charged_tax=charged_tax.amount,
        residual=sums.residual.amount,
        shipping=(charges.shipping or nothing).amount,
        handling=(charges.handling or nothing).amount,
        tolerance=policy.tax.tolerance.get(currency, Decimal(0)) if taxes.engine else Decimal(0),
        lines=expected_lines(lines),
        taxes=tuple((*key, amount.amount) for key, amount in sorted(taxes.posted.items())),
        taxed=tuple((part.key, part.tax.amount) for part in sums.totals.parts if taxes.engine),
    )


def _base(order: Order, charged: Money, place: Place, policy: OrderPolicy) -> Money | None:
    rate = exchange_rate(order, place, policy)
    return None if rate is None else Money.of(charged.amount * rate, place.base_currency)


def _sources(order: Order, sums: _Sums, taxes: TaxPlan, policy: OrderPolicy, found: Found) -> dict[str, Any]:
    """How the figures came about, for `explain` and the audit trail: names and amounts, no personal data."""
    totals = sums.totals
    said: dict[str, Any] = {
        "identity": totals.identity,
        "closing": list(totals.closing),
        "tax": taxes.how,
        "tax_source": totals.tax.source,
        "tax_by_order": str(totals.tax.by_order),
        "tax_by_lines": str(totals.tax.by_parts),
        "origin": source_of(order, policy).value,
        "residual": str(sums.residual),
        "exchange_rate": None if order.exchange_rate is None else str(order.exchange_rate),
        "with_their_kit": [line.id for line in order.lines if line.id not in found.items],
    }
    if sums.settled is not None:
        said["settled"] = str(sums.settled)
    return said


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
