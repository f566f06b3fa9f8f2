"""Brings a database to the newest shape of schema `bcns`.

Put here when and how migrations run. Do not put here what they do: that is in `migrations/versions`, one file
a revision. All of an upgrade is one transaction under one lock, so a killed upgrade leaves nothing behind,
and of five processes that start together one migrates and four find it done.
"""

from __future__ import annotations

import functools
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.schema import SCHEMA

VERSION_TABLE = "alembic_version"
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x62636E73  # "bcns"; a transaction holds it while it migrates


def upgrade(engine: sa.Engine) -> bool:
    """Apply what is missing; True where something was. Idempotent, and safe in many processes at once."""
    with engine.begin() as conn:
        if current_revision(conn) == newest_revision():
            return False
        conn.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # Another process may have been first while we waited for the lock.
        before = current_revision(conn)
        if before == newest_revision():
            return False
        _refuse_unknown(before)
        command.upgrade(_config(conn), "head")
        return True


def ensure_current(engine: sa.Engine, embedded: bool) -> None:
    """Embedded: migrate by itself. An outside database is migrated by a person. Raises BadInput."""
    if embedded:
        upgrade(engine)
        return
    with engine.connect() as conn:
        found = current_revision(conn)
    _refuse_unknown(found)
    if found != newest_revision():
        has = f"has revision {found}" if found else "has no tables of ours yet"
        raise BadInput(
            [
                f"The database {engine.url.render_as_string()} {has}, and this version needs "
                f"{newest_revision()}: run `bcns migrate`."
            ]
        )


def current_revision(conn: sa.Connection) -> str | None:
    """The revision that the database is at; None where it was never migrated."""
    # Looked up first, because a query that fails would end the caller's transaction; and not by to_regclass,
    # which within a transaction goes on believing that another process has not yet made the table.
    there = sa.text("select 1 from pg_tables where schemaname = :schema and tablename = :table")
    if conn.execute(there, {"schema": SCHEMA, "table": VERSION_TABLE}).scalar() is None:
        return None
    version = sa.text(f"select version_num from {SCHEMA}.{VERSION_TABLE}")
    revision: str | None = conn.execute(version).scalar_one_or_none()
    return revision


def newest_revision() -> str:
    """The revision that this version of the code needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def migration_context(conn: sa.Connection) -> MigrationContext:
    """Alembic's view of `conn`, for comparing a database with `tables.py`."""
    options = {
        "version_table_schema": SCHEMA,
        "include_schemas": True,
        "include_name": _is_ours,
        "compare_server_default": True,
    }
    return MigrationContext.configure(conn, opts=options)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    if kind == "schema":
        return name == SCHEMA
    # The months of a partitioned table come and go without a migration.
    return kind != "table" or not (name == VERSION_TABLE or str(name).startswith("inventory_change_"))


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise BadInput(
            [f"The database is at revision {revision}, unknown to this version: run the newer version."]
        )


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS), version_locations=[str(_SCRIPTS / "versions")])


def _config(conn: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config
