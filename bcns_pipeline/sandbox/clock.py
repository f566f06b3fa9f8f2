"""The clock of the doubles, which a test may set back or forward.

Put anything here that asks for the time of day. Do not put durations here: latency and quotas run on the
monotonic clock. NetSuite prints its dates in the zone of the account, hence the two frames.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Real time plus an offset, in UTC or in the account's frame (naive, as NetSuite's columns are)."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.offset = timedelta(0)

    def utc(self) -> datetime:
        """Now, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def account(self) -> datetime:
        """Now as the account's columns hold it: naive, to the second."""
        return self.utc().astimezone(ZoneInfo(self.zone)).replace(tzinfo=None, microsecond=0)

    def aware(self, moment: datetime) -> datetime:
        """A moment of the account's columns with its zone."""
        return moment.replace(tzinfo=ZoneInfo(self.zone))

    def advance(self, seconds: float) -> None:
        """Move the clock; a negative number turns it back, as a server whose clock was mended does."""
        self.offset += timedelta(seconds=seconds)

    def set_offset(self, seconds: float) -> None:
        """Be `seconds` ahead of real time."""
        self.offset = timedelta(seconds=seconds)
