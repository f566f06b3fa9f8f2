"""Addresses on both sides: how one is written for NetSuite, and when two are the same.

Put single addresses here. Do not put the difference of two address books here (`changes.py`). Facts:
facts/netsuite.md 3.3 (an entry without `internalId` is appended, whatever stands in it) and 3.6.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bcns_pipeline.rules.customers.model import BookEntry
from bcns_pipeline.rules.orders.model import Address
from bcns_pipeline.rules.places import state_code

# Oracle's documented lengths of the fields; what is longer would be refused, and the order with it.
LONGEST: Final = {"addressee": 83, "attention": 83, "street": 150, "city": 50, "state": 50, "zip": 36}
LONGEST_PHONE: Final = 32
_SHORTEST_PHONE: Final = 7  # facts/netsuite.md 3.6: shorter ones are refused

AddressKey = tuple[str, ...]


def fitted(text: str, longest: int) -> str:
    """Inner blanks single, outer ones gone, no control characters, and no longer than NetSuite takes."""
    words = "".join(character if character.isprintable() else " " for character in text).split()
    return " ".join(words)[:longest].rstrip()


def phone_of(text: str) -> str:
    """A phone number as NetSuite takes it; "" for what is too short to be one."""
    number = fitted(text, LONGEST_PHONE)
    return number if len(number) >= _SHORTEST_PHONE else ""


def addressee_of(address: Address) -> str:
    """Whom the address names: the company where there is one, else the person."""
    person = f"{address.first_name} {address.last_name}"
    return fitted(address.company, LONGEST["addressee"]) or fitted(person, LONGEST["addressee"])


def address_body(address: Address, *, clearing: bool = False) -> dict[str, Any]:
    """The address as a NetSuite subrecord; the country is ISO alpha-2.

    Blank parts are left out of a new one, and emptied in one that takes another's place (`clearing`).
    """
    person = fitted(f"{address.first_name} {address.last_name}", LONGEST["attention"])
    parts = {
        "addressee": addressee_of(address),
        "attention": person if fitted(address.company, LONGEST["addressee"]) else "",
        "addr1": fitted(address.street_1, LONGEST["street"]),
        "addr2": fitted(address.street_2, LONGEST["street"]),
        "city": fitted(address.city, LONGEST["city"]),
        "state": fitted(state_code(address.country_code, address.state), LONGEST["state"]),
        "zip": fitted(address.zip, LONGEST["zip"]),
        "addrPhone": phone_of(address.phone),
    }
    body: dict[str, Any] = {name: part or None for name, part in parts.items() if part or clearing}
    if address.country_code:
        body["country"] = {"id": address.country_code}
    return body


def shopper_key(address: Address) -> AddressKey:
    """What makes this the same address as another one, whichever side it stands on.

    Neither the phone number nor the person behind a company does: a second entry that differs in nothing else
    would be a duplicate to whoever picks one.
    """
    return _key(
        addressee_of(address),
        address.street_1,
        address.street_2,
        address.city,
        state_code(address.country_code, address.state),
        address.zip,
        address.country_code,
    )


def entry_key(entry: BookEntry) -> AddressKey:
    """As `shopper_key`, for an entry of NetSuite's address book."""
    return _key(
        entry.addressee,
        entry.addr1,
        entry.addr2,
        entry.city,
        state_code(entry.country_code, entry.state),
        entry.zip,
        entry.country_code,
    )


def _key(
    addressee: str, line1: str, line2: str, city: str, state: str, postcode: str, country: str
) -> AddressKey:
    # "1 High St, Apt 2" on one line is the same as on two.
    return tuple(
        re.sub(r"[\W_]+", " ", fitted(part, longest).casefold()).strip()
        for part, longest in (
            (addressee, LONGEST["addressee"]),
            (
                f"{fitted(line1, LONGEST['street'])} {fitted(line2, LONGEST['street'])}",
                2 * LONGEST["street"] + 1,
            ),
            (city, LONGEST["city"]),
            (state, LONGEST["state"]),
            (postcode, LONGEST["zip"]),
            (country, 2),
        )
    )
