"""Transactions as they are remembered: of stored value whose it is, and what BigCommerce told of its balance.

Put the conversion of one transaction here. Do not put captures here (rules/cash).
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline.defs.cash.money import as_row
from bcns_pipeline.rules.orders.reading import read_details
from bcns_pipeline_tests.rules.orders.examples import EXAMPLE_C, order_of

ORDER = order_of(EXAMPLE_C)


@pytest.mark.parametrize(
    ("method", "said", "holder", "balances"),
    [
        (
            "gift_certificate",
            {
                "code": "9F3-0A2-77B",
                "original_balance": "50",
                "starting_balance": "50",
                "remaining_balance": "33.5",
            },
            "0123456789abcdef (...77B)",
            (5000, 5000, 3350),
        ),
        ("giftcertificate", {"code": "MB345", "remaining_balance": 0}, "0123456789abcdef", (None, None, 0)),
        ("store_credit", {"remaining_balance": Decimal("35.42")}, "12", (None, None, 3542)),
        # What can't be understood is not told, and no payment waits for it; nor does half a cent explain a balance.
        ("gift_certificate", {"code": "", "original_balance": "much"}, None, (None, None, None)),
        ("gift_certificate", {"code": True, "starting_balance": 1.5}, None, (None, None, None)),
        ("store_credit", {"remaining_balance": "35.425"}, "12", (None, None, None)),
        ("store_credit", {"remaining_balance": 10**30}, "12", (None, None, None)),
        ("credit_card", {}, None, (None, None, None)),
    ],
)
def test_whose_stored_value_a_transaction_moved_and_what_was_told_of_it(
    method: str, said: dict[str, Any], holder: str | None, balances: tuple[int | None, ...]
) -> None:
    group = "store_credit" if method == "store_credit" else "gift_certificate"
    document = {"id": 7, "event": "purchase", "method": method, "amount": 5, "status": "ok", group: said}
    (one,) = read_details(transactions=[document]).transactions or ()
    row = as_row(replace(ORDER, customer_id=12), one, lambda told: f"0123456789abcdef{json.dumps(told)}")
    assert (row.holder, (row.original_minor, row.starting_minor, row.remaining_minor)) == (holder, balances)
    assert as_row(replace(ORDER, customer_id=0), one, str).holder is None or method != "store_credit"
    assert str(said.get("code") or "no code") not in repr((one, row))
