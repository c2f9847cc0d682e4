"""The head of the list, where new payments appear, and how far the list was read from there."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from msgspec.structs import replace

from opdash.ledger.records import WalkState
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import IncomingPaymentPage, WalletAddress
from opdash.service.asker import Asker
from opdash.service.covering import MAX_PAGE
from opdash.service.planner import MIN_HEAD

_PAUSE = 0.1
"""Seconds between two pages of a longer walk."""

_LONG = timedelta(minutes=10)
"""After so long without an answer, more than a few new payments are likely."""


class HeadRead(NamedTuple):
    """What a reading of the list's head brought.

    Attributes:
        shown: Ids of the payments on it.
        opened_gap: Whether there is a gap now that was not there before.
    """

    shown: frozenset[str]
    opened_gap: bool


class ListHead:
    """Reads the head of one list, and the end of one that shows the oldest payments first."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.oldest_first = False
        """Whether the list began with the oldest payment when its head was last read."""

    def rows(self, wallet: WalletAddress, since: datetime | None) -> int:
        """Return how many rows are likely to reach down to what was known at the last poll."""
        if self._asker.walk_state(wallet) is None or since is None:
            return self._asker.profile.page_size
        return MAX_PAGE if self._asker.now() - since > _LONG else MIN_HEAD

    async def read(self, wallet: WalletAddress, since: datetime | None, rows: int) -> HeadRead:
        """Read the head of the list; where it does not meet what was known, note down a gap."""
        page, ticket = await self._asker.ticketed_page(wallet, rows, None)
        meets = meets_known(self._asker, wallet, page, since)
        self.oldest_first = _rises(page)
        await self._asker.record_page(wallet, page, None, ticket)
        end, at = page.pagination.end_cursor, self._asker.now()

        def read(known: WalkState | None) -> WalkState:
            if known is None or known.cursor is None:
                return frontier(page, at, known)
            if meets or not end:
                return known
            return replace(known, gaps=(end, *known.gaps), updated_at=at)

        before = self._asker.walk_state(wallet)
        await self._asker.change_walk(wallet, read)
        await self._asker.polled(wallet)
        was_read = before is not None and before.cursor is not None
        shown = frozenset(payment.id for payment in page.result)
        return HeadRead(shown, opened_gap=was_read and not meets and bool(end))

    async def follow_the_end(self, wallet: WalletAddress) -> int:
        """Read on where the list ended, if new payments come last; return the requests made.

        The protocol sets no order of the list. Real servers show the newest first.
        """
        requests = 0
        state = self._asker.walk_state(wallet) if self.oldest_first else None
        while state is not None and state.cursor is not None and not state.server_has_more:
            cursor, known = state.cursor, self._asker.reader.count(wallet.id)
            page, ticket = await self._asker.ticketed_page(wallet, MAX_PAGE, cursor)
            requests += 1
            if not page.result:
                break
            await self._asker.record_page(wallet, page, cursor, ticket)
            await self._asker.change_walk(wallet, partial(frontier, page, self._asker.now()))
            nothing_new = self._asker.reader.count(wallet.id) == known
            if nothing_new or not page.pagination.has_next_page:
                break
            await self._asker.clock.sleep(_PAUSE)
            after = self._asker.walk_state(wallet)
            state = None if after is None else replace(after, server_has_more=False)
        return requests

    async def load_older(self, wallet: WalletAddress) -> bool:
        """Fetch one page beyond the oldest known payment; return whether there is more."""
        state = self._asker.walk_state(wallet)
        size = self._asker.profile.page_size
        if state is None or state.cursor is None:
            await self.read(wallet, None, size)
            state = self._asker.walk_state(wallet)
            return state is not None and state.server_has_more
        if not state.server_has_more:
            return False
        page, ticket = await self._asker.ticketed_page(wallet, size, state.cursor)
        if not page.result:
            return await self._find_the_end_again(wallet)
        await self._asker.record_page(wallet, page, state.cursor, ticket)
        asked, now = state.cursor, self._asker.now()
        await self._asker.change_walk(
            wallet,
            lambda known: frontier(page, now, known) if known and known.cursor == asked else known,
        )
        return page.pagination.has_next_page

    async def _find_the_end_again(self, wallet: WalletAddress) -> bool:
        """Walk from the head past everything known: the cursor was lost."""
        cursor: str | None = None
        been_at: set[str | None] = set()
        while True:
            page, ticket = await self._asker.ticketed_page(wallet, MAX_PAGE, cursor)
            news = any(
                self._asker.reader.payment(wallet.id, payment.id) is None for payment in page.result
            )
            await self._asker.record_page(wallet, page, cursor, ticket)
            await self._asker.change_walk(wallet, partial(frontier, page, self._asker.now()))
            if news or not page.pagination.has_next_page:
                return page.pagination.has_next_page
            been_at.add(cursor)
            if page.pagination.end_cursor in been_at:
                raise ProtocolError(
                    "The server's list leads back to itself.", field="pagination.endCursor"
                )
            cursor = page.pagination.end_cursor
            await self._asker.clock.sleep(_PAUSE)


def meets_known(
    asker: Asker, wallet: WalletAddress, page: IncomingPaymentPage, since: datetime | None
) -> bool:
    """Return whether a page, not yet recorded, reaches down to what the list showed before.

    A payment that opdash created since the last poll is known, but what others created before it
    may not be: so the last row must have been known by then, or shown by a page of the list since.
    """
    if not page.result or not page.pagination.has_next_page:
        return True
    last = asker.reader.payment(wallet.id, page.result[-1].id)
    if last is None:
        return False
    was_known = since is not None and last.first_seen_at <= since
    return was_known or asker.reader.was_listed(wallet.id, last.id)


def frontier(
    page: IncomingPaymentPage, now: datetime, before: WalkState | None = None
) -> WalkState:
    """Return how far the list has been read once a page at its frontier is recorded."""
    end = page.pagination.end_cursor
    return WalkState(
        cursor=end or (before.cursor if before else None),
        server_has_more=page.pagination.has_next_page,
        updated_at=now,
        gaps=before.gaps if before else (),
    )


def _rises(page: IncomingPaymentPage) -> bool:
    """Return whether a page begins with the oldest payment."""
    steps = [after.created_at - one.created_at for one, after in pairwise(page.result)]
    return any(step > timedelta(0) for step in steps) and min(steps) >= timedelta(0)
