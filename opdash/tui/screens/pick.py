"""A choice of one row from many, found by typing a part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from opdash.safetext import safe_text
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.cursor import CursorActions
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Span
from opdash.tui.widgets.row_list import RowList

_AT_ONCE = 3_000
"""So many rows are looked through between two key strokes; more of them on a thread."""


class Choices(NamedTuple):
    """What can be chosen.

    Attributes:
        names: The rows' names, in their order.
        text: What is searched of a row.
        line: What is shown of it.
    """

    names: Sequence[str]
    text: Callable[[str], str]
    line: Callable[[str], Sequence[Span]]


class PickScreen(CursorActions, OpdashModal[str | None]):
    """A list with a filter above it; ends with the name of a row, or None.

    Args:
        title: What is asked.
        choices: The rows.
        at: Where the cursor begins.
        hint: A sentence below the list.
    """

    PLACE = Place.PICK
    CSS_PATH = sheets("modals", "forms", "books")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PICK)
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, choices: Choices, *, at: str = "", hint: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._at = at
        self._hint = hint
        self._texts: list[str] | None = None
        self._asked = 0
        self._answered = 0
        self._takes = False

    def compose(self) -> ComposeResult:
        """Place the filter above the rows."""
        with Vertical(classes="dialog"):
            yield Static(safe_text(self._title), classes="dialog-title", markup=False)
            yield Input(placeholder="type to find", compact=True)
            yield RowList()
            yield NoteLine(self._hint, id="outcome")
            yield KeyLine(Place.PICK)

    def on_mount(self) -> None:
        """List them all."""
        self._show(self._choices.names)
        self.movable().select(self._at)

    def movable(self) -> RowList:
        """Return the list."""
        return self.query_one(RowList)

    def _show(self, names: Sequence[str]) -> None:
        line = self._choices.line
        self.movable().show(names, lambda name, _: line(name))
        note = self.query_one("#outcome", NoteLine)
        note.say("" if names else "Nothing fits what is typed.")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._asked += 1
        self._takes = False
        if len(self._choices.names) <= _AT_ONCE:
            self._answered = self._asked
            self._show(self._found(event.value))
            return
        number, words = self._asked, event.value
        self.background(lambda: self._find(number, words), "find")

    async def _find(self, number: int, words: str) -> None:
        found = await asyncio.to_thread(self._found, words)
        if number == self._asked and self.is_attached:
            self._answered = number
            self._show(found)
            if self._takes:
                self.action_take()

    def _found(self, words: str) -> Sequence[str]:
        if self._texts is None:
            text = self._choices.text
            self._texts = [text(name).casefold() for name in self._choices.names]
        terms = words.casefold().split()
        if not terms:
            return self._choices.names
        return [
            name
            for name, text in zip(self._choices.names, self._texts, strict=True)
            if all(term in text for term in terms)
        ]

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_take()

    def on_row_list_chosen(self) -> None:
        """Take the row that was clicked on twice."""
        self.action_take()

    def action_take(self) -> None:
        """Take the row under the cursor, once what was typed has been looked for."""
        self._takes = self._answered != self._asked
        if self._takes:
            return
        name = self.movable().selected
        if name:
            self.dismiss(name)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
