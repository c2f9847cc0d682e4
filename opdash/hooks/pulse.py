"""Waiting for something new in the ledger."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from opdash.clock import Clock

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at what another opdash may have written."""


class Pulse:
    """Wakes whoever reads along in the ledger: when told, and now and then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()
        self._is_over = False

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    def end(self) -> None:
        """End this wait and all later ones."""
        self._is_over = True
        self._woken.set()

    def is_over(self) -> bool:
        """Return whether there is nothing more to wait for."""
        return self._is_over

    async def wait(self, seconds: float = LOOK_EVERY) -> None:
        """Wait until something was written, but not for longer than that."""
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one
        if not self._is_over:
            self._woken.clear()
