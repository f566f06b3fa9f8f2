"""Which NetSuite locations feed which BigCommerce location, and which of them are out of use just now.

Put the reading and caching of the two location lists here. Do not put quantities here. The map is the
merchant's; without one, each side must have exactly one location (design section 3).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from bcns_pipeline.clients.bigcommerce.models import Location
from bcns_pipeline.defs.inventory.run import inventory_digest
from bcns_pipeline.outcomes import Lane, Rejected
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.resources.failures import PermanentFailure

CURSOR = "inventory.places"
# As BigCommerce calls it (facts/bigcommerce.md 2.5).
AT_SHIPPING = "order_completed_or_shipped"
NETTING = ("orders_take_from", "taken_at_checkout", "netting_problem")


@dataclass(frozen=True, slots=True)
class Places:
    """`routes`: (NetSuite locations, BigCommerce location) in use; `suspended`: BigCommerce locations left out.

    `problems` are sentences for a person: nothing that stops the run. The rest is there where orders are netted:
    the BigCommerce location that they take stock from (None = not known), whether the store takes it at checkout,
    and what limits the netting.
    """

    routes: tuple[tuple[tuple[int, ...], int], ...]
    suspended: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()
    orders_take_from: int | None = None
    taken_at_checkout: bool = True
    netting_problem: str | None = None

    @property
    def netsuite(self) -> list[int]:
        """NetSuite locations whose stock counts, ascending."""
        return sorted({place for sources, _ in self.routes for place in sources})

    def as_json(self) -> dict[str, Any]:
        """For a cursor."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> "Places":
        """Back from a cursor."""
        routes = tuple((tuple(sources), target) for sources, target in value["routes"])
        netting = {name: value[name] for name in NETTING if name in value}
        return cls(routes, tuple(value["suspended"]), tuple(value["problems"]), **netting)


def find_places(connections: Connections, lane: Lane, *, refresh: bool) -> Places:
    """The places in use: as remembered, or read anew on both sides (two calls) when asked or never read.

    Raises PermanentFailure where the mapping names no locations and a side has not exactly one, or where a mapped
    location does not exist or is hidden from the role: NetSuite has no rows then, and its stock would count as 0.
    """
    state = connections.state
    kept = state.cursors.get(CURSOR)
    digest = inventory_digest(connections.mapping)
    if kept and not refresh and kept["config"] == digest:
        return Places.of_json(kept["places"])
    places = _read(connections, lane)
    state.cursors.move(CURSOR, {"config": digest, "places": places.as_json()})
    return places


def _read(connections: Connections, lane: Lane) -> Places:
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as beside:
        netsuite = beside.submit(connections.stock(lane).locations)
        shop = {place.id: place for place in connections.shop_stock(lane).locations()}
    problems = []
    try:
        books = {place.id: place for place in netsuite.result()}
        known = True
    except Rejected as refused:
        # The list tells which locations are there and in use; without it all mapped ones count.
        books, known = {}, False
        problems.append(f"NetSuite's locations can't be read ({refused.detail}); all mapped ones are used.")
    routes = _mapped(connections, set(shop), {place.id for place in books.values() if not place.inactive})
    faults = [
        f"inventory.locations: BigCommerce has no location {target}; it has "
        f"{', '.join(map(str, sorted(shop)))}: correct the mapping file."
        for _, target in routes
        if target not in shop
    ]
    faults += [
        f"inventory.locations: NetSuite shows no location {place}, so that its stock would count as 0; it shows "
        f"{', '.join(map(str, sorted(books))) or 'none'}: correct the mapping file, or open the role to it."
        for sources, _ in routes
        for place in sources
        if known and place not in books
    ]
    if faults:
        raise PermanentFailure.of_faults(faults)
    suspended = tuple(target for _, target in routes if not shop[target].enabled)
    used = []
    for sources, target in routes:
        active = tuple(place for place in sources if place not in books or not books[place].inactive)
        left_out = sorted(set(sources) - set(active))
        if left_out:
            problems.append(f"NetSuite location {', '.join(map(str, left_out))} is inactive and left out.")
        if target in suspended:
            problems.append(
                f"BigCommerce location {target} is disabled: nothing is sent to it until it is enabled."
            )
        elif active:
            used.append((active, target))
    apart, said = _storefronts(connections, shop)
    places = Places(tuple(used), (*suspended, *apart), (*problems, *said))
    told = [place.id for place in shop.values() if place.default]
    return _with_netting(connections, places, told, lane) if connections.mapping.nets_orders else places


def _storefronts(connections: Connections, shop: Mapping[int, Location]) -> tuple[list[int], list[str]]:
    """Locations of storefronts with a share that are out of use, and a sentence on each."""
    given = {
        number: one.availability.location
        for number, one in connections.mapping.channels.items()
        if one.availability is not None
    }
    missing = {number: target for number, target in given.items() if target not in shop}
    if missing:
        raise PermanentFailure.of_faults(
            f"channels.{number}.availability.location: BigCommerce has no location {target}; it has "
            f"{', '.join(map(str, sorted(shop)))}: correct the mapping file."
            for number, target in missing.items()
        )
    apart = [target for target in given.values() if not shop[target].enabled]
    return apart, [
        f"BigCommerce location {target} of a storefront is disabled: its share is withheld until it is enabled."
        for target in apart
    ]


def _with_netting(connections: Connections, places: Places, told: list[int], lane: Lane) -> Places:
    """Where orders take stock from, and when; `told` are the default locations that the list of them names."""
    shop, named = connections.bigcommerce(lane), connections.mapping.inventory.netting.location
    found = (told or shop.default_location_ids()) if named == "default" else [named]
    try:
        when = shop.inventory_settings().update_stock_behavior
    except Rejected:
        # The scope is needed for nothing else; BigCommerce's own default is what nearly every store has.
        when = None
    shares = connections.mapping.stock_policy(places.routes, places.suspended).shares if places.routes else ()
    # What a storefront's location shows is a part of the location that the stock belongs to.
    found = sorted({next((one.of for one in shares if one.location == each), each) for each in found})
    apart = sorted({one.channel for one in shares if [one.of] != found})
    problem = None
    if len(found) != 1:
        problem = (
            f"BigCommerce names {len(found)} default locations, so units that are sold and not in NetSuite are not "
            "held back: write the id of the one that orders take stock from into inventory.netting.location."
        )
    elif when == AT_SHIPPING:
        problem = (
            "BigCommerce takes stock when an order is shipped, not when it is placed: between two runs it sells units "
            "again, and at shipping it takes units that NetSuite has long taken. Settings > Inventory: adjust stock "
            "when an order is placed."
        )
    elif apart:
        problem = (
            f"Units that are sold are held back at BigCommerce location {found[0]} only, and the storefronts of "
            f"channel {', '.join(map(str, apart))} sell a share of another one: until an order is in NetSuite, a "
            "unit sold there may be offered again."
        )
    return replace(
        places,
        orders_take_from=found[0] if len(found) == 1 else None,
        taken_at_checkout=when != AT_SHIPPING,
        netting_problem=problem,
    )


def _mapped(connections: Connections, shop: set[int], books: set[int]) -> list[tuple[tuple[int, ...], int]]:
    given = connections.mapping.inventory.locations
    if given:
        return [(tuple(route.netsuite), route.bigcommerce) for route in given]
    if len(shop) == 1 and len(books) == 1:
        return [((books.pop(),), shop.pop())]
    raise PermanentFailure.of_faults(
        [
            f"inventory.locations is not set, and that is only possible where each side has exactly one location; "
            f"NetSuite has {len(books)} active ones and BigCommerce has {len(shop)}: "
            f"say in the mapping file which NetSuite locations feed which BigCommerce location."
        ]
    )
