"""A few lines of styled pieces, as tall as they are many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from opdash.tui.inks import LINE_INKS, style_of
from opdash.tui.widgets.line import Span, cut


class SpanLines(Widget):
    """Lines that repaint only when what they say changes."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._lines: tuple[tuple[Span, ...], ...] = ()
        self.styles.height = 0

    @property
    def text(self) -> str:
        """What they say."""
        return "\n".join("".join(span.text for span in line) for line in self._lines)

    def show(self, lines: Iterable[Sequence[Span]]) -> None:
        """Set the lines."""
        new = tuple(tuple(line) for line in lines)
        if new != self._lines:
            if len(new) != len(self._lines):
                self.styles.height = len(new)
            self._lines = new
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line as Textual paints it."""
        base, width = self.rich_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base)
        segments = [
            Segment(span.text, base + style_of(self.app, LINE_INKS[span.tone]))
            for span in cut(self._lines[y], width)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def notify_style_update(self) -> None:
        """Paint in the colours of another theme."""
        super().notify_style_update()
        self.refresh()
