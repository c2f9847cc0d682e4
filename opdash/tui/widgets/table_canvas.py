"""What a table's rows are painted on: columns, styles, and as little work as possible.

A frame costs what is new in it: strips are kept and given out again (`RowPainter`), so that Textual
finds its own work on them done. Its cache of a widget's lines knows positions only, which all
change when the view moves, and its filters go over every segment of every line. Here they go over
each style once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.ledger.records import Sort
from opdash.openpayments.amounts import Asset
from opdash.table_view import ColumnChoice
from opdash.tui.inks import TABLE_INKS, ground_of, style_of
from opdash.tui.widgets.amount_column import AmountWidths
from opdash.tui.widgets.row_painter import RowPainter
from opdash.tui.widgets.row_window import TableRow
from opdash.tui.widgets.table_layout import Place, lay_out

if TYPE_CHECKING:
    from textual.scrollbar import ScrollBar


class TableCanvas(ScrollView, can_focus=True, inherit_bindings=False):
    """A line of headings and the rows in view.

    Attributes:
        painter: Turns rows into strips.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        asset: Asset,
        columns: Sequence[ColumnChoice],
        now: datetime,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(id=id)
        self.painter = RowPainter(self._style, now)
        self._columns = tuple(columns)
        self._places: tuple[Place, ...] = ()
        self._widths = AmountWidths(asset)
        self._laid_out: tuple[object, ...] = ()
        self._width = 0
        self._rows: Sequence[TableRow] = ()
        self._styles: dict[tuple[str, str], Style] = {}
        self._filters: Sequence[LineFilter] = ()
        self._kept: tuple[Region, Size, list[Strip]] | None = None
        self._colours: tuple[str, Style] | None = None

    # What is painted

    @property
    def sort(self) -> Sort:
        """The order of the rows."""
        raise NotImplementedError

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def lines_in_view(self) -> tuple[TableRow, ...]:
        """Return the rows in view."""
        raise NotImplementedError

    def look(self, row: TableRow) -> tuple[str, bool]:
        """Return the component below a row, and whether it is marked."""
        raise NotImplementedError

    @property
    def columns(self) -> tuple[ColumnChoice, ...]:
        """The columns that a person wants to see, from left to right."""
        return self._columns

    @property
    def places(self) -> tuple[Place, ...]:
        """Those that there is room for, and where."""
        return self._places

    def set_columns(self, columns: Sequence[ColumnChoice]) -> tuple[Place, ...]:
        """Show other columns, or the same in other widths; returns those that there is room for."""
        self._columns = tuple(columns)
        self._lay_out()
        self.refresh()
        return self._places

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The bar at the right, made when first asked for."""
        if self._vertical_scrollbar is None:
            from opdash.tui.widgets.table_scrollbar import TableScrollBar

            bar = TableScrollBar(name="vertical", thickness=self.scrollbar_size_vertical)
            bar.display = False
            self._vertical_scrollbar = bar
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    # Painting

    def refresh_at(self, line: int) -> None:
        """Paint the row at a line of the view again."""
        self.refresh(Region(0, line + 1, self._width, 1))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part of the view; those of before where nothing was refreshed.

        Textual asks for them whenever something beside the table is painted.
        """
        self._take_filters()
        if self._kept is not None and self._kept[:2] == (crop, self.size):
            return self._kept[2]
        self._rows = self.lines_in_view()
        self._lay_out()
        lines = [self.render_line(y) for y in crop.line_range]
        start, end = crop.column_span
        if start > 0 or end < self._width:
            lines = [line.crop(start, end) for line in lines]
        self._kept = (crop, self.size, lines)
        return lines

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Have the table, or regions of it, painted again."""
        self._kept = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        if y == 0:
            return self.painter.heading(self.sort) if self.row_count else self._blank()
        if y > len(self._rows):
            return self._blank()
        row = self._rows[y - 1]
        return self.painter.paint(row, *self.look(row))

    def measure(self, rows: Iterable[TableRow]) -> None:
        """Take note of how wide the amounts of rows are."""
        for row in rows:
            self._widths.take(row.received)
            self._widths.take(row.asked or 0)

    def _lay_out(self) -> None:
        # A bar is painted over what lies below it; a strip that ends before it need not be cut.
        bar = self.scrollbar_size_vertical if self.show_vertical_scrollbar else 0
        width = self._width = self.size.width - bar
        room = self.scrollable_content_region.width
        wanted = (width, room, self._widths.version, self._columns)
        if wanted != self._laid_out:
            self._laid_out = wanted
            self._places = lay_out(room, self._widths.full, self._widths.usual, self._columns)
            self.painter.lay_out(self._places, self._widths, width)

    def _blank(self) -> Strip:
        return Strip.blank(self._width, self._style("plain", "row"))

    def _take_filters(self) -> None:
        """Begin anew where the app filters colours otherwise than before."""
        filters = self.get_line_filters()
        if filters != self._filters:
            self._filters = list(filters)
            self._forget()

    def _style(self, tone: str, row: str) -> Style:
        style = self._styles.get((tone, row))
        if style is None:
            ground = self.rich_style + ground_of(self.app, row)
            ink = style_of(self.app, TABLE_INKS[tone])
            style = self._styles[tone, row] = self._filtered(ground + ink)
        return style

    def _filtered(self, style: Style) -> Style:
        """Return a style as the app's filters, such as the one for NO_COLOR, leave it."""
        background = self.background_colors[1]
        for line_filter in self._filters:
            (segment,) = line_filter.apply([Segment(" ", style)], background)
            style = segment.style or Style.null()
        return style

    def notify_style_update(self) -> None:
        """Forget styles and strips when the colours change; styles are looked at more often."""
        super().notify_style_update()
        if self.is_attached and self._colours != (now := (self.app.theme, self.rich_style)):
            self._colours = now
            self._forget()
            self.refresh()

    def _forget(self) -> None:
        self._kept = None
        self._styles.clear()
        self.painter.forget()
