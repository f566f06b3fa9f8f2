"""What a shopper is in NetSuite's words: names, kind, custom fields, and the record that is created.

Put the mapping of fields here. Do not put the difference to a record that is there already here
(`changes.py`). Fields: facts/netsuite.md 3.6. `isPerson` is fixed once the record is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bcns_pipeline.rules.customers.addresses import AddressKey, address_body, fitted, phone_of, shopper_key
from bcns_pipeline.rules.customers.model import Shopper, ShopperAddress
from bcns_pipeline.rules.customers.policy import CustomerPolicy, CustomField
from bcns_pipeline.rules.orders.paths import look_up

# Oracle's documented lengths; a longer one would be refused, and the shopper's orders with it.
LONGEST_NAME: Final = 32
LONGEST_COMPANY: Final = 83
_LONGEST_EMAIL: Final = 254
_NAMELESS: Final = "Guest"


def email_of(shopper: Shopper) -> str:
    """The e-mail address if NetSuite would take it, else ""; a malformed one would be refused."""
    name, at, host = shopper.email.rpartition("@")
    sound = (
        at and name and "." in host.strip(".") and "@" not in name and len(shopper.email) <= _LONGEST_EMAIL
    )
    return shopper.email if sound and shopper.email.isprintable() and " " not in shopper.email else ""


def person_names(shopper: Shopper) -> tuple[str, str]:
    """First and last name; NetSuite wants a last name, so what there is stands in for one that is missing."""
    first, last = fitted(shopper.first_name, LONGEST_NAME), fitted(shopper.last_name, LONGEST_NAME)
    if last:
        return first, last
    return ("", first) if first else ("", fitted(shopper.company, LONGEST_NAME) or _NAMELESS)


def company_of(shopper: Shopper) -> str:
    """The company's name as NetSuite takes it."""
    return fitted(shopper.company, LONGEST_COMPANY)


def is_person(shopper: Shopper, policy: CustomerPolicy) -> bool:
    """Whether the shopper becomes an individual or a company."""
    return policy.company != "when_named" or not company_of(shopper)


def custom_value(field: CustomField, shopper: Shopper) -> Any:
    """What the custom field should hold, as a body has it; None where there is nothing to send."""
    found = look_up(field.path, shopper.facts)
    if field.values is None or found is None:
        return found
    key = found["id"] if isinstance(found, Mapping) else str(found)
    number = field.values.get(key)
    return None if number is None else {"id": str(number)}


def customer_body(
    shopper: Shopper,
    natural_key: str,
    policy: CustomerPolicy,
    *,
    subsidiary: int | None = None,
    base_currency: int | None = None,
    currency: int | None = None,
) -> dict[str, Any]:
    """The customer to be created under `natural_key`.

    `subsidiary` is None where the account has none; `base_currency` (the subsidiary's) and `currency` (the
    first order's) are internal ids, None where the account has one currency only. A foreign currency is
    listed beside the base one, for NetSuite takes no order in a currency that the customer does not have.
    """
    person = is_person(shopper, policy)
    body: dict[str, Any] = {"externalId": natural_key, "isPerson": person}
    company = company_of(shopper)
    if person:
        first, last = person_names(shopper)
        body |= ({"firstName": first} if first else {}) | {"lastName": last}
        if company and policy.company == "always_person":
            body["companyName"] = company
    else:
        body["companyName"] = company
    if policy.entity_id == "named":
        body["entityId"] = _entity_id(body, natural_key)
    for name, value in (("email", email_of(shopper)), ("phone", phone_of(shopper.phone))):
        if value:
            body[name] = value
    references = {
        "subsidiary": subsidiary,
        "currency": base_currency or currency,
        "category": policy.category,
        "priceLevel": policy.price_level,
        "terms": policy.terms,
    }
    body |= {name: {"id": str(number)} for name, number in references.items() if number is not None}
    if base_currency and currency and base_currency != currency:
        body |= currency_list(base_currency, currency)
    custom = {one.name: custom_value(one, shopper) for one in policy.fields}
    body |= {name: value for name, value in custom.items() if value is not None}
    if policy.addresses and shopper.addresses:
        body["addressBook"] = {"items": _address_book(shopper)}
    return body


def currency_list(*currencies: int) -> dict[str, Any]:
    """The sublist of these currencies. It is keyed by currency, so sending it twice adds nothing."""
    return {"currencyList": {"items": [{"currency": {"id": str(one)}} for one in currencies]}}


def currency_patch(known: frozenset[int] | None, currency: int) -> dict[str, Any] | None:
    """What lets an existing customer be charged in `currency`; None where it can be already.

    `known` None = its currencies were not read: the currency is sent, which changes nothing if it is there.
    """
    return None if known is not None and currency in known else currency_list(currency)


def distinct(addresses: Iterable[ShopperAddress]) -> list[ShopperAddress]:
    """The addresses without repetitions and blank ones, in their order."""
    found: dict[AddressKey, ShopperAddress] = {}
    for one in addresses:
        found.setdefault(shopper_key(one.address), one)
    return [one for key, one in found.items() if any(key[1:5])]


def _address_book(shopper: Shopper) -> list[dict[str, Any]]:
    """All addresses; the first is for bills, and parcels go to the second of an order, else to the first too."""
    places = distinct(shopper.addresses)
    shipping = 1 if shopper.source == "order" and len(places) > 1 else 0
    return [
        {
            "defaultBilling": place == 0,
            "defaultShipping": place == shipping,
            "addressBookAddress": address_body(one.address),
        }
        for place, one in enumerate(places)
    ]


def _entity_id(body: dict[str, Any], natural_key: str) -> str:
    """A name that nobody else has: the shopper's, and as much of the key as tells two of that name apart."""
    name = body.get("companyName") or f"{body.get('firstName', '')} {body['lastName']}".strip()
    # "bc-abc123-customer-9" and "bc-abc123-guest-0f3a-s2" end in what is theirs alone.
    suffix = natural_key.split("-", 2)[-1] if natural_key.count("-") > 1 else natural_key
    return f"{name[: LONGEST_COMPANY - len(suffix) - 1].rstrip()} {suffix}".strip()
