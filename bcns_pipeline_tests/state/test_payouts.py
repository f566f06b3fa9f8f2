"""Payouts as remembered: told twice, restated, moved, and the journals that are made of them.

Put here what must be true of the rows. Do not put rules of payouts here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.payouts.model import LineClass, Payout, PayoutLine, PayoutStatus
from bcns_pipeline.state.audit_verify import Broken, Verified
from bcns_pipeline.state.payout_models import BankRow, Journal, LineLink, Move, PayoutState, Received
from bcns_pipeline.state.store import State

DAY = date(2026, 3, 4)
NOW = datetime(2026, 3, 4, 6, tzinfo=UTC)
PAYOUT = Payout("stripe", "acct1", "po_1", "USD", 9_412, PayoutStatus.PAID, DAY, descriptor="STRIPE")
LINES = tuple(
    PayoutLine(
        f"txn_{n}", "charge", 100 + n, 4, 96 + n, "USD", LineClass.GROSS_SALES, references=(f"ch_{n}", "a\\b\tc"),
        raw_sha256="ab", occurred_at=NOW,
    )
    for n in range(60)
)  # fmt: skip


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "s", run_id="r", data_key=b"k" * 32)


def received(state: State, content: bytes = b"[1]", name: str = "page") -> Received:
    import hashlib

    mark = hashlib.sha256(content).hexdigest()
    return state.settlements.receive(content, mark, origin="stripe/api", name=name, fetched_at=NOW)


def taken(state: State, lines: tuple[PayoutLine, ...] = LINES) -> PayoutState:
    found, _ = state.payouts.note(PAYOUT, received(state))
    state.payouts.itemise(found, lines, [received(state, b"lines")], rows=len(lines) + 1)
    again = state.payouts.find("stripe", "acct1", "po_1")
    assert again is not None
    return again


def journal(state: PayoutState, **other: object) -> Journal:
    base = Journal(
        "psp-stripe-acct1-payout-po_1", "payout", "USD", 9_412, DAY, DAY,
        {"lines": [{"account": 1010, "debit": 9_412}, {"account": 1130, "credit": 9_412}]}, {"on": DAY.isoformat()},
        "f" * 64, "m", "v", payout=state.id,
    )  # fmt: skip
    return replace(base, **other)  # type: ignore[arg-type]


def test_bytes_are_kept_once_and_sealed_before_they_are_read(state: State) -> None:
    first, second = received(state, b"Jane Roe"), received(state, b"Jane Roe", "another name")
    assert first.fresh
    assert not second.fresh
    assert (second.document_id, second.name) == (first.document_id, "page")
    assert state.settlements.content(second) == b"Jane Roe"
    with state.engine.connect() as conn:
        held = conn.execute(
            sa.text("select body from bcns.document where id = :id"), {"id": first.document_id}
        )
        assert b"Jane" not in bytes(held.scalar_one())


def test_a_rejected_file_that_comes_again_may_be_taken_and_a_taken_one_stays_so(state: State) -> None:
    one = received(state)
    state.settlements.settle(one, "rejected", "page, row 3: no such currency.")
    assert state.settlements.known([one.sha256])[one.sha256].reason == "page, row 3: no such currency."
    state.settlements.settle(one, "taken")
    state.settlements.settle(one, "rejected", "later")
    assert state.settlements.known([one.sha256])[one.sha256].fate == "taken"


def test_a_payout_told_twice_is_one_and_a_new_status_is_news(state: State) -> None:
    first, news = state.payouts.note(PAYOUT, received(state))
    same, again = state.payouts.note(PAYOUT, received(state, b"[2]"))
    failed, changed = state.payouts.note(replace(PAYOUT, status=PayoutStatus.FAILED), received(state, b"[3]"))
    assert (first.id, news, again, changed) == (same.id, True, False, True)
    assert failed.source_status == "failed"
    # Only what brought news is evidence of it.
    told = state.payouts.documents(failed, role="list")
    assert [one.sha256 for one in told] == [received(state).sha256, received(state, b"[3]").sha256]


def test_lines_come_back_as_they_were_and_the_chain_proves_them(state: State) -> None:
    found = taken(state)
    assert tuple(one.line for one in state.payouts.lines(found)) == LINES
    assert state.payouts.reads(found).lines == LINES
    assert isinstance(state.verify_audit(), Verified)
    with state.engine.begin() as conn:
        conn.execute(sa.text("update bcns.payout_line set gross = gross + 1 where line = 7"))
    assert isinstance(state.verify_audit(), Broken)


def test_the_same_lines_from_other_bytes_are_no_news_and_other_lines_are_a_version(state: State) -> None:
    found = taken(state)
    same = state.payouts.itemise(found, LINES[::-1], [received(state, b"other bytes")], rows=61)
    assert (same.version, same.fresh, same.restated) == (1, False, False)
    other = state.payouts.itemise(found, LINES[1:], [received(state, b"restated")], rows=60)
    assert (other.version, other.restated) == (2, True)
    now = state.payouts.find("stripe", "acct1", "po_1")
    assert now is not None
    assert len(state.payouts.lines(now)) == 59
    assert len(state.payouts.lines(now, 1)) == 60


def test_a_line_of_two_payouts_is_found(state: State) -> None:
    found = taken(state)
    other, _ = state.payouts.note(replace(PAYOUT, id="po_2"), received(state))
    state.payouts.itemise(other, LINES[5:7], [received(state, b"two")], rows=2)
    assert state.payouts.elsewhere(found) == [("txn_5", "po_2"), ("txn_6", "po_2")]


def test_links_are_found_by_order_and_by_the_lines_own_id(state: State) -> None:
    found = taken(state)
    state.payouts.link(found, [LineLink(3, "refund", 1001, 77, "transaction", "bc-s-deposit-1001-77", 103)])
    ((of, line),) = state.payouts.of_order(1001)
    assert (of.id, line.number, line.step, line.carrying) == (found.id, 3, "transaction", 103)
    assert line.line.cls is LineClass.REFUND
    ((_, same),) = state.payouts.of_reference("txn_3")
    assert same == line


def test_statuses_move_with_their_reason_and_repeating_one_is_no_news(state: State) -> None:
    found = taken(state)
    assert state.payouts.move([Move(found.id, "held", "PAYOUT_UNMAPPED", "A new word.")]) == [found.id]
    assert state.payouts.move([Move(found.id, "held", "PAYOUT_UNMAPPED", "A new word.")]) == []
    assert state.payouts.move([Move(found.id, "mapped")]) == [found.id]
    assert [one.status for one in state.payouts.having(["mapped"])] == ["mapped"]
    assert state.payouts.having(["held"]) == []


def test_a_journal_may_be_planned_again_until_it_is_sent_and_never_after(state: State) -> None:
    found = taken(state)
    first = state.payouts.plan_journal(journal(found), {1: range(60), 2: [0, 1, 2, 9]})
    assert state.payouts.plan_journal(journal(found, body_sha256="e" * 64), {2: [0, 1, 2, 9]}) == first
    member = state.payouts.members(first)[2]
    assert (member.runs, member.count, 2 in member, 3 in member) == ([[0, 2], [9, 9]], 4, True, False)
    state.payouts.journal_sent("psp-stripe-acct1-payout-po_1", "501", None)
    with pytest.raises(ValueError, match="never changed"):
        state.payouts.plan_journal(journal(found), {})
    assert state.payouts.many([found.id])[found.id].journal_key == "psp-stripe-acct1-payout-po_1"


def test_a_reversal_takes_the_live_journal_away_and_a_new_version_comes_in_its_place(state: State) -> None:
    found, key = taken(state), "psp-stripe-acct1-payout-po_1"
    state.payouts.plan_journal(journal(found), {})
    state.payouts.journal_sent(key, "501", None)
    state.payouts.journal_read(key, number="JE7", approved=False, differences=[], touched={"created_by": 42})
    assert [one.natural_key for one in state.payouts.unapproved()] == [key]
    state.payouts.plan_journal(journal(found, natural_key=f"{key}-rev1", kind="reversal", reverses=key), {})
    state.payouts.journal_sent(f"{key}-rev1", "502", None)
    assert state.payouts.many([found.id])[found.id].journal_key is None
    taken_back = state.payouts.journal_of("JE7")
    assert taken_back is not None
    assert taken_back.reversed_by == f"{key}-rev1"
    state.payouts.plan_journal(journal(found, natural_key=f"{key}-v2", version=2), {})
    state.payouts.journal_sent(f"{key}-v2", "503", None)
    assert state.payouts.many([found.id])[found.id].journal_key == f"{key}-v2"


def test_a_movement_of_two_statements_is_one_and_is_matched_once(state: State) -> None:
    found = taken(state)
    row = BankRow("DE1", "e1", "USD", 9_412, DAY, None, "STRIPE", ("t1",), False, "r", "s1")
    assert state.bank.put([row, replace(row, line_id="e2")]) == 2
    assert state.bank.put([replace(row, sha256="s2")]) == 0
    state.bank.match(found.id, "DE1", "e1", "amount")
    assert [one.line_id for one in state.bank.lines(open_only=True)] == ["e2"]
    (matched,) = state.bank.lines(payout_number=found.id)
    assert (matched.line_id, matched.refs, matched.matched_by) == ("e1", ("t1",), "amount")
    assert state.bank.evidenced() == {"DE1": (DAY, DAY)}
