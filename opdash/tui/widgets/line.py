"""A line of styled pieces that repaints only when what it says changes.

The header, the summary, the status line and the key line are such lines: they are set often (every
second, at every event) and seldom say something new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from opdash.safetext import ELLIPSIS
from opdash.tui.inks import LINE_INKS, style_of
from opdash.tui.widgets.kept import Kept


class Span(msgspec.Struct, frozen=True):
    """A piece of a line.

    Attributes:
        text: Safe text, on one line.
        tone: One of the names in `opdash.tui.inks.LINE_INKS`.
        action: The action that a click on it runs, or empty.
    """

    text: str
    tone: str = "plain"
    action: str = ""


GAP = Span("  ")
"""What parts two pieces that belong together loosely."""


def width_of(spans: Iterable[Span]) -> int:
    """Return how many cells pieces take."""
    return sum(cell_len(span.text) for span in spans)


def join(groups: Sequence[Sequence[Span]], gap: str) -> list[Span]:
    """Put groups of pieces beside each other, parted by blanks; empty groups take no room."""
    joined: list[Span] = []
    for group in groups:
        if group:
            joined += [Span(gap), *group] if joined else group
    return joined


def spread(left: Sequence[Span], right: Sequence[Span], width: int) -> list[Span]:
    """Put pieces at both ends of a line; where they do not fit, the left ones are cut visibly."""
    room = width - width_of(right)
    fitted = cut(left, room - 1 if right else room)
    return [*fitted, Span(" " * max(room - width_of(fitted), 0)), *right]


def cut(spans: Sequence[Span], width: int) -> list[Span]:
    """Return pieces that take at most so many cells; an ellipsis says that something is missing."""
    if width_of(spans) <= width:
        return list(spans)
    kept: list[Span] = []
    room = max(width - 1, 0)
    for span in spans:
        cells = cell_len(span.text)
        if cells > room:
            text = set_cell_size(span.text, room).rstrip() + ELLIPSIS
            return [*kept, msgspec.structs.replace(span, text=text)] if width > 0 else []
        kept.append(span)
        room -= cells
    return kept


class Line(Kept):
    """One line of pieces; a click on a piece runs its action."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._spans: tuple[Span, ...] = ()
        self._colours: tuple[str, Style] | None = None

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(span.text for span in self._spans)

    def show(self, spans: Iterable[Span]) -> None:
        """Set the pieces; repaints only if they differ from what is there."""
        new = tuple(span for span in spans if span.text)
        if new != self._spans:
            self._spans = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line as Textual paints it."""
        base = self.rich_style
        if y:
            return Strip.blank(self.size.width, base)
        app = self.app
        segments = [
            Segment(span.text, base + style_of(app, LINE_INKS[span.tone])) for span in self._spans
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme; styles are looked at far more often."""
        super().notify_style_update()
        if self.is_attached and self._colours != (now := (self.app.theme, self.rich_style)):
            self._colours = now
            self.refresh()

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the piece under the pointer."""
        action = self.action_at(event.get_content_offset_capture(self).x)
        if action:
            event.stop()
            await self.app.run_action(action, self)

    def action_at(self, x: int) -> str:
        """Return the action of the piece at a cell, or an empty string."""
        left = 0
        for span in self._spans:
            left += cell_len(span.text)
            if x < left:
                return span.action
        return ""
