"""A few choices on one line: left and right choose, and so does a click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

CHOSEN = "●"
OPEN = "○"
_GAP = "   "


class ChoiceLine(Widget, can_focus=True):
    """One of a few labels, chosen by ← and → or with the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Previous choice", show=False),
        Binding("right,l,space", "step(1)", "Next choice", show=False),
    ]

    index: reactive[int] = reactive(0)
    """Which label is chosen, from 0."""

    @dataclass
    class Changed(Message):
        """Another label was chosen."""

        line: ChoiceLine
        index: int

        @property
        def control(self) -> ChoiceLine:
            """The line it happened on."""
            return self.line

    def __init__(
        self,
        *labels: str,
        chosen: int = 0,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(id=id)
        self.labels = labels
        self.set_reactive(ChoiceLine.index, chosen)

    @property
    def chosen(self) -> str:
        """The label that is chosen."""
        return self.labels[self.index]

    def validate_index(self, index: int) -> int:
        """Keep the index on a label."""
        return max(0, min(index, len(self.labels) - 1))

    def watch_index(self, index: int) -> None:
        """Tell of a new choice."""
        self.post_message(self.Changed(self, index))

    def action_step(self, by: int) -> None:
        """Choose the label before or after; the ends meet."""
        self.index = (self.index + by) % len(self.labels)

    def on_click(self, event: events.Click) -> None:
        """Choose the label under the pointer."""
        left = 0
        for index, label in enumerate(self.labels):
            right = left + 2 + cell_len(label)
            if left <= event.x < right + len(_GAP):
                self.index = index
                return
            left = right + len(_GAP)

    def render(self) -> Content:
        """Return the line; what is chosen carries a filled circle."""
        parts: list[Content] = []
        for index, label in enumerate(self.labels):
            chosen = index == self.index
            mark = Content.styled(CHOSEN, "$accent") if chosen else Content(OPEN)
            style = "bold" if chosen else ""
            parts.append(Content.assemble(mark, " ", (label, style)))
        return Content(_GAP).join(parts)
