"""Bad weather and kill -9 at every write of an order's money: each record is there once, and nothing is left over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bcns_pipeline.clients.bigcommerce.order_details import OrderDetails
from bcns_pipeline.outcomes import Rejected, System
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
    run = shop.days(shop.today() - timedelta(days=29), shop.today(), job="cash_application")
    assert run.metadata("bigcommerce/transactions")["orders_read"] == len(orders)
    assert shop.writes() == []


# Each write, on its way for a while or done before its answer came; docs/crash-points.md lists them.
BEFORE, AFTER = {"kind": "latency", "ms": 30_000}, {"kind": "timeout", "after_commit": True}
WRITES = {
    "making a deposit": (DEPOSIT, (BEFORE, AFTER)),
    "making an invoice": (INVOICE, (AFTER,)),
    "applying a deposit": (APPLICATION, (AFTER,)),
}

# What a run of several pieces can be killed at beside that.
READ = {"system": "bigcommerce", "method": "GET", "path_regex": "transactions$"}
ASKED = {"system": "netsuite", "method": "POST", "path_regex": "suiteql"}
WRITE = {"system": "netsuite", "method": "POST"}
MEANWHILE = {
    "reading the payments of the next orders": {**READ, **BEFORE, "skip": 2},
    "looking at the next orders in NetSuite": {**ASKED, **BEFORE, "skip": 5},
    "making a deposit of the next orders": {**WRITE, **AFTER, "path_regex": DEPOSIT, "skip": 2},
    "applying a deposit while others are read": {**WRITE, **AFTER, "path_regex": APPLICATION},
}


def test_the_next_orders_are_read_and_planned_while_these_are_written(shop: CashFlow) -> None:
    orders = _shipped(shop, 5)
    shop.decide("cash", batch=5)
    shop.control.clear_log()
    run = shop.cash()
    assert [shop.made(one) for one in orders] == [WHOLE] * 5
    shop.assert_settled(*orders)
    assert {one.disposition for one in shop.state().cash.many(orders).values()} == {"settled"}

    log = shop.control.log()
    reads = [at for at, one in enumerate(log) if one["operation"] == "bigcommerce.transactions"]
    writes = [at for at, one in enumerate(log) if "/record/v1/" in one["path"] and one["method"] == "POST"]
    assert (len(reads), len(writes)) == (5, 15)
    # The first piece is an order; of those that are read later, the last one is read between writes.
    assert reads[0] < writes[0] < reads[-1] < writes[-1]

    plans = shop.state().plans.of_run(run.result.run_id, "cash")
    assert [one.summary["looked_at"] for one in plans] == [1] * 5
    assert all(sum(one.summary["outcomes"].values()) == 1 for one in plans)
    assert all(one.applied_at is not None and one.digest for one in plans)
    assert run.metadata("bigcommerce/transactions")["orders_read"] == 1
    assert run.observed("bigcommerce/transactions", "orders_read") == [4]
    assert run.observed("cash/application_plan", "looked_at") == [1] * 4
    assert run.metadata("netsuite/cash_records")["equal_to_the_cent"] == 15

    shop.control.clear_log()
    shop.cash()
    assert shop.writes() == []


def test_a_plan_that_is_only_shown_is_of_the_whole_batch(shop: CashFlow) -> None:
    _shipped(shop, 3)
    shop.decide("cash", batch=5)
    run = shop.cash(mode="plan")
    assert run.metadata("bigcommerce/transactions")["orders_read"] == 3
    assert run.metadata("cash/application_plan")["looked_at"] == 3
    assert shop.state().plans.of_run(run.result.run_id, "cash")[0].applied_at is None


def test_where_the_next_orders_cant_be_read_the_others_are_finished_first(shop: CashFlow) -> None:
    orders = _shipped(shop, 5)
    shop.decide("cash", batch=5)
    shop.control.faults({**READ, "kind": "5xx", "skip": 1, "times": None})
    run = shop.job("cash_application").execute_in_process(instance=shop.instance, raise_on_error=False)
    assert not run.success
    assert shop.made(orders[0]) == WHOLE
    (first,) = shop.state().cash.many(orders[:1]).values()
    assert first.disposition == "settled"
    assert [shop.made(one) for one in orders[1:]] == [[]] * 4
    shop.control.clear_faults()
    shop.cash_until_done()
    assert [shop.made(one) for one in orders] == [WHOLE] * 5
    shop.assert_settled(*orders)


def test_orders_whose_payments_cant_be_read_stand_in_nobodys_way(
    shop: CashFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, *orders = _shipped(shop, 3)
    shop.decide("cash", batch=5)
    ask = OrderDetails.transactions

    def refuse(client: OrderDetails, order_id: int) -> Any:
        if order_id == gone:
            raise Rejected(System.BIGCOMMERCE, "GET transactions", 404, "NOT_FOUND", "no such order")
        return ask(client, order_id)

    with monkeypatch.context() as patched:
        patched.setattr(OrderDetails, "transactions", refuse)
        shop.cash()
    assert [shop.made(one) for one in (gone, *orders)] == [[], WHOLE, WHOLE]
    assert shop.codes() == {"TRANSACTIONS_UNREADABLE"}
    shop.cash()
    assert shop.made(gone) == WHOLE
    assert shop.codes() == set()


@pytest.mark.kill
def test_a_run_killed_while_it_reads_ahead_is_finished_by_the_next(shop: CashFlow) -> None:
    orders = _shipped(shop, 3 * len(MEANWHILE))
    # Two orders are a piece.
    shop.decide("cash", batch=10)
    for name, fault in MEANWHILE.items():
        shop.kill_at("cash_application", {**fault, "times": 1}, name)
        shop.money_is_due()
    shop.cash_until_done()
    assert [sorted(shop.made(one)) for one in orders] == [sorted(WHOLE)] * len(orders)
    shop.assert_settled(*orders)
    shop.control.clear_log()
    shop.cash()
    assert shop.writes() == []


def _shipped(shop: CashFlow, count: int) -> list[int]:
    """Orders that are in NetSuite and shipped, whose money nobody has looked at."""
    orders = [int(shop.control.shop_order("plain", restock=True, lines=LINES)["id"]) for _ in range(count)]
    shop.sync()
    for one in orders:
        shop.ship(one)
    return orders


@pytest.mark.kill
def test_a_run_killed_at_any_write_of_an_order_is_finished_by_the_next(shop: CashFlow) -> None:
    order = shop.sold(lines=LINES)
    for name, path, how in [(name, path, how) for name, (path, ways) in WRITES.items() for how in ways]:
        if path == INVOICE:
            shop.ship(order)
        fault = {"system": "netsuite", "method": "POST", "path_regex": path, "times": 1, **how}
        shop.kill_at("cash_application", fault, f"{how['kind']} at {name}")
        shop.money_is_due()
    shop.cash_until_done()
    assert shop.made(order) == WHOLE
    shop.assert_settled(order)
