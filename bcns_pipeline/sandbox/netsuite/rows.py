"""Transactions as SuiteQL shows them: header, lines with their signs, tax, shipping, addresses, links, parcels.

Put the way from the ledger to the tables here. Do not put rules here. Sources: facts/netsuite.md 2.4 and 2.6:
on sales-side lines quantity and amounts are negative and discounts positive, the header's totals are positive,
the main line has id 0, and a fulfilment shows each stocked item a second time as cost of goods.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import SHIP_METHODS
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.definition import ADDRESS
from bcns_pipeline.sandbox.netsuite.items import KITS, STOCKED
from bcns_pipeline.sandbox.netsuite.kinds import FULFILMENT
from bcns_pipeline.sandbox.netsuite.ledger import ZERO, Line, Transaction
from bcns_pipeline.sandbox.netsuite.periods import Periods
from bcns_pipeline.sandbox.netsuite.reading import Ref

CARRIERS = {method.id: method.carrier for method in SHIP_METHODS}
Row = dict[str, Any]


class Rows:
    """Writes transactions into the backlog."""

    def __init__(self, database: Database, periods: Periods) -> None:
        self._backlog = database.backlog
        self._columns = database.columns
        self._periods = periods

    def write(self, transaction: Transaction) -> None:
        """All rows of a transaction replace its earlier ones."""
        put, number = self._backlog.put, transaction.id
        put("transaction", number, [self._header(transaction)])
        put("transactionline", number, list(self._lines(transaction)))
        for table, name in (
            ("transactionshippingaddress", "shippingAddress"),
            ("transactionbillingaddress", "billingAddress"),
        ):
            address = transaction.values.get(name)
            row = {"nkey": number, **{n.lower(): (address or {}).get(n) for n in COLUMNS}}
            put(table, number, [row] if address else ())
        method = transaction.values.get("shipMethod")
        shipment = {
            "doc": number,
            "shippingmethod": _id(method),
            "shippingrate": transaction.totals.shipping,
            "handlingrate": transaction.totals.handling,
        }
        put("transactionshipment", number, [shipment] if method is not None else ())
        if transaction.source is not None:
            shipped = "ShipRcpt" if transaction.status == "C" else "PickPack"
            kind = shipped if transaction.kind is FULFILMENT else "OrdBill"
            link = {"previousdoc": transaction.source, "nextdoc": number, "linktype": kind}
            put("transactionlink", number, [link])
        if transaction.kind is FULFILMENT:
            self._parcels(transaction)

    def remove(self, transaction: Transaction, at: datetime) -> None:
        """Take a transaction's rows away; it leaves a `deletedrecord`."""
        for table in (
            "transaction",
            "transactionline",
            "transactionshippingaddress",
            "transactionbillingaddress",
            "transactionshipment",
            "transactionlink",
            "trackingnumber",
            "trackingnumbermap",
            "shipmentpackage",
        ):
            self._backlog.put(table, transaction.id, ())
        gone = {"recordid": transaction.id, "type": transaction.kind.recordtype, "deleteddate": at}
        self._backlog.put("deletedrecord", transaction.id, [gone])

    def _header(self, transaction: Transaction) -> Row:
        kind, values = transaction.kind, transaction.values
        own = self._columns["transaction"]
        method = values.get("shipMethod")
        period = self._periods.of(transaction.day) if kind.posting else None
        numbers = [f"{transaction.id * 100 + k}" for k, _ in self._tracked(transaction)]
        row: Row = {
            "id": transaction.id,
            "type": kind.code,
            "recordtype": kind.recordtype,
            "tranid": transaction.number,
            "transactionnumber": f"{kind.code.upper()}{transaction.id}",
            "externalid": transaction.external,
            "status": transaction.status,
            "entity": transaction.entity,
            "currency": transaction.currency,
            "subsidiary": transaction.subsidiary,
            "exchangerate": transaction.exchange_rate,
            "memo": values.get("memo"),
            "otherrefnum": values.get("otherRefNum"),
            "posting": "T" if kind.posting else "F",
            "postingperiod": None if period is None else period.id,
            "void": "F",
            "voided": "F",
            "trandate": datetime.combine(transaction.day, time()),
            "createddate": transaction.created,
            "lastmodifieddate": transaction.modified,
            "shippingaddress": transaction.id if values.get("shippingAddress") else None,
            "billingaddress": transaction.id if values.get("billingAddress") else None,
            "shipcarrier": None if method is None else CARRIERS.get(method.id),
            "trackingnumberlist": ", ".join(numbers) or None,
        }
        if kind is FULFILMENT:
            shipped = values.get("shippedDate")
            row["actualshipdate"] = None if shipped is None else datetime.combine(shipped, time())
        else:
            row["total"], row["foreigntotal"] = transaction.totals.base, transaction.totals.total
        row |= {name: value for name, value in values.items() if name in own and name.startswith("cust")}
        return row

    def _lines(self, transaction: Transaction) -> Iterator[Row]:
        common: Row = {
            "transaction": transaction.id,
            "createdfrom": transaction.source,
            "subsidiary": transaction.subsidiary,
            "linelastmodifieddate": transaction.modified,
        }
        head = {"location": _id(transaction.values.get("location")), **_dimensions(transaction.values)}
        rate = transaction.exchange_rate
        total = transaction.totals.total
        sale = transaction.kind is not FULFILMENT
        yield {
            **common,
            **head,
            "id": 0,
            "linesequencenumber": 0,
            "uniquekey": transaction.id * 1000,
            "mainline": "T",
            "taxline": "F",
            "foreignamount": total if sale else None,
            "netamount": transaction.totals.base if sale else None,
        }
        sequence = 0
        for line in transaction.lines:
            sequence += 1
            row = self._line(line, rate, sale=sale, moves=transaction.kind.posting)
            yield {**common, **row, "linesequencenumber": sequence}
            if not sale and line.item is not None and line.item.kind in STOCKED:
                sequence += 1
                cost = {**row, "iscogs": "T", "quantity": line.quantity, "isinventoryaffecting": "F"}
                cost |= {"id": line.id + 1, "uniquekey": line.unique + 500_000}
                yield {**common, **cost, "linesequencenumber": sequence}
        for row in self._extras(transaction) if sale else ():
            sequence += 1
            yield {**common, **row, "linesequencenumber": sequence}

    def _line(self, line: Line, rate: Decimal, *, sale: bool, moves: bool) -> Row:
        """A line; `moves` says that its goods are booked with the transaction."""
        item = line.item
        quantity = None if line.quantity is None else -line.quantity
        row: Row = {
            "id": line.id,
            "uniquekey": line.unique,
            "mainline": "F",
            "taxline": "F",
            "iscogs": "F",
            "item": None if item is None else item.id,
            "quantity": quantity,
            "location": line.location,
            "memo": line.values.get("description"),
            "isclosed": "T" if line.closed else "F",
            "isinventoryaffecting": "T" if moves and item is not None and item.kind in STOCKED else "F",
            **_dimensions(line.values),
        }
        if sale:
            row |= {
                "rate": line.rate,
                "foreignamount": -line.amount,
                "netamount": -line.amount * rate,
                "quantitycommitted": line.committed,
                "quantitybackordered": line.backordered,
                "quantitypicked": line.touched,
                "quantitypacked": line.packed + line.fulfilled,
                "quantityshiprecv": line.fulfilled,
                "quantitybilled": line.billed,
                "isfullyshipped": "T" if line.quantity and line.fulfilled >= line.quantity else "F",
            }
        elif line.kit_member_of is not None:
            row |= {"kitcomponent": "T", "kitmemberof": line.kit_member_of}
        elif item is not None and item.kind in KITS:
            row["kitcomponent"] = "F"
        own = self._columns["transactionline"]
        return row | {n: v for n, v in line.values.items() if n in own and n.startswith("cust")}

    def _extras(self, transaction: Transaction) -> Iterator[Row]:
        """Header discount, shipping, handling and one tax row per code, with ids of their own."""
        totals, rate = transaction.totals, transaction.exchange_rate
        method = _id(transaction.values.get("shipMethod"))
        found: list[tuple[str, Decimal, int | None, str]] = [
            ("discount", totals.discount, _id(transaction.values.get("discountItem")), "F"),
            ("shipping", totals.shipping, method, "F"),
            ("handling", totals.handling, method, "F"),
        ]
        by_code: dict[int, Decimal] = {}
        for tax in transaction.taxes:
            by_code[tax.code.id] = by_code.get(tax.code.id, ZERO) + tax.amount
        found += [(f"tax{code}", amount, None, "T") for code, amount in by_code.items()]
        for name, amount, item, taxline in found:
            if not amount and not (taxline == "T" or (name == "shipping" and method)):
                continue
            number = transaction.extra_lines.setdefault(name, transaction.next_line)
            if number == transaction.next_line:
                transaction.next_line += 1
            yield {
                "id": number,
                "uniquekey": transaction.id * 1000 + number,
                "mainline": "F",
                "taxline": taxline,
                "iscogs": "F",
                "item": item,
                "foreignamount": -amount,
                "netamount": -amount * rate,
                "isclosed": "F",
                "shipmethod": item if name == "shipping" else None,
            }

    def _parcels(self, transaction: Transaction) -> None:
        tracked = list(self._tracked(transaction))
        base = transaction.id * 100
        put = self._backlog.put
        put("trackingnumber", transaction.id, [{"id": base + k, "trackingnumber": n} for k, n in tracked])
        put(
            "trackingnumbermap",
            transaction.id,
            [{"transaction": transaction.id, "trackingnumber": base + k} for k, _ in tracked],
        )
        put(
            "shipmentpackage",
            transaction.id,
            [{"itemfulfillment": transaction.id, "trackingnumber": base + k} for k, _ in tracked],
        )

    def _tracked(self, transaction: Transaction) -> Iterator[tuple[int, str]]:
        for place, package in enumerate(transaction.packages):
            if package.tracking:
                yield place, package.tracking


COLUMNS = (*(name for name in ADDRESS if name != "addrText"), "country")


def _id(value: Any) -> int | None:
    return value.id if isinstance(value, Ref) else None


def _dimensions(values: dict[str, Any]) -> Row:
    """Department and class of a header or line."""
    return {"department": _id(values.get("department")), "class": _id(values.get("class"))}
