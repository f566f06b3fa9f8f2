"""The clients against both sandboxes: what one side writes, the other reads the same.

Put here what a scripted answer can't show: that requests are understood and answers are read whole. What the
sandbox itself must do is tested in `bcns_pipeline_tests/sandbox`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.clients.bank.kinds import read_statements
from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.models import Metafield
from bcns_pipeline.clients.files.folder import DropFolder
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.payments.kinds import read_file
from bcns_pipeline.clients.payments.models import Itemisation, Settlement
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline.outcomes import Refused, Sent
from bcns_pipeline.sandbox.launch import Sandbox, running
from bcns_pipeline_tests.clients.fakes import CountingMeter, OpenGate

KINDS = (
    "plain",
    "guest",
    "coupon",
    "gift_wrap",
    "custom_fee",
    "multi_address",
    "digital",
    "pickup",
    "jpy",
    "kwd",
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(skus=60, stock="in-step") as found:
        yield found


@pytest.fixture(scope="module")
def store(sandbox: Sandbox) -> Iterator[BigCommerceClient]:
    env = sandbox.env
    client = BigCommerceClient(
        env["BCNS_BIGCOMMERCE_BASE_URL"],
        env["BCNS_BIGCOMMERCE_STORE_HASH"],
        env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"],
        gate=OpenGate(),
        meter=CountingMeter(),
    )
    yield client
    client.close()


@pytest.fixture(scope="module")
def account(sandbox: Sandbox) -> Iterator[NetSuiteClient]:
    env = sandbox.env
    client = NetSuiteClient(
        env["BCNS_NETSUITE_BASE_URL"],
        sandbox.token_url,
        env["BCNS_NETSUITE_CLIENT_ID"],
        env["BCNS_NETSUITE_CERTIFICATE_ID"],
        env["BCNS_NETSUITE_PRIVATE_KEY"],
        gate=OpenGate(),
        meter=CountingMeter(),
    )
    yield client
    client.close()


@pytest.fixture(scope="module")
def placed(sandbox: Sandbox) -> list[int]:
    return [int(sandbox.control.call("POST", "/shop/order", {"kind": kind})["id"]) for kind in KINDS]


def window() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(days=1), now + timedelta(days=1)


def test_orders_are_the_same_in_lists_and_alone(store: BigCommerceClient, placed: list[int]) -> None:
    listed = {one.id: one.raw for page in store.orders.changed(*window()) for one in page.orders}
    assert set(placed) <= set(listed)
    for number in placed:
        alone = store.orders.get(number)
        assert alone is not None
        assert alone.raw == listed[number]
    assert {one: order.raw for one, order in store.orders.get_many(placed).items()} == {
        one: listed[one] for one in placed
    }
    assert {one.id for page in store.orders.created_between(*window()) for one in page.orders} == set(listed)
    assert {one.id for one in store.orders.ids(*window())} == set(listed)
    assert store.orders.count() == len(listed)


def test_every_line_and_fee_is_in_the_document(store: BigCommerceClient, placed: list[int]) -> None:
    for number, order in store.orders.get_many(placed).items():
        consignments = order.document["consignments"]
        places = [*consignments["pickups"], *consignments["shipping"], *consignments["downloads"]]
        lines = {line["id"] for place in places for line in place["line_items"]}
        assert lines == {line["id"] for line in store.orders.lines(number)}
        assert {one["id"] for one in order.document["fees"]} == {
            one["id"] for one in store.orders.fees(number)
        }


def test_our_writes_touch_no_money(store: BigCommerceClient, placed: list[int]) -> None:
    number = placed[0]
    before = store.orders.money_fields(placed)
    assert isinstance(store.orders.put_reference(number, "5501"), Sent)
    assert isinstance(store.orders.put_status(number, 9), Sent)
    assert [one.id for one in store.orders.page(external_order_id="5501").orders] == [number]
    fields = [Metafield(one, "netsuite_id", "5501", "bcns") for one in placed[:3]]
    made = store.orders.create_metafields(fields)
    assert isinstance(made, Sent)
    assert [row["resource_id"] for row in made.answer["data"]] == placed[:3]
    again = store.orders.create_metafields([fields[2], Metafield(placed[3], "netsuite_id", "1", "bcns")])
    assert isinstance(again, Refused)
    assert again.named == (f"order:{placed[2]}",)
    found = {one.order_id for one in store.orders.metafields([("bcns", "netsuite_id")])}
    assert found == set(placed[:4])
    assert store.orders.money_fields(placed) == before


def test_a_parcel_is_made_once_and_found_again(store: BigCommerceClient, placed: list[int]) -> None:
    number = placed[1]
    order = store.orders.get(number)
    assert order is not None
    place = order.document["consignments"]["shipping"][0]
    line = place["line_items"][0]
    body: dict[str, Any] = {
        "order_address_id": place["id"],
        "tracking_number": "1Z999",
        "items": [{"order_product_id": line["id"], "quantity": line["quantity"]}],
    }
    made = store.orders.create_shipment(number, body)
    assert isinstance(made, Sent)
    assert made.record_id is not None
    refused = store.orders.create_shipment(number, body)
    assert isinstance(refused, Refused)
    changed = store.orders.update_shipment(number, int(made.record_id), {"tracking_number": "1Z998"})
    assert isinstance(changed, Sent)
    shipments = store.orders.shipments(number)
    assert [(str(one["id"]), one["tracking_number"]) for one in shipments] == [(made.record_id, "1Z998")]


def test_money_of_payments_is_exact(store: BigCommerceClient, placed: list[int]) -> None:
    found = store.orders.transactions(placed[0])
    assert found
    assert all(isinstance(one["amount"], int | Decimal) for one in found)
    assert store.orders.refunds(order_ids=placed) == []


def test_shoppers_are_read_with_their_addresses(sandbox: Sandbox, store: BigCommerceClient) -> None:
    shopper = {"email": "jane@example.com", "first_name": "Jane", "last_name": "Roe"}
    number = int(sandbox.control.call("POST", "/shop/shopper", shopper)["id"])
    changed = {one.id: one for page in store.customers.changed(*window()) for one in page.customers}
    assert changed[number].document["email"] == "jane@example.com"
    assert store.customers.by_id([number])[number].raw == changed[number].raw
    assert [one.id for one in store.customers.by_email(["jane@example.com"])] == [number]
    assert store.customers.addresses([number])[number] == changed[number].document["addresses"]


def test_a_hook_is_made_told_from_one_with_another_secret_and_taken_away(store: BigCommerceClient) -> None:
    destination, ours = "https://bcns.example.com/h", {"X-Secret": "our-secret"}
    made = store.hooks.create("store/order/*", destination, ours)
    assert isinstance(made, Sent)
    number = int(made.record_id or 0)
    assert isinstance(store.hooks.create("store/order/*", destination, ours), Refused)
    assert isinstance(store.hooks.update(number, active=False), Sent)
    found = {one.id: one for one in store.hooks.list(headers=ours)}[number]
    assert (found.active, found.matches, found.header_names) == (False, True, ("X-Secret",))
    assert {one.id: one for one in store.hooks.list(headers={"X-Secret": "old"})}[number].matches is False
    assert store.hooks.admin().status[number] == "inactive"
    assert isinstance(store.hooks.delete(number), Sent)
    assert number not in {one.id for one in store.hooks.list()}


def customer(account: NetSuiteClient) -> int:
    body = {
        "externalId": "bc-x-customer-1",
        "isPerson": True,
        "firstName": "Jane",
        "lastName": "Roe",
        "email": "Jane@Example.com",
        "subsidiary": {"id": "1"},
        "currency": {"id": "1"},
        "addressBook": {"items": [{"defaultShipping": True, "addressBookAddress": {"addr1": "1 High St"}}]},
    }
    outcome = account.customers.create(body)
    if isinstance(outcome, Sent):
        return int(outcome.record_id or 0)
    return account.customers.find(["bc-x-customer-1"])[0].id


def test_a_customer_is_found_again_by_either_key(account: NetSuiteClient) -> None:
    number = customer(account)
    for found in (
        account.customers.find(["bc-x-customer-1"]),
        account.customers.find((), ["JANE@example.com"]),
    ):
        assert [(one.id, one.is_person, one.inactive, one.currency) for one in found] == [
            (number, True, False, 1)
        ]
    assert [one.addr1 for one in account.customers.addresses([number])[number]] == ["1 High St"]
    assert account.customers.subsidiaries([number]) == {number: (1,)}
    pages = account.customers.changed("2020-01-01 00:00:00", prefix="bc-x-", oneworld=True)
    assert [(one.id, one.subsidiary) for page in pages for one in page] == [(number, 1)]


def test_an_order_is_read_back_as_it_was_sent_and_shipped(
    sandbox: Sandbox, store: BigCommerceClient, account: NetSuiteClient, placed: list[int]
) -> None:
    sku = str(store.orders.lines(placed[0])[0]["sku"])
    item = account.items.for_orders(skus=[sku.lower()], oneworld=True)[0]
    assert (item.sku, item.inactive) == (sku, False)
    line = {
        "item": {"id": str(item.id)}, "quantity": 2, "price": {"id": "-1"}, "rate": Decimal("10.25"),
        "amount": Decimal("20.50"), "custcol_bc_line_id": "194",
    }  # fmt: skip
    key = f"bc-x-order-{placed[0]}"
    body = {
        "externalId": key,
        "entity": {"id": str(customer(account))},
        "location": {"id": sandbox.accounting["locations_by_subsidiary"]["1"][0]},
        "shipMethod": {"id": sandbox.accounting["ship_methods"]["UPS Ground"]},
        "shippingCost": 5,
        "otherRefNum": str(placed[0]),
        "item": {"items": [line]},
    }
    made = account.sales.create("salesOrder", body)
    assert isinstance(made, Sent)
    number = int(made.record_id or 0)
    again = account.sales.create("salesOrder", body)
    assert isinstance(again, Refused)
    assert again.code == "DUPLICATE"
    header = account.sales.by_external_id([key], oneworld=True)[key]
    assert (header.id, header.record_type, header.subsidiary, header.currency) == (number, "salesorder", 1, 1)
    goods, shipping = [
        one for one in account.sales.lines([number], custom_fields=["custcol_bc_line_id"]) if not one.is_tax
    ]
    assert (goods.item, goods.quantity, goods.amount) == (item.id, Decimal(2), Decimal("20.5"))
    assert goods.custom == {"custcol_bc_line_id": "194"}
    assert (shipping.is_shipping, shipping.amount) == (True, Decimal(5))
    totals = account.sales.totals([number])[number]
    assert totals.foreign_total == header.foreign_total == totals.net + (totals.tax or 0)
    assert [one.row.id for one in account.sales.legacy(other_ref_nums=[str(placed[0])])] == [number]
    sandbox.control.call(
        "POST", "/netsuite/fulfil", {"order": key, "tracking": ["1ZA", "1ZB"], "carrier": "ups"}
    )
    pages = account.fulfilments.changed("2020-01-01 00:00:00", prefix="bc-x-", oneworld=True)
    shipped = [one for page in pages for one in page]
    assert [(one.status, one.order_id, one.order_external_id) for one in shipped] == [("C", number, key)]
    assert account.fulfilments.tracking([shipped[0].id]) == {shipped[0].id: ("1ZA", "1ZB")}
    detail = account.fulfilments.detail(shipped[0].id)
    assert detail is not None
    assert [(one.order_line, one.item, one.quantity) for one in detail.lines] == [
        (goods.line, item.id, Decimal(2))
    ]
    assert [one.tracking for one in detail.parcels] == ["1ZA", "1ZB"]
    assert [(one.item, one.quantity) for one in account.fulfilments.lines([shipped[0].id])] == [
        (item.id, Decimal(2))
    ]
    assert isinstance(account.fulfilments.patch(shipped[0].id, {"custbody_bc_shipment_id": "7"}), Sent)
    noted = account.fulfilments.detail(shipped[0].id)
    assert noted is not None
    assert noted.custom["custbody_bc_shipment_id"] == "7"


def test_refusals_have_their_own_codes(account: NetSuiteClient) -> None:
    item = account.items.for_orders(skus=["SKU-000001"])[0]
    sound = {
        "externalId": "bc-x-order-bad",
        "entity": {"id": str(customer(account))},
        "item": {"items": [{"item": {"id": str(item.id)}, "quantity": 1}]},
    }
    nothing = {"items": [{"item": {"id": "99999999"}, "quantity": 1}]}
    for wrong, code, named in (
        ({"currency": {"id": "2"}}, "CURRENCY", "currency"),
        ({"subsidiary": {"id": "2"}}, "SUBSIDIARY", "subsidiary"),
        ({"item": nothing}, "INVALID_REFERENCE", "item.items[0].item"),
        ({"location": {"id": "99999999"}}, "INVALID_REFERENCE", "location"),
        ({"custbody_nope": "1"}, "INVALID_FIELD", "custbody_nope"),
    ):
        outcome = account.sales.create("salesOrder", {**sound, **wrong})
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.named) == (code, (named,))
    assert account.sales.by_external_id(["bc-x-order-bad"]) == {}


def test_the_accounts_features_are_seen(account: NetSuiteClient) -> None:
    facts = account.account.facts()
    assert (facts.oneworld, facts.suitetax, facts.multi_currency) == (True, True, True)
    assert (facts.currencies["JPY"].precision, facts.currencies["KWD"].precision) == (0, 3)
    assert "custcol_bc_line_id" in facts.line_fields
    assert facts.record_types >= {"salesOrder", "cashSale", "customer", "itemFulfillment"}


@pytest.fixture
def stripe(sandbox: Sandbox) -> Iterator[tuple[StripeSource, CountingMeter]]:
    meter = CountingMeter()
    env = sandbox.env
    source = StripeSource(
        env["BCNS_STRIPE_BASE_URL"], env["BCNS_STRIPE_API_KEY"], account="acct1", gate=OpenGate(), meter=meter
    )
    yield source, meter
    source.close()


def settled(source: StripeSource) -> dict[str, Settlement]:
    """Every payout of the sandbox with its lines, by id."""
    payouts = [
        one
        for document in source.payouts(datetime(2020, 1, 1, tzinfo=UTC))
        for one in source.read_payouts(document)
    ]
    return {
        one.id: source.read_lines(one, source.lines(one))
        for one in payouts
        if one.itemisation is Itemisation.COMPLETE
    }


def test_payouts_of_stripe_are_read_as_they_were_made(
    sandbox: Sandbox, stripe: tuple[StripeSource, CountingMeter]
) -> None:
    control = sandbox.control
    # What other tests sold is not of this payout.
    control.payout_day("stripe")
    orders = control.shop_orders(4, restock=True)
    control.refund_order(orders[0], amount="5.00")
    control.move("dispute", order_id=orders[1], fee="15.00")
    control.move("reserve_hold", "3.00", paired=True)
    control.move("fee", "1.25")
    (made,) = control.payout_day("stripe")
    control.bulk_charges(1)
    manual = control.manual_payout()
    found = settled(stripe[0])
    assert manual["id"] not in found
    one = found[made["id"]]
    assert one.payout.amount == sum(line.net for line in one.lines) == Decimal(str(made["amount"])) * 100
    assert [line.kind for line in one.aside if line.balance == "payments"] == ["payout"]
    assert {line.category for line in one.lines} >= {
        "charge",
        "refund",
        "dispute",
        "risk_reserved_funds",
        "fee",
    }
    transactions = {
        row["gateway_transaction_id"]: row
        for order in control.shop_state(*orders)
        for row in order["transactions"]
        if row["status"] == "ok" and row["event"] in {"purchase", "refund"}
    }
    linked = {name: line for line in one.lines for name in line.references if name in transactions}
    assert set(linked) == set(transactions)
    for name, line in linked.items():
        if line.category != "dispute":
            assert abs(line.presentment_amount or 0) == Decimal(str(transactions[name]["amount"])) * 100


def test_many_lines_through_overload_cost_a_call_per_hundred(
    sandbox: Sandbox, stripe: tuple[StripeSource, CountingMeter]
) -> None:
    sandbox.control.payout_day("stripe")
    sandbox.control.bulk_charges(450)
    (made,) = sandbox.control.payout_day("stripe")
    source, meter = stripe
    (one,) = (
        one
        for document in source.payouts(datetime(2020, 1, 1, tzinfo=UTC))
        for one in source.read_payouts(document)
        if one.id == made["id"]
    )
    sandbox.control.stripe_limit(20)
    found = source.read_lines(one, source.lines(one))
    sandbox.control.stripe_limit(0)
    assert len(found.lines) == 450
    assert sum(line.net for line in found.lines) == one.amount
    assert len([call for call in meter.calls if call.status == 200]) <= 5 + 2


def dropped(sandbox: Sandbox) -> tuple[list[Settlement], list[BadFile]]:
    """What the files say that lie in the sandbox's folder, and what is wrong with those that can't be read."""
    # Files are not old enough yet for a folder that waits until they are whole.
    folder = DropFolder(
        Path(sandbox.env["BCNS_PAYOUT_DROP_DIR"]),
        "drop/payouts",
        wall=lambda: datetime.now(UTC).timestamp() + 60,
    )
    found: list[Settlement] = []
    faults: list[BadFile] = []
    for path in folder.waiting():
        try:
            found += read_file(folder.read(path), FileProfile(accounts={"stripe": "acct1"}))
        except BadFile as bad:
            faults.append(bad)
            folder.reject(path, bad.sentence)
        else:
            folder.done(path)
    return found, faults


def test_files_that_providers_drop_say_what_was_paid(sandbox: Sandbox) -> None:
    control = sandbox.control
    providers = ("paypal", "braintree", "adyen", "amazon")
    control.payout_day(*providers)
    dropped(sandbox)
    for how in providers[:3]:
        order = control.shop_order(payment=how, restock=True)["id"]
        control.shop_order(payment=how, restock=True)
        control.refund_order(order, amount="1.00")
    control.shop_order("marketplace", restock=True)
    for provider in ("paypal", "adyen"):
        control.bulk_charges(2, provider=provider, currency="JPY")
        control.move("fee", "2.50", provider=provider)
        control.move("reserve_hold", "3.00", provider=provider)
    made = control.payout_day(*providers)
    found, faults = dropped(sandbox)
    assert not faults

    def sums(settlement: Settlement) -> tuple[str, str, int]:
        assert sum(line.net for line in settlement.lines) == settlement.payout.amount
        return settlement.payout.provider, settlement.payout.currency, settlement.payout.amount

    assert len(made) == 6
    digits = {"USD": 100, "JPY": 1}
    wanted = [
        (one["provider"], one["currency"], int(Decimal(one["amount"]) * digits[one["currency"]]))
        for one in made
    ]
    assert sorted(map(sums, found)) == sorted(wanted)


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("truncated", {"TRUNCATED"}),
        ("encoding", {"ENCODING"}),
        ("quoted", {"QUOTING"}),
        ("repeated_row", {"DUPLICATE"}),
        ("reordered", set()),
        ("utf16", set()),
        ("currency", {"TRUNCATED"}),
        ("footer", {"TOTALS"}),
    ],
)
def test_a_file_that_was_damaged_on_its_way_is_refused(sandbox: Sandbox, fault: str, codes: set[str]) -> None:
    sandbox.control.bulk_charges(3, provider="paypal")
    (made,) = sandbox.control.payout_day("paypal")
    dropped(sandbox)
    sandbox.control.drop_settlement(made["id"], fault=fault)
    found, faults = dropped(sandbox)
    assert {bad.code for bad in faults} == codes
    assert [one.payout.amount for one in found] == ([] if codes else [Decimal(made["amount"]) * 100])


@pytest.mark.parametrize("kind", ["camt", "mt940", "bai2", "csv"])
def test_statements_of_the_bank_show_what_arrived_and_not_what_should_have(
    sandbox: Sandbox, kind: str
) -> None:
    control = sandbox.control
    control.payout_day("stripe")
    control.bulk_charges(3)
    (made,) = control.payout_day("stripe")
    control.bank_fault(made["id"], "off", by="0.01")
    folder = DropFolder(
        Path(sandbox.env["BCNS_BANK_DROP_DIR"]), "drop/bank", wall=lambda: datetime.now(UTC).timestamp() + 60
    )
    today = datetime.now(UTC).date()
    control.bank_statement(format=kind, since=f"{today}", on=f"{today + timedelta(days=7)}")
    wanted = int(Decimal(made["amount"]) * 100) + 1
    found = []
    for path in folder.waiting():
        for statement in read_statements(folder.read(path)):
            found += [
                line for line in statement.lines if any(made["trace"] in name for name in line.references)
            ]
        folder.done(path)
    assert [(line.amount, line.currency) for line in found] == [(wanted, "USD")]
