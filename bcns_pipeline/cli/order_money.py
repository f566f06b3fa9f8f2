"""An order's money, as the identities of facts/finance.md 3: what was charged, what closes, what NetSuite shows.

Put here the rows that a person checks an order's total by. Do not compute a rule here: totals come from
`rules.orders.totals` and from what was written down when the order was posted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bcns_pipeline import config
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.draft import Expected
from bcns_pipeline.rules.orders.policy import Channel
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.reading import Unreadable, read_order
from bcns_pipeline.rules.orders.sales_order import prices_include_tax
from bcns_pipeline.rules.orders.totals import add_up
from bcns_pipeline.state.order_models import OrderState

Row = tuple[str, str, str]
READINGS = ("E2a", "E2b", "E2c")


def identities(
    order: OrderState,
    document: Mapping[str, Any] | None,
    payloads: Sequence[Mapping[str, Any] | None],
    mapping: config.Mapping,
) -> list[Row]:
    """(name, amount or verdict, explanation): charged, E2a to E2c, E1 where known, E3."""
    posted = next((one for one in reversed(payloads) if one and "expected" in one), None)
    sources = next((one["sources"] for one in reversed(payloads) if one and one.get("sources")), None)
    rows: list[Row] = [("charged", str(order.total), "what the shopper was charged; the authority")]
    rows += _adding_up(document, mapping) if sources is None else _as_written(sources)
    rows += _netsuite(order, Expected.read(posted["expected"]) if posted else None)
    return rows


def _as_written(sources: Mapping[str, Any]) -> Iterator[Row]:
    """As it was worked out when the order was planned."""
    closing = list(sources.get("closing", ()))
    for name in READINGS:
        used = ", and was used" if name == sources.get("identity") else ""
        yield name, "closes" if name in closing else "does not close", f"when it was planned{used}"
    residual = str(sources.get("residual", ""))
    yield "residual", residual, "closed by the rounding line" if _some(residual) else "nothing to close"
    tax = f"by its order {sources.get('tax_by_order')}, by its lines {sources.get('tax_by_lines')}"
    yield "tax", str(sources.get("tax", "")), f"taken from the {sources.get('tax_source')}; {tax}"
    settled = sources.get("settled")
    said = "of its transactions" if settled else "orders.capture is off: transactions were not read"
    yield "E1 settled", str(settled or "not compared"), said


def _adding_up(document: Mapping[str, Any] | None, mapping: config.Mapping) -> Iterator[Row]:
    """Worked out now, from the newest version and the mapping file as it is."""
    if document is None:
        yield "E2", "not known", "its document is not kept, or its shopper was erased"
        return
    policy = mapping.order_policy()
    try:
        order = read_order(document)
    except Unreadable as fault:
        yield "E2", "not known", f"the order can't be read: {fault}"
        return
    channel = policy.channel(order.channel_id) or Channel(order.channel_id)
    totals = add_up(
        order,
        inclusive=prices_include_tax(order, channel),
        tax_source=policy.tax.source,
        max_residual=policy.max_rounding_lines,
    )
    if isinstance(totals, Problem):
        yield "E2", "does not close", totals.sentence
        return
    for name in READINGS:
        used = ", and would be used" if name == totals.identity else ""
        yield name, "closes" if name in totals.closing else "does not close", f"by the mapping of now{used}"
    yield "residual", str(totals.residual), "for the rounding line" if totals.residual else "nothing to close"
    yield "tax", str(totals.tax.total), f"taken from the {totals.tax.source}"


def _netsuite(order: OrderState, expected: Expected | None) -> Iterator[Row]:
    """Identity E3: what was written against what NetSuite shows."""
    wanted = order.expected_total
    if expected is not None and wanted is None:
        wanted = Money.of(expected.total, expected.currency)
    if wanted is not None:
        yield "written", str(wanted), f"tax {order.expected_tax}" if order.expected_tax is not None else ""
    if order.read_total is None:
        yield "E3", "not read back yet", "" if order.netsuite_id else "it is not in NetSuite"
        return
    yield (
        "NetSuite shows",
        str(order.read_total),
        f"tax {order.read_tax}" if order.read_tax is not None else "",
    )
    off = order.read_total - (wanted if wanted is not None else order.total)
    against = "what was written" if wanted is not None else "what was charged"
    yield "E3", "equal to the cent" if not off else f"off by {off}", f"NetSuite's total against {against}"


def _some(amount: str) -> bool:
    return any(digit in "123456789" for digit in amount)
