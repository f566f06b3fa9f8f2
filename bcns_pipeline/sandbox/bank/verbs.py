"""The client's side of the bank's verbs, for `launch.Control`.

Put one method per verb here. Do not import the doubles here: the starting process must not pay for them.
"""

from __future__ import annotations

from typing import Any


class BankVerbs:
    """What the bank does; each returns the parsed answer. Amounts go in and come as major units."""

    __slots__ = ()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any verb; `launch.Control` sends it."""
        raise NotImplementedError

    def bank_fault(self, payout: str, kind: str, **body: Any) -> Any:
        """Something goes wrong with a payout that no statement shows yet.

        missing: never booked; off: `by` (0.01) too much; returned: booked, and taken back a day later; joined:
        one entry with another payout (`with`); late: `days` after the day it should arrive.
        """
        return self.call("POST", "/bank/fault", {"payout": payout, "kind": kind, **body})

    def bank_entry(self, amount: Any, **body: Any) -> Any:
        """Something else is booked: text, payer, currency, on (a day), reference."""
        return self.call("POST", "/bank/entry", {"amount": str(amount), **body})

    def bank_statement(self, format: str = "camt", **body: Any) -> Any:
        """Book what arrived by the day `on` (today), and drop a statement per currency; returns the paths.

        format: camt (version 02 or 08), mt940, bai2, csv. It begins after the last one, or on the day `since`;
        currency for one account alone. fault: truncated, doubled (twice, under two names), encoding.
        """
        return self.call("POST", "/bank/statement", {"format": format, **body})

    def bank_entries(self) -> Any:
        """All entries as they are, each with its payout."""
        return self.call("GET", "/state/bank/entries")
