"""The list of wallet addresses: two lines each, a cursor that holds a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opdash.tui.inks import LINE_INKS, ground_of, style_of
from opdash.tui.widgets.line import Span, spread
from opdash.tui.widgets.row_painter import CURSOR

_LINES = 3


@dataclass(frozen=True, slots=True)
class WalletEntry:
    """One wallet address of the list.

    Attributes:
        name: The profile's name, which is what a choice returns.
        first: The pieces at the left of the first line: name and asset.
        first_right: Those at its right: the connection.
        second: The pieces at the left of the second line: the address.
        second_right: Those at its right: the totals.
    """

    name: str
    first: tuple[Span, ...]
    first_right: tuple[Span, ...]
    second: tuple[Span, ...]
    second_right: tuple[Span, ...]


class WalletList(ScrollView, can_focus=True, inherit_bindings=False):
    """Wallet addresses to choose from."""

    ALLOW_SELECT = False

    @dataclass
    class Chosen(Message):
        """A wallet address was opened with the mouse."""

        name: str

    class Moved(Message):
        """The cursor is on another entry."""

    def __init__(self, *, selected: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._entries: tuple[WalletEntry, ...] = ()
        self._selected = selected

    @property
    def selected(self) -> str:
        """The name of the profile under the cursor, or an empty string."""
        return self._entries[self._index].name if self._entries else ""

    @property
    def _index(self) -> int:
        names = [entry.name for entry in self._entries]
        return names.index(self._selected) if self._selected in names else 0

    def show(self, entries: Sequence[WalletEntry]) -> None:
        """Set the entries; repaints only if they differ."""
        if tuple(entries) == self._entries:
            return
        self._entries = tuple(entries)
        self.virtual_size = Size(0, len(entries) * _LINES - 1 if entries else 0)
        self.refresh()

    def move_to(self, index: int) -> None:
        """Put the cursor on an entry."""
        if not self._entries:
            return
        index = max(min(index, len(self._entries) - 1), 0)
        if index != self._index:
            self.post_message(self.Moved())
        self._selected = self._entries[index].name
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if index * _LINES < top:
            self.scroll_to(y=index * _LINES, animate=False, force=True)
        elif index * _LINES + 2 > top + height:
            self.scroll_to(y=index * _LINES + 2 - height, animate=False, force=True)
        self.refresh()

    def move(self, entries: int) -> None:
        """Move the cursor by so many entries."""
        self.move_to(self._index + entries)

    def move_screen(self, screens: int) -> None:
        """Move the cursor by so many screenfuls."""
        self.move(screens * max(self.scrollable_content_region.height // _LINES, 1))

    def go_first(self) -> None:
        """Go to the first entry."""
        self.move_to(0)

    def go_last(self) -> None:
        """Go to the last entry."""
        self.move_to(len(self._entries) - 1)

    def select(self, name: str) -> None:
        """Put the cursor on a profile, if it is there."""
        names = [entry.name for entry in self._entries]
        if name in names:
            self.move_to(names.index(name))

    def render_line(self, y: int) -> Strip:
        """Return one line of the view."""
        index, part = divmod(y + round(self.scroll_y), _LINES)
        width = self.size.width
        if index >= len(self._entries) or part == _LINES - 1:
            return Strip.blank(width, self.rich_style)
        entry = self._entries[index]
        under_cursor = index == self._index
        ground = self.rich_style + ground_of(self.app, "cursor" if under_cursor else "row")
        mark = Span(f"{CURSOR} " if under_cursor else "  ", "accent")
        left, right = (
            (entry.first, entry.first_right) if part == 0 else (entry.second, entry.second_right)
        )
        spans = spread([mark, *left], [*right, Span(" ")], width)
        segments = [Segment(span.text, self._ink(ground, span.tone)) for span in spans]
        return Strip(segments).adjust_cell_length(width, ground)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def _ink(self, ground: Style, tone: str) -> Style:
        return ground + style_of(self.app, LINE_INKS[tone])

    def on_click(self, event: events.Click) -> None:
        """Select an entry; one that is selected already is opened."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = (offset.y + round(self.scroll_y)) // _LINES
        if index >= len(self._entries):
            return
        if index == self._index:
            self.post_message(self.Chosen(self._entries[index].name))
        else:
            self.move_to(index)
