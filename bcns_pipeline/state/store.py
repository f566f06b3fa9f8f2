"""The door to everything that is remembered of one store.

Put wiring here, and what concerns the whole database: the pin of the two accounts, the head of the chain. Do
not put queries over single tables here. Making a `State` does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from bcns_pipeline.outcomes import Lane, System
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.audit import Audit, Head
from bcns_pipeline.state.audit_verify import Broken, Verified, verify
from bcns_pipeline.state.bank import Bank
from bcns_pipeline.state.cash import Cash
from bcns_pipeline.state.clearing_evidence import ClearingEvidence
from bcns_pipeline.state.crypto import Vault
from bcns_pipeline.state.cursors import Cursors
from bcns_pipeline.state.documents import Documents
from bcns_pipeline.state.exceptions import Exceptions
from bcns_pipeline.state.gate import PgGate, Share
from bcns_pipeline.state.inbox import Inbox
from bcns_pipeline.state.inventory import Inventory
from bcns_pipeline.state.kits import Kits
from bcns_pipeline.state.links import Links
from bcns_pipeline.state.merges import Merges
from bcns_pipeline.state.orders import OrderStates
from bcns_pipeline.state.outbox import Outbox
from bcns_pipeline.state.payouts import Payouts
from bcns_pipeline.state.plans import Plans
from bcns_pipeline.state.refunds import Refunds
from bcns_pipeline.state.scope import Scope
from bcns_pipeline.state.settlements import Settlements
from bcns_pipeline.state.tables import installation
from bcns_pipeline.state.usage import UsageLedger
from bcns_pipeline.state.worker import Worker


class State:
    """What we remember of one store, in the name of one run and actor.

    `data_key` (32 bytes, `crypto.resolve_data_key`) is needed only where personal data is stored or read.
    """

    def __init__(
        self,
        engine: sa.Engine,
        store: str,
        *,
        run_id: str = "",
        actor: str = "bcns",
        data_key: bytes | None = None,
    ) -> None:
        scope = Scope(engine, store, run_id, actor, data_key)
        self.engine = engine
        self.store = store
        self.scope = scope
        self.audit = Audit(scope)
        self.vault = Vault(scope, self.audit)
        self.outbox = Outbox(scope, self.audit, self.vault)
        self.plans = Plans(scope, self.audit, self.vault, self.outbox)
        self.inventory = Inventory(scope, self.audit, self.outbox, self.plans)
        self.kits = Kits(scope)
        self.links = Links(scope, self.audit)
        self.exceptions = Exceptions(scope, self.audit)
        self.documents = Documents(scope, self.audit, self.vault)
        self.cursors = Cursors(scope)
        self.inbox = Inbox(scope)
        self.orders = OrderStates(scope, self.audit)
        self.cash = Cash(scope, self.audit)
        self.merges = Merges(scope, self.audit)
        self.refunds = Refunds(scope, self.audit)
        self.settlements = Settlements(scope, self.audit, self.vault, self.documents)
        self.payouts = Payouts(scope, self.audit)
        self.bank = Bank(scope, self.audit)
        self.clearing = ClearingEvidence(scope, self.audit)
        self.usage = UsageLedger(scope)

    def worker(self) -> Worker:
        """A worker to be entered: `with state.worker() as worker:`."""
        return Worker(self.engine)

    def gate(self, shares: Mapping[System, Share], lane: Lane = Lane.BULK) -> PgGate:
        """The Gate of one lane; connects at its first use. Close it at the end of the step."""
        return PgGate(self.engine, self.store, shares, lane)

    def pin(self, netsuite_account: str) -> None:
        """Tie this database to its two accounts at first use; `BadInput` where it belongs to others."""
        insert = sa.dialects.postgresql.insert(installation).values(
            store=self.store, netsuite_account=netsuite_account
        )
        with self.engine.begin() as conn:
            fresh = conn.execute(
                insert.on_conflict_do_nothing().returning(installation.c.store)
            ).one_or_none()
            if fresh is not None:
                body = {"store": self.store, "netsuite_account": netsuite_account}
                self.audit.append(conn, "installation.pinned", f"store:{self.store}", body)
            pinned = conn.execute(sa.select(installation)).one()
        faults = []
        if pinned.store != self.store:
            faults.append(
                f"This database belongs to the BigCommerce store {pinned.store}, but "
                f"BCNS_BIGCOMMERCE_STORE_HASH is {self.store}; set it back, or give the other store a "
                "database of its own (BCNS_DATABASE_URL)."
            )
        if pinned.netsuite_account != netsuite_account:
            faults.append(
                f"This database belongs to the NetSuite account {pinned.netsuite_account}, but "
                f"BCNS_NETSUITE_ACCOUNT_ID is {netsuite_account}; set it back, or give the other account a "
                "database of its own (BCNS_DATABASE_URL)."
            )
        if faults:
            raise BadInput(faults)

    def now(self) -> datetime:
        """The database's clock (UTC), which also dates what we remember."""
        with self.engine.connect() as conn:
            now: datetime = conn.execute(sa.func.clock_timestamp().select()).scalar_one()
        return now.astimezone(UTC)

    def head_hash(self) -> str:
        """The end of the audit chain as "seq:hash", for each run's metadata."""
        return str(self.audit.head())

    def verify_audit(self, known_head: str | None = None) -> Verified | Broken:
        """Recompute the chain; `known_head` is what an earlier run's metadata shows."""
        return verify(self.engine, Head.parse(known_head) if known_head else None)
