"""Who buys, where they live, and what tax is charged there.

Put invented shoppers, their addresses and the shop's tax zones here. Do not put orders here. Everything
follows from a number, so the same sandbox always has the same people; nobody of them exists.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.orders.models import Rate

FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dev",
    "Eva",
    "Finn",
    "Gita",
    "Hugo",
    "Iris",
    "Jon",
    "Kira",
    "Liam",
    "Mia",
    "Noor",
)
LAST = (
    "Abbott",
    "Berg",
    "Costa",
    "Dietz",
    "Engel",
    "Faber",
    "Grant",
    "Haas",
    "Ito",
    "Jansen",
    "Klein",
    "Lopez",
)
FIRST_NOT_ASCII = ("Zoë", "Łukasz", "Søren", "Anaïs")
STREETS = ("Main Street", "Oak Avenue", "River Road", "Station Road", "Mill Lane")

# country: name, and places as (city, state, postcode)
COUNTRIES: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "US": (
        "United States",
        (
            ("Austin", "Texas", "78701"),
            ("New York", "New York", "10001"),
            ("San Diego", "California", "92101"),
            ("Portland", "Oregon", "97201"),
        ),
    ),
    "DE": ("Germany", (("Berlin", "Berlin", "10115"), ("München", "Bayern", "80331"))),
    "FR": ("France", (("Lyon", "Rhône", "69001"),)),
    "NL": ("Netherlands", (("Utrecht", "Utrecht", "3511"),)),
    "GB": ("United Kingdom", (("Leeds", "West Yorkshire", "LS1 1UR"),)),
    "JP": ("Japan", (("Chiyoda", "Tokyo", "100-0001"),)),
    "KW": ("Kuwait", (("Kuwait City", "Al Asimah", "13001"),)),
}
COUNTRY_OF_CURRENCY = {"USD": "US", "EUR": "DE", "GBP": "GB", "JPY": "JP", "KWD": "KW"}
# Rates in percent by state, else by country; whether shipping is taxed too.
ZONES: dict[str, tuple[tuple[Rate, ...], bool]] = {
    "Texas": ((Rate("Texas", Decimal("6.25"), id="TX"), Rate("Austin", Decimal("2"), id="TX-AUS")), True),
    "New York": ((Rate("New York", Decimal("8.875"), id="NY"),), True),
    "California": ((Rate("California", Decimal("7.75"), id="CA"),), False),
    "DE": ((Rate("MwSt", Decimal(19), id="DE"),), True),
    "FR": ((Rate("TVA", Decimal(20), id="FR"),), True),
    "NL": ((Rate("BTW", Decimal(21), id="NL"),), True),
    "GB": ((Rate("VAT", Decimal(20), id="GB"),), True),
    "JP": ((Rate("Consumption tax", Decimal(10), id="JP"),), True),
}


def person(number: int) -> tuple[str, str, str]:
    """First name, last name and e-mail address of a shopper."""
    first, last = FIRST[number % len(FIRST)], LAST[(number // len(FIRST)) % len(LAST)]
    if number % 17 == 16:
        first = FIRST_NOT_ASCII[(number // 17) % len(FIRST_NOT_ASCII)]
    return first, last, f"shopper{number}@example.com"


def address(
    number: int, first: str, last: str, email: str, country: str = "US", company: str = ""
) -> dict[str, Any]:
    """An address as an order holds it; `state` is a full name."""
    name, places = COUNTRIES[country]
    city, state, postcode = places[number % len(places)]
    return {
        "first_name": first,
        "last_name": last,
        "company": company,
        "street_1": f"{number % 900 + 1} {STREETS[number % len(STREETS)]}",
        "street_2": f"Apt {number % 40 + 1}" if number % 3 == 0 else "",
        "city": city,
        "state": state,
        "zip": postcode,
        "country": name,
        "country_iso2": country,
        "phone": f"+1 555 01{number % 100:02d}" if country == "US" else "",
        "email": email,
        "form_fields": [],
    }


def taxes(where: dict[str, Any]) -> tuple[tuple[Rate, ...], bool]:
    """The rates at an address, and whether its shipping is taxed; untaxed where the shop is not registered."""
    country = str(where.get("country_iso2", ""))
    by_state = ZONES.get(str(where.get("state", ""))) if country == "US" else None
    return by_state or ZONES.get(country, ((), False))
