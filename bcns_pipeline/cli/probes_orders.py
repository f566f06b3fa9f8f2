"""What the doctor looks at for orders: scopes, record permissions, custom fields, and every id of the mapping file.

Put probes of the order, customer and fulfilment flows here. They run once the mapping file names a cutover: before
that, stock flows alone and nothing here can stop it. Facts: facts/bigcommerce.md 1.2, facts/netsuite.md 1, 3.1, 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, listed
from bcns_pipeline.cli.probes_bigcommerce import Scope, scope
from bcns_pipeline.cli.probes_ids import ids_of, looked_up
from bcns_pipeline.cli.probes_netsuite_stock import ROLE, Table, table
from bcns_pipeline.clients.netsuite.sales import TAX_COLUMNS, TAX_ROWS
from bcns_pipeline.defs.account import as_account
from bcns_pipeline.rules.orders.policy import Channel, OrderPolicy, account_faults

CUSTOM: Final = ("custbody", "custcol", "custentity", "cseg")


@dataclass(frozen=True, slots=True)
class Right:
    """A NetSuite record that a flow works on, and the permission behind it."""

    record: str
    permission: str
    flow: str
    purpose: str


RIGHTS: Final = (
    Right("salesOrder", "Transactions > Sales Order (Edit)", "orders", "create, change and read back orders"),
    Right("customer", "Lists > Customers (Edit)", "orders", "find and make customers"),
    Right("itemFulfillment", "Transactions > Item Fulfillment (Edit)", "fulfilment", "read what was shipped"),
)
CASH_SALE: Final = Right(
    "cashSale", "Transactions > Cash Sale (Edit)", "orders", "post channels whose record is cash_sale"
)

_SALES: Final = "Transactions > Sales Order (View)"
TABLES: Final = (
    Table(
        "transaction",
        ("id", "externalid", "status"),
        _SALES,
        "No order is looked up or read back.",
        needed=True,
    ),
    Table("transactionline", ("id", "transaction", "item"), _SALES, "No order is read back.", needed=True),
    Table(
        "customer",
        ("id", "externalid"),
        "Lists > Customers (View)",
        "No order finds its customer.",
        needed=True,
    ),
    Table(
        "customeraddressbook",
        ("entity", "addressbookaddress"),
        "Lists > Customers (View)",
        "customer_sync can't run, except with customers.addresses: false.",
        needed=False,
    ),
    Table(
        "trackingnumbermap",
        ("transaction", "trackingnumber"),
        "Transactions > Item Fulfillment (View)",
        "fulfilment_sync can't run: a parcel would go without its number.",
        needed=False,
    ),
)


def _transactions(patient: Patient) -> object:
    """Transactions are read by order; without any order there is nothing to look at."""
    orders = patient.shop.orders.page(limit=1).orders
    return patient.shop.orders.transactions(orders[0].id) if orders else None


SCOPES: Final = (
    Scope(
        "store_v2_orders",
        "orders",
        "read orders, write NetSuite's number and shipments",
        lambda p: p.shop.orders.page(limit=1),
    ),
    Scope(
        "store_v2_customers_read_only",
        "customers",
        "read shoppers who did not order",
        lambda p: p.shop.customers.page(limit=1),
    ),
    Scope(
        "store_v2_transactions_read_only",
        "orders",
        "compare totals with the money taken, and tell test orders",
        _transactions,
    ),
)


def set_up(patient: Patient) -> bool:
    """Whether orders are to flow at all."""
    return patient.mapping.cutover.at is not None


def mapping(patient: Patient) -> Iterator[Finding]:
    """What posting orders needs of the mapping file: the cutover, who owns discounts, and the rest."""
    what = "Orders"
    if not set_up(patient):
        yield Finding(
            what,
            "not set up: the mapping file has no cutover.at",
            "Stock flows alone; no order reaches NetSuite.",
            "Write cutover, channels and orders into the mapping file.",
            Level.NOTE,
        )
        return
    faults = patient.mapping.order_faults()
    for fault in faults:
        yield Finding(what, fault, "No order is posted.", level=Level.BAD_INPUT)
    if not faults:
        policy = patient.mapping.order_policy()
        yield Finding(
            what,
            f"from {policy.cutover:%Y-%m-%d %H:%M %Z}, discounts owned by {policy.discount_owner}, tax "
            f"{policy.tax.mode} by {policy.tax.method}, updates {policy.updates}",
            "Orders placed before are adopted or listed, never created.",
        )
        if policy.order_status == "A":
            yield Finding(
                "Stock of orders",
                "orders.order_status is A, so orders wait for approval in NetSuite",
                "NetSuite promises them no stock before, and theirs is offered to others again.",
                "Take B, or hold units back by inventory.safety_stock.",
                Level.WARNING,
            )


def order_scope(wanted: Scope, patient: Patient) -> Iterator[Finding]:
    """One cheap read, where orders are set up."""
    if set_up(patient):
        yield from scope(wanted, patient)


def hooks(patient: Patient) -> Iterator[Finding]:
    """Whether orders are heard of by webhook; without, a poll finds them within its interval."""
    if not set_up(patient):
        return
    heard = [one for one in patient.shop.hooks.list() if one.active and one.scope.startswith("store/order/")]
    seconds = patient.mapping.orders.poll.seconds
    if heard:
        yield Finding(
            "Order webhooks", listed(sorted({one.scope for one in heard})), "Orders come in seconds."
        )
    else:
        yield Finding(
            "Order webhooks",
            "none is on",
            f"Orders are found by polling, every {seconds} seconds.",
            "Serve `bcns webhooks` and name its address (docs/webhooks.md).",
            Level.NOTE,
        )


def records(patient: Patient) -> Iterator[Finding]:
    """Whether the role sees each kind of record that orders need."""
    if not set_up(patient):
        return
    cash = any(one.record == "cashSale" for one in patient.mapping.order_policy().channels.values())
    yield from described(patient, (*RIGHTS, *((CASH_SALE,) if cash else ())))


def tables(patient: Patient) -> Iterator[Finding]:
    """One row of each table that orders, customers and parcels are found in."""
    if set_up(patient):
        for one in TABLES:
            yield from table(one, patient)


def described(patient: Patient, rights: Iterable[Right]) -> Iterator[Finding]:
    """Whether the role sees each kind of record, by the metadata that NetSuite shows it."""
    facts = patient.account_facts()
    if not facts.described:
        yield Finding(
            "NetSuite records",
            "the metadata catalogue describes none of them to this role",
            "Whether the role may use them, and which fields they have, shows at the first write.",
            f"{ROLE}: add REST Web Services, and the permissions of `bcns doctor --scopes`.",
            Level.WARNING,
        )
        return
    for right in rights:
        what = f"NetSuite record {right.record}"
        if right.record in facts.record_types:
            yield Finding(what, "described to the role", f"Needed to {right.purpose} ({right.flow}).")
        else:
            yield Finding(
                what,
                "not described to the role",
                f"The {right.flow} flow can't {right.purpose}.",
                f"{ROLE}: add {right.permission}.",
                Level.BLOCKED,
            )


def account(patient: Patient) -> Iterator[Finding]:
    """What of the mapping this account can't do: SuiteTax, subsidiaries."""
    if not set_up(patient):
        return
    what, policy = "Orders and the account", patient.mapping.order_policy()
    known = as_account(patient.account_facts(), patient.mapping)
    faults = account_faults(policy, known)
    for fault in faults:
        yield Finding(what, fault, "The flow refuses to start.", "Correct the mapping file.", Level.BLOCKED)
    if not faults:
        method = policy.tax.method
        how = ("suitetax" if known.suitetax else "item_line") if method == "auto" else method
        yield Finding(
            what, f"{'OneWorld' if known.oneworld else 'one company'}, tax posted by {how}", "They fit."
        )
        if how == "suitetax" and policy.tax.mode == "bc_final" and policy.shipping.item is None:
            yield Finding(
                "Taxed shipping",
                "orders.shipping.item names no item",
                "The header can't hold tax of ours on shipping, so orders whose shipping is taxed wait "
                "(CHARGE_UNMAPPED).",
                "Name an item for shipping, unless shipping is never taxed.",
                Level.WARNING,
            )


def tax_rows(patient: Patient) -> Iterator[Finding]:
    """Whether SuiteTax's own rows can be read: a published script reads them, Oracle's help does not name them."""
    if not set_up(patient) or not as_account(patient.account_facts(), patient.mapping).suitetax:
        return
    what, said = "NetSuite's tax by line", patient.books.has(TAX_ROWS, TAX_COLUMNS)
    if said is None:
        yield Finding(what, f"{TAX_ROWS} is readable")
    else:
        yield Finding(
            what,
            said,
            "A tax that NetSuite computes otherwise is told by order and not by line; report tax lacks its codes.",
            f"{ROLE}: SuiteAnalytics Workbook, and the tax records that it lists.",
            Level.NOTE,
        )


def segments(patient: Patient) -> Iterator[Finding]:
    """Whether every storefront's orders carry a place to ship from and something that reports can tell them by."""
    if not set_up(patient):
        return
    policy, what = patient.mapping.order_policy(), "Location and segments of orders"
    lacking = [
        f"channels.{one.id} has no {' and no '.join(missing)}"
        for one in policy.channels.values()
        if (missing := list(_missing(one, policy)))
    ]
    if not policy.channels:
        lacking = ["no channel is mapped, so orders carry neither"]
    if lacking:
        yield Finding(
            what,
            "; ".join(lacking),
            "Such orders are posted, and no report tells their storefront or warehouse.",
            "Name location and class, department or a segment (fields: {cseg_...: id}) under channels.",
            Level.NOTE,
        )
    else:
        yield Finding(what, f"on all {len(policy.channels)} channels", "Every order carries them.")


def _missing(channel: Channel, policy: OrderPolicy) -> Iterator[str]:
    if channel.location is None and not any(name == "location" for name in policy.fields):
        yield "location"
    given = channel.class_id is not None or channel.department is not None
    mapped = any(name.startswith("cseg") for name in (*channel.fields, *policy.fields))
    if not given and not mapped and not channel.fields:
        yield "class, department or segment"


def custom_fields(patient: Patient) -> Iterator[Finding]:
    """Custom fields that the mapping file names: one that is not there fails each order that has a value for it."""
    if not set_up(patient):
        return
    facts, policy = patient.account_facts(), patient.mapping.order_policy()
    if not facts.described:
        return
    shipped = patient.mapping.fulfilment.policy()
    body = {*policy.fields, *(name for one in policy.channels.values() for name in one.fields)}
    if policy.tax.reverse_charge is not None:
        body.add(policy.tax.reverse_charge.field)
    wanted = (
        ("salesOrder", body, facts.order_fields),
        ("salesOrder line", {*policy.line_fields, policy.line_id_field}, facts.line_fields),
        ("customer", {one.name for one in patient.mapping.customers.policy().fields}, facts.customer_fields),
        ("itemFulfillment", {shipped.note_field}, facts.fulfilment_fields),
    )
    for record, names, there in wanted:
        mapped = sorted(name.lower() for name in names if name.lower().startswith(CUSTOM))
        missing = [name for name in mapped if name not in there]
        what = f"Custom fields of {record}"
        if missing:
            yield Finding(
                what,
                f"{listed(missing)} not there",
                "NetSuite refuses every record that carries them.",
                "Make the field and put it on the form, or take it out of the mapping file.",
                Level.BLOCKED,
            )
        elif mapped:
            yield Finding(what, listed(mapped), "All are there.")


def mapped_ids(patient: Patient) -> Iterator[Finding]:
    """Every internal id that the mapping file names: there, and active."""
    if not set_up(patient):
        return
    for name, keys in sorted(ids_of(patient.mapping.order_policy()).items()):
        yield from looked_up(patient, name, keys)


SHOP: Final = (
    Probe("Orders", mapping, needed=True),
    *(Probe(f"BigCommerce scope {one.name}", partial(order_scope, one), needed=True) for one in SCOPES),
    Probe("Order webhooks", hooks),
)
BOOKS: Final = (
    Probe("NetSuite records", records),
    Probe("NetSuite tables of orders", tables, needed=True),
    Probe("Orders and the account", account),
    Probe("NetSuite's tax by line", tax_rows),
    Probe("Location and segments of orders", segments),
    Probe("Custom fields", custom_fields),
    Probe("Mapped ids", mapped_ids),
)
