"""One HTTP exchange: one request out, one answer or one loss back, counted and gated.

Put what happens exactly once per exchange here: admission by the Gate, the Meter, the time-out, the reading
of the whole body, and the sorting of transport faults into "nothing was sent" and "nobody knows".
Repeating, waiting and judging an answer belong to `transport.py`.
"""

from __future__ import annotations

import functools
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore  # noqa: F401 - httpx would load it with the first client, while a run waits
import httpx

from bcns_pipeline.outcomes import Call, Gate, Meter, System

HttpClient = httpx.Client
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `read` bounds the silence between two packets of an answer."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 60.0
    pool: float = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, the whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """No whole answer. `unsent`: provably nothing reached the other side; `hopeless`: it never will."""

    reason: str
    unsent: bool = False
    hopeless: bool = False


# The connection was never made, so no byte of the request left.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# Refused by our own side before sending: a wrong address or a header that no HTTP can carry.
_HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, httpx.CookieConflict)
_WORDS: Mapping[type[Exception], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "no free connection in time",
    httpx.ProxyError: "the proxy refused",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "the request could not be sent in time",
    httpx.ReadError: "the connection was reset while reading",
    httpx.WriteError: "the connection was reset while sending",
    httpx.RemoteProtocolError: "the answer broke off",
    httpx.DecodingError: "the answer could not be unpacked",
    httpx.InvalidURL: "the address is not a valid URL",
    httpx.UnsupportedProtocol: "the address must start with https:// or http://",
    httpx.LocalProtocolError: "a header can't be sent as it is",
}


class Exchange:
    """Sends single requests for one system. Thread-safe; the first request opens the connection pool."""

    def __init__(
        self,
        system: System,
        *,
        gate: Gate,
        meter: Meter,
        timeouts: Timeouts,
        client: HttpClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system = system
        self._gate = gate
        self._meter = meter
        self._timeouts = timeouts
        self._client = client
        self._own = client is None
        self._clock = clock
        self._opening = threading.Lock()

    def send(  # one argument per part of a request
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        operation: str,
        attempt: int,
        read_seconds: float | None = None,
    ) -> Answer | Lost:
        """One exchange. A slot of the Gate is held for the exchange alone, never for a wait between two."""
        client = self._opened()
        t = self._timeouts
        timeout = httpx.Timeout(connect=t.connect, read=read_seconds or t.read, write=t.write, pool=t.pool)
        status: int | None = None
        with self._gate.admit(self._system):
            start = self._clock()
            try:
                response = client.request(
                    method,
                    url,
                    headers=dict(headers),
                    content=content,
                    timeout=timeout,
                    follow_redirects=False,
                )
                status = response.status_code
            except _UNSENT as error:
                return Lost(_words(error), unsent=True)
            except _HOPELESS as error:
                return Lost(_words(error), unsent=True, hopeless=True)
            except httpx.RequestError as error:
                return Lost(_words(error))
            finally:
                seconds = self._clock() - start
                self._meter.record(Call(self._system, operation, status, seconds, attempt))
                log.debug(
                    "%s: %s: %s in %.3f s, attempt %d", self._system, operation, status, seconds, attempt
                )
        lowered = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, lowered, response.content)

    def close(self) -> None:
        """Close the connection pool, if it is ours."""
        with self._opening:
            if self._own and self._client is not None:
                self._client.close()
                self._client = None

    def _opened(self) -> HttpClient:
        if self._client is None:
            with self._opening:
                if self._client is None:
                    self._client = _open_client()
        return self._client


def _open_client() -> HttpClient:
    # httpx logs whole URLs and httpcore whole header lists: e-mails and tokens would land in the run's log.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.Client(
        # NetSuite sets session cookies; sent back they would tie independent calls to one session.
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        # Shorter than the 5 s after which common servers drop an idle connection: a write that meets a
        # dropped one ends as "nobody knows" although nothing happened.
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=4.0),
        verify=_certificates(),
        trust_env=True,
        follow_redirects=False,
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once for all clients: a tenth of a second each."""
    return httpx.create_ssl_context(trust_env=True)


def _words(error: Exception) -> str:
    """The kind of fault in our words; httpx's own text may hold the URL."""
    for kind in type(error).__mro__:
        if kind in _WORDS:
            return f"{_WORDS[kind]} ({type(error).__name__})"
    return type(error).__name__
