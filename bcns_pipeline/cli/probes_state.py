"""What the doctor looks at in our own database, and what its memory proves about both accounts.

Put one function per probe here. Nothing is written: an outside database is not migrated, the accounts are not
pinned, and no data key is made. What an earlier run tried (a refused push) says what a read-only probe can't.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from bcns_pipeline.cli.connect import pinned_accounts
from bcns_pipeline.cli.console import age
from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe
from bcns_pipeline.cli.probes_bigcommerce import NEW_ACCOUNT
from bcns_pipeline.cli.queries import last_adjustment
from bcns_pipeline.state.crypto import resolve_data_key
from bcns_pipeline.state.engine import check_connection, create_engine, database_url
from bcns_pipeline.state.migrate import current_revision, newest_revision
from bcns_pipeline.state.store import State

BREAKER: Final = "INVENTORY_BREAKER"


def data_key(patient: Patient) -> Iterator[Finding]:
    """The key that wraps the keys of personal data. Raises BadInput where it is missing or malformed."""
    what, settings = "Data key", patient.settings
    embedded = settings.database_url is None
    if settings.data_key is None and embedded and not (settings.home / "data.key").exists():
        yield Finding(what, "none yet", "One is made under BCNS_HOME at the first run.")
        return
    resolve_data_key(
        settings.data_key.get_secret_value() if settings.data_key else None, settings.home, embedded=embedded
    )
    source = "BCNS_DATA_KEY" if settings.data_key else "the file under BCNS_HOME"
    yield Finding(
        what, f"32 bytes from {source}", "Personal data is encrypted at rest. Keep a copy of it elsewhere."
    )


def database(patient: Patient) -> Iterator[Finding]:
    """Reached, migrated, and of these two accounts; then what its memory proves. Raises BadInput."""
    what, settings = "Database", patient.settings
    embedded = settings.database_url is None
    engine = create_engine(database_url(settings), application_name="bcns doctor")
    try:
        check_connection(engine)
        where = "embedded" if embedded else engine.url.render_as_string()
        with engine.connect() as conn:
            found, needed = current_revision(conn), newest_revision()
        if found != needed:
            yield Finding(
                what,
                f"{where}, revision {found or 'none'} (needed: {needed})",
                "It is migrated at the first run." if embedded else "Runs refuse to start.",
                "" if embedded else "Run `bcns migrate`.",
                Level.OK if embedded else Level.BLOCKED,
            )
            return
        yield Finding(what, f"{where}, revision {found}", "Reached and up to date.")
        yield from _pinned(patient, engine)
    finally:
        engine.dispose()


def _pinned(patient: Patient, engine: sa.Engine) -> Iterator[Finding]:
    what, settings, pinned = "Accounts of the database", patient.settings, pinned_accounts(engine)
    if pinned is None:
        yield Finding(what, "none yet", "The first run ties it to the two accounts of the settings.")
        return
    ours = (settings.bigcommerce_store_hash or pinned[0], settings.netsuite_account_id or pinned[1])
    if ours != pinned:
        yield Finding(
            what,
            f"store {pinned[0]} and NetSuite {pinned[1]}; the settings name {ours[0]} and {ours[1]}",
            "Runs refuse to start: numbers of one account must not reach another.",
            "Set BCNS_BIGCOMMERCE_STORE_HASH and BCNS_NETSUITE_ACCOUNT_ID back, or name another "
            "BCNS_DATABASE_URL.",
            Level.BAD_INPUT,
        )
        return
    yield Finding(what, f"store {pinned[0]}, NetSuite {pinned[1]}", "The same as in the settings.")
    state = State(engine, pinned[0], actor=settings.actor)
    yield from _may_write(state)
    yield from _paused(state)


def _may_write(state: State) -> Iterator[Finding]:
    what = "BigCommerce stock writes"
    done, failed = last_adjustment(state, "confirmed"), last_adjustment(state, "failed")
    refused = failed is not None and any(
        text in (failed[1] or "") for text in ("403", "FORBIDDEN", "required scope")
    )
    if refused and failed is not None and (done is None or failed[0] > done[0]):
        yield Finding(
            what,
            f"the last push was refused {age(failed[0])} ago: {failed[1]}",
            "The token has store_inventory_read_only, not store_inventory.",
            NEW_ACCOUNT,
            Level.BLOCKED,
        )
    elif done is not None:
        yield Finding(what, f"a push was confirmed {age(done[0])} ago", "The scope store_inventory is there.")
    else:
        yield Finding(
            what,
            "not tried yet",
            "Whether store_inventory may also write shows at the first push: the doctor never writes.",
            "`bcns smoke inventory SKU` tries it with one unit.",
            Level.NOTE,
        )


def _paused(state: State) -> Iterator[Finding]:
    for one in state.exceptions.find(code=BREAKER):
        yield Finding(
            "Stock pushes",
            f"paused for {age(one.opened_at)}: {one.message}",
            "No stock is sent.",
            f"Look at the plan, then `bcns approve {one.id} --reason ...`.",
            Level.BLOCKED,
        )


PROBES: Final = (Probe("Database", database, needed=True), Probe("Data key", data_key, needed=True))
