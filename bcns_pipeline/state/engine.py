"""From settings to a SQLAlchemy engine: which database, and how we connect to it.

Put here what is true of every connection of ours. Do not put here queries, tables or migrations. A database
address that cannot work is a `BadInput` with a sentence, and the sentence never carries the password.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.embedded import EmbeddedServer, Lease
from bcns_pipeline.state.scope import canonical

if TYPE_CHECKING:
    from bcns_pipeline.settings import Settings

_DRIVER = "postgresql+psycopg2"
_SHAPE = "write it as postgresql://user:password@host:5432/database"

_held: dict[Path, Lease] = {}
_holding = threading.Lock()
# What SQLAlchemy has once compiled stays with its engine, and a third of a short run's time would go into
# compiling the same statements anew.
_engines: dict[tuple[str, str, int], sa.Engine] = {}


def database_url(settings: Settings) -> str:
    """The URL of the state: the server named by BCNS_DATABASE_URL, or the embedded one.

    The lease of an embedded server is kept for the life of the process; later calls look whether it still
    answers, and bring it up again where it does not. Raises BadInput.
    """
    if settings.database_url:
        return outside_url(settings.database_url)
    return embedded_url(settings.home)


def outside_url(text: str) -> str:
    """`text` with the one driver that we and Dagster work with. Raises BadInput where it names another."""
    return _parse(text).render_as_string(hide_password=False)


def embedded_url(home: Path) -> str:
    """The URL of the embedded server of `home`, leased for the life of the process. Raises BadInput."""
    server, home = EmbeddedServer(home), home.absolute()
    with _holding:
        if home not in _held:
            _held[home] = server.acquire()
            return _held[home].url
        return server.ensure(_held[home])


def create_engine(url: str, *, application_name: str = "bcns", pool_size: int = 10) -> sa.Engine:
    """The engine of this process for `url`: its pool replaces connections that a restarted server left dead.

    Does not connect yet. Whoever is done disposes of it, which closes its idle connections; it opens new ones for
    whoever uses it next. `application_name` is what pg_stat_activity shows. Tables are named with their schema, so
    nothing depends on a search path; Decimals go into JSON exactly. Raises BadInput for a URL that is no
    PostgreSQL URL.
    """
    key = (url, application_name, pool_size)
    if key not in _engines:
        _engines[key] = _new_engine(_parse(url), application_name, pool_size)
    return _engines[key]


def _leave_connections_to_the_parent() -> None:
    for engine in _engines.values():
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_connections_to_the_parent)


def _new_engine(url: sa.URL, application_name: str, pool_size: int) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        json_serializer=canonical,
        connect_args={"application_name": application_name, "connect_timeout": 10},
    )
    sa.event.listen(engine, "connect", _in_utc)
    return engine


def _in_utc(connection: Any, _record: object) -> None:
    """The day of a moment is the same whatever zone the server, the role or PGTZ has as its own."""
    with connection.cursor() as cursor:
        cursor.execute("set time zone 'UTC'")
    connection.commit()


def check_connection(engine: sa.Engine) -> None:
    """Connect once. Raises BadInput with what the server or the network said."""
    try:
        with engine.connect() as conn:
            conn.execute(sa.text("select 1"))
    except OperationalError as error:
        # The driver's further lines are questions, such as whether the server is running.
        said = (str(error.orig).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        raise BadInput(
            [f"The database at {engine.url.render_as_string()} cannot be reached: {said}."]
        ) from error


def _parse(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise BadInput([f"BCNS_DATABASE_URL is not a database address: {_SHAPE}."]) from None
    if url.drivername == "postgres":
        url = url.set(drivername=_DRIVER)
    try:
        backend = url.get_backend_name()
    except NoSuchModuleError:
        backend = url.drivername
    if backend != "postgresql":
        raise BadInput([f"BCNS_DATABASE_URL names {backend}, but the state needs PostgreSQL: {_SHAPE}."])
    if not url.database:
        raise BadInput([f"BCNS_DATABASE_URL names no database: {_SHAPE}."])
    # With psycopg 3, Dagster's NOTIFY fails (facts/dagster.md B1).
    return url.set(drivername=_DRIVER)
