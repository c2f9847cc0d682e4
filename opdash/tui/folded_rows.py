"""The payments of a wallet address as a table's rows, those of a fold in one line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from opdash.ledger.encoding import decode_instant, encode_instant
from opdash.ledger.fold_index import FoldIndex, Spot
from opdash.ledger.folds import Fold, FoldRow
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Sort, SortColumn
from opdash.tui.widgets.row_window import LedgerRows, TableRow


class FoldedRows:
    """Rows by when the payments were created; every other order has a row for each payment.

    A fold that is open stands above its payments, which keep their order below it.

    Attributes:
        index: What stands in one line.
        open: The ids of the folds that are open.
        members: The ids of the payments that were handed out as those of an open fold.
    """

    def __init__(self, reader: LedgerReader, wallet_id: str, index: FoldIndex) -> None:
        self.index = index
        self.open: frozenset[str] = frozenset()
        self.members: set[str] = set()
        self._reader = reader
        self._wallet_id = wallet_id
        self._plain = LedgerRows(reader, wallet_id)
        self._views: dict[bool, _View] = {}

    def take(self, index: FoldIndex) -> None:
        """Take another index; the table must read its rows again."""
        self.index = index
        self._views.clear()
        self.members.clear()

    def turn(self, fold_id: str) -> None:
        """Open a fold, or close it; the table must read its rows again."""
        self.set_open(self.open ^ {fold_id})

    def set_open(self, open_now: frozenset[str]) -> None:
        """Open these folds and close all others; the table must read its rows again."""
        self.open = open_now
        self._views.clear()
        self.members.clear()

    def fold_of(self, payment_id: str) -> Fold | None:
        """Return the fold that a payment belongs to, or None."""
        spot = self._spot(payment_id)
        return None if spot is None else spot.fold

    # As the table's rows

    def count(self, sort: Sort) -> int:
        """Return how many rows there are in an order."""
        if not folds_in(sort):
            return self._plain.count(sort)
        return self._view(descending=sort.descending).count

    def window(self, sort: Sort, offset: int, limit: int) -> tuple[TableRow, ...]:
        """Return the rows from a position on."""
        if not folds_in(sort):
            return self._plain.window(sort, offset, limit)
        view = self._view(descending=sort.descending)
        lines = list(view.lines(offset, min(offset + limit, view.count)))
        payments = self._reader.rows([line for line, _ in lines if isinstance(line, int)])
        rows = iter(payments)
        found: list[TableRow] = []
        for line, is_member in lines:
            if isinstance(line, Fold):
                found.append(fold_row(line, is_open=line.id in self.open))
            elif row := next(rows, None):
                found.append(row)
                if is_member:
                    self.members.add(row.id)
        return tuple(found)

    def position(self, sort: Sort, row_id: str) -> int | None:
        """Return the position of a payment or a fold; that of the fold that a payment is in."""
        if not folds_in(sort):
            return self._plain.position(sort, row_id)
        view = self._view(descending=sort.descending)
        if self.index.fold(row_id) is not None:
            return view.head(self.index.line_of(row_id))
        spot = self._spot(row_id)
        if spot is None:
            return None
        is_hidden = spot.fold is None or spot.fold.id not in self.open
        return view.head(spot.line) if is_hidden else view.member(spot)

    def _spot(self, payment_id: str) -> Spot | None:
        key = self._reader.number(self._wallet_id, payment_id)
        row = None if key is None else next(iter(self._reader.rows([key])), None)
        if key is None or row is None:
            return None
        return self.index.find(key, encode_instant(row.created_at))

    def _view(self, *, descending: bool) -> _View:
        view = self._views.get(descending)
        if view is None:
            view = self._views[descending] = _View(self.index, self.open, descending=descending)
        return view


class _View:
    """The lines of an index in one direction, with the payments of open folds between them."""

    def __init__(self, index: FoldIndex, open_now: frozenset[str], *, descending: bool) -> None:
        self._index = index
        self._descending = descending
        folds = [fold for fold in map(index.fold, open_now) if fold is not None]
        opened = {self._turned(index.line_of(fold.id)): fold for fold in folds}
        self._lines = sorted(opened)
        self._folds = [opened[line] for line in self._lines]
        self._before = [0, *accumulate(len(fold.keys) for fold in self._folds)]
        self._heads = [
            line + before for line, before in zip(self._lines, self._before, strict=False)
        ]
        self.count = index.count + self._before[-1]

    def lines(self, first: int, last: int) -> Iterator[tuple[int | Fold, bool]]:
        """Return payments' numbers and folds, and whether a payment stands below its fold."""
        while first < last:
            number = bisect_left(self._heads, first)  # the open folds whose heads come before
            if number and first <= self._heads[number - 1] + len(self._folds[number - 1].keys):
                fold, head = self._folds[number - 1], self._heads[number - 1]
                end = min(last, head + 1 + len(fold.keys))
                for member in range(first - head - 1, end - head - 1):
                    yield fold.keys[member if self._descending else -member - 1], True
            else:
                end = min(last, self._heads[number] + 1 if number < len(self._heads) else last)
                base = first - self._before[number]
                for line in self._base(base, base + end - first):
                    yield line, False
            first = end

    def head(self, line: int) -> int:
        """Return the position of a line of the index."""
        turned = self._turned(line)
        return turned + self._before[bisect_left(self._lines, turned)]

    def member(self, spot: Spot) -> int:
        """Return the position of a payment of an open fold."""
        members = len(spot.fold.keys) if spot.fold is not None else 0
        place = spot.member if self._descending else members - 1 - spot.member
        return self.head(spot.line) + 1 + place

    def _turned(self, line: int) -> int:
        return line if self._descending else self._index.count - 1 - line

    def _base(self, first: int, last: int) -> list[int | Fold]:
        if self._descending:
            return list(self._index.lines(first, last))
        count = self._index.count
        return list(self._index.lines(count - last, count - first))[::-1]


def folds_in(sort: Sort) -> bool:
    """Return whether folds stand together in an order; in every other they rest."""
    return sort.column is SortColumn.CREATED


def fold_row(fold: Fold, *, is_open: bool) -> FoldRow:
    """Return what a line of the table tells of a fold."""
    return FoldRow(
        id=fold.id,
        search=fold.search,
        source=fold.source,
        day=fold.day,
        count=len(fold.keys),
        received=fold.received,
        received_asset=fold.asset,
        newest_at=decode_instant(fold.newest_at),
        oldest_at=decode_instant(fold.oldest_at),
        is_open=is_open,
    )
