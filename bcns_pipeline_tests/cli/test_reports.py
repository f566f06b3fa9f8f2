"""`bcns report NAME`: the same state gives the same bytes in each format, and what does not tie is said.

Put here what a controller sees. Rows are made directly in the state.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from bcns_pipeline.cli.main_people import REPORTS
from bcns_pipeline.config import Mapping
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs import chart
from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.pack import pack
from bcns_pipeline.defs.close.run import key_of
from bcns_pipeline.defs.days import tags_of
from bcns_pipeline.rules.close.files import WRITERS
from bcns_pipeline.rules.close.reports import SPECS, remainder
from bcns_pipeline.rules.close.tie_out import Reason
from bcns_pipeline.rules.money import Money
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.operations import Intent, SelfApproval
from bcns_pipeline.state.order_models import Posted, ReadBack
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.cli.conftest import Bcns
from bcns_pipeline_tests.defs.history import history
from bcns_pipeline_tests.rules.close.test_beancount import bean_check

MARCH = date(2026, 3, 1), date(2026, 4, 1)
CHARGE = {
    "store": "abc123", "currency": "USD", "day": date(2026, 3, 2), "at": datetime(2026, 3, 2, 15, tzinfo=UTC),
    "arrival": date(2026, 3, 4),
}  # fmt: skip
# One order of 116.73, captured by card, 16.73 of it refunded; a payout of the charge; nothing of the refund paid yet.
WORLD = """
    insert into bcns.order_state (store, order_id, placed_at, modified_at, day, channel_id, source, status_id, currency,
        total_minor, lines, content_hash, disposition, netsuite_id, record_type, read_total_minor)
    values (:store, 1001, :at, :at, :day, 1, 'storefront', 11, :currency, 11673, '[]', 'v1', 'posted', '91',
        'salesOrder', 11673);
    insert into bcns.cash_order (store, order_id, currency, captured_minor, refunded_minor, disposition)
    values (:store, 1001, :currency, 11673, 1673, 'settled');
    insert into bcns.cash_record (store, natural_key, order_id, transaction_id, kind, netsuite_id, currency,
        amount_minor, account, day, origin, read_open_minor)
    values (:store, 'bc-abc123-deposit-1001-7', 1001, 7, 'deposit', '92', :currency, 11673, 1130, :day, 'created',
        11673);
    insert into bcns.refund_state (store, refund_id, order_id, created_at, day, currency, total_minor, tax_minor,
        paid_minor, content_hash, disposition)
    values (:store, 5, 1001, :at, :day, :currency, 1673, 0, 1673, 'r1', 'posted');
    insert into bcns.refund_record (store, natural_key, refund_id, order_id, n, record_type, netsuite_id, amount_minor,
        currency, day, account, way, provider)
    values (:store, 'bc-abc123-refundpay-5-1', 5, 1001, 1, 'customerRefund', '93', 1673, :currency, :day, 1130,
        'gateway', 'stripe');
    with p as (
        insert into bcns.payout (store, provider, account, payout_id, currency, amount_minor, source_status,
            arrival_date, itemisation, version, rows, lines, status, journal_key)
        values (:store, 'stripe', 'acct1', 'po_1', :currency, 11304, 'paid', :arrival, 'complete', 1, 1, 1,
            'draft_posted', 'psp-stripe-acct1-payout-po_1') returning id
    ), l as (
        insert into bcns.payout_line (payout, version, line, line_id, cls, category, kind, gross, fee, net, fee_tax,
            currency, occurred_at, refs, method, row_sha256, order_id, transaction_id, step, journal_key)
        select id, 1, 0, 'txn_1', 'gross_sales', 'charge', 'charge', 11673, 369, 11304, 0, :currency, :at, 'ch_1',
            'card', 'ab', 1001, 7, 'exact', 'bc-abc123-deposit-1001-7' from p
    )
    insert into bcns.payout_journal (store, natural_key, payout, kind, version, currency, total_minor, tran_date,
        economic_date, entry, inputs, body_sha256, mapping_digest, code_version, netsuite_id, approved, differences)
    select :store, 'psp-stripe-acct1-payout-po_1', id, 'payout', 1, :currency, 11673, :arrival, :arrival,
        '{"lines": [{"account": 1010, "role": "bank", "debit": 11304, "credit": 0, "memo": "net"},
            {"account": 6110, "role": "fees", "debit": 369, "credit": 0, "memo": "fees"},
            {"account": 1130, "role": "clearing", "debit": 0, "credit": 11673, "memo": "gross"}]}',
        '{}', 'f', 'm', 'v', '94', false, '[]' from p;
"""


@pytest.fixture
def march(state: State) -> State:
    with state.engine.begin() as conn:
        for statement in WORLD.split(";\n"):
            if statement.strip():
                names = [name for name in CHARGE if f":{name}" in statement]
                conn.execute(
                    sa.text(statement.replace('": ', '"\\: ')), {name: CHARGE[name] for name in names}
                )
    # Read by whoever posted; NetSuite's internal ids are other numbers than people's.
    known = {"1010": ["100-1", "Bank"], "1130": ["", "Stripe clearing"]}
    state.cursors.move(chart.CURSOR, known)
    return state


def change(state: State, statement: str) -> None:
    with state.engine.begin() as conn:
        conn.execute(sa.text(statement))


def test_the_names_on_the_command_line_are_the_reports_that_there_are() -> None:
    expected = {name: f"{spec.number} {spec.title}" for name, spec in SPECS.items()}
    assert expected.items() <= REPORTS.items()
    assert set(REPORTS) - set(expected) == {"close-pack"}


def test_each_report_is_the_same_bytes_twice_in_each_format_and_says_where_it_comes_from(
    march: State,
) -> None:
    about = reports.about(march, *MARCH, Mapping())
    for name in SPECS:
        one, two = (reports.make(march, name, about) for _ in range(2))
        for format_, write in WRITERS.items():
            assert write(one) == write(two), (name, format_)
        said = WRITERS["csv"](one).decode()
        for word in (
            "# source:",
            "# since: 2026-03-01",
            "# rows:",
            "# code version:",
            f"# sha256: {one.sha256}",
        ):
            assert word in said, (name, word)
        assert one.sha256.encode() in WRITERS["html"](one), name
    # Only long words may be broken, so that a page of ids and hashes is no wider than its paper.
    page = WRITERS["html"](reports.make(march, "payouts", about)).decode()
    assert all(
        f"<td class={cell}</td>" in page
        for cell in ("w>psp-stripe-acct1-payout-po_1", "n>116.73", "d>2026-03-04")
    )


def test_the_clearing_account_rolls_forward_and_what_awaits_approval_is_a_line_of_its_own(
    march: State,
) -> None:
    about = reports.about(march, *MARCH, Mapping())
    report = reports.make(march, "clearing", about)
    # Opening, movements and closing stand below one another: their sum would say nothing.
    assert {name for name, _, _ in report.controls} == {"unexplained"}
    assert {(row[0], row[-1]) for row in report.rows} == {("Stripe clearing", 1130)}
    rows = {row[2]: row[3:-1] for row in report.rows}
    assert rows["captures booked"][0] == Decimal("116.73")
    assert rows["refunds booked"][0] == Decimal("-16.73")
    assert rows["charges settled by payouts"][0] == Decimal("-116.73")
    assert rows["closing, with entries that await approval"][0] == Decimal("-16.73")
    assert rows["journals awaiting approval"][:2] == (Decimal("116.73"), 27)
    assert rows["closing in the ledger, by our records"][0] == Decimal("100.00")
    assert rows["open items"] == (Decimal("-16.73"), 29, Decimal("0.00"))
    (item,) = reports.make(march, "open-items", about).rows
    assert item[2] == "bc-abc123-refundpay-5-1"


def test_why_the_ledger_shows_more_than_the_provider_holds_is_told_line_by_line(march: State) -> None:
    def parts(last: date, at: datetime) -> list[int]:
        (one,) = march.clearing.moved(last, at)
        assert (one.provider, one.account, one.currency, one.foreign) == ("stripe", "acct1", "USD", False)
        return list(one.parts.values())

    third, end = datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    # Before it is paid out the provider holds the charge less its fee; then the entry waits for approval.
    change(march, "update bcns.payout set created_at = '2026-03-04 06:00+00'")
    assert parts(date(2026, 3, 3), third) == [0, 0, 369, 0]
    assert parts(MARCH[1] - timedelta(days=1), end) == [11_673, 0, 0, 0]
    change(march, "update bcns.payout_journal set approved = true")
    assert parts(MARCH[1] - timedelta(days=1), end) == [0, 0, 0, 0]
    # The refund is booked, and no payout names it; a line without a record was never booked.
    assert march.clearing.not_itemised(date(2026, 3, 31)) == {(1130, "USD"): 1}
    change(march, "update bcns.payout_line set journal_key = null")
    assert parts(MARCH[1] - timedelta(days=1), end) == [0, -11_673, 0, 0]
    assert march.clearing.not_itemised(date(2026, 3, 31)) == {(1130, "USD"): 2}


def test_an_answer_is_kept_beside_the_earlier_ones_and_the_newest_counts(march: State) -> None:
    day = date(2026, 3, 31)
    hashes = [march.clearing.keep("netsuite", day, {"balances": [], "others": [], "n": n}) for n in (1, 2)]
    assert march.clearing.of(day)["netsuite"].sha256 == hashes[1] != hashes[0]
    assert march.clearing.of(date(2026, 3, 30)) == {}
    assert march.clearing.is_newest(day)
    assert not march.clearing.is_newest(day - timedelta(days=1))
    # The end of a month that was asked about while it ran says nothing of the days since.
    ahead = datetime.now(UTC).date() + timedelta(days=9)
    march.clearing.keep("netsuite", ahead, {"balances": [], "others": []})
    assert march.clearing.is_newest(day)
    assert march.clearing.is_newest(ahead)
    assert march.clearing.ours([91, 92, 93, 94]) == {92, 93, 94}
    records = {number: (one.key, one.amount) for (number, account, _), one in march.clearing.records(day).items()
               if account == 1130}  # fmt: skip
    assert records == {
        92: ("bc-abc123-deposit-1001-7", 11_673),
        93: ("bc-abc123-refundpay-5-1", -1_673),
        94: ("psp-stripe-acct1-payout-po_1", -11_673),
    }


def test_fees_of_what_is_paid_out_later_are_shown_and_what_was_accrued_is_taken_off(march: State) -> None:
    change(march, "update bcns.payout set arrival_date = '2026-04-02'")
    about = reports.about(march, *MARCH, Mapping())
    clearing = {row[2]: row[3] for row in reports.make(march, "clearing", about).rows}
    assert clearing["fees of open items, taken by later payouts"] == Decimal("-3.69")
    report = reports.make(march, "accrued-fees", about)
    shown = dict(zip(report.columns, report.rows[0], strict=True))
    assert (shown["taken_later"], shown["accrued"], shown["not_accrued"]) == (
        Decimal("3.69"),
        Decimal("0.00"),
        Decimal("3.69"),
    )
    change(
        march,
        """insert into bcns.payout_journal (store, natural_key, kind, version, currency, total_minor, tran_date,
            economic_date, entry, inputs, body_sha256, mapping_digest, code_version, netsuite_id, approved, differences)
        select store, 'accrual-key', 'accrual', 1, 'USD', 369, '2026-03-31', '2026-03-31', '{"provider"\\: "stripe",
            "account"\\: "acct1", "reverse_on"\\: "2026-04-01", "lines"\\: [{"account"\\: 6110, "role"\\: "fees",
            "debit"\\: 369, "credit"\\: 0}, {"account"\\: 2395, "role"\\: "accrued_fees", "debit"\\: 0,
            "credit"\\: 369}]}', '{}', 'a', 'm', 'v', '95', true, '[]' from bcns.payout""",
    )
    report = reports.make(march, "accrued-fees", about)
    shown = dict(zip(report.columns, report.rows[0], strict=True))
    assert (shown["accrued"], shown["not_accrued"], shown["approval"]) == (
        Decimal("3.69"),
        Decimal("0.00"),
        "approved",
    )
    # NetSuite takes it back on the first day of April, and the second opinion knows both entries.
    april = reports.about(march, MARCH[1], date(2026, 5, 1), Mapping())
    assert "2026-03-31 * " in reports.ledger(march, about)
    assert "accrual-key-reversed" in reports.ledger(march, april)


def test_every_cent_has_a_reason_and_one_that_is_lost_is_unknown(march: State) -> None:
    about = reports.about(march, *MARCH, Mapping())
    (one,) = reports.ties(march, about)
    assert one.net == sum(one.parts.values()) == 10_000
    assert one.unknown == 0
    assert {reason.value: minor for reason, minor in one.parts.items()} == {
        "paid out, journal awaits approval": 11_673,
        "booked, not paid out yet": -1_673,
    }
    # A dispute takes what was paid out before, and leaves nothing else as it was.
    change(
        march,
        """insert into bcns.payout_line (payout, version, line, line_id, cls, category, kind, gross, fee, net, fee_tax,
            currency, refs, method, row_sha256, order_id)
        select id, 1, 1, 'txn_9', 'chargeback', 'dispute', '', -5000, 1500, -6500, 0, 'USD', '', '', 'cd', 1001
        from bcns.payout""",
    )
    (one,) = reports.ties(march, about)
    assert (one.net, one.unknown, one.parts) == (
        10_000,
        0,
        {Reason.AWAITING_APPROVAL: 6_673, Reason.DISPUTED: 5_000, Reason.IN_CLEARING: -1_673},
    )
    change(march, "update bcns.cash_record set amount_minor = 11672")
    (lost,) = reports.ties(march, about)
    assert lost.net == sum(lost.parts.values())
    assert lost.unknown == 1
    assert remainder(SPECS["tie-out"], reports.make(march, "tie-out", about)) == {"USD": Decimal("0.01")}


def test_stored_value_waits_for_the_invoice_and_is_unknown_once_that_is_there(march: State) -> None:
    about = reports.about(march, *MARCH, Mapping())
    change(march, "update bcns.cash_order set captured_minor = captured_minor + 500")
    (lost,) = reports.ties(march, about)
    assert lost.unknown == 500
    change(
        march,
        "insert into bcns.tender (store, transaction_id, order_id, event, method, gateway, amount_minor, currency, "
        "status, test) values ('abc123', 8, 1001, 'purchase', 'gift_certificate', '', 500, 'USD', 'ok', false)",
    )
    (waits,) = reports.ties(march, about)
    assert (waits.unknown, waits.parts[Reason.STORED_VALUE_TO_BILL]) == (0, 500)
    for name in ("orders", "completeness", "tie-out"):
        assert remainder(SPECS[name], reports.make(march, name, about)) == {}, name
    change(
        march,
        "insert into bcns.cash_record (store, natural_key, order_id, kind, netsuite_id, currency, day, origin, "
        "read_minor) values ('abc123', 'bc-abc123-invoice-1001-1', 1001, 'invoice', '95', 'USD', '2026-03-03', "
        "'created', 11673)",
    )
    (forgotten,) = reports.ties(march, about)
    assert forgotten.unknown == 500


def test_without_a_bank_it_is_not_evidenced_and_a_cent_too_little_is_left_over(
    bcns: Bcns, march: State
) -> None:
    shown = bcns("report", "payouts", "--month", "2026-03", "--format", "csv")
    assert shown.exit_code == 0, shown.output
    lines = Path("payouts-2026-03.csv").read_text().splitlines()
    assert any("bank: not evidenced" in line for line in lines)
    (row,) = csv.DictReader(line for line in lines if not line.startswith("#"))
    assert (row["bank"], row["unexplained"], row["approval"]) == (
        "not evidenced",
        "0.00",
        "awaiting approval",
    )
    change(march, "update bcns.payout set amount_minor = amount_minor + 1")
    off = bcns("report", "payouts", "--month", "2026-03")
    assert off.exit_code == 1
    assert "Unexplained: 0.01 USD" in off.output
    # The bank booked two cents less than what is paid: both amounts are shown, until a person has answered for it.
    change(
        march,
        "insert into bcns.bank_line (store, account, line_id, currency, amount_minor, booked_on, descriptor, refs, "
        "returned, row_sha256, sha256) values ('abc123', 'DE1', 'b7', 'USD', 11302, '2026-03-05', '', '', false, 'x', "
        "'y')",
    )
    change(march, "update bcns.payout set amount_minor = 11304")
    subject = "payout:stripe/acct1/po_1"
    asked = Question("BANK_DIFF", subject, "two cents", detail={"members": [subject, "DE1/b7"]})
    march.exceptions.open("payouts", asked)

    def bank() -> tuple[str, ...]:
        made = reports.make(march, "payouts", reports.about(march, *MARCH, Mapping()))
        (row,) = (dict(zip(made.columns, map(str, row), strict=True)) for row in made.rows)
        assert "bank_amount" not in {name for name, _, _ in made.controls}
        names = ("bank", "amount", "bank_amount", "bank_difference", "bank_unexplained")
        return tuple(row[name] for name in names)

    assert bank() == ("DE1/b7, another amount", "113.04", "113.02", "-0.02", "-0.02")
    (open_,) = march.exceptions.find(code="BANK_DIFF")
    march.exceptions.resolve(open_.id, "dismissed", "the bank's own charge", actor="grace")
    assert bank() == ("DE1/b7, another amount (dismissed)", "113.04", "113.02", "-0.02", "0.00")
    # Until its days are over a line is not missing, and a payout that failed has none.
    change(march, "delete from bcns.exception where code = 'BANK_DIFF'")
    assert bank()[0] == "not yet"
    march.exceptions.open("payouts", Question("BANK_LINE_MISSING", subject, "none came"))
    assert bank() == ("missing", "113.04", "None", "None", "None")
    change(march, "update bcns.payout set source_status = 'failed'")
    assert bank()[0] == "none is due"
    assert bcns("report", "payouts").exit_code == 2
    assert bcns("report", "payouts", "--month", "March").exit_code == 2
    assert bcns("report", "payouts", "--month", "2026-03", "--format", "pdf").exit_code == 2


def test_what_a_provider_holds_and_what_is_stored_value_say_what_is_not_known(march: State) -> None:
    change(
        march,
        """insert into bcns.payout_line (payout, version, line, line_id, cls, category, kind, gross, fee, net, fee_tax,
            currency, occurred_at, refs, method, row_sha256)
        select id, 1, 1, 'txn_2', 'reserve', 'risk_reserved_funds', '', -300, 0, -300, 0, 'USD', '2026-03-02 15:00Z',
            '', '', 'cd' from bcns.payout""",
    )
    made = reports.make(march, "payouts", reports.about(march, *MARCH, Mapping()))
    (row,) = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
    parts = [row[name] for name in ("charges", "refunds", "disputes", "reserves", "other", "fees")]
    assert parts == [Decimal("116.73"), 0, 0, Decimal("-3.00"), 0, Decimal("3.69")]
    assert sum(parts[:-1]) - parts[-1] == row["amount"] - row["unexplained"]
    # Nobody can itemise what is paid out at once: nothing of it is unexplained, and what it cost is a fee.
    change(
        march,
        """insert into bcns.payout (store, provider, account, payout_id, currency, amount_minor, source_status,
            arrival_date, itemisation, version, rows, lines, status, details) values ('abc123', 'stripe', 'acct1',
            'po_2', 'USD', 9900, 'paid', '2026-03-05', 'never', 1, 0, 0, 'draft_posted', '{"fee"\\: 100}')""",
    )
    made = reports.make(march, "payouts", reports.about(march, *MARCH, Mapping()))
    instant = dict(zip(made.columns, made.rows[-1], strict=True))
    assert (instant["payout_id"], instant["unexplained"], instant["fees"]) == ("po_2", 0, Decimal("1.00"))
    made = reports.make(march, "fees", reports.about(march, *MARCH, Mapping()))
    rows = [dict(zip(made.columns, row, strict=True)) for row in made.rows]
    assert {row["class"]: row["fee"] for row in rows} == {
        "gross_sales": Decimal("3.69"),
        "instant payouts": Decimal("1.00"),
    }
    stripe = {"account": "acct1", "reserve_days": 90}
    contract = Mapping.model_validate({"version": 1, "payouts": {"providers": {"stripe": stripe}}})
    for mapping, day, said in (
        (Mapping(), None, "not known"),
        (contract, date(2026, 5, 31), "reserve_days of the mapping file"),
    ):
        made = reports.make(march, "reserves", reports.about(march, *MARCH, mapping))
        (row,) = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        assert (row["amount"], row["expected_release"], row["expected_by"]) == (Decimal("-3.00"), day, said)
        assert any("not known of 1 of" in note for note in made.notes) is (day is None)

    # What it holds goes on from month to month, by the currency; a minimum balance is held somewhere else.
    def held(since: date, until: date) -> list[tuple[Any, ...]]:
        made = reports.make(march, "reserves", reports.about(march, since, until, Mapping()))
        assert "held" not in {name for name, _, _ in made.controls}
        rows = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        return [tuple(row[name] for name in ("line_id", "currency", "amount", "held")) for row in rows]

    change(
        march,
        """with p as (insert into bcns.payout (store, provider, account, payout_id, currency, amount_minor,
                source_status, arrival_date, itemisation, version, rows, lines, status) values ('abc123', 'stripe',
                'acct1', 'po_3', 'USD', 0, 'paid', '2026-04-07', 'complete', 1, 1, 1, 'draft_posted') returning id)
        insert into bcns.payout_line (payout, version, line, line_id, cls, category, kind, gross, fee, net, fee_tax,
            currency, occurred_at, refs, method, row_sha256)
        select id, 1, n, id_, cls, 'x', '', gross, 0, gross, 0, currency, '2026-04-05', '', '', id_ from p, (values
            (0, 'b', 'reserve', 120, 'USD'), (1, 'c', 'reserve_minbal', -900, 'USD'), (2, 'd', 'reserve', -7, 'EUR'),
            (3, 'e', 'reserve', 180, 'USD')) as x(n, id_, cls, gross, currency)""",
    )
    assert held(*MARCH) == [("txn_2", "USD", Decimal("-3.00"), Decimal("3.00"))]
    assert held(date(2026, 4, 1), date(2026, 5, 1)) == [
        ("d", "EUR", Decimal("-0.07"), Decimal("0.07")),
        (None, "USD", None, Decimal("3.00")),
        ("b", "USD", Decimal("1.20"), Decimal("1.80")),
        ("c", "USD", Decimal("-9.00"), Decimal("1.80")),
        ("e", "USD", Decimal("1.80"), Decimal("0.00")),
    ]
    assert held(date(2026, 5, 1), date(2026, 6, 1)) == [(None, "EUR", None, Decimal("0.07"))]

    # 5.00 of store credit came back in February; of it 2.00 were used in March, and 1.00 of a certificate that an
    # invoice sold: what NetSuite owes beyond that is told with what is known of it. Nobody was asked at first.
    change(
        march,
        """insert into bcns.refund_record (store, natural_key, refund_id, order_id, n, record_type, netsuite_id,
            amount_minor, currency, day, account, way, provider)
        values ('abc123', 'k1', 4, 1000, 1, 'journalEntry', '81', 500, 'USD', '2026-02-10', 2320, 'store_credit',
            '')""",
    )
    for number, method, amount in ((8, "store_credit", 200), (9, "giftcertificate", 100)):
        change(
            march,
            f"""with t as (insert into bcns.tender (store, transaction_id, order_id, event, method, gateway,
                amount_minor, currency, status, test)
            values ('abc123', {number}, 1001, 'purchase', '{method}', '', {amount}, 'USD', 'ok', false))
            insert into bcns.cash_record (store, natural_key, order_id, transaction_id, kind, netsuite_id, currency,
                amount_minor, account, day, origin)
            values ('abc123', 'c{number}', 1001, {number}, 'credit', '8{number}', 'USD', {amount}, null, '2026-03-05',
                'created')""",
        )
    liabilities = {"gift_certificate": 2310, "store_credit": 2320}
    named = Mapping.model_validate({"version": 1, "cash": {"refunds": liabilities}})

    def stored(mapping: Mapping) -> tuple[list[tuple[Any, ...]], tuple[str, ...]]:
        made = reports.make(march, "stored-value", reports.about(march, *MARCH, mapping))
        return [tuple(None if x is None else str(x) for x in row) for row in made.rows], made.notes

    unknown = (None,) * 6
    rows, notes = stored(Mapping())
    assert rows == [
        (
            "gift_certificate",
            "not named",
            "USD",
            "0.00",
            "0.00",
            "1.00",
            "0.00",
            "-1.00",
            *unknown,
            "1",
            None,
        ),
        ("store_credit", "not named", "USD", "0.00", "0.00", "2.00", "0.00", "-2.00", *unknown, "1", None),
        (
            "store_credit",
            "internal id 2320",
            "USD",
            "5.00",
            "0.00",
            "0.00",
            "0.00",
            "5.00",
            *unknown,
            "0",
            "2320",
        ),
    ]
    assert any(note.startswith("ledger: not asked") for note in notes)

    # By holder: what nobody told is empty and never 0. Then it is told: of order 1001 that 3.00 of the shopper's credit
    # were left; 5.00 came back before, and 4.00 on a later order, of which no transaction is named: 7.25 are too many.
    holders = (
        "kind",
        "holder",
        "issued_before",
        "used",
        "not_booked",
        "before",
        "balance",
        "moved_otherwise",
    )

    def by_holder() -> list[tuple[Any, ...]]:
        made = reports.make(march, "stored-value-holders", reports.about(march, *MARCH, named))
        rows = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        return [tuple(None if row[one] is None else str(row[one]) for one in holders) for row in rows]

    gift = ("gift_certificate", "not known", "0.00", "1.00", "0.00", None, None, None)
    assert by_holder() == [
        gift,
        ("store_credit", "not known", "5.00", "2.00", "0.00", None, None, None),
    ]
    for statement in (
        "update bcns.tender set holder = '12', remaining_minor = 300 where transaction_id = 8",
        "insert into bcns.cash_order (store, order_id, shopper_id) values ('abc123', 1000, 12)",
        """insert into bcns.refund_state (store, refund_id, order_id, created_at, day, currency, total_minor, tax_minor,
            paid_minor, content_hash) values ('abc123', 4, 1000, '2026-02-10', '2026-02-10', 'USD', 500, 0, 500, 'h'),
            ('abc123', 6, 1000, '2026-03-10', '2026-03-10', 'USD', 400, 0, 400, 'h')""",
        """insert into bcns.refund_record (store, natural_key, refund_id, order_id, n, record_type, netsuite_id,
            amount_minor, currency, day, account, way) values ('abc123', 'k2', 6, 1000, 1, 'journalEntry', '83', 400,
            'USD', '2026-03-10', 2320, 'store_credit')""",
        """insert into bcns.tender (store, transaction_id, order_id, event, method, gateway, amount_minor, currency,
            status, test, happened_at, holder, remaining_minor) values ('abc123', 11, 1001, 'purchase', 'storecredit',
            '', 150, 'USD', 'ok', false, '2026-03-20', '12', 1275)""",
    ):
        change(march, statement)
    assert by_holder() == [gift, ("store_credit", "12", "5.00", "2.00", "1.50", "5.00", "12.75", "7.25")]
    change(march, "delete from bcns.tender where transaction_id = 11")
    change(march, "delete from bcns.refund_record where natural_key = 'k2'")

    def answer(day: date, *balances: tuple[int, str, int, bool]) -> None:
        kept = [
            {
                "account": account,
                "currency": "USD",
                "subsidiary": 1,
                "type": kind,
                "amount": amount,
                "posting": posts,
            }
            for account, kind, amount, posts in balances
        ]
        # Of credit memos 0.40 were refunds of certificates.
        back = [{**one, "amount": 40} for one in kept if one["account"] == 2310 and one["type"] == "CustCred"]
        said = {"accounts": [2310, 2320], "balances": kept, "given_back": back, "ours": []}
        march.clearing.keep("netsuite", day, {"balances": [], "others": [], "liabilities": said})

    ours, hand = (2320, "Journal", -500, True), (2320, "Journal", -1000, True)
    answer(date(2026, 2, 28), ours)
    sold = (2310, "CustInvc", -2500, True)
    answer(MARCH[1] - timedelta(days=1), ours, hand, (2320, "Journal", -70, False), (2320, "CustCred", 200, True), sold,
           (2310, "CustCred", 100, True))  # fmt: skip
    rows, notes = stored(named)
    gift = (
        "0.00",
        "0.00",
        "1.00",
        "0.00",
        "-1.00",
        "24.00",
        "0.00",
        "25.00",
        "24.60",
        "0.40",
        "0.00",
        "1",
        "2310",
    )
    credit = (
        "5.00",
        "0.00",
        "2.00",
        "0.00",
        "3.00",
        "13.00",
        "0.70",
        "10.70",
        "0.00",
        "10.70",
        "0.00",
        "1",
        "2320",
    )
    assert rows == [
        ("gift_certificate", "internal id 2310", "USD", *gift),
        ("store_credit", "internal id 2320", "USD", *credit),
    ]
    assert not any(note.startswith("ledger: not asked") for note in notes)
    # Two kinds on one account are one row, for NetSuite has one balance of both.
    shared = {"gift_certificate": 2320, "store_credit": 2320}
    rows, _ = stored(Mapping.model_validate({"version": 1, "cash": {"refunds": shared}}))
    assert [row[:2] for row in rows] == [
        ("gift_certificate, store_credit", "internal id 2320"),
        ("summary mode", "internal id 2310"),
    ]


def test_tax_is_told_by_jurisdiction_and_by_code_as_far_as_they_are_known_and_no_cent_of_it_is_lost(
    march: State,
) -> None:
    """8.25 of two jurisdictions and one without a name, posted as two codes; then 8.71 as a line of an item."""

    def usd(minor: int) -> Money:
        return Money(minor, "USD")

    def told() -> tuple[list[tuple[Any, ...]], dict[str, Decimal]]:
        made = reports.make(march, "tax", reports.about(march, *MARCH, Mapping()))
        names = (
            *("jurisdiction", "posted_as", "orders", "tax", "difference", "tax_named", "tax_by_code"),
            *("tax_in_netsuite_by_code", "difference_by_code"),
        )
        at = [made.columns.index(name) for name in names]
        sums = {name: total for name, _, total in made.controls}
        # Whatever is known: by name and by code it adds up to all of it, on both sides.
        assert sums["tax_named"] == sums["tax_by_code"] == sums["tax"]
        assert sums["tax_in_netsuite_by_code"] == sums["tax_in_netsuite"]
        rows = [tuple(None if row[one] is None else str(row[one]) for one in at) for row in made.rows]
        return rows, remainder(SPECS["tax"], made)

    rows = (
        ("Texas", "code:12", usd(600)),
        ("Travis County", "code:13", usd(150)),
        ("", "code:13", usd(75)),
    )
    for taxes in ((("Texas", "code:12", usd(1)),), rows):
        march.orders.posted([
            Posted(1001, "91", "salesOrder", "v1", usd(11673), usd(825), taxes=taxes)
        ])  # fmt: skip
    march.orders.read_back([ReadBack(1001, usd(11673), usd(826))])
    by_name = [
        ("Texas", "tax code 12", "1", None, None, "6.00", None, None, None),
        ("Travis County", "tax code 13", "1", None, None, "1.50", None, None, None),
        ("not named", None, "1", None, None, "0.75", None, None, None),
    ]
    everything = ("all", "all", "1", "8.25", "0.01", None, None, None, None)
    not_asked = ("all", "not named", "1", None, None, None, "8.25", "8.26", "0.01")
    assert told() == ([everything, *by_name, not_asked], {"USD": Decimal("0.01")})
    # Asked, NetSuite has another split: two wrongs that cancel in the sum do not cancel here.
    (held,) = march.orders.taxed_by_netsuite(*MARCH)
    assert (held.netsuite_id, held.tax, held.codes) == ("91", usd(826), None)
    march.orders.taxed({1001: {"code:12": usd(601), "code:13": usd(224), "code:14": usd(1)}})
    assert told() == (
        [
            everything,
            *by_name,
            ("all", "tax code 12", "1", None, None, None, "6.00", "6.01", "0.01"),
            ("all", "tax code 13", "1", None, None, None, "2.25", "2.24", "-0.01"),
            ("all", "tax code 14", "1", None, None, None, "0.00", "0.01", "0.01"),
        ],
        {"USD": Decimal("0.03")},
    )
    # An answer that is not the tax that was read back since says nothing.
    march.orders.read_back([ReadBack(1001, usd(11673), usd(825))])
    assert told()[0][-1] == ("all", "not named", "1", None, None, None, "8.25", "8.25", "0.00")
    assert told()[1] == {}
    # What is a line of ours was read back with its item; NetSuite is not asked for it.
    march.orders.posted([
        Posted(1001, "91", "salesOrder", "v2", usd(11673), usd(871), taxes=(("", "item:934", usd(871)),))
    ])  # fmt: skip
    march.orders.read_back([ReadBack(1001, usd(11673), usd(871), tax_codes=(("item:934", usd(871)),))])
    assert told() == (
        [
            ("all", "all", "1", "8.71", "0.00", None, None, None, None),
            ("not named", None, "1", None, None, "8.71", None, None, None),
            ("all", "item 934", "1", None, None, None, "8.71", "8.71", "0.00"),
        ],
        {},
    )
    assert march.orders.taxed_by_netsuite(*MARCH) == []


def test_all_reports_are_written_at_once_with_a_page_over_them(bcns: Bcns, march: State) -> None:
    made = bcns("report", "all", "--month", "2026-03", "--out", "all")
    assert made.exit_code == 0, made.output
    index = Path("all/index.html").read_text()
    linked = set(re.findall(r'href="([^"]+)"', index))
    assert linked == {path.name for path in Path("all").iterdir()} - {"index.html"}
    assert len(linked) == len(SPECS) * len(WRITERS) + 2
    change(march, "update bcns.payout set amount_minor = amount_minor + 1")
    off = bcns("report", "all", "--month", "2026-03", "--out", "all")
    assert off.exit_code == 1
    assert "payouts: unexplained 0.01 USD" in off.output
    assert "0.01 USD" in Path("all/index.html").read_text()
    assert bcns("report", "all").exit_code == 2


def test_the_ledger_export_balances_for_whoever_adds_it_up_again(bcns: Bcns, march: State) -> None:
    made = bcns("report", "journals", "--month", "2026-03", "--format", "beancount")
    assert made.exit_code == 0, made.output
    assert bean_check(Path("journals-2026-03.beancount")) == ""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    opened, used = set(), set()
    for line in Path("journals-2026-03.beancount").read_text().splitlines():
        if " open " in line:
            opened.add(line.split()[2])
        elif line.startswith("  "):
            account, amount, currency = line.split()
            used.add(account)
            sums[currency] += Decimal(amount)
    assert used == opened == {"Assets:A100-1", "Assets:Id1130", "Expenses:Id6110"}
    assert sums == {"USD": Decimal(0)}


def test_the_pack_of_a_month_is_made_again_byte_for_byte_and_is_not_green_while_something_waits(
    bcns: Bcns, march: State
) -> None:
    first, second = (
        bcns("report", "close-pack", "--month", "2026-03", "--out", f"{name}.json") for name in ("one", "two")
    )
    assert first.exit_code == second.exit_code == 0, first.output
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()
    made = json.loads(Path("one.json").read_text())
    assert made["checks"]["no journal awaits approval"]["passed"] is False
    assert made["checks"]["every cent has a reason, UNKNOWN is 0.00"]["passed"] is True
    assert made["bank"] == "not evidenced"
    # What was never asked is not claimed.
    assert made["checks"]["NetSuite was asked what the clearing accounts hold"]["passed"] is False
    march.clearing.keep("netsuite", date(2026, 3, 31), {"balances": [], "others": []})
    bcns("report", "close-pack", "--month", "2026-03", "--out", "asked.json")
    asked = json.loads(Path("asked.json").read_text())
    assert asked["checks"]["NetSuite was asked what the clearing accounts hold"]["passed"] is True
    assert asked["checks"]["Clearing roll-forward ties"]["passed"] is False
    assert set(made["reports"]) == set(SPECS)


def test_a_month_is_green_exactly_where_the_queue_is_empty_and_everything_ties(march: State) -> None:
    about = reports.about(march, *MARCH, Mapping())

    def wrong() -> set[str]:
        made = pack(march, about)
        found = {name for name, (holds, _) in made.checks.items() if not holds}
        assert made.green is not bool(found)
        return found

    change(march, "update bcns.payout_journal set approved = true")
    balance = {"account": 1130, "currency": "USD", "subsidiary": None, "posting": True, "amount": -1673}
    march.clearing.keep("netsuite", MARCH[1] - timedelta(days=1), {"balances": [balance], "others": []})
    assert wrong() == set()
    march.exceptions.open("payouts", Question("BANK_DIFF", "payout:a", "a cent"))
    change(march, "update bcns.exception set opened_at = '2026-03-20'")
    assert wrong() == {"no exception of the period is open"}
    march.exceptions.heal("payouts", "BANK_DIFF", ["payout:a"])
    # Answered after the month's end: the evidence still has it, with its answer, and the month may be closed.
    assert wrong() == set()
    (asked,) = json.loads(pack(march, about).content)["exceptions"]
    assert (asked["code"], asked["resolution"], asked["answered"] != "") == ("BANK_DIFF", "healed", True)
    waits = {**balance, "posting": False, "amount": -11673}
    answer = {"balances": [{**balance, "amount": 10000}, waits], "others": []}
    march.clearing.keep("netsuite", MARCH[1] - timedelta(days=1), answer)
    assert wrong() == {"no journal awaits approval"}


def test_a_difference_that_a_person_let_stand_is_a_part_of_its_own_and_covers_no_other_cent(
    march: State,
) -> None:
    about = reports.about(march, *MARCH, Mapping())
    change(march, "update bcns.order_state set read_total_minor = total_minor + 250")
    change(march, "update bcns.payout_journal set approved = true")
    asked = Question("ORDER_TOTAL_LEFT", "order:1001", "its total", amount_minor=250, currency="USD")
    march.exceptions.open("orders", asked)
    change(march, "update bcns.exception set opened_at = '2026-03-20'")

    def parts() -> tuple[object, ...]:
        made = reports.make(march, "orders", about)
        (row,) = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        ties = pack(march, about).checks["Order reconciliation ties"][0]
        assert ties is not bool(row["unexplained"])
        return tuple(row[name] for name in ("difference", "let_stand", "unexplained", "decision"))

    assert parts() == (Decimal("2.50"), None, Decimal("2.50"), None)
    (open_,) = march.exceptions.find(code="ORDER_TOTAL_LEFT")
    march.exceptions.resolve(open_.id, "dismissed", "goodwill", actor="grace")
    said = "dismissed by grace: goodwill"
    assert parts() == (Decimal("2.50"), Decimal("2.50"), Decimal("0.00"), said)
    assert pack(march, about).checks["no exception of the period is open"][0]
    # What was decided is that amount: once it is another one, somebody has to look again.
    change(march, "update bcns.order_state set read_total_minor = read_total_minor + 1")
    assert parts() == (Decimal("2.51"), None, Decimal("2.51"), None)


def test_the_pack_names_who_decided_what_and_leaves_out_what_a_machine_did_in_a_persons_name(
    march: State,
) -> None:
    # A run carries the login name of whoever started Dagster, so the name tells nothing.
    ada = State(march.engine, march.store, actor="ada")
    for subject in ("payout:a", "payout:b"):
        ada.exceptions.open("payouts", Question("BANK_DIFF", subject, "a cent"))
    ada.exceptions.heal("payouts", "BANK_DIFF", ["payout:a"])
    (asked,) = ada.exceptions.find(code="BANK_DIFF")
    ada.exceptions.assign(asked.id, "grace", actor="ada")
    ada.exceptions.resolve(asked.id, "dismissed", "the bank's own charge", actor="grace")
    (held,) = ada.outbox.stage(
        "payouts", [Intent("payout_journal", "key", {})], held="too large", staged_by="ada"
    )
    with pytest.raises(SelfApproval):
        ada.outbox.approve(held, "mine", actor="ada")
    ada.outbox.approve(held, "looked at it", actor="grace")

    today = march.now().date()
    made = pack(march, reports.about(march, today, today + timedelta(days=1), Mapping()))
    decisions = [(one["actor"], one["kind"], one["reason"]) for one in json.loads(made.content)["decisions"]]
    assert decisions == [
        ("ada", "exception.assigned", ""),
        ("grace", "exception.resolved", "the bank's own charge"),
        ("grace", "operation.approved", "looked at it"),
    ]
    assert json.loads(pack(march, reports.about(march, *MARCH, Mapping())).content)["decisions"] == []


@pytest.mark.usefixtures("environment")
def test_dagster_stops_a_day_with_an_unknown_cent_and_makes_the_evidence_of_a_month(
    bcns: Bcns, march: State
) -> None:
    definitions = build_defs()
    with history() as instance:

        def run(job: str, **how: object) -> dg.ExecuteInProcessResult:
            chosen = definitions.resolve_job_def(job)
            return chosen.execute_in_process(instance=instance, raise_on_error=False, **how)  # type: ignore[arg-type]

        planned = run("month_close", run_config={"month": "2026-03", "mode": "plan"})
        assert planned.success
        shown_only = {
            one.asset_key: one.metadata for one in planned.asset_materializations_for_node("reports")
        }
        assert shown_only[key_of("clearing")]["files"].value == "none: mode plan"
        assert planned.asset_materializations_for_node("close__evidence_pack") == []
        assert not list(load_settings().home.rglob("*.xlsx"))
        closed = run("month_close", run_config={"month": "2026-03"})
        assert closed.success
        shown = {one.check_name: one.passed for one in closed.get_asset_check_evaluations()}
        assert shown.pop("fi7_the_outside_says_the_same")
        assert shown == {"the_month_may_be_closed": False, "it_ties_and_adds_up": True}
        # Every report of the specification is an asset, and its files are what the command writes.
        made = {one.asset_key: one.metadata for one in closed.asset_materializations_for_node("reports")}
        assert set(made) == {key_of(name) for name in SPECS}
        assert {spec.number for spec in SPECS.values()} == {f"FR{number}" for number in range(1, 17)}
        written = str(made[key_of("clearing")]["files"].value).splitlines()
        assert [Path(one).suffix for one in written] == [".csv", ".xlsx", ".html"]
        shown_by_command = bcns("report", "clearing", "--month", "2026-03", "--format", "csv")
        assert shown_by_command.exit_code == 0, shown_by_command.output
        one, two = (
            [line for line in Path(path).read_text().splitlines() if "extracted at" not in line]
            for path in (written[0], "clearing-2026-03.csv")
        )
        assert one == two
        # The command closes the month before this one, and a plan of it closes none.
        for line, packs in (("plan close", 1), ("run close", 2)):
            assert bcns(*line.split()).exit_code == 0, line
            with march.engine.connect() as conn:
                made_so_far = conn.exec_driver_sql(
                    "select count(*) from bcns.audit where kind = 'close.evidence_pack'"
                ).scalar_one()
            assert made_so_far == packs, line
        change(march, "update bcns.cash_record set amount_minor = 11672")
        stopped = run("daily_tie_out", partition_key="2026-03-02")
        said = {one.check_name: one for one in stopped.get_asset_check_evaluations()}["no_cent_is_unknown"]
        assert (said.passed, said.blocking) == (False, True)
        assert said.metadata["first"].value == "1001"
        (asked,) = march.exceptions.find(code="CENT_UNKNOWN")
        assert (asked.subject, asked.amount_minor, asked.owner) == ("order:1001", 1, "finance")
        # The question itself is no reason for the cent.
        assert not run("daily_tie_out", partition_key="2026-03-02").success
        # Of days in one run as well, and a run without any says what it needs.
        stopped = run("daily_tie_out", tags=tags_of((date(2026, 3, 1), date(2026, 3, 3))))
        said = {one.check_name: one for one in stopped.get_asset_check_evaluations()}["no_cent_is_unknown"]
        assert (said.passed, said.metadata["first"].value) == (False, "1001")
        nothing = run("daily_tie_out")
        (failed,) = (one for one in nothing.all_events if one.is_step_failure)
        refused = failed.step_failure_data.user_failure_data
        assert refused is not None
        assert "a range of days" in str(refused.description)
        change(march, "update bcns.cash_record set amount_minor = 11673")
        assert run("daily_tie_out", partition_key="2026-03-02").success
        assert march.exceptions.find(code="CENT_UNKNOWN") == []


def test_the_line_that_rounds_an_order_off_is_shown_beside_its_total(march: State) -> None:
    about = reports.about(march, *MARCH, Mapping())

    def rounding() -> Decimal | None:
        made = reports.make(march, "orders", about)
        return dict(zip(made.columns, made.rows[0], strict=True))["rounding"]

    assert rounding() is None  # nothing of ours was written
    step = (
        "insert into bcns.order_step (store, order_id, step, disposition, facts, state_digest) "
        "values ('abc123', 1001, 'posted', 'posted', '{}', 'd')"
    )
    change(march, step.format("{}"))
    assert rounding() == Decimal("0.00")
    change(march, step.format('{"residual_minor"\\: -2}'))
    assert rounding() == Decimal("-0.02")


def test_what_is_open_and_what_was_asked_are_as_they_stood_at_the_end_of_the_stores_last_day(
    march: State,
) -> None:
    change(
        march,
        """insert into bcns.cash_record (store, natural_key, order_id, kind, netsuite_id, currency, day, origin,
            amount_minor, read_open_minor)
        values ('abc123', 'i1', 1001, 'invoice', '95', 'USD', '2026-03-31', 'created', 5000, 1200),
            ('abc123', 'i2', 1001, 'invoice', '96', 'USD', '2026-03-31', 'created', 5000, 0),
            ('abc123', 'i3', 1001, 'invoice', '97', 'USD', '2026-04-01', 'created', 5000, 5000)""",
    )
    change(march, "update bcns.refund_state set read_total_minor = 1673, open_minor = 73")
    change(march, "update bcns.cash_record set order_id = 1002 where natural_key = 'i1'")
    march.orders.read_back([ReadBack(1001, customer=4711)])
    chicago = Mapping.model_validate({"version": 1, "store": {"timezone": "America/Chicago"}})

    def rows(name: str, *columns: str) -> list[tuple[Any, ...]]:
        made = reports.make(march, name, reports.about(march, *MARCH, chicago))
        told = (dict(zip(made.columns, row, strict=True)) for row in made.rows)
        return [tuple(row[one] for one in columns) for row in told]

    # Which customer order 1002 is of was never read.
    assert rows("unapplied", "kind", "record", "customer", "age", "amount", "open", "action") == [
        (
            *("deposit", "bc-abc123-deposit-1001-7", "4711", 29),
            Decimal("116.73"),
            Decimal("116.73"),
            "applied when its order is billed",
        ),
        (*("credit memo", "refund 5", "4711", 29), Decimal("16.73"), Decimal("0.73"), "apply or pay it back"),
        (*("invoice", "i1", "not known", 0), Decimal("50.00"), Decimal("12.00"), "wants a payment"),
    ]

    # April begins in Chicago at five in the morning of UTC.
    asked = {
        "of an earlier month": ("2026-01-02T12:00Z", None),
        "over before the end": ("2026-03-02T12:00Z", "2026-04-01T04:59Z"),
        "answered since": ("2026-03-25T04:59Z", "2026-04-01T05:00Z"),
        "in the last hour": ("2026-04-01T04:59Z", None),
        "of the next month": ("2026-04-01T05:00Z", None),
    }
    for what, (opened, resolved) in asked.items():
        march.exceptions.open("payouts", Question("BANK_LINE_MISSING", what, what))
        if resolved:
            (one,) = march.exceptions.find(code="BANK_LINE_MISSING", subject=what)
            march.exceptions.resolve(one.id, "dismissed", "seen", actor="grace")
        values = f"opened_at = '{opened}'" + (f", resolved_at = '{resolved}'" if resolved else "")
        change(march, f"update bcns.exception set {values} where subject = '{what}'".replace(":", "\\:"))
    assert rows("exceptions", "subject", "days", "resolution") == [
        ("of an earlier month", "61-90", None),
        ("answered since", "2-7", "dismissed"),
        ("in the last hour", "0-1", None),
    ]
