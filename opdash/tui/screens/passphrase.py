"""Asking for the passphrase of a key file, once in a run."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input

from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import FormField, Note


class PassphraseScreen(FormScreen[Secret | None]):
    """Ends with the passphrase that was typed, or None.

    Args:
        path: The key file.
        remark: What was wrong with the one before, or an empty string.
    """

    PLACE = Place.PASSPHRASE
    CSS_PATH = sheets("modals", "forms", "remove_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.PASSPHRASE)
    AUTO_FOCUS = "#passphrase Input"

    def __init__(self, path: Path, remark: str) -> None:
        super().__init__()
        self._path = path
        self._remark = remark

    def title_content(self) -> Content:
        """Return the question."""
        return Content.styled("A key has a passphrase", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the field."""
        yield FormField(
            "Passphrase",
            Input(password=True, compact=True),
            hint=f"It opens {safe_text(str(self._path), limit=160)}. opdash keeps it nowhere.",
            id="passphrase",
        )

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Open (Enter)", id="unlock", variant="primary", compact=True)
        yield Button("Not now", id="leave", compact=True)

    def on_mount(self) -> None:
        """Say what was wrong with the one before."""
        if self._remark:
            self.query_one("#passphrase", FormField).say(self._remark, Note.BAD)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.query_one("#passphrase", FormField).say()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        event.prevent_default()
        self.action_unlock()

    def action_unlock(self) -> None:
        """Go on with what was typed."""
        typed = self.query_one("#passphrase Input", Input).value
        if typed:
            self.dismiss(Secret(typed))
        else:
            self.query_one("#passphrase", FormField).say("Type the passphrase.", Note.BAD)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "unlock":
            self.action_unlock()
        else:
            self.action_leave()
