"""What Stripe's refusals say.

Put the parsing of error bodies here; what a status means is in `http/verdicts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from bcns_pipeline.clients.http.verdicts import Fault, Verdict, summary, verdict


def explain(status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
    """A Fault with Stripe's own code and message. A lock that timed out (409, 429) goes away by itself."""
    try:
        error = json.loads(body)["error"]
        code = str(error.get("code") or error.get("type") or f"HTTP_{status}").upper()
        detail = str(error.get("message") or "no reason given")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Fault(verdict(status), f"HTTP_{status}", summary(body))
    found = Verdict.RETRY if status == 409 and code == "LOCK_TIMEOUT" else verdict(status)
    return Fault(found, code, detail, forbidden=status == 403)
