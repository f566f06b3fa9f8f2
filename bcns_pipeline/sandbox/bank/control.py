"""The bank's verbs of the control endpoint.

Put routes and the choice of a format here. Do not put what is booked here (book.py).
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from bcns_pipeline.sandbox.bank import bai2, camt, mt940, table
from bcns_pipeline.sandbox.bank.book import Bank
from bcns_pipeline.sandbox.bank.models import Entry, Statement
from bcns_pipeline.sandbox.payments.treasury import Treasury
from bcns_pipeline.sandbox.payments.units import major
from bcns_pipeline.sandbox.web import Call

Verb = tuple[str, str, Callable[[Call, Any], Any]]
ENDINGS = {"camt": "xml", "mt940": "sta", "bai2": "bai", "csv": "csv"}
TRUNCATED, DOUBLED, ENCODING = "truncated", "doubled", "encoding"
FAULTS = ("", TRUNCATED, DOUBLED, ENCODING)


class BankControl:
    """Verbs over the bank."""

    def __init__(self, bank: Bank, treasury: Treasury) -> None:
        self._bank = bank
        self._treasury = treasury

    def verbs(self) -> list[Verb]:
        """What is answered where."""
        return [
            ("POST", "/bank/fault", self._fault),
            ("POST", "/bank/entry", self._entry),
            ("POST", "/bank/statement", self._statement),
            ("GET", "/state/bank/entries", self._entries),
        ]

    def _fault(self, call: Call, body: Any) -> Any:
        return asdict(self._bank.plant(body))

    def _entry(self, call: Call, body: Any) -> Any:
        return entry_state(self._bank.other(body))

    def _statement(self, call: Call, body: Any) -> Any:
        until = self._treasury.on(body)
        since = date.fromisoformat(str(body["since"])) if body.get("since") else None
        form, fault = str(body.get("format", "camt")), str(body.get("fault", ""))
        if form not in ENDINGS or fault not in FAULTS:
            raise ValueError(f"A statement is {', '.join(ENDINGS)}, and spoiled {', '.join(FAULTS[1:])}.")
        self._bank.book(until)
        wanted = [str(body["currency"])] if "currency" in body else self._bank.currencies()
        drops, paths = self._treasury.drops, []
        for currency in wanted:
            made = self._bank.statement(currency, until, since)
            content = self._render(made, form, str(body.get("version", "02")))
            stem = f"statement-{currency}-{until.isoformat()}-{made.number}"
            names = [stem, f"{stem}-again"] if fault == DOUBLED else [stem]
            paths += [
                drops.put(drops.bank, f"{name}.{ENDINGS[form]}", spoiled(content, fault)) for name in names
            ]
        return paths

    def _render(self, made: Statement, form: str, version: str) -> bytes:
        now = self._treasury.clock.utc()
        if form == "camt":
            return camt.render(made, now, version)
        if form == "bai2":
            return bai2.render(made, now)
        return mt940.render(made) if form == "mt940" else table.render(made)

    def _entries(self, call: Call, body: Any) -> Any:
        return [entry_state(one) for one in self._bank.entries]


def spoiled(content: bytes, fault: str) -> bytes:
    """Cut off in the middle, or saved in other characters than it says."""
    if fault == TRUNCATED:
        return content[: len(content) * 3 // 5]
    if fault == ENCODING:
        return content.decode().replace("TRANSFER", "ÜBERWEISUNG").replace("XFER", "ÜBERW").encode("cp1252")
    return content


def entry_state(one: Entry) -> dict[str, Any]:
    """An entry as it is, with the payout behind it, which no statement tells."""
    return {
        "id": one.id,
        "amount": str(major(one.amount, one.currency)),
        "currency": one.currency,
        "booked_on": one.booked.isoformat(),
        "text": one.text,
        "reference": one.reference,
        "returned": one.returned,
        "payout": one.payout,
    }
