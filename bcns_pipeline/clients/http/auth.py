"""What the transport asks of something that signs requests.

Put the protocol and credentials that never change here. How NetSuite's tokens are minted and renewed is in
`netsuite/auth.py`; sending and repeating is the transport's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Auth(Protocol):
    """A credential that can be renewed. Thread-safe: many calls are refused at once when a token ends."""

    def credential(self) -> str:
        """The current credential, minted when there is none. Raises OutsideError when it can't be had."""
        ...

    def headers(self, credential: str) -> Mapping[str, str]:
        """The headers that carry `credential`."""
        ...

    def refused(self, credential: str) -> None:
        """`credential` was answered with 401: forget it, unless a newer one is already here."""
        ...
