"""How many requests polls may make at one server: a number a second, saved up for a while."""

from __future__ import annotations

from opdash.clock import Clock
from opdash.service.schedule import MAX_RETRY_AFTER

_LONGEST = 60.0
"""Seconds' worth of requests that are saved up at the most, however rarely somebody polls."""

_SHORTEST = 5.0
"""Seconds' worth of requests that are always saved up."""

_SLOWEST = 0.1
"""Requests a second at a server that keeps asking for fewer."""

_SLOWED = 0.5
"""What the number a second is multiplied with when a server asks for fewer."""

_RECOVERY = 1.05
"""What it grows by with each answer, back to what it was."""

AT_LEAST = 2
"""Requests that any poll may make: the list's head, and one payment, or none would ever be asked.
"""


class Budget:
    """Requests that are allowed at one server, shared by all who poll there.

    Those that are made are counted even where they were not allowed: what a poll cannot do without
    is done, and saved elsewhere.

    Args:
        clock: The one clock.
        per_second: Requests a second in the long run.
    """

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._full = per_second
        self._rate = per_second
        self._seconds = _SHORTEST
        self._saved = per_second * _SHORTEST
        self._at = clock.monotonic()
        self._silent_until = self._at

    @property
    def per_second(self) -> float:
        """Requests a second that the server is asked at present."""
        return self._rate

    def limit(self, per_second: float, seconds: float) -> None:
        """Allow so many requests a second from now on, and save up those of so many seconds."""
        self._save()
        was_lowered = self._rate < self._full
        before, self._full = self._room, per_second
        self._rate = min(self._rate, per_second) if was_lowered else per_second
        self._seconds = min(max(seconds, _SHORTEST), _LONGEST)
        self._saved = min(self._saved + max(self._room - before, 0.0), self._room)

    def allowance(self, sharers: int) -> int:
        """Return how many requests one of several pollers may make now."""
        self._save()
        return max(AT_LEAST, int(self._saved / max(sharers, 1)))

    def spend(self, requests: int = 1) -> None:
        """Count requests that are made."""
        self._save()
        self._saved = max(self._saved - requests, -self._room)

    def wait_left(self) -> float:
        """Return the seconds until a poll in the background may begin; 0 if it may now."""
        self._save()
        missing = min(AT_LEAST, self._room) - self._saved
        saving = missing / self._rate if missing > 1e-9 else 0.0
        return max(saving, self._silent_until - self._clock.monotonic(), 0.0)

    def answered(self) -> None:
        """Say that a request was answered well: what was lowered recovers."""
        if self._rate < self._full:
            self._save()
            self._rate = min(self._rate * _RECOVERY, self._full)

    def slow_down(self, retry_after: float | None) -> None:
        """Say that the server asked for fewer requests, and for how long it wants none."""
        self._save()
        self._rate = max(self._rate * _SLOWED, min(_SLOWEST, self._full))
        self._saved = min(self._saved, 0.0)
        pause = min(retry_after or 0.0, MAX_RETRY_AFTER)
        self._silent_until = max(self._silent_until, self._clock.monotonic() + pause)

    @property
    def _room(self) -> float:
        return max(self._full * self._seconds, float(AT_LEAST))

    def _save(self) -> None:
        now = self._clock.monotonic()
        self._saved = min(self._saved + (now - self._at) * self._rate, self._room)
        self._at = now
