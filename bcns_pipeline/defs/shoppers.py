"""Who the shoppers are in NetSuite: found by link, external id or e-mail, many in a few queries.

Put here the reading that `rules.customers.identify` decides on. Do not decide here. The order flow asks it for the
shoppers of its orders, the customer flow for those that changed; both get the same answer for the same shopper.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from bcns_pipeline import config
from bcns_pipeline.clients.netsuite.models import AddressRow, CustomerRow
from bcns_pipeline.defs.account import account_of
from bcns_pipeline.outcomes import Lane
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.identify import (
    Create,
    Found,
    LookUp,
    Names,
    Register,
    identify,
    look_up,
    names_of,
)
from bcns_pipeline.rules.customers.merges import Merges
from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper
from bcns_pipeline.rules.customers.policy import Storefront
from bcns_pipeline.rules.orders.facts import Account
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.store import State

LINK = "customer"


@dataclass(frozen=True, slots=True)
class Ask:
    """One shopper and where it shops. `fallback` stands for a guest without e-mail: "order:1001"."""

    shopper: Shopper
    names: Names
    storefront: Storefront


def ask(connections: Connections, shopper: Shopper, fallback: str) -> Ask:
    """What `find` needs of a shopper; `fallback` ("order:1001") tells guests without an e-mail address apart."""
    channel = shopper.channel_id
    storefront = storefront_in(connections.mapping, channel, lambda: account_of(connections).oneworld)
    return Ask(shopper, names_in(connections.state, shopper, storefront, fallback), storefront)


def names_in(state: State, shopper: Shopper, storefront: Storefront, fallback: str) -> Names:
    """Under what this store knows the shopper; a guest by the keyed hash of its e-mail address."""
    hashed = state.vault.subject(shopper.email or fallback) if shopper.guest else ""
    return names_of(shopper, storefront, state.store, hashed)


def storefront_in(mapping: config.Mapping, channel_id: int, oneworld: Callable[[], bool]) -> Storefront:
    """Where a channel's shoppers go: its subsidiary, and whether that is the one of the store's first channel.

    Only a channel that the mapping file names makes `oneworld` be asked.
    """
    channel = mapping.channels.get(channel_id)
    first = mapping.channels.get(1) or next(iter(mapping.channels.values()), None)
    if channel is None:
        return Storefront(channel_id)
    subsidiary = channel.subsidiary if oneworld() else None
    return Storefront(
        channel_id,
        subsidiary,
        home=first is None or channel.subsidiary == first.subsidiary,
        guests=channel.guests,
        guest_customer=channel.guest_customer,
    )


@dataclass(frozen=True, slots=True)
class Search:
    """Who each of the shoppers is, in their order, and every customer that was read to tell."""

    found: list[Found | Create | Problem]
    rows: list[NetSuiteCustomer] = field(repr=False)


def find(
    connections: Connections, asks: Sequence[Ask], *, lane: Lane = Lane.BULK
) -> list[Found | Create | Problem]:
    """Who each of the shoppers is, in order. Raises OutsideError."""
    return search(connections, asks, lane=lane).found


def search(connections: Connections, asks: Sequence[Ask], *, lane: Lane = Lane.BULK) -> Search:
    """As `find`, with the customers that were read. Raises OutsideError."""
    policy, merges = connections.customer_policy, merges_of(connections)
    links = _links(connections, asks)
    wanted = reduce(
        or_, (look_up(one.shopper, one.names, one.storefront, links, merges) for one in asks), LookUp()
    )
    rows = read_customers(connections, wanted, lane=lane)
    register = Register(rows)
    found = [
        identify(one.shopper, one.names, one.storefront, register, links, merges, policy) for one in asks
    ]
    return Search(found, rows)


def read_customers(
    connections: Connections, wanted: LookUp, *, lane: Lane = Lane.BULK
) -> list[NetSuiteCustomer]:
    """The customers that `wanted` names, with every subsidiary that they may be used in."""
    oneworld = account_of(connections).oneworld
    client = connections.netsuite(lane).customers
    fields = [one.name for one in connections.customer_policy.fields]
    rows: dict[int, CustomerRow] = {}
    if wanted.ids:
        rows.update(client.by_id(wanted.ids, oneworld=oneworld, custom_fields=fields))
    if wanted.external_ids or wanted.emails:
        found = client.find(
            sorted(wanted.external_ids), sorted(wanted.emails), oneworld=oneworld, custom_fields=fields
        )
        rows.update((row.id, row) for row in found)
    served = client.subsidiaries(rows) if oneworld and rows else None
    return [as_customer(row, (served or {}).get(row.id)) for row in rows.values()]


def as_customer(row: CustomerRow, served: Sequence[int] | None) -> NetSuiteCustomer:
    """A row as the rules take it. Of the currencies only the customer's own is known: any other has to be added."""
    primary = frozenset() if row.subsidiary is None else frozenset({row.subsidiary})
    subsidiaries = primary | frozenset(served or ())
    return NetSuiteCustomer(
        id=row.id,
        external_id=row.external_id,
        email=row.email,
        is_person=row.is_person,
        first_name=row.first,
        last_name=row.last,
        company=row.company,
        phone=row.phone,
        inactive=row.inactive,
        subsidiaries=subsidiaries or None,
        currencies=None if row.currency is None else frozenset({row.currency}),
        taxable=row.taxable,
        values=row.custom,
    )


def as_entry(row: AddressRow) -> BookEntry:
    """An entry of an address book as the rules take it."""
    return BookEntry(
        id=row.internal_id or 0,
        addressee=row.addressee,
        addr1=row.addr1,
        addr2=row.addr2,
        city=row.city,
        state=row.state,
        zip=row.zip,
        country_code=row.country,
    )


def base_currency(account: Account, subsidiary: int | None) -> int | None:
    """The currency in which a customer of `subsidiary` is kept; None where the account does not say."""
    of_subsidiary = account.subsidiaries.get(subsidiary) if subsidiary is not None else None
    symbol = (of_subsidiary.currency if of_subsidiary else "") or account.base_currency
    found = account.currencies.get(symbol)
    return found.id if found else None


def merges_of(connections: Connections) -> Merges:
    """The merge map, whose ids are NetSuite's."""
    return Merges({int(one.from_id): int(one.into_id) for one in connections.state.merges.all()})


def _links(connections: Connections, asks: Sequence[Ask]) -> Mapping[str, int]:
    names = {name for one in asks for name in (one.names.link, one.names.shared_link)}
    found = connections.state.links.find_many(LINK, sorted(names))
    return {name: int(link.netsuite_id) for name, link in found.items()}
