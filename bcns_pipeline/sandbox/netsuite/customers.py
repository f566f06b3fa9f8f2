"""Customers: what is mandatory, what is unique, what may change, and how SuiteQL shows them.

Put the rules of the record here. Do not put its properties here (customer.py) nor HTTP (records.py). Sources:
facts/netsuite.md 3.2, 3.3, 3.6 and 4. E-mail addresses need not be unique; entity ids must be.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.account import Account
from bcns_pipeline.sandbox.netsuite.addresses import BadAddress
from bcns_pipeline.sandbox.netsuite.customer import RELATIONSHIP
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.definition import Definition
from bcns_pipeline.sandbox.netsuite.entity import Customer
from bcns_pipeline.sandbox.netsuite.errors import Refused, duplicate, invalid_field, missing
from bcns_pipeline.sandbox.netsuite.reading import EXTERNAL_ID, Ref
from bcns_pipeline.sandbox.netsuite.showing import plain, show

FIRST_ID = 3001
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Customers:
    """The customers of one account. All changes happen on the event loop."""

    def __init__(self, definition: Definition, database: Database, clock: Clock) -> None:
        self.definition = definition
        self._database = database
        self._clock = clock
        self.account: Account | None = None
        self.clear()

    def clear(self) -> None:
        """No customers, as after a new seed."""
        self._customers: dict[int, Customer] = {}
        # Entities of all types share one namespace of external ids; here only customers live in it.
        self._by_external: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        self._relations = itertools.count(301)
        self._next = itertools.count(FIRST_ID)

    def __iter__(self) -> Iterator[Customer]:
        """All of them, oldest first."""
        return iter(self._customers.values())

    def get(self, number: int) -> Customer | None:
        """The customer with this internal id."""
        return self._customers.get(number)

    def by_external(self, external: str) -> Customer | None:
        """The customer with this external id."""
        found = self._by_external.get(external)
        return None if found is None else self._customers[found]

    # -- what records.py asks --------------------------------------------------------------------------------

    def find(self, key: str) -> int | None:
        """The internal id that a path names."""
        if key.startswith("eid:"):
            return self._by_external.get(key.removeprefix("eid:"))
        return int(key) if key.isdigit() and int(key) in self._customers else None

    def create(self, given: dict[str, Any]) -> int:
        """A new customer; returns its id."""
        now = self._clock.account()
        customer = Customer(next(self._next), now, now)
        customer.values = {"isInactive": False, "isPerson": False, "taxable": True}
        self._write(customer, given, frozenset(), new=True)
        return customer.id

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Only what is given changes; addresses without id are added."""
        self._write(self._customers[number], given, replace, new=False)

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body, and the lines of each sublist."""
        customer = self._customers[number]
        zone = self._clock.aware
        body = show(self.definition.fields, customer.values)
        body["dateCreated"] = plain(zone(customer.created))
        body["lastModifiedDate"] = plain(zone(customer.modified))
        registration = self.definition.sublists.get("taxRegistration")
        lists: dict[str, list[dict[str, Any]]] = {
            "addressBook": customer.book.shown(),
            "currencyList": [
                {"currency": self._currency(one).shown()} for one in (customer.currency, *customer.currencies)
            ],
        }
        if registration is not None:
            lists["taxRegistration"] = [show(registration.fields, one) for one in customer.registrations]
        return body, lists

    # -- rules -----------------------------------------------------------------------------------------------

    def _write(
        self, customer: Customer, given: dict[str, Any], replace: frozenset[str], *, new: bool
    ) -> None:
        """Check everything, then change everything."""
        before = customer.values
        lists = {name: given.get(name) for name in self.definition.sublists}
        after = {**before, **{name: value for name, value in given.items() if name not in lists}}
        after = {name: value for name, value in after.items() if value is not None}
        if not new and bool(after.get("isPerson")) != bool(before.get("isPerson")):
            raise Refused(
                "USER_ERROR", "The field isPerson can't be changed on an existing record.", "isPerson"
            )
        after.setdefault("entityId", f"CUST{customer.id}")
        after.setdefault("currency", self._currency(1))
        self._mandatory(after)
        self._unique(customer.id, after)
        try:
            book = customer.book.merged(lists["addressBook"], replace="addressBook" in replace)
        except BadAddress as fault:
            raise Refused("INVALID_CONTENT", str(fault), "addressBook") from fault
        for index, name in ((self._by_external, "externalId"), (self._by_name, "entityId")):
            if name in before:
                index.pop(before[name], None)
            if name in after:
                index[after[name]] = customer.id
        customer.values, customer.book = after, book
        if "currencyList" in replace:
            customer.currencies = []
        for line in lists["currencyList"] or ():
            if (one := line.get("currency")) and one.id not in (customer.currency, *customer.currencies):
                customer.currencies.append(one.id)
        for line in lists.get("taxRegistration") or ():
            customer.registrations.append({"id": 500 + len(customer.registrations), **line})
        customer.modified = self._clock.account()
        self._customers[customer.id] = customer
        self.store(customer)

    def _mandatory(self, body: dict[str, Any]) -> None:
        needed = ["lastName"] if body.get("isPerson") else ["companyName"]
        if "subsidiary" in self.definition.fields.properties:
            needed.append("subsidiary")
        for name in needed:
            if name not in body:
                raise missing(name)
        email = body.get("email")
        if email is not None and not EMAIL.fullmatch(email):
            raise invalid_field(email, "email", "email")

    def _unique(self, number: int, body: dict[str, Any]) -> None:
        external = body.get("externalId")
        if external is not None and not EXTERNAL_ID.match(external):
            raise Refused("USER_ERROR", f"Invalid external id '{external}'.", "externalId")
        for index, name in ((self._by_external, "externalId"), (self._by_name, "entityId")):
            if index.get(body.get(name, ""), number) != number:
                raise duplicate()

    def _currency(self, number: int) -> Ref:
        assert self.account is not None
        return Ref(number, self.account.currencies[number].name)

    # -- by other hands --------------------------------------------------------------------------------------

    def relate(self, customer: Customer, subsidiary: int) -> int:
        """Give a customer a further subsidiary; returns the id of the relationship."""
        if subsidiary in (customer.subsidiary, *customer.subsidiaries):
            raise duplicate()
        number = next(self._relations)
        customer.subsidiaries[subsidiary] = number
        customer.modified = self._clock.account()
        self.store(customer)
        return number

    def remove(self, customer: Customer) -> None:
        """Delete a customer, as a merge does; it leaves a `deletedrecord`."""
        self._customers.pop(customer.id)
        for index, name in ((self._by_external, "externalId"), (self._by_name, "entityId")):
            if name in customer.values:
                index.pop(customer.values[name], None)
        backlog = self._database.backlog
        for table in (
            "customer",
            "customeraddressbook",
            "customeraddressbookentityaddress",
            "customersubsidiaryrelationship",
        ):
            backlog.put(table, customer.id, ())
        gone = {"recordid": customer.id, "type": "customer", "deleteddate": self._clock.account()}
        backlog.put("deletedrecord", customer.id, [gone])

    def store(self, customer: Customer) -> None:
        """Show the customer in SuiteQL."""
        row: dict[str, Any] = {"id": customer.id, "datecreated": customer.created}
        row["lastmodifieddate"] = customer.modified
        for name, rule in self.definition.fields.properties.items():
            value = customer.values.get(name)
            if rule.column is None or value is None or rule.shape == "datetime":
                continue
            if rule.shape == "bool":
                value = "T" if value else "F"
            row[rule.column] = value.id if isinstance(value, Ref) else value
        for purpose, column in (
            ("defaultShipping", "defaultshippingaddress"),
            ("defaultBilling", "defaultbillingaddress"),
        ):
            if found := customer.book.default(purpose):
                row[column] = found[0]
        book, addresses = customer.book.rows(customer.id)
        backlog = self._database.backlog
        backlog.put("customer", customer.id, [row])
        backlog.put("customeraddressbook", customer.id, book)
        backlog.put("customeraddressbookentityaddress", customer.id, addresses)
        if "subsidiary" in self.definition.fields.properties:
            backlog.put("customersubsidiaryrelationship", customer.id, list(relations(customer)))


class Relationships:
    """The record type `customerSubsidiaryRelationship`, where the account has multi-subsidiary customers."""

    definition = RELATIONSHIP

    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    def find(self, key: str) -> int | None:
        """The relationship with this internal id."""
        number = int(key) if key.isdigit() else -1
        return number if any(number in c.subsidiaries.values() for c in self._customers) else None

    def create(self, given: dict[str, Any]) -> int:
        """A further subsidiary for a customer."""
        for name in ("entity", "subsidiary"):
            if given.get(name) is None:
                raise missing(name)
        customer = self._customers.get(given["entity"].id)
        assert customer is not None
        return self._customers.relate(customer, given["subsidiary"].id)

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:  # noqa: ARG002
        """Nothing of a relationship can be changed."""
        raise Refused("USER_ERROR", "A customerSubsidiaryRelationship can't be changed.")

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """Whose subsidiary it is."""
        for customer in self._customers:
            for subsidiary, relation in customer.subsidiaries.items():
                if relation == number:
                    entity = Ref(customer.id, customer.name)
                    return show(RELATIONSHIP.fields, {"entity": entity, "subsidiary": Ref(subsidiary)}), {}
        raise KeyError(number)


def relations(customer: Customer) -> Iterator[dict[str, Any]]:
    """The customer's subsidiaries as SuiteQL rows, the primary one first."""
    common = {"entity": customer.id, "lastmodifieddate": customer.modified}
    yield {"id": 100_000 + customer.id, "subsidiary": customer.subsidiary, "isprimarysub": "T", **common}
    for subsidiary, number in customer.subsidiaries.items():
        yield {"id": number, "subsidiary": subsidiary, "isprimarysub": "F", **common}
