"""Tax by month and storefront: what shoppers were charged, what NetSuite shows, and the difference, which should be 0.

Put the report here. Do not put rules of tax here (rules/orders). Months are those of the store's own days, sums are in
the orders' own currencies. Tax that a marketplace remits itself has rows of its own: it is nobody's to file here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.queries_orders import TaxSum, tax_sums
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings

COLUMNS = (
    *("month", "channel", "remitted by", "currency", "orders", "charged", "tax charged", "tax in NetSuite"),
    *("difference", "not read back", "not in NetSuite"),
)


def report_tax(month: str | None) -> int:
    """Print the report, of one month (YYYY-MM) or of all. 0 where every row ties, else 1. Raises BadInput."""
    first = None
    if month is not None:
        try:
            first = date.fromisoformat(f"{month}-01")
        except ValueError:
            raise BadInput([f"--month {month!r} is no month; write it as 2026-11."]) from None
    with remembered(load_settings()) as state:
        sums = tax_sums(state, first)
    if not sums:
        say("No order of that time.")
        return 0
    show_table(COLUMNS, [_row(one) for one in sums])
    off = [one for one in sums if one.difference or one.unread or one.missing]
    for sentence in _said(off):
        say(sentence)
    if not off:
        say("Every month ties.")
    return 1 if off else 0


def _row(one: TaxSum) -> tuple[object, ...]:
    return (
        f"{one.month:%Y-%m}",
        one.channel,
        "marketplace" if one.marketplace else "us",
        one.currency,
        one.orders,
        one.charged.amount,
        one.tax.amount,
        one.tax_read.amount,
        one.difference.amount,
        one.unread,
        one.missing,
    )


def _said(off: Sequence[TaxSum]) -> list[str]:
    said = []
    for one in off:
        where = f"{one.month:%Y-%m}, channel {one.channel}, {one.currency}"
        if one.difference:
            said.append(f"{where}: NetSuite shows {one.difference} of tax more than was charged.")
        if one.unread:
            said.append(f"{where}: {one.unread:,} orders are written and not read back yet.")
        if one.missing:
            said.append(f"{where}: {one.missing:,} orders are not in NetSuite: `bcns orders`.")
    return said
