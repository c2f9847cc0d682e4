"""The rows in view, read from the ledger in small pieces and remembered until it changes."""

from __future__ import annotations

from typing import Protocol

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow, Sort

PIECE = 64
"""Rows read at a time: more than most screens show, little enough to be read in a moment."""

_KEPT = 8


class RowSource(Protocol):
    """Where a table's rows come from; every call must be fast enough for the screen's thread."""

    def count(self) -> int:
        """Return how many rows there are."""

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        """Return the rows from a position on."""

    def position(self, sort: Sort, payment_id: str) -> int | None:
        """Return the position of a payment, or None if it is not among the rows."""


class LedgerRows:
    """The payments of one wallet address in the ledger."""

    def __init__(self, reader: LedgerReader, wallet_id: str) -> None:
        self._reader = reader
        self._wallet_id = wallet_id

    def count(self) -> int:
        """Return how many payments are known."""
        return self._reader.count(self._wallet_id)

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        """Return the payments from a position on."""
        return self._reader.window(self._wallet_id, sort, offset, limit)

    def position(self, sort: Sort, payment_id: str) -> int | None:
        """Return the position of a payment, or None if it is not known."""
        return self._reader.position(self._wallet_id, sort, payment_id)


class RowWindow:
    """A few pieces of a long list of rows.

    Attributes:
        sort: The order of the rows.
        count: How many there are, as of the last `reload`.
    """

    def __init__(self, source: RowSource, sort: Sort) -> None:
        self.sort = sort
        self.count = 0
        self._source = source
        self._pieces: dict[int, tuple[PaymentRow, ...]] = {}

    def reload(self) -> None:
        """Forget what was read and count again. Raises what the source raises."""
        self._pieces.clear()
        self.count = self._source.count()

    def position(self, payment_id: str) -> int | None:
        """Return where a payment stands. Raises what the source raises."""
        return self._source.position(self.sort, payment_id)

    def rows(self, first: int, limit: int) -> list[PaymentRow]:
        """Return the rows from a position on, read as needed. Raises what the source raises."""
        last = min(first + limit, self.count)
        found: list[PaymentRow] = []
        for piece in range(first // PIECE, -(-last // PIECE)):
            rows = self._piece(piece)
            begin = piece * PIECE
            found += rows[max(first - begin, 0) : max(last - begin, 0)]
        return found

    def row(self, index: int) -> PaymentRow | None:
        """Return one row, or None beyond the end. Raises what the source raises."""
        rows = self.rows(index, 1) if 0 <= index < self.count else []
        return rows[0] if rows else None

    def _piece(self, piece: int) -> tuple[PaymentRow, ...]:
        rows = self._pieces.pop(piece, None)
        if rows is None:
            rows = self._source.window(self.sort, piece * PIECE, PIECE)
        self._pieces[piece] = rows
        if len(self._pieces) > _KEPT:
            del self._pieces[next(iter(self._pieces))]
        return rows
