"""Lines with a hanging indent: labels on the left stay clear of long values on the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

_LEAST_BODY = 8
"""Below this many cells a body goes under its lead instead of beside it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a sheet.

    Attributes:
        lead: Stands before the first line of the body: a label, or the guides of a tree.
        body: Wraps as often as it needs to.
        follow: Stands before every further line; as wide as the lead.
    """

    lead: Content
    body: Content
    follow: Content


def row(lead: Content | str, body: Content | str, follow: Content | str = "") -> Row:
    """Return a row whose further lines are indented to where the body begins."""
    first = _content(lead)
    return Row(first, _content(body), _content(follow).pad_right(_missing(first, follow)))


def facts(pairs: Iterable[tuple[str, Content | str]], *, label_style: str = "$muted") -> list[Row]:
    """Return rows of labels and values, the values aligned with each other."""
    known = [(label, value) for label, value in pairs]
    width = max((cell_len(label) for label, _ in known), default=0) + 2
    return [
        row(Content.styled(label.ljust(width - cell_len(label) + len(label)), label_style), value)
        for label, value in known
    ]


class Sheet(Visual):
    """Rows under each other, each wrapped to the width there is."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self._folded: tuple[int, Content] | None = None

    @property
    def plain(self) -> str:
        """The text, each row on one line."""
        return "\n".join(entry.lead.plain + entry.body.plain for entry in self.rows)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002
        """Return the width at which nothing wraps, or what the container has."""
        widest = max((e.lead.cell_length + e.body.cell_length for e in self.rows), default=0)
        return min(widest, container_width) if container_width else widest

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002
        """Return how many lines the rows take at a width."""
        return len(self._fold(width).plain.split("\n")) if self.rows else 0

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Return the lines, styled."""
        if not width or not self.rows:
            return []
        return self._fold(width).render_strips(width, height, style, options)

    def _fold(self, width: int) -> Content:
        if self._folded is None or self._folded[0] != width:
            lines = [line for entry in self.rows for line in _fold_row(entry, width)]
            self._folded = (width, Content("\n").join(lines))
        return self._folded[1]


def _fold_row(entry: Row, width: int) -> list[Content]:
    room = width - entry.lead.cell_length
    if room < _LEAST_BODY and entry.lead:
        return [entry.lead.truncate(width, ellipsis=True), *entry.body.wrap(max(width, 1))]
    first, *others = entry.body.wrap(max(room, 1)) or [Content("")]
    return [entry.lead + first, *(entry.follow + line for line in others)]


def _content(text: Content | str) -> Content:
    return text if isinstance(text, Content) else Content(text)


def _missing(lead: Content, follow: Content | str) -> int:
    return max(lead.cell_length - _content(follow).cell_length, 0)
