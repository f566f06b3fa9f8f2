"""Refunds decided in BigCommerce, in NetSuite: once, of the exact total, settled to 0.00, without moving stock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.goods import ask_goods
from bcns_pipeline.defs.close.questions import of_goods
from bcns_pipeline.rules.close.reports import About
from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.cli.command_line import bcns
from bcns_pipeline_tests.defs.refunds.giving_back import D, RefundFlow
from bcns_pipeline_tests.state.test_personal_data import opened_binaries, pg_dump


def changed(before: dict[str, Decimal], after: dict[str, Decimal]) -> dict[str, Decimal]:
    """{account: by how much it moved}, those that stand as they were left out."""
    moved = {one: after.get(one, D(0)) - before.get(one, D(0)) for one in {*before, *after}}
    return {one: amount for one, amount in moved.items() if amount}


def stock(shop: RefundFlow) -> list[Any]:
    return sorted(
        (row["item"], row["location"], row["on_hand"])
        for sku in shop.skus()
        for row in shop.control.levels(sku)
    )


def test_a_day_of_refunds(shop: RefundFlow) -> None:
    """Whole, by line, shipping, goodwill, in two ways, twice of one line, offline: each to the cent."""
    whole, lines, good, split, offline = shop.sold(*["plain"] * 5)
    sku = {"sku": shop.sales_order(lines)["lines"][0]["sku"], "quantity": 1}
    before, shelves = shop.balances(), stock(shop)
    refunds = {
        "whole": shop.refund(whole),
        "first unit": shop.refund(lines, lines=[sku]),
        "second unit and shipping": shop.refund(lines, lines=[sku], shipping=True),
        "goodwill": shop.refund(good, amount="7.50"),
        "two ways": shop.refund(
            split,
            amount="30.00",
            payments=[
                {"provider": "stripe", "amount": "20.00"},
                {"provider": "storecredit", "amount": "10.00", "offline": True},
            ],
        ),
        "cheque": shop.refund(
            offline, amount="5.00", payments=[{"provider": "cheque", "amount": "5.00", "offline": True}]
        ),
    }

    plan = shop.give_back(mode="plan")
    assert plan.metadata("refunds/credit_plan")["looked_at"] == len(refunds)
    assert shop.balances() == before
    run = shop.give_back()

    assert {name: shop.stands(one).disposition for name, one in refunds.items()} == dict.fromkeys(
        refunds, "posted"
    )
    assert all(run.checks.values()), run.checks
    totals = {name: shop.stands(one) for name, one in refunds.items()}
    assert {name: one.read_total for name, one in totals.items()} == {
        name: one.total for name, one in totals.items()
    }
    assert {one.open.minor for one in totals.values() if one.open is not None} == {0}
    moved = changed(before, shop.balances())
    by_card = sum((totals[one].total.amount for one in refunds if one not in ("two ways", "cheque")), D(20))
    assert moved.pop("1130") == -by_card
    assert (moved.pop("2320"), moved.pop("1010")) == (D("-10.00"), D("-5.00"))
    # A/R is as it was: nothing of any credit is left open.
    assert "1200" not in moved
    assert set(moved) <= {"4050", "4010", "4090", "2340"}
    assert stock(shop) == shelves
    assert set(shop.records(refunds["two ways"])) == {
        f"refund-{refunds['two ways']}",
        *(f"refundpay-{refunds['two ways']}-{n}" for n in (1, 2)),
    }
    assert_it_is_told_whether_goods_came_back(shop, whole, lines, refunds)
    shop.control.clear_log()
    # Told of again, out of order and twice, and read again as a month: nothing new.
    inbox = shop.state().inbox
    inbox.record([Event("refund", str(one), "webhook") for one in reversed(list(refunds.values()))])
    again = shop.days(shop.today() - timedelta(days=29), shop.today(), job="refund_sync")
    assert again.metadata("bigcommerce/refunds")["dagster/row_count"] == len(refunds)
    assert again.metadata("refunds/credit_plan")["looked_at"] == 0
    assert shop.writes() == []
    shop.assert_tidy()
    shop.forget_everything()
    shop.sync()
    shop.give_back()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert {shop.stands(one).disposition for one in refunds.values()} == {"posted"}


def assert_it_is_told_whether_goods_came_back(
    shop: RefundFlow, whole: int, lines: int, refunds: dict[str, int]
) -> None:
    """By returns and receipts that people make in NetSuite, as far as the mapping file asks and the role may see."""
    names = {number: name for name, number in refunds.items()}

    today = shop.today()

    def span(days: int) -> About:
        mapping = load_mapping(shop.folder / "bcns.yaml")
        return reports.about(shop.state(), today - timedelta(days=days), today + timedelta(days=1), mapping)

    def close() -> tuple[dict[str, tuple[Any, ...]], str, int]:
        """What the close asks of goods, without the rest of it; the report, and the calls."""
        shop.control.clear_log()
        with shop.connections("close") as ours:
            ask_goods(ours, [span(0)])
            of_goods(ours, today)
        calls = [one for one in shop.control.log(system="netsuite") if "/auth/oauth2/" not in one["path"]]
        made, again = (reports.make(shop.state(), "refunds", span(30)) for _ in range(2))
        assert made.sha256 == again.sha256
        rows = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
        told = ("units_refunded", "units_authorised", "units_received", "goods")
        goods = {names[row["refund"]]: tuple(row[one] for one in told) for row in rows}
        return goods, made.notes[-1], len(calls)

    def late() -> list[str]:
        return [one.subject for one in shop.state().exceptions.find(code="REFUND_NOT_RECEIVED")]

    # -- not asked, which costs nothing
    rows, note, calls = close()
    assert calls == 0
    assert set(rows.values()) == {(None, None, None, "not asked")}
    assert note.startswith("goods: not asked")
    # -- asked, of refunds that were made three weeks ago
    shop.refunds_decide(goods_days=14)
    shop.ago(days=20)
    units = sum(int(D(one["quantity"])) for one in goods_of(shop, whole))
    rows, note, calls = close()
    kept = dict.fromkeys(("goodwill", "two ways", "cheque"), (0, 0, 0, "no goods"))
    one = {"first unit": (1, 0, 0, "no return"), "second unit and shipping": (1, 0, 0, "no return")}
    assert rows == {"whole": (units, 0, 0, "no return"), **one, **kept}
    assert calls == 2
    assert note.startswith("goods: asked")

    # -- authorised: of one order by its invoice, of the other by the order; the first unit came
    order = shop.sales_order(lines)
    sku = order["lines"][0]["sku"]
    (billed,) = shop.books(type="invoice", created_from=shop.sales_order(whole)["id"])
    all_of_it = [{"sku": row["sku"], "quantity": int(D(row["quantity"]))} for row in goods_of(shop, whole)]
    first = shop.control.authorise_return(sale=billed["id"], lines=all_of_it)
    second = shop.control.authorise_return(order["id"], lines=[{"sku": sku, "quantity": 2}])
    shop.control.receive_return(second["return"], lines=[{"sku": sku, "quantity": 1}])
    rows, _, calls = close()
    one = {"first unit": (1, 1, 1, "received"), "second unit and shipping": (1, 1, 0, "authorised")}
    assert rows == {"whole": (units, units, 0, "authorised"), **one, **kept}
    assert calls == 3
    asked = shop.state().exceptions.find(code="REFUND_NOT_RECEIVED")
    assert {one.subject: (one.owner, one.severity, one.amount_minor) for one in asked} == {
        f"refund:{refunds[name]}": ("operations", "warning", shop.stands(refunds[name]).total.minor)
        for name in ("whole", "second unit and shipping")
    }
    assert any(f"0 of {units} units" in one.message and first["number"] in one.message for one in asked)

    # -- the role does not see receipts any more, or not the items: nothing is claimed, and nothing fails
    for role, why in (
        ({"hidden_records": ["itemReceipt"]}, "describes no itemReceipt"),
        ({"hidden_tables": ["item"]}, "NetSuite refused"),
    ):
        shop.control.role(**role)
        rows, note, _ = close()
        assert set(rows.values()) == {(None, None, None, "not asked")}
        assert why in note
        assert len(late()) == 2
        shop.control.role(**{name: [] for name in role})

    # -- a part of it, then the rest
    part = {**all_of_it[0], "quantity": 1}
    shop.control.receive_return(first["return"], lines=[part])
    shop.control.close_return(second["return"])
    run = shop.day(today, job="daily_tie_out")
    assert run.metadata("close/clearing_evidence")["goods"] == f"{len(refunds)} refunds looked at"
    rows, _, _ = close()
    assert rows["whole"] == (units, units, 1, "partly received")
    assert rows["second unit and shipping"] == (1, 0, 0, "no return")
    assert late() == [f"refund:{refunds['whole']}"]
    # However old it is, one that is open is asked about.
    shop.ago(days=200)
    close()
    assert late() == [f"refund:{refunds['whole']}"]
    shop.control.receive_return(first["return"])
    close()
    assert late() == []
    shop.ago(days=-200)
    rows, _, _ = close()
    assert rows["whole"] == (units, units, units, "received")


def goods_of(shop: RefundFlow, order: int) -> list[dict[str, Any]]:
    """The lines of an order that were shipped."""
    return [one for one in shop.sales_order(order)["lines"] if D(one["fulfilled"])]


def test_captures_invoices_and_refunds_together_leave_nothing_open_in_dollars_and_in_euros(
    shop: RefundFlow,
) -> None:
    """The cash flow books and bills, this flow gives back; A/R and deposits end at 0, clearing at what was kept.

    The euros, of a merchant in dollars, leave no exchange difference: the refund has its order's currency and rate. Of
    three orders part goes back before they are billed: one of two units; units with goodwill; units as store credit.
    """
    kinds = ("plain", "eur", "plain", "plain", "plain")
    dollars, euros, unit, both, stored = shop.sold(*kinds, paid=False, billed=False)
    for order in (dollars, euros):
        shop.control.fulfil(shop.sales_order(order)["id"])
    shop.run("cash_application")
    before = shop.balances()
    orders = (dollars, unit, both, stored)
    totals = {one: D(str(shop.sales_order(one)["total"])) for one in orders}
    assert before["1130"] == sum(totals.values())
    assert before["1133"] > 0
    first = {one: shop.sales_order(one)["lines"][0]["sku"] for one in (dollars, euros)}
    two = {
        one: next(line["sku"] for line in shop.sales_order(one)["lines"] if D(line["quantity"]) == 2)
        for one in (unit, both, stored)
    }
    credit = [{"provider": "storecredit", "offline": True}]
    refunds = {
        dollars: shop.refund(dollars, lines=[{"sku": first[dollars], "quantity": 1}]),
        euros: shop.refund(euros, lines=[{"sku": first[euros], "quantity": 1}], shipping=True),
        unit: shop.refund(unit, lines=[{"sku": two[unit], "quantity": 1}]),
        both: shop.refund(both, lines=[{"sku": two[both], "quantity": 2}], amount="4.00"),
        stored: shop.refund(stored, lines=[{"sku": two[stored], "quantity": 1}], payments=credit),
    }

    run = shop.give_back()

    stands = {one: shop.stands(refund) for one, refund in refunds.items()}
    assert {one: (each.disposition, each.route) for one, each in stands.items()} == {
        dollars: ("posted", "credit_memo"),
        euros: ("posted", "credit_memo"),
        unit: ("posted", "deposit"),
        both: ("posted", "deposit_and_credit"),
        stored: ("posted", "deposit"),
    }, [each.reason for each in stands.values()]
    assert all(run.checks.values()), run.checks
    assert all(each.read_total == each.total for each in stands.values())
    # -- in euros
    rate = D(str(shop.sales_order(euros)["exchange_rate"]))
    assert stands[euros].total.currency == "EUR"
    assert {D(str(one["exchange_rate"])) for one in shop.records(refunds[euros]).values()} == {rate}
    moved = changed(before, shop.balances())
    assert not {"1200", "7000", "7010"} & set(moved), moved
    assert abs(moved["1133"] + stands[euros].total.amount * rate) < D("0.01")

    # -- what was not billed when part of it went back is, and its invoice fits what is left
    for order in (unit, both, stored):
        shop.control.fulfil(shop.sales_order(order)["id"])
    shop.sync()
    shop.later(60)
    shop.run("cash_application")
    left = changed({}, shop.balances())
    # Receivables, deposits and the transfer account are empty; clearing holds what was kept, and what became credit.
    assert not {"1200", "2300", "1170"} & set(left), left
    back = {one: stands[one].total.amount for one in orders}
    assert left["1130"] == sum(totals.values()) - back[dollars] - back[unit] - back[both]
    assert left["2320"] == -back[stored]
    assert all(shop.run("cash_reconciliation").checks.values())
    open_ = [f"{one.flow} {one.message}" for one in shop.state().exceptions.find()]
    assert not open_, "; ".join(open_)
    shop.control.clear_log()
    shop.forget_everything()
    shop.sync()
    shop.give_back()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert {shop.stands(one).disposition for one in refunds.values()} == {"posted"}
    shop.assert_tidy()


def test_stored_value_that_paid_for_what_was_never_billed_goes_back_by_its_liabilities(
    shop: RefundFlow,
) -> None:
    """7.50 by certificate, 3.25 of store credit and a card; an order paid by store credit alone: both go back whole.

    A third one is cancelled, which moves no money: somebody is asked, until it goes back.
    """
    split, alone, kept = shop.sold("split_tender", "store_credit", "plain", paid=False, billed=False)
    shop.run("cash_application")
    shop.control.order_status(kept, 5)
    shop.sync()
    run = shop.give_back()
    assert not run.checks["every_refunded_order_has_a_refund"]
    (asked,) = shop.state().exceptions.find(code="REFUND_WITHOUT_RECORD")
    total = D(str(shop.sales_order(kept)["total"]))
    assert (asked.subject, asked.amount_minor) == (f"order:{kept}", int(total * 100))
    refunds = [shop.refund(one) for one in (split, alone, kept)]

    run = shop.give_back()

    assert shop.questions("REFUND_WITHOUT_RECORD") == []

    stands = [shop.stands(one) for one in refunds]
    assert [(one.disposition, one.route, one.read_total == one.total) for one in stands] == [
        ("posted", "deposit", True)
    ] * 3, [one.reason for one in stands]
    assert all(run.checks.values()), run.checks
    # The card's money has left its deposit; a certificate came back as store credit, and store credit as what it was.
    assert changed({}, shop.balances()) == {"2310": D("7.50"), "2320": D("-7.50")}
    shop.run("cash_application")
    state, day = shop.state(), shop.today()
    about = reports.about(
        state, day - timedelta(days=1), day + timedelta(days=2), load_mapping(shop.folder / "bcns.yaml")
    )
    assert reports.make(state, "unapplied", about).rows == ()
    assert state.exceptions.find(flow="cash") == []
    assert [(one.parts, one.unknown) for one in reports.ties(state, about)] == [({}, 0)] * 3
    made = reports.make(state, "stored-value", about)
    rows = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
    assert {row["kind"]: row["closing"] for row in rows} == {
        "gift_certificate": D("-7.50"),
        "store_credit": D("7.50"),
    }
    shop.control.clear_log()
    shop.forget_everything()
    shop.sync()
    shop.give_back()
    assert [one for one in shop.writes() if "record/v1" in one[1]] == []
    assert {shop.stands(one).disposition for one in refunds} == {"posted"}
    shop.assert_tidy()


def test_what_is_left_of_a_certificate_and_of_store_credit_is_what_bigcommerce_tells(
    shop: RefundFlow,
) -> None:
    """A certificate used on two orders and partly given back, and store credit so: row by row they are the shop's own
    balances. Then the merchant changes both by hand, and what moved so is named to the cent.
    """
    code = shop.control.certificate(amount="60.00")["code"]
    shopper = shop.control.shopper(store_credit="100.00")["id"]
    whose: dict[str, Any] = {"customer_id": shopper, "certificate": code}
    (first,) = shop.sold(paid=False, billed=False, gift_certificate="20.00", **whose)
    (second,) = shop.sold(paid=False, billed=False, gift_certificate="15.00", store_credit="12.25", **whose)
    for one in (first, second):
        shop.control.fulfil(shop.sales_order(one)["id"])
    shop.later(60)
    shop.run("cash_application")
    back = {"giftcertificate": (first, "8.00"), "storecredit": (second, "5.50")}
    for provider, (order, amount) in back.items():
        shop.refund(order, amount=amount, payments=[{"provider": provider, "amount": amount}])

    def told() -> list[tuple[Any, ...]]:
        shop.sync()
        shop.run("cash_application")
        return holders(shop)

    before = told()
    # The shop has given it back, and NetSuite has no record yet: BigCommerce's balances are explained all the same.
    names = ("before", "issued_by_refunds", "used", "not_booked", "balance", "moved_otherwise")
    money = [tuple(row[name] for name in names) for row in before]
    assert money == [
        (D("60.00"), D(0), D("35.00"), D(0), D("33.00"), D(0)),
        (D("100.00"), D(0), D("12.25"), D(0), D("93.25"), D(0)),
    ]
    assert all(shop.give_back().checks.values())
    rows = told()
    assert [row["issued_by_refunds"] for row in rows] == [D("8.00"), D("5.50")]
    certificate, credit = rows
    assert certificate["kind"] == "gift_certificate"
    assert certificate["holder"].endswith(f" (...{code[-3:]})")
    assert (credit["kind"], credit["holder"]) == ("store_credit", str(shopper))
    (there,) = shop.control.certificates()
    assert (there["code"], D(there["balance"])) == (code, certificate["balance"])
    assert D(store_credit(shop, shopper)) == credit["balance"]
    assert [row["moved_otherwise"] for row in rows] == [0, 0]

    # -- by hand: three dollars less, and 75 cents of goodwill; the next order's transactions tell the new balances
    shop.control.certificate(code=code, balance="30.00")
    shop.control.shopper(id=shopper, store_credit="94.00")
    shop.later(60)
    shop.sold(paid=False, billed=False, gift_certificate="1.00", store_credit="2.00", **whose)
    rows = told()
    assert [(row["not_booked"], row["balance"], row["moved_otherwise"]) for row in rows] == [
        (D("1.00"), D("29.00"), D("-3.00")),
        (D("2.00"), D("92.00"), D("0.75")),
    ]
    # The same records by account, whichever way they are told.
    for column in ("issued_by_refunds", "used"):
        by_account = {row["kind"]: row[column] for row in shown(shop, "stored-value")}
        assert {row["kind"]: row[column] for row in rows} == by_account, column

    # Whoever knows the code may spend it.
    dump = pg_dump(shop.database_url)
    assert certificate["holder"].encode() in dump
    texts = [dump, *opened_binaries(dump)]
    assert not any(code.encode() in text for text in texts)


def holders(shop: RefundFlow) -> list[dict[str, Any]]:
    """Rows of the report by certificate and customer."""
    return shown(shop, "stored-value-holders")


def shown(shop: RefundFlow, name: str) -> list[dict[str, Any]]:
    """Rows of a report of these days."""
    state, day = shop.state(), shop.today()
    mapping = load_mapping(shop.folder / "bcns.yaml")
    made = reports.make(
        state, name, reports.about(state, day - timedelta(days=1), day + timedelta(days=2), mapping)
    )
    return [dict(zip(made.columns, row, strict=True)) for row in made.rows]


def store_credit(shop: RefundFlow, shopper: int) -> str:
    """What the shop says that a shopper has."""
    return str(next(one["store_credit"] for one in shop.control.shoppers() if one["id"] == shopper))


def test_an_order_that_was_taken_over_and_a_cash_sale_go_back_by_a_way_of_their_own(shop: RefundFlow) -> None:
    """Billed before the cutover it is credited, and its clearing account pays; not billed, its deposit is not ours. A
    cash sale goes back as one cash refund.
    """
    billed, open_ = (shop.control.shop_order("plain", restock=True) for _ in range(2))
    records = {}
    for one in (billed, open_):
        records[one["id"]] = shop.control.legacy_order(otherrefnum=str(one["id"]), total=float(one["total"]))[
            "order"
        ]
    shop.control.fulfil(records[billed["id"]])
    shop.control.enter_invoice(records[billed["id"]])
    ways = ("adopt", "--by", "otherrefnum", "--since", shop.today().isoformat(), "--apply")
    assert bcns(*ways).exit_code == 0
    account = int(shop.sandbox.accounting["accounts"]["1130"])
    shop.sections["channels"][1] |= {"record": "cash_sale", "cash_account": account}
    shop.configure()
    (sale,) = shop.sold(paid=False, billed=False)
    before = shop.balances()
    refunds = {
        name: shop.refund(one["id"], shipping=True) for name, one in (("billed", billed), ("open", open_))
    }
    refunds["sale"] = shop.refund(sale)
    whole = shop.refund(open_["id"])

    shop.give_back()

    stands = {name: shop.stands(one) for name, one in refunds.items()}
    for name, route in (("billed", "credit_memo"), ("sale", "cash_refund")):
        assert (stands[name].disposition, stands[name].route) == ("posted", route), stands[name]
    (record,) = shop.records(refunds["sale"]).values()
    assert record["type"] == "cashRefund"
    assert stands["sale"].read_total == stands["sale"].total
    assert changed(before, shop.balances())["1130"] == -sum(one.total.amount for one in stands.values())
    assert shop.questions("REFUND_NOT_BILLED") == [f"refund:{whole}"]
    assert shop.questions("REFUND_BEFORE_CAPTURE") == []
    shop.assert_tidy()
