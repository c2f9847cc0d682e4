"""Bringing one hook its events, in order, at a pace of its own.

The ledger's log is the queue: what a slow receiver has not had yet waits there, and neither polls
nor other hooks wait for it. Each event is delivered or becomes a dead letter before the hook's
place moves past it, so that after a crash it is tried again rather than lost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from opdash.clock import Clock
from opdash.hooks.dead_letters import DeadLetter, DeadLetters
from opdash.hooks.deliveries import Postman, StoppedError, Target, Tell
from opdash.hooks.letters import Letter, bounded
from opdash.hooks.pulse import Pulse
from opdash.hooks.registry import Hook, Place, Registry
from opdash.ledger.event_log import CursorError, EventLog, LoggedEvent

_STANDBY: Final = 2.0
"""Seconds between two looks whether the process that delivers for a hook is still there."""

_DISK_PAUSE: Final = 10.0
"""Seconds before a place or a dead letter that could not be written is tried again."""

_AT_ONCE: Final = 50


class Courier:
    """Delivers for one hook until told to end, or until its receiver wants no more.

    Args:
        hook: Which.
        target: Where its events go.
        log: The log of changes.
        compose: Returns an event's object, or None where the hook is not told of it.
        begin: The number of the event to begin after, where the hook has no place yet.
        is_anew: Whether to begin there although it has one.
    """

    def __init__(
        self,
        hook: Hook,
        target: Target,
        *,
        log: EventLog,
        compose: Callable[[LoggedEvent], Mapping[str, Any] | None],
        begin: int,
        is_anew: bool,
        registry: Registry,
        dead: DeadLetters,
        postman: Postman,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._hook = hook
        self._target = target
        self._log = log
        self._compose = compose
        self._begin = begin
        self._is_anew = is_anew
        self._registry = registry
        self._dead = dead
        self._postman = postman
        self._clock = clock
        self._tell = tell
        self._pulse = Pulse(clock)

    def wake(self) -> None:
        """Look at once whether there is something new."""
        self._pulse.wake()

    def end(self) -> None:
        """Finish the delivery under way, and begin no other."""
        self._pulse.end()

    async def run(self) -> None:
        """Deliver.

        Raises:
            CursorError: The hook's place is not in this ledger's log.
            LedgerError: The log cannot be read.
        """
        said = False
        try:
            while not self._pulse.is_over():
                with self._registry.duty(self._hook.key) as ours:
                    if ours:
                        await self._deliver()
                        return
                if not said:
                    self._tell(f"{self._target.name}: another opdash delivers to it")
                    said = True
                await self._clock.sleep(_STANDBY)
        finally:
            await self._target.aclose()

    async def _deliver(self) -> None:
        number = self._first()
        while not self._pulse.is_over():
            events = self._log.after(number, _AT_ONCE)
            if not events:
                await self._pulse.wait()
                continue
            for event in events:
                record = self._compose(event)
                if record is not None and not await self._bring(record):
                    return
                number = event.number
                if record is not None:
                    await self._keep(event.cursor)
                if self._pulse.is_over():
                    return
            await self._keep(events[-1].cursor)
            await asyncio.sleep(0)  # a long way to go must not hold up the polls

    def _first(self) -> int:
        """Return the number of the event to begin after, and keep that place."""
        place = self._registry.place(self._hook.key)
        if place is not None and not self._is_anew:
            try:
                return self._log.number(place.cursor)
            except CursorError as error:
                raise CursorError(f"{self._target.name}: {error.sentence}", error.advice) from error
        self._save(self._log.cursor(self._begin))
        if place is None:
            self._tell(
                f"{self._target.name}: a new hook, {self._hook.key}; its place is kept from now"
            )
        return self._begin

    async def _bring(self, record: Mapping[str, Any]) -> bool:
        """Deliver one event, or bury it; return whether the hook wants more."""
        try:
            attempts, reason = await self._postman.deliver(self._target, Letter.of(record))
        except StoppedError:
            self._tell(f"{self._target.name} wants no more events (410); its place is kept")
            return False
        if reason:
            await self._bury(record, attempts, reason)
        return True

    async def _bury(self, record: Mapping[str, Any], attempts: int, reason: str) -> None:
        letter = DeadLetter(
            id=os.urandom(4).hex(),
            hook=self._hook.key,
            name=self._target.name,
            at=self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
            attempts=attempts,
            reason=reason,
            event=bounded(record),
        )
        await self._until_written(lambda: self._dead.add(letter))
        self._tell(
            f"{self._target.name} {reason}; given up after {attempts} "
            f"attempt{'' if attempts == 1 else 's'}. “opdash hooks dead” shows what was not taken."
        )

    async def _keep(self, cursor: str) -> None:
        await self._until_written(lambda: self._save(cursor))

    async def _until_written(self, write: Callable[[], None]) -> None:
        """Write, and wait for as long as the disk refuses."""
        while True:
            try:
                write()
            except OSError as error:
                self._tell(f"{self._target.name}: nothing can be kept ({error.strerror}). Waiting.")
                await self._clock.sleep(_DISK_PAUSE)
            else:
                return

    def _save(self, cursor: str) -> None:
        self._registry.save(Place(self._hook, self._target.name, cursor))
