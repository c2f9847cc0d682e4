"""The one clock and the one sleep, handed in wherever time matters."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time that tests and the sandbox can replace."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring durations."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop for that many seconds."""
        await asyncio.sleep(seconds)
