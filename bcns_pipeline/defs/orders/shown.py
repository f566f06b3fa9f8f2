"""What NetSuite shows of orders that are there, in the shape that the rules compare.

Put the reading of sales transactions here, many in a few calls. Do not compare here (rules/orders/compare.py).
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import chain

from bcns_pipeline.clients.netsuite.models import SalesLine, SalesRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.orders.run import LANE
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.orders.facts import Shown, ShownLine

ZERO = Decimal(0)
# The lines of so many orders, five each, are one page of a thousand; so many pages are read at once.
LINES_OF, MOST_BESIDE = 200, 4


def found_by_key(connections: Connections, keys: Iterable[str], *, lane: Lane = LANE) -> dict[str, SalesRow]:
    """{external id: header} of those that NetSuite has already."""
    oneworld = account_of(connections).oneworld
    return connections.netsuite(lane).sales.by_external_id(keys, oneworld=oneworld)


def shown(connections: Connections, ids: Iterable[int], *, lane: Lane = LANE) -> dict[int, Shown]:
    """{internal id: the record with its lines}; deleted ones are missing. Raises OutsideError."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    account, policy = account_of(connections), connections.order_policy
    client = connections.netsuite(lane).sales
    key_field = policy.line_id_field
    fields = (key_field,) if key_field else ()
    pieces = [wanted[start : start + LINES_OF] for start in range(0, len(wanted), LINES_OF)]
    # Side by side: the next run waits for this one's read-back before it writes.
    with ThreadPoolExecutor(1 + min(len(pieces), MOST_BESIDE), thread_name_prefix="shown") as beside:
        asked = [beside.submit(client.lines, piece, custom_fields=fields) for piece in pieces]
        headers = client.by_id(wanted, oneworld=account.oneworld)
        lines: dict[int, list[SalesLine]] = {one: [] for one in headers}
        for line in chain.from_iterable(one.result() for one in asked):
            # A record that went away between the two reads is missing.
            if line.transaction in lines:
                lines[line.transaction].append(line)
    symbols = {number: symbol for symbol, number in policy.currencies.items()}
    symbols |= {currency.id: symbol for symbol, currency in account.currencies.items()}
    return {
        one: _shown(row, lines[one], _symbol(row.currency, symbols, account.base_currency), key_field)
        for one, row in headers.items()
    }


def _symbol(currency: int | None, symbols: Mapping[int, str], base: str) -> str:
    """A record's currency; `base` where the account has but one, and its id where nobody told the symbol."""
    return base if currency is None else symbols.get(currency, str(currency))


def _shown(row: SalesRow, lines: Iterable[SalesLine], currency: str, key_field: str) -> Shown:
    tax = shipping = ZERO
    items: list[ShownLine] = []
    for line in lines:
        if line.is_tax:
            tax += line.amount
        elif line.is_shipping:
            shipping += line.amount
        elif line.item is not None:
            items.append(_line(line, key_field))
    return Shown(
        id=row.id,
        status=row.status,
        total=row.foreign_total,
        tax=tax,
        currency=currency,
        lines=tuple(items),
        shipping=shipping,
        base_total=row.total,
        header={"tranid": row.tran_id, "entity": row.entity, "subsidiary": row.subsidiary},
    )


def _line(line: SalesLine, key_field: str) -> ShownLine:
    assert line.item is not None
    return ShownLine(
        line=line.line,
        item=line.item,
        quantity=line.quantity or ZERO,
        amount=line.amount,
        key=line.custom.get(key_field.lower(), "") if key_field else "",
        fulfilled=line.quantity_fulfilled,
        billed=line.quantity_billed,
        closed=line.closed,
    )
