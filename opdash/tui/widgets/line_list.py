"""A list of one line each, with a cursor that holds a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.tui.inks import LINE_INKS, ground_of, style_of
from opdash.tui.widgets.line import Span, cut
from opdash.tui.widgets.row_painter import CURSOR


class LineEntry(NamedTuple):
    """One line of the list.

    Attributes:
        name: What the cursor holds; no two have the same.
        spans: Its pieces; they are cut where the list is too narrow.
    """

    name: str
    spans: tuple[Span, ...]


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines to choose from."""

    ALLOW_SELECT = False

    class Moved(Message):
        """A person put the cursor on another line."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._entries: tuple[LineEntry, ...] = ()
        self._selected = ""

    @property
    def selected(self) -> str:
        """The name of the line under the cursor, or an empty string."""
        return self._entries[self._index].name if self._entries else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """What the lines say."""
        return tuple("".join(span.text for span in entry.spans) for entry in self._entries)

    @property
    def _index(self) -> int:
        names = [entry.name for entry in self._entries]
        return names.index(self._selected) if self._selected in names else 0

    def show(self, entries: Sequence[LineEntry]) -> None:
        """Set the lines; repaints only if they differ."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        self.virtual_size = Size(0, len(entries))
        self.refresh()

    def select(self, name: str) -> None:
        """Put the cursor on a line, if it is there; nobody is told."""
        names = [entry.name for entry in self._entries]
        if name in names:
            self._go(names.index(name))

    def move(self, rows: int) -> None:
        """Move the cursor by so many lines."""
        self._move_to(self._index + rows)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.scrollable_content_region.height - 1, 1))

    def go_first(self) -> None:
        """Go to the first line."""
        self._move_to(0)

    def go_last(self) -> None:
        """Go to the last line."""
        self._move_to(len(self._entries) - 1)

    def _move_to(self, index: int) -> None:
        if self._entries:
            self._go(max(min(index, len(self._entries) - 1), 0))
            self.post_message(self.Moved())

    def _go(self, index: int) -> None:
        self._selected = self._entries[index].name
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif height and index >= top + height:
            self.scroll_to(y=index + 1 - height, animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        index, width = y + round(self.scroll_y), self.scrollable_content_region.width
        if index >= len(self._entries):
            return Strip.blank(width, self.rich_style)
        under_cursor = index == self._index
        ground = self.rich_style + ground_of(self.app, "cursor" if under_cursor else "row")
        mark = Span(f"{CURSOR} " if under_cursor else "  ", "accent")
        spans = cut([mark, *self._entries[index].spans], width)
        segments = [
            Segment(span.text, ground + style_of(self.app, LINE_INKS[span.tone])) for span in spans
        ]
        return Strip(segments).adjust_cell_length(width, ground)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a line."""
        offset = event.get_content_offset(self)
        index = -1 if offset is None else offset.y + round(self.scroll_y)
        if 0 <= index < len(self._entries):
            self._move_to(index)
