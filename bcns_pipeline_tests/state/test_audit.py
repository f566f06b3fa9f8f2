"""The audit chain: whole when untouched, and pointing at the first row that somebody touched."""

from __future__ import annotations

import re
import threading
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from bcns_pipeline.state.audit import GENESIS, Head, row_hash
from bcns_pipeline.state.audit_verify import Broken, Verified
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.operations import Intent
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.state.stock_frames import FLOW, stage


@pytest.fixture
def state(engine: sa.Engine) -> State:
    return State(engine, "h1", run_id="run-1", data_key=b"k" * 32)


@pytest.fixture
def lived(state: State) -> State:
    """A state in which a batch was staged, sent and settled, a record created, and documents stored."""
    stage(state, [1, 2, 3], [5, 6, 7])
    with state.worker() as worker:
        batch = state.inventory.claim(worker, FLOW)
        assert batch is not None
        ends = ["confirmed", "refused", "confirmed"]
        state.inventory.settle(batch.operation, batch.lines["line"], [5, None, 7], ends)
        state.outbox.stage("orders", [Intent("sales_order", "bc-h1-order-1", {"total": 1999})])
    state.documents.store([NewDocument("netsuite", "levels", f"page-{n}", b"{}") for n in range(3)])
    assert isinstance(state.verify_audit(), Verified)
    return state


def as_owner(state: State, statement: str) -> None:
    """What only somebody who owns the database can do: get past the triggers."""
    with state.engine.begin() as conn:
        conn.execute(sa.text("set local session_replication_role = 'replica'"))
        changed = conn.exec_driver_sql(statement)
        assert changed.rowcount != 0


def broken(state: State, known_head: str | None = None) -> Broken:
    found = state.verify_audit(known_head)
    assert isinstance(found, Broken)
    return found


def seq_of(state: State, kind: str) -> int:
    return next(row.seq for row in state.audit.rows() if row.kind == kind)


@pytest.mark.parametrize("table", ["audit", "document"])
@pytest.mark.parametrize("verb", ["update", "delete", "truncate"])
def test_the_database_refuses_to_change_what_is_append_only(lived: State, table: str, verb: str) -> None:
    statement = {
        "update": f"update bcns.{table} set store = 'x'",
        "delete": f"delete from bcns.{table}",
        "truncate": f"truncate bcns.{table}",
    }[verb]
    with pytest.raises(DBAPIError, match="append-only"), lived.engine.begin() as conn:
        conn.execute(sa.text(statement))


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(body, '\"attempt\":1', '\"attempt\":2')",
        "actor = 'mallory'",
        "at = at + interval '1 microsecond'",
        "lines = lines + 1",
        "lines_digest = repeat('0', 64)",
        "hash = repeat('0', 64)",
        "previous_hash = repeat('0', 64)",
        "run_id = null",
    ],
)
def test_a_changed_row_is_named(lived: State, change: str) -> None:
    seq = seq_of(lived, "operation.sending")
    as_owner(lived, f"update bcns.audit set {change} where seq = {seq}")
    assert broken(lived).seq == seq


def test_a_row_rehashed_after_a_change_breaks_the_next_one(lived: State) -> None:
    seq = seq_of(lived, "operation.sending")
    (row,) = lived.audit.rows(after=seq - 1, limit=1)
    forged = asdict(row) | {"actor": "mallory"}
    as_owner(lived, f"update bcns.audit set actor='mallory', hash='{row_hash(forged)}' where seq={seq}")
    assert broken(lived).seq == seq + 1


def test_a_row_missing_in_the_middle_is_named(lived: State) -> None:
    as_owner(lived, "delete from bcns.audit where seq = 2")
    found = broken(lived)
    assert found.seq == 2
    assert "missing" in found.why


def test_a_missing_first_row_is_named(lived: State) -> None:
    as_owner(lived, "delete from bcns.audit where seq = 1")
    assert broken(lived).seq == 1


def test_a_cut_off_end_is_found_by_a_known_head(lived: State) -> None:
    head = lived.head_hash()
    last = Head.parse(head).seq
    as_owner(lived, f"delete from bcns.audit where seq > {last - 2}")
    assert isinstance(lived.verify_audit(), Verified)
    assert broken(lived, head).seq == last - 1


def test_a_chain_written_anew_is_found_by_a_known_head(lived: State) -> None:
    head = lived.head_hash()
    as_owner(lived, "delete from bcns.audit")
    for number in range(Head.parse(head).seq + 3):
        lived.audit.append(None, "forged", f"row:{number}")
    assert isinstance(lived.verify_audit(), Verified)
    assert broken(lived, head).seq == Head.parse(head).seq


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("new = new + 1", "operation.planned"),
        ("available = available + 0.00000001", "operation.planned"),
        ("sku = 'SKU-9'", "operation.planned"),
        ("old = 0", "operation.planned"),
        ("read_back = 4", "operation.confirmed"),
        ("outcome = 'refused'", "operation.confirmed"),
        ("pushed = null", "operation.confirmed"),
    ],
)
def test_one_changed_stock_line_breaks_the_row_that_proved_it(lived: State, change: str, kind: str) -> None:
    as_owner(lived, f"update bcns.inventory_change set {change} where line = 0")
    found = broken(lived)
    assert found.seq == seq_of(lived, kind)
    assert "digest" in found.why


def test_one_deleted_stock_line_breaks_the_row_that_proved_it(lived: State) -> None:
    as_owner(lived, "delete from bcns.inventory_change where line = 1")
    found = broken(lived)
    assert found.seq == seq_of(lived, "operation.planned")
    assert "of which 2 are there" in found.why


def test_a_changed_payload_breaks_the_row_that_staged_it(lived: State) -> None:
    as_owner(lived, "update bcns.operation set payload = '{\"total\": 1}' where kind = 'sales_order'")
    assert "payload" in broken(lived).why


@pytest.mark.parametrize("change", ["body = '\\x00'", "natural_key = 'x'"])
def test_a_changed_document_breaks_the_row_that_stored_it(lived: State, change: str) -> None:
    as_owner(lived, f"update bcns.document set {change} where natural_key = 'page-1'")
    assert broken(lived).seq == seq_of(lived, "document.stored")


def test_documents_dropped_by_retention_leave_the_chain_whole(lived: State) -> None:
    kept = lived.documents.store([NewDocument("bigcommerce", "orders", "o1", b"{}")])
    assert lived.documents.drop("levels", datetime.now(UTC) + timedelta(minutes=1)) == 3
    verified = lived.verify_audit()
    assert isinstance(verified, Verified)
    assert verified.dropped == 1
    assert lived.documents.load(kept[0]) == b"{}"
    with pytest.raises(DBAPIError, match="append-only"), lived.engine.begin() as conn:
        conn.execute(sa.text("delete from bcns.document"))


def test_rows_appended_at_the_same_time_leave_no_gap(state: State) -> None:
    def write(name: str) -> None:
        for number in range(20):
            state.audit.append(None, "test", f"{name}:{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verified = state.verify_audit()
    assert isinstance(verified, Verified)
    assert verified.rows == 80


def test_the_head_of_an_empty_chain_is_known(state: State) -> None:
    assert state.head_hash() == f"0:{GENESIS}"
    assert re.fullmatch(r"1:[0-9a-f]{64}", (state.audit.append(None, "k", "s"), state.head_hash())[1])
    assert isinstance(state.verify_audit(f"0:{GENESIS}"), Verified)
    with pytest.raises(ValueError, match="looks like"):
        state.verify_audit("nonsense")
