"""Shows a document as lines of text, and scrolls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from opdash.statements.as_text import TextLine, Weight, text_lines
from opdash.statements.document import Block, Document

WIDEST: Final = 100
"""Cells of a line, however wide the terminal is: a paper is read, not searched."""

_STYLES: Final[Mapping[Weight, str]] = MappingProxyType(
    {
        Weight.PLAIN: "",
        Weight.STRONG: "bold",
        Weight.MUTED: "$muted",
        Weight.NOTICE: "$attention",
    }
)


class PaperView(VerticalScroll, can_focus=False):
    """A document as wide as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: tuple[Block, ...] = ()
        self._text = Static(markup=False)

    def compose(self) -> ComposeResult:
        """Place the text."""
        yield self._text

    @property
    def text(self) -> str:
        """What it shows."""
        return "\n".join(line.text for line in self._lines())

    def show(self, blocks: Sequence[Block]) -> None:
        """Set what it shows; where that is what it shows already, nothing is painted."""
        if (new := tuple(blocks)) != self._blocks:
            self._blocks = new
            self._fill()

    def on_resize(self, event: events.Resize) -> None:
        """Fold the lines anew."""
        del event
        self._fill()

    def _fill(self) -> None:
        lines = [Content.styled(line.text, _STYLES[line.weight]) for line in self._lines()]
        self._text.update(Content("\n").join(lines))

    def _lines(self) -> list[TextLine]:
        width = min(self._text.size.width or self.size.width or WIDEST, WIDEST)
        return text_lines(Document("", self._blocks), width, keeps_addresses=False)
