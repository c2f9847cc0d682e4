"""A scroll bar that is painted anew only when its thumb would be drawn elsewhere."""

from __future__ import annotations

from textual.scrollbar import ScrollBar

_EIGHTHS = 8


class TableScrollBar(ScrollBar):
    """The bar beside a long table: of a million rows, it tells those three thousand apart at best.

    Textual paints every line of a bar again for each row that the table moves.
    """

    def validate_position(self, position: float) -> float:
        """Return the middle of the positions at which the thumb is drawn as it is at this one."""
        height, rows, in_view = self.size.height, self.window_virtual_size, self.window_size
        if not height or not 0 < in_view < rows:
            return super().validate_position(position)
        thumb = max(height * in_view / rows, 1)
        drawn = _EIGHTHS * (height - thumb) / (rows - in_view)
        return (int(position * drawn) + 0.5) / drawn if drawn > 0 else 0.0
