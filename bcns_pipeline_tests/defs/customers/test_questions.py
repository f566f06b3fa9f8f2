"""What stands in a shopper's way is a question with an owner, and goes by itself once it is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bcns_pipeline_tests.defs.customers.people import People
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_two_customers_of_one_e_mail_address_are_asked_about_and_a_merge_answers(
    shop: OrderFlow, people: People
) -> None:
    jane = people.sign_up()
    first, second = (
        shop.control.netsuite_customer(firstName="Jane", lastName="Roe", email="jane@example.com")["id"]
        for _ in range(2)
    )

    run = people.sync()

    (question,) = shop.open_exceptions("CUSTOMER_AMBIGUOUS")
    assert (question.flow, question.subject) == ("customers", f"customer:{jane}")
    assert str(first) in question.message
    assert not run.checks["no_duplicates"]
    (double,) = run.records("duplicates", asset="customers/change_plan")
    assert (double["keep"], double["others"]) == (first, str(second))
    # What `bcns duplicates` lists.
    plans = shop.state().plans.since("customers", datetime.now(UTC) - timedelta(hours=1))
    assert plans[-1].summary["duplicate_groups"] == [["email", first, second]]
    shop.state().merges.put(str(first), str(second), "the newer one stands", actor="ada")
    people.due_now()
    people.sync()
    assert people.link(jane) == str(second)
    assert shop.open_exceptions("CUSTOMER_AMBIGUOUS") == []
    assert len(people.all()) == 2


def test_a_customer_merged_in_netsuite_is_followed(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    people.sync()
    gone = people.one()["id"]
    stays = shop.control.netsuite_customer(firstName="J", lastName="Roe", email="other@example.com")["id"]
    shop.control.merge_customers(stays, gone)
    shop.state().merges.put(str(gone), str(stays), "one person", actor="ada")
    people.change(jane, phone="+1 555 010 0002")

    people.sync()

    assert people.one()["phone"] == "+1 555 010 0002"
    assert people.link(jane) == str(stays)


def test_a_customer_merged_without_a_word_is_found_by_e_mail(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    people.sync()
    gone = people.one()["id"]
    stays = shop.control.netsuite_customer(firstName="J", lastName="Roe", email="jane@example.com")["id"]
    shop.control.merge_customers(stays, gone)
    people.change(jane, phone="+1 555 010 0002")

    people.sync()

    assert (people.one()["id"], people.one()["phone"]) == (stays, "+1 555 010 0002")
    assert people.link(jane) == str(stays)


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


def test_a_correction_made_in_netsuite_is_no_news_and_stands(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    people.sync()
    shop.control.netsuite_customer(customer=people.one()["id"], phone="+1 555 999 9999")
    people.change(jane, last_name="Doe")

    people.sync()

    assert (people.one()["phone"], people.one()["lastName"]) == ("+1 555 999 9999", "Doe")
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


def test_a_shopper_of_a_channel_that_is_not_mapped_waits_for_the_mapping(
    shop: OrderFlow, people: People
) -> None:
    shop.control.shop_settings(second_storefront=True)
    jane = people.sign_up(channel_id=2)
    people.sync()
    assert shop.open_exceptions("CHANNEL_UNMAPPED")
    shop.sections["channels"][2] = {"subsidiary": 1}
    shop.configure()

    people.due_now()
    people.sync()

    assert people.link(jane) == str(people.one()["id"])
    assert shop.open_exceptions("CHANNEL_UNMAPPED") == []
