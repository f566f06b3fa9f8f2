"""Adoption: orders that another connector, or a person, has put into NetSuite are linked and never written.

Put here how such records are found and told from those that only look alike. `otherRefNum` is no key: it holds
other people's purchase orders too, so that a match counts when it is the only one with the order's total.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bcns_pipeline.clients.netsuite.models import SalesRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.dispatch_models import Dispatched
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.orders.apply import Applied, stage
from bcns_pipeline.defs.orders.lines import RECORDS
from bcns_pipeline.defs.orders.readback import read_back
from bcns_pipeline.defs.orders.run import FLOW, NOT_ADOPTED, question
from bcns_pipeline.defs.orders.take import Taken, keep
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.natural_keys import order_key
from bcns_pipeline.state.order_models import Disposition, OrderState
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

# What is not in NetSuite as far as we know, and has no write of ours on its way.
CANDIDATES: tuple[Disposition, ...] = ("open", "held", "ignored", "waiting", "listed")
LINKED, DIFFERS, AMBIGUOUS, TAKEN, NOT_FOUND = "link", "differs", "ambiguous", "taken", "not found"
_FIELD = re.compile(r"cust(body|om)[a-z0-9_]*")
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Way:
    """Where an order's number may stand: otherrefnum, externalid or a body field; `pattern` holds `{id}`."""

    name: str
    pattern: str = "{id}"

    def value(self, order_id: int) -> str:
        """What stands there for this order."""
        return self.pattern.replace("{id}", str(order_id))

    @property
    def said(self) -> str:
        """For people and the audit trail."""
        return self.name if self.pattern == "{id}" else f"{self.name} {self.pattern}"


@dataclass(frozen=True, slots=True)
class Adoptable:
    """What was found of one order. `verdict` is one of the words above; `record` the one match, where there is one."""

    order: OrderState
    verdict: str
    why: str
    record: SalesRow | None = None
    how: str = ""


def parse_ways(text: str) -> list[Way]:
    """ "otherrefnum,field:custbody_web,externalid:WEB-{id}", in the order in which they are tried. Raises BadInput."""
    ways, faults = [], []
    for word in filter(None, re.split(r"[\s,;]+", text.strip())):
        name, _, rest = word.partition(":")
        if name == "field":
            name, _, rest = rest.partition(":")
            if not _FIELD.fullmatch(name):
                faults.append(f"{word!r}: name a body field such as field:custbody_web_order.")
                continue
        elif name not in ("otherrefnum", "externalid"):
            faults.append(
                f"{word!r} is no place to look; otherrefnum, externalid:PATTERN and field:custbody_… are."
            )
            continue
        pattern = rest or "{id}"
        if "{id}" not in pattern:
            faults.append(f"{word!r}: the pattern needs {{id}}, where the order's number stands.")
            continue
        ways.append(Way(name, pattern))
    if not ways and not faults:
        faults.append(
            "Say where another connector put the order's number: otherrefnum, externalid:PATTERN, field:…"
        )
    if faults:
        raise BadInput(faults)
    return ways


def read_since(connections: Connections, since: datetime) -> Taken:
    """Read orders placed since then that we have not met, so that they can be adopted. Raises OutsideError."""
    taken, shop = Taken(), connections.bigcommerce(Lane.BULK)
    for page in shop.orders.created_between(since, shop.now()):
        taken.asked += len(page.orders)
        keep(connections, page.orders, taken)
    return taken


def find_adoptable(connections: Connections, ways: Sequence[Way]) -> list[Adoptable]:
    """Every order that is not in NetSuite as far as we know, with what was found of it. Raises OutsideError."""
    orders = {one.order_id: one for one in _candidates(connections)}
    matches: dict[int, list[tuple[SalesRow, str]]] = defaultdict(list)
    for way in ways:
        left = [one for one in orders if one not in matches]
        for order_id, row in _look(connections, way, left):
            matches[order_id].append((row, way.said))
    by_record = Counter(row.id for found in matches.values() for row, _ in found)
    ids = [str(one) for one in by_record]
    linked = connections.state.orders.by_netsuite(ids)
    symbols = {one.id: symbol for symbol, one in account_of(connections).currencies.items()}
    return [
        _judge(order, matches.get(order_id, []), by_record, set(linked), symbols)
        for order_id, order in sorted(orders.items())
    ]


def hold_back(connections: Connections, found: Iterable[Adoptable], *, accept_differences: bool) -> list[int]:
    """Orders whose number stands on a record that is not linked: they wait for a person, and are not posted."""
    left = [
        one
        for one in found
        if one.verdict == AMBIGUOUS or (one.verdict == DIFFERS and not accept_differences)
        if one.order.disposition in ("open", "waiting")
    ]
    questions = [
        question(NOT_ADOPTED, one.order.order_id, f"Order {one.order.order_id}: {one.why}", one.order.total)
        for one in left
    ]
    connections.state.exceptions.open_many(FLOW, questions)
    return [one.order.order_id for one in left]


def adopt(
    connections: Connections, found: Iterable[Adoptable], *, mode: Mode, accept_differences: bool = False
) -> tuple[Plan, Applied]:
    """Write the plan, and in mode apply link what it says and read it back. Nothing is sent to either system."""
    verdicts = {LINKED, DIFFERS} if accept_differences else {LINKED}
    chosen = [one for one in found if one.verdict in verdicts and one.record is not None]
    lines = [_line(connections.state.store, one) for one in chosen]
    return link(connections, lines, mode=mode)


def link(connections: Connections, lines: Sequence[PlanLine], *, mode: Mode) -> tuple[Plan, Applied]:
    """A plan of links, applied in mode apply: rows, links, read-back, and an end to the orders' open questions."""
    state, applied = connections.state, Applied(Dispatched())
    plan = state.plans.create(
        FLOW, mode=mode.value, as_of=datetime.now(UTC), config_digest=connections.mapping.digest
    )
    plan = state.plans.write_lines(plan, lines)
    if mode is Mode.APPLY:
        stage(connections, plan, applied)
        _heal(connections, {one.label for one in lines})
        applied.read_back = read_back(connections)
    return plan, applied


def _heal(connections: Connections, subjects: set[str]) -> None:
    """What stood in the way of posting an order stands in no way any more."""
    codes: dict[str, list[str]] = defaultdict(list)
    for row in connections.state.exceptions.find(flow=FLOW):
        if row.subject in subjects:
            codes[row.code].append(row.subject)
    for code, some in codes.items():
        connections.state.exceptions.heal(FLOW, code, some)


def _candidates(connections: Connections) -> Iterable[OrderState]:
    after = 0
    while page := connections.state.orders.find(disposition=CANDIDATES, after=after, limit=_PAGE):
        after = page[-1].order_id
        yield from (one for one in page if one.netsuite_id is None and one.code != "MATERIALITY")


def _look(connections: Connections, way: Way, order_ids: Sequence[int]) -> Iterable[tuple[int, SalesRow]]:
    if not order_ids:
        return
    by_value = {way.value(one): one for one in order_ids}
    sales, oneworld = connections.netsuite(Lane.BULK).sales, account_of(connections).oneworld
    values = list(by_value)
    if way.name == "otherrefnum":
        found = sales.legacy(other_ref_nums=values, oneworld=oneworld)
    elif way.name == "externalid":
        found = sales.legacy(external_ids=values, oneworld=oneworld)
    else:
        found = sales.legacy(custom=(way.name, values), oneworld=oneworld)
    for match in found:
        if match.value in by_value:
            yield by_value[match.value], match.row


def _judge(
    order: OrderState,
    matches: Sequence[tuple[SalesRow, str]],
    by_record: Counter[int],
    linked: set[str],
    symbols: dict[int, str],
) -> Adoptable:
    free = [(row, how) for row, how in matches if str(row.id) not in linked]
    # NetSuite gives an invoice the number of the order that it bills; the order itself is meant.
    free = [one for one in free if one[0].record_type == "salesorder"] or free
    if not matches:
        return Adoptable(order, NOT_FOUND, "NetSuite has no such number.")
    if not free:
        return Adoptable(
            order, TAKEN, "The record belongs to another order already.", matches[0][0], matches[0][1]
        )
    equal = [(row, how) for row, how in free if _equal(order, row, symbols)]
    row, how = (equal or free)[0]
    if len(equal) > 1 or (not equal and len(free) > 1) or by_record[row.id] > 1:
        return Adoptable(order, AMBIGUOUS, f"{len(free)} records carry its number.", None, how)
    if not equal:
        return Adoptable(
            order, DIFFERS, f"NetSuite has {row.foreign_total}, charged were {order.total}.", row, how
        )
    return Adoptable(order, LINKED, f"Found by {how}, equal to the cent.", row, how)


def _equal(order: OrderState, row: SalesRow, symbols: dict[int, str]) -> bool:
    currency = symbols.get(row.currency or 0, order.total.currency)
    return row.foreign_total == order.total.amount and currency == order.total.currency


def _line(store: str, one: Adoptable) -> PlanLine:
    assert one.record is not None
    return PlanLine(
        "adopt",
        "sales_order",
        one.record.external_id or order_key(store, one.order.order_id),
        {
            "order_id": one.order.order_id,
            "netsuite_id": str(one.record.id),
            "number": one.record.tran_id,
            "record": RECORDS.get(one.record.record_type, one.record.record_type),
            "version": one.order.content_hash,
            "expected": None,
            "how": one.how,
        },
        one.why,
        f"order:{one.order.order_id}",
        amount=one.order.total,
    )
