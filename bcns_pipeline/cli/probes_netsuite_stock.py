"""What the doctor looks at where stock comes from: tables, the SKU field, the stock source, visible items.

Put probes of what the inventory flow reads from NetSuite here. What concerns every flow is in
`probes_netsuite.py`. Facts: facts/netsuite.md 2.2, 2.4 and 2.5; permissions of roles: facts/netsuite.md 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe
from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.fallback import MAIN
from bcns_pipeline.clients.netsuite.inventory import AGGREGATE, ITEM, NO_STAND_IN, SOURCES, several_locations
from bcns_pipeline.clients.netsuite.levels import COLUMN_BY_TERM

ROLE: Final = "Setup > Users/Roles > Manage Roles > the integration's role > Permissions"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a flow reads, the permission behind it, and what is lost without it."""

    name: str
    columns: Sequence[str]
    permission: str
    loses: str
    needed: bool


def table(wanted: Table, patient: Patient) -> Iterator[Finding]:
    """One row of one table."""
    what = f"NetSuite table {wanted.name}"
    said = patient.books.has(wanted.name, wanted.columns)
    if said is None:
        yield Finding(what, "readable")
    else:
        level = Level.BLOCKED if wanted.needed else Level.WARNING
        yield Finding(what, said, wanted.loses, f"{ROLE}: add {wanted.permission}.", level)


def sku_field(patient: Patient) -> Iterator[Finding]:
    """The item field that holds the SKU, by the mapping file."""
    name = patient.mapping.inventory.sku_field
    said = patient.books.has(ITEM, ("id", name))
    if said is None:
        yield Finding("SKU field", f"item.{name} is there", "SKUs are read from it.")
    else:
        yield Finding(
            "SKU field",
            said,
            "Without SKUs nothing can be paired.",
            "Correct inventory.sku_field in the mapping file.",
            Level.BLOCKED,
        )


def visible_items(patient: Patient) -> Iterator[Finding]:
    """Whether the role sees any stocked item: one that is restricted to another subsidiary sees none."""
    row = next(iter(patient.books.suiteql(sql.text("bounds")).rows), {})
    if not row.get("low"):
        yield Finding(
            "NetSuite items",
            "no active inventory or assembly item is visible",
            "The account has none, or the role is restricted to subsidiaries that have none.",
            "Open the role to the subsidiaries (Setup > Users/Roles > Manage Roles > Subsidiary "
            "Restrictions).",
            Level.BLOCKED,
        )
    else:
        yield Finding("NetSuite items", f"visible, internal ids {row['low']} to {row.get('high')}")


def stock_source(patient: Patient) -> Iterator[Finding]:
    """Which table stock comes from, and whether the rule's terms are in it."""
    what, inventory = "Stock source", patient.mapping.inventory
    wanted = SOURCES if inventory.source == "auto" else (inventory.source,)
    refusals: list[str] = []
    for name in wanted:
        columns = ("id", "quantityonhand") if name == ITEM else ("item", "location", "quantityavailable")
        said = patient.books.has(name, columns)
        if said is None and name == ITEM and len(wanted) > 1 and several_locations(patient.books.query):
            said = NO_STAND_IN
        if said is None:
            yield from _source(what, name, refusals)
            yield from _terms(patient, name)
            return
        refusals.append(f"{name}: {said}")
    yield Finding(
        what,
        "; ".join(refusals),
        "Stock can't be read.",
        f"{ROLE}: add Lists > Items and Lists > Locations"
        + ("." if inventory.source == "auto" else "; or set inventory.source: auto."),
        Level.BLOCKED,
    )


def _source(what: str, name: str, refusals: list[str]) -> Iterator[Finding]:
    if name == AGGREGATE:
        yield Finding(what, name, "One row per item and location, with the time of the last change.")
    elif name == ITEM:
        yield Finding(
            what,
            f"{name} (totals){': ' if refusals else ''}{'; '.join(refusals)}",
            "The account has one location for stock: totals are read in full at every run, because nothing tells "
            "when they changed.",
            "",
            Level.NOTE,
        )
    else:
        yield Finding(
            what,
            f"{name}; {'; '.join(refusals)}" if refusals else name,
            "A fallback: more calls per run.",
            level=Level.WARNING if refusals else Level.OK,
        )


def _terms(patient: Patient, name: str) -> Iterator[Finding]:
    inventory = patient.mapping.inventory
    expression = inventory.policy([((1,), 1)]).expression
    for term in sorted(expression.terms):
        column = COLUMN_BY_TERM[term]
        said = patient.books.has(name, (column,))
        if said is not None:
            yield Finding(
                f"Term {term}",
                said,
                f"{term} counts as 0 in the rule {expression.text!r}.",
                "Take the term out of inventory.expression, or switch the feature on in NetSuite.",
                Level.WARNING,
            )


def multi_location(patient: Patient) -> Iterator[Finding]:
    """Whether stock is kept by location, and whether the mapping file needs that."""
    what = "Multi-location"
    known = [name for name in (AGGREGATE, MAIN) if patient.books.has(name, ("item", "location")) is None]
    mapped = sorted(
        {place for route in patient.mapping.inventory.locations or () for place in route.netsuite}
    )
    if known:
        yield Finding(what, "stock is kept by location")
    elif len(mapped) > 1:
        yield Finding(
            what,
            f"no stock by location is visible, and inventory.locations names {len(mapped)} NetSuite "
            "locations",
            "Totals can't be told apart by location.",
            f"{ROLE}: add Lists > Items and Lists > Locations; without the feature, map one location.",
            Level.BLOCKED,
        )
    else:
        yield Finding(what, "no stock by location is visible", "Totals of items are used, if anything.")


TABLES: Final = (
    Table(
        "item",
        ("id", "itemid", "itemtype", "isinactive", "matrixtype"),
        "Lists > Items (View)",
        "Items can't be read.",
        needed=True,
    ),
    Table(
        "itemmember",
        ("parentitem", "item", "quantity"),
        "Lists > Items (View)",
        "Kits and groups get no number, and keep the one they have.",
        needed=False,
    ),
    Table(
        "location",
        ("id", "name", "isinactive"),
        "Lists > Locations (View)",
        "Inactive locations can't be told from active ones: all mapped ones are counted.",
        needed=False,
    ),
)

PROBES: Final = (
    *(Probe(f"NetSuite table {one.name}", partial(table, one), needed=one.needed) for one in TABLES),
    Probe("SKU field", sku_field, needed=True),
    Probe("Stock source", stock_source, needed=True),
    Probe("Multi-location", multi_location, needed=True),
    Probe("NetSuite items", visible_items, needed=True),
)
