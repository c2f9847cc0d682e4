"""What all forms share: a dialog, a key line, and a question before typed things are lost."""

from __future__ import annotations

from typing import Generic

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from opdash.tui.screens.base import R
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.form_field import Note, NoteLine
from opdash.tui.widgets.key_line import KeyLine

WIDE = 100
"""From so many columns on a form has two columns."""

TALL = 32
"""Below so many lines a long form takes the whole height, and scrolls."""


class FormScreen(OpdashModal[R], Generic[R]):
    """A dialog over the screen it was opened from."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]  # noqa: RUF012 - likewise

    def __init__(self) -> None:
        super().__init__()
        self._leaving = False

    def compose(self) -> ComposeResult:
        """Lay the dialog out: title, body, outcome, buttons, keys."""
        with Vertical(classes="dialog"):
            if self.opdash.demo:
                yield DemoBanner()
            yield Static(self.title_content(), classes="dialog-title", markup=False)
            with VerticalScroll(classes="body", can_focus=False):
                yield from self.compose_body()
            yield NoteLine(id="outcome")
            with Horizontal(classes="buttons"):
                yield from self.compose_buttons()
            yield KeyLine(self.PLACE)

    def title_content(self) -> Content:
        """Return the first line of the dialog."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        """Yield what the dialog is about."""
        raise NotImplementedError

    def compose_buttons(self) -> ComposeResult:
        """Yield the buttons for the mouse."""
        raise NotImplementedError

    @property
    def outcome(self) -> NoteLine:
        """The line that tells how it went."""
        return self.query_one("#outcome", NoteLine)

    def question(self) -> str:
        """Return what is lost by leaving now, a sentence; empty when nothing is."""
        return ""

    def action_leave(self) -> None:
        """Leave, after asking once if something would be lost."""
        question = self.question()
        if question and not self._leaving:
            self._leaving = True
            self.outcome.say(f"{question} Esc once more leaves.", Note.BAD)
            return
        self.dismiss(None)

    def action_next_field(self) -> None:
        """Go to the next field or button."""
        self.focus_next()

    def action_previous_field(self) -> None:
        """Go to the previous field or button."""
        self.focus_previous()

    def action_screen_up(self) -> None:
        """Scroll the form one screenful up."""
        self.query_one(".body").scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll the form one screenful down."""
        self.query_one(".body").scroll_page_down(animate=False)

    def stay(self) -> None:
        """Take back a first Esc and what was wrong before: the person goes on."""
        self._leaving = False
        if self.outcome.kind is Note.BAD:
            self.outcome.say()

    @on(Input.Changed)
    def _goes_on(self) -> None:
        self.stay()

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()


def first_wrong(screen: Widget) -> Widget | None:
    """Return the first control with a sentence of something wrong under it."""
    for note in screen.query(NoteLine):
        if note.kind is Note.BAD and note.id != "outcome" and note.parent is not None:
            controls = note.parent.query("Input, ChoiceLine")
            for control in controls:
                if isinstance(control, Widget) and control.focusable:
                    return control
    return None
