"""What a plan must know of shoppers before it can decide: their versions, their customers, and what those show.

Put here how the facts of a whole batch are read in a few calls. Do not decide here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bcns_pipeline.defs.customers.poll import KIND, natural_key
from bcns_pipeline.defs.shoppers import LINK, Ask, as_entry, read_customers, search
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.identify import Create, Found, LookUp
from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper
from bcns_pipeline.rules.customers.reading import read_customer
from bcns_pipeline.rules.orders.fields import Unreadable
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.scope import parse

# In the detail of a shopper's link: the document of the version that NetSuite was last brought to.
APPLIED = "document"


@dataclass(frozen=True, slots=True)
class Version:
    """A shopper as stored. `shopper` is None where it can't be had: `why` it can't be read, "" where it was erased."""

    document_id: int
    shopper: Shopper | None = field(repr=False)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of a batch: who each shopper is, customers and address books by NetSuite id, all that was read."""

    customers: Mapping[int, Found | Create | Problem]
    rows: Mapping[int, NetSuiteCustomer] = field(repr=False)
    books: Mapping[int, list[BookEntry]] = field(repr=False)
    last: Mapping[int, Shopper] = field(repr=False)


def versions(connections: Connections, customer_ids: Collection[int]) -> dict[int, Version]:
    """The newest version of each shopper that was ever read."""
    documents = connections.state.documents
    found = documents.latest(KIND, [natural_key(one) for one in customer_ids])
    loaded = load(connections, [one.id for one in found.values()])
    return {int(key.rpartition(":")[2]): loaded[one.id] for key, one in found.items() if one.id in loaded}


def load(connections: Connections, document_ids: Iterable[int]) -> dict[int, Version]:
    """The shoppers of these documents; unknown ids are missing."""
    found: dict[int, Version] = {}
    for number, body in connections.state.documents.load_many(set(document_ids)).items():
        if body is None:
            found[number] = Version(number, None)
            continue
        try:
            found[number] = Version(number, read_customer(parse(body)))
        except Unreadable as fault:
            found[number] = Version(number, None, str(fault))
    return found


def learn(connections: Connections, asks: Mapping[int, Ask], links: Mapping[str, Link]) -> Known:
    """Read what is needed of these shoppers: about five calls for 500 of them. Raises OutsideError."""
    searched = search(connections, list(asks.values()))
    customers = dict(zip(asks, searched.found, strict=True))
    rows = {row.id: row for row in searched.rows}
    found = {one.id for one in customers.values() if isinstance(one, Found)}
    # A customer that took another one's place, as a person said, was found without being read.
    unread = found - rows.keys()
    if unread:
        rows |= {row.id: row for row in read_customers(connections, LookUp(ids=frozenset(unread)))}
    written = {one: applied(links.get(ask.names.link)) for one, ask in asks.items()}
    earlier = load(connections, [number for number in written.values() if number is not None])
    last = {
        one: earlier[number].shopper
        for one, number in written.items()
        if number in earlier and _same_customer(links[asks[one].names.link], customers[one])
    }
    return Known(
        customers=customers,
        rows=rows,
        books=books_of(connections, found & rows.keys()),
        last={one: shopper for one, shopper in last.items() if shopper is not None},
    )


def books_of(connections: Connections, netsuite_ids: Collection[int]) -> dict[int, list[BookEntry]]:
    """The address books of these customers; none where addresses are not ours to write."""
    policy = connections.customer_policy
    if not netsuite_ids or not policy.addresses or policy.owner("addresses") == "netsuite":
        return {}
    read = connections.netsuite(Lane.BULK).customers.addresses(netsuite_ids)
    return {one: [as_entry(row) for row in rows] for one, rows in read.items()}


def links_of(connections: Connections, asks: Iterable[Ask]) -> dict[str, Link]:
    """The links of these shoppers that have one, by link name."""
    return connections.state.links.find_many(LINK, [one.names.link for one in asks])


def applied(link: Link | None) -> int | None:
    """The document of the version that NetSuite was last brought to, None where it never was."""
    number = None if link is None else link.detail.get(APPLIED)
    return int(number) if number is not None else None


def _same_customer(link: Link, found: Found | Create | Problem) -> bool:
    """What was written to a customer that is gone says nothing of the one that is there."""
    return isinstance(found, Found) and link.netsuite_id == str(found.id)
