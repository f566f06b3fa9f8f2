"""A small NetSuite for the tests: what a record with this body comes to, and what a patch makes of it.

Put here what NetSuite computes (facts/netsuite.md 3.3, 3.6, 4.1) and refuses. It shares no code with the rules
nor with the sandbox. Taxes are those of the override, or of an engine with one rate; a record keeps its lines
by number, and a line without number is appended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bcns_pipeline.rules.orders.facts import Shown, ShownLine

ZERO = Decimal(0)
DISCOUNT_ITEM = "930"
FIXED = ("entity", "subsidiary", "currency")


def cents(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def no_float(value: Any, at: str = "body") -> None:
    """Money that went through a float once is not money any more."""
    assert not isinstance(value, float), at
    if isinstance(value, dict):
        for name, one in value.items():
            no_float(one, f"{at}.{name}")
    elif isinstance(value, (list, tuple)):
        for place, one in enumerate(value):
            no_float(one, f"{at}[{place}]")


@dataclass
class Record:
    """A sales order in NetSuite. `rate` is the percent of the engine, where tax is not overridden."""

    currency: str
    digits: int
    rate: Decimal = ZERO
    status: str = "B"
    header: dict[str, Any] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    details: list[dict[str, Any]] = field(default_factory=list)
    fulfilled: dict[int, int] = field(default_factory=dict)
    billed: dict[int, int] = field(default_factory=dict)

    @classmethod
    def made(cls, body: dict[str, Any], currency: str, digits: int, rate: Decimal = ZERO) -> Record:
        """POST."""
        record = cls(currency, digits, rate)
        record.write(body)
        return record

    def write(self, body: Any) -> None:
        """POST or PATCH."""
        no_float(body)
        for name, value in body.items():
            if name in ("item", "taxDetails"):
                continue
            assert name not in FIXED or not self.lines, f"{name} is set once"
            if value is None:
                self.header.pop(name, None)
            else:
                self.header[name] = value
        for given in body.get("item", {"items": []})["items"]:
            number = given.get("line")
            if number is None:
                number = max(self.lines, default=0) + 1
                self.lines[number] = {}
                assert given["price"] == {"id": "-1"}, "a price level would overwrite what was charged"
            line = self.lines[number]
            line.update({name: value for name, value in given.items() if name != "line"})
            if line["item"]["id"] == DISCOUNT_ITEM:
                assert "quantity" not in line
            assert line.get("quantity", 0) >= self.fulfilled.get(number, 0)
        if "taxDetails" in body:
            rows = body["taxDetails"]["items"]
            named = {row["taxDetailsReference"]["id"] for row in rows}
            # Kept by their line: rows of lines that a request does not name stay (facts/netsuite.md 3.3).
            self.details = [
                one for one in self.details if one["taxDetailsReference"]["id"] not in named
            ] + rows

    def amount(self, line: dict[str, Any]) -> Decimal:
        assert cents(line["amount"], self.digits) == line["amount"], "more digits than the currency has"
        quantity = line.get("quantity", 1)
        if quantity:
            assert cents(line["rate"] * quantity, self.digits) == line["amount"], "rate and amount disagree"
        return Decimal(line["amount"])

    @property
    def costs(self) -> Decimal:
        """Shipping and handling of the header: dropped where there is no way to ship."""
        if "shipMethod" not in self.header:
            return ZERO
        return Decimal(self.header.get("shippingCost", ZERO)) + Decimal(self.header.get("handlingCost", ZERO))

    @property
    def tax(self) -> Decimal:
        if self.header.get("taxDetailsOverride"):
            references = {line["taxDetailsReference"] for line in self.lines.values()}
            for row in self.details:
                assert row["taxDetailsReference"]["id"] in references
                assert isinstance(row["taxType"], str)
                assert row["taxCode"]["id"].isdecimal()
                assert cents(row["taxAmount"], self.digits) == row["taxAmount"]
            named = {row["taxDetailsReference"]["id"] for row in self.details}
            for line in self.lines.values():
                assert not line["amount"] or line["taxDetailsReference"] in named, "a line without tax row"
            return sum((row["taxAmount"] for row in self.details), ZERO)
        taxed = sum((self.amount(line) for line in self.lines.values()), ZERO) + self.costs
        return cents(taxed * self.rate / 100, self.digits)

    @property
    def total(self) -> Decimal:
        return sum((self.amount(line) for line in self.lines.values()), ZERO) + self.costs + self.tax

    def shown(self, key_field: str = "custcol_bc_line_id") -> Shown:
        """As the pipeline reads it back."""
        return Shown(
            id=5001,
            status=self.status,
            total=self.total,
            tax=self.tax,
            currency=self.currency,
            shipping=self.costs,
            lines=tuple(
                ShownLine(
                    line=number,
                    item=int(line["item"]["id"]),
                    quantity=Decimal(line.get("quantity", 0)),
                    amount=Decimal(line["amount"]),
                    key=line.get(key_field, ""),
                    fulfilled=Decimal(self.fulfilled.get(number, 0)),
                    billed=Decimal(self.billed.get(number, 0)),
                    closed=bool(line.get("isClosed")),
                )
                for number, line in self.lines.items()
            ),
        )
