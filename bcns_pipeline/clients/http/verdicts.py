"""What an HTTP status means: one table for every outside system.

Put only the table and its look-up here, and the shape in which a client explains a refusal. What a body's
text means belongs to the client of that system (`bigcommerce/errors.py`, `netsuite/errors.py`), and what is
done about a verdict belongs to `transport.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What to do about an answer."""

    OK = "ok"
    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    REAUTHENTICATE = "reauthenticate"
    FATAL = "fatal"


# Everything not named here: 2xx is OK, 5xx is RETRY, 1xx, 3xx (never followed) and other 4xx are FATAL.
VERDICT_BY_STATUS: Final[Mapping[int, Verdict]] = {
    401: Verdict.REAUTHENTICATE,
    408: Verdict.RETRY,
    423: Verdict.RETRY,
    425: Verdict.RETRY,
    429: Verdict.RATE_LIMITED,
    499: Verdict.RETRY,
    501: Verdict.FATAL,
    505: Verdict.FATAL,
    507: Verdict.FATAL,  # BigCommerce: a limit of the plan is hit; asking again does not lift it
}


def verdict(status: int) -> Verdict:
    """The table's word on `status`."""
    if 200 <= status < 300:
        return Verdict.OK
    return VERDICT_BY_STATUS.get(status, Verdict.RETRY if status >= 500 else Verdict.FATAL)


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal, explained. `unclear` marks a 4xx after which a write may have happened all the same
    (seen with NetSuite's USER_ERROR, facts/netsuite.md 3.6), `forbidden` one that only a person can mend by
    granting a permission, `overload` a 401 that an overloaded NetSuite gives to a good token.
    """

    verdict: Verdict
    code: str
    detail: str
    named: tuple[str, ...] = ()
    unclear: bool = False
    forbidden: bool = False
    overload: bool = False


Explain = Callable[[int, Mapping[str, str], bytes], Fault]
"""(status, headers with lower-case names, body) -> Fault; must accept HTML, truncated and empty bodies."""


def explain_plainly(status: int, _headers: Mapping[str, str], body: bytes) -> Fault:
    """The explanation where a system has no error format of its own: the status decides."""
    return Fault(verdict(status), f"HTTP_{status}", summary(body))


def summary(body: bytes) -> str:
    """Something readable about a body that is not the JSON we know: its kind, never its full text."""
    text = body[:2000].decode("utf-8", "replace").strip()
    if not text:
        return "empty answer"
    if text.startswith("<"):
        return "an HTML page instead of JSON (a gateway or a login page answered)"
    return text[:300]
