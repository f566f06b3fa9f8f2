"""What people in the finance office do in NetSuite: approve, bill, enter and void by hand.

Put happenings on money records here that no integration causes, and the looks into the ledger. Do not put HTTP here
(office_control.py) nor orders (office_events.py). They go through the same rules as requests, but for what only a
person may do; what they save carries the office's employee.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.netsuite import kinds
from bcns_pipeline.sandbox.netsuite.chart import LedgerAccount
from bcns_pipeline.sandbox.netsuite.interference import DepositFailure
from bcns_pipeline.sandbox.netsuite.ledger import Transaction
from bcns_pipeline.sandbox.netsuite.postedsale import PostedSales
from bcns_pipeline.sandbox.office_events import Office

MONEY = (
    kinds.INVOICE,
    kinds.CREDIT_MEMO,
    kinds.CASH_SALE,
    kinds.CASH_REFUND,
    kinds.DEPOSIT,
    kinds.APPLICATION,
    kinds.PAYMENT,
    kinds.REFUND,
    kinds.JOURNAL,
)


class Accountant:
    """The people who keep the books."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.books = office.books
        self.context = office.context

    def money(self, key: Any) -> Transaction:
        """The money record with this internal id (a number) or external id (text)."""
        ledger = self.context.ledger
        found = ledger.get(int(key)) if str(key).isdigit() else None
        found = found or ledger.by_external(str(key))
        if found is None or found.kind not in MONEY:
            raise ValueError(f"NetSuite has no invoice, payment, credit or journal {key}.")
        return found

    # -- journals --------------------------------------------------------------------------------------------

    def approve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Approve the `journal`, or with `all` every one that waits; `day` moves it to another posting date."""
        if raw.get("all"):
            waiting = [one.id for one in self.context.ledger if one.kind is kinds.JOURNAL and one.pending]
        else:
            waiting = [self.journal(raw["journal"]).id]
        for number in waiting:
            body: dict[str, Any] = {"approved": True}
            if "day" in raw:
                body["tranDate"] = raw["day"]
            self._change(self.books.journals, number, body)
        return {"approved": waiting}

    def journal(self, key: Any) -> Transaction:
        """The journal with this internal or external id."""
        found = self.money(key)
        if found.kind is not kinds.JOURNAL:
            raise ValueError(f"NetSuite has no journal {key}.")
        return found

    def enter_journal(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A journal by hand: `lines` of account (number), debit or credit, memo, customer; date, memo, approved."""
        lines = []
        for line in raw["lines"]:
            entry: dict[str, Any] = {"account": {"id": str(self.account(line["account"]).id)}}
            entry |= {name: line[name] for name in ("debit", "credit", "memo") if name in line}
            if "customer" in line:
                entry["entity"] = {"id": str(line["customer"])}
            lines.append(entry)
        body: dict[str, Any] = {"line": {"items": lines}, "approved": raw.get("approved", True)}
        names = {"date": "tranDate", "memo": "memo", "external_id": "externalId", "reversal": "reversalDate"}
        body |= {own: raw[name] for name, own in names.items() if name in raw}
        if self.context.account.oneworld:
            body["subsidiary"] = {"id": str(raw.get("subsidiary", 1))}
        if "currency" in raw:
            body["currency"] = {"id": str(self._currency(raw["currency"]))}
        journals = self.books.journals
        made = journals.get(journals.create(self.office.read(journals.definition, body)))
        return {"journal": made.id, "number": made.number, "status": made.status}

    def set_rate(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """A `currency` is worth `rate` of the parent's from now on."""
        number, rate = self._currency(raw["currency"]), Decimal(str(raw["rate"]))
        if rate <= 0:
            raise ValueError("An exchange rate is above 0.")
        currencies = self.context.account.currencies
        currencies[number] = replace(currencies[number], rate=rate)
        return {"currency": currencies[number].symbol, "rate": str(rate)}

    # -- invoices and the rest -------------------------------------------------------------------------------

    def enter_invoice(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody bills an `order` by hand; `date`, `memo` and `lines` [{orderLine, quantity}] as they like."""
        order = self.office.order(raw["order"])
        names = {"date": "tranDate", "memo": "memo", "external_id": "externalId"}
        body: dict[str, Any] = {own: raw[name] for name, own in names.items() if name in raw}
        if "lines" in raw:
            body["item"] = {"items": list(raw["lines"])}
        invoices = self.books.invoices
        made = invoices.get(invoices.transform(order.id, self.office.read(invoices.definition, body)))
        return {"invoice": made.id, "number": made.number, "order": order.id, "total": str(made.totals.total)}

    def edit(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Change the money record `id`; `fields` are REST's properties."""
        found = self.money(raw["id"])
        self._change(self._records(found), found.id, raw["fields"])
        return {"id": found.id, "status": self.money(found.id).status}

    def void(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Void the money record `id` in its open period, or with `delete` take it out of the books.

        Whatever it applied is open again. What others have applied of it must be undone first.
        """
        found = self.money(raw["id"])
        self.context.periods.check(found.day)
        others = [c for c in self.context.claims.on_any(found.id) if c.owner != found.id]
        if others:
            raise ValueError(f"{found.number} is settled by other transactions; undo those first.")
        made = [one for one in self.context.ledger if one.source == found.id and not one.voided]
        if made:
            raise ValueError(f"{found.number} was made into {made[0].number}; undo that first.")
        delete = bool(raw.get("delete"))
        self._undo(found)
        if delete:
            self.context.ledger.remove(found)
            self.books.rows.remove(found, self.context.clock.account())
        else:
            found.voided, found.status = True, "V" if "V" in found.kind.statuses else found.status
            self.context.ledger.save(found, self.context.clock.account())
        return {"id": found.id, "voided": not delete, "deleted": delete}

    def _undo(self, found: Transaction) -> None:
        """What a record has done beside its postings: applications, goods, what is billed of an order."""
        self.books.invoices.applying.keep(found, ())
        if found.kind is kinds.INVOICE and not found.voided:
            self.books.invoices.recount(found, None)
        records = self._records(found)
        if isinstance(records, PostedSales) and not found.voided:
            records.goods(found, None)

    def _records(self, found: Transaction) -> Any:
        """The record type of a transaction."""
        return self.books.api.of(found.kind.record)

    def _change(self, records: Any, number: int, body: Mapping[str, Any]) -> None:
        records.change(number, self.office.read(records.definition, body), frozenset())

    def fail_deposits(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The next `times` invoices of orders with an open deposit are made and answered with a 400."""
        failures = self.context.interference.deposit_failures
        failures.append(DepositFailure(int(raw.get("times", 1)), str(raw.get("match", ""))))
        return {"failures": len(failures)}

    # -- the chart -------------------------------------------------------------------------------------------

    def account(self, number: Any) -> LedgerAccount:
        """The account with this number."""
        for one in self.context.account.accounts.values():
            if one.number == str(number):
                return one
        raise ValueError(f"NetSuite has no account {number}.")

    def edit_account(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Make the account `number` inactive, or active again."""
        found = replace(self.account(raw["number"]), inactive=bool(raw.get("inactive", True)))
        accounts = dict(self.context.account.accounts)
        accounts[found.id] = found
        self.context.account = replace(self.context.account, accounts=accounts)
        self.context.database.write(
            "UPDATE ns.account SET isinactive = ? WHERE id = ?", ["T" if found.inactive else "F", found.id]
        )
        return {"account": found.id, "number": found.number, "inactive": found.inactive}

    def _currency(self, symbol: str) -> int:
        for one in self.context.account.currencies.values():
            if one.symbol == symbol:
                return one.id
        raise ValueError(f"NetSuite has no currency {symbol}.")

    # -- looking in ------------------------------------------------------------------------------------------

    def ledger(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Balances of all accounts that were posted to, in base currency by number; `account` lists its postings.

        A debit is positive. What waits for approval is not in it.
        """
        accounts = self.context.account.accounts
        balances: dict[str, Decimal] = {}
        listed = []
        for one in self.context.ledger:
            for part in () if one.pending else one.postings:
                number = accounts[part.account].number
                balances[number] = balances.get(number, Decimal(0)) + part.base
                if number == wanted.get("account"):
                    listed.append(
                        {
                            "id": one.id,
                            "type": one.kind.record,
                            "external_id": one.external,
                            "date": one.day.isoformat(),
                            "line": part.line,
                            "base": str(part.base),
                            "foreign": str(part.foreign),
                            "memo": part.memo,
                        }
                    )
        return {"balances": {n: str(v) for n, v in sorted(balances.items())}, "postings": listed}
