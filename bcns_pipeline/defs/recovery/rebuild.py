"""Rebuild: after the database was lost, what we know of orders is made anew from NetSuite's own keys.

Put here how our records are found again by external id and linked. Nothing is written to either system: a record
that holds an order's key is that order, whoever forgets it. Customers and shipments need no rebuild, since their
flows look for keys and markers before they write.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bcns_pipeline.clients.netsuite.models import SalesRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.orders.apply import Applied
from bcns_pipeline.defs.orders.details import read_details
from bcns_pipeline.defs.orders.facts import learn
from bcns_pipeline.defs.orders.fates import Fate
from bcns_pipeline.defs.orders.lines import link_line
from bcns_pipeline.defs.orders.take import Taken, keep
from bcns_pipeline.defs.polling import cutover_of
from bcns_pipeline.defs.recovery.adoption import link
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.natural_keys import order_id_of, order_key
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.sales_order import build
from bcns_pipeline.state.plan_lines import PlanLine
from bcns_pipeline.state.plans import Plan

# SuiteQL compares with NetSuite's own clock; nothing of ours is older.
EVER = "2000-01-01 00:00:00"
_BATCH = 500


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found, as ids of BigCommerce orders. `gone`: NetSuite has it and the store does not."""

    found: dict[int, SalesRow] = field(default_factory=dict)
    known: int = 0
    linked: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    applied: Applied | None = None
    plan: Plan | None = None

    @property
    def sentence(self) -> str:
        """The rebuild in one line, as an identity."""
        parts = [
            f"{self.known:,} known",
            f"{len(self.linked):,} to link",
            f"{len(self.gone):,} not in the store",
        ]
        if self.unreadable:
            parts.append(f"{len(self.unreadable):,} unreadable")
        return f"rebuild: {len(self.found):,} of our records are in NetSuite = {' + '.join(parts)}"


def rebuild(connections: Connections, *, mode: Mode) -> Rebuilt:
    """Find our records, read their orders, and in mode apply link them. Raises OutsideError."""
    done = Rebuilt(found=scan(connections))
    states = connections.state.orders.many(done.found)
    missing = [one for one in sorted(done.found) if one not in states or states[one].netsuite_id is None]
    done.known = len(done.found) - len(missing)
    lines: list[PlanLine] = []
    for at in range(0, len(missing), _BATCH):
        lines += _lines(connections, missing[at : at + _BATCH], done, mode)
    if mode is Mode.APPLY:
        done.plan, done.applied = link(connections, lines, mode=mode)
    return done


def scan(connections: Connections) -> dict[int, SalesRow]:
    """{order: NetSuite's record} of everything that carries a key of this store.

    Sales orders are found by the prefix of the key; what else may hold it (cash sales) by the keys of the
    store's own orders since the cutover.
    """
    store, oneworld = connections.state.store, account_of(connections).oneworld
    sales = connections.netsuite(Lane.BULK).sales
    prefix = order_key(store, 1).removesuffix("1")
    found: dict[int, SalesRow] = {}
    for page in sales.changed(EVER, prefix=prefix, oneworld=oneworld):
        found.update(_by_order(store, page))
    since = cutover_of(connections.mapping)
    if since is not None:
        shop = connections.bigcommerce(Lane.BULK)
        heads = shop.orders.ids(since, shop.now())
        keys = [order_key(store, one.id) for one in heads if one.id not in found]
        found.update(_by_order(store, sales.by_external_id(keys, oneworld=oneworld).values()))
    return found


def _by_order(store: str, rows: Iterable[SalesRow]) -> Iterable[tuple[int, SalesRow]]:
    for row in rows:
        order_id = order_id_of(store, row.external_id)
        if order_id is not None:
            yield order_id, row


def _lines(connections: Connections, order_ids: Sequence[int], done: Rebuilt, mode: Mode) -> list[PlanLine]:
    shop, state, taken = connections.bigcommerce(Lane.BULK).orders, connections.state, Taken()
    documents = shop.get_many(order_ids)
    done.gone += [one for one in order_ids if one not in documents]
    if mode is Mode.PLAN:
        done.linked += list(documents)
        return []
    orders = keep(connections, list(documents.values()), taken)
    done.unreadable += sorted(taken.unreadable)
    drafts = _drafts(connections, orders)
    states = state.orders.many([order.id for order in orders])
    fates = [
        Fate(
            states[order.id],
            "posted",
            "linked",
            reason="found under our key by a rebuild",
            draft=drafts.get(order.id),
            there=done.found[order.id],
        )
        for order in orders
        if order.id in states
    ]
    done.linked += [one.state.order_id for one in fates]
    return [link_line(one) for one in fates]


def _drafts(connections: Connections, orders: Sequence[Order]) -> dict[int, Draft]:
    """What each order comes to by the mapping of now, to be compared with what NetSuite shows; where it can be told."""
    details, unreadable = read_details(connections, orders)
    readable = [order for order in orders if order.id not in unreadable]
    known = learn(connections, readable)
    drafts: dict[int, Draft] = {}
    for order in readable:
        facts = known.of(order)
        built = (
            []
            if isinstance(facts, Problem)
            else build(order, details[order.id], facts, connections.order_policy)
        )
        if isinstance(built, Draft):
            drafts[order.id] = built
    return drafts
