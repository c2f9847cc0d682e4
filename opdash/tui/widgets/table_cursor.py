"""The cursor of a table: it belongs to a row by its id, never to a position.

Where rows arrive above it, it moves down with its row. Only while it *follows* does it stay on the
first row instead, so that a dashboard nobody touches shows the newest payment.
"""

from __future__ import annotations

from collections.abc import Iterable

from opdash.tui.widgets.row_window import RowWindow, TableRow


class TableCursor:
    """Which row is selected, and which have changed since a person looked at them.

    Attributes:
        index: The position of the row.
        row: The row, or None where there is none.
        following: Whether it stays on the first row as new ones arrive.
        marks: The ids of the rows that changed.
    """

    def __init__(self, *, following: bool) -> None:
        self.index = 0
        self.row: TableRow | None = None
        self.following = following
        self.marks: set[str] = set()

    def is_on(self, row: TableRow) -> bool:
        """Return whether it is on a row."""
        return self.row is not None and self.row.id == row.id

    def reload(self, window: RowWindow) -> int:
        """Find its row among rows that were read anew. Raises what their source raises.

        Returns:
            By how many rows it has moved down; 0 where its row is gone or the first is followed.
        """
        shift = 0
        if self.following or self.row is None:
            self.index = 0
        else:
            index = window.position(self.row.id)
            if index is None:
                self.index = max(min(self.index, window.count - 1), 0)
            else:
                shift, self.index = index - self.index, index
        self.row = window.row(self.index)
        return shift

    def forget_unless_in(self, window: RowWindow) -> bool:
        """Go to the first row if its own is not among others; returns whether it is."""
        if self.row is not None and window.position(self.row.id) is not None:
            return True
        self.index, self.row = 0, None
        return False

    def go(self, index: int, window: RowWindow) -> bool:
        """Go to a row, or to the nearest there is; returns whether there is one."""
        index = max(min(index, window.count - 1), 0)
        row = window.row(index)
        if row is None:
            return False
        self.index, self.row, self.following = index, row, False
        self.marks.discard(row.id)
        return True

    def mark(self, row_ids: Iterable[str]) -> None:
        """Mark rows as changed, but for its own."""
        self.marks.update(row_ids)
        if self.row is not None:
            self.marks.discard(self.row.id)
