"""Asks NetSuite by which codes it holds the tax of a month's orders, and keeps the answers in their trails.

Put the asking here. Do not put the report here (state/finance_sql.py). Lines of tax of our own are read back with the
order; SuiteTax's rows are not, so they are asked for when a month is closed: one call for 500 orders, and more where
these have more than 1,000 codes between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bcns_pipeline.defs.account import account_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.close.reports import About
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.compare import as_shown
from bcns_pipeline.rules.orders.draft import CODE
from bcns_pipeline.state.order_models import TaxHeld

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Told:
    """`orders` whose tax NetSuite holds, `by_code` those of which it told the codes, and the fewest `calls` for it."""

    orders: int = 0
    by_code: int = 0
    calls: int = 0

    @property
    def sentence(self) -> str:
        """In one line."""
        return f"{self.by_code:,} of {self.orders:,} orders whose tax NetSuite holds, by its codes"


def ask_taxes(connections: Connections, span: About) -> Told:
    """Ask for the tax of the orders of these days by code, and keep what is new. Raises OutsideError.

    An order whose rows do not come to the tax that was read back is left out: the report has it as not told.
    """
    orders = connections.state.orders.taxed_by_netsuite(span.since, span.until)
    if not orders or not account_of(connections).suitetax:
        return Told(len(orders))
    client, told, calls = connections.netsuite(Lane.BULK).sales, 0, 0
    for start in range(0, len(orders), _BATCH):
        some = orders[start : start + _BATCH]
        rows = client.taxes((int(one.netsuite_id) for one in some), by="taxcode")
        if rows is None:
            return Told(len(orders), told, calls)
        news = {}
        for one in some:
            codes = _codes(one, rows.get(int(one.netsuite_id), {}))
            told += codes is not None
            if codes is not None and one.codes != {how: amount.minor for how, amount in codes.items()}:
                news[one.order_id] = codes
        connections.state.orders.taxed(news)
        calls += 1
    return Told(len(orders), told, calls)


def _codes(order: TaxHeld, rows: Mapping[int, Decimal]) -> dict[str, Money] | None:
    found = as_shown(rows, order.tax.amount)
    if found is None:
        return None
    return {
        f"{CODE}{code}": Money.of(amount, order.tax.currency)
        for code, amount in sorted(found.items())
        if amount
    }
