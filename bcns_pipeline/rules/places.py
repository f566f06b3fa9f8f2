"""Countries and states as the two systems write them: "Texas" in BigCommerce is "TX" in NetSuite.

Put here how a state is spelled. Do not put whole addresses here. BigCommerce has full names only
(facts/bigcommerce.md 3.4), NetSuite wants its short name where it knows the country's states, and takes any
text elsewhere (facts/netsuite.md 3.6).
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "US": (
        "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
        "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|"
        "KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|"
        "MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|"
        "NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|"
        "PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|"
        "VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming|"
        "AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI Virgin Islands|"
        "AA Armed Forces Americas|AE Armed Forces Africa|AE Armed Forces Canada|AE Armed Forces Europe|"
        "AE Armed Forces Middle East|AP Armed Forces Pacific"
    ),
    "CA": (
        "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|"
        "NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|"
        "SK Saskatchewan|YT Yukon|YT Yukon Territory"
    ),
    "AU": (
        "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|"
        "SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia"
    ),
}


def _codes(names: str) -> dict[str, str]:
    pairs = (one.split(" ", 1) for one in names.split("|"))
    by_name = {name.casefold(): code for code, name in pairs}
    return by_name | {code.casefold(): code for code in by_name.values()}


_CODES: Final = {country: _codes(names) for country, names in _NAMES.items()}


def state_code(country_code: str, state: str) -> str:
    """NetSuite's short name of a state of the US, Canada or Australia; any other text as it is, trimmed."""
    text = " ".join(state.split())
    return _CODES.get(country_code.upper(), {}).get(text.casefold(), text)
