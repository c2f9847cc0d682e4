"""Lines with a hanging indent: labels on the left stay clear of long values on the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len
from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import Static

_LEAST_BODY = 8
"""Below this many cells a body goes under its lead instead of beside it."""


class Entry(Protocol):
    """One entry of a sheet."""

    @property
    def plain(self) -> str:
        """What it says, on one line."""

    @property
    def widest(self) -> int:
        """How many cells it takes when nothing wraps."""

    def fold(self, width: int) -> list[Content]:
        """Return its lines at a width, none wider than that."""


@dataclass(frozen=True, slots=True)
class Row:
    """A lead and a body beside it.

    Attributes:
        lead: Stands before the first line of the body: a label, or the guides of a tree.
        body: Wraps as often as it needs to.
        follow: Stands before every further line; as wide as the lead.
    """

    lead: Content
    body: Content
    follow: Content

    @property
    def plain(self) -> str:
        """What it says, on one line."""
        return self.lead.plain + self.body.plain

    @property
    def widest(self) -> int:
        """How many cells it takes when nothing wraps."""
        return self.lead.cell_length + self.body.cell_length

    def fold(self, width: int) -> list[Content]:
        """Return its lines at a width."""
        room = width - self.lead.cell_length
        if room < _LEAST_BODY and self.lead:
            lead = self.lead.rstrip().truncate(width, ellipsis=True)
            return [lead, *self.body.wrap(max(width, 1))]
        first, *others = self.body.wrap(max(room, 1)) or [Content("")]
        return [self.lead + first, *(self.follow + line for line in others)]


def row(lead: Content | str, body: Content | str, follow: Content | str = "") -> Row:
    """Return a row whose further lines are indented to where the body begins."""
    first, rest = _content(lead), _content(follow)
    missing = max(first.cell_length - rest.cell_length, 0)
    return Row(first, _content(body), rest.pad_right(missing))


def facts(pairs: Iterable[tuple[str, Content | str]], *, label_style: str = "$muted") -> list[Row]:
    """Return rows of labels and values, the values aligned with each other."""
    known = list(pairs)
    width = max((cell_len(label) for label, _ in known), default=0) + 2
    return [
        row(Content.styled(label + " " * (width - cell_len(label)), label_style), value)
        for label, value in known
    ]


def heading(text: str) -> list[Row]:
    """Return an empty line and a heading."""
    return [row("", ""), row("", Content.styled(text, "bold"))]


class Sheet(Visual):
    """Entries under each other, each wrapped to the width there is."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self._folded: tuple[int, Content] | None = None

    @property
    def plain(self) -> str:
        """The text, each entry on one line."""
        return "\n".join(entry.plain for entry in self.entries)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002
        """Return the width at which nothing wraps, or what the container has."""
        widest = max((entry.widest for entry in self.entries), default=0)
        return min(widest, container_width) if container_width else widest

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002
        """Return how many lines the entries take at a width."""
        return self.fold(width).plain.count("\n") + 1 if self.entries else 0

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Return the lines, styled."""
        if not width or not self.entries:
            return []
        return self.fold(width).render_strips(width, height, style, options)

    def fold(self, width: int) -> Content:
        """Return all lines at a width."""
        if self._folded is None or self._folded[0] != width:
            lines = [line for entry in self.entries for line in entry.fold(width)]
            self._folded = (width, Content("\n").join(lines))
        return self._folded[1]


class SheetView(Static):
    """Shows a sheet; what the mouse selects in it can be copied."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(markup=False, id=id, classes=classes)
        self._sheet = Sheet(())

    @property
    def text(self) -> str:
        """What it says, each entry on one line."""
        return self._sheet.plain

    def show(self, entries: Sequence[Entry]) -> None:
        """Set the entries; repaints only if they differ from what is there."""
        before, sheet = self._sheet, Sheet(entries)
        if sheet.entries != before.entries:
            self._sheet = sheet
            self.update(sheet, layout=not self._takes_the_room_of(before))

    def _takes_the_room_of(self, before: Sheet) -> bool:
        """Return whether all else stays in its place: what is relative to now changes often."""
        width = self.content_size.width
        if not width or not before.entries or not self._sheet.entries:
            return False
        return self._sheet.fold(width).plain.count("\n") == before.fold(width).plain.count("\n")

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what the mouse selected, as plain text."""
        return selection.extract(self._sheet.fold(self.size.width).plain), "\n"


def _content(text: Content | str) -> Content:
    return text if isinstance(text, Content) else Content(text)
