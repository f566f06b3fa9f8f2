"""Stripe by its API: payouts, the balance transactions of one, and what the balance is.

Put requests here, reading is in `stripe_reading.py`. Only reads: nothing here moves money. Each page is handed out as
it came before the next of its list is asked for, so that it can be stored first; only what happened since a moment is
several lists, read side by side. A payout of n lines costs one page per hundred rows of its list, in which it is a row
itself; the list of payouts is one call per hundred. Facts: facts/finance.md 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.http.body import Params, decode_exact, query_string
from bcns_pipeline.clients.http.exchange import HttpClient, Timeouts
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.clients.payments import stripe_reading
from bcns_pipeline.clients.payments.models import (
    Itemisation,
    Settlement,
    SourceBalance,
    SourceDispute,
    SourcePayout,
)
from bcns_pipeline.clients.payments.stripe_errors import explain
from bcns_pipeline.outcomes import Gate, Meter, System, Unavailable

PUBLIC_API: Final = "https://api.stripe.com"
PAGE: Final = 100
# The version whose shapes are read here; without it the account's own default decides.
API_VERSION: Final = "2024-12-18.acacia"
ORIGIN: Final = "stripe/api"
_MOST_PAGES: Final = 10_000
# What happened since a moment is read span by span, so many at once: of one list each page waits for the one before.
_BESIDE: Final = 4
_DAY: Final = 86_400
# A span is longer than a day where there would be more of them: each costs a call, whatever happened in it.
_MOST_SPANS: Final = 32


class StripeSource:
    """One Stripe account, as a PayoutSource. Thread-safe, no I/O when made; reads raise OutsideError.

    `account` is its name in natural keys. With `expand` a line comes with its charge or refund, hence with the payment
    intent and the metadata by which a BigCommerce transaction is found (and with the shopper's name).
    """

    provider: Final = stripe_reading.PROVIDER

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        account: str,
        gate: Gate,
        meter: Meter,
        expand: bool = True,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        client: HttpClient | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **clockwork: Any,
    ) -> None:
        """`base_url` is the API root in front of `/v1/`; `clockwork` goes to the Transport (tests)."""
        self.account = account
        self._expand = expand
        self._now = now
        self._transport = Transport(
            System.PAYMENTS,
            base_url or PUBLIC_API,
            gate=gate,
            meter=meter,
            headers={"Authorization": f"Bearer {api_key}", "Stripe-Version": API_VERSION},
            secrets=(api_key,),
            retry=retry,
            timeouts=timeouts,
            explain=explain,
            client=client,
            **clockwork,
        )

    def payouts(self, since: datetime) -> Iterator[Document]:
        """Pages of payouts created since then, newest first, each with its own transaction, which has the fee."""
        asked: Params = {
            "created[gte]": stripe_reading.start_of(since),
            "expand[]": "data.balance_transaction",
        }
        yield from self._pages("/v1/payouts", asked)

    def read_payouts(
        self, document: Document, refused: dict[str, BadFile] | None = None
    ) -> list[SourcePayout]:
        """The payouts of one page; those that can't be read into `refused`."""
        return stripe_reading.read_payouts(document, self.account, refused)

    def lines(self, payout: SourcePayout) -> Iterator[Document]:
        """Pages of the balance transactions of `payout`; none where Stripe can't itemise it, or not yet."""
        if payout.itemisation is Itemisation.COMPLETE:
            yield from self._transactions({"payout": payout.id})

    def read_lines(self, payout: SourcePayout, documents: Iterable[Document]) -> Settlement:
        """`payout` with its lines."""
        return stripe_reading.read_lines(payout, documents)

    def disputes(self, since: datetime) -> Iterator[Document]:
        """Pages of disputes opened since then, newest first."""
        asked: Params = {"created[gte]": stripe_reading.start_of(since)}
        yield from self._pages("/v1/disputes", asked, named=False)

    def read_disputes(
        self, document: Document, refused: dict[str, BadFile] | None = None
    ) -> list[SourceDispute]:
        """The disputes of one page; those that can't be read into `refused`."""
        return stripe_reading.read_disputes(document, refused)

    def balance(self, at: datetime | None = None) -> Iterator[Document]:
        """The balance now; for a moment in the past also what happened since, which is taken off it."""
        yield self._get("/v1/balance", {}, _object)
        if at is not None:
            yield from self._since(at)

    def read_balances(
        self, documents: Sequence[Document], ats: Sequence[datetime | None] = (None,)
    ) -> list[SourceBalance]:
        """What these documents say of each of these moments; they were asked for the earliest of them."""
        return stripe_reading.read_balances(documents, self.account, ats) if documents else []

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _since(self, at: datetime) -> Iterator[Document]:
        """Pages of what happened since then, without what it was for; of two waves of spans at a time."""
        spans = _spans(stripe_reading.start_of(at), stripe_reading.start_of(self._now()))

        def read(span: Params) -> list[Document]:
            return list(self._pages("/v1/balance_transactions", span))

        with ThreadPoolExecutor(_BESIDE, thread_name_prefix="spans") as pool:
            for start in range(0, len(spans), 2 * _BESIDE):
                for pages in pool.map(read, spans[start : start + 2 * _BESIDE]):
                    yield from pages

    def _transactions(self, asked: Params) -> Iterator[Document]:
        params = {**asked, "expand[]": "data.source"} if self._expand else asked
        yield from self._pages("/v1/balance_transactions", params)

    def _pages(self, path: str, asked: Params, *, named: bool = True) -> Iterator[Document]:
        """A list, page after page. Raises Unavailable where it walks in circles: an endless list is no list."""
        parse = partial(stripe_reading.page_of, named=named)
        after: str | None = None
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            params: Params = {**asked, "limit": PAGE, "starting_after": after}
            document = self._get(path, params, parse)
            rows, more = parse(document.content)
            last = next((str(row["id"]) for row in reversed(rows) if row.get("id")), "")
            if last in seen:
                raise Unavailable(System.PAYMENTS, f"GET {path}", f"the list walks in circles at {last}")
            seen.add(last)
            yield document
            if not more:
                return
            after = last
        raise Unavailable(System.PAYMENTS, f"GET {path}", f"the list has no end: {_MOST_PAGES} pages read")

    def _get(self, path: str, params: Params, parse: Callable[[bytes], Any]) -> Document:
        answer = self._transport.read("GET", path, operation=f"GET {path}", params=params, parse=parse)
        query = query_string(params)
        return Document(
            ORIGIN, f"GET {path}?{query}" if query else f"GET {path}", answer.content, self._now()
        )


def _spans(since: int, now: int) -> list[Params]:
    """[since, now) in Unix time cut into whole days, or longer pieces; the last one has no end."""
    step = max(_DAY, -(-(now - since) // _MOST_SPANS))
    starts = list(range(since, max(now, since + 1), step))
    ends: list[int | None] = [*starts[1:], None]
    return [{"created[gte]": start, "created[lt]": end} for start, end in zip(starts, ends, strict=True)]


def _object(content: bytes) -> Any:
    """A JSON object; ValueError for anything else, after which the transport asks again."""
    value = decode_exact(content)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004
    return value
