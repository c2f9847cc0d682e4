"""Widgets whose lines are kept until they are refreshed."""

from __future__ import annotations

from typing import Self

from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class Kept(Widget):
    """Gives out the lines of before where nothing was refreshed.

    Textual asks all widgets for their lines whenever one of them is painted, and looks through its
    own cache line by line. Only for widgets that refresh themselves whenever they show something
    else.
    """

    _kept: tuple[Region, Size, tuple[Color, Color], list[Strip]] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the lines of a part of the widget."""
        now = (crop, self.size, self.background_colors)
        if self._kept is None or self._kept[:3] != now:
            self._kept = (*now, super().render_lines(crop))
        return self._kept[3]

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Have the widget, or regions of it, painted again."""
        self._kept = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Begin anew where styles may have changed."""
        self._kept = None
        super().notify_style_update()
