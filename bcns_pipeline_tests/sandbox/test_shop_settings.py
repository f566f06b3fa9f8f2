"""The shop's settings: how they are given, and that a new merchant starts without the last one's.

Put the reading of settings here. Do not put what a setting does here (beside what it changes).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bcns_pipeline.sandbox.bigcommerce.settings import ShopSettings, from_pairs
from bcns_pipeline.sandbox.launch import Sandbox, SandboxFailed, start


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    """A sandbox whose seed may be changed."""
    arguments = ["--shop", "retry_scale=0.5", "--shop", "currencies=eur,usd"]
    with start(skus=20, stock="in-step", arguments=arguments) as sandbox:
        yield sandbox


def test_texts_of_a_command_line_become_what_the_setting_holds() -> None:
    found = from_pairs(
        ["prices-include-tax=true", "order_page_max=2", "retry_scale=0.01", "currencies=usd,jpy"]
    )
    assert (found.prices_include_tax, found.order_page_max, found.retry_scale) == (True, 2, 0.01)
    assert found.currencies == ("USD", "JPY")


@pytest.mark.parametrize(
    "pair",
    ["prices_include_tax", "auto_ship=true", "rounding=up", "side_loading=perhaps", "order_page_max=x"],
)
def test_what_is_no_setting_is_refused_and_nothing_is_set(pair: str) -> None:
    with pytest.raises(ValueError):
        from_pairs([pair])
    name, _, value = pair.partition("=")
    settings = ShopSettings()
    with pytest.raises(ValueError):
        settings.change({"retry_scale": 2, name: value})
    assert settings == ShopSettings()


def test_a_sandbox_does_not_start_with_a_setting_that_it_does_not_know() -> None:
    with pytest.raises(SandboxFailed):
        start(skus=10, arguments=["--shop", "auto_ship=true"])


def test_a_new_seed_has_no_orders_no_shoppers_no_hooks_and_the_settings_of_the_start(own: Sandbox) -> None:
    control = own.control
    control.seed()
    control.shop_settings(side_loading=False, allow_http_hooks=True)
    first = control.shop_order(restock=True)
    control.seed(seed=7)
    assert control.shop_state() == control.shoppers() == []
    settings = control.shop_settings()
    assert (settings["side_loading"], settings["allow_http_hooks"]) == (True, False)
    assert (settings["retry_scale"], settings["currencies"]) == (0.5, ["EUR", "USD"])
    assert control.shop_order(restock=True)["id"] == first["id"] == 100


def test_the_same_seed_sells_the_same_and_another_seed_something_else(own: Sandbox) -> None:
    def sold(seed: int) -> list[str]:
        own.control.seed(seed=seed, stock="zero", skus=500)
        orders = own.control.shop_orders(5, restock=True)
        return [
            f"{line['sku']} x {line['quantity']}"
            for order in own.control.shop_state(*orders)
            for place in order["consignments"]["shipping"]
            for line in place["line_items"]
        ]

    assert sold(1) == sold(1)
    assert sold(1) != sold(2)
