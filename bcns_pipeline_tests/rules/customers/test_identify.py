from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.customers.identify import (
    Create,
    Found,
    LookUp,
    Names,
    Register,
    identify,
    look_up,
    names_of,
    one_each,
)
from bcns_pipeline.rules.customers.merges import Merges
from bcns_pipeline.rules.customers.model import NetSuiteCustomer, Shopper
from bcns_pipeline.rules.customers.policy import CustomerPolicy, Storefront
from bcns_pipeline.rules.orders.problems import Problem
from bcns_pipeline_tests.rules.customers.people import account, customer, guest

STORE = "abc123"
HASH = "0123456789abcdef" * 4
KEY = "bc-abc123-customer-9"
GUEST_KEY = "bc-abc123-guest-0123456789abcdef"
ONE = Storefront(1)
EUROPE = Storefront(2, subsidiary=2, home=False)
AMERICA = Storefront(1, subsidiary=1)


def named(shopper: Shopper, storefront: Storefront = ONE) -> Names:
    return names_of(shopper, storefront, STORE, HASH)


def who(
    shopper: Shopper,
    *rows: NetSuiteCustomer,
    links: dict[str, int] | None = None,
    merges: dict[int, int] | None = None,
    storefront: Storefront = ONE,
    **policy: Any,
) -> Found | Create | Problem:
    names = named(shopper, storefront)
    return identify(
        shopper, names, storefront, Register(rows), links or {}, Merges(merges), CustomerPolicy(**policy)
    )


def code(answer: object) -> str:
    assert isinstance(answer, Problem)
    return answer.code


def found(answer: object) -> tuple[int, str]:
    assert isinstance(answer, Found)
    return answer.id, answer.how


def test_nobody_of_that_name_is_created_under_the_natural_key() -> None:
    assert who(account()) == Create(KEY)
    assert who(guest()) == Create(GUEST_KEY)


def test_the_link_wins_over_the_external_id_and_that_over_the_email_address() -> None:
    linked, keyed, mailed = customer(3), customer(2, external_id=KEY), customer(1)
    assert found(who(account(), linked, keyed, mailed, links={"9": 3})) == (3, "link")
    assert found(who(account(), keyed, mailed)) == (2, "external_id")
    assert found(who(account(), mailed)) == (1, "email")


def test_a_new_email_address_keeps_the_record() -> None:
    old = customer(3, email="old@shop.test")
    assert found(who(account(email="new@shop.test"), old, links={"9": 3})) == (3, "link")


def test_case_and_outer_blanks_of_an_email_address_do_not_count() -> None:
    assert found(who(account(), customer(1, email="  JANE@Shop.test "))) == (1, "email")


def test_a_blank_email_address_matches_nobody() -> None:
    assert who(account(email=""), customer(1, email="")) == Create(KEY)


def test_a_link_whose_customer_is_gone_counts_for_nothing() -> None:
    assert found(who(account(), customer(1), links={"9": 404})) == (1, "email")
    assert who(account(), links={"9": 404}) == Create(KEY)


def test_several_customers_of_one_email_address_are_ambiguous() -> None:
    answer = who(account(), customer(7), customer(5), customer(6))
    assert code(answer) == "CUSTOMER_AMBIGUOUS"
    assert isinstance(answer, Problem)
    assert "Customers 5, 6, 7 have" in answer.sentence
    assert "jane" not in answer.sentence.lower()


def test_the_oldest_of_several_is_taken_where_the_merchant_says_so() -> None:
    assert found(who(account(), customer(7), customer(5), ambiguous="oldest")) == (5, "email")


def test_a_merge_decides_between_several() -> None:
    assert found(who(account(), customer(7), customer(5), merges={5: 7})) == (7, "email")


def test_an_inactive_duplicate_is_no_choice() -> None:
    assert found(who(account(), customer(5, inactive=True), customer(7))) == (7, "email")


@pytest.mark.parametrize(
    ("row", "links"),
    [
        (customer(5, inactive=True, email="x@y.test"), {"9": 5}),
        (customer(5, inactive=True, email="x@y.test", external_id=KEY), {}),
        (customer(5, inactive=True), {}),
    ],
)
def test_an_inactive_customer_is_a_problem_on_every_rung(
    row: NetSuiteCustomer, links: dict[str, int]
) -> None:
    answer = who(account(), row, links=links)
    assert code(answer) == "CUSTOMER_INACTIVE"
    assert isinstance(answer, Problem)
    assert "Customer 5" in answer.sentence


def test_a_merged_customer_is_never_written_to_again() -> None:
    merged, standing = customer(5), customer(7, email="x@y.test")
    for rows in ((merged, standing), (standing,)):
        assert found(who(account(), *rows, links={"9": 5}, merges={5: 6, 6: 7})) == (7, "link")
    assert found(who(account(), merged, merges={5: 7})) == (7, "email")
    assert found(who(account(), customer(5, external_id=KEY), merges={5: 7})) == (7, "external_id")


def test_a_customer_that_a_merge_led_to_may_be_inactive_too() -> None:
    standing = customer(7, inactive=True)
    assert code(who(account(), customer(5), standing, links={"9": 5}, merges={5: 7})) == "CUSTOMER_INACTIVE"


def test_a_guest_has_a_customer_of_its_own_where_the_storefront_wants_it_so() -> None:
    shop = Storefront(1, guests="per_guest")
    assert who(guest(), customer(1), storefront=shop) == Create(GUEST_KEY)
    assert found(who(guest(), customer(2, external_id=GUEST_KEY), storefront=shop)) == (2, "external_id")
    assert found(who(guest(), customer(3), storefront=shop, links={"guest:0123456789abcdef": 3})) == (
        3,
        "link",
    )


def test_a_guest_is_matched_by_email_address_where_the_storefront_wants_it_so() -> None:
    assert found(who(guest(), customer(1), storefront=Storefront(1, guests="match_email"))) == (1, "email")


def test_all_guests_of_a_channel_are_one_customer_where_it_names_one() -> None:
    shop = Storefront(4, guests="channel_guest", guest_customer=77)
    assert found(who(guest(), customer(1), storefront=shop)) == (77, "channel_guest")
    assert found(who(guest(), storefront=shop, merges={77: 78})) == (78, "channel_guest")
    assert code(who(guest(), customer(77, inactive=True), storefront=shop)) == "CUSTOMER_INACTIVE"
    assert code(who(guest(), storefront=Storefront(4, guests="channel_guest"))) == "CHANNEL_UNMAPPED"
    assert found(who(account(), customer(1), storefront=shop)) == (1, "email")


def test_a_customer_of_another_subsidiary_is_not_the_shopper() -> None:
    american = customer(1, subsidiaries=frozenset({1}))
    assert who(account(), american, storefront=EUROPE) == Create(f"{KEY}-s2", 2)
    assert found(who(account(), american, storefront=AMERICA)) == (1, "email")


def test_one_shopper_of_two_subsidiaries_is_two_customers_with_keys_and_links_of_their_own() -> None:
    american = customer(1, external_id=KEY, subsidiaries=frozenset({1}))
    european = customer(2, external_id=f"{KEY}-s2", subsidiaries=frozenset({2}))
    links = {"9": 1, "9@2": 2}
    assert found(who(account(), american, european, links=links, storefront=EUROPE)) == (2, "link")
    assert found(who(account(), american, european, storefront=EUROPE)) == (2, "external_id")
    assert found(who(account(), american, european, links=links, storefront=AMERICA)) == (1, "link")


def test_a_customer_that_serves_both_subsidiaries_is_used_in_both() -> None:
    shared = customer(1, subsidiaries=frozenset({1, 2}))
    assert found(who(account(), shared, links={"9": 1}, storefront=EUROPE)) == (1, "link")


def test_a_key_that_is_held_in_another_subsidiary_is_a_mismatch_and_no_second_attempt() -> None:
    moved = customer(1, external_id=KEY, email="x@y.test", subsidiaries=frozenset({2}))
    assert code(who(account(), moved, storefront=AMERICA)) == "SUBSIDIARY_MISMATCH"


def test_what_is_to_be_read_is_united_over_a_batch() -> None:
    merges = Merges({5: 6})
    links = {"9": 5}
    shop = Storefront(1, guests="per_guest")
    both = look_up(account(), named(account()), ONE, links, merges) | look_up(
        guest(email="new@shop.test"), named(guest()), shop, links, merges
    )
    assert both == LookUp(frozenset({6}), frozenset({KEY, GUEST_KEY}), frozenset({"jane@shop.test"}))
    channel = Storefront(1, guests="channel_guest", guest_customer=77)
    assert look_up(guest(), named(guest()), channel, links, merges) == LookUp(frozenset({77}))


def test_no_address_of_a_shopper_is_shown_by_what_is_looked_up() -> None:
    assert "jane" not in repr(look_up(account(), named(account()), ONE, {}, Merges())).lower()
    assert "jane" not in repr((account(), customer(1))).lower()


def test_a_guest_without_a_hash_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="16 hex"):
        names_of(guest(), ONE, STORE, "")


def test_an_answer_tells_the_order_what_it_needs_of_the_customer() -> None:
    row = customer(1, subsidiaries=frozenset({1}), currencies=frozenset({1, 2}), taxable=False)
    ref = Found(1, "link", row).ref
    assert (ref.id, ref.subsidiaries, ref.currencies, ref.tax_exempt) == (1, {1}, {1, 2}, True)
    made = Create("bc-a-customer-9", 2).ref
    assert (made.id, made.external_id, made.subsidiaries) == (None, "bc-a-customer-9", {2})


def test_a_circle_of_merges_ends_at_its_smallest_customer() -> None:
    circle = Merges({5: 7, 7: 6, 6: 5, 9: 7})
    assert {circle.survivor(number) for number in (5, 6, 7, 9)} == {5}


ids = st.integers(1, 8)


@given(
    st.lists(
        st.builds(
            NetSuiteCustomer,
            ids,
            st.sampled_from(["", KEY, f"{KEY}-s2", GUEST_KEY]),
            st.sampled_from(["", "jane@shop.test", "other@shop.test"]),
            inactive=st.booleans(),
            subsidiaries=st.sampled_from([frozenset({1}), frozenset({2}), frozenset({1, 2})]),
        ),
        unique_by=lambda row: row.id,
        max_size=6,
    ),
    st.dictionaries(st.sampled_from(["9", "9@2", "guest:0123456789abcdef"]), ids),
    st.dictionaries(ids, ids, max_size=4),
    st.sampled_from([AMERICA, EUROPE]),
    st.sampled_from([account(), guest()]),
    st.sampled_from(["exception", "oldest"]),
)
def test_whoever_is_found_is_active_serves_the_subsidiary_and_was_not_merged(
    rows: list[NetSuiteCustomer],
    links: dict[str, int],
    merges: dict[int, int],
    storefront: Storefront,
    shopper: Shopper,
    ambiguous: str,
) -> None:
    answer = who(shopper, *rows, links=links, merges=merges, storefront=storefront, ambiguous=ambiguous)
    if isinstance(answer, Found):
        assert Merges(merges).survivor(answer.id) == answer.id
        assert answer.row is None or (not answer.row.inactive and answer.row.serves(storefront.subsidiary))
    if isinstance(answer, Create):
        assert Register(rows).under(answer.natural_key) is None


def test_one_person_who_is_new_in_two_ways_at_once_is_one_customer() -> None:
    of_guest, of_account = Create(GUEST_KEY, 1), Create(KEY, 1)
    people = [(guest(), AMERICA), (account(), AMERICA)]
    assert people[0][0].email == people[1][0].email
    assert one_each([of_guest, of_account], people) == [of_guest, of_guest]
    # Guests on their own stay so, other subsidiaries have customers of their own, and who is found is found.
    apart = Storefront(1, subsidiary=1, guests="per_guest")
    assert one_each([of_guest, of_account], [(guest(), apart), people[1]]) == [of_guest, of_account]
    european = Create(KEY, 2)
    assert one_each([of_guest, european], [people[0], (account(), EUROPE)]) == [of_guest, european]
    assert one_each([Found(7, "link"), of_account], people) == [Found(7, "link"), of_account]
