"""The demo's chapter on orders: every awkward kind, what waits and heals, edits, and what a second run does.

Put here what shoppers and the merchant do, and what was promised of it. Do not put here what goes wrong between
the systems (demo_faults.py) nor parcels (demo_shipping.py). What counts is in both systems' own books.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_books import Books, Pair, money, unequal
from bcns_pipeline.cli.demo_stage import Stage
from bcns_pipeline.cli.local import MappingFile
from bcns_pipeline.settings import load_settings

# What must not be posted, or not yet: kind, and the reason that is said of it.
STAY_OUT = {
    "awaiting_payment": "STATUS",
    "incomplete": "INCOMPLETE",
    "declined": "DECLINED",
    "test_order": "TEST",
    "api_override": "ORDER_COMPONENTS_DO_NOT_ADD",
    "unmapped_sku": "ITEM_UNMAPPED",
    "unmapped_ship_method": "SHIP_METHOD_UNMAPPED",
}
TWINS = 2
UNITS, CANCELLED = 3, 1
DRONE = "Drone*"


@dataclass(slots=True)
class Orders:
    """The chapter; `mapping` is the merchant's mapping file, `sku` an ordinary one that is in stock."""

    stage: Stage
    mapping: MappingFile
    sku: str
    placed: dict[str, int] = field(default_factory=dict)
    born: str = ""
    edited: list[int] = field(default_factory=list)

    @property
    def books(self) -> Books:
        """Both sides."""
        return Books(self.stage.sandbox)

    def tell(self) -> None:
        """All of it."""
        self.every_kind()
        self.once_more()
        self.facts_appear()
        self.an_edit()

    def every_kind(self) -> None:
        """One order of each kind, and two of one new shopper in the same second."""
        control = self.stage.control
        kinds = control.shop_kinds()
        self.stage.title(f"{len(kinds)} orders, each awkward in its own way, and two of one new shopper")
        for kind in kinds:
            order = control.shop_order(kind, restock=True)
            self.placed[kind] = int(order["id"])
            self.born = next(
                (one["sku"] for one in order["lines"] if one["sku"].startswith("NEW-")), self.born
            )
        shopper = control.shopper(email="twins@example.com", first_name="Ti", last_name="Twin")
        twins = [int(control.shop_order(customer_id=shopper["id"], restock=True)["id"]) for _ in range(TWINS)]
        everything = [*self.placed.values(), *twins]
        before = {one.id: money(one.order) for one in self.books.pairs(everything)}
        self.stage.run("order_sync")

        named = [
            *((one, kinds[one]) for one in self.placed),
            *(("", "One new shopper, twice.") for _ in twins),
        ]
        pairs = self.books.pairs(everything)
        self._show(pairs, named)
        posted = [pair for pair, (kind, _) in zip(pairs, named, strict=True) if kind not in STAY_OUT]
        promise = self.stage.promise
        promise(
            f"{len(posted)} orders are in NetSuite, each once and equal to the cent",
            all(one.equal for one in posted),
            unequal(posted),
        )
        entities = {one.record["entity"] for one in pairs[-TWINS:] if one.record}
        promise("the two orders of one new shopper share one customer", len(entities) == 1)
        doubled = self.books.customers_made_twice()
        promise("no customer was made twice", not doubled, ", ".join(doubled))
        left = [
            one
            for one in posted
            if one.record and one.order.get("external_order_id") != str(one.record["id"])
        ]
        promise("NetSuite's number stands on every posted order", not left, told(left))
        moved = [one for one in pairs if money(one.order) != before[one.id]]
        promise("no money field of any order was touched", not moved, told(moved))
        self._say_why_not()

    def once_more(self) -> None:
        """Our own references made new versions of the orders: they are read, and nothing is written."""
        self.stage.title("And again: the same orders, read once more")
        self.stage.run("order_sync")
        calls, writes = self.stage.calls(), self.stage.writes()
        self.stage.promise(f"order_sync: {len(calls)} calls and {len(writes)} writes", not writes)

    def facts_appear(self) -> None:
        """A SKU is born in NetSuite, a shipping method is mapped: both orders go by themselves."""
        control, born, drone = (
            self.stage.control,
            self.placed["unmapped_sku"],
            self.placed["unmapped_ship_method"],
        )
        self.stage.title("The missing facts appear, and the orders that waited for them go by themselves")
        # Ordinary ones, which this run posts along the way; what is edited has to be in NetSuite first.
        line = [{"sku": self.sku, "quantity": UNITS, "price": "10.00"}]
        self.edited = [int(control.shop_order(lines=line, restock=True)["id"]) for _ in range(2)]
        control.item(sku=self.born, create=True)
        methods = self.stage.sandbox.accounting["ship_methods"]
        self.mapping.sections["orders"]["shipping"]["methods"][DRONE] = int(methods["UPS Ground"])
        self.mapping.write()
        say(f"Catalogue:  {self.born} is created in NetSuite.")
        say(f"Operations: maps the shipping method {DRONE} in bcns.yaml.")
        # As `bcns exceptions retry`: they are looked at again every few minutes by themselves.
        with remembered(load_settings()) as state:
            state.orders.make_due([born, drone], datetime.now(UTC))
        self.stage.run("order_sync")
        pairs = self.books.pairs([born, drone])
        self.stage.promise(
            "both are in NetSuite, equal to the cent", all(one.equal for one in pairs), unequal(pairs)
        )
        with remembered(load_settings()) as state:
            asked = [
                one.code
                for one in state.exceptions.find()
                if one.subject in (f"order:{born}", f"order:{drone}")
            ]
        self.stage.promise("their exceptions closed by themselves", not asked, ", ".join(asked))

    def an_edit(self) -> None:
        """One unit of three is cancelled, and a price is changed in another order."""
        control = self.stage.control
        self.stage.title(
            "A shopper cancels one unit of three, and the merchant grants another one a better price"
        )
        fewer, cheaper = self.edited
        control.cancel_units(fewer, CANCELLED, sku=self.sku)
        control.edit_order(cheaper, lines=[{"sku": self.sku, "price": "7.77"}])
        self.stage.run("order_sync")
        pairs = self.books.pairs([fewer, cheaper])
        show_table(
            ["order", "what changed", "charged now", "NetSuite total", "units in NetSuite"],
            [
                (str(one.id), what, amount(one), total(one), units(one, self.sku))
                for one, what in zip(pairs, ("one unit of three cancelled", "10.00 became 7.77"), strict=True)
            ],
        )
        kept = UNITS - CANCELLED
        self.stage.promise(f"{kept} units are left of the first", units(pairs[0], self.sku) == str(kept))
        self.stage.promise(
            "both are equal to the cent again", all(one.equal for one in pairs), unequal(pairs)
        )

    def _show(self, pairs: Iterable[Pair], named: Iterable[tuple[str, str]]) -> None:
        rows = []
        for one, (kind, what) in zip(pairs, named, strict=True):
            record = one.record or {}
            rows.append(
                (
                    str(one.id),
                    what.rstrip(".") if not kind else f"{kind}: {what.rstrip('.')}",
                    amount(one),
                    total(one),
                    None if one.difference is None else str(one.difference),
                    None if one.record is None else str(record["entity"]),
                    record.get("number"),
                )
            )
        show_table(
            ["order", "kind", "charged", "NetSuite total", "difference", "customer", "NetSuite number"], rows
        )

    def _say_why_not(self) -> None:
        """What is not in NetSuite says why, and it is what was expected."""
        with remembered(load_settings()) as state:
            found = {one.order_id: one for one in state.orders.many(list(self.placed.values())).values()}
        rows, said = [], {}
        for kind, order_id in self.placed.items():
            one = found[order_id]
            if one.netsuite_id is None:
                said[kind] = one.code
                rows.append((str(order_id), kind, str(one.total), one.disposition, one.code, one.reason))
        say("Not in NetSuite, and why:")
        show_table(["order", "kind", "charged", "is", "reason", "in words"], rows)
        self.stage.promise(
            f"the {len(STAY_OUT)} others say why they are not, and what would help",
            said == STAY_OUT,
            str(said),
        )


def told(pairs: Iterable[Pair]) -> str:
    """Their numbers."""
    return ", ".join(f"order {one.id}" for one in pairs)


def amount(pair: Pair) -> str:
    """What was charged, with its currency; the store itself writes four decimals."""
    places = next((Decimal(str(one["total"])) for one in pair.records), Decimal("0.01"))
    return f"{pair.charged.quantize(places)} {pair.currency}"


def total(pair: Pair) -> str | None:
    """NetSuite's total, with its currency."""
    return None if pair.record is None else f"{pair.record['total']} {pair.record['currency']}"


def units(pair: Pair, sku: str) -> str:
    """How many units of a SKU NetSuite's record has."""
    lines = pair.record["lines"] if pair.record else []
    return "".join(f"{float(line['quantity']):g}" for line in lines if line["sku"] == sku)
