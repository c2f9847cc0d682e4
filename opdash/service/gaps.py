"""Stretches of the list that heads did not reach down to: walked page by page until they close."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from msgspec.structs import replace

from opdash.ledger.records import WalkState
from opdash.openpayments.resources import WalletAddress
from opdash.service.asker import Asker
from opdash.service.covering import MAX_PAGE
from opdash.service.heads import meets_known


class Gaps:
    """The gaps of one list; they are kept in the ledger and survive a restart."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._been_at: set[str] = set()
        self._known_at: datetime | None = None

    def any(self, wallet: WalletAddress) -> bool:
        """Return whether there is one."""
        state = self._asker.walk_state(wallet)
        return state is not None and bool(state.gaps)

    def opened(self, since: datetime | None) -> None:
        """Say that a head did not meet what was known at a poll; of several, the first counts."""
        self._known_at = self._known_at or since

    async def walk(self, wallet: WalletAddress, seconds: float) -> bool:
        """Walk on for so long, as fast as lists may be read in the background.

        Returns:
            Whether all gaps are closed.

        Raises:
            OpenPaymentsError: A page could not be had; the gap is still there.
        """
        clock = self._asker.clock
        until = clock.monotonic() + seconds
        while (state := self._asker.walk_state(wallet)) is not None and state.gaps:
            if clock.monotonic() >= until:
                return False
            await self._asker.server.scanning.wait()
            await self._walk_one(wallet, state.gaps[0])
        self._been_at.clear()
        self._known_at = None
        return True

    async def _walk_one(self, wallet: WalletAddress, cursor: str) -> None:
        page, ticket = await self._asker.ticketed_page(wallet, MAX_PAGE, cursor)
        if not page.result or cursor in self._been_at:
            await self._give_up(wallet, cursor)
            return
        self._been_at.add(cursor)
        closed = meets_known(self._asker, wallet, page, self._known_at)
        await self._asker.record_page(wallet, page, cursor, ticket)
        onward = None if closed else page.pagination.end_cursor
        await self._asker.change_walk(wallet, partial(_past, cursor, onward, self._asker.now()))

    async def _give_up(self, wallet: WalletAddress, cursor: str) -> None:
        """Leave a gap whose place the server has lost to a scan of the whole list."""
        now = self._asker.now()

        def leave(known: WalkState | None) -> WalkState | None:
            left = _past(cursor, None, now, known)
            return None if left is None else replace(left, server_has_more=True)

        await self._asker.change_walk(wallet, leave)
        await self._asker.scan_anew(wallet)


def _past(
    cursor: str, onward: str | None, now: datetime, known: WalkState | None
) -> WalkState | None:
    """Return how far the list has been read once a page of a gap is recorded."""
    if known is None:
        return None
    moved = () if onward is None else (onward,)
    gaps = tuple(at for gap in known.gaps for at in (moved if gap == cursor else (gap,)))
    return replace(known, gaps=gaps, updated_at=now)
