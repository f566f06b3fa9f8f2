"""Settlement files as the sandbox's providers drop them: they add up, tie to the shop's orders, and can be spoiled.

Put what stands in the files here, read with nothing but the csv module. Our own readers meet them in
bcns_pipeline_tests/clients.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.sandbox.launch import SandboxFailed
from bcns_pipeline_tests.sandbox.till import Till


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Till:
    return Till(tmp_path_factory.mktemp("till"))


@pytest.fixture
def till(shared: Till) -> Till:
    """The shared till, nothing sold, and nothing in the folders."""
    shared.merchant.seed(shared.merchant.options)
    for path in shared.merchant.drops.payouts.iterdir():
        path.unlink()
    return shared


def rows_of(path: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(path).read_text()), delimiter=delimiter))


def paid(till: Till, provider: str, **body: Any) -> tuple[list[dict[str, Any]], list[str]]:
    found = till._day((provider,), body)
    return found["payouts"], found["files"]


def gateway_ids(till: Till, *orders: int) -> set[str]:
    return {t["gateway_transaction_id"] for order in till.shop_state(*orders) for t in order["transactions"]}


def total(rows: Sequence[dict[str, str]], column: str) -> D:
    return sum((D(row[column] or "0") for row in rows), D(0))


def test_stripes_report_is_the_api_in_major_units_without_the_payout(till: Till) -> None:
    orders = till.shop_orders(3, restock=True)
    till.refund_order(orders[0], amount="4.00")
    till.shop_order("jpy", restock=True)
    till.move("dispute", order_id=orders[1])
    made, (path,) = paid(till, "stripe", stripe_report=True)
    rows = rows_of(path)
    assert {row["automatic_payout_id"] for row in rows} == {one["id"] for one in made}
    for one in made:
        mine = [row for row in rows if row["automatic_payout_id"] == one["id"]]
        assert total(mine, "net") == D(one["amount"])
        assert all(D(row["net"]) == D(row["gross"]) - D(row["fee"]) for row in mine)
        api = {row["id"] for row in till.rows(one["id"])}
        assert {row["balance_transaction_id"] for row in mine} == api
    charges = [row for row in rows if row["reporting_category"] == "charge"]
    assert {row["payment_metadata[order_id]"] for row in charges} >= {str(one) for one in orders}
    (yen,) = [row for row in rows if row["currency"] == "jpy"]
    assert "." not in yen["gross"]


def test_paypals_footers_say_what_its_rows_come_to(till: Till) -> None:
    orders = till.shop_orders(3, payment="paypal", restock=True)
    till.shop_order("eur", payment="paypal", restock=True)
    till.refund_order(orders[0], amount="4.00")
    till.move("dispute", order_id=orders[1], provider="paypal")
    made, (path,) = paid(till, "paypal")
    lines = list(csv.reader(io.StringIO(Path(path).read_text())))
    assert [line[0] for line in lines[:4]] == ["RH", "FH", "SH", "CH"]
    names = lines[3][1:]
    body = [dict(zip(names, line[1:], strict=True)) for line in lines if line[0] == "SB"]
    assert {"T0006", "T1107", "T1201", "T0106", "T0400"} == {row["Transaction Event Code"] for row in body}
    sides = {"CR": 1, "DR": -1}
    for line in (line for line in lines if line[0] in ("SF", "RF")):
        mine = [row for row in body if row["Gross Transaction Currency"] == line[1]]
        gross = [sides[r["Transaction Debit or Credit"]] * int(r["Gross Transaction Amount"]) for r in mine]
        fees = [sides[row["Fee Debit or Credit"]] * int(row["Fee Amount"]) for row in mine]
        told = [int(one) for one in line[2:6]]
        assert told == [
            sum(one for one in gross if one > 0),
            -sum(one for one in gross if one < 0),
            sum(one for one in fees if one > 0),
            -sum(one for one in fees if one < 0),
        ]
        assert sum(gross) + sum(fees) == int(line[9]) - int(line[7]) == 0
        assert int(line[-1]) == len(mine)
    withdrawn = {
        row["Gross Transaction Currency"]: D(row["Gross Transaction Amount"]) / 100
        for row in body
        if row["Transaction Event Code"] == "T0400"
    }
    assert withdrawn == {one["currency"]: D(one["amount"]) for one in made}
    assert gateway_ids(till, *orders) <= {row["Transaction ID"] for row in body}
    assert lines[-1] == ["FF", str(len(body))]


def test_paypal_converts_by_two_rows_that_share_a_reference(till: Till) -> None:
    till.payment_terms("paypal", settles=["USD"], rates={"EUR": "1.0791"})
    order = till.shop_order("eur", payment="paypal", restock=True)
    _, (path,) = paid(till, "paypal")
    body = [line for line in csv.reader(io.StringIO(Path(path).read_text())) if line[0] == "SB"]
    away, here = [line for line in body if line[5] == "T0200"]
    assert away[3] == here[3] == body[0][1]
    assert (away[8], away[10], here[8], here[10]) == ("DR", "EUR", "CR", "USD")
    assert D(away[9]) / 100 == D(order["total"])
    assert int(here[9]) == int(D(away[9]) * D("1.0791") + D("0.5"))


def test_adyens_rows_come_to_the_payout_at_their_end(till: Till) -> None:
    orders = till.shop_orders(3, payment="adyen", restock=True)
    till.refund_order(orders[0], amount="4.00")
    till.move("fee", "3.00", provider="adyen")
    till.shop_order(payment="adyen", restock=True, lines=[{"price": "0.05"}], shipping={"cost": "0"})
    (made,), (path,) = paid(till, "adyen")
    rows = rows_of(path)
    last = rows.pop()
    assert last["Type"] == "MerchantPayout"
    assert D(last["Net Debit (NC)"]) == D(made["amount"])
    assert total(rows, "Net Credit (NC)") - total(rows, "Net Debit (NC)") == D(made["amount"])
    settled = [row for row in rows if row["Type"] == "Settled"]
    assert {row["Psp Reference"] for row in settled} >= gateway_ids(till, *orders[1:])
    assert {row["Merchant Reference"] for row in settled} >= {str(one) for one in orders}
    for row in settled:
        fee = sum(D(row[name]) for name in ("Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)"))
        net = D(row["Net Credit (NC)"] or 0) - D(row["Net Debit (NC)"] or 0)
        assert D(row["Gross Credit (GC)"]) - net == fee
    assert any(row["Net Debit (NC)"] for row in settled), "a sale whose fees exceed it"


def test_braintrees_rows_are_unsigned(till: Till) -> None:
    orders = till.shop_orders(3, payment="braintree", restock=True)
    till.refund_order(orders[0], amount="4.00")
    (made,), (path,) = paid(till, "braintree", arrives=1)
    rows = rows_of(path)
    signed = [(1 if row["type"] == "sale" else -1) * D(row["settlement_amount"]) for row in rows]
    assert sum(signed) - total(rows, "braintree_total_amount") == D(made["amount"])
    assert {row["transaction_id"] for row in rows} == gateway_ids(till, *orders)
    assert {row["disbursement_date"] for row in rows} == {made["arrival_date"]}
    with pytest.raises(SandboxFailed, match="no word for a dispute"):
        till.move("dispute", order_id=orders[1], provider="braintree")


def test_the_plain_table_names_what_bigcommerce_knows(till: Till) -> None:
    orders = till.shop_orders(2, payment="square", restock=True)
    till.refund_order(orders[0], amount="4.00")
    (made,), (path,) = paid(till, "square")
    rows = rows_of(path)
    assert total(rows, "net") == D(made["amount"]) == D(rows[0]["payout_amount"])
    assert all("|" in name for name in gateway_ids(till, *orders))
    for name in gateway_ids(till, *orders):
        assert any(set(name.split("|")) <= set(row["references"].split("|")) for row in rows)
    (back,) = [row for row in rows if row["category"] == "refund"]
    assert (back["gross"], back["order"]) == ("-4.00", str(orders[0]))


@pytest.mark.parametrize("comma", [False, True])
def test_amazons_components_come_to_its_total(till: Till, comma: bool) -> None:
    orders = [till.shop_order("marketplace", restock=True) for _ in range(2)]
    till.refund_order(orders[0]["id"], lines=[{"line_id": orders[0]["lines"][0]["id"]}])
    till.move("fee", "39.99", provider="amazon")
    (made,), _ = paid(till, "amazon", files=False)
    (path,) = till.drop_settlement(made["id"], comma=comma)
    rows = rows_of(path, "\t")
    if comma:
        assert "," in rows[0]["total-amount"]
        rows = [{name: value.replace(",", ".") for name, value in row.items()} for row in rows]
    head, *parts = rows
    assert D(head["total-amount"]) == total(parts, "amount") == D(made["amount"])
    state = {row["external_id"] for row in till.shop_state(*(one["id"] for one in orders))}
    assert {row["order-id"] for row in parts if row["transaction-type"] == "Order"} == state
    sold = [row for row in parts if row["order-id"] and row["transaction-type"] == "Order"]
    bought = sum(D(row["amount"]) for row in sold if row["amount-type"] in ("ItemPrice", "Promotion"))
    assert bought == sum(D(one["total"]) for one in orders)
    withheld = sum(D(row["amount"]) for row in sold if row["amount-type"] == "ItemWithheldTax")
    assert -withheld == sum(D(one["tax"]) for one in orders)


def test_a_spoiled_file_is_spoiled_in_that_one_way(till: Till) -> None:
    till.shop_orders(4, payment="adyen", restock=True)
    (made,), (path,) = paid(till, "adyen")
    good = Path(path).read_bytes()

    def spoiled(fault: str) -> bytes:
        (one,) = till.drop_settlement(made["id"], fault=fault)
        return Path(one).read_bytes()

    assert good.startswith(cut := spoiled("truncated"))
    assert not cut.endswith(b"\n")
    twice = till.drop_settlement(made["id"], fault="doubled")
    assert [Path(one).read_bytes() for one in twice] == [good, good]
    assert len(set(twice)) == 2
    assert len(spoiled("repeated_row").splitlines()) == len(good.splitlines()) + 1
    with pytest.raises(UnicodeDecodeError):
        spoiled("encoding").decode()
    assert spoiled("utf16").decode("utf-16") == good.decode()
    assert spoiled("quoted").startswith(b'"Company Account,')
    header, first, *_ = spoiled("reordered").decode().splitlines()
    assert sorted(header.split(",")) == sorted(good.decode().splitlines()[0].split(","))
    assert header.split(",")[::-1] == good.decode().splitlines()[0].split(",")
    assert first.count(",") == header.count(",")
    for fault in ("currency", "cent", "footer"):
        changed = [
            (a, b) for a, b in zip(good.splitlines(), spoiled(fault).splitlines(), strict=True) if a != b
        ]
        assert len(changed) == 1
    with pytest.raises(SandboxFailed, match="no fault 'wet'"):
        till.drop_settlement(made["id"], fault="wet")
    assert not [path for path in till.merchant.drops.payouts.iterdir() if path.name.startswith(".")]
