"""The one clock and the one sleep, handed in wherever time matters."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Final, Protocol


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_monotonic: Final = _since_boot if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Clock(Protocol):
    """A source of time that tests and the sandbox can replace."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring durations.

        They go on while the machine sleeps, where it can tell.
        """

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return _monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop for that many seconds."""
        await asyncio.sleep(seconds)
