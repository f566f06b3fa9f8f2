"""A customer's address book, a sublist keyed by internal id.

Put the merge of address entries here. Do not put other properties here. Source: facts/netsuite.md 3.3: an
entry with a known internal id changes that address, one without is added, whatever stands in it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

ADDRESS = ("addressee", "addr1", "addr2", "city", "state", "zip", "addrPhone")
IDS = itertools.count(8001)


class BadAddress(Exception):
    """An entry that NetSuite does not take."""


@dataclass(slots=True)
class AddressBook:
    """Entries by internal id."""

    entries: dict[int, dict[str, Any]] = field(default_factory=dict)

    def clear(self) -> None:
        """Drop all entries (`?replace=addressBook`)."""
        self.entries.clear()

    def merged(self, given: Any) -> AddressBook:
        """The book after a request's `addressBook`; None leaves it as it is. Raises `BadAddress`."""
        entries = {number: dict(entry) for number, entry in self.entries.items()}
        if given is None:
            return AddressBook(entries)
        items = given.get("items") if isinstance(given, dict) else None
        if not isinstance(items, list):
            raise BadAddress("The sublist addressBook needs 'items'.")
        for item in items:
            if not isinstance(item, dict):
                raise BadAddress("An entry of addressBook must be an object.")
            number = item.get("internalId", item.get("id"))
            if number is not None and int(number) not in entries:
                raise BadAddress(f"The address {number} does not exist.")
            key = next(IDS) if number is None else int(number)
            entry = entries.setdefault(key, {"address": {}})
            entry.update({k: item[k] for k in ("label", "defaultShipping", "defaultBilling") if k in item})
            entry["address"].update(item.get("addressBookAddress") or {})
            for flag in ("defaultShipping", "defaultBilling"):
                if item.get(flag):
                    for other, kept in entries.items():
                        kept[flag] = other == key
        return AddressBook(entries)

    def shown(self) -> list[dict[str, Any]]:
        """The entries as GET shows them."""
        return [
            {
                "internalId": number,
                "label": entry.get("label", ""),
                "defaultShipping": bool(entry.get("defaultShipping")),
                "defaultBilling": bool(entry.get("defaultBilling")),
                "addressBookAddress": entry["address"],
            }
            for number, entry in self.entries.items()
        ]

    def rows(self, entity: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The entries as two SuiteQL rows each."""
        found = []
        for number, entry in self.entries.items():
            address = entry["address"]
            country = address.get("country")
            book = {
                "entity": entity,
                "internalid": number,
                "addressbookaddress": number,
                "label": entry.get("label"),
                "defaultshipping": "T" if entry.get("defaultShipping") else "F",
                "defaultbilling": "T" if entry.get("defaultBilling") else "F",
            }
            text = {name.lower(): address.get(name) for name in ADDRESS}
            text["country"] = country.get("id") if isinstance(country, dict) else country
            found.append((book, {"nkey": number, **text}))
        return found
