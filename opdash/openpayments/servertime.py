"""How far the server's clock is from this machine's, learnt from its ``Date`` headers."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from opdash.clock import Clock
from opdash.openpayments.resources import utc

_SAMPLES = 5
_HALF_A_SECOND = timedelta(seconds=0.5)
_YEARS = range(1970, 3000)


class ServerTime:
    """The median of the last offsets: one odd answer does not move it, a new time soon does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offsets: deque[timedelta] = deque(maxlen=_SAMPLES)

    @property
    def offset(self) -> timedelta:
        """The server's clock less this machine's; zero before the first answer."""
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
        between = asked_at + (self._clock.now() - asked_at) / 2
        self._offsets.append(utc(date) + _HALF_A_SECOND - between)
