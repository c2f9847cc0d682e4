"""The form that saves a statement or a receipt into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input

from opdash.atomic import write_atomic
from opdash.errors import ConfigError
from opdash.paths import here, typed_path
from opdash.safetext import safe_text
from opdash.statements.document import Document, Form, in_form
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note

_FORMS = (Form.HTML, Form.MARKDOWN, Form.TEXT)
_LABELS = ("HTML, to print", "Markdown", "text")


class SavePaperScreen(FormScreen[Path | None]):
    """Asks for form and file; ends with the file that was written, or None.

    Args:
        document: What is saved.
        whole: Makes the same with all that is left out there, on a thread; None where nothing is.
        name: What the file is called, without the end that tells its form.
    """

    PLACE = Place.SAVE_PAPER
    CSS_PATH = sheets("modals", "forms")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SAVE_PAPER)
    AUTO_FOCUS = "#form ChoiceLine"

    def __init__(self, document: Document, whole: Callable[[], Document] | None, name: str) -> None:
        super().__init__()
        self._document = document
        self._whole = whole
        self._name = name
        self._saving = False
        self._may_replace = ""

    # Layout

    def title_content(self) -> Content:
        """Return the title."""
        return Content.styled("Save into a file", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the fields."""
        yield FormField("Form", ChoiceLine(*_LABELS), id="form")
        if self._whole is not None:
            yield FormField(
                "How much",
                ChoiceLine("as shown", "all references and payments"),
                id="how-much",
            )
        yield FormField(
            "File",
            Input(_short(here() / f"{self._name}{_FORMS[0].suffix}"), compact=True),
            hint="Only you can read it.",
            id="file",
        )

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("Back", id="leave", compact=True)

    # What is typed

    @property
    def _form(self) -> Form:
        return _FORMS[self.query_one("#form ChoiceLine", ChoiceLine).index]

    @property
    def _typed(self) -> Input:
        return self.query_one("#file Input", Input)

    @on(ChoiceLine.Changed, "#form ChoiceLine")
    def _form_chosen(self) -> None:
        """Let the file's name end as its form does, unless a person ended it otherwise."""
        name, dot, end = self._typed.value.rpartition(".")
        if dot and f".{end}" in [form.suffix for form in Form]:
            self._typed.value = f"{name}{self._form.suffix}"

    @on(Input.Changed, "#file Input")
    def _file_typed(self) -> None:
        self.query_one("#file", FormField).say()

    def _path(self) -> Path | None:
        """Return the file that is meant; None, and a sentence, where there can be none."""
        field, typed = self.query_one("#file", FormField), self._typed.value.strip()
        if not typed:
            field.say("Type the file's name.", Note.BAD)
            return None
        path = typed_path(typed)
        try:
            problem = _why_not(path)
            exists = path.exists()
        except (OSError, ValueError) as error:
            field.say_error(_unwritable(path, error))
            return None
        if problem:
            field.say(problem, Note.BAD)
        elif exists and self._may_replace != str(path):
            self._may_replace = str(path)
            field.say("This file exists. Ctrl+S once more replaces it.", Note.WARN)
        else:
            return path
        return None

    # Actions

    def action_save(self) -> None:
        """Write the file."""
        if self._saving:
            return
        path = self._path()
        if path is not None:
            self._saving = True
            self._save(path, self._form, self._chosen())

    def _chosen(self) -> Callable[[], Document]:
        if self._whole is not None and self.query_one("#how-much ChoiceLine", ChoiceLine).index:
            return self._whole
        return lambda: self._document

    @work(group="save-paper", exit_on_error=False)
    async def _save(self, path: Path, form: Form, make: Callable[[], Document]) -> None:
        try:
            await asyncio.to_thread(lambda: write_atomic(path, in_form(make(), form).encode()))
        except OSError as error:
            self._saving = False
            self.query_one("#file", FormField).say_error(_unwritable(path, error))
            return
        gone = "It is yours to keep; the demo's data are not." if self.opdash.demo else ""
        self.tell(f"Saved {path}.", gone)
        self.dismiss(path)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def _short(path: Path) -> str:
    """Write a path as people do, from their home directory on."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def _why_not(path: Path) -> str:
    """Return why nothing can be written there, a sentence, or nothing."""
    if path.is_dir():
        return "That is a directory; add a file's name."
    return "" if path.parent.is_dir() else f"There is no directory {path.parent}."


def _unwritable(path: Path, error: OSError | ValueError) -> ConfigError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConfigError(
        f"Nothing was written: {reason}.",
        f"Choose another place than {safe_text(path.name, limit=40)}, or make room.",
    )
