"""The client's side of the verbs on NetSuite's side, for `launch.Control`.

Put one method per verb here. Do not import the doubles here: the starting process must not pay for them.
"""

from __future__ import annotations

from typing import Any


class OfficeVerbs:
    """What the office, the warehouse and the administrator do; each returns the parsed answer."""

    __slots__ = ()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any verb; `launch.Control` sends it."""
        raise NotImplementedError

    def fulfil(self, order: int | str, **body: Any) -> Any:
        """Ship what is committed of an order (internal or external id).

        lines [{sku | item | line, quantity}], packages [{tracking, description, weight}], tracking (one or
        several), status A | B | C, location, carrier (a ship method), date, external_id.
        """
        return self.call("POST", "/netsuite/fulfil", {"order": order, **body})

    def track(self, fulfilment: int, tracking: Any = (), **body: Any) -> Any:
        """Tracking numbers come later: tracking (one or several) or packages; replace=True drops earlier ones."""
        return self.call("POST", "/netsuite/track", {"fulfilment": fulfilment, "tracking": tracking, **body})

    def ship(self, fulfilment: int, status: str = "C") -> Any:
        """A picked or packed fulfilment moves on."""
        return self.call("POST", "/netsuite/ship", {"fulfilment": fulfilment, "status": status})

    def unship(self, fulfilment: int, *, status: str = "A", delete: bool = False) -> Any:
        """Goods come back: the fulfilment falls to `status`, or is deleted."""
        body = {"fulfilment": fulfilment, "status": status, "delete": delete}
        return self.call("POST", "/netsuite/unship", body)

    def close_line(self, order: int | str, **body: Any) -> Any:
        """Close a line named by line, item or sku; closed=False reopens it."""
        return self.call("POST", "/netsuite/order/close_line", {"order": order, **body})

    def cancel_order(self, order: int | str, *, delete: bool = False) -> Any:
        """Cancel an untouched order in NetSuite, or delete it."""
        return self.call("POST", "/netsuite/order/cancel", {"order": order, "delete": delete})

    def hold_order(self, order: int | str, *, approve: bool = False) -> Any:
        """Back to Pending Approval, or with approve=True to Pending Fulfillment."""
        return self.call("POST", "/netsuite/order/hold", {"order": order, "approve": approve})

    def bill_order(self, order: int | str) -> Any:
        """Mark as billed what can be billed."""
        return self.call("POST", "/netsuite/order/bill", {"order": order})

    def legacy_order(self, **body: Any) -> Any:
        """An order by another connector: otherrefnum, externalid, memo, custbody_…, customer, lines or total."""
        return self.call("POST", "/netsuite/order/legacy", body)

    def authorise_return(self, order: int | str | None = None, **body: Any) -> Any:
        """Units of an order, or of the invoice or cash sale `sale`, may come back, all that was shipped or some.

        lines [{sku | item | line, quantity}], date, memo.
        """
        return self.call("POST", "/netsuite/return", {**({} if order is None else {"order": order}), **body})

    def receive_return(self, back: int, **body: Any) -> Any:
        """What came of a return: lines [{sku | item | line, quantity, restock}], date, memo; without lines the rest."""
        return self.call("POST", "/netsuite/return/receive", {"return": back, **body})

    def close_return(self, back: int) -> Any:
        """What is open of a return will not come."""
        return self.call("POST", "/netsuite/return/close", {"return": back})

    def enter_invoice(self, order: int | str, **body: Any) -> Any:
        """Somebody bills an order by hand: date, memo, external_id, lines [{orderLine, quantity}]."""
        return self.call("POST", "/netsuite/invoice", {"order": order, **body})

    def enter_journal(self, lines: Any, **body: Any) -> Any:
        """A journal by hand: lines [{account (number), debit | credit, memo, customer}], date, memo, approved."""
        return self.call("POST", "/netsuite/journal", {"lines": lines, **body})

    def approve_journal(self, journal: int | str | None = None, **body: Any) -> Any:
        """A person approves a journal, or without one every journal that waits."""
        named = {"all": True} if journal is None else {"journal": journal}
        return self.call("POST", "/netsuite/journal/approve", {**named, **body})

    def exchange_rate(self, currency: str, rate: str) -> Any:
        """A currency's rate of today: what one unit is worth in the parent's currency. What is booked stays."""
        return self.call("POST", "/netsuite/rate", {"currency": currency, "rate": rate})

    def edit_money(self, id: int | str, **fields: Any) -> Any:
        """A person changes an invoice, payment, credit or journal; fields are REST's properties."""
        return self.call("POST", "/netsuite/money/edit", {"id": id, "fields": fields})

    def void_money(self, id: int | str, *, delete: bool = False) -> Any:
        """A person voids or deletes an invoice, payment, credit or journal that nothing else settles."""
        return self.call("POST", "/netsuite/money/void", {"id": id, "delete": delete})

    def fail_deposits(self, *, times: int = 1, match: str = "") -> Any:
        """The next invoices of orders with an open deposit are made and answered with a 400."""
        return self.call("POST", "/netsuite/deposit/failure", {"times": times, "match": match})

    def ledger_account(self, number: str, *, inactive: bool = True) -> Any:
        """An account of the chart is made inactive, or active again."""
        return self.call("POST", "/netsuite/account", {"number": number, "inactive": inactive})

    def ledger(self, account: str | None = None) -> Any:
        """Balances by account number in base currency (debit positive), and the postings of one account."""
        return self.call("GET", "/state/netsuite/ledger", **({} if account is None else {"account": account}))

    def script(self, **body: Any) -> Any:
        """A user-event script: on (record type), add | line (with place) | body | refuse, times, match; or clear.

        `add`, `line` and `body` are in REST's words: add={"item": {"id": "900002"}, "price": {"id": "-1"},
        "rate": 0.01}.
        """
        return self.call("POST", "/netsuite/script", body)

    def lock_record(self, id: int | str, record: str = "salesOrder", *, locked: bool = True) -> Any:
        """A workflow locks a record, or frees it."""
        return self.call("POST", "/netsuite/lock", {"record": record, "id": id, "locked": locked})

    def conflict(self, record: str = "salesOrder", *, times: int = 1, **body: Any) -> Any:
        """The next `times` changes of a record type, or of the one with `id`, meet a concurrent edit."""
        return self.call("POST", "/netsuite/conflict", {"record": record, "times": times, **body})

    def period(self, state: str, month: str | None = None) -> Any:
        """Make a month (YYYY-MM, this one by default) open, locked or closed."""
        return self.call("POST", "/netsuite/period", {"state": state, "month": month})

    def accounting(self, **switches: Any) -> Any:
        """Turn switches of NetSuite's behaviour (netsuite/settings.py); returns all of them."""
        return self.call("POST", "/netsuite/settings", switches)

    def netsuite_customer(self, **fields: Any) -> Any:
        """Create a customer by hand, or change the one named by `customer`; fields are REST's properties."""
        return self.call("POST", "/netsuite/customer", fields)

    def merge_customers(self, master: int | str, duplicate: int | str) -> Any:
        """Merge one customer into another."""
        return self.call("POST", "/netsuite/customer/merge", {"master": master, "duplicate": duplicate})

    def reset_stock(self, **body: Any) -> Any:
        """Count everything, or `skus`, as `on_hand` (100) everywhere, with nothing promised."""
        return self.call("POST", "/netsuite/stock/reset", body)

    def transactions(self, **wanted: Any) -> Any:
        """NetSuite's ledger with lines, filtered by type, externalid, id or created_from."""
        return self.call("GET", "/state/netsuite/transactions", **wanted)

    def netsuite_customers(self) -> Any:
        """NetSuite's customers."""
        return self.call("GET", "/state/netsuite/customers")
