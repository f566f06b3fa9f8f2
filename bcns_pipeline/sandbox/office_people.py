"""What administrators do to NetSuite: scripts, locks, periods, customers, counts, and looking into the books.

Put happenings here that concern no single order. Do not put HTTP here (office_control.py) nor orders
(office_events.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite.entity import Customer
from bcns_pipeline.sandbox.netsuite.interference import Conflict, Script
from bcns_pipeline.sandbox.netsuite.ledger import Line, Posting, Transaction
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.office_events import Office


class Administrator:
    """The people who may do anything on NetSuite's side."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.context = office.context

    # -- what is in the way ----------------------------------------------------------------------------------

    def script(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Deploy a user-event script `on` a record type; see `interference.Script`. `clear` removes all."""
        known = {"on", "times", "match", "refuse", "body", "add", "line", "place", "clear"}
        if unknown := sorted(set(raw) - known):
            raise ValueError(f"A script has no {unknown[0]!r}; it has {', '.join(sorted(known))}.")
        scripts = self.context.interference.scripts
        if raw.get("clear"):
            scripts.clear()
        else:
            times = raw.get("times", 1)
            scripts.append(
                Script(
                    record=str(raw["on"]).lower(),
                    times=None if times is None else int(times),
                    match=str(raw.get("match", "")),
                    refuse=str(raw.get("refuse", "")),
                    body=raw.get("body", {}),
                    add=raw.get("add", {}),
                    line=raw.get("line", {}),
                    place=int(raw.get("place", 0)),
                )
            )
        return {"scripts": len(scripts)}

    def lock(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A workflow locks a record (`record` type, `id` or external id), or with `locked` false frees it."""
        record = str(raw.get("record", "salesOrder"))
        number = self._number(record, raw["id"])
        locks = self.context.interference.locks
        (locks.add if raw.get("locked", True) else locks.discard)((record.lower(), number))
        return {"record": record, "id": number, "locked": (record.lower(), number) in locks}

    def conflict(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The next `times` changes of a `record` type (or of the one with `id`) meet a concurrent edit."""
        record = str(raw.get("record", "salesOrder"))
        number = self._number(record, raw["id"]) if "id" in raw else None
        times = int(raw.get("times", 1))
        self.context.interference.conflicts.append(Conflict(record.lower(), number, times))
        return {"record": record, "id": number, "times": times}

    def _number(self, record: str, key: Any) -> int:
        """The internal id of a record named by id or external id."""
        if record.lower() == "customer":
            return self.customer(key).id
        found = self.context.ledger.get(int(key)) if str(key).isdigit() else None
        found = found or self.context.ledger.by_external(str(key))
        if found is None or found.kind.recordtype != record.lower():
            raise ValueError(f"NetSuite has no {record} {key}.")
        return found.id

    def period(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Open, lock or close a `month` (YYYY-MM, this one by default)."""
        month = str(raw.get("month") or self.context.today().strftime("%Y-%m"))
        found = self.context.periods.set(date.fromisoformat(f"{month}-01"), str(raw["state"]))
        return {"period": found.name, "state": found.state}

    def settings(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Turn switches of the account (netsuite/settings.py); returns all of them."""
        return self.context.settings.change(dict(raw))

    # -- customers -------------------------------------------------------------------------------------------

    def customer(self, key: Any) -> Customer:
        """The customer with this internal id (a number) or external id (text)."""
        found = self.context.customers.get(int(key)) if str(key).isdigit() else None
        found = found or self.context.customers.by_external(str(key))
        if found is None:
            raise ValueError(f"NetSuite has no customer {key}.")
        return found

    def edit_customer(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Create a customer by hand, or change the one named by `customer`; the rest are REST's properties.

        `subsidiaries` gives it further ones.
        """
        fields = {n: v for n, v in raw.items() if n not in ("customer", "subsidiaries")}
        customers = self.context.customers
        if "customer" in raw:
            number = self.customer(raw["customer"]).id
            customers.change(number, self.office.read(customers.definition, fields), frozenset())
        else:
            base: dict[str, Any] = {"isPerson": True, "firstName": "Pat", "lastName": "Walker"}
            if self.context.account.oneworld:
                base["subsidiary"] = {"id": "1"}
            number = customers.create(self.office.read(customers.definition, {**base, **fields}))
        for subsidiary in raw.get("subsidiaries", ()):
            customers.relate(self.customer(number), int(subsidiary))
        return self._told(self.customer(number))

    def merge_customers(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """`duplicate` becomes part of `master`: its transactions move, the record goes."""
        master, duplicate = self.customer(raw["master"]), self.customer(raw["duplicate"])
        if master.id == duplicate.id:
            raise ValueError("A customer can't be merged into itself.")
        now = self.context.clock.account()
        moved = 0
        for transaction in self.context.ledger:
            if transaction.entity == duplicate.id:
                transaction.entity = master.id
                self.context.ledger.save(transaction, now)
                moved += 1
            for entry in transaction.entries:
                if entry.entity == duplicate.id:
                    entry.entity = master.id
                    self.context.ledger.save(transaction, now)
        self.context.customers.remove(duplicate)
        master.modified = now
        self.context.customers.store(master)
        return {"customer": master.id, "gone": duplicate.id, "transactions": moved}

    # -- stock -----------------------------------------------------------------------------------------------

    def reset_stock(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A count of everything, or of `skus`: `on_hand` (100) everywhere, nothing promised or on back order.

        Open orders keep their lines and lose their promises.
        """
        on_hand = Decimal(str(raw.get("on_hand", 100)))
        chosen = {item for sku in raw.get("skus", ()) for item in self.context.database.find_items(sku)}
        stock = self.context.stock
        places = [(item, place) for item, place in stock.places() if not chosen or item in chosen]
        for item, place in places:
            stock.reset(item, place, on_hand)
        self.office.books.orders.forget_promises(chosen)
        return {"reset": len(places)}

    # -- looking in ------------------------------------------------------------------------------------------

    def customers(self) -> list[dict[str, Any]]:
        """All customers."""
        return [self._told(one) for one in self.context.customers]

    def _told(self, one: Customer) -> dict[str, Any]:
        plain = {n: v.id if isinstance(v, Ref) else v for n, v in one.values.items()}
        return {
            "id": one.id,
            **plain,
            "currencies": [one.currency, *one.currencies],
            "subsidiaries": [one.subsidiary, *one.subsidiaries],
            "addresses": one.book.shown(),
            "tax_registrations": [
                {n: v.id if isinstance(v, Ref) else v for n, v in row.items()} for row in one.registrations
            ],
        }

    def transactions(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """The ledger as it is, filtered by `type`, `externalid`, `id` or `created_from`."""
        found = []
        for one in self.context.ledger:
            if "type" in wanted and one.kind.recordtype != wanted["type"].lower():
                continue
            if "externalid" in wanted and one.external != wanted["externalid"]:
                continue
            if "id" in wanted and str(one.id) != wanted["id"]:
                continue
            if "created_from" in wanted and str(one.source) != wanted["created_from"]:
                continue
            used = self.context.claims.used((one.id, 0))
            symbol = self.context.account.currencies[one.currency].symbol
            found.append({**told(one, symbol), "settled": str(used)})
        return found


def told(one: Transaction, currency: str) -> dict[str, Any]:
    """A transaction for whoever looks in; amounts are text, in its currency unless they say base."""
    totals = one.totals
    return {
        "id": one.id,
        "type": one.kind.record,
        "number": one.number,
        "external_id": one.external,
        "status": one.status,
        "entity": one.entity,
        "subsidiary": one.subsidiary,
        "currency": currency,
        "exchange_rate": str(one.exchange_rate),
        "date": one.day.isoformat(),
        "created_from": one.source,
        "other_ref_num": one.values.get("otherRefNum"),
        "memo": one.values.get("memo"),
        "subtotal": str(totals.subtotal),
        "discount": str(totals.discount),
        "shipping": str(totals.shipping),
        "handling": str(totals.handling),
        "tax": str(totals.tax),
        "total": str(totals.total),
        "base_total": str(totals.base),
        "by": one.created_by,
        "voided": one.voided,
        "pending": one.pending,
        "postings": [told_posting(part) for part in one.postings],
        "fields": {name: value for name, value in one.values.items() if name.startswith("cust")},
        "tracking": [parcel.tracking for parcel in one.packages if parcel.tracking],
        "lines": [told_line(line) for line in one.lines],
    }


def told_posting(part: Posting) -> dict[str, Any]:
    """A posting for whoever looks in; a debit is positive."""
    return {
        "line": part.line,
        "account": part.account,
        "base": str(part.base),
        "foreign": str(part.foreign),
        "entity": part.entity,
        "memo": part.memo,
    }


def told_line(line: Line) -> dict[str, Any]:
    """A line for whoever looks in."""
    return {
        "line": line.id,
        "item": None if line.item is None else line.item.id,
        "sku": None if line.item is None else line.item.name,
        "quantity": None if line.quantity is None else str(line.quantity),
        "rate": None if line.rate is None else str(line.rate),
        "amount": str(line.amount),
        "location": line.location,
        "closed": line.closed,
        "committed": str(line.committed),
        "backordered": str(line.backordered),
        "picked": str(line.picked),
        "packed": str(line.packed),
        "fulfilled": str(line.fulfilled),
        "billed": str(line.billed),
        "order_line": line.order_line,
        "kit_member_of": line.kit_member_of,
        "fields": {name: value for name, value in line.values.items() if name.startswith("cust")},
    }
