"""`bcns doctor` of a merchant whose orders flow: what a wrong scope, field or id is said to cost."""

from __future__ import annotations

from click.testing import Result

from bcns_pipeline.sandbox.options import ALL_SCOPES
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.recovery.conftest import Bcns


def line_of(result: Result, what: str) -> str:
    """The one line about `what`."""
    found = [line for line in result.output.splitlines() if line[10:].startswith(f"{what} | ")]
    assert len(found) == 1, f"{what}: {found}\n{result.output}"
    return found[0]


def test_a_sound_mapping_of_orders_passes_every_probe(shop: OrderFlow, bcns: Bcns) -> None:
    shop.control.shop_order("plain", restock=True)
    result = bcns("doctor")

    for what in (
        "Orders",
        "BigCommerce scope store_v2_orders",
        "BigCommerce scope store_v2_customers_read_only",
        "BigCommerce scope store_v2_transactions_read_only",
        "NetSuite record salesOrder",
        "NetSuite record customer",
        "NetSuite record itemFulfillment",
        "NetSuite table transactionline",
        "NetSuite table trackingnumbermap",
        "Orders and the account",
        "NetSuite's tax by line",
        "Location and segments of orders",
        "Custom fields of salesOrder",
        "Custom fields of salesOrder line",
        "Mapped ids of item",
        "Mapped ids of shipitem",
        "Mapped ids of salestaxitem",
        "Mapped ids of location",
        "Mapped ids of department",
        "Mapped ids of classification",
        "Mapped ids of subsidiary",
    ):
        assert line_of(result, what).startswith("ok "), (what, line_of(result, what))
    assert "none is on" in line_of(result, "Order webhooks")


def test_wrong_ids_unknown_fields_and_missing_scopes_are_named_before_an_order_fails(
    shop: OrderFlow, bcns: Bcns
) -> None:
    shop.control.shop_order("plain", restock=True)
    shop.control.call(
        "POST",
        "/bigcommerce/scopes",
        {"scopes": [one for one in ALL_SCOPES if one != "store_v2_transactions"]},
    )
    channel = {**shop.sections["channels"][1], "department": 987_654}
    shop.control.role(hidden_tables=["transactiontaxdetail", "customeraddressbook"])
    shop.decide("channels")
    shop.sections["channels"] |= {1: channel, 2: {"subsidiary": 1}}
    shipping = {key: one for key, one in shop.sections["orders"]["shipping"].items() if key != "item"}
    fields = {"custbody_never_made": "metafields.loyalty.tier"}
    shop.decide("orders", fields=fields, rounding={"item": 987_655}, order_status="A", shipping=shipping)
    result = bcns("doctor")

    assert result.exit_code == 1
    assert "missing" in line_of(result, "BigCommerce scope store_v2_transactions_read_only")
    assert "custbody_never_made not there" in line_of(result, "Custom fields of salesOrder")
    assert line_of(result, "NetSuite's tax by line").startswith("note ")
    for what in ("Taxed shipping", "Stock of orders", "NetSuite table customeraddressbook"):
        assert line_of(result, what).startswith("warning "), what
    assert "channels.1.department (987654)" in line_of(result, "Mapped ids of department")
    said = "channels.2 has no location and no class, department or segment"
    assert said in line_of(result, "Location and segments of orders")
    assert "orders.rounding.item (987655)" in line_of(result, "Mapped ids of item")
    shop.decide("orders", discounts=None)
    faulty = bcns("doctor")
    assert faulty.exit_code == 2
    assert "orders.discounts.owner is missing" in line_of(faulty, "Orders")


def test_what_an_account_does_not_tell_of_itself_is_asked_of_the_mapping_file_and_its_orders_go(
    shop: OrderFlow, bcns: Bcns
) -> None:
    """No catalogue of records, no list of currencies and none of subsidiaries: a role, or an account, without them."""
    fault = {
        "system": "netsuite",
        "kind": "5xx",
        "status": 404,
        "path_regex": "metadata-catalog",
        "times": None,
    }
    shop.control.faults(fault)
    shop.control.role(hidden_tables=["currency", "subsidiary", "customersubsidiaryrelationship"])
    shop.decide("orders", tax={**shop.sections["orders"]["tax"], "method": "auto"})
    order = shop.control.shop_order("plain", restock=True)["id"]
    told = [line for line in bcns("doctor").output.splitlines() if "Orders and the account" in line]

    assert all(line.startswith("blocked") for line in told), told
    assert ["orders.tax.method" in line for line in told] == [True, False]
    assert ["orders.currencies" in line for line in told] == [False, True]
    refused = shop.sync(fails=True)
    assert any("orders.tax.method is auto" in one for one in map(str, refused.failures))
    assert shop.order(order).disposition == "open"

    shop.decide("orders", tax={**shop.sections["orders"]["tax"], "method": "suitetax"}, currencies={"USD": 1})
    result = bcns("doctor")
    assert line_of(result, "NetSuite records").startswith("warning")
    assert "tax posted by suitetax" in line_of(result, "Orders and the account")
    euros = shop.control.shop_order("plain", currency="EUR", restock=True)["id"]
    shop.sync()
    shop.assert_equal_to_the_cent(order)
    assert shop.order(euros).code == "CURRENCY_UNMAPPED"
    # Of several that are named it knows that there are others, and which they are.
    shop.decide("orders", currencies={"USD": 1, "EUR": 2})
    shop.due_now()
    shop.sync()
    shop.assert_equal_to_the_cent(order, euros)
