"""How often an address may fail to prove itself before it is answered without being read.

Put the buckets here. Do not put here who is genuine (`proofs.py`): what proves itself passes whatever its
address did before, so that forgers behind the same proxy or address cannot shut BigCommerce out.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

# A person who tries a new secret fails a few times; a flood fails hundreds of times a second.
BURST = 20
PER_SECOND = 0.5
# Bounds memory: some 2 MB. The address seen longest ago is forgotten first.
MOST_ADDRESSES = 10_000
_IPV6_SITE = 64


class FailureBuckets:
    """One bucket of tokens per address; a failed verification takes one, time brings them back."""

    def __init__(
        self, clock: Callable[[], float], *, burst: int = BURST, per_second: float = PER_SECOND
    ) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._per_second = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def exhausted(self, address: str) -> bool:
        """Whether this address has failed too often of late."""
        # Parsing an address costs more than the rest of a genuine call, and mostly nobody has failed.
        return bool(self._buckets) and self._tokens(site(address)) < 1

    def fail(self, address: str) -> bool:
        """Note a failed verification; True where it was the one that emptied the bucket."""
        key = site(address)
        before = self._tokens(key)
        after = max(0.0, before - 1)
        self._buckets[key] = (after, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return before >= 1 > after

    def retry_after(self) -> int:
        """Seconds until an empty bucket holds a token again."""
        return max(1, round(1 / self._per_second))

    def _tokens(self, key: str) -> float:
        if key not in self._buckets:
            return self._burst
        tokens, at = self._buckets[key]
        return min(self._burst, tokens + (self._clock() - at) * self._per_second)


def site(address: str) -> str:
    """What one sender can call its own: the address, or for IPv6 its /64, of which anybody has 2^64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, _IPV6_SITE), strict=False))
    return str(parsed)


def sender(peer: str, header: str | None) -> str:
    """The address to hold responsible: the last one that the trusted proxy wrote, or else the peer.

    Everything left of the last comma was written by whoever called the proxy, and can be made up.
    """
    if header:
        return header.rpartition(",")[2].strip() or peer
    return peer
