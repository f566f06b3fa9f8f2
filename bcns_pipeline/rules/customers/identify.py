"""Which NetSuite customer a shopper is: by link, then by external id, then by e-mail address.

Put the ladder here. Do not look anything up here: `look_up` says what has to be read, for many shoppers in a
few queries, and `identify` decides on what was found. Sentences name customers by id, never a shopper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bcns_pipeline.rules.customers.merges import Merges
from bcns_pipeline.rules.customers.model import NetSuiteCustomer, Shopper, fold_email
from bcns_pipeline.rules.customers.policy import CustomerPolicy, Storefront
from bcns_pipeline.rules.natural_keys import customer_key, guest_key
from bcns_pipeline.rules.orders.facts import CustomerRef
from bcns_pipeline.rules.orders.problems import Problem

How = Literal["link", "external_id", "email", "channel_guest"]


@dataclass(frozen=True, slots=True)
class Names:
    """Under what a shopper is known: `natural_key` (NetSuite's external id) and `link` (our own table).

    `shared_key` and `shared_link` are those of the home subsidiary, whose customer may serve this one too;
    they are the same for a shopper of the home subsidiary.
    """

    natural_key: str
    link: str
    shared_key: str
    shared_link: str


@dataclass(frozen=True, slots=True)
class LookUp:
    """What has to be read before `identify` can decide."""

    ids: frozenset[int] = frozenset()
    external_ids: frozenset[str] = frozenset()
    emails: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: LookUp) -> LookUp:
        return LookUp(
            self.ids | other.ids, self.external_ids | other.external_ids, self.emails | other.emails
        )


class Register:
    """Customers that were read, by id, external id and folded e-mail address."""

    def __init__(self, rows: Iterable[NetSuiteCustomer]) -> None:
        self._by_id = {row.id: row for row in rows}
        self._by_external_id = {row.external_id: row for row in self._by_id.values() if row.external_id}
        self._by_email: dict[str, list[NetSuiteCustomer]] = defaultdict(list)
        for number in sorted(self._by_id):
            row = self._by_id[number]
            if fold_email(row.email):
                self._by_email[fold_email(row.email)].append(row)

    def get(self, customer_id: int) -> NetSuiteCustomer | None:
        """The customer of that id."""
        return self._by_id.get(customer_id)

    def under(self, external_id: str) -> NetSuiteCustomer | None:
        """The customer of that external id."""
        return self._by_external_id.get(external_id)

    def with_email(self, email: str) -> Sequence[NetSuiteCustomer]:
        """All customers of that folded e-mail address, by ascending id; none for a blank one."""
        return self._by_email.get(email, ()) if email else ()


@dataclass(frozen=True, slots=True)
class Found:
    """The shopper is this customer. `row` is None where it was not read (a channel's guest, a merged one)."""

    id: int
    how: How
    row: NetSuiteCustomer | None = None

    @property
    def ref(self) -> CustomerRef:
        """For the order's plan."""
        row = self.row
        if row is None:
            return CustomerRef(id=self.id)
        exempt = None if row.taxable is None else not row.taxable
        return CustomerRef(self.id, row.external_id, row.subsidiaries, row.currencies, exempt)


@dataclass(frozen=True, slots=True)
class Create:
    """Nobody yet: a customer is to be made under this key. Two orders of one new shopper give the same key."""

    natural_key: str
    subsidiary: int | None = None

    @property
    def ref(self) -> CustomerRef:
        """For the order's plan."""
        served = None if self.subsidiary is None else frozenset({self.subsidiary})
        return CustomerRef(external_id=self.natural_key, subsidiaries=served)


def names_of(shopper: Shopper, storefront: Storefront, store: str, guest_hash: str = "") -> Names:
    """A shopper's names. `guest_hash`: the keyed hash (hex, 16 digits at least) of a guest's e-mail address.

    A guest without an e-mail address is hashed by its order instead, so that it is a customer of its own.
    ValueError for a guest without a hash.
    """
    if shopper.guest:
        if len(guest_hash) < 16:
            raise ValueError("a guest is known by at least 16 hex digits of the hash of its e-mail address")
        key, link = guest_key(store, guest_hash), f"guest:{guest_hash[:16]}"
    else:
        key, link = customer_key(store, shopper.customer_id), str(shopper.customer_id)
    if storefront.home or storefront.subsidiary is None:
        return Names(key, link, key, link)
    return Names(f"{key}-s{storefront.subsidiary}", f"{link}@{storefront.subsidiary}", key, link)


def look_up(
    shopper: Shopper, names: Names, storefront: Storefront, links: Mapping[str, int], merges: Merges
) -> LookUp:
    """What to read for this shopper; unite those of a batch with `|`. `links`: our link to NetSuite's id."""
    if shopper.guest and storefront.guests == "channel_guest":
        guest = storefront.guest_customer
        return LookUp() if guest is None else LookUp(frozenset({merges.survivor(guest)}))
    linked = [links[name] for name in (names.link, names.shared_link) if name in links]
    emails = {shopper.email} if shopper.email and _by_email(shopper, storefront) else set()
    return LookUp(
        frozenset({merges.survivor(one) for one in linked}),
        frozenset({names.natural_key, names.shared_key}),
        frozenset(emails),
    )


def identify(
    shopper: Shopper,
    names: Names,
    storefront: Storefront,
    register: Register,
    links: Mapping[str, int],
    merges: Merges,
    policy: CustomerPolicy,
) -> Found | Create | Problem:
    """Who the shopper is in NetSuite, or that it is nobody yet, or why nobody can say.

    A link or key whose customer is gone from NetSuite counts for nothing, and the next rung is tried. An
    inactive customer is a problem on every rung, since NetSuite would refuse whatever is posted to it.
    """
    if shopper.guest and storefront.guests == "channel_guest":
        return _channel_guest(storefront, register, merges)
    for name in (names.link, names.shared_link):
        if name in links:
            found = _settled(links[name], "link", register, merges, storefront)
            if found is not None:
                return found
    for key in (names.natural_key, names.shared_key):
        row = register.under(key)
        found = None if row is None else _settled(row.id, "external_id", register, merges, storefront)
        if found is not None:
            return found
    taken = register.under(names.natural_key)
    if taken is not None:
        # Making one would fail: its key is held by a customer that may not be used here.
        return Problem(
            "SUBSIDIARY_MISMATCH",
            f"Customer {taken.id} is the shopper's, but does not belong to subsidiary "
            f"{storefront.subsidiary} of channel {storefront.channel_id}.",
            f"customer:{taken.id}",
        )
    if _by_email(shopper, storefront):
        return _of_email(shopper, names, storefront, register, merges, policy)
    return Create(names.natural_key, storefront.subsidiary)


def one_each(
    found: Sequence[Found | Create | Problem], shoppers: Sequence[tuple[Shopper, Storefront]]
) -> list[Found | Create | Problem]:
    """The answers for a batch, where shoppers that nobody has yet and that the e-mail address makes one get one key.

    Posted one after the other, the second would find the first by its address: a guest who then signs up, or one
    person with an account on each of two storefronts of one subsidiary. The first of the batch gives the key.
    """
    first: dict[tuple[str, int | None], Create] = {}
    united: list[Found | Create | Problem] = []
    for answer, (shopper, storefront) in zip(found, shoppers, strict=True):
        if isinstance(answer, Create) and shopper.email and _by_email(shopper, storefront):
            united.append(first.setdefault((shopper.email, answer.subsidiary), answer))
        else:
            united.append(answer)
    return united


def _by_email(shopper: Shopper, storefront: Storefront) -> bool:
    return not shopper.guest or storefront.guests == "match_email"


def _channel_guest(storefront: Storefront, register: Register, merges: Merges) -> Found | Problem:
    if storefront.guest_customer is None:
        return Problem(
            "CHANNEL_UNMAPPED",
            f"Guests of channel {storefront.channel_id} share one customer, but channels."
            f"{storefront.channel_id}.guest_customer names none.",
            f"channel:{storefront.channel_id}",
        )
    customer_id = merges.survivor(storefront.guest_customer)
    row = register.get(customer_id)
    if row is not None and row.inactive:
        return _inactive(customer_id, "channel_guest")
    return Found(customer_id, "channel_guest", row)


def _settled(
    customer_id: int, how: How, register: Register, merges: Merges, storefront: Storefront
) -> Found | Problem | None:
    """The customer that stands for `customer_id` now; None where it is gone or is another subsidiary's."""
    survivor = merges.survivor(customer_id)
    row = register.get(survivor)
    if row is None:
        # A person said that it took the other's place, so it is there although it was not read.
        return Found(survivor, how) if survivor != customer_id else None
    if not row.serves(storefront.subsidiary):
        return None
    return _inactive(survivor, how) if row.inactive else Found(survivor, how, row)


def _of_email(
    shopper: Shopper,
    names: Names,
    storefront: Storefront,
    register: Register,
    merges: Merges,
    policy: CustomerPolicy,
) -> Found | Create | Problem:
    rows = [row for row in register.with_email(shopper.email) if row.serves(storefront.subsidiary)]
    if not rows:
        return Create(names.natural_key, storefront.subsidiary)
    active = [row for row in rows if not row.inactive]
    if not active:
        return _inactive(rows[0].id, "email")
    standing = sorted({merges.survivor(row.id) for row in active})
    if len(standing) > 1 and policy.ambiguous == "exception":
        named = ", ".join(str(number) for number in standing[:5])
        more = f" and {len(standing) - 5} more" if len(standing) > 5 else ""
        return Problem("CUSTOMER_AMBIGUOUS", f"Customers {named}{more} have the shopper's e-mail address.")
    found = _settled(standing[0], "email", register, merges, storefront)
    return Found(standing[0], "email") if found is None else found


def _inactive(customer_id: int, how: How) -> Problem:
    found_by = {
        "link": "by its link",
        "external_id": "by its external id",
        "email": "by the e-mail address",
        "channel_guest": "as the channel's guest",
    }
    return Problem(
        "CUSTOMER_INACTIVE",
        f"Customer {customer_id}, found {found_by[how]}, is inactive.",
        f"customer:{customer_id}",
    )
