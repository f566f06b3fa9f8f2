"""A shopper who is new or changed is in NetSuite, once, with or without an order."""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.defs.customers.people import JANE, People
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_a_shopper_without_an_order_is_made_and_the_second_run_writes_nothing(
    shop: OrderFlow, people: People
) -> None:
    jane = people.sign_up()

    run = people.sync()

    made = people.one()
    store = shop.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
    assert made["externalId"] == f"bc-{store}-customer-{jane}"
    assert (made["firstName"], made["lastName"], made["email"]) == ("Jane", "Roe", "jane@example.com")
    assert len(made["addresses"]) == 1
    assert people.link(jane) == str(made["id"])
    assert all(run.checks.values()), run.checks
    shop.control.clear_log()
    shop.later(60)
    people.tell(jane)
    people.sync()
    assert shop.writes() == []
    shop.assert_tidy()


def test_an_edit_without_an_order_reaches_netsuite_as_the_smallest_patch(
    shop: OrderFlow, people: People
) -> None:
    jane = people.sign_up()
    people.sync()
    people.change(jane, phone="+1 555 010 0002")

    run = people.sync()

    assert people.one()["phone"] == "+1 555 010 0002"
    assert people.outcome(run, jane)["fields"] == "phone"
    assert run.metadata("netsuite/customers")["as_written"] == 1


def test_a_changed_e_mail_address_keeps_the_record(people: People) -> None:
    jane = people.sign_up()
    people.sync()
    before = people.one()["id"]
    people.change(jane, email="jane.married@example.com")

    people.sync()

    assert (people.one()["id"], people.one()["email"]) == (before, "jane.married@example.com")


def test_the_sensor_polls_and_starts_a_run_only_where_a_shopper_waits(
    shop: OrderFlow, people: People
) -> None:
    people.sign_up()
    with shop.tick("customers_waiting") as first:
        assert len(first.run_requests) == 1
    people.sync()

    shop.later(60)
    with shop.tick("customers_waiting") as second:
        assert second.run_requests == []
    # The walk over known shoppers is due once an hour, which also shows that all is well.
    people.due_now()
    with shop.tick("customers_waiting") as third:
        assert len(third.run_requests) == 1


def test_a_company_becomes_a_company(people: People) -> None:
    people.sign_up(company="Roe Ltd")

    people.sync()

    assert (people.one()["isPerson"], people.one()["companyName"]) == (False, "Roe Ltd")


def test_an_address_is_added_once_however_often_it_is_told(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    people.sync()
    people.move(jane, address1="2 Second Street", city="Albany")
    for _ in range(3):
        people.tell(jane)
        people.sync()

    assert len(people.one()["addresses"]) == 2
    shop.control.clear_log()
    shop.state().cursors.move("customers/poll", None)
    for source in ("webhook", "replay", "backfill"):
        people.tell(jane, source=source)
        people.sync()
    assert shop.writes() == []
    assert len(people.one()["addresses"]) == 2


def test_a_corrected_address_takes_the_place_of_the_old_one(people: People) -> None:
    jane = people.sign_up()
    people.sync()
    (address,) = people.addresses(jane)
    people.move(jane, id=address["id"], address1="9 Corrected Road")

    people.sync()

    (entry,) = people.one()["addresses"]
    assert entry["addressBookAddress"]["addr1"] == "9 Corrected Road"


def test_an_address_whose_hook_got_lost_is_found_by_the_walk_over_known_shoppers(
    shop: OrderFlow, people: People
) -> None:
    jane = people.sign_up()
    people.sync()
    # The poll has moved on, so that its overlap does not reach back to her.
    shop.later(600)
    people.sync()
    shop.control.shopper_address(customer_id=jane, address1="2 Second Street", city="Albany")
    people.sync()
    assert len(people.one()["addresses"]) == 1

    people.due_now()
    run = people.sync()

    assert run.metadata("bigcommerce/customers")["changed_without_a_word"] == 1
    assert len(people.one()["addresses"]) == 2


def test_a_shopper_that_netsuite_knows_by_e_mail_is_resolved_and_not_doubled(
    shop: OrderFlow, people: People
) -> None:
    there = shop.control.netsuite_customer(firstName="Jane", lastName="Roe", email="JANE@example.com")
    jane = people.sign_up(phone="")

    people.sync()

    assert people.one()["id"] == there["id"]
    assert people.link(jane) == str(there["id"])


def test_the_customer_of_an_order_is_the_shoppers(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    order = shop.control.shop_order(customer_id=jane, restock=True)["id"]
    shop.sync()

    people.sync()

    assert shop.sales_order(order)["entity"] == people.one()["id"]
    people.change(jane, last_name="Doe")
    people.sync()
    assert people.one()["lastName"] == "Doe"


def test_an_order_after_the_shopper_finds_the_customer(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    people.sync()
    order = shop.control.shop_order(customer_id=jane, restock=True)["id"]

    shop.sync()

    assert shop.sales_order(order)["entity"] == people.one()["id"]


def test_two_accounts_of_one_e_mail_address_are_one_customer(shop: OrderFlow, people: People) -> None:
    shop.control.shop_settings(second_storefront=True)
    shop.sections["channels"][2] = {"subsidiary": 1}
    shop.configure()
    first, second = people.sign_up(channel_id=1), people.sign_up(channel_id=2)
    run = people.sync()
    assert {people.outcome(run, one)["outcome"] for one in (first, second)} == {"created", "deferred"}

    people.sync()

    assert people.link(first) == people.link(second) == str(people.one()["id"])
    assert len(people.one()["addresses"]) == len({str(one) for one in people.one()["addresses"]})


def test_mapped_fields_are_sent_and_compared_where_netsuite_shows_them(
    shop: OrderFlow, people: People
) -> None:
    # The account shows custom fields in SuiteQL, and the comments of a customer only in its record.
    fields = {"custentity_bc_customer_id": "customer_id", "comments": "notes"}
    shop.sections["customers"] = {"fields": fields}
    shop.configure()
    jane = people.sign_up(notes="likes blue")
    run = people.sync()
    assert (people.one()["custentity_bc_customer_id"], people.one()["comments"]) == (str(jane), "likes blue")
    assert run.metadata("netsuite/customers")["as_written"] == 1

    people.change(jane, notes="likes red")
    run = people.sync()

    assert people.one()["comments"] == "likes red"
    assert people.outcome(run, jane)["fields"] == "comments"
    assert shop.open_exceptions("CUSTOMER_CONFLICT") == []


def test_a_plan_sends_nothing_and_leaves_all_to_the_next_run(shop: OrderFlow, people: People) -> None:
    jane = people.sign_up()
    shop.control.clear_log()

    run = people.sync(mode="plan")

    assert people.outcome(run, jane)["outcome"] == "created"
    assert shop.writes() == []
    people.sync()
    assert people.link(jane) == str(people.one()["id"])


def test_an_event_between_reading_and_planning_is_not_lost(
    shop: OrderFlow, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bcns_pipeline.defs.customers import assets

    jane = people.sign_up()
    people.sync()
    people.change(jane, phone="+1 555 010 0002")
    plan = assets.make_plan

    def interrupted(*given: Any, **options: Any) -> Any:
        shop.control.shopper(id=jane, phone="+1 555 010 0003")
        people.tell(jane)
        return plan(*given, **options)

    monkeypatch.setattr(assets, "make_plan", interrupted)
    people.sync()
    monkeypatch.undo()

    people.sync()

    assert people.one()["phone"] == "+1 555 010 0003"
    assert shop.state().inbox.waiting("customer").count == 0


def test_a_shopper_deleted_before_it_was_read_is_nobody(people: People) -> None:
    people.tell(987_654)

    run = people.sync()

    assert people.outcome(run, 987_654)["outcome"] == "gone"
    assert people.all() == []


def test_no_name_and_no_address_stands_in_metadata_exceptions_or_the_database(
    shop: OrderFlow, people: People
) -> None:
    shop.sections["customers"] = {"price_level": 999_999}
    shop.configure()
    people.sign_up(first_name="Zebedee", last_name="Quixote", email="zeb@example.com")

    run = people.sync()

    assert shop.open_exceptions("CUSTOMER_REFUSED")
    texts = [str(run.metadata(name)) for name in run.materialised]
    with shop._engine.begin() as conn:
        for table in ("operation", "plan_line", "plan", "exception", "audit", "cursor", "link"):
            texts += [str(row) for row in conn.exec_driver_sql(f"select row_to_json(t) from bcns.{table} t")]
    for secret in ("Zebedee", "Quixote", "zeb@example", JANE["phone"]):
        assert not any(secret in text for text in texts), secret
