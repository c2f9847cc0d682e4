"""One field of a form: its label, what is typed, and the sentence under it."""

from __future__ import annotations

from enum import Enum

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Label, Static

from opdash.safetext import safe_text
from opdash.tui.failures import told


class Note(Enum):
    """What kind of sentence stands under a field; told by a sign, not only by its colour."""

    HINT = ("hint", "")
    GOOD = ("good", "✓ ")
    WAIT = ("wait", "… ")
    WARN = ("warn", "! ")
    BAD = ("bad", "✗ ")

    @property
    def style_class(self) -> str:
        """The class that the style sheet knows it by."""
        return f"-{self.value[0]}"

    @property
    def sign(self) -> str:
        """What stands before the sentence."""
        return self.value[1]


class NoteLine(Static):
    """A sentence under a field; nothing at all while there is none to say."""

    def __init__(self, hint: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(markup=False, id=id, classes="note")
        self._hint = hint
        self.kind = Note.HINT
        self.sentence = hint

    def on_mount(self) -> None:
        """Show the hint."""
        self.say(self._hint)

    def say(self, sentence: str = "", kind: Note = Note.HINT) -> None:
        """Show a sentence; an empty one brings the hint back."""
        if not sentence:
            sentence, kind = self._hint, Note.HINT
        self.sentence, self.kind = sentence, kind
        for other in Note:
            self.set_class(other is kind, other.style_class)
        self.update(Content(kind.sign + safe_text(sentence) if sentence else ""))
        self.display = bool(sentence)

    def say_error(self, error: Exception) -> None:
        """Show what is wrong and what to do about it."""
        self.say(" ".join(told(error)).rstrip(), Note.BAD)


class FormField(Vertical):
    """A label beside its control, and the sentence under them.

    Attributes:
        note: The sentence line.
    """

    def __init__(
        self,
        label: str,
        *controls: Widget,
        hint: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        super().__init__(id=id)
        self.label = label
        self._controls = controls
        self.note = NoteLine(hint)

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        with Horizontal(classes="line"):
            yield Label(self.label, classes="label", markup=False)
            yield from self._controls
        yield self.note

    def say(self, sentence: str = "", kind: Note = Note.HINT) -> None:
        """Show a sentence under the control; an empty one brings the hint back."""
        self.note.say(sentence, kind)

    def say_error(self, error: Exception) -> None:
        """Show what is wrong with what was typed."""
        self.note.say_error(error)

    @property
    def is_wrong(self) -> bool:
        """Whether the sentence tells of something wrong."""
        return self.note.kind is Note.BAD
