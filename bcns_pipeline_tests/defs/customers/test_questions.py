"""What stands in a shopper's way is a question with an owner, and goes by itself once it is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bcns_pipeline.defs.customers import known
from bcns_pipeline.rules.orders.fields import Unreadable
from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.flow import Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_shoppers_whose_customer_is_in_doubt_merged_or_corrected_are_asked_about_or_followed(
    shop: OrderFlow, people: People
) -> None:
    """Side by side: two customers of one address, two merges in NetSuite, a correction there, and no mapping."""
    shop.control.shop_settings(second_storefront=True)
    double, followed, silent, corrected = people.sign_up_many("Doub", "Foll", "Sil", "Corr")
    (unmapped,) = people.sign_up_many("Unm", channel_id=2)
    pair = [
        shop.control.netsuite_customer(firstName="Doub", lastName="Roe", email="doub@example.com")["id"]
        for _ in range(2)
    ]
    run = people.sync()
    assert_asked_about_the_pair(shop, run, double, *pair)
    assert shop.open_exceptions("CHANNEL_UNMAPPED")

    # A person says which of the two stands, and the channel is mapped.
    shop.state().merges.put(*map(str, pair), "the newer one stands", actor="ada")
    shop.sections["channels"][2] = {"subsidiary": 1}
    shop.configure()
    # Two customers are merged in NetSuite, one of them without a word.
    stays = {
        one: shop.control.netsuite_customer(firstName="J", lastName="Roe", email=email)["id"]
        for one, email in ((followed, "other@example.com"), (silent, "sil@example.com"))
    }
    for one, record in stays.items():
        gone = people.link(one)
        shop.control.merge_customers(record, gone)
        if one == followed:
            shop.state().merges.put(str(gone), str(record), "one person", actor="ada")
        people.change(one, phone="+1 555 010 0002")
    shop.control.netsuite_customer(customer=people.of(corrected)["id"], phone="+1 555 999 9999")
    people.change(corrected, last_name="Doe")
    people.due_now()
    people.sync()

    assert people.link(double) == str(pair[1])
    assert shop.open_exceptions("CUSTOMER_AMBIGUOUS") == []
    for one, record in stays.items():
        assert (people.link(one), people.of(one)["phone"]) == (str(record), "+1 555 010 0002"), one
    # A correction made in NetSuite is no news and stands.
    now = people.of(corrected)
    assert (now["phone"], now["lastName"]) == ("+1 555 999 9999", "Doe")
    asked = [one.subject for one in shop.open_exceptions("CUSTOMER_CONFLICT")]
    assert f"customer:{corrected}" not in asked
    assert people.of(unmapped)
    assert shop.open_exceptions("CHANNEL_UNMAPPED") == []
    # Nobody was made twice: the pair, and one of each other.
    assert len(people.all()) == len((*pair, *stays, corrected, unmapped))


def assert_asked_about_the_pair(shop: OrderFlow, run: Run, shopper: int, first: int, second: int) -> None:
    """One question, one failed check, one row, and what `bcns duplicates` lists."""
    (question,) = shop.open_exceptions("CUSTOMER_AMBIGUOUS")
    assert (question.flow, question.subject) == ("customers", f"customer:{shopper}")
    assert str(first) in question.message
    assert not run.checks["no_duplicates"]
    (double,) = run.records("duplicates", asset="customers/change_plan")
    assert (double["keep"], double["others"]) == (first, str(second))
    plans = shop.state().plans.since("customers", datetime.now(UTC) - timedelta(hours=1))
    assert plans[-1].summary["duplicate_groups"] == [["email", first, second]]


def test_an_exemption_that_the_two_sides_see_differently_is_asked_about_until_they_agree(
    shop: OrderFlow, people: People
) -> None:
    shop.sections["channels"][1]["tax_mode"] = "ns_recalc"
    shop.configure()
    jane = people.sign_up(tax_exempt_category="A")
    people.sync()
    (question,) = shop.open_exceptions("TAX_EXEMPT_MISMATCH")
    assert question.subject == f"customer:{jane}"
    # NetSuite would tax her order, so it waits.
    order = shop.control.shop_order(customer_id=jane, restock=True)["id"]
    shop.sync()
    assert shop.order(order).code == "TAX_EXEMPT_MISMATCH"
    assert shop.books() == []

    shop.control.netsuite_customer(customer=people.one()["id"], taxable=False)
    people.due_now()
    people.sync()

    assert [one.subject for one in shop.open_exceptions("TAX_EXEMPT_MISMATCH")] == [f"order:{order}"]


def test_authority_decides_who_wins_and_the_other_side_is_told(shop: OrderFlow, people: People) -> None:
    shop.sections["customers"] = {"authority": {"phone": "netsuite"}}
    shop.configure()
    jane = people.sign_up()
    people.sync()
    shop.control.netsuite_customer(customer=people.one()["id"], phone="+1 555 999 9999", firstName="Janet")
    people.change(jane, phone="+1 555 010 0002", first_name="Jana")

    people.sync()

    assert (people.one()["phone"], people.one()["firstName"]) == ("+1 555 999 9999", "Jana")
    (question,) = shop.open_exceptions("CUSTOMER_CONFLICT")
    assert set(question.detail["fields"]) == {"phone", "name"}
    # It stands for as long as the two sides say different things, however often it is looked at.
    people.due_now()
    people.sync()
    assert shop.open_exceptions("CUSTOMER_CONFLICT")
    shop.control.netsuite_customer(customer=people.one()["id"], phone="+1 555 010 0002")
    people.due_now()
    people.sync()
    assert shop.open_exceptions("CUSTOMER_CONFLICT") == []


def test_what_netsuite_refuses_is_asked_about_and_goes_once_it_is_mended(
    shop: OrderFlow, people: People
) -> None:
    shop.sections["customers"] = {"price_level": 999_999}
    shop.configure()
    jane = people.sign_up()
    people.sync()
    (question,) = shop.open_exceptions("CUSTOMER_REFUSED")
    assert question.subject == f"customer:{jane}"
    shop.decide("customers", price_level=None)

    people.due_now()
    people.sync()

    assert people.link(jane) == str(people.one()["id"])
    assert shop.open_exceptions("CUSTOMER_REFUSED") == []


def test_a_shopper_who_cannot_be_read_is_asked_about_and_stops_nobody(
    shop: OrderFlow, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, plain = people.sign_up_many("Odd", "Plain")
    read = known.read_customer

    def fails(document: Any) -> Any:
        if document["id"] == odd:
            raise Unreadable("addresses is no list.")
        return read(document)

    with monkeypatch.context() as patch:
        patch.setattr(known, "read_customer", fails)
        run = people.sync()
    assert people.outcome(run, odd)["outcome"] == "waiting"
    (asked,) = shop.open_exceptions("CUSTOMER_UNREADABLE")
    assert asked.subject == f"customer:{odd}"
    assert people.of(plain)["firstName"] == "Plain"

    people.due_now()
    people.sync()
    assert shop.open_exceptions("CUSTOMER_UNREADABLE") == []
    assert len({people.link(odd), people.link(plain)}) == len(people.all()) == 2
