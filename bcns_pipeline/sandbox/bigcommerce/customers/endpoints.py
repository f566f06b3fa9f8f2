"""Reading customers, addresses and groups.

Put reading endpoints here. Do not put writes here (writing.py). Source: facts/bigcommerce.md 4.1, 4.2; the
groups are v2's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import v2, v3
from bcns_pipeline.sandbox.bigcommerce.customers import shapes
from bcns_pipeline.sandbox.bigcommerce.customers.book import Address, Customer
from bcns_pipeline.sandbox.bigcommerce.paging import integers, texts
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

SCOPE = "store_v2_customers"
PAGING = frozenset({"page", "limit", "after", "before", "sort", "include"})
FILTERS = frozenset(
    {"id:in", "company:in", "customer_group_id:in", "email:in", "name:in", "name:like", "phone:in"}
    | {"date_created", "date_created:min", "date_created:max"}
    | {"date_modified", "date_modified:min", "date_modified:max"}
)
ADDRESS_FILTERS = frozenset({"id:in", "customer_id:in", "company:in", "name:in"})
SORTS: dict[str, Callable[[Customer], v3.Key]] = {
    "date_created": lambda c: (c.created, c.id),
    "date_modified": lambda c: (c.modified, c.id),
    "last_name": lambda c: (c.last_name.casefold(), c.id),
}
# A group without discounts shows an empty list, which the official file takes for all of its alternatives at
# once and so refuses; it is left out here.
GROUPS: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Retail", "is_default": True, "is_group_for_guests": False},
    {"id": 2, "name": "Wholesale", "is_default": False, "is_group_for_guests": False},
)


class Customers:
    """Endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        groups = "/v2/customer_groups"
        return [
            ("GET", "/v3/customers", "customers", self.customers, SCOPE),
            ("GET", "/v3/customers/addresses", "customer_addresses", self.addresses, SCOPE),
            ("GET", groups, "customer_groups", self.groups, SCOPE),
            ("GET", f"{groups}/{{group_id}}", "customer_group", self.group, SCOPE),
        ]

    def customers(self, call: Call) -> Answer:
        """GET /v3/customers."""
        include = frozenset(texts(call, "include") or ())
        if unknown := sorted(include - set(shapes.INCLUDES)):
            raise v3.refuse(422, f"Invalid include: {unknown[0]}")
        field, _, direction = call.query.get("sort", "").partition(":")
        if field and (field not in SORTS or direction not in ("asc", "desc")):
            raise v3.refuse(422, "The sort parameter is not valid")
        key = SORTS.get(field, lambda c: (0, c.id))
        return v3.collection(
            call,
            self._chosen(call),
            lambda one: shapes.customer(one, include),
            key,
            down=direction == "desc",
        )

    def _chosen(self, call: Call) -> list[Customer]:
        _known(call, FILTERS)
        book = self._shop.customers
        created, modified = v3.between(call, "date_created"), v3.between(call, "date_modified")
        ids, emails = integers(call, "id:in"), texts(call, "email:in")
        groups = integers(call, "customer_group_id:in")
        names, companies, phones = texts(call, "name:in"), texts(call, "company:in"), texts(call, "phone:in")
        like = call.query.get("name:like", "").casefold()
        if emails is not None:
            rows = [one for email in dict.fromkeys(emails) for one in book.by_email(email)]
        elif ids is not None:
            rows = [one for number in sorted(set(ids)) if (one := book.customers.get(number))]
        else:
            rows = list(book.customers.values())
        return [
            one
            for one in rows
            if created(one.created)
            and modified(one.modified)
            and (ids is None or one.id in ids)
            and (groups is None or one.customer_group_id in groups)
            and (names is None or f"{one.first_name} {one.last_name}" in names)
            and (companies is None or one.company in companies)
            and (phones is None or one.phone in phones)
            and like in f"{one.first_name} {one.last_name}".casefold()
        ]

    def addresses(self, call: Call) -> Answer:
        """GET /v3/customers/addresses."""
        _known(call, ADDRESS_FILTERS)
        book = self._shop.customers
        owners, ids = integers(call, "customer_id:in"), integers(call, "id:in")
        companies, names = texts(call, "company:in"), texts(call, "name:in")
        if owners is None:
            rows = list(book.addresses.values())
        else:
            found = (book.customers.get(number) for number in sorted(set(owners)))
            rows = [one for customer in found if customer is not None for one in customer.addresses]
        rows = [
            one
            for one in rows
            if (ids is None or one.id in ids)
            and (companies is None or one.values.get("company") in companies)
            and (names is None or _name(one) in names)
        ]
        fields = call.query.get("include") == "formfields"
        return v3.collection(
            call, rows, lambda one: shapes.address(one, form_fields=fields), lambda a: (0, a.id)
        )

    def groups(self, call: Call) -> Answer:
        """GET /v2/customer_groups."""
        name = call.query.get("name")
        rows = [_group(row) for row in GROUPS if name in (None, row["name"])]
        return v2.sublist(call, self._shop.settings, rows)

    def group(self, call: Call, group_id: str) -> Answer:  # noqa: ARG002 - as routed
        """GET /v2/customer_groups/{group_id}."""
        found = next((row for row in GROUPS if str(row["id"]) == group_id), None)
        if found is None:
            raise v2.missing()
        return json_answer(200, _group(found))


def _known(call: Call, filters: frozenset[str]) -> None:
    if unknown := sorted(set(call.query) - filters - PAGING):
        raise v3.refuse(422, f"The sandbox does not filter by {unknown[0]}")


def _name(one: Address) -> str:
    return f"{one.values.get('first_name', '')} {one.values.get('last_name', '')}"


def _group(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "category_access": {"type": "all"}}
