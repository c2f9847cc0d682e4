"""A text as large as the room that is left for it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from opdash.tui.big_font import big_lines

HIGHEST = 11
"""Rows that a line of it takes at the most."""


class BigText(Widget):
    """Draws one or two lines of figures and capitals, each as large as fits.

    What does not fit even at its smallest, or cannot be drawn, stands there as usual letters.

    Args:
        highest: Rows that one line takes at the most.
    """

    ALLOW_SELECT = False

    def __init__(self, *, highest: int = HIGHEST, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._texts: tuple[str, ...] = ()
        self._unit = ""
        self._highest = highest

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join([*self._texts, self._unit]).strip()

    def show(self, *texts: str, unit: str = "") -> None:
        """Show other texts.

        Args:
            texts: Lines of safe text, the empty ones left out.
            unit: What stands behind the last one, or below it, in usual letters: an asset's code.
        """
        shown = tuple(text for text in texts if text)
        if (shown, unit) != (self._texts, self._unit):
            self._texts, self._unit = shown, unit
            self.refresh(layout=True)

    def set_highest(self, rows: int) -> None:
        """Take at most so many rows for a line."""
        if rows != self._highest:
            self._highest = rows
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return how many rows it takes at a width."""
        return max(len(self._rows(width)), 1)

    def render(self) -> RenderResult:
        """Return what is drawn."""
        return Content("\n".join(self._rows(self.size.width)))

    def _rows(self, width: int) -> list[str]:
        drawn = [big_lines(text, width, self._highest) for text in self._texts]
        least = min(map(len, drawn), default=0)
        rows: list[str] = []
        for text in self._texts:  # all as large as the one that has the least room
            rows += [""] if rows and least else []
            rows += big_lines(text, width, least) or [text]
        if self._unit and rows:
            # The unit stands beside the figures unless that would make them smaller.
            fits = max(map(cell_len, rows)) + 1 + cell_len(self._unit) <= width
            rows[-1:] = [f"{rows[-1]} {self._unit}"] if fits else [rows[-1], self._unit]
        return rows
