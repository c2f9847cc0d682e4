"""Searching on a thread of its own, and the rows that it finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, PaymentRow, Sort
from opdash.ledger.search.finding import Matches
from opdash.ledger.search.terms import Query
from opdash.tui.reading_thread import OutdatedError, ReadingThread
from opdash.tui.widgets.row_window import PIECE

__all__ = ["FoundRows", "OutdatedError", "SearchThread"]


class SearchThread(ReadingThread):
    """Reads one wallet address's payments for searches.

    Args:
        path: The ledger.
        wallet_id: The wallet address.
    """

    def __init__(self, path: Path, wallet_id: str) -> None:
        super().__init__(path, "opdash-search")
        self._wallet_id = wallet_id

    async def first(self, request: int, query: Query) -> tuple[PaymentRow, ...]:
        """Return the newest payments that match. Raises `OutdatedError` and `LedgerError`."""
        return await self.read(
            request, lambda reader: reader.window(self._wallet_id, NEWEST_FIRST, 0, PIECE, query)
        )

    async def matches(self, request: int, query: Query, sort: Sort) -> Matches:
        """Return all payments that match. Raises `OutdatedError` and `LedgerError`."""
        return await self.read(request, lambda reader: reader.matches(self._wallet_id, query, sort))

    async def rows(self, request: int, keys: Sequence[int]) -> tuple[PaymentRow, ...]:
        """Return payments by their numbers. Raises `OutdatedError` and `LedgerError`."""
        return await self.read(request, lambda reader: reader.rows(keys))

    async def totals(self, request: int, query: Query) -> tuple[AssetTotals, ...]:
        """Return what they add up to. Raises `OutdatedError` and `LedgerError`."""
        return await self.read(request, lambda reader: reader.totals(self._wallet_id, query))

    async def count(self, request: int, query: Query) -> int:
        """Return how many match. Raises `OutdatedError` and `LedgerError`."""
        return await self.read(request, lambda reader: reader.count(self._wallet_id, query))

    async def forget(self) -> None:
        """Let go of what was found. Raises `OutdatedError` and `LedgerError`."""
        await self.read(self.current, LedgerReader.forget_answers)


class FoundRows:
    """The payments that match, as a table's rows.

    Args:
        reader: For the thread of the screen.
        wallet_id: The wallet address.
        first: The first of them.
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

    def count(self, _: Sort) -> int:
        """Return how many are known to match."""
        return len(self._first) if self._matches is None else len(self._matches)

    def window(self, _: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        """Return the payments from a position on, in the order in which they were found."""
        if self._matches is None or offset + limit <= len(self._first):
            return self._first[offset : offset + limit]
        return self._reader.rows(self._matches.keys[offset : offset + limit])

    def position(self, _: Sort, payment_id: str) -> int | None:
        """Return the position of a payment, or None if it is not among them."""
        if self._matches is None:
            ids = [row.id for row in self._first]
            return ids.index(payment_id) if payment_id in ids else None
        key = self._reader.number(self._wallet_id, payment_id)
        return None if key is None else self._matches.position(key)
