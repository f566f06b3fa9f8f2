"""Cash sales, marketplaces, a day again, and the nightly comparison of captured less refunded with NetSuite."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bcns_pipeline.defs.cash.reconcile import reconcile
from bcns_pipeline_tests.defs.cash_flow import LINES, CashFlow
from bcns_pipeline_tests.defs.flow import Impatient

D = Decimal


def test_what_somebody_changed_in_netsuite_is_found_at_night(shop: CashFlow) -> None:
    plain, other, market = (
        int(shop.control.shop_order(kind, restock=True, lines=LINES)["id"])
        for kind in ("plain", "plain", "marketplace")
    )
    shop.sync()
    shop.sections["channels"][1] |= {"record": "cash_sale", "cash_account": shop.accounts["1130"]}
    shop.configure()
    sale = shop.sold(lines=LINES)
    shop.cash()
    total = D(shop.sales_order(market)["total"])
    assert shop.ledger(market) == {"1135": total, "2300": -total}
    # A cash sale is its own receipt, in the account of its channel and never among undeposited funds.
    assert shop.records(sale) == []
    record = shop.sales_order(sale)
    rows = shop.suiteql(
        f"SELECT account, amount FROM transactionaccountingline WHERE transaction = {record['id']} ORDER BY account"
    )
    booked = {int(row["account"]): D(row["amount"]) for row in rows}
    assert booked[shop.accounts["1130"]] == D(record["total"]) == shop.paid(sale)
    assert shop.accounts["1090"] not in booked
    (receipt,) = shop.state().cash.records([sale])[sale]
    assert (receipt.kind, receipt.netsuite_id, receipt.account) == (
        "cash_sale",
        str(record["id"]),
        shop.accounts["1130"],
    )

    connections = Impatient(config_path=shop.environment["BCNS_CONFIG"])
    try:
        found = reconcile(connections, lambda _: None)
        assert (found.orders, found.equal, found.different) == (4, 4, {})
        (deposit,) = shop.records(plain)
        connections.netsuite().patch("customerDeposit", str(deposit["id"]), {"payment": 1})
        found = reconcile(connections, lambda _: None)
        assert list(found.different) == [plain]
        assert "NetSuite has receipts of 1.00 USD and refunds of 0.00 USD" in found.different[plain]
        shop.cash()
        assert shop.codes() == {"MONEY_NOT_EQUAL", "CASH_DRIFT"}
        connections.netsuite().patch("customerDeposit", str(deposit["id"]), {"payment": shop.paid(plain)})
        assert reconcile(connections, lambda _: None).different == {}
    finally:
        connections.close()
    shop.money_is_due()
    shop.control.clear_log()
    # Midnight may have passed since.
    shop.days(shop.today() - timedelta(days=1), shop.today(), job="cash_application")
    assert shop.writes() == []
    assert shop.codes() == set()
    assert len(shop.records(other)) == 1
