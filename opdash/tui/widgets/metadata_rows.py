"""Rows of keys and values for further metadata, checked while they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Label

from opdash.errors import InputError
from opdash.safetext import safe_text
from opdash.service.drafts import REQUEST_ID_KEY
from opdash.tui.typed import kind_of, parse_value
from opdash.tui.widgets.form_field import Note, NoteLine

RULE = 'Sent as text; after a “=” as JSON: =42, =true, =["a"].'
"""How the type of a value is chosen."""

_TAKEN = {
    "description": "The description has its own field above.",
    "externalRef": "The reference has its own field above.",
    REQUEST_ID_KEY: "opdash uses this key itself, to recognise the payment.",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What the rows mean.

    Attributes:
        metadata: The keys and values that can be sent, in the order typed.
        problems: What is wrong, by the index of the row.
    """

    metadata: dict[str, object] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)


def read_rows(rows: Sequence[tuple[str, str]]) -> Typed:
    """Read typed keys and values; a row with neither is left out."""
    typed = Typed()
    for index, (key, value) in enumerate(rows):
        if not key and not value:
            continue
        problem = _key_problem(key, typed.metadata)
        if not problem:
            try:
                typed.metadata[key] = parse_value(value)
            except InputError as error:
                problem = str(error)
        if problem:
            typed.problems[index] = problem
    return typed


def _key_problem(key: str, before: dict[str, object]) -> str:
    if not key.strip():
        return "The key is missing."
    if key in _TAKEN:
        return _TAKEN[key]
    if key in before:
        return f"The key “{safe_text(key, limit=40)}” is given twice."
    return ""


class MetadataRow(Vertical):
    """One key, its value, the type it will be sent as, and what is wrong with them."""

    def __init__(self) -> None:
        super().__init__()
        # Held, not looked up: a row is also read while it is coming or going.
        self._key = Input(placeholder="key", compact=True, classes="key")
        self._value = Input(placeholder="value", compact=True, classes="value")
        self._kind = Label("", classes="kind", markup=False)
        self._note = NoteLine()

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        with Horizontal(classes="line"):
            yield self._key
            yield self._value
            yield self._kind
            yield Button("✕", compact=True, classes="remove", tooltip="Remove this row")
        yield self._note

    @property
    def typed(self) -> tuple[str, str]:
        """The key and the value as typed."""
        return self._key.value, self._value.value

    def edit(self) -> None:
        """Put the cursor into the key."""
        self._key.focus()

    def show(self, problem: str) -> None:
        """Show what is wrong, and as what the value will be sent."""
        self._note.say(problem, Note.BAD if problem else Note.HINT)
        key, value = self.typed
        try:
            kind = kind_of(value) if key or value else ""
        except InputError:
            kind = "?"
        self._kind.update(kind)


class MetadataRows(Vertical):
    """Any number of keys and values."""

    class Changed(Message):
        """A key or a value was typed, or a row removed."""

    def compose(self) -> ComposeResult:
        """Begin with the rule and the button; rows come on demand."""
        yield Vertical(id="metadata-rows")
        yield Button("+ Add a key", compact=True, id="metadata-add")

    @property
    def rows(self) -> list[MetadataRow]:
        """The rows, from the top."""
        return list(self.query(MetadataRow))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        return not any(any(row.typed) for row in self.rows)

    def read(self) -> Typed:
        """Return what the rows mean and show what is wrong under each."""
        rows = self.rows
        typed = read_rows([row.typed for row in rows])
        for index, row in enumerate(rows):
            row.show(typed.problems.get(index, ""))
        return typed

    async def add_row(self) -> None:
        """Add a row and put the cursor into its key."""
        row = MetadataRow()
        await self.query_one("#metadata-rows").mount(row)
        row.edit()

    async def remove_row(self, row: MetadataRow) -> None:
        """Remove a row; the focus goes to its neighbour, or to the button that adds one."""
        rows = self.rows
        index = rows.index(row)
        others = rows[:index] + rows[index + 1 :]
        await row.remove()
        if others:
            others[min(index, len(others) - 1)].edit()
        else:
            self.query_one("#metadata-add").focus()
        self.post_message(self.Changed())

    async def remove_focused(self) -> None:
        """Remove the row that has the focus, if one has."""
        for row in self.rows:
            if row.has_focus_within:
                await self.remove_row(row)
                return

    @on(Button.Pressed, "#metadata-add")
    async def _add_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.add_row()

    @on(Button.Pressed, ".remove")
    async def _remove_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        for row in self.rows:
            if event.button in row.query(Button):
                await self.remove_row(row)
                return

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())
