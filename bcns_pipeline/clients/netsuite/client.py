"""The NetSuite account as the flows see it: SuiteQL, records, clocks, account metadata, and its subjects.

Put one method per call here; records are in `records.py`, stock reads are functions over `client.query` in
`inventory.py`, and sales, customers, items and fulfilments have a module and an attribute each. Facts:
facts/netsuite.md 2 and 3.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.clients.netsuite.account import Account
from bcns_pipeline.clients.netsuite.auth import Assertion, TokenAuth
from bcns_pipeline.clients.netsuite.clearing import ClearingAccounts
from bcns_pipeline.clients.netsuite.customers import Customers
from bcns_pipeline.clients.netsuite.errors import explain_query, explain_record, explain_token
from bcns_pipeline.clients.netsuite.fulfilments import Fulfilments
from bcns_pipeline.clients.netsuite.journals import Journals
from bcns_pipeline.clients.netsuite.models import NetSuiteLocation, Page
from bcns_pipeline.clients.netsuite.order_items import OrderItems
from bcns_pipeline.clients.netsuite.receivables import Receivables
from bcns_pipeline.clients.netsuite.records import Records, read_object
from bcns_pipeline.clients.netsuite.refunds import Refunds
from bcns_pipeline.clients.netsuite.returns import Returns
from bcns_pipeline.clients.netsuite.sales import Sales
from bcns_pipeline.clients.netsuite.suiteql import Key, readable
from bcns_pipeline.outcomes import Gate, Meter, Rejected, System

TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path


class NetSuiteClient(Records):
    """One account. Thread-safe, no I/O when made. Reads raise OutsideError, writes return an Outcome.

    `base_url` is the API root in front of `/services/`, `token_url` "" for the usual path below it, with a
    host of its own where it has one. `scope_form` "list" or "string": see `auth.Assertion`.
    """

    def __init__(
        self,
        base_url: str,
        token_url: str,
        client_id: str,
        certificate_id: str,
        private_key_pem: str,
        *,
        gate: Gate,
        meter: Meter,
        scope_form: str = "list",
        audience: str | None = None,
        renew_ahead_seconds: float = 600.0,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        client: HttpClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        full = token_url or base_url.rstrip("/") + TOKEN_PATH
        parts = urlsplit(full)
        shared: dict[str, Any] = {
            "gate": gate,
            "meter": meter,
            "retry": retry,
            "timeouts": timeouts,
            "client": client,
            "sleep": sleep,
            "clock": clock,
            "wall": wall,
            "uniform": uniform,
            "secrets": (private_key_pem,),
        }
        self._minter = Transport(
            System.NETSUITE, f"{parts.scheme}://{parts.netloc}", explain=explain_token, **shared
        )
        assertion = Assertion(
            audience or full, client_id, certificate_id, private_key_pem, scope_form=scope_form
        )
        auth = TokenAuth(
            assertion,
            self._minter,
            parts.path,
            renew_ahead_seconds=renew_ahead_seconds,
            clock=clock,
            wall=wall,
        )
        super().__init__(
            Transport(System.NETSUITE, base_url, auth=auth, explain=explain_query, **shared),
            Transport(System.NETSUITE, base_url, auth=auth, explain=explain_record, **shared),
        )
        self._auth = auth
        self.sales = Sales(self)
        self.customers = Customers(self)
        self.items = OrderItems(self)
        self.fulfilments = Fulfilments(self)
        self.journals = Journals(self)
        self.clearing = ClearingAccounts(self)
        self.refunds = Refunds(self)
        self.receivables = Receivables(self)
        self.account = Account(self)
        self.returns = Returns(self, self.account)

    # --- reading -------------------------------------------------------------------------------------

    def suiteql(self, q: str, params: Sequence[str | int] = (), limit: int = 1000, offset: int = 0) -> Page:
        """One page of SuiteQL; see `suiteql.SuiteQL.page`."""
        return self.query.page(q, params, limit=limit, offset=offset)

    def suiteql_all(self, q: str, params: Sequence[str | int] = (), limit: int = 1000) -> Iterator[Page]:
        """All pages by offset, up to 100,000 rows; see `suiteql.SuiteQL.all`."""
        return self.query.all(q, params, limit=limit)

    def keyset(
        self,
        q: str,
        start: Key,
        params: Callable[[Key], Sequence[str | int]],
        key: Callable[[dict[str, str]], Key],
        limit: int = 1000,
    ) -> Iterator[Page]:
        """All pages by key, without a ceiling; see `suiteql.SuiteQL.keyset`."""
        return self.query.keyset(q, start, params, key, limit=limit)

    def sign_in(self) -> None:
        """Mint a token now. Unauthorised for a wrong key, client id or certificate id."""
        self._auth.credential()

    def clock(self) -> str:
        """NetSuite's clock, "YYYY-MM-DD HH:MM:SS" in the frame of SuiteQL's dates: a watermark."""
        page = self.query.page("SELECT TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI:SS') AS now FROM dual")
        if len(page.rows) != 1 or not page.rows[0]:
            raise Rejected(System.NETSUITE, "clock", 200, "NO_CLOCK", "SYSDATE gave no row")
        return str(next(iter(page.rows[0].values())))

    def server_time(self) -> datetime:
        """`serverTime` in UTC; its distance from `clock` is the frame's offset."""
        value = self.get("/services/rest/system/v1/serverTime", _server_time)
        found: datetime = value
        return found

    def governance(self) -> dict[str, Any]:
        """`governanceLimits`: the account's concurrency. Administrators only, Unauthorised for others."""
        found: dict[str, Any] = self.get("/services/rest/system/v1/governanceLimits", read_object)
        return found

    def locations(self) -> list[NetSuiteLocation]:
        """All locations, inactive ones included."""
        text = "SELECT id, name, isinactive, makeinventoryavailable FROM location ORDER BY id ASC"
        rows = [row for page in self.query.all(text) for row in page.rows]
        with readable():
            return [
                NetSuiteLocation(
                    id=int(row["id"]),
                    name=row.get("name", ""),
                    inactive=row.get("isinactive") == "T",
                    sells=None
                    if "makeinventoryavailable" not in row
                    else row["makeinventoryavailable"] == "T",
                )
                for row in rows
            ]

    def close(self) -> None:
        """Close the connections."""
        for transport in (self._minter, self._reads, self._writes):
            transport.close()


def _server_time(body: bytes) -> datetime:
    text = {key.lower(): value for key, value in read_object(body).items()}.get("servertime")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
