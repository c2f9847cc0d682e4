"""How far the server's clock is from this machine's, learnt from its ``Date`` headers."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from opdash.clock import Clock
from opdash.openpayments.resources import utc

_SAMPLES = 5
_HALF_A_SECOND = timedelta(seconds=0.5)
_JUMP = timedelta(seconds=1)
"""By how much this machine's clock may move at once and not have been set."""

_LONGEST_ASK = timedelta(minutes=2)
_YEARS = range(1970, 3000)


class ServerTime:
    """The median of the last offsets: one odd answer does not move it, a new time soon does.

    Where this machine's clock is set, by a person or after a flat battery, the server's is not: the
    offsets follow at once, and no payment expires or lives longer for it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offsets: deque[timedelta] = deque(maxlen=_SAMPLES)
        self._set_by = self._ahead_of_itself()

    @property
    def offset(self) -> timedelta:
        """The server's clock less this machine's; zero before the first answer."""
        self._follow_jumps()
        return statistics.median_high(self._offsets) if self._offsets else timedelta(0)

    def learn(self, headers: Mapping[str, str], asked_at: datetime) -> None:
        """Take an answer's ``Date`` into account, unless a cache gave it or it cannot be meant.

        The header is cut to whole seconds, and was written some time between asking and now.

        Args:
            headers: The answer's headers; names in any case.
            asked_at: When the request was begun, by this machine's clock.
        """
        if "age" in headers or "date" not in headers:
            return
        try:
            date = parsedate_to_datetime(headers["date"])
        except (ValueError, TypeError, OverflowError, IndexError):
            return
        if date.tzinfo is None or date.year not in _YEARS:
            return
        self._follow_jumps()
        took = self._clock.now() - asked_at
        if not timedelta(0) <= took <= _LONGEST_ASK:
            took = timedelta(0)  # the clock was set meanwhile
        self._offsets.append(utc(date) + _HALF_A_SECOND - (self._clock.now() - took / 2))

    def _follow_jumps(self) -> None:
        set_by = self._ahead_of_itself()
        jump, self._set_by = set_by - self._set_by, set_by
        if abs(jump) > _JUMP:
            self._offsets = deque((offset - jump for offset in self._offsets), _SAMPLES)

    def _ahead_of_itself(self) -> timedelta:
        """Return what the clock shows less what it measures: that changes when it is set."""
        measured = timedelta(seconds=self._clock.monotonic())
        return self._clock.now() - datetime(1970, 1, 1, tzinfo=UTC) - measured
