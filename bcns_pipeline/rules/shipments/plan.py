"""From the fulfilments of one order to the shipments that the store should show.

Put the decision here. Do not put the order's status here (`status.py`). One shipment per fulfilment and
ship-to address; what is there already is recognised by link, by marker, or by its tracking number, so a replay
makes nothing and nobody is written to twice. Items of a shipment can't be changed: what a fulfilment gained
since becomes another shipment, and what it lost is a person's to mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.natural_keys import shipment_key
from bcns_pipeline.rules.orders.model import Line, Order
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline.rules.orders.status import label
from bcns_pipeline.rules.shipments.matching import by_place, cancelled_units, match, open_units
from bcns_pipeline.rules.shipments.model import SHIPPED, ActionKind, Fulfilment, Shipment, ShipmentAction
from bcns_pipeline.rules.shipments.parcels import (
    assign,
    carries_marker,
    changed_fields,
    comments_of,
    comments_with,
    marked,
    tracking_numbers,
    transport,
)
from bcns_pipeline.rules.shipments.policy import HELD, LONGEST_TRACKING, ShipmentPolicy, carrier_of

Units = dict[int, int]


@dataclass(slots=True)
class ShipmentPlan:
    """What to do for one order, in this order, and what stands in the way of the rest."""

    actions: list[ShipmentAction] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ours:
    """A shipment that was made of a fulfilment: its parcel number from 0, and whether a link says so."""

    package: int
    shipment: Shipment
    linked: bool


def needs_shipments(order: Order, links: Mapping[str, int]) -> bool:
    """Whether the order's shipments have to be read before planning: something was shipped already."""
    return bool(links) or any(line.quantity_shipped for line in order.lines)


def plan_shipments(
    order: Order,
    fulfilments: Iterable[Fulfilment],
    existing: Sequence[Shipment],
    links: Mapping[str, int],
    store: str,
    policy: ShipmentPolicy,
) -> ShipmentPlan:
    """What the store lacks of these `fulfilments` of one order; those that did not change may be left out.

    `order` is as the store has it now, `existing` are all its shipments. `links` are the shipments that we
    know to be ours, by natural key. An order that was called off gets no new shipment.
    """
    plan = _Planning(order, existing, links, store, policy)
    for one in sorted(fulfilments, key=lambda fulfilment: fulfilment.id):
        plan.take(one)
    return ShipmentPlan(plan.made.actions, list(dict.fromkeys(plan.made.problems)))


class _Planning:
    """One order while its fulfilments are gone through, so that no unit is given away twice."""

    def __init__(
        self,
        order: Order,
        existing: Sequence[Shipment],
        links: Mapping[str, int],
        store: str,
        policy: ShipmentPolicy,
    ) -> None:
        self.made = ShipmentPlan()
        self._order, self._existing, self._links = order, existing, links
        self._store, self._policy = store, policy
        self._open = {line.id: open_units(line) for line in order.lines}
        self._lines = {line.id: line for line in order.lines}
        self._spoken_for = set(links.values())

    def take(self, fulfilment: Fulfilment) -> None:
        """Plan one fulfilment."""
        ours = self._ours(fulfilment)
        if fulfilment.status != SHIPPED:
            if ours:
                why = "is not shipped any more" if fulfilment.status else "was deleted in NetSuite"
                self._withdrawn(fulfilment, ours, why)
            return
        held = _units(ours)
        found = match(
            fulfilment,
            self._order,
            lambda line_id: self._open[line_id] + held.get(line_id, 0),
            self._policy.ignored,
        )
        if not ours and not found.units and not found.problems:
            return
        self.made.problems += found.problems
        # A line that could not be matched may be what the shipment holds more, and what a person entered may
        # hold two fulfilments, so only what we made and can account for is too much for sure.
        if not found.problems and _too_much(fulfilment, ours, found.units):
            ours = self._once(fulfilment, ours)
            held = _units(ours)
            if _too_much(fulfilment, ours, found.units):
                self._withdrawn(fulfilment, ours, "holds less than was shipped")
        self._adopt(fulfilment, ours)
        lacking = {
            line_id: quantity - held.get(line_id, 0)
            for line_id, quantity in found.units.items()
            if quantity > held.get(line_id, 0)
        }
        numbers = tracking_numbers(fulfilment.trackings)
        self._ship(fulfilment, by_place(lacking, self._order), ours, numbers)
        if numbers and carrier_of(self._policy, fulfilment.method, fulfilment.carrier) is None:
            self._carrier_unknown(fulfilment)

    def _ours(self, fulfilment: Fulfilment) -> list[_Ours]:
        """The store's shipments that were made of `fulfilment`, by address and parcel."""
        numbers = set(tracking_numbers(fulfilment.trackings))
        by_link = {shipment_id: key for key, shipment_id in self._links.items()}
        found = []
        for one in self._existing:
            key = by_link.get(one.id)
            if key is not None:
                package = self._package(fulfilment.id, one.address_id, key)
                if package is not None:
                    found.append(_Ours(package, one, linked=True))
                continue
            package = marked(one.comments, fulfilment)
            if package is None and one.tracking in numbers and not carries_marker(one.comments):
                package = 0  # somebody entered this parcel by hand
            if package is not None and one.id not in self._spoken_for:
                found.append(_Ours(package, one, linked=False))
                self._spoken_for.add(one.id)
        return sorted(found, key=lambda ours: (ours.shipment.address_id, ours.package, ours.shipment.id))

    def _once(self, fulfilment: Fulfilment, ours: list[_Ours]) -> list[_Ours]:
        """`ours` without what shows a parcel a second time: a call that was given up for lost has arrived after all.

        Asked where there are too many units: whoever splits a parcel by hand may say of both halves whose they are.
        """
        first: dict[tuple[int, int], _Ours] = {}
        for one in sorted(ours, key=lambda one: not one.linked):
            place = one.shipment.address_id, one.package
            if marked(one.shipment.comments, fulfilment) is None or first.setdefault(place, one) is one:
                continue
            self.made.problems.append(
                Problem(
                    "SHIPMENT_DOUBLED",
                    f"Fulfilment {_name(fulfilment)} is in the store as shipment {first[place].shipment.id}, and "
                    f"again as {one.shipment.id}.",
                )
            )
            ours = [other for other in ours if other is not one]
        return ours

    def _package(self, fulfilment_id: int, address_id: int, key: str) -> int | None:
        for package in range(len(self._existing) + len(self._links)):
            if key == shipment_key(self._store, fulfilment_id, address_id, package):
                return package
        return None

    def _next_package(self, fulfilment: Fulfilment, address_id: int, here: Sequence[_Ours]) -> int:
        """A number that no shipment has or had: somebody may have deleted one in the store."""
        package = max((one.package for one in here), default=-1) + 1
        while shipment_key(self._store, fulfilment.id, address_id, package) in self._links:
            package += 1
        return package

    def _adopt(self, fulfilment: Fulfilment, ours: Sequence[_Ours]) -> None:
        for one in ours:
            if not one.linked:
                self._act("adopt", fulfilment, one.shipment.address_id, one.package, one.shipment.id)

    def _ship(
        self, fulfilment: Fulfilment, wanted: dict[int, Units], ours: Sequence[_Ours], numbers: Sequence[str]
    ) -> None:
        """Bring our shipments up to date and make those that are missing, address by address."""
        places = [one.id for one in self._order.ship_to]
        for address_id in places:
            here = [one for one in ours if one.shipment.address_id == address_id]
            units = self._within_order(fulfilment, wanted.get(address_id, {}))
            held, free = assign(numbers, [one.shipment for one in here])
            parcels = self._parcels(units, free if here else numbers)
            # What has no shipment of its own stands in the comments of the first.
            spare = free[len(parcels) :] if here else list(numbers[len(parcels) :])
            for place, one in enumerate(here):
                self._update(fulfilment, one, held.get(one.shipment.id, ""), spare if place == 0 else [])
            first = self._next_package(fulfilment, address_id, here)
            for place, (number, items) in enumerate(parcels):
                further = spare if not here and place == 0 else []
                self._create(fulfilment, address_id, first + place, items, number, further)

    def _within_order(self, fulfilment: Fulfilment, units: Units) -> Units:
        """As much of `units` as the order leaves open; the rest is a problem and never sent."""
        if not units:
            return {}
        if self._order.status_id in HELD:
            self.made.problems.append(
                Problem(
                    "SHIPMENT_HELD",
                    f"Fulfilment {_name(fulfilment)} was shipped, and the order is "
                    f"{label(self._order.status_id)} in BigCommerce.",
                )
            )
            return {}
        allowed: Units = {}
        for line_id, quantity in units.items():
            fits = min(quantity, self._open[line_id])
            if fits < quantity:
                self.made.problems.append(self._too_many(fulfilment, self._lines[line_id], quantity - fits))
            if fits:
                allowed[line_id] = fits
                self._open[line_id] -= fits
        return allowed

    def _parcels(self, units: Units, numbers: Sequence[str]) -> list[tuple[str, Units]]:
        """Shipments to be made of `units`, the first with all that the others leave.

        Nobody says what is in which parcel, so each further one shows a single unit, as the store wants items
        in every shipment; where there are not enough units, the rest of the numbers goes into comments.
        """
        if not units:
            return []
        whole = sum(units.values())
        count = min(len(numbers), whole) if self._policy.packages == "shipments" else 1
        rest = dict(units)
        others: list[tuple[str, Units]] = []
        for number in numbers[1 : max(count, 1)]:
            line_id = max(rest, key=lambda one: (rest[one], -one))
            rest[line_id] -= 1
            others.append((number, {line_id: 1}))
        first = {line_id: quantity for line_id, quantity in rest.items() if quantity}
        return [(numbers[0] if numbers else "", first), *others]

    def _create(
        self,
        fulfilment: Fulfilment,
        address_id: int,
        package: int,
        items: Units,
        number: str,
        further: Sequence[str],
    ) -> None:
        too_long = [number] if len(number) > LONGEST_TRACKING else []
        body: dict[str, object] = {
            "order_address_id": address_id,
            **transport(fulfilment, number, self._policy),
            "comments": comments_of(fulfilment, package, [*too_long, *further], self._policy),
            "items": [{"order_product_id": line_id, "quantity": items[line_id]} for line_id in sorted(items)],
        }
        self._act("create", fulfilment, address_id, package, None, body, tuple(sorted(items.items())))

    def _update(self, fulfilment: Fulfilment, ours: _Ours, number: str, further: Sequence[str]) -> None:
        """Later news of a parcel that the store shows already: tracking, carrier, further numbers."""
        if not number:
            return
        shipment = ours.shipment
        lacking = [*further, *([number] if len(number) > LONGEST_TRACKING else [])]
        wanted = transport(fulfilment, number, self._policy)
        wanted["comments"] = comments_with(shipment.comments, lacking, self._policy)
        body: dict[str, object] = {**changed_fields(wanted, shipment)}
        if body:
            self._act("update", fulfilment, shipment.address_id, ours.package, shipment.id, body)

    def _act(
        self,
        kind: ActionKind,
        fulfilment: Fulfilment,
        address_id: int,
        package: int,
        shipment_id: int | None,
        body: Mapping[str, object] | None = None,
        items: tuple[tuple[int, int], ...] = (),
    ) -> None:
        key = shipment_key(self._store, fulfilment.id, address_id, package)
        self.made.actions.append(
            ShipmentAction(kind, key, fulfilment.id, address_id, shipment_id, body or {}, items)
        )

    def _withdrawn(self, fulfilment: Fulfilment, ours: Sequence[_Ours], why: str) -> None:
        named = ", ".join(str(one.shipment.id) for one in ours)
        self.made.problems.append(
            Problem(
                "FULFILMENT_WITHDRAWN",
                f"Fulfilment {_name(fulfilment)} {why}, and the store shows shipment {named}.",
            )
        )

    def _too_many(self, fulfilment: Fulfilment, line: Line, beyond: int) -> Problem:
        return Problem(
            "SHIPMENT_EXCEEDS_ORDER",
            f"Fulfilment {_name(fulfilment)} has {beyond} more of line {line.id} ({line.sku}) than is open: "
            f"{line.quantity} ordered, {cancelled_units(line)} cancelled, {line.quantity_shipped} shipped.",
        )

    def _carrier_unknown(self, fulfilment: Fulfilment) -> None:
        said = " and ".join(
            f"{what} {text!r}"
            for what, text in (("ship method", fulfilment.method), ("carrier", fulfilment.carrier))
            if text.strip()
        )
        why = f"goes by {said}, which fulfilment.carriers does not have" if said else "names no carrier"
        self.made.problems.append(
            Problem(
                "CARRIER_UNMAPPED",
                f"Fulfilment {_name(fulfilment)} {why}.",
                f"carrier:{fulfilment.method.strip() or fulfilment.carrier.strip()}",
            )
        )


def value_of(order: Order, action: ShipmentAction) -> Money:
    """What the goods of a shipment cost the shopper, tax included, before discounts of the whole order."""
    lines = {line.id: line for line in order.lines}
    parts = (lines[line_id].price.inc * quantity for line_id, quantity in action.items)
    return Money.of(sum(parts, Decimal(0)), order.currency)


def _units(ours: Iterable[_Ours]) -> Units:
    found: Units = {}
    for one in ours:
        for line_id, quantity in one.shipment.items.items():
            found[line_id] = found.get(line_id, 0) + quantity
    return found


def _too_much(fulfilment: Fulfilment, ours: Iterable[_Ours], units: Units) -> bool:
    """Whether what we made of the fulfilment holds more of a line than it says."""
    made = _units(one for one in ours if marked(one.shipment.comments, fulfilment) is not None)
    return any(quantity > units.get(line_id, 0) for line_id, quantity in made.items())


def _name(fulfilment: Fulfilment) -> str:
    return fulfilment.number or str(fulfilment.id)


def note_body(shipment_ids: Iterable[int], policy: ShipmentPolicy) -> dict[str, str] | None:
    """The PATCH that puts the store's shipments on their fulfilment; None where no field is named."""
    ids = sorted(set(shipment_ids))
    return {policy.note_field: ", ".join(map(str, ids))} if policy.note_field and ids else None
