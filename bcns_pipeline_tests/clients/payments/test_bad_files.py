"""A file that can't be trusted is refused with row and reason, and nothing of it is taken."""

from __future__ import annotations

import codecs

import pytest

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments.kinds import read_file
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline_tests.clients.payments.example_a import report
from bcns_pipeline_tests.clients.payments.render import WHEN

OUR_OWN = """\
provider,payout_id,payout_date,currency,line_id,category,gross,fee,net
square,po_1,2026-03-04,USD,l1,charge,100.00,2.90,97.10
square,po_1,2026-03-04,USD,l2,refund,-20.00,0.00,-20.00
"""
ADYEN = (
    "Merchant Account,Psp Reference,Merchant Reference,Creation Date,TimeZone,Type,Modification Reference,"
    "Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),"
    "Commission (NC),Batch Number\n"
    "Shop,PSP1,1001,2026-03-01 10:00:00,CET,Settled,MOD1,EUR,,10.00,1,EUR,,9.80,0.20,7\n"
    'Shop,,,2026-03-02 10:00:00,CET,MerchantPayout,"TX1XT batch 7",,,,,EUR,9.80,,,7\n'
)
AMAZON = (
    "settlement-id\tdeposit-date\ttotal-amount\tcurrency\ttransaction-type\torder-id\tamount-type\t"
    "amount-description\tamount\tposted-date\n"
    "9\t04.03.2026 10:00:00 UTC\t8,50\tEUR\t\t\t\t\t\t\n"
    "9\t\t\t\tOrder\t304-1\tItemPrice\tPrincipal\t10,00\t01.03.2026\n"
    "9\t\t\t\tOrder\t304-1\tItemFees\tCommission\t-1,50\t01.03.2026\n"
)
BRAINTREE = """\
Merchant Account ID,Transaction ID,Type,Disbursement Date,Settlement Amount,Settlement Currency
shop,t1,Sale,2026-03-04,10.00,USD
"""


def refusal(content: bytes | str, name: str = "file.csv") -> BadFile:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(BadFile) as caught:
        read_file(Document("drop/payouts", name, raw, WHEN), FileProfile())
    return caught.value


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


def test_the_files_of_these_tests_are_sound_before_they_are_changed() -> None:
    for text, lines in ((OUR_OWN, 2), (ADYEN, 1), (AMAZON, 2), (BRAINTREE, 1), (report(), 50)):
        (found,) = read_file(Document("drop/payouts", "x", text.encode(), WHEN), FileProfile())
        assert len(found.lines) == lines
        assert sum(line.net for line in found.lines) == found.payout.amount


@pytest.mark.parametrize(
    ("text", "code", "row", "words"),
    [
        pytest.param("", "EMPTY", 0, "empty", id="nothing"),
        pytest.param(OUR_OWN.split("\n", 1)[0], "EMPTY", 1, "no rows", id="header alone"),
        pytest.param(OUR_OWN[:-12], "TRUNCATED", 3, "cut off", id="last row cut off"),
        pytest.param(changed(OUR_OWN, ",l2,", ',"l2,'), "TRUNCATED", 3, "no end", id="quote without end"),
        pytest.param(changed(OUR_OWN, ",l1,", ',"l"1,'), "QUOTING", 2, "quotation", id="quote inside"),
        pytest.param(changed(OUR_OWN, "100.00", "1,000.00"), "SHAPE", 2, "not quoted", id="thousands"),
        pytest.param(changed(OUR_OWN, "100.00", "100,00"), "SHAPE", 2, "not quoted", id="decimal comma"),
        pytest.param(changed(OUR_OWN, "100.00", "1e2"), "AMOUNT", 2, "gross", id="exponent"),
        pytest.param(changed(OUR_OWN, "100.00", "100.001"), "AMOUNT", 2, "digits", id="too many digits"),
        pytest.param(changed(OUR_OWN, "100.00", "9" * 20), "AMOUNT", 2, "more than", id="no such amount"),
        pytest.param(changed(OUR_OWN, "97.10", "97.11"), "AMOUNT", 2, "is not net", id="a cent"),
        pytest.param(changed(OUR_OWN, "USD,l2", "EUR,l2"), "CURRENCY", 3, "row 2", id="second currency"),
        pytest.param(OUR_OWN.replace("USD", "DOLLAR"), "CURRENCY", 2, "ISO 4217", id="no currency"),
        pytest.param(changed(OUR_OWN, ",l2,", ",l1,"), "DUPLICATE", 3, "row 2", id="a line twice"),
        pytest.param(OUR_OWN.replace("2026-03-04", "04.03.2026"), "DATE", 2, "date", id="other date"),
        pytest.param(changed(OUR_OWN, ",fee,", ",fees,"), "COLUMNS", 1, "fee", id="column missing"),
        pytest.param(changed(OUR_OWN, ",fee,", ",net,"), "COLUMNS", 1, "fee", id="column twice"),
        pytest.param("name,price\na,1\n", "UNKNOWN_KIND", 1, "docs/payout-csv.md", id="another file"),
        pytest.param(
            changed(report(), "usd,100.00", "eur,100.00"), "CURRENCY", 3, "USD", id="stripe currency"
        ),
        pytest.param(
            changed(report(), "po_SYN0304", ""), "SHAPE", 2, "automatic_payout_id", id="stripe no payout"
        ),
        pytest.param(ADYEN[: ADYEN.index("Shop,,,")], "TRUNCATED", 2, "MerchantPayout", id="adyen no payout"),
        pytest.param(ADYEN + ADYEN.split("\n")[1] + "\n", "DUPLICATE", 4, "row 2", id="adyen a row twice"),
        pytest.param(changed(AMAZON, "8,50", "8,51"), "TOTALS", 2, "851", id="amazon total"),
        pytest.param(changed(AMAZON, "-1,50", "-1.50"), "AMOUNT", 4, "-1.50", id="amazon both marks"),
        pytest.param(
            "\n".join([AMAZON.split("\n")[place] for place in (0, 2, 1, 3)]),
            "SHAPE",
            2,
            "sorted",
            id="amazon order",
        ),
        pytest.param(changed(BRAINTREE, "Sale", "Dispute"), "SHAPE", 2, "dispute", id="braintree type"),
        pytest.param(
            BRAINTREE.replace(
                "Settlement Currency", "Settlement Currency,Presentment Amount,Presentment Currency"
            ).replace("10.00,USD", "10.00,USD,10.01,USD"),
            "AMOUNT",
            2,
            "10.01",
            id="braintree cent",
        ),
        pytest.param(changed(BRAINTREE, "10.00", "-10.00"), "AMOUNT", 2, "sign", id="braintree sign"),
    ],
)
def test_each_fault_is_told_with_its_row(text: str, code: str, row: int, words: str) -> None:
    bad = refusal(text, "some file.csv")
    assert (bad.code, bad.row) == (code, row), bad
    assert words.lower() in bad.reason.lower()
    assert bad.sentence.startswith("some file.csv" + (f", row {row}: " if row else ": "))
    assert bad.sentence.endswith(".")


def test_what_adyen_keeps_beyond_the_fees_that_it_names_is_a_fee_too() -> None:
    wide = ADYEN.replace("Batch Number", "Payment Fees (NC),DCC Markup (NC),Batch Number").replace(
        ",7\n", ",,,7\n"
    )
    kept = changed(wide, "9.80,0.20,,,7", "9.50,0.20,,0.30,7").replace("9.80,,,,,7", "9.50,,,,,7")
    together = changed(wide, "9.80,0.20,,,7", "9.80,0.00,0.20,,7")
    for text, fee, parts in (
        (wide, 20, [("commission", 20)]),
        (kept, 50, [("commission", 20), ("other", 30)]),
        (together, 20, [("payment_fees", 20)]),
    ):
        (found,) = read_file(Document("drop/payouts", "x", text.encode(), WHEN), FileProfile())
        (line,) = found.lines
        assert (line.gross, line.fee, list(line.fee_parts)) == (1000, fee, parts)
        assert line.net == found.payout.amount


def test_rows_that_are_quoted_once_more_as_a_whole_are_told_as_such() -> None:
    twice = "\n".join('"' + line.replace('"', '""') + '"' for line in OUR_OWN.splitlines())
    assert refusal(twice).code == "QUOTING"
    assert refusal("\n".join(f'"{line}"' for line in AMAZON.splitlines())).code == "QUOTING"


def test_encodings_are_told_from_broken_ones() -> None:
    accented = changed(OUR_OWN, "refund", "rückgabe")
    for content in (accented.encode(), codecs.BOM_UTF8 + accented.encode(), accented.encode("utf-16")):
        (found,) = read_file(Document("drop/payouts", "x", content, WHEN), FileProfile())
        assert found.lines[1].category == "rückgabe"
    bad = refusal(accented.encode("latin-1"))
    assert (bad.code, bad.row) == ("ENCODING", 3)
    assert refusal(b"PK\x03\x04\x00\x00binary").code == "ENCODING"


def test_the_order_of_rows_changes_no_line_and_no_hash() -> None:
    head, *rows = report().splitlines()

    def read(lines: list[str]) -> dict[str, object]:
        text = "\n".join([head, *lines])
        (found,) = read_file(Document("drop/payouts", "x", text.encode(), WHEN), FileProfile())
        return {line.id: line for line in found.lines}

    assert read(rows) == read(rows[::-1])


def test_windows_line_ends_change_nothing() -> None:
    for text in (OUR_OWN, ADYEN, AMAZON, BRAINTREE):
        unix, windows = (
            read_file(Document("drop/payouts", "x", one.encode(), WHEN), FileProfile())
            for one in (text, text.replace("\n", "\r\n"))
        )
        assert unix == windows


def test_a_file_with_a_total_is_refused_wherever_it_is_cut_off() -> None:
    for text in (AMAZON, ADYEN):
        for place in range(len(text) - 1):
            refusal(text[:place])
