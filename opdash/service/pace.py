"""How fast background work may ask a server, and what it lets go first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from opdash.clock import Clock
from opdash.service.schedule import MAX_RETRY_AFTER

_SLOWEST = 2.0
"""Seconds between two requests to a server that keeps asking for fewer."""

_SLOWED = 0.1
"""Seconds between two requests after the first time that a server asks for fewer."""

_RECOVERY = 0.98
"""What an interval shrinks by with each answer, back to what it was."""


class Pace:
    """Spaces requests evenly, whoever makes them; what was not used in a pause is not caught up.

    Args:
        clock: The one clock.
        per_second: Requests a second at the most; None for as fast as the server answers.
    """

    def __init__(self, clock: Clock, per_second: float | None) -> None:
        self._clock = clock
        self._least = 0.0
        self._interval = 0.0
        self._next = self._silent_until = clock.monotonic()
        self.limit(per_second)

    def limit(self, per_second: float | None) -> None:
        """Allow so many requests a second from now on; None for any number."""
        before, self._least = self._least, 0.0 if per_second is None else 1.0 / per_second
        if self._interval == before or self._interval < self._least:
            self._interval = self._least

    async def wait(self) -> None:
        """Wait until the next request may be sent; the call counts as that request."""
        while True:
            now = self._clock.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval
            if turn > now:
                await self._clock.sleep(turn - now)
            if turn >= self._silent_until:
                return

    def answered(self) -> None:
        """Say that a request was answered well: what was slowed down recovers."""
        if self._interval > self._least:
            faster = self._interval * _RECOVERY
            self._interval = faster if faster > max(self._least, 0.01) else self._least

    def slow_down(self, retry_after: float | None) -> None:
        """Say that the server asked for fewer requests, and for how long it wants none."""
        self._interval = min(max(self._interval * 2, _SLOWED), max(_SLOWEST, self._least))
        pause = min(retry_after or 1.0, MAX_RETRY_AFTER)
        self._silent_until = self._clock.monotonic() + max(pause, self._interval)
        self._next = max(self._next, self._silent_until)


class RightOfWay:
    """Lets background requests wait while a poll or a person's action is under way."""

    def __init__(self) -> None:
        self._taken = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Go first for as long as the body lasts."""
        self._taken += 1
        self._free.clear()
        try:
            yield
        finally:
            self._taken -= 1
            if not self._taken:
                self._free.set()

    async def wait(self) -> None:
        """Wait until nothing goes first."""
        await self._free.wait()
