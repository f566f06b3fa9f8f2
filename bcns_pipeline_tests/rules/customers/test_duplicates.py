from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.customers.duplicates import Duplicates, duplicates
from bcns_pipeline.rules.customers.merges import Merges
from bcns_pipeline.rules.customers.model import NetSuiteCustomer
from bcns_pipeline_tests.rules.customers.people import customer

NONE = Merges()


def test_customers_of_one_email_address_are_duplicates_and_the_oldest_stays() -> None:
    rows = [customer(7), customer(5, email="JANE@shop.test "), customer(6, email="x@y.test", phone="")]
    assert duplicates(rows, NONE) == [Duplicates("email", 5, (7,))]


def test_the_one_that_a_shopper_is_linked_to_stays() -> None:
    assert duplicates([customer(5), customer(7)], NONE, linked={7}) == [Duplicates("email", 7, (5,))]


def test_one_name_with_one_phone_number_is_suspect() -> None:
    rows = [customer(5, email=""), customer(7, email="", last_name="ROE", phone="5125550100")]
    assert duplicates(rows, NONE) == [Duplicates("name_and_phone", 5, (7,))]


def test_blank_and_short_values_make_no_duplicates() -> None:
    rows = [customer(n, email="", phone="100") for n in (1, 2)]
    rows += [customer(n, email="", first_name="", last_name="") for n in (3, 4)]
    assert duplicates(rows, NONE) == []


def test_inactive_and_merged_customers_are_out_of_the_report() -> None:
    assert duplicates([customer(5), customer(7, inactive=True)], NONE) == []
    assert duplicates([customer(5), customer(7)], Merges({7: 5})) == []


def test_the_same_shopper_in_two_subsidiaries_is_no_duplicate() -> None:
    rows = [customer(5, subsidiaries=frozenset({1})), customer(7, subsidiaries=frozenset({2}))]
    assert duplicates(rows, NONE) == []
    rows.append(customer(8, subsidiaries=frozenset({1, 2})))
    assert duplicates(rows, NONE) == [Duplicates("email", 5, (8,), 1), Duplicates("email", 7, (8,), 2)]


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["a@x.test", "b@x.test", ""])), max_size=9))
def test_merging_as_reported_leaves_nothing_to_report(pairs: list[tuple[int, str]]) -> None:
    rows = [NetSuiteCustomer(number, email=email) for number, email in dict(pairs).items()]
    merges = {other: group.keep for group in duplicates(rows, NONE) for other in group.others}
    assert duplicates(rows, Merges(merges)) == []
