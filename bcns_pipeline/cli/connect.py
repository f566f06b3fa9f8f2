"""Opens what a command needs outside Dagster: settings, mapping, the state, a client per system.

Put lifetime here. Do not put requests, queries or wording here. Commands that only look at what we remember
need no credentials: the database itself says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Headers
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import sqlalchemy as sa

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.pacing import QuotaPacer
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.outcomes import System
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import BigCommerceAccount, NetSuiteAccount, Settings
from bcns_pipeline.state.engine import check_connection, create_engine, database_url
from bcns_pipeline.state.migrate import ensure_current
from bcns_pipeline.state.store import State
from bcns_pipeline.state.tables import installation
from bcns_pipeline.state.usage import UsageMeter

# A person waits: a system that does not answer within half a minute is reported, not waited for.
PATIENCE = RetryPolicy(attempts=4, base_seconds=0.5, cap_seconds=5.0, total_seconds=20.0)
QUICK = Timeouts(connect=5.0, read=20.0, write=20.0, pool=20.0)
_QUOTA = ("x-rate-limit-requests-quota", "x-rate-limit-requests-left", "x-rate-limit-time-window-ms")


class OneByOne:
    """The Gate of a command that sends one request after the other, and works without a database."""

    def admit(self, system: System) -> AbstractContextManager[None]:  # noqa: ARG002 - the Gate's own signature
        """Never waits."""
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Quota:
    """BigCommerce's rate headers: requests per window, what is left of them, the window in milliseconds."""

    requests: int
    left: int
    window_ms: int


class WatchingPacer(QuotaPacer):
    """Paces as always, and remembers what the last answer said of the quota."""

    def __init__(self) -> None:
        super().__init__()
        self.quota: Quota | None = None

    def observe(self, headers: Headers[str, str], now: float) -> None:
        """Keep the three figures where all are there."""
        super().observe(headers, now)
        found = [headers.get(name, "") for name in _QUOTA]
        if all(text.isdigit() for text in found):
            self.quota = Quota(*map(int, found))


def bigcommerce_client(
    account: BigCommerceAccount, *, pacer: WatchingPacer | None = None, client: HttpClient | None = None
) -> BigCommerceClient:
    """A client that gives up early."""
    return BigCommerceClient(
        base_url=account.base_url,
        store_hash=account.store_hash,
        access_token=account.access_token.get_secret_value(),
        gate=OneByOne(),
        meter=UsageMeter(),
        retry=PATIENCE,
        timeouts=QUICK,
        pacer=pacer,
        client=client,
    )


def netsuite_client(
    account: NetSuiteAccount, *, scope_form: str = "list", client: HttpClient | None = None
) -> NetSuiteClient:
    """A client that gives up early."""
    return NetSuiteClient(
        base_url=account.base_url,
        token_url=account.token_url,
        client_id=account.client_id,
        certificate_id=account.certificate_id,
        private_key_pem=account.private_key.get_secret_value(),
        gate=OneByOne(),
        meter=UsageMeter(),
        scope_form=scope_form,
        retry=PATIENCE,
        timeouts=QUICK,
        client=client,
    )


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
def remembered(settings: Settings) -> Iterator[State]:
    """The state of the store that this database belongs to, without the key of personal data.

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
        yield State(engine, pinned[0], actor=settings.actor)


def pinned_accounts(engine: sa.Engine) -> tuple[str, str] | None:
    """(store hash, NetSuite account id) that the database belongs to; None before its first use."""
    with engine.connect() as conn:
        row = conn.execute(sa.select(installation.c.store, installation.c.netsuite_account)).one_or_none()
    return (row.store, row.netsuite_account) if row is not None else None
