"""The loop that polls one wallet address, or reads along while another opdash does.

Polls never overlap, because the next one is armed after the last has ended. Being offline is a
state, not an end. Of several processes on one ledger the one with the duty polls; the others look
into the ledger, show what it finds, and take over when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change
from opdash.openpayments.errors import (
    OpenPaymentsError,
    ServerError,
    ServerFaultError,
    TooManyRequestsError,
    UnreachableError,
)
from opdash.service.creations import Creator
from opdash.service.duty import PollingDuty
from opdash.service.following import Follower
from opdash.service.pace import RightOfWay
from opdash.service.poller import Poller
from opdash.service.schedule import next_delay
from opdash.service.status import Activity, Phase, Status
from opdash.service.study import Study
from opdash.settings import Profile

_LOG = logging.getLogger(__name__)

_TICK = 1.0
"""Seconds between two looks at the clock, and at what others wrote into the ledger."""

_SLICE = 0.5
"""Seconds of a long gap that are walked before looking whether a person wants something."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a loop needs of its session.

    Attributes:
        wallet_id: Returns the wallet address's id, or None before it is known.
        status: Returns the session's status.
        tell: Changes fields of it.
        changed: Announces what changed of a wallet address's payments, or that something did.
        jitter: Numbers from 0 to 1 that spread tries in time.
        is_focused: Returns whether somebody looks.
        wake: Is set when a poll is wanted now.
    """

    wallet_id: Callable[[], str | None]
    status: Callable[[], Status]
    tell: Callable[..., None]
    changed: Callable[[str, tuple[Change, ...]], None]
    jitter: Callable[[], float]
    is_focused: Callable[[], bool]
    wake: asyncio.Event


class Polling:
    """Polls for one session.

    Attributes:
        held_off: Whether the server asked to be left alone for a while.
    """

    def __init__(
        self,
        profile: Profile,
        poller: Poller,
        creator: Creator,
        reader: LedgerReader,
        clock: Clock,
        way: RightOfWay,
        study: Study,
        around: Surroundings,
    ) -> None:
        self._profile = profile
        self._poller = poller
        self._creator = creator
        self._reader = reader
        self._clock = clock
        self._way = way
        self._study = study
        self._around = around
        self._duty = PollingDuty(reader.path, profile.wallet_address, profile.scope)
        self._follower: Follower | None = None
        self._revision: int | None = None
        self._failures = 0
        self._wake = around.wake
        self.held_off = False

    async def for_ever(self) -> None:
        """Poll, or read along, until cancelled."""
        while True:
            self._wake.clear()
            if self._duty.take():
                self._follower = None
                self._around.tell(polled_elsewhere=False)
                await self._poll_and_wait()
            else:
                await self._read_along()

    def end(self) -> None:
        """Leave polling to others."""
        self._duty.give_up()
        self._poller.leave()

    async def tick_for_ever(self) -> None:
        """Let states move with the clock, and tell what others wrote, until cancelled."""
        while True:
            await self._clock.sleep(_TICK)
            status = self._around.status()
            if status.phase is Phase.CONNECTING or status.polled_elsewhere:
                continue  # this machine's clock may be hours off; who polls knows the server's
            try:
                wallet_id = self._around.wallet_id()
                if wallet_id is not None:
                    await self._poller.advance(wallet_id)
                    self._look_around(wallet_id)
            except OpdashError as error:
                self._around.tell(problem=error.sentence, advice=error.advice)
            except Exception:
                _LOG.exception("A look at the clock met a fault of opdash itself")

    def told(self, wallet_id: str) -> None:
        """Say that what this process wrote has been announced."""
        if self._follower is None:
            self._revision = self._reader.revision(wallet_id)

    # Polling

    async def poll_whole(self) -> None:
        """Poll once, and read on until the list is known without a gap.

        Raises:
            OpdashError: The server could not be asked.
        """
        whole = await self.poll()
        while not whole:
            whole = await self._guarded(self._walk_gaps(self._profile.poll_interval))
            whole = whole or await self.poll()

    async def poll(self) -> bool:
        """Poll once; return whether the list is then known down from its head.

        Raises:
            OpdashError: The server could not be asked.
        """
        return await self._guarded(self._poll())

    async def _poll(self) -> bool:
        whole = await self._poller.poll()
        if whole:
            await self._follow_up()
        return whole

    async def _walk_gaps(self, seconds: float) -> bool:
        whole = await self._poller.walk_gaps(seconds)
        if whole:
            await self._follow_up()
        return whole

    async def _follow_up(self) -> None:
        wallet_id = self._around.wallet_id()
        if wallet_id is not None:
            await self._creator.follow_up(wallet_id)

    async def _guarded(self, work: Awaitable[bool]) -> bool:
        """Ask the server, and let the status say how that went."""
        tell = self._around.tell
        tell(polling=True)
        try:
            with self._way.taken():
                whole = await work
        except OpdashError as error:
            self._poller.missed()
            tell(
                phase=_phase_after(error),
                polling=False,
                problem=error.sentence,
                advice=error.advice,
                oldest_unrefreshed_at=await self._oldest_unrefreshed(),
            )
            raise
        except Exception as error:
            self._poller.missed()
            _LOG.exception("A poll met a fault of opdash itself")
            tell(phase=Phase.FAILED, polling=False, problem="opdash met a fault of its own.")
            raise OpdashError(
                "opdash met a fault of its own while polling.", "Run it with --debug."
            ) from error
        tell(
            phase=Phase.LIVE,
            polling=False,
            problem="",
            advice="",
            last_ok_at=self._poller.now(),
            oldest_unrefreshed_at=await self._oldest_unrefreshed(),
        )
        return whole

    async def _poll_and_wait(self) -> None:
        retry_after: float | None = None
        began = self._clock.monotonic()
        try:
            whole = await self.poll()
            self._failures = 0
            pause = self._profile.poll_interval - (self._clock.monotonic() - began)
            while not whole and pause > 0 and not self._wake.is_set():
                whole = await self._guarded(self._walk_gaps(min(pause, _SLICE)))
                pause = self._profile.poll_interval - (self._clock.monotonic() - began)
            delay = next_delay(self._profile.poll_interval, focused=self._around.is_focused())
            if not whole:
                delay = max(pause, 0.0)
        except OpdashError as error:
            self._failures += 1
            retry_after = error.retry_after if isinstance(error, ServerError) else None
            delay = next_delay(
                self._profile.poll_interval,
                failures=self._failures,
                retry_after=retry_after,
                jitter=self._around.jitter(),
            )
            if _phase_after(error) is not Phase.OFFLINE:
                self._duty.give_up()  # what stands in the way here may not elsewhere
        self.held_off = retry_after is not None
        await self._wait(delay)
        while not self._wake.is_set() and (left := self._held_back()) > 0:
            await self._wait(left)

    def _held_back(self) -> float:
        """Return the seconds until the server may be asked again by those in the background."""
        server = self._poller.server_if_known
        return 0.0 if server is None else server.polling.wait_left()

    async def _wait(self, seconds: float) -> None:
        due_at = self._poller.now() + timedelta(seconds=seconds)
        self._around.tell(next_poll_at=due_at)
        await self._sleep_or_wake(seconds)

    async def _sleep_or_wake(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _oldest_unrefreshed(self) -> datetime | None:
        wallet_id = self._around.wallet_id()
        if wallet_id is None:
            return None
        scope = self._profile.scope
        seen = await self._study.read(
            lambda reader: [one.last_seen_at for one in reader.changeable(wallet_id, scope)]
        )
        return min(seen, default=None)

    # Reading along

    async def _read_along(self) -> None:
        """Show what the process with the duty finds; poll only if a person wants it."""
        wallet_id = self._around.wallet_id()
        with contextlib.suppress(OpdashError):
            self._show_other(wallet_id)
        await self._sleep_or_wake(min(_TICK, self._profile.poll_interval))
        if self._wake.is_set():
            with contextlib.suppress(OpdashError):
                await self.poll()

    def _show_other(self, wallet_id: str | None) -> None:
        known = None if wallet_id is None else self._reader.wallet(wallet_id)
        polled_at = None if known is None else known.last_poll_at
        showing: dict[str, Any] = {"polled_elsewhere": True, "next_poll_at": None}
        if polled_at is not None:
            oks = [at for at in (self._around.status().last_ok_at, polled_at) if at is not None]
            showing |= {"phase": Phase.LIVE, "problem": "", "advice": "", "last_ok_at": max(oks)}
        self._around.tell(**showing)
        if wallet_id is None or known is None:
            return
        if self._follower is None:
            self._follower = Follower(self._reader, wallet_id)
            self._revision = self._reader.revision(wallet_id)
        elif self._has_moved(wallet_id):
            news = self._follower.news(self._poller.now())
            # Whoever polls has announced what there was to announce.
            changes = [msgspec.structs.replace(change, announce=None) for change in news]
            self._around.changed(wallet_id, tuple(changes))

    def _look_around(self, wallet_id: str) -> None:
        """Tell that another process wrote something, if this one did not."""
        before = self._revision
        is_reading = self._around.status().scan.activity is not Activity.NONE
        if self._has_moved(wallet_id) and before is not None and not is_reading:
            self._around.changed(wallet_id, ())

    def _has_moved(self, wallet_id: str) -> bool:
        revision = self._reader.revision(wallet_id)
        has_moved, self._revision = revision != self._revision, revision
        return has_moved


def _phase_after(error: OpdashError) -> Phase:
    if isinstance(error, (UnreachableError, ServerFaultError, TooManyRequestsError)):
        return Phase.OFFLINE
    return Phase.REFUSED if isinstance(error, OpenPaymentsError) else Phase.FAILED
