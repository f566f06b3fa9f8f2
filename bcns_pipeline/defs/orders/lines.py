"""Plan lines: the customer, its currency, the order, as operations to be staged.

Put here what a line carries. Do not decide here whether there is one. Payloads are sealed under the shopper's key;
labels, keys, reasons and amounts are in clear and hold no personal data.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bcns_pipeline.defs.orders.facts import Known
from bcns_pipeline.defs.orders.fates import Fate
from bcns_pipeline.defs.orders.run import CURRENCY, CUSTOMER, EDIT, FLOW, ORDER
from bcns_pipeline.defs.polling import subject_of
from bcns_pipeline.defs.shoppers import base_currency
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.customers.body import currency_patch, customer_body
from bcns_pipeline.rules.customers.identify import Create, Found
from bcns_pipeline.rules.customers.model import Shopper
from bcns_pipeline.rules.customers.policy import CustomerPolicy
from bcns_pipeline.rules.natural_keys import edit_key
from bcns_pipeline.rules.orders.draft import Draft
from bcns_pipeline.rules.orders.edits import Patch
from bcns_pipeline.rules.orders.facts import Account, CustomerRef
from bcns_pipeline.rules.orders.model import Order
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.plan_lines import PlanLine

# As SuiteQL spells record types, and as the record API does.
RECORDS = {"salesorder": "salesOrder", "cashsale": "cashSale", "invoice": "invoice"}


def group_of(customer: CustomerRef) -> str:
    """What belongs to one customer is sent one after the other; different customers go side by side."""
    return customer.external_id if customer.id is None else f"customer:{customer.id}"


def customer_line(connections: Connections, known: Known, order: Order, customer: Create) -> PlanLine:
    """Make the customer of this order."""
    one = known.asks[order.id]
    policies = connections.order_policy, connections.customer_policy
    line = new_customer(order, customer, one.shopper, one.names.link, known.account, *policies)
    return replace(line, subject=_subject(connections, order))


def new_customer(
    order: Order, customer: Create, shopper: Shopper, link: str, account: Account,
    orders: OrderPolicy, customers: CustomerPolicy,
) -> PlanLine:  # fmt: skip
    """The line that makes a customer; whoever stores it says whose data it holds."""
    body = customer_body(
        shopper,
        customer.natural_key,
        customers,
        subsidiary=customer.subsidiary,
        base_currency=base_currency(account, customer.subsidiary),
        currency=_currency(orders, account, order),
    )
    return PlanLine(
        "create",
        CUSTOMER,
        customer.natural_key,
        {"body": body, "link": link, "order_id": order.id},
        "nobody has this shopper's link, key or e-mail address yet",
        f"order:{order.id}",
        group_key=group_of(customer.ref),
    )


def charged_in(connections: Connections, known: Known, orders: Iterable[Order]) -> dict[int, frozenset[int]]:
    """{order: the currencies that its customer has}, of customers that are there and whose own currency was read.

    Of others only the order's is known: it is there where we have added it before.
    """
    has, keys = {}, {}
    for order in orders:
        customer, currency = (
            known.customers[order.id],
            _currency(connections.order_policy, known.account, order),
        )
        if isinstance(customer, Found) and customer.row is not None and customer.row.currencies is not None:
            has[order.id] = customer.row.currencies
            if currency is not None and currency not in has[order.id]:
                keys[order.id] = currency_key(customer.id, currency), currency
    wanted = sorted({key for key, _ in keys.values()})
    added = (
        connections.state.outbox.find(flow=FLOW, states=("confirmed",), natural_keys=wanted) if wanted else ()
    )
    there = {one.natural_key for one in added}
    return has | {one: has[one] | {currency} for one, (key, currency) in keys.items() if key in there}


def currency_key(customer_id: int | None, currency: int) -> str:
    """Key of the operation that gives a customer a currency; NetSuite takes none from one that was charged in it."""
    return f"customer-{customer_id}-currency-{currency}"


def new_currency(
    order: Order, customer: CustomerRef, has: frozenset[int] | None, orders: OrderPolicy, account: Account
) -> PlanLine | None:
    """Let a customer that is there be charged in the order's currency, if it was never charged in it before.

    `has` None = its currencies are not known: then the line is made.
    """
    currency = _currency(orders, account, order)
    body = None if currency is None else currency_patch(has, currency)
    if body is None:
        return None
    return PlanLine(
        "patch",
        CURRENCY,
        currency_key(customer.id, currency),
        {"id": customer.id, "body": body, "order_id": order.id},
        f"its first order in {order.currency}",
        f"order:{order.id}",
        group_key=group_of(customer),
    )


def order_line(
    connections: Connections, known: Known, order: Order, state: OrderState, draft: Draft
) -> PlanLine:
    """Create the sales order or cash sale."""
    customer: Any = known.customers[order.id]
    line = new_order(order.id, state.content_hash, draft, customer.ref)
    return replace(line, subject=_subject(connections, order))


def new_order(order_id: int, version: str, draft: Draft, customer: CustomerRef) -> PlanLine:
    """The line that makes an order's record; whoever stores it says whose data it holds."""
    return PlanLine(
        "create",
        ORDER,
        draft.natural_key,
        {
            "record": draft.record,
            "method": "create",
            "body": draft.body(),
            "order_id": order_id,
            "version": version,
            "expected": draft.expected.document(),
            "sources": dict(draft.sources),
        },
        f"{draft.sources['identity']} closes, tax by {draft.sources['tax_source']}",
        f"order:{order_id}",
        group_key=group_of(customer),
        amount=draft.impact,
    )


def link_line(fate: Fate) -> PlanLine:
    """Remember a record that NetSuite has already; nothing is sent."""
    there, state = fate.there, fate.state
    assert there is not None
    record = RECORDS.get(there.record_type, there.record_type)
    return PlanLine(
        "link" if fate.disposition == "posted" else "adopt",
        ORDER,
        there.external_id,
        {
            "order_id": state.order_id,
            "netsuite_id": str(there.id),
            "number": there.tran_id,
            "record": record,
            "version": state.content_hash,
            "expected": fate.draft.expected.document() if fate.draft else None,
        },
        fate.reason or "",
        f"order:{state.order_id}",
    )


def edit_line(
    connections: Connections, known: Known, order: Order, state: OrderState, patch: Patch
) -> PlanLine:
    """Bring the record that is there to this version of the order."""
    about = Edited(state.record_type, state.netsuite_id, state.content_hash, state.applied_hash)
    payer = known.payer(order)
    line = new_edit(known.store, order.id, about, patch, None if isinstance(payer, Problem) else payer)
    return replace(line, subject=_subject(connections, order))


@dataclass(frozen=True, slots=True)
class Edited:
    """The record that an edit is of, and the versions (content hashes) that it leads to and leads on from."""

    record: str | None
    id: str | None
    version: str
    over: str | None


def new_edit(
    store: str, order_id: int, about: Edited, patch: Patch, customer: CustomerRef | None
) -> PlanLine:
    """The line that edits an order's record; whoever stores it says whose data it holds."""
    return PlanLine(
        "close" if patch.closes else "patch",
        EDIT,
        edit_key(store, order_id, about.version),
        {
            "record": about.record,
            "method": "patch",
            "id": about.id,
            "body": dict(patch.body),
            "order_id": order_id,
            "version": about.version,
            "over": about.over,
            "expected": patch.expected.document(),
            "closes": patch.closes,
        },
        "; ".join(patch.reasons),
        f"order:{order_id}",
        group_key=f"order:{order_id}" if customer is None else group_of(customer),
        amount=patch.impact,
    )


def _subject(connections: Connections, order: Order) -> str:
    return subject_of(connections.state, order.document, order.id)


def _currency(policy: OrderPolicy, account: Account, order: Order) -> int | None:
    """NetSuite's id of the order's currency; None where the account has but one, and knows no such field."""
    if not account.currencies:
        return None
    mapped = policy.currencies.get(order.currency)
    found = account.currencies.get(order.currency)
    return mapped if mapped is not None else (found.id if found else None)
