"""Walking the pages of a list, the next on its way while the ledger takes over the last."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from opdash.ledger.records import Scope
from opdash.ledger.scans import Scan, Scanned
from opdash.openpayments.errors import (
    AnswerTooLargeError,
    LostCursorError,
    ProtocolError,
    TooManyRequestsError,
)
from opdash.openpayments.resources import IncomingPaymentPage
from opdash.service.covering import MAX_PAGE
from opdash.service.pace import Pace, RightOfWay
from opdash.service.poller import Poller
from opdash.service.recorder import Recorder

_T = TypeVar("_T")

_LOSSES = 3
"""How often a walk that loses its place begins again at once."""


_TURNS = 16
"""Turns of the event loop that a request needs until it is sent, and some more."""

_REFUSALS = 5
"""How often a server may ask for fewer requests before a page is given up for now."""

_LONGEST_WAIT = 60.0
"""Seconds that a server may ask for while somebody waits for the list."""


class Pages:
    """Fetches pages of one list, no faster than its pace.

    Args:
        poller: Asks the server.
        pace: How fast.
        way: What goes first, or None where nothing does.
    """

    def __init__(self, poller: Poller, pace: Pace, way: RightOfWay | None) -> None:
        self._poller = poller
        self._pace = pace
        self._way = way

    @property
    def _is_shared(self) -> bool:
        """Whether the pace is the server's own, which hears of every answer anyway."""
        return self._pace is self._poller.server.scanning

    async def fetch(self, cursor: str | None) -> IncomingPaymentPage:
        """Fetch the page at a cursor, a shorter one where that is too large to read.

        Raises:
            OpenPaymentsError: It could not be fetched.
        """
        size, refusals = MAX_PAGE, 0
        while True:
            if self._way is not None:
                await self._way.wait()
            await self._pace.wait()
            try:
                page = await self._poller.fetch_page(size, cursor)
            except AnswerTooLargeError:
                if size == 1:
                    raise
                size //= 2
            except TooManyRequestsError as error:
                refusals += 1
                is_long = self._way is None and (error.retry_after or 0.0) > _LONGEST_WAIT
                if is_long or refusals > _REFUSALS:
                    raise
                if not self._is_shared:
                    self._pace.slow_down(error.retry_after)
            else:
                if not self._is_shared:
                    self._pace.answered()
                return page


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A request for a page that is on its way.

    Attributes:
        cursor: Of which page.
        ticket: Taken before it was sent.
        page: The answer to come.
    """

    cursor: str | None
    ticket: int
    page: asyncio.Task[IncomingPaymentPage]


class Walk:
    """One stretch of a scan, from where the ledger says that it stands.

    Args:
        wallet_id: Whose list.
        scope: The scope.
        poller: Knows the server's time.
        recorder: Writes to the ledger.
        pages: Where the pages come from.
    """

    def __init__(
        self, wallet_id: str, scope: Scope, poller: Poller, recorder: Recorder, pages: Pages
    ) -> None:
        self.scan = Scan()
        """Where the scan stands."""
        self._wallet_id = wallet_id
        self._scope = scope
        self._poller = poller
        self._recorder = recorder
        self._pages = pages
        self._ticket = 0
        self._been_at: set[str] = set()
        self._losses = 0
        self._ahead: _Ahead | None = None

    async def begin(self, *, anew: bool = False) -> None:
        """Take up the scan that is under way, or begin one; ``anew`` at the head in any case."""
        now = self._poller.now()
        self.scan, self._ticket = await self._recorder.write(
            lambda ledger: ledger.begin_scan(self._wallet_id, self._scope, now, anew=anew)
        )
        self._been_at.clear()

    async def step(self) -> Scanned:
        """Read one page and move the scan on.

        Raises:
            LostCursorError: The server loses its place again and again.
            ProtocolError: Its list leads back to itself; the next walk begins at the head.
            OpdashError: A page could not be had, or not be recorded.
        """
        while True:
            ahead, self._ahead = await self._sent(self.scan.cursor), None
            page = await ahead.page
            if not self._is_lost(page) and not self._leads_back(page):
                break
            self._losses += 1
            await self.begin(anew=True)
            if page.result or self._losses > _LOSSES:
                raise _not_readable(page)
        if page.pagination.has_next_page:
            self._ahead = self._send(page.pagination.end_cursor)
        return self._take(await self._record(page, ahead.ticket))

    async def close(self) -> None:
        """Leave the walk; a page that is on its way is not waited for."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.page.cancel()
            await asyncio.gather(ahead.page, return_exceptions=True)

    async def _sent(self, cursor: str | None) -> _Ahead:
        if self._ahead is not None and self._ahead.cursor == cursor:
            return self._ahead
        await self.close()
        self._ahead = self._send(cursor)
        return self._ahead

    def _send(self, cursor: str | None) -> _Ahead:
        return _Ahead(cursor, self._ticket, _started(self._pages.fetch(cursor)))

    async def _record(self, page: IncomingPaymentPage, ticket: int) -> Scanned:
        now, patience, scan = self._poller.now(), self._poller.grace, self.scan
        await _let_others_run()
        return await self._recorder.write(
            lambda ledger: ledger.record_scanned(
                self._wallet_id,
                page,
                scan,
                at=now,
                scope=self._scope,
                grace=patience,
                ticket=ticket,
            )
        )

    def _take(self, scanned: Scanned) -> Scanned:
        if not scanned.moved:
            self._been_at.clear()  # somebody else has moved the scan, perhaps back to its head
        self.scan, self._ticket = scanned.scan, scanned.ticket
        return scanned

    def _is_lost(self, page: IncomingPaymentPage) -> bool:
        """Return whether an empty page means that the server has lost the place, not the end."""
        promised = self.scan.cursor is not None or page.pagination.has_next_page
        return not page.result and promised

    def _leads_back(self, page: IncomingPaymentPage) -> bool:
        """Return whether a page was met before on this walk; remembers it."""
        places = {f"payment {page.result[0].id}"} if page.result else set()
        if page.pagination.has_next_page:
            places.add(f"cursor {page.pagination.end_cursor}")
        if places & self._been_at:
            return True
        self._been_at |= places
        return False


def _not_readable(page: IncomingPaymentPage) -> ProtocolError:
    if page.result:
        return ProtocolError(
            "The server's list leads back to itself.",
            "Tell the wallet's provider.",
            field="pagination.endCursor",
        )
    return LostCursorError(
        "The server keeps losing its place in the list.", "It is read again later."
    )


class _Turn:
    """Awaited, it lets everything else that is ready on the event loop run once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def _let_others_run() -> None:
    """Let the request for the next page get on the wire before a page is recorded.

    Recording keeps the interpreter busy on another thread, and each of the small steps of a request
    would have to wait for it.
    """
    for _ in range(_TURNS):
        await _Turn()


def _started(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    return asyncio.create_task(work)
