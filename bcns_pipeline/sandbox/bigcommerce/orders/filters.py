"""Which orders a list asks for, and in which order.

Put the filters and the sorting of /v2/orders here. Do not put pages or JSON here. Source:
facts/bigcommerce.md 3.1: there is no filter for lists of ids, lists of statuses or the payment status. Both
bounds of a window belong to it, and dates are known to the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bcns_pipeline.sandbox.bigcommerce import money, v2
from bcns_pipeline.sandbox.bigcommerce.orders.models import Order
from bcns_pipeline.sandbox.web import Call

FILTERS = frozenset(
    {"min_id", "max_id", "min_total", "max_total", "customer_id", "email", "status_id", "cart_id"}
    | {"payment_method", "min_date_created", "max_date_created", "min_date_modified", "max_date_modified"}
    | {"channel_id", "external_order_id"}
)
PAGING = frozenset({"page", "limit", "sort", "include", "consignment_structure"})
SORTS: dict[str, Callable[[Order], Any]] = {
    "id": lambda o: o.id,
    "customer_id": lambda o: o.customer_id,
    "date_created": lambda o: o.created,
    "date_modified": lambda o: o.modified,
    "status_id": lambda o: o.status_id,
    "channel_id": lambda o: o.channel_id,
    "external_id": lambda o: o.external_id or "",
}


def chosen(call: Call, orders: Iterable[Order], *, but: frozenset[str] = frozenset()) -> list[Order]:
    """The orders that pass all filters of the query, by id ascending; raises `Refusal`."""
    query = call.query
    if unknown := sorted(set(query) - FILTERS - PAGING):
        raise v2.refuse(400, f"The field '{unknown[0]}' is not supported by this resource.")
    tests = [_test(call, name) for name in sorted(set(query) & FILTERS - but)]
    if not tests:
        return list(orders)
    if len(tests) == 1:
        only = tests[0]
        return [order for order in orders if only(order)]
    return [order for order in orders if all(test(order) for test in tests)]


def _test(call: Call, name: str) -> Callable[[Order], bool]:
    if name in ("min_id", "max_id", "customer_id", "status_id", "channel_id"):
        number = v2.integer(call, name)
        assert number is not None
        return {
            "min_id": lambda o: o.id >= number,
            "max_id": lambda o: o.id <= number,
            "customer_id": lambda o: o.customer_id == number,
            "status_id": lambda o: o.status_id == number,
            "channel_id": lambda o: o.channel_id == number,
        }[name]
    if name.endswith(("date_created", "date_modified")):
        bound = v2.moment(call, name)
        assert bound is not None
        return {
            "min_date_created": lambda o: o.created >= bound,
            "max_date_created": lambda o: o.created <= bound,
            "min_date_modified": lambda o: o.modified >= bound,
            "max_date_modified": lambda o: o.modified <= bound,
        }[name]
    value = call.query[name]
    if name in ("min_total", "max_total"):
        try:
            total = money.amount(value, name)
        except ValueError as fault:
            raise v2.invalid(name) from fault
        return (lambda o: o.total.inc >= total) if name == "min_total" else (lambda o: o.total.inc <= total)
    if name == "email":
        return lambda o: str(o.billing.get("email", "")).casefold() == value.casefold()
    field = {"cart_id": "cart_id", "payment_method": "payment_method"}.get(name, "external_order_id")
    return lambda o: bool(getattr(o, field) == value)


def in_order(call: Call, orders: list[Order]) -> list[Order]:
    """The orders as `sort` wants them; equal ones by id. Raises `Refusal`."""
    field, _, direction = call.query.get("sort", "id:asc").partition(":")
    if field not in SORTS or direction not in ("", "asc", "desc"):
        raise v2.invalid("sort")
    down = direction == "desc"
    if field == "id":
        return orders[::-1] if down else orders
    # Sorting is stable, also when reversed.
    return sorted(orders, key=SORTS[field], reverse=down)
