"""Transactions as SuiteQL shows them: header, lines with their signs, tax, shipping, addresses, links, parcels.

Put the way from the ledger to the tables here. Do not put rules here, nor the rows of money and the general ledger
(money_rows.py). Sources: facts/netsuite.md 2.4 and 2.6: on sales-side lines quantity and amounts are negative and
discounts positive, the main line has id 0, and a fulfilment shows each stocked item a second time as cost of goods, as
a receipt of returned goods does with the other sign (unverified).
Credits have all of this the other way round, the header's totals included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.account import SHIP_METHODS
from bcns_pipeline.sandbox.netsuite.claims import Claims
from bcns_pipeline.sandbox.netsuite.database import Database
from bcns_pipeline.sandbox.netsuite.definition import ADDRESS
from bcns_pipeline.sandbox.netsuite.items import KITS, STOCKED
from bcns_pipeline.sandbox.netsuite.kinds import FULFILMENT, MOVEMENTS
from bcns_pipeline.sandbox.netsuite.ledger import Line, Transaction
from bcns_pipeline.sandbox.netsuite.money_rows import MONEY, MoneyRows
from bcns_pipeline.sandbox.netsuite.periods import Periods
from bcns_pipeline.sandbox.netsuite.postings import extras, ref_id
from bcns_pipeline.sandbox.netsuite.tax import taxed_lines

CARRIERS = {method.id: method.carrier for method in SHIP_METHODS}
Row = dict[str, Any]


class Rows:
    """Writes transactions into the backlog."""

    def __init__(self, database: Database, periods: Periods, claims: Claims) -> None:
        self._money = MoneyRows(claims)
        self._backlog = database.backlog
        self._columns = database.columns
        self._periods = periods

    def write(self, transaction: Transaction) -> None:
        """All rows of a transaction replace its earlier ones."""
        put, number = self._backlog.put, transaction.id
        put("transaction", number, [self._header(transaction)])
        put("transactionline", number, list(self._lines(transaction)))
        if transaction.kind.record not in MONEY and transaction.kind not in MOVEMENTS:
            put("transactiontaxdetail", number, list(self._taxes(transaction)))
        if transaction.kind.posting:
            put("transactionaccountingline", number, list(self._money.accounting(transaction)))
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
            "shippingmethod": ref_id(method),
            "shippingrate": transaction.totals.shipping,
            "handlingrate": transaction.totals.handling,
        }
        put("transactionshipment", number, [shipment] if method is not None else ())
        links = list(self._links(transaction))
        if links or transaction.kind.posting:
            put("transactionlink", number, links)
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
            "transactionaccountingline",
            "transactiontaxdetail",
            "transactionlink",
            "trackingnumber",
            "trackingnumbermap",
            "shipmentpackage",
        ):
            self._backlog.put(table, transaction.id, ())
        gone = {"recordid": transaction.id, "type": transaction.kind.recordtype, "deleteddate": at}
        self._backlog.put("deletedrecord", transaction.id, [gone])

    def _links(self, transaction: Transaction) -> Iterator[Row]:
        """From what it was made, and what it settles."""
        if transaction.source is not None:
            shipped = "ShipRcpt" if transaction.status == "C" else "PickPack"
            kind = shipped if transaction.kind is FULFILMENT else transaction.kind.link
            yield {"previousdoc": transaction.source, "nextdoc": transaction.id, "linktype": kind}
        yield from self._money.links(transaction)

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
            "posting": "T" if kind.posting and not transaction.pending else "F",
            "postingperiod": None if period is None else period.id,
            "void": "F",
            "voided": "T" if transaction.voided else "F",
            "createdby": transaction.created_by or None,
            "lastmodifiedby": transaction.modified_by or None,
            "trandate": datetime.combine(transaction.day, time()),
            "createddate": transaction.created,
            "lastmodifieddate": transaction.modified,
            "shippingaddress": transaction.id if values.get("shippingAddress") else None,
            "billingaddress": transaction.id if values.get("billingAddress") else None,
            "shipcarrier": None if method is None else CARRIERS.get(method.id),
            "trackingnumberlist": ", ".join(numbers) or None,
        }
        if kind in MOVEMENTS:
            shipped = values.get("shippedDate")
            row["actualshipdate"] = None if shipped is None else datetime.combine(shipped, time())
        else:
            sign = 0 if transaction.voided else kind.sign
            row["total"] = sign * transaction.totals.base
            row["foreigntotal"] = sign * transaction.totals.total
            row |= self._money.header(transaction)
        row |= {name: value for name, value in values.items() if name in own and name.startswith("cust")}
        return row

    def _lines(self, transaction: Transaction) -> Iterator[Row]:
        common: Row = {
            "transaction": transaction.id,
            "createdfrom": transaction.source,
            "subsidiary": transaction.subsidiary,
            "linelastmodifieddate": transaction.modified,
        }
        head = {"location": ref_id(transaction.values.get("location")), **_dimensions(transaction.values)}
        rate = transaction.exchange_rate
        if transaction.kind.record in MONEY:
            yield from ({**head, **common, **row} for row in self._money.lines(transaction))
            return
        sign = 0 if transaction.voided else transaction.kind.sign
        total = sign * transaction.totals.total
        sale = transaction.kind not in MOVEMENTS
        yield {
            **common,
            **head,
            "id": 0,
            "linesequencenumber": 0,
            "uniquekey": transaction.id * 1000,
            "mainline": "T",
            "taxline": "F",
            "foreignamount": total if sale else None,
            "netamount": sign * transaction.totals.base if sale else None,
            "entity": transaction.entity,
        }
        sequence = 0
        for line in transaction.lines:
            sequence += 1
            row = self._line(line, rate, sign, sale=sale, moves=transaction.kind.posting)
            yield {**common, **row, "linesequencenumber": sequence}
            if not sale and line.item is not None and line.item.kind in STOCKED:
                sequence += 1
                cost = {**row, "iscogs": "T", "quantity": -row["quantity"], "isinventoryaffecting": "F"}
                cost |= {"id": line.id + 1, "uniquekey": line.unique + 500_000}
                yield {**common, **cost, "linesequencenumber": sequence}
        for row in self._extras(transaction) if sale else ():
            sequence += 1
            yield {**common, **row, "linesequencenumber": sequence}
        for row in self._money.added(transaction) if sale else ():
            sequence += 1
            yield {**common, **row, "linesequencenumber": sequence}

    def _line(self, line: Line, rate: Decimal, sign: int, *, sale: bool, moves: bool) -> Row:
        """A line; `moves` says that its goods are booked with the transaction."""
        item = line.item
        quantity = None if line.quantity is None else -sign * line.quantity
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
                "foreignamount": -sign * line.amount,
                "netamount": -sign * line.amount * rate,
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
        sign, rate = 0 if transaction.voided else transaction.kind.sign, transaction.exchange_rate
        for one in extras(transaction):
            yield {
                "id": one.id,
                "uniquekey": transaction.id * 1000 + one.id,
                "mainline": "F",
                "taxline": "T" if one.is_tax else "F",
                "iscogs": "F",
                "item": one.item,
                "foreignamount": -sign * one.amount,
                "netamount": -sign * one.amount * rate,
                "isclosed": "F",
                "shipmethod": one.item if one.name == "shipping" else None,
            }

    def _taxes(self, transaction: Transaction) -> Iterator[Row]:
        """SuiteTax's own rows, one for each line and code: signed as the ledger is, the rate a fraction."""
        sign, rate = 0 if transaction.voided else transaction.kind.sign, transaction.exchange_rate
        lines = taxed_lines(transaction)
        for row in transaction.taxes:
            yield {
                "transaction": transaction.id,
                "line": lines[row.reference],
                "taxtype": row.code.type,
                "taxcode": row.code.id,
                "taxrate": row.rate / 100,
                "taxbasis": sign * row.basis,
                "taxamount": -sign * row.amount,
                "basetaxamount": -sign * row.amount * rate,
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


def _dimensions(values: Mapping[str, Any]) -> Row:
    """Department and class of a header or line."""
    return {"department": ref_id(values.get("department")), "class": ref_id(values.get("class"))}
