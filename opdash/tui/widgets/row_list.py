"""A list of one line each of which only what is in view is ever made, with a cursor by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.tui.inks import LINE_INKS, ground_of, style_of
from opdash.tui.widgets.line import Span, cut
from opdash.tui.widgets.row_painter import CURSOR

Paint = Callable[[str, int], Sequence[Span]]
"""Makes a row's pieces of its name, for so many cells."""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows to choose from, a million as well as ten."""

    ALLOW_SELECT = False

    class Moved(Message):
        """A person put the cursor on another row."""

    class Chosen(Message):
        """A person clicked on the row under the cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._names: Sequence[str] = ()
        self._paint: Paint = lambda _name, _width: ()
        self._index = 0

    @property
    def names(self) -> Sequence[str]:
        """The rows' names."""
        return self._names

    @property
    def selected(self) -> str:
        """The name of the row under the cursor, or an empty string."""
        return self._names[self._index] if self._names else ""

    @property
    def position(self) -> int:
        """How many rows are above the cursor."""
        return self._index

    @property
    def room(self) -> int:
        """How many cells a row has, the cursor's two not counted."""
        return max(self.scrollable_content_region.width - 2, 0)

    def texts(self) -> list[str]:
        """Return what all rows say."""
        return ["".join(span.text for span in self._paint(one, self.room)) for one in self._names]

    def show(self, names: Sequence[str], paint: Paint) -> None:
        """Set the rows; the cursor stays on its row, at its height, as long as that is there.

        Args:
            names: Their names; no two are alike.
            paint: Makes a row when it comes into view.
        """
        selected, before, top = self.selected, self._index, self.scroll_y
        self._names, self._paint = names, paint
        self.virtual_size = Size(0, len(names))
        if not (before < len(names) and names[before] == selected):
            try:
                self._index = names.index(selected)
            except ValueError:
                self._index = max(min(before, len(names) - 1), 0)
            if top:
                self.scroll_to(y=max(top + self._index - before, 0), animate=False, force=True)
        self._keep_in_view()
        self.refresh()

    def select(self, name: str) -> None:
        """Put the cursor on a row, if it is there; nobody is told."""
        if name in self._names:
            self._go(self._names.index(name))

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self._move_to(self._index + rows)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.scrollable_content_region.height - 1, 1))

    def go_first(self) -> None:
        """Go to the first row."""
        self._move_to(0)

    def go_last(self) -> None:
        """Go to the last row."""
        self._move_to(len(self._names) - 1)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._keep_in_view()

    def _move_to(self, index: int) -> None:
        if self._names:
            self._go(max(min(index, len(self._names) - 1), 0))
            self.post_message(self.Moved())

    def _go(self, index: int) -> None:
        self._index = index
        self._keep_in_view()
        self.refresh()

    def _keep_in_view(self) -> None:
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if self._index < top:
            self.scroll_to(y=self._index, animate=False, force=True)
        elif height and self._index >= top + height:
            self.scroll_to(y=self._index + 1 - height, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        index, width = y + round(self.scroll_y), self.scrollable_content_region.width
        if index >= len(self._names):
            return Strip.blank(width, self.rich_style)
        under_cursor = index == self._index
        row = ("cursor" if self.has_focus else "cursor-blurred") if under_cursor else "row"
        ground = self.rich_style + ground_of(self.app, row)
        mark = Span(f"{CURSOR} " if under_cursor else "  ", "accent")
        spans = cut([mark, *self._paint(self._names[index], self.room)], width)
        segments = [
            Segment(span.text, ground + style_of(self.app, LINE_INKS[span.tone])) for span in spans
        ]
        return Strip(segments).adjust_cell_length(width, ground)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; a click on the row under it chooses it."""
        offset = event.get_content_offset(self)
        index = -1 if offset is None else offset.y + round(self.scroll_y)
        if not 0 <= index < len(self._names):
            return
        if index == self._index and event.chain > 1:
            self.post_message(self.Chosen())
        else:
            self._move_to(index)
