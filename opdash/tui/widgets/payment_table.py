"""The table of payments: virtual, painted line by line, with a cursor that holds a payment's id.

It asks its source for the rows in view only, so a hundred and a million rows cost the same.

The cursor belongs to a payment, never to a position. Where rows arrive above it, the row under the
cursor keeps its line on the screen and the status line counts what is new above. Only while the
table *follows* does the cursor move by itself: at the start and after Home (``g``) it stays on the
first row, so that a dashboard nobody touches shows the newest payment. Any other movement, a click,
a wheel turn or opening a row ends that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Sort, SortColumn
from opdash.openpayments.amounts import Asset
from opdash.tui.failures import told
from opdash.tui.widgets.amount_column import AmountWidths
from opdash.tui.widgets.row_painter import Look, RowPainter
from opdash.tui.widgets.row_window import RowSource, RowWindow
from opdash.tui.widgets.table_layout import COLUMNS, Place, lay_out, next_order

_T = TypeVar("_T")

PAGE_SIZES = (20, 50, 100)
"""Rows of a page, as a person may choose."""

_ROWS = ("row", "cursor", "cursor-blurred", "heading")
_TONES = ("plain", "muted", "accent", "good", "attention", "bad", "heading", "heading-sorted")


class PaymentTable(ScrollView, can_focus=True, inherit_bindings=False):
    """A wallet address's payments.

    Attributes:
        page_size: Rows of a page.
        following: Whether the cursor stays on the first row as new ones arrive.
        new_above: How many rows have arrived above the view, unseen.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"payment-table--{row}" for row in _ROWS),
        *(f"payment-table--{tone}" for tone in _TONES),
    }

    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor, the page or the number of rows changed."""

    class SortChanged(Message):
        """The order of the rows changed."""

    @dataclass
    class EndPassed(Message):
        """A person went beyond the last known row, by a row or by a page."""

        by_page: bool

    @dataclass
    class Opened(Message):
        """A person opened a row with the mouse."""

        row: PaymentRow

    @dataclass
    class ReadFailed(Message):
        """The rows could not be read; the sentence says why."""

        sentence: str

    def __init__(
        self,
        source: RowSource,
        asset: Asset,
        now: Callable[[], datetime],
        *,
        sort: Sort = NEWEST_FIRST,
        page_size: int = 50,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(id=id)
        self.page_size = page_size
        self.following = True
        self.new_above = 0
        self._now = now
        self._window = RowWindow(source, sort)
        self._painter = RowPainter(self._style)
        self._places: tuple[Place, ...] = ()
        self._widths = AmountWidths(asset)
        self._index = 0
        self._row: PaymentRow | None = None
        self._marks: set[str] = set()
        self._instant = now()
        self._rows: list[PaymentRow] = []
        self._styles: dict[tuple[str, str], Style] = {}

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
        return self._index

    @property
    def selected(self) -> PaymentRow | None:
        """The row under the cursor."""
        return self._row

    @property
    def page(self) -> int:
        """The page that the cursor is on, from 0."""
        return self._index // self.page_size

    @property
    def pages(self) -> int:
        """How many pages are known; at least one."""
        return max(-(-self.row_count // self.page_size), 1)

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the payments that changed since a person last looked at them."""
        return frozenset(self._marks)

    @property
    def top(self) -> int:
        """The position of the first row in view."""
        return round(self.scroll_y)

    @property
    def height_in_rows(self) -> int:
        """How many rows are in view."""
        return max(self.scrollable_content_region.height - 1, 1)

    def rows_in_view(self) -> tuple[PaymentRow, ...]:
        """Return the rows in view; empty if they cannot be read."""
        return tuple(self._read(lambda: self._window.rows(self.top, self.height_in_rows)) or ())

    # Changes of the ledger and of time

    def reload(self) -> None:
        """Read the rows again; the cursor stays on its payment, on the same line of the screen."""
        if self._read(self._reload) is None:
            return
        self.virtual_size = Size(0, self.row_count + 1 if self.row_count else 0)
        self.refresh()
        self.post_message(self.Moved())

    def show_rows(self, source: RowSource) -> None:
        """Take rows from elsewhere; the cursor stays on its payment if that is among them."""
        self._window = RowWindow(source, self.sort)
        row = self._row
        if row is not None and self._read(lambda: self._window.position(row.id)) is None:
            self._index, self._row = 0, None
            self._scroll_to_row(0)
        self.new_above = 0
        self.reload()
        self._show_cursor()

    def _reload(self) -> bool:
        self._window.reload()
        if self.following or self._row is None:
            self._index = 0
            self._row = self._window.row(0)
            return True
        index = self._window.position(self._row.id)
        if index is None:
            self._index = max(min(self._index, self.row_count - 1), 0)
        else:
            shift, self._index = index - self._index, index
            self._shift_view(shift)
        self._row = self._window.row(self._index)
        return True

    def _shift_view(self, rows: int) -> None:
        if not rows:
            return
        top = self.top
        self.virtual_size = Size(0, self.row_count + 1)
        self._scroll_to_row(top + rows)
        self.new_above = min(max(self.new_above + rows, 0), self.top)

    def mark(self, payment_ids: Iterable[str]) -> None:
        """Mark payments as changed, but for the one under the cursor."""
        self._marks.update(payment_ids)
        if self._row is not None:
            self._marks.discard(self._row.id)
        self.refresh()

    def tick(self) -> None:
        """Repaint the rows in view whose times read differently by now."""
        self._instant = self._now()
        for line, row in enumerate(self.rows_in_view()):
            if self._painter.is_stale(row, self._instant):
                self.refresh(Region(0, line + 1, self.size.width, 1))

    # Movement

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        target = self._index + rows
        if target >= self.row_count and self._index == self.row_count - 1:
            self.post_message(self.EndPassed(by_page=False))
            return
        self._go(target)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.height_in_rows - 1, 1))

    def go_first(self) -> None:
        """Go to the first row; in the first order, follow it from now on."""
        self._go(0)
        self.following = self.sort == NEWEST_FIRST
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

    def hold(self) -> None:
        """Keep the cursor on its payment from now on, even if newer ones arrive."""
        if self.following:
            self.following = False
            self.post_message(self.Moved())

    def sort_by(self, column: SortColumn) -> None:
        """Sort by a column; once more turns the order round. The cursor keeps its payment."""
        self.set_sort(next_order(column, self.sort))

    def set_sort(self, sort: Sort) -> None:
        """Take another order. The cursor keeps its payment, on the same line where possible."""
        if sort == self.sort:
            return
        self._window.sort = sort
        self.following = False
        self.new_above = 0
        self.reload()
        self.new_above = 0
        self._show_cursor()
        self.post_message(self.SortChanged())

    def _go(self, index: int, top: int | None = None) -> None:
        index = max(min(index, self.row_count - 1), 0)
        row = self._read(lambda: self._window.row(index))
        if row is None:
            return
        self._refresh_row(self._index)
        self._index, self._row = index, row
        self.following = False
        self._marks.discard(row.id)
        self._refresh_row(index)
        if top is None:
            self._show_cursor()
        else:
            self._scroll_to_row(top)
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        height = self.height_in_rows
        if self._index < self.top:
            self._scroll_to_row(self._index)
        elif self._index >= self.top + height:
            self._scroll_to_row(self._index - height + 1)

    def _scroll_to_row(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, force=True)

    def _refresh_row(self, index: int) -> None:
        self.refresh(Region(0, index - self.top + 1, self.size.width, 1))

    # Painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part of the view."""
        self._instant = self._now()
        self._rows = list(self.rows_in_view())
        self._measure()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        if y == 0:
            return self._painter.heading(self.sort) if self.row_count else self._blank()
        if y > len(self._rows):
            return self._blank()
        row = self._rows[y - 1]
        under_cursor = self._row is not None and row.id == self._row.id
        cursor = "cursor" if self.has_focus else "cursor-blurred"
        look = Look(cursor if under_cursor else "row", row.id in self._marks)
        return self._painter.paint(row, look, self._instant)

    def _measure(self) -> None:
        for row in self._rows:
            self._widths.take(row.received)
            self._widths.take(row.asked or 0)
        width = self.scrollable_content_region.width
        self._places = lay_out(width, self._widths.full, self._widths.usual)
        self._painter.lay_out(self._places, self._widths, width)

    def _blank(self) -> Strip:
        return Strip.blank(self.size.width, self.rich_style)

    def _style(self, tone: str, row: str) -> Style:
        style = self._styles.get((tone, row))
        if style is None:
            ground = self.get_component_rich_style(f"payment-table--{row}")
            ink = self.get_component_rich_style(f"payment-table--{tone}", partial=True)
            style = self._styles[tone, row] = ground + ink
        return style

    def notify_style_update(self) -> None:
        """Forget styles and strips when the theme or the style sheet changes."""
        self._styles.clear()
        self._painter.forget()
        super().notify_style_update()

    # Mouse, focus and size

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """End following, and count down what is new above, when the view moves."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) == round(new_value):
            return
        if round(new_value) > 0:
            self.following = False
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
        if index == self._index and self._row is not None and (event.chain > 1 or self._held):
            self.post_message(self.Opened(self._row))
        else:
            self._go(index)

    @property
    def _held(self) -> bool:
        return not self.following

    def _click_heading(self, x: int) -> None:
        for place in self._places:
            if place.left <= x < place.right:
                self.sort_by(place.column)

    def on_focus(self) -> None:
        """Paint the cursor as active."""
        self._refresh_row(self._index)

    def on_blur(self) -> None:
        """Paint the cursor as resting."""
        self._refresh_row(self._index)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._show_cursor()

    def _read(self, what: Callable[[], _T]) -> _T | None:
        try:
            return what()
        except Exception as error:
            self.post_message(self.ReadFailed(" ".join(told(error)).strip()))
        return None


def column_number(number: int) -> SortColumn:
    """Return the column that a key from 1 to 7 sorts by."""
    return COLUMNS[number - 1]
