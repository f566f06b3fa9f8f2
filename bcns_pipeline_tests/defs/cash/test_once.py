"""Bad weather and kill -9 at every write of an order's money: each record is there once, and nothing is left over."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow

WHOLE = ["customerDeposit", "invoice", "depositApplication"]
DEPOSIT, INVOICE = "record/v1/customerDeposit$", "transform/invoice"
APPLICATION = "transform/depositApplication"


def test_whatever_the_answer_was_each_record_is_there_once(shop: CashFlow) -> None:
    orders = [int(shop.control.shop_order("plain", restock=True, lines=LINES)["id"]) for _ in range(4)]
    shop.sync()
    netsuite = {"system": "netsuite", "method": "POST"}
    shop.control.faults(
        {**netsuite, "path_regex": DEPOSIT, "kind": "429", "times": 2},
        {**netsuite, "path_regex": DEPOSIT, "kind": "5xx", "after_commit": True, "skip": 1},
        {**netsuite, "path_regex": DEPOSIT, "kind": "timeout", "after_commit": True, "skip": 2},
        {"system": "bigcommerce", "path_regex": "transactions$", "kind": "5xx", "times": 2},
    )
    shop.cash_until_done()
    assert [shop.made(one) for one in orders] == [["customerDeposit"]] * 4
    for one in orders:
        shop.ship(one)
    # It says 400, and the invoice is there all the same (facts/netsuite.md 3.6).
    shop.control.fail_deposits(times=1)
    shop.control.faults(
        {**netsuite, "path_regex": INVOICE, "kind": "timeout", "after_commit": True, "skip": 1},
        {**netsuite, "path_regex": INVOICE, "kind": "reset_before", "skip": 2},
        {**netsuite, "path_regex": APPLICATION, "kind": "truncate", "times": 1},
        {**netsuite, "path_regex": APPLICATION, "kind": "5xx", "after_commit": True, "skip": 1},
        {**netsuite, "path_regex": "suiteql", "kind": "5xx", "times": 1, "skip": 3},
    )
    shop.cash_until_done()
    assert [sorted(shop.made(one)) for one in orders] == [sorted(WHOLE)] * 4
    shop.assert_settled(*orders)
    assert shop.codes() == set()

    # A month at once: every payment of it is read anew, and nothing is written twice.
    shop.control.clear_log()
    run = shop.days(shop.today() - timedelta(days=30), shop.today(), job="cash_application")
    assert run.metadata("bigcommerce/transactions")["orders_read"] == len(orders)
    assert shop.writes() == []


# Each write, on its way for a while or done before its answer came; docs/crash-points.md lists them.
BEFORE, AFTER = {"kind": "latency", "ms": 30_000}, {"kind": "timeout", "after_commit": True}
WRITES = {
    "making a deposit": (DEPOSIT, (BEFORE, AFTER)),
    "making an invoice": (INVOICE, (AFTER,)),
    "applying a deposit": (APPLICATION, (AFTER,)),
}


@pytest.mark.kill
def test_a_run_killed_at_any_write_of_an_order_is_finished_by_the_next(shop: CashFlow) -> None:
    order = shop.sold(lines=LINES)
    for name, path, how in [(name, path, how) for name, (path, ways) in WRITES.items() for how in ways]:
        if path == INVOICE:
            shop.ship(order)
        fault = {"system": "netsuite", "method": "POST", "path_regex": path, "times": 1, **how}
        shop.kill_at("cash_application", fault, f"{how['kind']} at {name}")
        # The server needs a moment to notice that the process is gone.
        time.sleep(0.3)
        shop.money_is_due()
    shop.cash_until_done()
    assert shop.made(order) == WHOLE
    shop.assert_settled(order)
    shop.control.clear_log()
    shop.cash()
    assert shop.writes() == []
