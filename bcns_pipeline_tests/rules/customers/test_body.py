from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.customers.body import currency_patch, customer_body, email_of, person_names
from bcns_pipeline.rules.customers.model import Shopper, ShopperAddress
from bcns_pipeline.rules.customers.policy import CustomerPolicy, CustomField
from bcns_pipeline.rules.orders.model import Address
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline_tests.rules.customers.people import HOME, WORK, account, guest

KEY = "bc-abc123-customer-9"


def body(shopper: Shopper, **policy: Any) -> dict[str, Any]:
    return customer_body(shopper, KEY, CustomerPolicy(**policy))


def test_a_person_is_created_with_names_contact_and_address_book() -> None:
    assert body(account()) == {
        "externalId": KEY,
        "isPerson": True,
        "firstName": "Jane",
        "lastName": "Roe",
        "email": "jane@shop.test",
        "phone": "512 555 0100",
        "addressBook": {
            "items": [
                {
                    "defaultBilling": True,
                    "defaultShipping": True,
                    "addressBookAddress": {
                        "addressee": "Jane Roe",
                        "addr1": "1 High St",
                        "city": "Austin",
                        "state": "TX",
                        "zip": "78701",
                        "addrPhone": "512 555 0100",
                        "country": {"id": "US"},
                    },
                }
            ]
        },
    }


@pytest.mark.parametrize(
    ("mode", "company", "person", "named"),
    [
        ("when_named", "Acme Ltd", False, "Acme Ltd"),
        ("when_named", "", True, None),
        ("always_person", "Acme Ltd", True, "Acme Ltd"),
        ("never", "Acme Ltd", True, None),
    ],
)
def test_a_company_is_made_as_the_merchant_says(
    mode: str, company: str, person: bool, named: str | None
) -> None:
    made = body(account(company=company), company=mode)
    assert (made["isPerson"], made.get("companyName")) == (person, named)
    assert ("lastName" in made) == person


def test_the_address_of_a_company_names_the_company_and_whom_to_ask_for() -> None:
    made = body(account(addresses=(ShopperAddress(WORK, 2),)))["addressBook"]["items"][0][
        "addressBookAddress"
    ]
    assert (made["addressee"], made["attention"]) == ("Acme Ltd", "Jane Roe")


def test_parcels_of_an_order_go_to_its_ship_to_address_and_bills_to_the_other() -> None:
    made = body(guest(addresses=tuple(ShopperAddress(one) for one in (HOME, WORK, HOME))))
    flags = [(one["defaultBilling"], one["defaultShipping"]) for one in made["addressBook"]["items"]]
    assert flags == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("first", "last", "company", "names"),
    [
        ("Jane", "Roe", "", ("Jane", "Roe")),
        ("Jane", " ", "", ("", "Jane")),
        ("", "", "Acme Ltd", ("", "Acme Ltd")),
        ("", "", "", ("", "Guest")),
    ],
)
def test_there_is_always_a_last_name(first: str, last: str, company: str, names: tuple[str, str]) -> None:
    assert person_names(account(first_name=first, last_name=last, company=company)) == names


@pytest.mark.parametrize(
    "email", ["", "jane", "@shop.test", "jane@", "jane@shop", "a b@shop.test", "a@b@c.test"]
)
def test_an_email_address_that_netsuite_would_refuse_is_left_out(email: str) -> None:
    assert email_of(account(email=email)) == ""
    assert "email" not in body(account(email=email))


def test_a_phone_number_that_is_too_short_is_left_out() -> None:
    assert "phone" not in body(account(phone="5550"))


def test_subsidiary_and_currencies_are_sent_only_where_the_account_has_them() -> None:
    made = customer_body(
        account(), KEY, CustomerPolicy(category=4), subsidiary=2, base_currency=1, currency=3
    )
    assert (made["subsidiary"], made["currency"], made["category"]) == ({"id": "2"}, {"id": "1"}, {"id": "4"})
    assert made["currencyList"] == {"items": [{"currency": {"id": "1"}}, {"currency": {"id": "3"}}]}
    plain = customer_body(account(), KEY, CustomerPolicy(), base_currency=1, currency=1)
    assert "currencyList" not in plain
    assert not {"subsidiary", "currency"} & body(account()).keys()


def test_an_existing_customer_gets_a_currency_only_where_it_lacks_it() -> None:
    assert currency_patch(frozenset({1, 3}), 3) is None
    assert currency_patch(frozenset({1}), 3) == {"currencyList": {"items": [{"currency": {"id": "3"}}]}}
    assert currency_patch(None, 3) == {"currencyList": {"items": [{"currency": {"id": "3"}}]}}


def test_custom_fields_come_from_their_paths_and_lists_from_their_values() -> None:
    fields = (
        CustomField("custentity_bc_customer_id", parse_path("customer_id")),
        CustomField("custentity_channel", parse_path("channel_id"), {"1": 11}),
        CustomField("custentity_vat", parse_path("form_fields.VAT")),
        CustomField("custentity_source", parse_path("=shop"), {"web": 5}),
    )
    facts = {"customer_id": 9, "channel_id": 1, "form_fields": [{"name": "vat", "value": "DE1"}]}
    made = body(replace(account(), facts=facts), fields=fields)
    assert made["custentity_bc_customer_id"] == "9"
    assert made["custentity_channel"] == {"id": "11"}
    assert made["custentity_vat"] == "DE1"
    assert "custentity_source" not in made


def test_a_name_is_unique_where_the_account_does_not_number_its_customers() -> None:
    assert body(account(), entity_id="named")["entityId"] == "Jane Roe customer-9"
    long = body(account(company="A" * 200), entity_id="named")
    assert long["entityId"].endswith("A customer-9")
    assert len(long["entityId"]) == 83


words = st.text(max_size=300)


@given(st.builds(Address, words, words, words, words, words, words, words, words), words, words, words, words)
def test_nothing_that_is_sent_is_longer_than_netsuite_takes(
    address: Address, first: str, last: str, company: str, phone: str
) -> None:
    shopper = account(
        first_name=first,
        last_name=last,
        company=company,
        phone=phone,
        addresses=(ShopperAddress(address, 1),),
    )
    for mode in ("when_named", "always_person"):
        made = body(shopper, company=mode)
        assert len(made.get("firstName", "")) <= 32
        assert len(made.get("lastName", "x")) in range(1, 33)
        assert len(made.get("companyName", "x")) in range(1, 84)
        for entry in made.get("addressBook", {}).get("items", []):
            limits = {"addressee": 83, "attention": 83, "addr1": 150, "addr2": 150, "city": 50, "zip": 36}
            for name, longest in limits.items():
                text = entry["addressBookAddress"].get(name, "x")
                assert text.isprintable()
                assert 0 < len(text) <= longest
