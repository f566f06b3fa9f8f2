"""Every way in which shoppers pay, in one world: each capture is one receipt in the right account, and no other."""

from __future__ import annotations

from decimal import Decimal

from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow

D = Decimal


def test_each_capture_becomes_one_deposit_in_its_providers_clearing_account(shop: CashFlow) -> None:
    orders = {
        kind: int(shop.control.shop_order(kind, restock=True, lines=LINES, **more)["id"])
        for kind, more in (
            ("plain", {}),
            ("guest", {"payment": "paypal"}),
            ("authorised_only", {}),
            ("split_tender", {}),
            ("eur", {"payment": "none", "status_id": 11}),
        )
    }
    shop.sync()
    shop.control.clear_log()
    shop.going("cash_application")
    with shop.tick("cash_due") as few:
        assert few.skip_message == "1 runs of cash_application are on their way already"
    shop.decide("cash", batch=3)
    # More waits than one run takes: the next one reads while that one writes.
    with shop.tick("cash_due") as many:
        assert len(many.run_requests) == 1
    shop.going("cash_application")
    with shop.tick("cash_due") as enough:
        assert enough.run_requests == []
    shop.decide("cash", batch=None)

    run = shop.cash()

    calls = [one for one in shop.control.log() if one["system"] == "netsuite" and "oauth2" not in one["path"]]
    # The clock and what moved, headers, what is there, periods, the read-back: and one write for each receipt.
    assert len(calls) == 6 + 3
    card, wallet = orders["plain"], orders["guest"]
    assert shop.ledger(card) == {"1130": shop.paid(card), "2300": -shop.paid(card)}
    assert shop.ledger(wallet) == {"1131": shop.paid(wallet), "2300": -shop.paid(wallet)}
    assert shop.records(orders["authorised_only"]) == []
    (deposit,) = shop.records(orders["split_tender"])
    # Gift certificate and store credit wait for the invoice that they settle.
    assert D(deposit["total"]) == shop.paid(orders["split_tender"]) - D("10.75")
    assert shop.records(orders["eur"]) == []
    assert {one.code for one in shop.state().exceptions.find(flow="cash")} == {"PAYMENT_MISMATCH"}
    assert run.checks["booked_is_captured"]
    assert run.metadata("netsuite/cash_records")["deposits"] == 3

    shop.control.clear_log()
    again = shop.cash()
    assert shop.writes() == []
    assert again.checks["each_capture_is_booked_once"]
