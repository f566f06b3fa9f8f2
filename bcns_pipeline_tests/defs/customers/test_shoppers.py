"""A shopper who is new or changed is in NetSuite, once, with or without an order."""

from __future__ import annotations

from typing import Any

import pytest

from bcns_pipeline_tests.defs.customers.people import JANE, People
from bcns_pipeline_tests.defs.order_flow import OrderFlow


def test_a_shopper_who_is_new_or_changed_is_in_netsuite_once_without_an_order(
    shop: OrderFlow, people: People
) -> None:
    """Side by side: a person, a company, one whom NetSuite knows, and four who edit account or address later."""
    there = shop.control.netsuite_customer(firstName="Kit", lastName="Roe", email="KIT@example.com")
    jane, ann, mary, adam, cora, lost = people.sign_up_many("Jane", "Ann", "Mary", "Adam", "Cora", "Lost")
    (company,) = people.sign_up_many("Ltd", company="Roe Ltd")
    (known,) = people.sign_up_many("Kit", phone="")
    everybody = (jane, ann, mary, adam, cora, lost, company, known)
    # Deleted before it was read.
    people.tell(987_654)

    # A plan sends nothing and leaves all to the next run.
    shop.control.clear_log()
    run = people.sync(mode="plan")
    assert people.outcome(run, jane)["outcome"] == "created"
    assert shop.writes() == []
    run = people.sync()

    assert people.outcome(run, 987_654)["outcome"] == "gone"
    assert len(people.all()) == len({people.link(one) for one in everybody}) == len(everybody)
    assert_made_whole(shop, people, jane)
    assert (people.of(company)["isPerson"], people.of(company)["companyName"]) == (False, "Roe Ltd")
    assert people.of(known)["id"] == there["id"], "whom NetSuite knows by e-mail was doubled"
    assert all(run.checks.values()), run.checks

    # Edits reach NetSuite as the smallest patch, and a changed e-mail address keeps the record.
    before = people.of(mary)["id"]
    people.change(ann, phone="+1 555 010 0002")
    people.change(mary, email="mary.married@example.com")
    people.move(adam, address1="2 Second Street", city="Albany")
    (address,) = people.addresses(cora)
    people.move(cora, id=address["id"], address1="9 Corrected Road")
    people.tell(adam)
    run = people.sync()
    assert people.of(ann)["phone"] == "+1 555 010 0002"
    assert people.outcome(run, ann)["fields"] == "phone"
    assert (people.of(mary)["id"], people.of(mary)["email"]) == (before, "mary.married@example.com")
    assert len(people.of(adam)["addresses"]) == 2
    (entry,) = people.of(cora)["addresses"]
    assert entry["addressBookAddress"]["addr1"] == "9 Corrected Road"
    assert run.metadata("netsuite/customers")["as_written"] == len((ann, mary, adam, cora))

    # However often they are told of, by whom, and with a lost cursor: nothing is written.
    shop.control.clear_log()
    shop.later(600)
    shop.state().cursors.move("customers/poll", None)
    for one, source in ((jane, "webhook"), (adam, "webhook"), (adam, "replay"), (cora, "backfill")):
        people.tell(one, source=source)
    people.sync()
    for source in ("replay", "backfill"):
        people.tell(adam, source=source)
    # Nobody is told of this one: the poll has moved on, and the store's hook got lost.
    shop.control.shopper_address(customer_id=lost, address1="2 Second Street", city="Albany")
    people.sync()
    assert shop.writes() == []
    assert (len(people.of(adam)["addresses"]), len(people.of(lost)["addresses"])) == (2, 1)
    shop.assert_tidy()

    # The walk over known shoppers finds it.
    people.due_now()
    run = people.sync()
    assert run.metadata("bigcommerce/customers")["changed_without_a_word"] == 1
    assert len(people.of(lost)["addresses"]) == 2


def assert_made_whole(shop: OrderFlow, people: People, jane: int) -> None:
    """Key, name, address and link are there."""
    made = people.of(jane)
    store = shop.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
    assert made["externalId"] == f"bc-{store}-customer-{jane}"
    assert (made["firstName"], made["lastName"], made["email"]) == ("Jane", "Roe", "jane@example.com")
    assert len(made["addresses"]) == 1


def test_the_sensor_polls_and_starts_a_run_only_where_a_shopper_waits(
    shop: OrderFlow, people: People
) -> None:
    jane = people.sign_up()
    with shop.tick("customers_waiting") as first:
        assert len(first.run_requests) == 1
    people.sync()

    # Far enough for the overlap of later polls not to list her any more.
    shop.later(7200)
    with shop.tick("customers_waiting") as second:
        assert second.run_requests == []
    # Of an address the store tells by a hook alone, and that one got lost: the walk of two minutes later finds it.
    shop.control.shopper_address(customer_id=jane, address1="2 Second Street", city="Albany")
    people.minutes_later(3)
    with shop.tick("customers_waiting") as third:
        assert len(third.run_requests) == 1
    people.sync()
    assert len(people.of(jane)["addresses"]) == 2
    people.minutes_later(3)
    with shop.tick("customers_waiting") as fourth:
        assert fourth.run_requests == []
    # Once an hour a run shows that all is well.
    people.minutes_later(60)
    with shop.tick("customers_waiting") as fifth:
        assert len(fifth.run_requests) == 1


def test_an_order_before_or_after_the_shopper_has_the_shoppers_customer_and_no_event_is_lost(
    shop: OrderFlow, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bcns_pipeline.defs.customers import assets

    jane = people.sign_up()
    people.sync()
    (zoe,) = people.sign_up_many("Zoe")
    orders = {one: shop.control.shop_order(customer_id=one, restock=True)["id"] for one in (jane, zoe)}
    shop.sync()
    people.sync()
    for shopper, order in orders.items():
        assert shop.sales_order(order)["entity"] == people.of(shopper)["id"], shopper
    assert len(people.all()) == len(orders)

    # Between reading and planning Jane changes once more.
    people.change(zoe, last_name="Doe")
    people.change(jane, phone="+1 555 010 0002")
    plan = assets.make_plan

    def interrupted(*given: Any, **options: Any) -> Any:
        shop.control.shopper(id=jane, phone="+1 555 010 0003")
        people.tell(jane)
        return plan(*given, **options)

    monkeypatch.setattr(assets, "make_plan", interrupted)
    people.sync()
    monkeypatch.undo()
    assert people.of(zoe)["lastName"] == "Doe"

    people.sync()

    assert people.of(jane)["phone"] == "+1 555 010 0003"
    assert shop.state().inbox.waiting("customer").count == 0


def test_accounts_of_one_e_mail_address_are_one_customer_and_mapped_fields_are_sent_and_compared(
    shop: OrderFlow, people: People
) -> None:
    shop.control.shop_settings(second_storefront=True)
    shop.sections["channels"][2] = {"subsidiary": 1}
    # The account shows custom fields in SuiteQL, and the comments of a customer only in its record.
    fields = {"custentity_bc_customer_id": "customer_id", "comments": "notes"}
    shop.sections["customers"] = {"fields": fields}
    shop.configure()
    first, second = people.sign_up(channel_id=1), people.sign_up(channel_id=2)
    (noted,) = people.sign_up_many("Nora", notes="likes blue")
    run = people.sync()
    assert {people.outcome(run, one)["outcome"] for one in (first, second)} == {"created", "deferred"}
    made = people.of(noted)
    assert (made["custentity_bc_customer_id"], made["comments"]) == (str(noted), "likes blue")
    assert run.metadata("netsuite/customers")["as_written"] == len((first, noted))

    people.change(noted, notes="likes red")
    run = people.sync()

    assert people.link(first) == people.link(second)
    shared = people.of(first)["addresses"]
    assert len(shared) == len({str(one) for one in shared})
    assert len(people.all()) == len((first, noted))
    assert people.of(noted)["comments"] == "likes red"
    assert people.outcome(run, noted)["fields"] == "comments"
    assert shop.open_exceptions("CUSTOMER_CONFLICT") == []


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
