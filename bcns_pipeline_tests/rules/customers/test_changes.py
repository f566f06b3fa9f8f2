from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.customers.addresses import entry_key, shopper_key
from bcns_pipeline.rules.customers.body import customer_body
from bcns_pipeline.rules.customers.changes import Changes, changes, conflict, disagreeing, tax_problem
from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper, ShopperAddress
from bcns_pipeline.rules.customers.policy import CustomerPolicy, CustomField
from bcns_pipeline.rules.orders.model import Address
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline_tests.rules.customers.people import HOME, WORK, Office, account, customer, guest

POLICY = CustomerPolicy()
AT_HOME = BookEntry(8001, "Jane Roe", "1 High St", "", "Austin", "TX", "78701", "US")


def diff(
    shopper: Shopper,
    row: NetSuiteCustomer,
    last: Shopper | None = None,
    book: list[BookEntry] | None = None,
    **policy: Any,
) -> Changes:
    return changes(shopper, row, book, last, CustomerPolicy(**policy))


def test_what_is_equal_needs_no_patch_however_it_is_spelled() -> None:
    assert diff(account(), customer(), book=[AT_HOME]) == Changes()
    spelled = customer(first_name=" Jane ", phone="512-555-0100")
    assert not diff(account(), spelled)


def test_a_patch_holds_only_what_changed() -> None:
    found = diff(account(last_name="Doe"), customer(), last=account())
    assert found.body == {"lastName": "Doe"}
    assert found.fields == ("name",)
    assert found.conflicts == ()


def test_a_changed_email_address_is_a_patch_of_the_same_record() -> None:
    assert diff(account(email="new@shop.test"), customer(), last=account()).body == {"email": "new@shop.test"}


def test_a_correction_made_in_netsuite_stands_until_the_shopper_says_something_new() -> None:
    corrected = customer(last_name="Roe-Smith")
    assert diff(account(), corrected, last=account()) == Changes()
    assert diff(account(last_name="Doe"), corrected, last=account()).body == {"lastName": "Doe"}


@pytest.mark.parametrize(
    ("owner", "body", "conflicts"),
    [
        ("bigcommerce", {"phone": "512 555 0199"}, ("phone",)),
        ("netsuite", {}, ("phone",)),
        ("first_write", {}, ()),
    ],
)
def test_a_field_changed_on_both_sides_is_won_by_its_authority(
    owner: str, body: dict[str, Any], conflicts: tuple[str, ...]
) -> None:
    edited = customer(phone="512 555 0777")
    found = diff(account(phone="512 555 0199"), edited, last=account(), authority={"phone": owner})
    assert (found.body, found.conflicts) == (body, conflicts)


def test_a_conflict_names_the_fields_and_never_their_values() -> None:
    found = diff(
        account(phone="512 555 0199", last_name="Doe"), customer(phone="512 555 0777"), last=account()
    )
    problem = conflict(found, 501)
    assert problem is not None
    assert problem.code == "CUSTOMER_CONFLICT"
    assert problem.sentence == "Both sides changed phone of customer 501 since they last agreed."
    assert conflict(Changes(), 501) is None


@pytest.mark.parametrize(("shown", "sent"), [("", True), ("512 555 0777", False)])
def test_the_first_write_fills_a_blank_and_nothing_else(shown: str, sent: bool) -> None:
    found = diff(account(), customer(phone=shown), authority={"phone": "first_write"})
    assert ("phone" in found.body) == sent


def test_the_first_write_does_not_go_over_what_was_not_read() -> None:
    fields = (CustomField("custentity_source", parse_path("=shop")),)
    first = {"fields": fields, "authority": {"custentity_source": "first_write"}}
    assert diff(account(), customer(values={"custentity_source": ""}), **first).fields == (
        "custentity_source",
    )
    assert diff(account(), customer(), **first) == Changes()


def test_what_a_checkout_says_fills_blanks_only() -> None:
    order = account(source="order", last_name="Doe", phone="512 555 0199")
    assert diff(order, customer(phone="")).body == {"phone": "512 555 0199"}
    assert diff(guest(last_name="Doe"), customer()) == Changes()


def test_a_phone_number_taken_away_is_emptied_and_one_never_given_is_not() -> None:
    assert diff(account(phone=""), customer(), last=account()).body == {"phone": None}
    assert diff(account(phone=""), customer()) == Changes()


def test_a_name_or_email_address_is_never_emptied() -> None:
    blank = account(first_name="", email="")
    assert diff(blank, customer(), last=account()) == Changes()
    company = customer(is_person=False, company="Acme Ltd")
    assert diff(account(company=""), company, last=account(company="Acme Ltd")) == Changes()


def test_a_company_record_gets_its_company_name_and_no_persons_names() -> None:
    company = customer(is_person=False, company="Acme Ltd", first_name="", last_name="")
    assert diff(account(company="Acme GmbH"), company).body == {"companyName": "Acme GmbH"}


def test_custom_fields_are_compared_as_netsuite_shows_them() -> None:
    fields = (
        CustomField("custentity_group", parse_path("customer_group_id")),
        CustomField("custentity_vip", parse_path("notes", "flag")),
        CustomField("custentity_tier", parse_path("attributes.4"), {"gold": 12}),
    )
    facts = {"customer_group_id": 3, "notes": "yes", "attributes": {"4": "gold"}}
    shopper = replace(account(), facts=facts)
    shown = {"custentity_group": "3", "custentity_vip": "T", "custentity_tier": "12"}
    assert diff(shopper, customer(values=shown), fields=fields) == Changes()
    other = customer(values={**shown, "custentity_tier": "13"})
    assert diff(shopper, other, fields=fields).body == {"custentity_tier": {"id": "12"}}


def test_the_channel_is_noted_once_and_never_overwritten() -> None:
    fields = (CustomField("custentity_channel", parse_path("channel_id")),)
    shopper = replace(account(), facts={"channel_id": 2})
    assert customer_body(shopper, "k", CustomerPolicy(fields=fields))["custentity_channel"] == "2"
    assert diff(shopper, customer(values={"custentity_channel": "1"}), fields=fields) == Changes()


def test_a_new_address_is_added_and_a_known_one_is_not() -> None:
    both = account(addresses=(ShopperAddress(HOME, 1), ShopperAddress(WORK, 2)))
    found = diff(both, customer(), book=[AT_HOME])
    (entry,) = found.body["addressBook"]["items"]
    assert "internalId" not in entry
    assert entry["addressBookAddress"]["addressee"] == "Acme Ltd"
    assert diff(account(), customer(), book=None) == Changes()


@pytest.mark.parametrize(
    "spelled",
    [
        replace(HOME, street_1="1 HIGH  ST."),
        replace(HOME, state="tx"),
        replace(HOME, phone="999 999 9999"),
        replace(HOME, city=" austin "),
    ],
)
def test_an_address_is_known_however_it_is_spelled(spelled: Address) -> None:
    assert diff(account(addresses=(ShopperAddress(spelled, 5),)), customer(), book=[AT_HOME]) == Changes()


def test_one_line_or_two_of_a_street_are_the_same_address() -> None:
    one, two = replace(HOME, street_1="1 High St, Apt 2"), replace(HOME, street_2="apt 2")
    assert shopper_key(one) == shopper_key(two)


def test_another_addressee_is_another_address() -> None:
    assert shopper_key(HOME) != shopper_key(replace(HOME, last_name="Doe"))


def test_a_corrected_address_changes_its_entry_instead_of_adding_one() -> None:
    moved = replace(HOME, street_1="2 High St", street_2="", phone="")
    old = replace(HOME, street_2="Apt 4")
    entry = replace(AT_HOME, addr2="Apt 4")
    found = diff(
        account(addresses=(ShopperAddress(moved, 1),)),
        customer(),
        last=account(addresses=(ShopperAddress(old, 1),)),
        book=[entry],
    )
    (item,) = found.body["addressBook"]["items"]
    assert item["internalId"] == 8001
    assert item["addressBookAddress"]["addr1"] == "2 High St"
    # PATCH keeps what it does not name, so what is gone has to be emptied.
    assert item["addressBookAddress"]["addr2"] is None


def test_an_address_that_somebody_removed_in_netsuite_does_not_come_back() -> None:
    assert diff(account(), customer(), last=account(), book=[]) == Changes()


@pytest.mark.parametrize(
    ("owner", "book", "sent"),
    [("netsuite", [], False), ("first_write", [], True), ("first_write", [AT_HOME], False)],
)
def test_addresses_have_an_authority_too(owner: str, book: list[BookEntry], sent: bool) -> None:
    shopper = account(addresses=(ShopperAddress(WORK, 2),))
    assert bool(diff(shopper, customer(), book=book, authority={"addresses": owner})) == sent


def test_the_first_address_of_an_empty_book_is_its_default() -> None:
    (item,) = diff(account(), customer(), book=[]).body["addressBook"]["items"]
    assert (item["defaultBilling"], item["defaultShipping"]) == (True, True)


def test_no_address_is_written_where_the_merchant_keeps_none() -> None:
    assert diff(account(), customer(), book=[], addresses=False) == Changes()
    assert "addressBook" not in customer_body(account(), "k", CustomerPolicy(addresses=False))


@pytest.mark.parametrize(
    ("exempt", "taxable", "mismatch"),
    [
        (True, True, True),
        (False, False, True),
        (True, False, False),
        (False, True, False),
        (None, False, False),
        (True, None, False),
    ],
)
def test_a_shopper_exempt_on_one_side_only_is_a_problem(
    exempt: bool | None, taxable: bool | None, mismatch: bool
) -> None:
    problem = tax_problem(account(tax_exempt=exempt), customer(taxable=taxable))
    assert (problem is not None) == mismatch
    assert problem is None or problem.code == "TAX_EXEMPT_MISMATCH"


def test_the_sides_disagree_for_as_long_as_they_say_different_things() -> None:
    edited = customer(phone="512 555 0777", last_name="Doe")
    assert disagreeing(account(), edited, POLICY) == ("name", "phone")
    assert disagreeing(account(), customer(phone="512-555-0100"), POLICY) == ()
    assert disagreeing(account(phone=""), edited, POLICY) == ("name",)


def test_an_entry_whose_id_is_not_shown_is_left_and_the_corrected_address_is_added() -> None:
    before = account(addresses=(ShopperAddress(HOME, 7),))
    after = account(addresses=(ShopperAddress(replace(HOME, street_1="9 New Rd"), 7),))
    found = diff(after, customer(), last=before, book=[replace(AT_HOME, id=0)])
    (entry,) = found.body["addressBook"]["items"]
    assert "internalId" not in entry


text = st.sampled_from(["", "1 High St", "1 high st.", "2 High St", "Apt 2", "  Apt  2 "])
places = st.builds(
    Address,
    first_name=st.sampled_from(["Jane", "John"]),
    last_name=st.just("Roe"),
    company=st.sampled_from(["", "Acme"]),
    street_1=text,
    street_2=text,
    city=st.sampled_from(["", "Austin", "AUSTIN"]),
    state=st.sampled_from(["Texas", "TX", ""]),
    country_code=st.just("US"),
)
books = st.lists(st.builds(ShopperAddress, places, st.integers(0, 4)), max_size=5)
shoppers = st.builds(
    account,
    first_name=st.sampled_from(["Jane", "Joan"]),
    last_name=st.sampled_from(["Roe", "Doe"]),
    phone=st.sampled_from(["", "512 555 0100", "512 555 0199"]),
    email=st.sampled_from(["jane@shop.test", "new@shop.test"]),
    addresses=books.map(tuple),
)


@given(st.lists(shoppers, min_size=1, max_size=4), st.booleans())
def test_ten_replays_of_any_history_leave_no_duplicate_and_say_what_the_shopper_says(
    history: list[Shopper], remembered: bool
) -> None:
    """`remembered`: whether what was written last is known, or the state was lost in between."""
    office = Office.made_of(customer_body(history[0], "k", POLICY))
    last = history[0]
    for shopper in history:
        for _ in range(10):
            before = last if remembered else None
            office.take(changes(shopper, office.row, office.entries, before, POLICY).body)
            last = shopper
        keys = [entry_key(entry) for entry in office.entries]
        assert len(set(keys)) == len(keys)
        assert changes(shopper, office.row, office.entries, last, POLICY) == Changes()
        assert (office.row.last_name, office.row.email) == (shopper.last_name, shopper.email)
        if not remembered:
            wanted = {shopper_key(one.address) for one in shopper.addresses}
            assert {key for key in wanted if any(key[1:5])} <= set(keys)


@given(shoppers, shoppers)
def test_what_netsuite_shows_after_a_patch_is_absorbed_as_our_own_echo(old: Shopper, new: Shopper) -> None:
    office = Office.made_of(customer_body(old, "k", POLICY))
    office.take(changes(new, office.row, office.entries, old, POLICY).body)
    assert changes(new, office.row, office.entries, new, POLICY) == Changes()
    assert changes(new, office.row, office.entries, None, POLICY).body.keys() <= {"addressBook"}
