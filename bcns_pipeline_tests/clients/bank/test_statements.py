"""Statements in four formats: each gives back what was written, and proves its own balances."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.clients.bank.kinds import read_statements
from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline_tests.clients.bank import render

WHEN = datetime(2026, 3, 5, tzinfo=UTC)
quick = settings(max_examples=30, deadline=None)
WORDS = st.text(st.sampled_from("abcXYZ019 <&"), min_size=2, max_size=40).map(
    lambda text: " ".join(text.split())
)
REFERENCES = st.text(st.sampled_from("ABC019"), min_size=1, max_size=12)


@st.composite
def statements(draw: st.DrawFn, codes: dict[int, str]) -> list[Statement]:
    """Statements that add up. `codes`: the bank's code by sign; a code for 0 marks a return."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        currency, day = (
            draw(st.sampled_from(["EUR", "USD", "JPY", "BHD"])),
            draw(st.dates(date(2026, 1, 1), date(2026, 12, 31))),
        )
        lines = []
        for amount in draw(st.lists(st.integers(-(10**9), 10**9).filter(bool), max_size=4)):
            returned = 0 in codes and draw(st.booleans())
            lines.append(
                BankLine(
                    id="",
                    account=f"ACCOUNT{number}",
                    currency=currency,
                    amount=amount,
                    booked_on=day,
                    value_date=day,
                    descriptor=draw(WORDS.filter(lambda text: len(text) > 1)),
                    references=(f"C{len(lines)}{draw(REFERENCES)}", f"B{draw(REFERENCES)}"),
                    returned=returned,
                    row_sha256="",
                    bank_code=codes[1 if amount > 0 else -1],
                )
            )
        opening = draw(st.integers(-(10**9), 10**9))
        made.append(
            Statement(
                account=f"ACCOUNT{number}",
                currency=currency,
                reference=f"REF{number}",
                lines=tuple(lines),
                opening=opening,
                closing=opening + sum(line.amount for line in lines),
                opened_on=day,
                closed_on=day,
            )
        )
    return made


def read(content: str | bytes, name: str = "statement") -> list[Statement]:
    raw = content.encode() if isinstance(content, str) else content
    found = read_statements(Document("drop/bank", name, raw, WHEN))
    assert len({line.id for one in found for line in one.lines}) == sum(len(one.lines) for one in found)
    bare = [tuple(replace(line, id="", row_sha256="") for line in one.lines) for one in found]
    return [replace(one, lines=lines) for one, lines in zip(found, bare, strict=True)]


@quick
@given(statements({1: "NTRF", -1: "NTRF", 0: ""}), st.sampled_from(["02", "08"]))
def test_camt_in_old_and_new_versions(drawn: list[Statement], version: str) -> None:
    assert read(render.camt(drawn, version)) == drawn


@quick
@given(statements({1: "NTRF", -1: "NMSC", 0: ""}))
def test_mt940(drawn: list[Statement]) -> None:
    assert read(render.mt940(drawn)) == drawn


@quick
@given(statements({1: "165", -1: "475"}))
def test_bai2(drawn: list[Statement]) -> None:
    wanted = [
        replace(
            one,
            reference=f"{one.closed_on:%Y%m%d}",
            lines=tuple(replace(line, value_date=None) for line in one.lines),
        )
        for one in drawn
    ]
    found = read(render.bai2(drawn))
    # A text that is continued in a second record is put together with one blank.
    plain = [[line.descriptor.replace(" ", "") for line in one.lines] for one in wanted]
    assert [[line.descriptor.replace(" ", "") for line in one.lines] for one in found] == plain
    assert [_without_text(one) for one in found] == [_without_text(one) for one in wanted]


def _without_text(one: Statement) -> Statement:
    return replace(one, lines=tuple(replace(line, descriptor="") for line in one.lines))


@quick
@given(statements({1: "", -1: "", 0: ""}))
def test_our_own_csv(drawn: list[Statement]) -> None:
    lines = [line for one in drawn for line in one.lines]
    assert [line for one in read(render.bank_csv(lines)) for line in one.lines] == lines


LINE = BankLine(
    id="",
    account="DE89370400440532013000",
    currency="EUR",
    amount=56763,
    booked_on=date(2026, 3, 4),
    value_date=date(2026, 3, 4),
    descriptor="STRIPE PAYOUT po1",
    references=("CUST1", "BANK1"),
    returned=False,
    row_sha256="",
    bank_code="NTRF",
)
SOUND = Statement(LINE.account, "EUR", "REF", (LINE, LINE), 0, 113526, date(2026, 3, 4), date(2026, 3, 4))
IN_AMERICA = replace(SOUND, lines=(replace(LINE, bank_code="165"),) * 2)


def raw(text: str) -> list[Statement]:
    return read_statements(Document("drop/bank", "statement", text.encode(), WHEN))


def test_the_same_movement_has_the_same_id_in_another_statement() -> None:
    for write in (render.camt, render.mt940):
        (one,), (two,) = raw(write([SOUND])), raw(write([replace(SOUND, reference="LATER")]))
        assert [line.id for line in one.lines] == [line.id for line in two.lines]
        assert one.lines[0].id + "-2" == one.lines[1].id
        assert one.lines[0].row_sha256 == one.lines[1].row_sha256 != ""


def test_pending_entries_are_left_out() -> None:
    text = render.camt([SOUND]).replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>", 1).replace("1135.26", "567.63")
    (found,) = raw(text)
    assert len(found.lines) == 1


def test_an_entry_without_a_booking_date_is_booked_on_its_value_date() -> None:
    (whole,) = raw(render.camt([SOUND]))
    text = re.sub(r"<BookgDt>.*?</BookgDt>", "", render.camt([SOUND]), count=1)
    (found,) = raw(text)
    assert found.lines[0].booked_on == whole.lines[0].value_date
    with pytest.raises(BadFile, match="no booking date"):
        raw(re.sub(r"<ValDt>.*?</ValDt>", "", text, count=1))


def test_a_return_is_known_by_its_code_or_its_reason() -> None:
    text = render.camt([SOUND])
    for old, new in (
        ("<Prtry><Cd>NTRF</Cd></Prtry>", "<Domn><Fmly><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn>"),
        ("</TxDtls>", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>"),
        ("<RvslInd>false", "<RvslInd>true"),
        ("<RvslInd>false", "<RvslInd>1"),
    ):
        (found,) = raw(text.replace(old, new, 1))
        assert [line.returned for line in found.lines] == [True, False]


def test_a_booking_on_the_other_side_of_new_year_has_the_right_year() -> None:
    line = replace(LINE, booked_on=date(2027, 1, 2), value_date=date(2026, 12, 31))
    (found,) = read(render.mt940([replace(SOUND, lines=(line,), closing=56763)]))
    assert found.lines == (line,)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param(render.camt([replace(SOUND, closing=113527)]), "TOTALS", "113527", id="camt balance"),
        pytest.param(render.camt([SOUND])[:-40], "TRUNCATED", "cut off", id="camt cut off"),
        pytest.param(
            render.camt([SOUND]).replace("DE89370400440532013000", ""), "SHAPE", "account", id="camt account"
        ),
        pytest.param(
            render.camt([SOUND]).replace('Ccy="EUR">567.63', 'Ccy="USD">567.63', 1),
            "CURRENCY",
            "USD",
            id="camt currency",
        ),
        pytest.param(
            render.camt([SOUND]).replace("567.63", "567.635", 1), "AMOUNT", "entry 1", id="camt digits"
        ),
        pytest.param(render.camt([SOUND]).replace("CRDT", "CREDIT"), "AMOUNT", "CRDT", id="camt side"),
        pytest.param("<Document><pain.001/></Document>", "UNKNOWN_KIND", "pain.001", id="other xml"),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;&b;">]>' + render.camt([SOUND]).split("\n")[1],
            "SHAPE",
            "document type",
            id="entities",
        ),
        pytest.param(
            '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + render.camt([SOUND]).split("\n")[1],
            "SHAPE",
            "document type",
            id="document type",
        ),
        pytest.param(
            render.mt940([replace(SOUND, closing=1)]), "TOTALS", "(minor units)", id="mt940 balance"
        ),
        pytest.param(render.mt940([SOUND]).split(":62F:")[0], "TRUNCATED", ":62F:", id="mt940 cut off"),
        pytest.param(
            render.mt940([SOUND]).replace("C567,63", "X567,63", 1), "SHAPE", "not MT940", id="mt940 mark"
        ),
        pytest.param(
            render.mt940([SOUND]).replace("NTRFCUST1", "", 1), "SHAPE", "2 lines", id="mt940 no type"
        ),
        pytest.param(render.bai2([IN_AMERICA]).rsplit("99,", 1)[0], "TRUNCATED", "99", id="bai2 cut off"),
        pytest.param(
            render.bai2([replace(IN_AMERICA, closing=1)]), "TOTALS", "closes with 1", id="bai2 balance"
        ),
        pytest.param("name;price\n1;2\n", "UNKNOWN_KIND", "docs/payout-csv.md", id="other file"),
        pytest.param(
            "account,currency,booked_on,amount,description\nA,EUR,2026-03-04,1.001,x\n",
            "AMOUNT",
            "digits",
            id="csv",
        ),
        pytest.param(
            "account,currency,booked_on,amount,text\nA,EUR,2026-03-04,1.00,x\n",
            "COLUMNS",
            "description",
            id="csv name",
        ),
        pytest.param(
            "account,currency,booked_on,amount,description,id\nA,EUR,2026-03-04,1.00,x,7\nA,EUR,2026-03-04,1.00,x,7\n",
            "DUPLICATE",
            "row 2",
            id="csv twice",
        ),
    ],
)
def test_what_a_statement_does_not_prove_is_refused(text: str, code: str, words: str) -> None:
    with pytest.raises(BadFile) as caught:
        raw(text)
    assert caught.value.code == code, caught.value
    assert words in caught.value.reason
    assert caught.value.file == "statement"


def test_bai2_with_a_changed_amount_or_a_missing_record_is_refused() -> None:
    text = render.bai2([IN_AMERICA])
    assert len(raw(text)[0].lines) == 2
    lines = text.splitlines()
    with pytest.raises(BadFile, match="control total"):
        raw(text.replace("16,165,56763", "16,165,56764", 1))
    for place in range(1, len(lines)):
        with pytest.raises(BadFile):
            raw("\n".join(lines[:place] + lines[place + 1 :]))


def test_western_code_pages_are_read_in_old_formats() -> None:
    line = replace(LINE, descriptor="GEBÜHR")
    (found,) = read(render.mt940([replace(SOUND, lines=(line,), closing=56763)]).encode("cp1252"))
    assert found.lines[0].descriptor == "GEBÜHR"


def test_a_statement_in_another_encoding_than_it_declares_is_refused() -> None:
    text = render.camt([replace(SOUND, lines=(replace(LINE, descriptor="GEBÜHR"),), closing=56763)])
    assert read(text)[0].lines[0].descriptor == "GEBÜHR"
    with pytest.raises(BadFile) as caught:
        read(text.encode("cp1252"))
    assert caught.value.code == "ENCODING"
    declared = text.replace("UTF-8", "windows-1252").encode("cp1252")
    assert read(declared)[0].lines[0].descriptor == "GEBÜHR"


def test_a_day_on_which_nothing_happened_is_no_fault() -> None:
    assert read("account,currency,booked_on,amount,description\n") == []
    quiet = replace(SOUND, lines=(), closing=0)
    for write in (render.camt, render.mt940, render.bai2):
        (found,) = read(write([quiet]))
        assert (found.opening, found.closing, found.lines) == (0, 0, ())
