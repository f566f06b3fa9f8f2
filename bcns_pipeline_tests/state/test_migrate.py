"""Migrations: they make exactly `tables.py`, once, and what is append-only stays so.

Put here what concerns the shape of the database. Do not put here what is done with the tables.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from sqlalchemy.exc import IntegrityError

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state import finance
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.links import Link
from bcns_pipeline.state.migrate import (
    _config,
    ensure_current,
    migration_context,
    newest_revision,
    upgrade,
)
from bcns_pipeline.state.partitions import ensure_partitions
from bcns_pipeline.state.schema import SCHEMA
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import metadata

# With what Alembic's own comparison leaves out: checks, identities, sequences, the order of columns.
CATALOGUE = """
select 'column', attrelid::regclass::text, attnum::text || ' ' || attname,
       format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attidentity::text
       || coalesce(pg_get_expr(adbin, adrelid), '')
  from pg_attribute join pg_class c on c.oid = attrelid and relkind in ('r', 'p')
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
 where relnamespace = 'bcns'::regnamespace and attnum > 0 and relname <> 'alembic_version'
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
  from pg_constraint
 where connamespace = 'bcns'::regnamespace and conrelid::regclass::text !~ 'alembic_version'
union all
select 'index', tablename, indexname, indexdef
  from pg_indexes where schemaname = 'bcns' and tablename !~ 'alembic'
union all
select 'sequence', '', sequencename, start_value::text || increment_by
  from pg_sequences where schemaname = 'bcns'
union all
select 'partitioned', relname, '', pg_get_partkeydef(oid) from pg_class
 where relnamespace = 'bcns'::regnamespace and relkind = 'p'
order by 1, 2, 3
"""


@pytest.fixture
def blank(blank_database: str) -> sa.Engine:
    """An engine on a database without any table."""
    return sa.create_engine(blank_database, poolclass=sa.NullPool)


def catalogue(engine: sa.Engine) -> list[tuple[str, ...]]:
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(sa.text(CATALOGUE))]


def test_alembic_sees_no_difference_to_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert compare_metadata(migration_context(conn), metadata) == []


def test_the_catalogue_is_that_of_the_tables(engine: sa.Engine, blank: sa.Engine) -> None:
    with blank.begin() as conn:
        conn.execute(sa.text(f"create schema {SCHEMA}"))
        metadata.create_all(conn)
    assert catalogue(engine) == catalogue(blank)


def test_rows_of_the_inventory_state_have_room_to_be_updated_in_place(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        options = conn.scalar(
            sa.text("select reloptions from pg_class where oid = 'bcns.inventory_state'::regclass")
        )
    assert options == ["fillfactor=50"]


def test_what_became_of_one_record_is_found_by_an_index(engine: sa.Engine) -> None:
    """As `bcns explain` and each read-back ask; without an index they would read every write that ever was."""
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "insert into bcns.operation (store, flow, kind, natural_key, run_id, payload, state) "
            "select 's', 'orders', 'sales_order', 'k' || n, 'r', '{}', 'confirmed' from generate_series(1, 5000) n; "
            "insert into bcns.exception (store, flow, code, subject, message, severity, owner) "
            "select 's', 'orders', 'C', 'order:' || n, '', 'error', 'o' from generate_series(1, 5000) n; "
            "analyze bcns.operation, bcns.exception"
        )
        for question in (
            "operation where natural_key = any('{k7,k8}')",
            "exception where subject = 'order:7'",
        ):
            plan = conn.exec_driver_sql(f"explain select * from bcns.{question} and store = 's'").scalars()
            assert "Seq Scan" not in "".join(plan), question


def test_a_second_upgrade_does_nothing(blank: sa.Engine) -> None:
    assert upgrade(blank)
    assert not upgrade(blank)


def test_a_database_of_the_first_revision_keeps_what_it_has(blank: sa.Engine) -> None:
    with blank.begin() as conn:
        command.upgrade(_config(conn), "0001")
        conn.execute(sa.text(OLD_ROWS))
    with pytest.raises(BadInput, match="has revision 0001"):
        ensure_current(blank, embedded=False)
    assert upgrade(blank)
    assert catalogue(blank) == catalogue_of_tables(blank)
    state = State(blank, "s")
    found = state.links.find("item", "11")
    assert found is not None
    assert (found.netsuite_id, found.label) == ("1", "A")
    state.links.put("item", [Link("1", "12"), Link("2", "11")])
    assert state.links.get("item", "1") == state.links.find("item", "12")
    (op,) = state.outbox.find(states=("planned",))
    assert (op.natural_key, op.group_key, op.amount_minor) == ("k", None, None)
    (question,) = state.exceptions.find()
    assert question.assigned_to is None
    with pytest.raises(IntegrityError, match="append-only"), blank.begin() as conn:
        conn.execute(sa.text("delete from bcns.document"))


def test_lines_that_were_on_their_way_under_an_older_version_are_still(blank: sa.Engine) -> None:
    with blank.begin() as conn:
        command.upgrade(_config(conn), "0012")
        ensure_partitions(conn, datetime(2026, 11, 2, tzinfo=UTC))
        conn.execute(sa.text(OLD_MARKS))
    assert upgrade(blank)
    state = State(blank, "s")
    (op,) = state.outbox.find()
    lines = state.inventory.lines(op)
    assert (lines["outcome"].tolist(), lines["pushed"].tolist()) == (["pushed", "superseded"], [5, pd.NA])
    assert state.inventory.settle(op, [0], [5], ["confirmed"]).state == "confirmed"


def test_what_an_older_version_did_not_read_is_not_known_until_it_is_looked_at_again(
    blank: sa.Engine,
) -> None:
    with blank.begin() as conn:
        command.upgrade(_config(conn), "0016")
        conn.execute(sa.text(OLD_ORDER))
    assert upgrade(blank)
    state, days = State(blank, "s"), (date(2026, 11, 1), date(2026, 12, 1))

    def customers() -> list[str]:
        return [row["customer"] for row in finance.rows(state, "unapplied", *days)[1]]

    assert customers() == ["not known"]
    (row,) = finance.rows(state, "stored-value-holders", *days)[1]
    assert (row["holder"], row["not_booked_minor"], row["balance_minor"]) == ("not known", 30, None)
    state.orders.belong({1001: 4711, 1002: 4712})
    assert customers() == ["4711"]


def catalogue_of_tables(beside: sa.Engine) -> list[tuple[str, ...]]:
    """The catalogue that `tables.py` makes, in a transaction that leaves nothing behind."""
    with beside.connect() as conn, conn.begin() as transaction:
        conn.execute(sa.text(f"drop schema {SCHEMA} cascade"))
        conn.execute(sa.text(f"create schema {SCHEMA}"))
        metadata.create_all(conn)
        found = [tuple(row) for row in conn.execute(sa.text(CATALOGUE))]
        transaction.rollback()
    return found


OLD_MARKS = """
insert into bcns.operation (store, flow, kind, natural_key, run_id, payload, state, attempts)
    values ('s', 'inventory', 'inventory_adjustment', 'k', 'r',
        '{"plan_id": 1, "planned_at": "2026-11-02T00:00:00+00:00", "from_line": 0, "to_line": 1}', 'ambiguous', 1);
insert into bcns.inventory_change (plan_id, line, planned_at, store, item_id, sku, product_id, variant_id, tracking,
    location_id, rule, new, reason, read_seq, outcome, pushed)
    values (1, 0, '2026-11-02 00:00Z', 's', 1, 'A', 1, 1, 'variant', 1, 'available', 5, 'changed', 1, 'pushed', 5),
        (1, 1, '2026-11-02 00:00Z', 's', 2, 'B', 2, 2, 'variant', 1, 'available', 6, 'changed', 1, 'superseded', null);
"""
OLD_ORDER = """
insert into bcns.order_state (store, order_id, placed_at, modified_at, day, channel_id, source, status_id, currency,
        total_minor, lines, content_hash, disposition, netsuite_id)
    values ('s', 1001, '2026-11-02 12:00Z', '2026-11-02 12:00Z', '2026-11-02', 1, 'www', 11, 'USD', 100, '[]', 'h',
        'posted', '91');
insert into bcns.cash_record (store, natural_key, order_id, transaction_id, kind, netsuite_id, currency, amount_minor,
        day, origin, read_open_minor)
    values ('s', 'k', 1001, 7, 'deposit', '92', 'USD', 100, '2026-11-02', 'created', 100);
insert into bcns.tender (store, transaction_id, order_id, event, method, gateway, amount_minor, currency, status, test)
    values ('s', 8, 1001, 'purchase', 'store_credit', 'storecredit', 30, 'USD', 'ok', false);
"""
OLD_ROWS = """
insert into bcns.link (store, kind, netsuite_id, bigcommerce_id, label, origin)
    values ('s', 'item', '1', '11', 'A', 'sku'), ('s', 'item', '2', '12', 'B', 'sku');
insert into bcns.operation (store, flow, kind, natural_key, run_id, payload, state)
    values ('s', 'inventory', 'inventory_adjustment', 'k', 'r', '{}', 'planned');
insert into bcns.exception (store, flow, code, severity, owner, subject, message)
    values ('s', 'inventory', 'SKU_STALE', 'error', 'operations', 'sku:A', 'why');
insert into bcns.document (store, source, kind, natural_key, content_hash, encoding, body)
    values ('s', 'netsuite', 'k', 'n', '', 'json+zlib', '');
"""


def test_of_five_that_start_together_one_migrates(blank_database: str) -> None:
    engines = [create_engine(blank_database) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(upgrade, engines))
    for engine in engines:
        engine.dispose()
    assert sorted(done) == [False] * 4 + [True]


def test_an_embedded_database_is_migrated_by_itself(blank: sa.Engine) -> None:
    ensure_current(blank, embedded=True)
    ensure_current(blank, embedded=False)


def test_an_outside_database_waits_for_a_person(blank: sa.Engine) -> None:
    with pytest.raises(BadInput, match="run `bcns migrate`"):
        ensure_current(blank, embedded=False)


def test_the_database_of_a_newer_version_is_left_alone(blank: sa.Engine) -> None:
    upgrade(blank)
    with blank.begin() as conn:
        conn.execute(sa.text("update bcns.alembic_version set version_num = '9999'"))
    for embedded in (True, False):
        with pytest.raises(BadInput, match="9999"):
            ensure_current(blank, embedded=embedded)


def test_a_password_is_in_no_sentence(blank_database: str) -> None:
    engine = create_engine(str(sa.make_url(blank_database).set(password="s3cret").render_as_string(False)))
    with pytest.raises(BadInput) as bad:
        ensure_current(engine, embedded=False)
    engine.dispose()
    assert "s3cret" not in str(bad.value)
    assert newest_revision() in str(bad.value)


AUDIT = "insert into bcns.audit values (1, now(), 's', 'a', 'k', 's', null, '{}', 0, null, '', 'h')"
DOCUMENT = (
    "insert into bcns.document (store, source, kind, natural_key, content_hash, encoding, body) "
    "values ('s', 'netsuite', 'k', 'n', '', 'json+zlib', '')"
)


@pytest.mark.parametrize("table", ["audit", "document"])
@pytest.mark.parametrize("change", ["update {} set store = 't'", "delete from {}", "truncate {}"])
def test_what_is_append_only_refuses_changes(engine: sa.Engine, table: str, change: str) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text(AUDIT if table == "audit" else DOCUMENT))
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as conn:
        conn.execute(sa.text(change.format(f"bcns.{table}")))


def test_retention_may_delete_documents_and_nothing_else(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text(AUDIT))
        conn.execute(sa.text(DOCUMENT))
        conn.execute(sa.text("set local bcns.retention = 'on'"))
        assert conn.execute(sa.text("delete from bcns.document")).rowcount == 1
        conn.execute(sa.text(DOCUMENT))
    for refused in ("update bcns.document set store = 't'", "delete from bcns.audit"):
        with engine.connect() as conn:
            conn.execute(sa.text("set local bcns.retention = 'on'"))
            with pytest.raises(IntegrityError, match="append-only"):
                conn.execute(sa.text(refused))
