"""Creating and changing customers and addresses through the API.

Put v3 writes here. Do not put reading here. Source: facts/bigcommerce.md 4.1: 10 customers a call, an address
that is there already is answered with 200 and left out, states are full names, and there is no endpoint that
deletes. A request with one bad row changes nothing.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.bigcommerce import v3
from bcns_pipeline.sandbox.bigcommerce.customers import shapes
from bcns_pipeline.sandbox.bigcommerce.customers.book import ADDRESS_FIELDS, Address, Customer
from bcns_pipeline.sandbox.bigcommerce.customers.endpoints import SCOPE
from bcns_pipeline.sandbox.bigcommerce.customers.places import country_name, state_fault
from bcns_pipeline.sandbox.bigcommerce.money import amount
from bcns_pipeline.sandbox.bigcommerce.routing import Route
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.web import Answer, Call, json_answer

CUSTOMERS_A_CALL = 10
ADDRESSES_A_CALL = 100
LENGTHS = {
    "email": (3, 250),
    "first_name": (1, 100),
    "last_name": (1, 100),
    "company": (0, 255),
    "phone": (0, 50),
    "notes": (0, 65_535),
    "tax_exempt_category": (0, 255),
}
REQUIRED = ("email", "first_name", "last_name")
ADDRESS_REQUIRED = (
    "first_name",
    "last_name",
    "address1",
    "city",
    "country_code",
    "state_or_province",
    "postal_code",
)


class CustomerWriting:
    """Endpoints over one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        """What is answered where."""
        addresses = "/v3/customers/addresses"
        return [
            ("POST", "/v3/customers", "customers_post", self.create, SCOPE),
            ("PUT", "/v3/customers", "customers_put", self.update, SCOPE),
            ("POST", addresses, "customer_addresses_post", self.create_addresses, SCOPE),
            ("PUT", addresses, "customer_addresses_put", self.update_addresses, SCOPE),
        ]

    def create(self, call: Call) -> Answer:
        """POST /v3/customers."""
        shop, rows = self._shop, v3.array(call, CUSTOMERS_A_CALL)
        faults: dict[str, str] = {}
        seen: set[str] = set()
        for place, raw in enumerate(rows):
            faults.update(_faults(place, raw, REQUIRED))
            email = str(raw.get("email", "")).casefold()
            if email in seen or shop.customers.clash(email, raw.get("channel_ids")):
                faults[f"{place}.email"] = "The email is already in use."
            seen.add(email)
            for number, address in enumerate(raw.get("addresses", ())):
                faults.update(_address_faults(f"{place}.addresses.{number}", address, ADDRESS_REQUIRED))
        if faults:
            raise v3.refuse(422, "Create customers failed.", faults)
        made = [self._create(raw) for raw in rows]
        include = frozenset({"addresses"}) if any("addresses" in raw for raw in rows) else frozenset()
        return json_answer(200, {"data": [shapes.customer(one, include) for one in made], "meta": {}})

    def _create(self, raw: dict[str, Any]) -> Customer:
        shop, now = self._shop, self._shop.now()
        one = Customer(shop.number("customer"), raw["email"], raw["first_name"], raw["last_name"], now, now)
        self._apply(one, raw)
        one.origin_channel_id = int(raw.get("origin_channel_id", 1))
        shop.customers.add(one)
        self._told(one, "created")
        for address in raw.get("addresses", ()):
            self._note(one.id, address)
        return one

    def _apply(self, one: Customer, raw: dict[str, Any]) -> None:
        for name in LENGTHS:
            if name in raw and name != "email":
                setattr(one, name, raw[name])
        one.customer_group_id = int(raw.get("customer_group_id", one.customer_group_id))
        if "channel_ids" in raw:
            one.channel_ids = raw["channel_ids"]
        if "form_fields" in raw:
            one.form_fields = list(raw["form_fields"])
        for credit in raw.get("store_credit_amounts", ()):
            one.store_credit = amount(credit["amount"], "store_credit_amounts")

    def update(self, call: Call) -> Answer:
        """PUT /v3/customers."""
        shop, rows = self._shop, v3.array(call, CUSTOMERS_A_CALL)
        faults: dict[str, str] = {}
        for place, raw in enumerate(rows):
            faults.update(_faults(place, raw, ()))
            known = shop.customers.customers.get(raw["id"]) if type(raw.get("id")) is int else None
            if known is None:
                faults[f"{place}.id"] = "The customer does not exist."
            elif "email" in raw and shop.customers.clash(raw["email"], known.channel_ids, known.id):
                faults[f"{place}.email"] = "The email is already in use."
        if faults:
            raise v3.refuse(422, "Update customers failed.", faults)
        changed = []
        for raw in rows:
            one = shop.customers.customers[raw["id"]]
            if "email" in raw and raw["email"] != one.email:
                shop.customers.rename(one, raw["email"])
            self._apply(one, raw)
            one.modified = shop.now()
            self._told(one, "updated")
            changed.append(shapes.customer(one))
        return json_answer(200, {"data": changed, "meta": {}})

    def _told(self, one: Customer, what: str) -> None:
        data = {"type": "customer", "id": one.id}
        self._shop.tell(f"customer/{what}", data, one.origin_channel_id)

    def create_addresses(self, call: Call) -> Answer:
        """POST /v3/customers/addresses; one that is there already is not in the answer."""
        rows = v3.array(call, ADDRESSES_A_CALL)
        faults: dict[str, str] = {}
        for place, raw in enumerate(rows):
            faults.update(_address_faults(str(place), raw, ADDRESS_REQUIRED))
            if raw.get("customer_id") not in self._shop.customers.customers:
                faults[f"{place}.customer_id"] = "The customer does not exist."
        if faults:
            raise v3.refuse(422, "Create customer addresses failed.", faults)
        made = [one for raw in rows if (one := self._note(raw["customer_id"], raw)) is not None]
        shown = [shapes.address(one, form_fields=True) for one in made]
        return json_answer(200, {"data": shown, "meta": {}})

    def _note(self, customer_id: int, raw: dict[str, Any]) -> Address | None:
        shop = self._shop
        one = Address(
            shop.number("customer_address"),
            customer_id,
            {name: raw.get(name, "") for name in ADDRESS_FIELDS},
            country_name(raw["country_code"]),
            raw.get("address_type", "residential"),
            list(raw.get("form_fields", ())),
        )
        if not shop.customers.add_address(one):
            shop.take_back("customer_address")
            return None
        self._address_told(one, "created")
        return one

    def update_addresses(self, call: Call) -> Answer:
        """PUT /v3/customers/addresses; their customers do not change by it."""
        shop, rows = self._shop, v3.array(call, ADDRESSES_A_CALL)
        faults: dict[str, str] = {}
        for place, raw in enumerate(rows):
            known = shop.customers.addresses.get(raw["id"]) if type(raw.get("id")) is int else None
            if known is None:
                faults[f"{place}.id"] = "The address does not exist."
            else:
                faults.update(_address_faults(str(place), {**known.values, **raw}, ADDRESS_REQUIRED))
        if faults:
            raise v3.refuse(422, "Update customer addresses failed.", faults)
        shown = []
        for raw in rows:
            one = shop.customers.addresses[raw["id"]]
            one.values.update({name: raw[name] for name in ADDRESS_FIELDS if name in raw})
            one.country = country_name(one.values["country_code"])
            one.address_type = raw.get("address_type", one.address_type)
            self._address_told(one, "updated")
            shown.append(shapes.address(one, form_fields=True))
        return json_answer(200, {"data": shown, "meta": {}})

    def _address_told(self, one: Address, what: str) -> None:
        data = {"type": "customer", "id": one.id, "address": {"customer_id": one.customer_id}}
        owner = self._shop.customers.customers[one.customer_id]
        self._shop.tell(f"customer/address/{what}", data, owner.origin_channel_id)


def _faults(place: int, raw: dict[str, Any], required: tuple[str, ...]) -> dict[str, str]:
    faults = {f"{place}.{name}": "is required" for name in required if name not in raw}
    for name, (least, most) in LENGTHS.items():
        value = raw.get(name)
        if name in raw and not (isinstance(value, str) and least <= len(value) <= most):
            faults[f"{place}.{name}"] = f"must be a text of {least} to {most} characters"
    if "email" in raw and "@" not in str(raw["email"]):
        faults[f"{place}.email"] = "is not an e-mail address"
    return faults


def _address_faults(where: str, raw: dict[str, Any], required: tuple[str, ...]) -> dict[str, str]:
    faults = {
        f"{where}.{name}": "is required"
        for name in required
        if not isinstance(raw.get(name), str) or not raw[name].strip()
    }
    if not faults and (fault := state_fault(raw["country_code"], raw["state_or_province"])):
        faults[f"{where}.state_or_province"] = fault
    return faults
