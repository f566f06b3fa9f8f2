from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.natural_keys import (
    customer_key,
    guest_key,
    order_id_of,
    order_key,
    shipment_key,
)

stores = st.text(max_size=80)


def test_keys_are_spelled_as_the_design_has_them() -> None:
    assert order_key("abc123", 1001) == "bc-abc123-order-1001"
    assert customer_key("abc123", 9) == "bc-abc123-customer-9"
    assert guest_key("abc123", "0123456789abcdef99") == "bc-abc123-guest-0123456789abcdef"
    assert shipment_key("abc123", 55, 64, 2) == "bc-abc123-shipment-55-64-2"


@given(stores, st.integers(1, 10**12))
def test_a_key_has_only_what_netsuite_takes_and_leads_back(store: str, order: int) -> None:
    key = order_key(store, order)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,120}", key)
    assert order_id_of(store, key) == order


@given(stores, stores, st.integers(1, 10**9))
def test_two_stores_never_share_a_key(one: str, other: str, order: int) -> None:
    assert (order_key(one, order) == order_key(other, order)) is (one == other)


def test_what_is_not_our_order_is_nobodys() -> None:
    for key in (
        "bc-abc123-order-x",
        "bc-other-order-5",
        "bc-abc123-customer-5",
        "5",
        "",
        "bc-abc123-order-05",
    ):
        assert order_id_of("abc123", key) is None
    assert order_id_of("abc123", "bc-abc123-order-\u0665") is None
