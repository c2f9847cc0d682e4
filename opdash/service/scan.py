"""Reading a wallet address's whole list: once to know it all, later to find what has gone.

A scan asks for one page after the other and keeps its place in the ledger together with what the
page showed, so that it goes on there after a restart, a crash or a day offline. While the ledger
takes over one page, the next is on its way. Two processes on one ledger may both scan: each page
moves the scan on once, and the slower one steps back.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change
from opdash.ledger.scans import Scan, Scanned
from opdash.service.pace import Pace, RightOfWay
from opdash.service.poller import Poller
from opdash.service.recorder import Recorder
from opdash.service.schedule import next_delay
from opdash.service.status import Activity, ScanProgress
from opdash.service.walk import Pages, Walk
from opdash.settings import Profile

_LOG = logging.getLogger(__name__)

EVERY = timedelta(days=1)
"""How long after a scan has ended the next one is due."""

_NAP = 1.0
"""Seconds between two looks at whether there is something to do."""

_STEP_BACK = 5.0
"""Seconds to leave a scan to the process that was faster."""

_TELL_EVERY = 0.5
"""Seconds between two announcements: a screen need not follow every page."""

_RETRY = 5.0
_RATE_PAGES = 50


class Scanner:
    """Reads one profile's list, in the background or at once."""

    def __init__(
        self,
        profile: Profile,
        poller: Poller,
        recorder: Recorder,
        reader: LedgerReader,
        clock: Clock,
        way: RightOfWay,
        *,
        is_live: Callable[[], bool],
        announce: Callable[[str, tuple[Change, ...]], None],
        tell: Callable[[ScanProgress], None],
        every: timedelta = EVERY,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            profile: Whose list.
            poller: Fetches pages.
            recorder: Writes to the ledger.
            reader: Reads it.
            clock: The one clock.
            way: What a scan in the background waits for.
            is_live: Whether the server answers polls.
            announce: Is told what has changed.
            tell: Is told how far it has come.
            every: How long after a scan the next one is due.
        """
        self._profile = profile
        self._poller = poller
        self._recorder = recorder
        self._reader = reader
        self._clock = clock
        self._way = way
        self._is_live = is_live
        self._announce = announce
        self._tell = tell
        self._every = every
        self._changes: list[Change] = []
        self._told_at = clock.monotonic()
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RATE_PAGES)
        self.progress = ScanProgress()
        """How far it has come."""

    async def run(self) -> None:
        """Scan whenever a scan is due, for ever, within the budget; failures are waited out."""
        failures = 0
        while True:
            try:
                await self._until_due()
                if await self._walk(self._poller.server.scanning, in_background=True):
                    failures = 0
            except OpdashError as error:
                failures += 1
                self._show(activity=Activity.NONE, problem=error.sentence)
                await self._clock.sleep(next_delay(_RETRY, failures=failures, jitter=0.5))
            except Exception:
                _LOG.exception("A scan met a fault of opdash itself")
                failures += 1
                self._show(activity=Activity.NONE, problem="opdash met a fault of its own.")
                await self._clock.sleep(next_delay(_RETRY, failures=failures + 4, jitter=0.5))

    async def read_all(self) -> ScanProgress:
        """Read the list to its end now, as fast as the server answers, whatever is paused.

        The first time that is what lies beyond what is known, later the whole list.

        Returns:
            What was read.

        Raises:
            OpdashError: It could not be read to the end; the next scan goes on there.
        """
        while not await self._walk(Pace(self._clock, None), in_background=False):
            pass
        return self.progress

    async def pause(self, wallet_id: str, paused: bool) -> None:
        """Stop reading in the background, or go on; remembered across restarts."""
        scope = self._profile.scope
        await self._recorder.write(lambda ledger: ledger.pause_scan(wallet_id, scope, paused))
        self._show(paused=paused, activity=Activity.NONE if paused else self.progress.activity)

    # Whether to walk

    async def _until_due(self) -> None:
        while True:
            if self._is_live():
                wallet = await self._poller.wallet()
                scan = self._reader.scan(wallet.id, self._profile.scope)
                self._show(paused=scan.paused, ended_at=scan.ended_at)
                if not scan.paused and self._is_due(wallet.id, scan):
                    return
            await self._clock.sleep(_NAP)

    def _is_due(self, wallet_id: str, scan: Scan) -> bool:
        if scan.began_at is not None:
            return True
        walk = self._reader.walk_state(wallet_id, self._profile.scope)
        if walk is None:
            return False
        ended_at = scan.ended_at or walk.updated_at
        return walk.server_has_more or self._poller.now() >= ended_at + self._every

    # Walking

    async def _walk(self, pace: Pace, *, in_background: bool) -> bool:
        """Go on with the scan until it ends; return whether it did.

        In the background it is left when the server stops answering polls, when a person pauses
        it, or when another process is at it.
        """
        wallet = await self._poller.wallet()
        pages = Pages(self._poller, pace, self._way if in_background else None)
        walk = Walk(wallet.id, self._profile.scope, self._poller, self._recorder, pages)
        await walk.begin()
        self._marks.clear()
        self._count(walk.scan)
        try:
            while not walk.scan.walked:
                if in_background and (walk.scan.paused or not self._is_live()):
                    return False
                scanned = await walk.step()
                self._take(wallet.id, scanned)
                if not scanned.moved and in_background:
                    await self._clock.sleep(_STEP_BACK)
                    return False
                if walk.scan.began_at is None:
                    return True
        finally:
            await walk.close()
            self._flush(wallet.id)
            if not walk.scan.walked:
                self._show(activity=Activity.NONE)
        await self._end(wallet.id, walk.scan)
        return True

    async def _end(self, wallet_id: str, scan: Scan) -> None:
        now, patience, scope = self._poller.now(), self._poller.grace, self._profile.scope
        changes = await self._recorder.write(
            lambda ledger: ledger.end_scan(wallet_id, scope, at=now, grace=patience)
        )
        self._announce(wallet_id, changes)
        self._count(scan)
        self._show(activity=Activity.NONE, ended_at=now, gone=len(changes), left=None)

    # Telling

    def _take(self, wallet_id: str, scanned: Scanned) -> None:
        self._changes += scanned.changes
        if self._clock.monotonic() - self._told_at >= _TELL_EVERY:
            self._flush(wallet_id)
            self._count(scanned.scan)
        self._marks.append((self._clock.monotonic(), scanned.scan.payments))

    def _flush(self, wallet_id: str) -> None:
        changes, self._changes = tuple(self._changes), []
        self._told_at = self._clock.monotonic()
        if changes:
            self._announce(wallet_id, changes)

    def _count(self, scan: Scan) -> None:
        each = self._seconds_each(scan.payments)
        total = scan.total if scan.whole and scan.total >= scan.payments else 0
        left = (total - scan.payments) * each
        self._show(
            activity=Activity.CHECKING if scan.whole and scan.ended_at else Activity.READING,
            paused=scan.paused,
            pages=scan.pages,
            payments=scan.payments,
            rate=round(1 / each) if each else 0,
            total=total,
            left=timedelta(seconds=round(left)) if total and each else None,
            gone=0,
            problem="",
        )

    def _seconds_each(self, payments: int) -> float:
        """Return the seconds a payment takes, over the last pages; 0 while that is not known."""
        if not self._marks:
            return 0.0
        at, before = self._marks[0]
        seconds = self._clock.monotonic() - at
        return seconds / (payments - before) if seconds > 0 and payments > before else 0.0

    def _show(self, **changes: Any) -> None:
        progress = replace(self.progress, **changes)
        if progress != self.progress:
            self.progress = progress
            self._tell(progress)
