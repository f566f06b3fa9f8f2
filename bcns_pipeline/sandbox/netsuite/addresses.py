"""A customer's address book, a sublist keyed by internal id.

Put the merge of address entries here. Do not put other properties here. Source: facts/netsuite.md 3.3: an
entry with a known internal id changes that address, one without is added, whatever stands in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLUMNS = ("addressee", "addr1", "addr2", "city", "state", "zip", "addrPhone", "country")
IDS = itertools.count(8001)
FLAGS = ("defaultShipping", "defaultBilling")


class BadAddress(Exception):
    """An entry that NetSuite does not take."""


@dataclass(slots=True)
class AddressBook:
    """Entries by internal id."""

    entries: dict[int, dict[str, Any]] = field(default_factory=dict)

    def merged(self, given: Sequence[Mapping[str, Any]] | None, *, replace: bool = False) -> AddressBook:
        """The book after a request's `addressBook`; None leaves it as it is.

        With `replace` only the addresses that the request names stay. Raises `BadAddress`.
        """
        entries = {number: dict(entry) for number, entry in self.entries.items()}
        if given is None:
            return AddressBook(entries)
        named = set()
        for item in given:
            number = item.get("internalId", item.get("id"))
            if number is not None and number not in entries:
                raise BadAddress(f"The address {number} does not exist.")
            key = next(IDS) if number is None else number
            named.add(key)
            entry = entries.setdefault(key, {"address": {}})
            entry.update({k: item[k] for k in ("label", *FLAGS) if k in item})
            entry["address"] = {**entry["address"], **(item.get("addressBookAddress") or {})}
            for one in FLAGS:
                if item.get(one):
                    for other, kept in entries.items():
                        kept[one] = other == key
        return AddressBook({k: entry for k, entry in entries.items() if not replace or k in named})

    def default(self, purpose: str) -> tuple[int, dict[str, str]] | None:
        """The address for `defaultShipping` or `defaultBilling`, else the first one."""
        for number, entry in self.entries.items():
            if entry.get(purpose):
                return number, entry["address"]
        return next(((number, entry["address"]) for number, entry in self.entries.items()), None)

    def shown(self) -> list[dict[str, Any]]:
        """The entries as GET shows them."""
        return [
            {
                "internalId": number,
                "label": entry.get("label", ""),
                "defaultShipping": bool(entry.get("defaultShipping")),
                "defaultBilling": bool(entry.get("defaultBilling")),
                "addressBookAddress": shown_address(entry["address"]),
            }
            for number, entry in self.entries.items()
        ]

    def rows(self, entity: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The entries as SuiteQL rows: of the book, and of the addresses in it."""
        book = [
            {
                "entity": entity,
                "internalid": number,
                "addressbookaddress": number,
                "label": entry.get("label"),
                "defaultshipping": "T" if entry.get("defaultShipping") else "F",
                "defaultbilling": "T" if entry.get("defaultBilling") else "F",
            }
            for number, entry in self.entries.items()
        ]
        return book, [
            {"nkey": number, **{name.lower(): entry["address"].get(name) for name in COLUMNS}}
            for number, entry in self.entries.items()
        ]


def shown_address(address: Mapping[str, str]) -> dict[str, Any]:
    """An address as GET shows it: its country is a reference."""
    return {name: {"id": value} if name == "country" else value for name, value in address.items()}
