"""What a target of events is, and why one was not delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from opdash.clock import Clock
from opdash.hooks.letters import Letter

FIRST_PAUSE: Final = 1.0
"""Seconds before the second attempt; each later pause is twice as long as the one before."""

LONGEST_PAUSE: Final = 60.0
"""The longest pause that opdash makes of its own accord, in seconds."""

LONGEST_WAIT: Final = 3600.0
"""The longest that a receiver can ask opdash to wait, in seconds."""


Tell = Callable[[str], None]
"""Says something to a person, on one line."""


class DeliveryError(Exception):
    """An event was not taken.

    Attributes:
        reason: Why, the end of "it …", free of secrets and safe to show.
        wait: Seconds that the receiver wants to be left alone, or None.
        is_final: Whether another attempt cannot succeed.
    """

    def __init__(self, reason: str, *, wait: float | None = None, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.is_final = is_final


class StoppedError(Exception):
    """The receiver wants no more events, ever."""


class Target(Protocol):
    """A program or a web hook."""

    @property
    def name(self) -> str:
        """What it is called, without secrets and safe to show."""

    async def deliver(self, letter: Letter) -> None:
        """Hand an event over.

        Raises:
            DeliveryError: It was not taken.
            StoppedError: The receiver wants no more.
        """

    async def aclose(self) -> None:
        """Close what was kept open."""


class Postman:
    """Tries again and again, but not for ever.

    Args:
        clock: The one clock.
        jitter: Numbers from 0 to 1 that spread attempts in time.
        retries: How many attempts follow the first.
        tell: Is told of each attempt that failed and will be repeated.
    """

    def __init__(
        self,
        clock: Clock,
        jitter: Callable[[], float],
        retries: int,
        tell: Tell,
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._retries = retries
        self._tell = tell

    async def deliver(self, target: Target, letter: Letter) -> tuple[int, str]:
        """Hand an event over.

        Returns:
            How many attempts were made, and why the last one failed; empty where it did not.

        Raises:
            StoppedError: The receiver wants no more.
        """
        attempt = 1
        while True:
            try:
                await target.deliver(letter)
            except DeliveryError as error:
                if error.is_final or attempt > self._retries:
                    return attempt, error.reason
                pause = self._pause(attempt, error.wait)
                self._tell(f"{target.name} {error.reason}; again in {pause:.0f} s")
                await self._clock.sleep(pause)
                attempt += 1
            else:
                return attempt, ""

    def _pause(self, attempt: int, wait: float | None) -> float:
        own = min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 30), LONGEST_PAUSE)
        own *= 0.5 + self._jitter() / 2
        return max(own, min(wait or 0.0, LONGEST_WAIT))
