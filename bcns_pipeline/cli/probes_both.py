"""What the doctor looks at across both systems: locations, safety stock levels and currencies.

Put probes here that hold one system or the mapping file against the other. What one system says of itself
is in its own module. Facts: facts/bigcommerce.md 2.6 and 5.4, facts/netsuite.md 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, listed
from bcns_pipeline.clients.bigcommerce.models import Location
from bcns_pipeline.clients.netsuite import sql
from bcns_pipeline.clients.netsuite.inventory import AGGREGATE
from bcns_pipeline.config import LocationMap
from bcns_pipeline.outcomes import Rejected

# NetSuite may have thousands of locations, and a list is short.
CURRENCY_QUERY: Final = "SELECT id, symbol, isinactive FROM currency ORDER BY id ASC"


def shop_locations(patient: Patient) -> Iterator[Finding]:
    """Mapped BigCommerce locations: there, enabled, and among them the one that the storefront sells from."""
    what, routes = "BigCommerce locations", patient.mapping.inventory.locations
    found = {place.id: place for place in patient.shop_locations()}
    text = listed(f"{one.id} {one.label}{'' if one.enabled else ' (disabled)'}" for one in found.values())
    if routes is None:
        if len(found) == 1:
            yield Finding(what, text, "The only one; stock goes there.")
        else:
            yield Finding(
                what,
                text,
                "The mapping file names no locations, and that needs exactly one on each side.",
                "Write inventory.locations into the mapping file.",
                Level.BLOCKED,
            )
        return
    mapped = [route.bigcommerce for route in routes]
    missing = [place for place in mapped if place not in found]
    if missing:
        yield Finding(
            what,
            f"inventory.locations names {listed(missing)}; the store has {text}",
            "The flow refuses to start.",
            "Correct the mapping file.",
            Level.BLOCKED,
        )
    else:
        yield Finding(what, text, f"Stock goes to {listed(mapped)}.")
    yield from _suspended([found[place] for place in mapped if place in found])
    yield from _default_location(patient, mapped, found)


def _suspended(places: Sequence[Location]) -> Iterator[Finding]:
    closed = [place.id for place in places if not place.enabled]
    if closed:
        yield Finding(
            "Disabled locations",
            listed(closed),
            "BigCommerce refuses stock for them: nothing is sent there.",
            "Enable them, or take them out of inventory.locations.",
            Level.WARNING,
        )
    editable = [place.id for place in places if not place.external]
    if editable:
        yield Finding(
            "Edits by hand",
            f"staff can change stock of location {listed(editable)} in the control panel",
            "A value set by hand above the sellable one is lowered at the next full sync.",
            "Set managed_by_external_source on the location if nobody should.",
            Level.NOTE,
        )


def _default_location(
    patient: Patient, mapped: Sequence[int], found: dict[int, Location]
) -> Iterator[Finding]:
    what, mend = "Default location", "Map it, or make a mapped one the default (Settings > Locations)."
    told = [place.id for place in found.values() if place.default]
    default = told or patient.shop.default_location_ids()
    if len(default) != 1:
        yield Finding(
            what,
            f"the store names {len(default)}",
            "Not known where the storefront sells from.",
            level=Level.UNKNOWN,
        )
        return
    if default[0] not in mapped:
        yield Finding(
            what,
            f"{default[0]} is not in inventory.locations",
            "The storefront sells from it alone unless BigCommerce has switched on aggregated stock: "
            "shoppers would "
            "not see what is sent.",
            mend,
            Level.WARNING,
        )
    elif len(mapped) > 1:
        others = [place for place in mapped if place != default[0]]
        yield Finding(
            what,
            f"{default[0]}, while {listed(others)} get stock as well",
            "The storefront shows the default location alone unless BigCommerce has switched on "
            "aggregated stock, which "
            "no API tells.",
            "Ask BigCommerce's support whether aggregated stock is on; if not, sum the NetSuite locations "
            "into "
            f"{default[0]}.",
            Level.WARNING,
        )
    else:
        yield Finding(what, str(default[0]), "It is mapped: shoppers see what is sent.")


def books_locations(patient: Patient) -> Iterator[Finding]:
    """Mapped NetSuite locations: there, active, and with stock rows that the role may see."""
    what, routes = "NetSuite locations", patient.mapping.inventory.locations
    found = {place.id: place for place in patient.books_locations()}
    active = [place for place in found.values() if not place.inactive]
    text = f"{len(active)} active: {listed(f'{place.id} {place.name}' for place in active)}"
    if routes is None:
        one = len(active) == 1
        yield Finding(
            what,
            text,
            "The only one; its stock counts."
            if one
            else "The mapping file names no locations, and that needs exactly one.",
            "" if one else "Write inventory.locations into the mapping file.",
            Level.OK if one else Level.BLOCKED,
        )
        return
    mapped = _sources(routes)
    missing = [place for place in mapped if place not in found]
    closed = [place for place in mapped if place in found and found[place].inactive]
    if missing:
        yield Finding(
            what,
            f"inventory.locations names {listed(missing)}; NetSuite shows {text}",
            "They do not exist, or the role is restricted and does not see them: their stock would count "
            "as 0.",
            "Correct the mapping file, or open the role to their subsidiary.",
            Level.BLOCKED,
        )
    else:
        yield Finding(what, text, f"Stock of {listed(mapped)} counts.")
    if closed:
        yield Finding(
            "Inactive locations",
            listed(closed),
            "They are left out.",
            "Take them out of inventory.locations, or activate them.",
            Level.WARNING,
        )
    withheld = [place for place in mapped if place in found and found[place].sells is False]
    if withheld:
        yield Finding(
            "Locations not for sale",
            listed(withheld),
            "NetSuite does not make their stock available, and the mapping file counts it.",
            "Tick Make Inventory Available there, or take them out of inventory.locations.",
            Level.WARNING,
        )


def stock_rows(patient: Patient) -> Iterator[Finding]:
    """Each mapped NetSuite location has stock rows that the role sees."""
    mapped = _sources(patient.mapping.inventory.locations or ())
    if not mapped:
        return
    text = (
        f"SELECT a.location AS location_id, COUNT(*) AS n FROM {AGGREGATE} a WHERE a.location IN "
        f"({sql.numbers(mapped)}) "
        "GROUP BY a.location ORDER BY a.location ASC"
    )
    try:
        rows = [row for page in patient.books.suiteql_all(text) for row in page.rows]
    except Rejected as refused:
        if not sql.unknown_name(refused):
            raise
        return  # another source is used, see Stock source
    counts = {int(row["location_id"]): int(row["n"]) for row in rows}
    empty = [place for place in mapped if not counts.get(place)]
    shown = listed(f"{place}: {counts.get(place, 0):,}" for place in mapped)
    if empty:
        yield Finding(
            "Stock rows",
            shown,
            f"Location {listed(empty)} holds nothing that the role sees.",
            "If it has stock, open the role to its subsidiary.",
            Level.WARNING,
        )
    else:
        yield Finding("Stock rows", shown, "Items with a stock row, by NetSuite location.")


def safety_levels(patient: Patient) -> Iterator[Finding]:
    """NetSuite's own safety stock levels, beside the owner in the mapping file."""
    text = f"SELECT COUNT(*) AS n FROM {AGGREGATE} a WHERE a.safetystocklevel > 0"
    try:
        count = int(next(iter(patient.books.suiteql(text).rows), {}).get("n") or "0")
    except Rejected as refused:
        if not sql.unknown_name(refused):
            raise
        return
    owner = patient.mapping.inventory.safety_stock.owner
    what, found = "NetSuite safety stock", f"{count:,} rows have a safety stock level, owner {owner}"
    if owner == "netsuite":
        yield Finding(
            what,
            found,
            "That level is not taken off the available quantity, so it holds nothing back by itself.",
            "Set owner: pipeline with a value, unless a rule of yours in NetSuite holds stock back.",
            Level.NOTE,
        )
    else:
        yield Finding(what, found, "NetSuite buys by it, and sells it: nothing is held back twice.")


def channel_ids(patient: Patient) -> Iterator[Finding]:
    """NetSuite ids that the mapping file gives its channels: each exists, as far as the role sees."""
    wanted: dict[str, dict[int, list[int]]] = {"location": {}, "subsidiary": {}}
    for channel, given in patient.mapping.channels.items():
        for kind, channels in wanted.items():
            if (one := getattr(given, kind)) is not None:
                channels.setdefault(one, []).append(channel)
    for kind, asked in wanted.items():
        if not asked:
            continue
        text = f"SELECT id FROM {kind} WHERE id IN ({sql.numbers(sorted(asked))}) ORDER BY id ASC"
        there = {int(row["id"]) for page in patient.books.suiteql_all(text) for row in page.rows}
        missing = [
            f"channels.{channel}.{kind}: {absent}"
            for absent in sorted(set(asked) - there)
            for channel in asked[absent]
        ]
        what = f"Channels' {kind}"
        if missing:
            yield Finding(
                what,
                f"not in NetSuite: {listed(missing)}",
                "Orders of these channels could not be written.",
                "Correct the mapping file, or open the role to it.",
                Level.BLOCKED,
            )
        else:
            yield Finding(what, f"{listed(sorted(asked))} exist")


def currencies(patient: Patient) -> Iterator[Finding]:
    """The store's currencies, each of which NetSuite needs for orders to come."""
    what = "Currencies"
    shop = [one for one in patient.currencies() if one.enabled]
    codes = [f"{one.code}{' (default)' if one.default else ''}" for one in shop]
    try:
        rows = [row for page in patient.books.suiteql_all(CURRENCY_QUERY) for row in page.rows]
    except Rejected as refused:
        yield Finding(
            what,
            f"store {listed(codes)}; NetSuite's can't be read ({refused.detail})",
            "Stock does not need them, orders will.",
            level=Level.NOTE,
        )
        return
    there = {row.get("symbol", "").upper() for row in rows if row.get("isinactive") != "T"}
    missing = [one.code for one in shop if one.code not in there]
    text = f"store {listed(codes)}; NetSuite {listed(sorted(there))}"
    if missing:
        yield Finding(
            what,
            text,
            f"Orders in {listed(missing)} will have no currency in NetSuite; stock is not concerned.",
            "Lists > Accounting > Currencies > New, or disable it in the store.",
            Level.WARNING,
        )
    else:
        yield Finding(what, text, "Each of the store's is in NetSuite.")


def limits(patient: Patient) -> Iterator[Finding]:
    """Limits of money that the mapping file has for some of the store's currencies: of the others nothing waits."""
    file = patient.mapping
    codes = [one.code for one in patient.currencies() if one.enabled]
    for name, given in (
        ("orders.materiality", file.orders.materiality),
        ("fulfilment.materiality", file.fulfilment.materiality),
        ("cash.materiality", file.cash.materiality),
        ("cash.refunds.materiality", file.cash.refunds.materiality),
        ("payouts.materiality", file.payouts.materiality),
    ):
        if given and (unlimited := [code for code in codes if code not in given]):
            yield Finding(
                name,
                f"has no limit in {listed(unlimited)}",
                f"What is in {listed(unlimited)} goes out without a second person, however much it is.",
                f"Add {name}.{unlimited[0]} to the mapping file.",
                Level.WARNING,
            )


def _sources(routes: Sequence[LocationMap]) -> list[int]:
    return sorted({place for route in routes for place in route.netsuite})


SHOP_PLACES: Final = (Probe("BigCommerce locations", shop_locations, needed=True),)
# The flow goes on where NetSuite's locations can't be read, so that does not block.
BOOKS_PLACES: Final = (
    Probe("NetSuite locations", books_locations),
    Probe("Stock rows", stock_rows),
    Probe("NetSuite safety stock", safety_levels),
    Probe("Channels' NetSuite ids", channel_ids),
)
BOTH: Final = (Probe("Currencies", currencies), Probe("Limits of money", limits))
