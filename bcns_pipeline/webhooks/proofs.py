"""Who sent this call? Three proofs, each required, optional or off, all compared in constant time.

Put signature formats and what they prove here. Do not put bodies' meaning here (`events.py`), nor what is
answered (`app.py`). Pure: the clock and the secrets are given. Facts: facts/bigcommerce.md 6.3; that
BigCommerce sends `X-BC-Signature` at all is a claim of third parties, hence its name here: legacy.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Both ways, as the Standard Webhooks libraries have it.
TOLERANCE_SECONDS = 300
LEGACY_HEADER = "x-bc-signature"
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_BEARER = "bearer "
_DIGEST_BYTES = hashlib.sha256().digest_size


class Demand(StrEnum):
    """What a proof must do: be there and be right; be right where it is there; nothing."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


class Finding(StrEnum):
    """What one proof says about a call."""

    RIGHT = "right"
    ABSENT = "absent"
    WRONG = "wrong"
    STALE = "stale"  # timestamp more than five minutes away: a replay, or a clock of ours that is off


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the call is genuine; `reason` is a fixed word for logs and counters, empty where it is.

    `by` names the proofs that were there and right.
    """

    genuine: bool
    reason: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proofs:
    """The demands and the secrets. A proof whose demand is not OFF must have its secret.

    `client_secret` signs, as raw bytes, both signatures. `header_name` is lower-case; `header_value` is the
    whole value that our hooks carry in it.
    """

    signature: Demand
    header: Demand
    legacy: Demand
    client_secret: bytes = field(default=b"", repr=False)
    header_name: str = "authorization"
    header_value: bytes = field(default=b"", repr=False)

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
        """At least one proof is there, all that are required are, and none is wrong.

        `headers` has lower-case names; `body` is raw; `now` is unix seconds. Every proof is worked out
        whatever the others say, so that time tells nothing about which one failed.
        """
        demands = self._demands()
        findings = {
            "header": self.header_finding(headers),
            "signature": self._signature(headers, body, now),
            "legacy": self._legacy(headers, body),
        }
        for name, finding in findings.items():
            if finding in (Finding.WRONG, Finding.STALE):
                return Verdict(False, f"{name}_{finding}")
        for name, finding in findings.items():
            if demands[name] is Demand.REQUIRED and finding is Finding.ABSENT:
                return Verdict(False, f"{name}_{finding}")
        right = tuple(name for name, finding in findings.items() if finding is Finding.RIGHT)
        return Verdict(True, by=right) if right else Verdict(False, "unproven")

    def hopeless(self, headers: Mapping[str, str], now: float) -> bool:
        """Whether no body whatever could make this call genuine: told from the headers alone, cheaply."""
        header = self.header_finding(headers)
        if header is Finding.WRONG:
            return True
        within_reach = {
            "header": header is Finding.RIGHT,
            "signature": self.signature is not Demand.OFF and self._timely(headers, now),
            "legacy": self.legacy is not Demand.OFF and LEGACY_HEADER in headers,
        }
        missing = any(
            demand is Demand.REQUIRED and not within_reach[name] for name, demand in self._demands().items()
        )
        return missing or not any(within_reach.values())

    def _demands(self) -> dict[str, Demand]:
        return {"header": self.header, "signature": self.signature, "legacy": self.legacy}

    def header_finding(self, headers: Mapping[str, str]) -> Finding:
        """What our secret header says."""
        given = headers.get(self.header_name)
        if self.header is Demand.OFF or given is None:
            return Finding.ABSENT
        return _right_or_wrong(same_secret(given, self.header_value))

    def _signature(self, headers: Mapping[str, str], body: bytes, now: float) -> Finding:
        present = [name in headers for name in _SIGNED]
        if self.signature is Demand.OFF or not any(present):
            return Finding.ABSENT
        if not all(present):
            return Finding.WRONG
        signed = sign(self.client_secret, headers["webhook-id"], headers["webhook-timestamp"], body)
        matches = [
            same_secret(entry, signed.encode()) for entry in headers["webhook-signature"].split(" ") if entry
        ]
        if not any(matches):
            return Finding.WRONG
        return Finding.RIGHT if self._timely(headers, now) else Finding.STALE

    @staticmethod
    def _timely(headers: Mapping[str, str], now: float) -> bool:
        stamp = headers.get("webhook-timestamp", "")
        return bool(_TIMESTAMP.fullmatch(stamp)) and abs(now - int(stamp)) <= TOLERANCE_SECONDS

    def _legacy(self, headers: Mapping[str, str], body: bytes) -> Finding:
        given = headers.get(LEGACY_HEADER)
        if self.legacy is Demand.OFF or given is None:
            return Finding.ABSENT
        return _right_or_wrong(hmac.compare_digest(_digest_of(given), _mac(self.client_secret, body)))


def sign(client_secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The Standard Webhooks signature `v1,<base64>` of one message."""
    content = b".".join([message_id.encode("latin-1"), timestamp.encode("latin-1"), body])
    return "v1," + base64.b64encode(_mac(client_secret, content)).decode()


def _mac(secret: bytes, content: bytes) -> bytes:
    # Not hmac.digest, which gives the interpreter away for every few bytes: 150 us a call under load, not 3.
    return hmac.new(secret, content, hashlib.sha256).digest()


def bearer(secret: str) -> bytes:
    """The value of an `Authorization` header that carries `secret`."""
    return b"Bearer " + secret.encode()


def same_secret(given: str, expected: bytes) -> bool:
    """Constant-time comparison of a header's value; the word Bearer may be written in any case."""
    raw = given.strip()
    if raw[: len(_BEARER)].lower() == _BEARER and expected.startswith(b"Bearer "):
        raw = "Bearer " + raw[len(_BEARER) :].strip()
    return hmac.compare_digest(raw.encode("latin-1", "replace"), expected)


def _digest_of(text: str) -> bytes:
    """A SHA-256 digest from hex or base64; an empty one, which equals no digest, from anything else."""
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * _DIGEST_BYTES else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""
    return raw if len(raw) == _DIGEST_BYTES else b""


def _right_or_wrong(right: bool) -> Finding:
    return Finding.RIGHT if right else Finding.WRONG
