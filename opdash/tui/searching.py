"""Searching on a thread of its own, so that typing and painting never wait for it.

A newer request interrupts the one that runs: what nobody waits for any more is not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, PaymentRow, Sort
from opdash.ledger.search.finding import Matches
from opdash.ledger.search.terms import Query
from opdash.tui.widgets.row_window import PIECE

_T = TypeVar("_T")


class OutdatedError(Exception):
    """A newer request has taken the place of this one."""


class SearchThread:
    """Reads one wallet address's payments for searches.

    Args:
        path: The ledger.
        wallet_id: The wallet address.
    """

    def __init__(self, path: Path, wallet_id: str) -> None:
        self._path = path
        self._wallet_id = wallet_id
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="opdash-search")
        self._reader: LedgerReader | None = None
        self._request = 0

    def begin(self) -> int:
        """Return the number of a new request; what earlier ones still read is interrupted."""
        self._request += 1
        if self._reader is not None:
            self._reader.interrupt()
        return self._request

    @property
    def current(self) -> int:
        """The number of the newest request."""
        return self._request

    def is_current(self, request: int) -> bool:
        """Return whether no newer request has begun."""
        return request == self._request

    async def first(self, request: int, query: Query) -> tuple[PaymentRow, ...]:
        """Return the newest payments that match. Raises `OutdatedError` and `LedgerError`."""
        return await self._run(
            request, lambda reader: reader.window(self._wallet_id, NEWEST_FIRST, 0, PIECE, query)
        )

    async def matches(self, request: int, query: Query, sort: Sort) -> Matches:
        """Return all payments that match. Raises `OutdatedError` and `LedgerError`."""
        return await self._run(request, lambda reader: reader.matches(self._wallet_id, query, sort))

    async def totals(self, request: int, query: Query) -> tuple[AssetTotals, ...]:
        """Return what they add up to. Raises `OutdatedError` and `LedgerError`."""
        return await self._run(request, lambda reader: reader.totals(self._wallet_id, query))

    async def count(self, request: int, query: Query) -> int:
        """Return how many match. Raises `OutdatedError` and `LedgerError`."""
        return await self._run(request, lambda reader: reader.count(self._wallet_id, query))

    def close(self) -> None:
        """End the thread once it is done; nothing is waited for."""
        self.begin()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    async def _run(self, request: int, read: Callable[[LedgerReader], _T]) -> _T:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._thread, self._read, request, read)
        if not self.is_current(request):
            raise OutdatedError
        return found

    def _read(self, request: int, read: Callable[[LedgerReader], _T]) -> _T:
        if not self.is_current(request):
            raise OutdatedError
        if self._reader is None:
            self._reader = LedgerReader.open(self._path)
        try:
            return read(self._reader)
        except LedgerError:
            if not self.is_current(request):
                raise OutdatedError from None
            raise

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()


class FoundRows:
    """The payments that match, as a table's rows.

    Args:
        reader: For the thread of the screen.
        wallet_id: The wallet address.
        first: The newest of them.
        matches: All of them, once they are known.
    """

    def __init__(
        self,
        reader: LedgerReader,
        wallet_id: str,
        first: tuple[PaymentRow, ...],
        matches: Matches | None = None,
    ) -> None:
        self._reader = reader
        self._wallet_id = wallet_id
        self._first = first
        self._matches = matches

    def count(self) -> int:
        """Return how many are known to match."""
        return len(self._first) if self._matches is None else len(self._matches)

    def window(self, _: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        """Return the payments from a position on, in the order in which they were found."""
        if self._matches is None:
            return self._first[offset : offset + limit]
        return self._reader.rows(self._matches.keys[offset : offset + limit])

    def position(self, _: Sort, payment_id: str) -> int | None:
        """Return the position of a payment, or None if it is not among them."""
        if self._matches is None:
            ids = [row.id for row in self._first]
            return ids.index(payment_id) if payment_id in ids else None
        key = self._reader.number(self._wallet_id, payment_id)
        return None if key is None else self._matches.position(key)
