"""Opens what we remember, for commands outside Dagster, and closes it with them.

Put lifetime here. Do not put queries or wording here, nor clients (`accounts.py`). Commands that only look at
what we remember need no credentials: the database itself says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings
from bcns_pipeline.state.crypto import resolve_data_key
from bcns_pipeline.state.engine import check_connection, create_engine, database_url
from bcns_pipeline.state.migrate import ensure_current
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import installation


@contextmanager
def opened_engine(settings: Settings) -> Iterator[sa.Engine]:
    """The database of these settings, reached and migrated. Raises BadInput."""
    engine = create_engine(database_url(settings), application_name="bcns cli")
    try:
        if settings.database_url is not None:
            check_connection(engine)
        ensure_current(engine, embedded=settings.database_url is None)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def remembered(settings: Settings, *, sealed: bool = False) -> Iterator[State]:
    """The state of the store that this database belongs to; `sealed` brings the key of personal data along.

    Raises BadInput where the database was never used, or belongs to another store than the settings name.
    """
    if settings.faults:
        raise BadInput(settings.faults)
    with opened_engine(settings) as engine:
        pinned = pinned_accounts(engine)
        named = settings.bigcommerce_store_hash
        if pinned is None:
            raise BadInput(
                [
                    "This database holds nothing yet: no flow has run on it. Run `bcns run inventory` "
                    "first, or set "
                    "BCNS_DATABASE_URL (or BCNS_HOME) to the database that was used."
                ]
            )
        if named and named != pinned[0]:
            raise BadInput(
                [
                    f"This database belongs to the BigCommerce store {pinned[0]}, but "
                    "BCNS_BIGCOMMERCE_STORE_HASH is "
                    f"{named}; set it back, or name the other store's database (BCNS_DATABASE_URL)."
                ]
            )
        key = _data_key(settings) if sealed else None
        yield State(engine, pinned[0], actor=settings.actor, data_key=key)


def _data_key(settings: Settings) -> bytes:
    configured = settings.data_key.get_secret_value() if settings.data_key else None
    return resolve_data_key(configured, settings.home, embedded=settings.database_url is None)


def pinned_accounts(engine: sa.Engine) -> tuple[str, str] | None:
    """(store hash, NetSuite account id) that the database belongs to; None before its first use."""
    with engine.connect() as conn:
        row = conn.execute(sa.select(installation.c.store, installation.c.netsuite_account)).one_or_none()
    return (row.store, row.netsuite_account) if row is not None else None
