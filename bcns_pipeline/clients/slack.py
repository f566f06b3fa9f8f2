"""Posts one message to a Slack incoming webhook.

Put only the posting here; what is said and when is decided by the flows. The address itself is the secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


class SlackClient:
    """One webhook. A message that can't be delivered is an Outcome, no exception: alerts stop no flow."""

    def __init__(self, url: str, *, meter: Meter) -> None:
        self._transport = Transport(
            System.ALERTS, url, gate=_Open(), meter=meter, secrets=(url,), retry=_RETRY, timeouts=_TIMEOUTS
        )

    def post(self, text: str) -> Outcome:
        """Send `text` (Slack's own markup); no personal data belongs in it."""
        return self._transport.write("POST", "", operation="POST slack webhook", json={"text": text})

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
