"""Opens the state that the settings name: embedded or outside, migrated, with its data key.

Put here what has to be right before the first query. Do not put queries here.
"""

from __future__ import annotations

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings
from bcns_pipeline.state.crypto import resolve_data_key
from bcns_pipeline.state.engine import check_connection, create_engine, database_url, outside_url
from bcns_pipeline.state.migrate import ensure_current
from bcns_pipeline.state.store import State


def open_state(settings: Settings, *, store: str, run_id: str = "") -> State:
    """The state of `store` (a BigCommerce store hash).

    Raises BadInput where the database can't be reached, is not migrated (an outside one is migrated by a
    person, `bcns migrate`), or the data key is missing or malformed.
    """
    embedded = settings.database_url is None
    engine = create_engine(database_url(settings))
    if not embedded:
        check_connection(engine)
    ensure_current(engine, embedded)
    return State(engine, store, run_id=run_id, actor=settings.actor, data_key=_data_key(settings))


def state_faults(settings: Settings) -> list[str]:
    """What is wrong with the database's address and the data key as written; connects nowhere, makes no key."""
    faults: list[str] = []
    if settings.database_url is not None:
        try:
            outside_url(settings.database_url)
        except BadInput as bad:
            faults.extend(bad.faults)
    if settings.database_url is not None or settings.data_key is not None:
        try:
            _data_key(settings)
        except BadInput as bad:
            faults.extend(bad.faults)
    return faults


def _data_key(settings: Settings) -> bytes:
    configured = settings.data_key.get_secret_value() if settings.data_key else None
    return resolve_data_key(configured, settings.home, embedded=settings.database_url is None)
