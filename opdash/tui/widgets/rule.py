"""A thin line across the screen, with a joint where another line meets it."""

from __future__ import annotations

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from opdash.tui.widgets.kept import Kept


class Rule(Kept):
    """A line of ``─``; above the body the joint is ``┬``, below it ``┴``."""

    ALLOW_SELECT = False

    joint: reactive[int | None] = reactive(None)
    """The cell at which a vertical line meets it, or None."""

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        text = "─" * width
        if self.joint is not None and 0 < self.joint < width:
            sign = "┬" if self.id == "upper-rule" else "┴"
            text = text[: self.joint] + sign + text[self.joint + 1 :]
        return Strip([Segment(text, self.rich_style)], width)
