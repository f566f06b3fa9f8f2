"""Shoppers with an account: signing up, changing their mind about name and address.

Put what people do with their accounts here. Do not put the API's own writes here (bigcommerce/customers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcns_pipeline.sandbox.bigcommerce.customers.book import Address, Customer
from bcns_pipeline.sandbox.bigcommerce.customers.places import country_name
from bcns_pipeline.sandbox.bigcommerce.money import amount
from bcns_pipeline.sandbox.bigcommerce.shop import Shop
from bcns_pipeline.sandbox.shop_people import address as invented
from bcns_pipeline.sandbox.shop_people import person

FIELDS = ("first_name", "last_name", "company", "phone", "notes", "tax_exempt_category")
# v3 field of an address -> v2 field of an order's address
BOOK_FIELDS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "company": "company",
    "address1": "street_1",
    "address2": "street_2",
    "city": "city",
    "state_or_province": "state",
    "postal_code": "zip",
    "country_code": "country_iso2",
    "phone": "phone",
}


class Shoppers:
    """Accounts of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def signed_up(self, billing: Mapping[str, Any], channel_id: int, body: Mapping[str, Any]) -> Customer:
        """An account opened at the checkout, with the billing address in its book."""
        customer = self.create(
            {
                "email": billing["email"],
                "first_name": billing["first_name"],
                "last_name": billing["last_name"],
                "company": billing.get("company", ""),
                "phone": billing.get("phone", ""),
                "tax_exempt_category": body.get("tax_exempt_category", ""),
                "channel_id": channel_id,
            }
        )
        self._note(customer, {new: str(billing.get(old, "")) for new, old in BOOK_FIELDS.items()})
        return customer

    def create(self, raw: Mapping[str, Any]) -> Customer:
        """A shopper signs up; what is left out is invented."""
        shop = self.shop
        number = shop.number("customer")
        first, last, email = person(number + 500_000)
        channel_id = int(raw.get("channel_id", 1))
        channels = None if len(shop.channels()) == 1 else [channel_id]
        email = str(raw.get("email", email))
        if shop.customers.clash(email, channels):
            shop.take_back("customer")
            raise ValueError("Somebody on this channel has this e-mail address already.")
        now = shop.now()
        customer = Customer(
            number,
            email,
            str(raw.get("first_name", first)),
            str(raw.get("last_name", last)),
            now,
            now,
            origin_channel_id=channel_id,
            channel_ids=channels,
            customer_group_id=int(raw.get("customer_group_id", 0)),
        )
        for name in FIELDS:
            if name in raw:
                setattr(customer, name, str(raw[name]))
        customer.store_credit = amount(raw.get("store_credit", 0), "store_credit")
        customer.form_fields = list(raw.get("form_fields", ()))
        shop.customers.add(customer)
        shop.tell("customer/created", {"type": "customer", "id": customer.id}, channel_id)
        return customer

    def shopper(self, raw: Mapping[str, Any]) -> Customer:
        """Sign up (`address` null: without one), or with `id` change what an account says of its owner."""
        if "id" not in raw:
            customer = self.create(raw)
            given = raw.get("address", {})
            if given is not None:
                self.address({**given, "customer_id": customer.id})
            return customer
        customer = self._customer(raw["id"])
        email = str(raw.get("email", customer.email))
        if email != customer.email:
            if self.shop.customers.clash(email, customer.channel_ids, customer.id):
                raise ValueError("Somebody on this channel has this e-mail address already.")
            self.shop.customers.rename(customer, email)
        for name in FIELDS:
            if name in raw:
                setattr(customer, name, str(raw[name]))
        customer.customer_group_id = int(raw.get("customer_group_id", customer.customer_group_id))
        customer.store_credit = amount(raw.get("store_credit", customer.store_credit), "store_credit")
        if "form_fields" in raw:
            customer.form_fields = list(raw["form_fields"])
        customer.modified = self.shop.now()
        data = {"type": "customer", "id": customer.id}
        self.shop.tell("customer/updated", data, customer.origin_channel_id)
        return customer

    def address(self, raw: Mapping[str, Any]) -> Address | None:
        """Add an address to an account, or with `id` change one; None where the account has the same one.

        The account itself does not change by it: neither its date nor its event (facts 4.1).
        """
        values = {name: str(raw[name]) for name in BOOK_FIELDS if name in raw}
        if "id" in raw:
            found = self.shop.customers.addresses.get(int(raw["id"]))
            if found is None:
                raise ValueError(f"The shop has no address {raw['id']}.")
            found.values.update(values)
            found.country = country_name(found.values["country_code"])
            self._address_told("updated", found)
            return found
        customer = self._customer(raw["customer_id"])
        country = str(raw.get("country_code", "US"))
        usual = invented(customer.id, customer.first_name, customer.last_name, customer.email, country)
        base = {new: str(usual.get(old, "")) for new, old in BOOK_FIELDS.items()}
        return self._note(customer, {**base, "company": customer.company, **values})

    def _note(self, customer: Customer, values: dict[str, str]) -> Address | None:
        country = country_name(values["country_code"])
        address = Address(self.shop.number("customer_address"), customer.id, values, country)
        if not self.shop.customers.add_address(address):
            self.shop.take_back("customer_address")
            return None
        self._address_told("created", address)
        return address

    def _address_told(self, what: str, address: Address) -> None:
        data = {"type": "customer", "id": address.id, "address": {"customer_id": address.customer_id}}
        channel = self.shop.customers.customers[address.customer_id].origin_channel_id
        self.shop.tell(f"customer/address/{what}", data, channel)

    def _customer(self, customer_id: Any) -> Customer:
        customer = self.shop.customers.customers.get(int(customer_id))
        if customer is None:
            raise ValueError(f"The shop has no customer {customer_id}.")
        return customer
