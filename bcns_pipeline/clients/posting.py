"""Posts small JSON messages to one address: a chat's webhook, a receiver of alerts, a pager's events.

Put only the posting here; what is said and when is decided by the flows. The address itself may be the secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bcns_pipeline.clients.http.exchange import Timeouts
from bcns_pipeline.clients.http.retry import RetryPolicy
from bcns_pipeline.clients.http.transport import Transport
from bcns_pipeline.outcomes import Meter, Outcome, System

# A run waits for its message, so an alert gives up long before a flow's own calls would.
_RETRY = RetryPolicy(attempts=3, total_seconds=10.0)
_TIMEOUTS = Timeouts(connect=5.0, read=10.0, write=10.0)


class _Open:
    """A gate without slots: a message now and then needs none."""

    @contextmanager
    def admit(self, system: System) -> Iterator[None]:  # noqa: ARG002
        yield


class JsonPost:
    """One address. A message that can't be delivered is an Outcome, no exception: alerts stop no flow.

    `what` names the receiver in logs ("POST slack webhook"); `secrets` are values besides the address that no text
    may show.
    """

    def __init__(self, url: str, *, what: str, meter: Meter, secrets: tuple[str, ...] = ()) -> None:
        self._operation = f"POST {what}"
        self._transport = Transport(
            System.ALERTS,
            url,
            gate=_Open(),
            meter=meter,
            secrets=(url, *secrets),
            retry=_RETRY,
            timeouts=_TIMEOUTS,
            any_answer=True,
        )

    def send(self, body: Mapping[str, Any]) -> Outcome:
        """Send `body` as JSON; no personal data belongs in it."""
        return self._transport.write("POST", "", operation=self._operation, json=dict(body))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
