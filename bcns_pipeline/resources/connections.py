"""Everything that a run holds open: the merchant's settings and mapping, the state, and a client per system.

Put lifetime and configuration here: what is opened lazily, shared by the steps of a run, and closed with it.
Do not put a request, a query or a decision here. One resource and not five, because Dagster gives each parent
its own copy of a nested resource, and the steps of a run must share one token, one Gate and one Meter.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
from pydantic import PrivateAttr

from bcns_pipeline.clients.bigcommerce.client import BigCommerceClient
from bcns_pipeline.clients.bigcommerce.stock import BigCommerceStock
from bcns_pipeline.clients.files.folder import DropFolder
from bcns_pipeline.clients.files.written import write
from bcns_pipeline.clients.http.exchange import Timeouts
from bcns_pipeline.clients.http.pacing import QuotaPacer
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.mail import MailClient
from bcns_pipeline.clients.netsuite.client import NetSuiteClient
from bcns_pipeline.clients.netsuite.stock import NetSuiteStock
from bcns_pipeline.clients.payments.models import PayoutSource
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline.clients.posting import JsonPost
from bcns_pipeline.clients.slack import SlackClient
from bcns_pipeline.config import Mapping, load_or_default
from bcns_pipeline.outcomes import Lane, System
from bcns_pipeline.resources.failures import PermanentFailure
from bcns_pipeline.resources.interpreter import set_for_a_run
from bcns_pipeline.resources.settlements import SettlementReader, accounts_of, profile_of
from bcns_pipeline.rules.cash.policy import CashPolicy
from bcns_pipeline.rules.customers.policy import CustomerPolicy
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.orders.policy import OrderPolicy
from bcns_pipeline.rules.payouts.policy import PayoutPolicy
from bcns_pipeline.rules.shipments.policy import ShipmentPolicy
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.gate import PgGate, Share
from bcns_pipeline.state.opening import open_state, state_faults
from bcns_pipeline.state.store import State
from bcns_pipeline.state.usage import UsageMeter
from bcns_pipeline.state.worker import Worker

# BigCommerce names no cap for inventory reads; its quota per 30 s is what binds, and the pacing obeys that.
BIGCOMMERCE_SLOTS = 5
RESERVED_FOR_FAST_LANE = 1
# Of that quota; what can wait would else use up a window that orders are to be read in.
LEFT_BY_THE_LAST = 1 / 3
# Payouts are read one page after the other, what happened since a day several days at once; Stripe allows a hundred
# reads a second.
PAYMENT_SLOTS = 4
# What documents from a drop folder say of their origin.
PAYOUT_FILES = "drop/payouts"
BANK_FILES = "drop/bank"


class Connections(dg.ConfigurableResource):
    """One per run. `config_path` overrides `BCNS_CONFIG`; tests and the golden graph use it."""

    config_path: str | None = None
    # How long clients wait and how often they ask again; None is each client's own measure, which is the product's.
    _retry: ClassVar[RetryPolicy | None] = None
    _timeouts: ClassVar[Timeouts | None] = None
    _run_id: str = PrivateAttr(default="")
    _settings: Settings | None = PrivateAttr(default=None)
    _mapping: tuple[Mapping, list[str]] | None = PrivateAttr(default=None)
    _order_policy: OrderPolicy | None = PrivateAttr(default=None)
    _payout_policy: PayoutPolicy | None = PrivateAttr(default=None)
    _state: State | None = PrivateAttr(default=None)
    _planner: Worker | None = PrivateAttr(default=None)
    # What a step of this run computed and a later one may use; a step that runs alone computes it anew.
    _scratch: dict[str, Any] = PrivateAttr(default_factory=dict)
    _meter: UsageMeter = PrivateAttr(default_factory=UsageMeter)
    _gates: dict[Lane, PgGate] = PrivateAttr(default_factory=dict)
    _bigcommerce: dict[Lane, BigCommerceClient] = PrivateAttr(default_factory=dict)
    _netsuite: dict[Lane, NetSuiteClient] = PrivateAttr(default_factory=dict)
    _stripe: dict[str, StripeSource] = PrivateAttr(default_factory=dict)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Connections"]:
        """Remember the run, open nothing yet, and close with the run what was opened."""
        self._run_id = context.run.run_id if context.run else ""
        # Sensors tick in a process that lives for weeks, several at once: what holds for a run must not hold there.
        with set_for_a_run() if context.run else nullcontext():
            try:
                yield self
            finally:
                self.close()

    @property
    def settings(self) -> Settings:
        """The environment, typed. Raises PermanentFailure with a sentence per malformed variable."""
        if self._settings is None:
            with _faults_fail_the_step():
                self._settings = load_settings()
        return self._settings

    @property
    def mapping(self) -> Mapping:
        """The merchant's mapping; defaults where the file is missing or faulty (see `mapping_faults`)."""
        return self._read_mapping()[0]

    @property
    def mapping_faults(self) -> list[str]:
        """One sentence per fault of the mapping file; empty when it is sound."""
        return self._read_mapping()[1]

    @property
    def order_policy(self) -> OrderPolicy:
        """What the merchant decided about orders, ready for the rules."""
        if self._order_policy is None:
            self._order_policy = self.mapping.order_policy()
        return self._order_policy

    @property
    def customer_policy(self) -> CustomerPolicy:
        """What the merchant decided about customers, ready for the rules."""
        return self.mapping.customers.policy()

    @property
    def shipment_policy(self) -> ShipmentPolicy:
        """What the merchant wants shoppers to see of their parcels, ready for the rules."""
        return self.mapping.fulfilment.policy()

    @property
    def cash_policy(self) -> CashPolicy:
        """What the merchant decided about captures and billing, ready for the rules."""
        return self.mapping.cash_policy()

    @property
    def payout_policy(self) -> PayoutPolicy:
        """What the merchant decided about payouts, ready for the rules."""
        if self._payout_policy is None:
            self._payout_policy = self.mapping.payouts.policy()
        return self._payout_policy

    def require(self, *systems: str, orders: bool = False, cash: bool = False, payouts: bool = False) -> None:
        """Refuse before any I/O: raise PermanentFailure naming every fault of mapping and settings at once.

        `orders` adds what posting orders needs of the mapping file and stock does without; `cash` what booking
        captures needs beyond that; `payouts` what posting payouts needs.
        """
        faults = list(self.mapping_faults)
        if not faults:
            # Whoever waits for an alert that can't be sent waits in vain, and nothing says so.
            faults += self.mapping.alerts.faults()
            faults += self.mapping.cash_faults() if cash else self.mapping.order_faults() if orders else []
            faults += self.mapping.payout_faults() if payouts else []
        for system in systems:
            try:
                self.settings.require(system)
            except BadInput as bad:
                faults.extend(bad.faults)
        faults += state_faults(self.settings)
        if faults:
            # A malformed variable is the fault of every system that is asked for.
            raise PermanentFailure.of_faults(dict.fromkeys(faults))

    @property
    def state(self) -> State:
        """What we remember of this store. Raises PermanentFailure when it is another account's, or not migrated."""
        if self._state is None:
            with _faults_fail_the_step():
                account, store = self.settings.require("netsuite"), self.settings.require("bigcommerce")
                state = open_state(self.settings, store=store.store_hash, run_id=self._run_id)
                state.pin(account.account_id)
            self._state = state
        return self._state

    @property
    def planner(self) -> Worker:
        """In whose hands is what this run plans, until `let_go` or the end of the run. Raises WorkerLost."""
        if self._planner is None:
            self._planner = self.state.worker().__enter__()
        return self._planner

    def let_go(self) -> None:
        """What this run has planned is nobody's any more. Safe to call twice."""
        if self._planner is not None:
            self._planner.__exit__(None, None, None)
        self._planner = None

    @property
    def scratch(self) -> dict[str, Any]:
        """Results of earlier steps in this process, by name. Losing it costs time and nothing else."""
        return self._scratch

    @property
    def meter(self) -> UsageMeter:
        """Counts every outside call of this run."""
        return self._meter

    def bigcommerce(self, lane: Lane = Lane.BULK) -> BigCommerceClient:
        """The client of this store, held to the slots of `lane`."""
        if lane not in self._bigcommerce:
            account = self.settings.require("bigcommerce")
            self._bigcommerce[lane] = BigCommerceClient(
                base_url=account.base_url,
                store_hash=account.store_hash,
                access_token=account.access_token.get_secret_value(),
                gate=self._gate(lane),
                meter=self._meter,
                retry=self._retry,
                timeouts=self._timeouts,
                pacer=QuotaPacer(share=LEFT_BY_THE_LAST) if lane is Lane.LAST else None,
                order_metafields=self.mapping.order_policy().metafields,
            )
        return self._bigcommerce[lane]

    def netsuite(self, lane: Lane = Lane.BULK) -> NetSuiteClient:
        """The client of this account, held to the slots of `lane`; all threads share its token."""
        if lane not in self._netsuite:
            account = self.settings.require("netsuite")
            self._netsuite[lane] = NetSuiteClient(
                base_url=account.base_url,
                token_url=account.token_url,
                client_id=account.client_id,
                certificate_id=account.certificate_id,
                private_key_pem=account.private_key.get_secret_value(),
                gate=self._gate(lane),
                meter=self._meter,
                retry=self._retry,
                timeouts=self._timeouts,
            )
        return self._netsuite[lane]

    def stripe(self, account: str) -> StripeSource | None:
        """Stripe's payouts, as merchant account `account` in natural keys; None where no key is set."""
        if self.settings.stripe_api_key is None:
            return None
        if account not in self._stripe:
            with _faults_fail_the_step():
                settings = self.settings.require("stripe")
            self._stripe[account] = StripeSource(
                settings.base_url,
                settings.api_key.get_secret_value(),
                account=account,
                gate=self._gate(Lane.BULK),
                meter=self._meter,
                retry=self._retry,
                timeouts=self._timeouts,
            )
        return self._stripe[account]

    def payout_sources(self) -> list[PayoutSource]:
        """Providers that are asked by an API; those that only drop files are not among them."""
        stripe = self.stripe(accounts_of(self.mapping.payouts).get("stripe", "default"))
        return [] if stripe is None else [stripe]

    @property
    def settlement_reader(self) -> SettlementReader:
        """Reads what providers and banks sent, from bytes alone."""
        return SettlementReader(profile_of(self.mapping.payouts))

    def payout_files(self) -> DropFolder | None:
        """Where settlement files are dropped; None where no folder is set."""
        path = self.settings.payout_drop_dir
        return DropFolder(path, PAYOUT_FILES) if path else None

    def bank_files(self) -> DropFolder | None:
        """Where bank statements are dropped; None where no folder is set."""
        path = self.settings.bank_drop_dir
        return DropFolder(path, BANK_FILES) if path else None

    def write_report(self, name: str, content: bytes) -> Path:
        """Write a file of a report where the merchant keeps them; its path. Raises PermanentFailure."""
        path = (self.settings.report_dir or self.settings.home / "reports") / name
        try:
            write(path, content)
        except OSError as error:
            said = f"{path} can't be written: {error.strerror}; correct BCNS_REPORT_DIR, or free its disk."
            raise PermanentFailure(said) from None
        return path

    def stock(self, lane: Lane = Lane.BULK) -> NetSuiteStock:
        """NetSuite's stock. Twice as many streams as slots: while one reads its answer, another one asks."""
        inventory = self.mapping.inventory
        slots = self.settings.require("netsuite").concurrency
        streams = slots - min(RESERVED_FOR_FAST_LANE, slots - 1) if lane is Lane.BULK else slots
        return NetSuiteStock(
            self.netsuite(lane), sku_field=inventory.sku_field, source=inventory.source, parallel=2 * streams
        )

    def shop_stock(self, lane: Lane = Lane.BULK) -> BigCommerceStock:
        """BigCommerce's stock, read with as many streams as the lane has slots."""
        return BigCommerceStock(self.bigcommerce(lane), parallel=BIGCOMMERCE_SLOTS - RESERVED_FOR_FAST_LANE)

    def slack(self) -> SlackClient | None:
        """Where alerts go, or None when no webhook is configured (then the log is all there is)."""
        url = self.settings.slack_webhook_url
        return SlackClient(url.get_secret_value(), meter=self._meter) if url else None

    def alert_webhook(self) -> JsonPost | None:
        """Whoever takes alerts as JSON; None where none is configured."""
        url = self.settings.alert_webhook_url
        return JsonPost(url.get_secret_value(), what="alert webhook", meter=self._meter) if url else None

    def pager(self) -> JsonPost | None:
        """A pager's events; None without a routing key, which is a field of each event (`routing_key`)."""
        key = self.settings.pager_routing_key
        if key is None:
            return None
        return JsonPost(
            self.settings.pager_url, what="pager event", meter=self._meter, secrets=(key.get_secret_value(),)
        )

    def mail(self) -> MailClient | None:
        """The mail server; None where none is configured."""
        server = self.settings.mail_server
        return MailClient(server.get_secret_value()) if server else None

    def close(self) -> None:
        """Give everything back. Safe to call twice."""
        self.let_go()
        for client in (*self._bigcommerce.values(), *self._netsuite.values(), *self._stripe.values()):
            client.close()
        for gate in self._gates.values():
            gate.close()
        if self._state is not None:
            self._state.engine.dispose()
        self._bigcommerce, self._netsuite, self._gates, self._state = {}, {}, {}, None
        self._stripe = {}

    def _gate(self, lane: Lane) -> PgGate:
        if lane not in self._gates:
            slots = self.settings.require("netsuite").concurrency
            shares = {
                # A share of one has nothing to reserve: the fast lane then waits for one bulk call.
                System.NETSUITE: Share(slots=slots, reserved=min(RESERVED_FOR_FAST_LANE, slots - 1)),
                System.BIGCOMMERCE: Share(slots=BIGCOMMERCE_SLOTS, reserved=RESERVED_FOR_FAST_LANE),
                System.PAYMENTS: Share(slots=PAYMENT_SLOTS),
            }
            self._gates[lane] = self.state.gate(shares, lane)
        return self._gates[lane]

    def _read_mapping(self) -> tuple[Mapping, list[str]]:
        if self._mapping is None:
            self._mapping = load_or_default(Path(self.config_path or self.settings.config))
        return self._mapping


@contextmanager
def _faults_fail_the_step() -> Iterator[None]:
    try:
        yield
    except BadInput as bad:
        raise PermanentFailure.of_faults(bad.faults) from bad
