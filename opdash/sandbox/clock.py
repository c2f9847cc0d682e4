"""The sandbox's own clock: the machine's, plus what was skipped by request.

Instants are whole microseconds since 1970 (UTC) inside the sandbox: finer than the milliseconds it
prints, as the servers it stands for keep them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opdash.clock import Clock

SECOND = 1_000_000
"""Microseconds in a second."""
MINUTE = 60 * SECOND
"""Microseconds in a minute."""
HOUR = 60 * MINUTE
"""Microseconds in an hour."""
DAY = 24 * HOUR
"""Microseconds in a day."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SandboxClock:
    """A clock that only ever runs forward, and can be advanced.

    Attributes:
        skipped: The microseconds skipped so far.
        date_offset: Microseconds by which the ``Date`` header alone is wrong.
    """

    def __init__(self, clock: Clock, skipped: int = 0) -> None:
        self._clock = clock
        self._latest = 0
        self.skipped = skipped
        self.date_offset = 0

    def now(self) -> int:
        """Return the current instant in microseconds."""
        wall = (self._clock.now() - _EPOCH) // _MICROSECOND
        self._latest = max(self._latest, wall + self.skipped)
        return self._latest

    def shown(self) -> int:
        """Return the instant that the ``Date`` header shows."""
        return self.now() + self.date_offset

    def advance(self, microseconds: int) -> None:
        """Skip so much time, at once."""
        self.skipped += microseconds

    async def sleep(self, seconds: float) -> None:
        """Wait in the machine's time; skipping time does not shorten it."""
        await self._clock.sleep(seconds)


def to_datetime(instant: int) -> datetime:
    """Return an instant as an aware datetime."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(instant: datetime) -> int:
    """Return an aware datetime as microseconds."""
    return (instant - _EPOCH) // _MICROSECOND


def iso_instant(instant: int) -> str:
    """Write an instant as the servers do: milliseconds and a ``Z``."""
    return (_EPOCH + timedelta(microseconds=instant)).isoformat(timespec="milliseconds")[:-6] + "Z"


def http_date(instant: int) -> str:
    """Write an instant for the ``Date`` header (RFC 9110, section 5.6.7)."""
    at = to_datetime(instant)
    return (
        f"{_WEEKDAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year} "
        f"{at.hour:02d}:{at.minute:02d}:{at.second:02d} GMT"
    )
