"""Countries and states by name.

Put names of places here. Do not put tax zones here (shop_people.py). A state is written out
(facts/bigcommerce.md 4.1); only the lists of the United States and Canada are known here, so other
countries' states are taken as they come.
"""

from __future__ import annotations

COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "DE": "Germany",
    "FR": "France",
    "NL": "Netherlands",
    "GB": "United Kingdom",
    "JP": "Japan",
    "KW": "Kuwait",
    "AU": "Australia",
}
_STATES = {
    "US": "Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Georgia Hawaii Idaho "
    "Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota Mississippi "
    "Missouri Montana Nebraska Nevada New_Hampshire New_Jersey New_Mexico New_York North_Carolina North_Dakota "
    "Ohio Oklahoma Oregon Pennsylvania Rhode_Island South_Carolina South_Dakota Tennessee Texas Utah Vermont "
    "Virginia Washington West_Virginia Wisconsin Wyoming District_of_Columbia Puerto_Rico Guam",
    "CA": "Alberta British_Columbia Manitoba New_Brunswick Newfoundland_and_Labrador Northwest_Territories "
    "Nova_Scotia Nunavut Ontario Prince_Edward_Island Quebec Saskatchewan Yukon",
}
STATES = {
    country: frozenset(one.replace("_", " ") for one in text.split()) for country, text in _STATES.items()
}


def country_name(code: str) -> str:
    """The name of a country; its code where the name is not known here."""
    return COUNTRIES.get(code, code)


def state_fault(country: str, state: str) -> str | None:
    """Why a state is refused."""
    if len(country) != 2 or not country.isupper():
        return "The country code is not valid."
    if country in STATES and state not in STATES[country]:
        return "The state or province is not valid; it is written out."
    return None
