"""The table of payments: virtual, painted line by line, with a cursor that holds a payment's id.

It asks its source for the rows in view only, so a hundred and a million rows cost the same.

Where rows arrive above the cursor, the row under it keeps its line on the screen and the status
line counts what is new above. At the start and after Home (``g``) the table *follows* the first
row. Any other movement, a click, a wheel turn or opening a row ends that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.geometry import Size
from textual.message import Message

from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort
from opdash.openpayments.amounts import Asset
from opdash.table_view import STANDARD_CHOICE, Column, ColumnChoice, next_order
from opdash.tui.failures import told
from opdash.tui.widgets.row_window import RowSource, RowWindow, TableRow
from opdash.tui.widgets.table_canvas import TableCanvas
from opdash.tui.widgets.table_cursor import TableCursor

if TYPE_CHECKING:
    from opdash.ledger.folds import FoldRow

_T = TypeVar("_T")


class PaymentTable(TableCanvas, can_focus=True, inherit_bindings=False):
    """A wallet address's payments.

    Attributes:
        page_size: Rows of a page.
        new_above: How many rows have arrived above the view, unseen.
    """

    class Moved(Message):
        """The cursor, the page or the number of rows changed."""

    class SortChanged(Message):
        """The order of the rows changed."""

    class EndPassed(Message):
        """A person went beyond the last known row, by a row or by a page."""

        def __init__(self, *, by_page: bool) -> None:
            super().__init__()
            self.by_page = by_page

    class Opened(Message):
        """A person opened a row with the mouse."""

        def __init__(self, row: TableRow) -> None:
            super().__init__()
            self.row = row

    class ReadFailed(Message):
        """The rows could not be read; the sentence says why."""

        def __init__(self, sentence: str) -> None:
            super().__init__()
            self.sentence = sentence

    def __init__(
        self,
        source: RowSource,
        asset: Asset,
        now: Callable[[], datetime],
        *,
        columns: Sequence[ColumnChoice] = STANDARD_CHOICE,
        sort: Sort = NEWEST_FIRST,
        page_size: int = 50,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(asset, columns, now(), id=id)
        self.page_size = page_size
        self.new_above = 0
        self._now = now
        self._window = RowWindow(source, sort, self.measure)
        self._cursor = TableCursor(following=sort == NEWEST_FIRST)

    # What is shown

    @property
    def sort(self) -> Sort:
        """The order of the rows."""
        return self._window.sort

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self._window.count

    @property
    def cursor(self) -> int:
        """The position of the row under the cursor."""
        return self._cursor.index

    @property
    def selected(self) -> PaymentRow | None:
        """The payment under the cursor; None where there is none, or several in one line."""
        row = self._cursor.row
        return row if isinstance(row, PaymentRow) else None

    @property
    def fold(self) -> FoldRow | None:
        """The payments under the cursor that stand in one line, or None."""
        row = self._cursor.row
        return None if isinstance(row, PaymentRow) else row

    @property
    def source(self) -> RowSource:
        """Where the rows come from."""
        return self._window.source

    @property
    def following(self) -> bool:
        """Whether the cursor stays on the first row as new ones arrive."""
        return self._cursor.following

    @property
    def page(self) -> int:
        """The page that the cursor is on, from 0."""
        return self.cursor // self.page_size

    @property
    def pages(self) -> int:
        """How many pages are known; at least one."""
        return max(-(-self.row_count // self.page_size), 1)

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the payments that changed since a person last looked at them."""
        return frozenset(self._cursor.marks)

    @property
    def top(self) -> int:
        """The position of the first row in view."""
        return round(self.scroll_y)

    @property
    def height_in_rows(self) -> int:
        """How many rows are in view."""
        return max(self.scrollable_content_region.height - 1, 1)

    def rows_in_view(self) -> tuple[PaymentRow, ...]:
        """Return the payments in view that have a row of their own."""
        return tuple(row for row in self.lines_in_view() if isinstance(row, PaymentRow))

    def lines_in_view(self) -> tuple[TableRow, ...]:
        """Return the rows in view; empty if they cannot be read."""
        return tuple(self._read(lambda: self._window.rows(self.top, self.height_in_rows)) or ())

    # Changes of the ledger and of time

    def reload(self) -> None:
        """Read the rows again; the cursor stays on its payment, on the same line of the screen."""
        shift = self._read(self._reload)
        if shift is None:
            return
        self.painter.set_now(self._now())
        self.virtual_size = Size(0, self.row_count + 1 if self.row_count else 0)
        self._shift_view(shift)
        self.refresh()
        self.post_message(self.Moved())

    def show_rows(self, source: RowSource) -> None:
        """Take rows from elsewhere; the cursor stays on its payment if that is among them."""
        self._window = RowWindow(source, self.sort, self.measure)
        self.painter.set_members(getattr(source, "members", frozenset()))
        if not self._read(lambda: self._cursor.forget_unless_in(self._window)):
            self._scroll_to_row(0)
        self.reload()
        self.new_above = 0
        self._show_cursor()

    def _reload(self) -> int:
        self._window.reload()
        return self._cursor.reload(self._window)

    def _shift_view(self, rows: int) -> None:
        if rows:
            self._scroll_to_row(self.top + rows)
            self.new_above = min(max(self.new_above + rows, 0), self.top)

    def mark(self, payment_ids: Iterable[str]) -> None:
        """Mark payments as changed, but for the one under the cursor."""
        self._cursor.mark(payment_ids)
        self.refresh()

    def tick(self) -> None:
        """Repaint the rows in view whose times read differently by now."""
        self.painter.set_now(self._now())
        for line, row in enumerate(self.lines_in_view()):
            if self.painter.is_stale(row, *self.look(row)):
                self.refresh_at(line)

    # Movement

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        target = self.cursor + rows
        if target >= self.row_count and self.cursor == self.row_count - 1:
            self.post_message(self.EndPassed(by_page=False))
            return
        self._go(target)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.height_in_rows - 1, 1))

    def go_first(self) -> None:
        """Go to the first row; in the first order, follow it from now on."""
        self._go(0)
        self._cursor.following = self.sort == NEWEST_FIRST
        self.post_message(self.Moved())

    def go_last(self) -> None:
        """Go to the last known row."""
        self._go(self.row_count - 1)

    def next_page(self) -> None:
        """Go to the first row of the next page, at the top of the view."""
        target = (self.page + 1) * self.page_size
        if target >= self.row_count:
            self.post_message(self.EndPassed(by_page=True))
            return
        self._go(target, top=target)

    def previous_page(self) -> None:
        """Go to the first row of the previous page, at the top of the view."""
        target = max(self.page - 1, 0) * self.page_size
        self._go(target, top=target)

    def select(self, payment_id: str) -> bool:
        """Move the cursor to a payment; returns whether it is among the rows."""
        index = self._read(lambda: self._window.position(payment_id))
        if index is None:
            return False
        self._go(index)
        return True

    def select_first(self, payment_ids: Iterable[str]) -> None:
        """Move the cursor to the first of several payments that is among the rows."""
        any(self.select(payment_id) for payment_id in payment_ids)

    def hold(self) -> None:
        """Keep the cursor on its payment from now on, even if newer ones arrive."""
        if self.following:
            self._cursor.following = False
            self.post_message(self.Moved())

    # Order and columns

    def sort_by(self, column: Column) -> None:
        """Sort by a column; once more turns the order round. The cursor keeps its payment."""
        self.set_sort(next_order(column, self.sort))

    def set_sort(self, sort: Sort) -> None:
        """Take another order.

        The cursor keeps its payment; while it only follows the newest, it begins at the top.
        """
        if sort == self.sort:
            return
        if self.following:
            self._cursor.row = None
        self._window.sort = sort
        self._cursor.following = False
        self.new_above = 0
        self.reload()
        self.new_above = 0
        self._show_cursor()
        self.post_message(self.SortChanged())

    def _go(self, index: int, top: int | None = None) -> None:
        former = self.cursor
        if not self._read(lambda: self._cursor.go(index, self._window)):
            return
        self._refresh_row(former)
        self._refresh_row(self.cursor)
        if top is None:
            self._show_cursor()
        else:
            self._scroll_to_row(top)
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        height = self.height_in_rows
        if self.cursor < self.top:
            self._scroll_to_row(self.cursor)
        elif self.cursor >= self.top + height:
            self._scroll_to_row(self.cursor - height + 1)

    def _scroll_to_row(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, force=True)

    def _refresh_row(self, index: int) -> None:
        self.refresh_at(index - self.top)

    # Painting

    def look(self, row: TableRow) -> tuple[str, bool]:
        """Return the component below a row, and whether it is marked."""
        cursor = "cursor" if self.has_focus else "cursor-blurred"
        return cursor if self._cursor.is_on(row) else "row", row.id in self._cursor.marks

    # Mouse, focus and size

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """End following, and count down what is new above, when the view moves."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) == round(new_value):
            return
        if round(new_value) > 0:
            self._cursor.following = False
        self.new_above = min(self.new_above, self.top)
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Sort by a heading, or select a row; a row that is selected already is opened."""
        offset = event.get_content_offset(self)
        if offset is None or not self.row_count:
            return
        if offset.y == 0:
            self._click_heading(offset.x)
            return
        index = self.top + offset.y - 1
        if index >= self.row_count:
            return
        row = self._cursor.row
        if index == self.cursor and row is not None and (event.chain > 1 or not self.following):
            self.post_message(self.Opened(row))
        else:
            self._go(index)

    def _click_heading(self, x: int) -> None:
        for place in self.places:
            if place.left <= x < place.right:
                self.sort_by(place.column)

    def on_focus(self) -> None:
        """Paint the cursor as active."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """Paint the cursor as resting."""
        self._refresh_row(self.cursor)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._show_cursor()

    def _read(self, what: Callable[[], _T]) -> _T | None:
        try:
            return what()
        except Exception as error:
            self.post_message(self.ReadFailed(" ".join(told(error)).strip()))
        return None
