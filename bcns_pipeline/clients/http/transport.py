"""Sends a request until there is an answer that says something, within bounds: the one way out of the house.

Put retrying, waiting, re-authentication and the translation into outcomes here. Do not put here what a
single exchange does (`exchange.py`), what a status means (`verdicts.py`) or what a body means (each client).
Reads are repeated after anything transient; writes only after what provably did nothing: no connection,
429, 401.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bcns_pipeline.clients.http.auth import Auth
from bcns_pipeline.clients.http.body import Encoded, Params, decode_exact, query_string
from bcns_pipeline.clients.http.exchange import Answer, Exchange, HttpClient, Lost, Timeouts
from bcns_pipeline.clients.http.pacing import Pacer
from bcns_pipeline.clients.http.redaction import SHORTEST_SECRET, Redactor
from bcns_pipeline.clients.http.retry import RetryPolicy, wait_hint
from bcns_pipeline.clients.http.verdicts import Explain, Fault, Verdict, explain_plainly, verdict
from bcns_pipeline.outcomes import (
    Ambiguous,
    Gate,
    Meter,
    Outcome,
    OutsideError,
    RateLimited,
    Refused,
    Rejected,
    Sent,
    System,
    Unauthorised,
    Unavailable,
)

log = logging.getLogger(__name__)
# These redirects say that the request was handled nowhere yet; 303 and 304 say nothing of the kind.
_UNHANDLED_REDIRECTS = frozenset({301, 302, 307, 308})
# Where credentials themselves are exchanged, "invalid login" is overload at best: two more tries tell.
_SIGN_IN_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Response:
    """A 2xx answer to a read. `value` is what `parse` made of the body, None for 204."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    value: Any

    def json(self) -> Any:
        """The parsed body."""
        return self.value


@dataclass(slots=True)
class _Job:
    """One operation on its way: the request, and what was spent on it so far."""

    method: str
    url: str
    operation: str
    body: Any
    content: Callable[[], bytes | None]
    headers: Mapping[str, str]
    started: float
    read_seconds: float | None = None
    attempt: int = 0
    credential: str = ""
    renewed: bool = False


class Transport:
    """Requests to one system. Thread-safe: up to eight threads share one.

    `base_url` is the API root, paths are appended to it. `secrets` are values that no text may show. With
    `any_answer` a write that is answered 2xx is Sent, whatever the body says (Slack says "ok"). `sleep`,
    `clock` (monotonic), `wall` (Unix time) and `uniform` are given by tests. The constructor does no I/O.
    """

    def __init__(
        self,
        system: System,
        base_url: str,
        *,
        gate: Gate,
        meter: Meter,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: Iterable[str] = (),
        pacer: Pacer | None = None,
        retry: RetryPolicy | None = None,
        explain: Explain = explain_plainly,
        timeouts: Timeouts | None = None,
        any_answer: bool = False,
        client: HttpClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.system = system
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._headers = {"Accept": "application/json", "User-Agent": "bcns-pipeline", **(headers or {})}
        self.redact = Redactor(secrets)
        self._pacer = pacer
        self._any_answer = any_answer
        self._retry = retry or RetryPolicy()
        self._explain = explain
        self._exchange = Exchange(
            system, gate=gate, meter=meter, timeouts=timeouts or Timeouts(), client=client, clock=clock
        )
        self._sleep = sleep
        self._clock = clock
        self._wall = wall
        self._uniform = uniform

    def read(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        params: Params | None = None,
        json: Any = None,
        form: Callable[[], bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        parse: Callable[[bytes], Any] = decode_exact,
    ) -> Response:
        """Data, or an OutsideError; never half of either.

        `parse` makes the value of a body and raises ValueError where it is not what was asked for: truncated,
        HTML, another shape. That counts as transient. `form` makes a fresh urlencoded body for every attempt.
        """
        job = self._job(method, path, operation, params, json, form, headers)
        while True:
            answer = self._send(job)
            if isinstance(answer, Lost):
                if answer.hopeless:
                    raise Rejected(self.system, operation, 0, "NOT_SENT", answer.reason)
                self._wait_or_raise(job, answer.reason, None)
                continue
            if verdict(answer.status) is Verdict.OK:
                try:
                    value = None if answer.status == 204 else parse(answer.content)
                except ValueError:  # what is raised below is not chained to it: it carries the whole body
                    size = len(answer.content)
                    fault = Fault(Verdict.RETRY, "UNREADABLE", f"unreadable answer of {size} bytes")
                else:
                    return Response(answer.status, answer.headers, answer.content, value)
            else:
                fault = self._explain(answer.status, answer.headers, answer.content)
            detail = self._clean(job, fault.detail)
            if self._renew(job, fault):
                continue
            final = fault.verdict is Verdict.REAUTHENTICATE and (
                not fault.overload or (self._auth is None and job.attempt >= _SIGN_IN_ATTEMPTS)
            )
            if final or fault.verdict is Verdict.FATAL:
                kind = Unauthorised if answer.status in {401, 403} or fault.forbidden else Rejected
                raise kind(self.system, operation, answer.status, fault.code, detail)
            self._wait_or_raise(job, f"{answer.status} {fault.code}: {detail}", answer)

    def write(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> Outcome:
        """What became of one write. Never raises for what the other side answered or failed to answer.

        A Refused with status 401 or 403 is about our credentials, not about the record.
        """
        return self.write_with_headers(
            method,
            path,
            operation=operation,
            json=json,
            params=params,
            headers=headers,
            read_seconds=read_seconds,
        )[0]

    def write_with_headers(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float | None = None,
    ) -> tuple[Outcome, Mapping[str, str]]:
        """As `write`, with the headers of the last answer (lower-case names), for a Location."""
        job = self._job(method, path, operation, params, json, None, headers)
        job.read_seconds = read_seconds
        while True:
            try:
                answer = self._send(job)
            except Unauthorised as error:
                return Refused(error.status, error.code, error.detail), {}
            except OutsideError as error:
                log.info("%s: %s: not sent: %s", self.system, operation, error.message)
                return RateLimited(None), {}
            if isinstance(answer, Lost):
                if answer.hopeless:
                    return Refused(0, "NOT_SENT", answer.reason), {}
                if not answer.unsent:
                    return Ambiguous(answer.reason), {}
                if not self._wait(job, answer.reason, None):
                    return RateLimited(None), {}
                continue
            if verdict(answer.status) is Verdict.OK:
                return self._sent(answer), answer.headers
            fault = self._explain(answer.status, answer.headers, answer.content)
            if self._renew(job, fault):
                continue
            outcome = self._judge(job, answer, fault)
            if outcome is not None:
                return outcome, answer.headers

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    # --- one operation, step by step -----------------------------------------------------------------

    def _job(
        self,
        method: str,
        path: str,
        operation: str,
        params: Params | None,
        json: Any,
        form: Callable[[], bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> _Job:
        url = self._base_url + path
        query = query_string(params) if params else ""
        sent = dict(self._headers)
        content: Callable[[], bytes | None] = lambda: None  # noqa: E731
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            content = form
        elif json is not None:
            sent["Content-Type"] = "application/json"
            encoded = json if isinstance(json, Encoded) else Encoded.of(json)
            json, content = encoded.value, lambda: encoded.content
        sent.update(headers or {})
        full = f"{url}?{query}" if query else url
        return _Job(method, full, operation, json, content, sent, self._clock())

    def _send(self, job: _Job) -> Answer | Lost:
        headers = dict(job.headers)
        if self._auth is not None:
            # Before the Gate: minting is an exchange of its own, and must not wait inside somebody's slot.
            job.credential = self._auth.credential()
            headers.update(self._auth.headers(job.credential))
        if self._pacer is not None:
            while (delay := self._pacer.delay(self._clock())) > 0:
                log.debug(
                    "%s: %s: the quota window is used up, waiting %.1f s", self.system, job.operation, delay
                )
                self._sleep(delay + self._uniform(0.0, 0.25))
        job.attempt += 1
        answer = self._exchange.send(
            job.method,
            job.url,
            headers,
            job.content(),
            operation=job.operation,
            attempt=job.attempt,
            read_seconds=job.read_seconds,
        )
        if self._pacer is not None and isinstance(answer, Answer):
            self._pacer.observe(answer.headers, self._clock())
        return answer

    def _renew(self, job: _Job, fault: Fault) -> bool:
        """Once per operation: a 401 makes us forget the token, so that the next attempt has a fresh one."""
        if fault.verdict is not Verdict.REAUTHENTICATE or self._auth is None or job.renewed:
            return False
        job.renewed = True
        self._auth.refused(job.credential)
        log.info(
            "%s: %s: 401 %s, trying once more with a fresh token", self.system, job.operation, fault.code
        )
        return True

    def _judge(self, job: _Job, answer: Answer, fault: Fault) -> Outcome | None:
        """The outcome of a write that was answered with a refusal; None = wait is over, send it again."""
        detail = self._clean(job, fault.detail)
        text = f"{answer.status} {fault.code}: {detail}"
        nothing_happened = fault.verdict is Verdict.RATE_LIMITED or (
            fault.verdict is Verdict.REAUTHENTICATE and fault.overload
        )
        if nothing_happened:
            return (
                None
                if self._wait(job, text, answer)
                else RateLimited(wait_hint(answer.headers, self._wall()))
            )
        if fault.verdict is Verdict.RETRY:
            return Ambiguous(text)
        if fault.unclear:
            return Ambiguous(text, Refused(answer.status, fault.code, detail, fault.named))
        if 300 <= answer.status < 400 and answer.status not in _UNHANDLED_REDIRECTS:
            return Ambiguous(text)
        return Refused(answer.status, fault.code, detail, fault.named)

    def _clean(self, job: _Job, text: str) -> str:
        if len(job.credential) >= SHORTEST_SECRET:
            text = text.replace(job.credential, "[token]")
        return self.redact(text, job.body)

    def _sent(self, answer: Answer) -> Outcome:
        if self._any_answer:
            return Sent()
        if answer.status == 204 or not answer.content.strip():
            # 200 with nothing in it is how some gateways answer for a server they lost.
            return (
                Sent()
                if answer.status in {201, 202, 204}
                else Ambiguous(f"{answer.status} without an answer")
            )
        try:
            value = decode_exact(answer.content)
        except ValueError:
            return Ambiguous(f"{answer.status} with an unreadable answer of {len(answer.content)} bytes")
        return Sent(value if isinstance(value, dict) else {"data": value})

    def _wait_or_raise(self, job: _Job, reason: str, answer: Answer | None) -> None:
        if not self._wait(job, reason, answer):
            spent = self._clock() - job.started
            raise Unavailable(
                self.system, job.operation, f"gave up after {job.attempt} attempts in {spent:.0f} s: {reason}"
            )

    def _wait(self, job: _Job, reason: str, answer: Answer | None) -> bool:
        """Sleep before the next attempt; False where attempts or time are used up. No slot is held."""
        hint = wait_hint(answer.headers, self._wall()) if answer is not None else None
        if hint is None:
            delay = self._retry.backoff(job.attempt, self._uniform)
        else:
            delay = self._retry.hinted(hint, job.attempt, self._uniform)
        spent = self._clock() - job.started
        if job.attempt >= self._retry.attempts or spent + delay > self._retry.total_seconds:
            return False
        log.info(
            "%s: %s: attempt %d: %s; again in %.1f s", self.system, job.operation, job.attempt, reason, delay
        )
        self._sleep(delay)
        return True
