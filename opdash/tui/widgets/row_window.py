"""The rows in view, read from the ledger in small pieces and remembered until it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from opdash.ledger.ranking import INDEXED
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort

if TYPE_CHECKING:
    from opdash.ledger.folds import FoldRow

TableRow: TypeAlias = "PaymentRow | FoldRow"
"""What a table can show. Cursor, marks and what is painted go by a row's ``id`` alone."""

PIECE = 64
"""Rows read at a time: more than most screens show, little enough to be read in a moment."""

_KEPT = 8


class RowSource(Protocol):
    """Where a table's rows come from; every call must be fast enough for the screen's thread."""

    def count(self, sort: Sort) -> int:
        """Return how many rows there are in an order."""

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[TableRow, ...]:
        """Return the rows from a position on."""

    def position(self, sort: Sort, row_id: str) -> int | None:
        """Return the position of a row, or None if it is not among them."""


class LedgerRows:
    """The payments of one wallet address in the ledger.

    An order without an index is not for the screen's thread. Asked for one, these rows stand as
    they did before, until somebody shows the table rows that are sorted so.
    """

    def __init__(self, reader: LedgerReader, wallet_id: str) -> None:
        self._reader = reader
        self._wallet_id = wallet_id
        self._sort = NEWEST_FIRST

    def count(self, _: Sort) -> int:
        """Return how many payments are known."""
        return self._reader.count(self._wallet_id)

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[PaymentRow, ...]:
        """Return the payments from a position on."""
        return self._reader.window(self._wallet_id, self._order(sort), offset, limit)

    def position(self, sort: Sort, row_id: str) -> int | None:
        """Return the position of a payment, or None if it is not known."""
        return self._reader.position(self._wallet_id, self._order(sort), row_id)

    def _order(self, sort: Sort) -> Sort:
        if sort.column in INDEXED:
            self._sort = sort
        return self._sort


class RowWindow:
    """A few pieces of a long list of rows.

    Attributes:
        sort: The order of the rows.
        count: How many there are, as of the last `reload`.
        source: Where they come from.
    """

    def __init__(
        self, source: RowSource, sort: Sort, taken: Callable[[Iterable[TableRow]], None]
    ) -> None:
        """Prepare; nothing is read.

        Args:
            source: Where the rows come from.
            sort: The order of the rows.
            taken: Is told of all rows that are read.
        """
        self.sort = sort
        self.count = 0
        self.source = source
        self._taken = taken
        self._pieces: dict[int, tuple[TableRow, ...]] = {}

    def reload(self) -> None:
        """Forget what was read and count again. Raises what the source raises."""
        self._pieces.clear()
        self.count = self.source.count(self.sort)

    def position(self, row_id: str) -> int | None:
        """Return where a row stands. Raises what the source raises."""
        return self.source.position(self.sort, row_id)

    def rows(self, first: int, limit: int) -> list[TableRow]:
        """Return the rows from a position on, read as needed. Raises what the source raises."""
        last = min(first + limit, self.count)
        found: list[TableRow] = []
        for piece in range(first // PIECE, -(-last // PIECE)):
            rows = self._piece(piece)
            begin = piece * PIECE
            found += rows[max(first - begin, 0) : max(last - begin, 0)]
        return found

    def row(self, index: int) -> TableRow | None:
        """Return one row, or None beyond the end. Raises what the source raises."""
        rows = self.rows(index, 1) if 0 <= index < self.count else []
        return rows[0] if rows else None

    def _piece(self, piece: int) -> tuple[TableRow, ...]:
        rows = self._pieces.pop(piece, None)
        if rows is None:
            rows = self.source.window(self.sort, piece * PIECE, PIECE)
            self._taken(rows)
        self._pieces[piece] = rows
        if len(self._pieces) > _KEPT:
            del self._pieces[next(iter(self._pieces))]
        return rows
