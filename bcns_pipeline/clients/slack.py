"""Posts one message to a Slack incoming webhook.

Put only the posting here; what is said and when is decided by the flows. The address itself is the secret.
"""

from __future__ import annotations

from bcns_pipeline.clients.posting import JsonPost
from bcns_pipeline.outcomes import Meter, Outcome


class SlackClient:
    """One webhook. A message that can't be delivered is an Outcome, no exception: alerts stop no flow."""

    def __init__(self, url: str, *, meter: Meter) -> None:
        self._post = JsonPost(url, what="slack webhook", meter=meter)

    def post(self, text: str) -> Outcome:
        """Send `text` (Slack's own markup); no personal data belongs in it."""
        return self._post.send({"text": text})

    def close(self) -> None:
        """Close the connection."""
        self._post.close()
