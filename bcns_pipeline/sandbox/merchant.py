"""One merchant: the doubles over one generated world, and the environment that points a pipeline at them.

Put what concerns several systems at once here. Do not put HTTP here. Neither shop nor NetSuite looks into the
other: an order lowers the shop's stock, and NetSuite hears of it only when it is told. The payment providers see
what the shop captured and refunded through them.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.bank.book import Bank
from bcns_pipeline.sandbox.bigcommerce.app import BigCommerce
from bcns_pipeline.sandbox.bigcommerce.state import Store
from bcns_pipeline.sandbox.clock import Clock
from bcns_pipeline.sandbox.netsuite.app import ZONE, NetSuite
from bcns_pipeline.sandbox.netsuite.oauth import TOKEN_PATH, make_client
from bcns_pipeline.sandbox.options import Options
from bcns_pipeline.sandbox.payments.drops import Drops
from bcns_pipeline.sandbox.payments.stripe.app import Stripe
from bcns_pipeline.sandbox.payments.treasury import Treasury
from bcns_pipeline.sandbox.service import Shared
from bcns_pipeline.sandbox.world import World, make_world

STORE_HASH = "sandbox1"
ACCOUNT_ID = "TSTDRV1234567"
CLIENT_ID = "f1d0c0ffee" * 6


class Merchant:
    """All systems. Loading happens here, so constructing one takes as long as its catalogue is large."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.shared = Shared(latency_ms=options.latency_ms)
        self.clock = Clock(ZONE)
        self.bigcommerce = BigCommerce(options, self.clock, STORE_HASH)
        self.netsuite = NetSuite(options, self.clock)
        self.drops = Drops(options.drop_dir)
        self.treasury = Treasury(self.bigcommerce.shop, self.clock, self.drops)
        self.bank = Bank(self.treasury)
        self.stripe = Stripe(self.treasury.providers["stripe"])
        self.netsuite.certificates.client_id = CLIENT_ID
        self.private_key, certificate = make_client(options.key)
        self.certificate_id = self.netsuite.certificates.upload(certificate)
        self.world = make_world(options)
        self._fill(self.world)

    def warm_up(self) -> None:
        """Let parser and database do their first work before the first client comes.

        The query is of no account.
        """
        self.netsuite.engine.page(
            "SELECT i.id, NVL(i.itemid, ?) x FROM item i WHERE i.id > ? ORDER BY i.id ASC", ["", 0], 1, 0
        )

    def seed(self, options: Options) -> None:
        """Start over with another catalogue; credentials, ports and limits stay."""
        self.world = make_world(options)
        self.options = options
        self._fill(self.world)

    def _fill(self, world: World) -> None:
        store = Store(STORE_HASH, self.clock.utc())
        store.load(world)
        self.bigcommerce.load(store, self.options)
        self.treasury.open()
        self.bank.open()
        self.netsuite.load(world, self.options)

    def describe(self, bigcommerce_url: str, netsuite_url: str, stripe_url: str) -> dict[str, Any]:
        """What whoever started us needs to know."""
        return {
            "env": {
                "BCNS_BIGCOMMERCE_BASE_URL": bigcommerce_url,
                "BCNS_BIGCOMMERCE_STORE_HASH": STORE_HASH,
                "BCNS_BIGCOMMERCE_ACCESS_TOKEN": self.bigcommerce.token,
                "BCNS_BIGCOMMERCE_CLIENT_ID": self.bigcommerce.client_id,
                "BCNS_BIGCOMMERCE_CLIENT_SECRET": self.bigcommerce.client_secret,
                "BCNS_NETSUITE_ACCOUNT_ID": ACCOUNT_ID,
                "BCNS_NETSUITE_BASE_URL": netsuite_url,
                "BCNS_NETSUITE_CLIENT_ID": CLIENT_ID,
                "BCNS_NETSUITE_CERTIFICATE_ID": self.certificate_id,
                "BCNS_NETSUITE_PRIVATE_KEY": self.private_key,
                "BCNS_NETSUITE_CONCURRENCY": str(max(self.netsuite.concurrency - 1, 1)),
                "BCNS_STRIPE_BASE_URL": stripe_url,
                "BCNS_STRIPE_API_KEY": self.stripe.key,
                "BCNS_PAYOUT_DROP_DIR": str(self.drops.payouts),
                "BCNS_BANK_DROP_DIR": str(self.drops.bank),
            },
            "token_url": netsuite_url + TOKEN_PATH,
            "accounting": self.netsuite.books.context.account.describe(),
            "locations": [
                {"netsuite": netsuite, "bigcommerce": store}
                for netsuite, store in zip(
                    self.world.netsuite_locations, self.world.store_locations, strict=True
                )
            ],
        }
