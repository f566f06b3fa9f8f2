"""The request quota of the store.

Put counting of requests in a window here. Do not put faults here. Source: facts/bigcommerce.md 1.3; one
request is one unit whatever its size, and a quota of 0 stands for the unlimited plan, which sends no
headers.
"""

from __future__ import annotations

import time

from bcns_pipeline.sandbox.web import Headers


class Quota:
    """`requests` per window of `window_ms` milliseconds."""

    def __init__(self, requests: int, window_ms: int) -> None:
        self.requests = requests
        self.window_ms = window_ms
        self.left = requests
        self._ends = 0.0

    def take(self) -> bool:
        """Use one request; False where none is left in this window."""
        if not self.requests:
            return True
        now = time.monotonic()
        if now >= self._ends:
            self.left = self.requests
            self._ends = now + self.window_ms / 1000
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def restart(self) -> None:
        """Begin a new window with the next request."""
        self._ends = 0.0

    def headers(self) -> Headers:
        """What every answer says about the quota."""
        if not self.requests:
            return ()
        reset = max(int((self._ends - time.monotonic()) * 1000), 0)
        return (
            ("X-Rate-Limit-Time-Window-Ms", str(self.window_ms)),
            ("X-Rate-Limit-Time-Reset-Ms", str(reset)),
            ("X-Rate-Limit-Requests-Quota", str(self.requests)),
            ("X-Rate-Limit-Requests-Left", str(self.left)),
        )
