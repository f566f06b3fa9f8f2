"""Dagster's own tables, in the server that holds our state: what `dagster.yaml` names as its storage.

Put here how Dagster finds its database and how its tables come to be. Do not put here tables of ours. A
static `dagster.yaml` cannot name the socket of the embedded server, so this class asks the settings when it
is made: by `dagster dev`, by each of its child processes (webserver, daemon, run), by every other command.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import dagster
import sqlalchemy as sa
from dagster import Field
from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from bcns_pipeline.resources.dagster_pools import mend
from bcns_pipeline.settings import load_settings
from bcns_pipeline.state.engine import check_connection, database_url

DEFAULT_SCHEMA = "dagster"
_LOCK = 0x64616773  # "dags"; held while the tables are made
_QUESTIONS_ABOUT_TABLES = (
    *("has_table", "has_asset_key_col", "_has_asset_key_col_on_connection"),
    *("has_run_stats_index_cols", "has_backfill_id_column", "has_default_pool_limit_col"),
)
_prepared: set[tuple[str, str]] = set()
_preparing = threading.Lock()


class BcnsDagsterStorage(DagsterPostgresStorage):
    """dagster-postgres in a schema of the database of BCNS_DATABASE_URL, or of the embedded server.

    The embedded server is leased for the life of the process. The schema and its tables are made where they
    are missing; those of an older Dagster are migrated in the embedded server; elsewhere by `bcns migrate`.
    """

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """`schema`: which schema of the database is Dagster's (default `dagster`)."""
        return {"schema": Field(str, is_required=False, default_value=DEFAULT_SCHEMA)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "BcnsDagsterStorage":
        """Called by Dagster. Raises BadInput where the database cannot be had."""
        settings = load_settings()
        schema = config_value.get("schema", DEFAULT_SCHEMA)
        url = database_url(settings)
        _prepare_once(url, schema, upgrade=settings.database_url is None)
        # The tables are there, so each process is spared three looks at the catalogue.
        made = cls(storage_url(url, schema), should_autocreate_tables=False, inst_data=inst_data)
        for storage in (made.event_log_storage, made.run_storage):
            _look_once(storage)
        mend(made.event_log_storage, storage_url(url, schema))
        return made


def storage_url(url: str, schema: str = DEFAULT_SCHEMA) -> str:
    """`url` with `schema` as the only place where names are looked up and tables made."""
    parsed = sa.make_url(url)
    given = parsed.query.get("options", "")
    options = (
        f"{given} -csearch_path={schema}".strip() if isinstance(given, str) else f"-csearch_path={schema}"
    )
    query = {"application_name": "dagster", **parsed.query, "options": options}
    return parsed.set(query=query).render_as_string(hide_password=False)


def prepare_tables(url: str, schema: str = DEFAULT_SCHEMA, *, upgrade: bool = True) -> bool:
    """Make Dagster's tables where they are missing; bring older ones up to this version if `upgrade`.

    Idempotent, and safe in many processes at once. Returns whether anything was done. The schema carries the
    version that last did this as its comment, which costs one query to read. Raises BadInput where nobody answers.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    check_connection(engine)
    with engine.connect() as conn:
        if _version(conn, schema) == dagster.__version__:
            return False
        # A session lock: Dagster makes its tables on connections of its own.
        conn.execute(sa.text("select pg_advisory_lock(:key)"), {"key": _LOCK})
        before = _version(conn, schema)
        fresh = (
            conn.execute(sa.text("select to_regclass(:name)"), {"name": f"{schema}.runs"}).scalar() is None
        )
        if before == dagster.__version__ or not (fresh or upgrade):
            return False
        quoted = sa.quoted_name(schema, quote=True)
        name = conn.dialect.identifier_preparer.quote(quoted)
        if conn.execute(sa.text("select to_regnamespace(:name)"), {"name": name}).scalar() is None:
            conn.execute(sa.text(f"create schema {name}"))
        storage = DagsterPostgresStorage(storage_url(url, schema), should_autocreate_tables=True)
        if not fresh:
            _upgrade(storage)
        conn.execute(sa.text(f"comment on schema {name} is 'dagster {dagster.__version__}'"))
        return True


def _upgrade(storage: DagsterPostgresStorage) -> None:
    """What `dagster instance migrate` does, which wants a whole instance."""
    runs: Any = storage.run_storage
    runs.upgrade()
    runs.migrate()
    storage.event_log_storage.upgrade()
    storage.event_log_storage.reindex_assets()
    storage.schedule_storage.upgrade()
    storage.schedule_storage.migrate()


def _look_once(storage: Any) -> None:
    """Dagster asks the catalogue for its own columns with every event: 0.5 s of a run. They do not change."""
    for name in _QUESTIONS_ABOUT_TABLES:
        question = getattr(storage, name, None)
        if callable(question):
            setattr(storage, name, _once(question))


def _once(question: Callable[..., bool]) -> Callable[..., bool]:
    """The same answer for the same names, whichever connection is asked."""
    answers: dict[tuple[Any, ...], bool] = {}

    def ask(*about: Any) -> bool:
        names = tuple(one for one in about if not isinstance(one, sa.Connection))
        if names not in answers:
            answers[names] = question(*about)
        return answers[names]

    return ask


def _version(conn: sa.Connection, schema: str) -> str | None:
    comment = conn.execute(
        sa.text("select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = :name"),
        {"name": schema},
    ).scalar()
    return comment.removeprefix("dagster ") if comment else None


def _prepare_once(url: str, schema: str, *, upgrade: bool) -> None:
    with _preparing:
        if (url, schema) not in _prepared:
            prepare_tables(url, schema, upgrade=upgrade)
            _prepared.add((url, schema))
