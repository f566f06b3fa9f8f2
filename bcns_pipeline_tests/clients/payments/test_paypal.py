"""PayPal's settlement report: what a balance paid out, conversions, and footers that must add up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments.kinds import read_balances, read_file
from bcns_pipeline.clients.payments.models import BROUGHT_FORWARD, CARRIED_FORWARD, Settlement
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline_tests.clients.payments.render import WHEN

HEADER = (
    '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type","Transaction Event Code",'
    '"Transaction Initiation Date","Transaction Completion Date",Transaction Debit or Credit,'
    '"Gross Transaction Amount","Gross Transaction Currency","Fee Debit or Credit","Fee Amount","Fee Currency",'
    '"Custom Field","Consumer ID","Payment Tracking ID",Store ID,"Bank Reference ID"'
)
SECTION = '"SH","2026/03/04 00:00:00 -0800","2026/03/04 23:59:59 -0800","MERCHANT1",""'
Row = tuple[str, str, int, int, str, str]


def body(name: str, code: str, gross: int, fee: int = 0, currency: str = "USD", reference: str = "") -> Row:
    """A row by its signed amounts; a fee that costs money is positive."""
    return name, code, gross, fee, currency, reference


def line_of(row: Row) -> str:
    name, code, gross, fee, currency, reference = row
    signs = ("CR" if gross >= 0 else "DR", "DR" if fee > 0 else "CR")
    when = "2026/03/04 01:02:03 -0800"
    fees = f'"{signs[1]}",{abs(fee)},"{currency}"' if fee else '"",,""'
    # Quoted here and not there, as PayPal does it.
    return (
        f'"SB",{name},"inv-{name}",{reference},"TXN","{code}",{when},{when},{signs[0]},{abs(gross)},"{currency}",'
        f'{fees},"","","","",BANK-{name}'
    )


def footer(code: str, currency: str, rows: list[Row], opening: int) -> str:
    mine = [row for row in rows if row[4] == currency]
    totals = (
        sum(row[2] for row in mine if row[2] > 0),
        -sum(row[2] for row in mine if row[2] < 0),
        -sum(row[3] for row in mine if row[3] < 0),
        sum(row[3] for row in mine if row[3] > 0),
    )
    closing = opening + totals[0] - totals[1] + totals[2] - totals[3]
    balances = ",".join(f'"{"CR" if amount >= 0 else "DR"}",{abs(amount)}' for amount in (opening, closing))
    return (
        f'"{code}","{currency}",{",".join(map(str, totals))},{balances},{balances},"CR",0,"CR",0,{len(rows)}'
    )


def report(rows: list[Row], openings: dict[str, int]) -> str:
    lines = ['"RH",2026/03/05 02:00:00 -0800,"A","MERCHANT1",009,', '"FH",01', SECTION, HEADER]
    lines += [line_of(row) for row in rows]
    lines += [footer("SF", currency, rows, opening) for currency, opening in openings.items()]
    lines += [f'"SC",{len(rows)}']
    lines += [footer("RF", currency, rows, opening) for currency, opening in openings.items()]
    return "\n".join([*lines, f'"RC",{len(rows)}', '"FF",1']) + "\n"


def read(text: str, profile: FileProfile | None = None) -> list[Settlement]:
    return read_file(Document("drop/payouts", "stl.csv", text.encode(), WHEN), profile or FileProfile())


DAY = [
    body("S1", "T0006", 10000, 320),
    body("R1", "T1107", -2500, -75, reference="S0"),
    body("C1", "T1201", -1500),
    body("F1", "T0106", -2000),
    body("W1", "T0400", -9000),
]


def test_a_day_with_a_withdrawal() -> None:
    (found,) = read(report(DAY, {"USD": 5000}))
    payout = found.payout
    assert (payout.account, payout.id, payout.amount) == ("MERCHANT1", "W1", 9000)
    assert (payout.arrival_date, payout.bank_reference) == (date(2026, 3, 4), "BANK-W1")
    assert sum(line.net for line in found.lines) == 9000
    figures = {line.id: (line.category, line.gross, line.fee, line.net) for line in found.lines}
    assert figures == {
        "S1": ("T0006", 10000, 320, 9680),
        "R1": ("T1107", -2500, -75, -2425),
        "C1": ("T1201", -1500, 0, -1500),
        "F1": ("T0106", -2000, 0, -2000),
        f"W1-{BROUGHT_FORWARD}": (BROUGHT_FORWARD, 5000, 0, 5000),
        f"W1-{CARRIED_FORWARD}": (CARRIED_FORWARD, 245, 0, 245),
    }
    assert found.lines[1].references == ("R1", "S0")
    assert found.lines[0].order_hints == ("inv-S1",)
    assert found.lines[0].occurred_at == datetime(2026, 3, 4, 9, 2, 3, tzinfo=UTC)
    assert [line.id for line in found.aside] == ["W1"]
    assert found.rows == 5


def test_a_day_without_a_withdrawal_is_a_payout_of_nothing() -> None:
    (found,) = read(report(DAY[:1], {"USD": 0}))
    assert (found.payout.id, found.payout.amount) == ("20260304-USD", 0)
    assert [(line.category, line.net) for line in found.lines] == [("T0006", 9680), (CARRIED_FORWARD, -9680)]


def test_two_withdrawals_are_two_payouts_whatever_the_order_of_rows() -> None:
    rows = [*DAY, body("W2", "T0400", -200)]
    one, two = read(report(rows, {"USD": 50_000}))
    assert [sum(line.net for line in found.lines) for found in (one, two)] == [9000, 200]
    assert {line.category for line in two.lines} == {BROUGHT_FORWARD, CARRIED_FORWARD}
    # What the first one leaves is what the second one finds.
    assert one.lines[-1].net == -two.lines[0].net
    again = read(report(rows[::-1], {"USD": 50_000}))
    assert [found.payout for found in again] == [one.payout, two.payout]
    assert {line.id: line for line in again[0].lines} == {line.id: line for line in one.lines}


def test_money_that_the_bank_gives_is_a_payout_below_nothing() -> None:
    for code in ("T0300", "T0400"):
        (found,) = read(report([body("R1", "T1107", -5000), body("D1", code, 5000)], {"USD": 0}))
        assert (found.payout.id, found.payout.amount) == ("D1", -5000)
        assert [(line.id, line.net) for line in found.lines] == [("R1", -5000)]


def test_a_conversion_knows_its_other_half() -> None:
    rows = [
        body("S1", "T0006", 2200, 360, "BRL"),
        body("X1", "T0200", -1840, 0, "BRL", "S1"),
        body("X2", "T0200", 327, 0, "USD", "S1"),
        body("Y1", "T0201", -300, 0, "USD", "Y2"),
        body("Y2", "T0201", 40000, 0, "JPY", "Y1"),
    ]
    found = read(report(rows, {"BRL": 0, "USD": 0, "JPY": 0}))
    lines = {line.id: line for one in found for line in one.lines}
    assert [one.payout.currency for one in found] == ["BRL", "JPY", "USD"]
    assert (lines["X1"].presentment_amount, lines["X1"].presentment_currency) == (-327, "USD")
    assert lines["X2"].rate == Decimal("0.1777173913")
    # Yen have no minor units: 40,000 of them for 3.00 dollars.
    assert lines["Y2"].gross == 40000
    assert lines["Y2"].rate == Decimal("13333.3333333333")
    with pytest.raises(BadFile, match="X1 has no other half"):
        read(report(rows[:2], {"BRL": 0}))


def test_digits_of_a_currency_are_a_setting() -> None:
    rows = [body("S1", "T0006", 100000, 0, "HUF")]
    (found,) = read(report(rows, {"HUF": 0}), FileProfile(paypal_digits={"HUF": 0}))
    assert found.lines[0].gross == 10_000_000


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("10000", "10001", "TOTALS", "gross credits in USD: the footer says 10000, the rows make 10001"),
        ('"CR",75,', '"DR",75,', "TOTALS", "fee"),
        ("DR,1500", "CR,1500", "TOTALS", "gross credits"),
        ('"CR",9745', '"CR",9746', "TOTALS", "balance"),
        ('"SC",5', '"SC",6', "TOTALS", "6 body rows and has 5"),
        ("DR,1500", "XX,1500", "AMOUNT", "neither CR nor DR"),
        ("DR,1500", "DR,15.00", "AMOUNT", "whole number"),
        ('"SF","USD"', '"SF","EUR"', "TOTALS", "EUR"),
        ('"SB",C1', '"SB",R1', "DUPLICATE", "R1"),
        ('"SB",C1', '"ZZ",C1', "SHAPE", "ZZ"),
        ('"Fee Amount"', '"Fee"', "COLUMNS", "Fee Amount"),
    ],
)
def test_what_does_not_add_up_is_refused(old: str, new: str, code: str, words: str) -> None:
    text = report(DAY, {"USD": 14_990})
    assert old in text
    with pytest.raises(BadFile) as caught:
        read(text.replace(old, new, 1))
    assert caught.value.code == code
    assert words in caught.value.sentence


def test_the_fees_of_a_footer_prove_the_rows_in_either_order() -> None:
    text = report(DAY, {"USD": 0})
    swapped = text.replace(",75,320,", ",320,75,")
    assert swapped != text
    assert [(one.payout, one.lines) for one in read(swapped)] == [
        (one.payout, one.lines) for one in read(text)
    ]
    with pytest.raises(BadFile, match="fee credits"):
        read(text.replace(",75,320,", ",320,76,"))


def test_a_report_that_is_cut_off_at_any_row_is_refused() -> None:
    lines = report(DAY, {"USD": 0}).splitlines()
    # From its first footer on, a report proves its rows; nothing of it is a payout before.
    for count in range(1, lines.index(next(line for line in lines if line.startswith('"SF"')))):
        with pytest.raises(BadFile):
            read("\n".join(lines[:count]))


def test_rows_after_the_footer_are_refused() -> None:
    lines = report(DAY, {"USD": 0}).splitlines()
    lines.insert(next(at for at, line in enumerate(lines) if line.startswith('"SC"')), lines[4])
    with pytest.raises(BadFile, match="after the section's footer"):
        read("\n".join(lines))


def test_the_balance_is_that_of_the_footer() -> None:
    document = Document("drop/payouts", "stl.csv", report(DAY, {"USD": 5000}).encode(), WHEN)
    (found,) = read_balances(document, FileProfile())
    assert (found.provider, found.account, found.amounts) == ("paypal", "MERCHANT1", (("USD", -245),))


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["T0006", "T1107", "T1201", "T0100", "T0300", "T0400"]),
        st.integers(-(10**8), 10**8).filter(bool),
        st.integers(-500, 500),
        st.sampled_from(["USD", "JPY", "BHD"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(-(10**6), 10**6))
def test_whatever_happens_the_lines_add_up_to_what_was_withdrawn(
    drawn: list[tuple[str, int, int, str]], opening: int
) -> None:
    rows = [body(f"T{number}", code, gross, fee, ccy) for number, (code, gross, fee, ccy) in enumerate(drawn)]
    openings = dict.fromkeys(("USD", "JPY", "BHD"), opening)
    found = read(report(rows, openings))
    for one in found:
        assert sum(line.net for line in one.lines) == one.payout.amount
        assert all(line.gross - line.fee == line.net for line in one.lines)
    withdrawn = sorted(-row[2] for row in rows if row[1].startswith(("T03", "T04")))
    assert sorted(one.payout.amount for one in found if one.payout.amount) == withdrawn
    assert sum(one.rows for one in found) == len(rows)
    for currency in openings:
        mine = [one for one in found if one.payout.currency == currency]
        if mine:
            lines = [line for one in mine for line in one.lines]
            first = sum(line.net for line in lines if line.category == BROUGHT_FORWARD)
            last = -sum(line.net for line in lines if line.category == CARRIED_FORWARD)
            moved = sum(row[2] - row[3] for row in rows if row[4] == currency)
            # What one payout leaves, the next one finds: between them only the first and the last count.
            assert last - first == moved
