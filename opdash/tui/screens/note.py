"""The form for what a person writes on a payment: labels, a note, and how it was settled."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input, TextArea

from opdash.errors import InputError
from opdash.ledger.note_texts import (
    read_labels,
    read_text,
)
from opdash.ledger.notes import (
    LONGEST_LABEL,
    MOST_LABELS,
    Edit,
    Resolution,
    is_outdated,
    standing_of,
    why_outdated,
)
from opdash.ledger.records import PaymentRow
from opdash.service.session import WalletSession
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.sheet import Entry, SheetView, row

_CHOICES = ("not yet", *(one.words for one in Resolution if one is not Resolution.NONE))
_MOST_LETTERS = MOST_LABELS * (LONGEST_LABEL + 1)


class NoteScreen(FormScreen[PaymentRow | None]):
    """Asks for labels, note and resolution; ends with the payment as saved, or None.

    A resolution is about the payment as it is shown here: what arrives meanwhile is not settled.

    Args:
        session: Whose payment it is.
        payment: What a person looks at.
    """

    PLACE = Place.NOTE
    CSS_PATH = sheets("modals", "forms", "note")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.NOTE)
    AUTO_FOCUS = "#labels Input"

    def __init__(self, session: WalletSession, payment: PaymentRow) -> None:
        super().__init__()
        self._session = session
        self._before = payment
        outdated = is_outdated(payment)
        self._resolution = Resolution.NONE if outdated else payment.note.resolution
        self._saving = False

    # Layout

    def title_content(self) -> Content:
        """Return the title."""
        return Content.styled(f"Note on {fmt.payment_name(self._before)}", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield what the payment is, and the fields."""
        note = self._before.note
        yield SheetView(id="facts")
        yield FormField(
            "Labels",
            Input(
                " ".join(note.names),
                placeholder="vip claim",
                compact=True,
                max_length=_MOST_LETTERS,
                select_on_focus=False,
            ),
            hint="One word each, parted by blanks.",
            id="labels",
        )
        area = TextArea(note.text, soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        yield FormField("Note", area, id="text")
        yield FormField(
            "Settled",
            ChoiceLine(*_CHOICES, chosen=list(Resolution).index(self._resolution)),
            hint="What is settled needs no action, until its amounts change.",
            id="resolution",
        )

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Say what the payment is, and put the cursor behind the note that is there."""
        self.query_one("#facts", SheetView).show(self._facts())
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)

    def _facts(self) -> list[Entry]:
        payment = self._before
        received = fmt.money(payment.received, payment.received_asset)
        asked = ""
        if payment.asked is not None and payment.asked_asset is not None:
            asked = f" of {fmt.money(payment.asked, payment.asked_asset)}"
        state = f"{fmt.glyph(payment.state)} {fmt.state_word(payment)}"
        entries: list[Entry] = [row("", f"{state}   {received}{asked}")]
        if why := why_outdated(payment):
            entries.append(row(Content.styled("! ", "$attention"), why))
        muted = "It stays in opdash; nothing of it is sent."
        return [*entries, row("", Content.styled(muted, "$muted")), row("", "")]

    # What is typed

    def _read(self) -> Edit | None:
        """Return what is to be otherwise; None where something is wrong, which is then said."""
        labels, text = self._labels(), self._text()
        if labels is None or text is None:
            return None
        before = self._before.note
        known = {label.casefold() for label in before.names}
        wanted = {label.casefold() for label in labels}
        chosen = list(Resolution)[self.query_one(ChoiceLine).index]
        return Edit(
            add=tuple(label for label in labels if label.casefold() not in known),
            remove=tuple(label for label in before.names if label.casefold() not in wanted),
            text=None if text == before.text else text,
            resolution=None if chosen is self._resolution else chosen,
            seen=standing_of(self._before),
        )

    def _labels(self) -> tuple[str, ...] | None:
        field = self.query_one("#labels", FormField)
        try:
            labels = read_labels(self.query_one("#labels Input", Input).value)
        except InputError as error:
            field.say_error(error)
            return None
        if len(labels) > MOST_LABELS:
            field.say(f"A payment can have {MOST_LABELS} labels.", Note.BAD)
            return None
        field.say()
        return labels

    def _text(self) -> str | None:
        field = self.query_one("#text", FormField)
        try:
            text = read_text(self.query_one(TextArea).text)
        except InputError as error:
            field.say_error(error)
            return None
        field.say()
        return text

    @on(Input.Changed, "#labels Input")
    def _labels_typed(self) -> None:
        self._labels()

    @on(TextArea.Changed)
    def _text_typed(self) -> None:
        self.stay()
        self._text()

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self.stay()

    # Actions

    def question(self) -> str:
        """Return what would be lost."""
        edit = self._read()
        same = edit is not None and edit == Edit(seen=edit.seen)
        return "" if same else "Nothing is saved yet."

    def action_save(self) -> None:
        """Keep what was written."""
        edit = self._read()
        if edit is None or self._saving:
            return
        self._saving = True
        self.outcome.say("Saving …", Note.WAIT)
        self._save(edit)

    @work(group="save-note", exit_on_error=False)
    async def _save(self, edit: Edit) -> None:
        try:
            saved = await self._session.write_note(self._before.id, edit)
        except Exception as error:
            self._saving = False
            self.outcome.say_error(error)
            return
        self.dismiss(saved)

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()
