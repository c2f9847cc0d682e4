"""Metadata as a tree: whatever a server sends becomes a bounded number of harmless lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from opdash.safetext import safe_text
from opdash.tui.widgets.sheet import Row, row

_KEY_LIMIT = 40
_WORDS_OF_JSON = frozenset({"true", "false", "null"})


class Literal(str):
    """A number as the server wrote it; reading it as a float would change it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """How much of a tree is shown.

    Attributes:
        lines: The most lines, the ones that say "… n more" not counted.
        depth: The most levels.
        text: The most characters of one value.
        total: The most characters of all values together.
    """

    lines: int = 12
    depth: int = 3
    text: int = 200
    total: int = 1000


PANE = TreeLimits()
"""For the pane beside the table."""

WHOLE = TreeLimits(lines=400, depth=16, text=2000, total=20_000)
"""For the screen of its own."""


def read_metadata(text: str) -> object:
    """Read metadata as it was sent, every number kept as written.

    Args:
        text: The JSON text of the ``metadata`` object, or an empty string.

    Returns:
        Dicts, lists, strings, booleans, None and `Literal`; the text itself where it is no JSON
        that can be read.
    """
    if not text:
        return {}
    try:
        return json.loads(text, parse_float=Literal, parse_int=Literal, parse_constant=Literal)
    except (ValueError, RecursionError):
        return text


def tree_rows(metadata: object, limits: TreeLimits = PANE) -> list[Row]:
    """Return the lines of a metadata tree.

    Args:
        metadata: What `read_metadata` returned, or any JSON value.
        limits: How much to show; what is left out is counted in its place.
    """
    if not isinstance(metadata, dict | list):
        return [row("", _scalar(metadata, limits.text))]
    if not metadata:
        return [row("", Content.styled("none", "$muted"))]
    return _branch(metadata, limits, _Budget(limits.lines, limits.total), "", 1)


@dataclass(slots=True)
class _Budget:
    lines: int
    characters: int

    @property
    def is_spent(self) -> bool:
        return self.lines <= 0 or self.characters <= 0


def _branch(
    node: dict[str, object] | list[object],
    limits: TreeLimits,
    budget: _Budget,
    guides: str,
    depth: int,
) -> list[Row]:
    rows: list[Row] = []
    shown = 0
    for key, value in _entries(node):
        if budget.is_spent:
            break
        shown += 1
        last = shown == len(node)
        below = guides + ("   " if last else "│  ")
        label = guides + ("└─ " if last else "├─ ")
        children = isinstance(value, dict | list) and bool(value)
        entry = _entry(label, below, key, value, limits, branches=children)
        rows.append(entry)
        budget.lines -= 1
        budget.characters -= len(entry.body)
        if isinstance(value, dict | list) and value:
            if depth < limits.depth:
                rows += _branch(value, limits, budget, below, depth + 1)
            else:
                rows.append(_more(below, len(value)))
    if shown < len(node):
        rows.append(_more(guides, len(node) - shown))
    return rows


def _entries(node: dict[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    if isinstance(node, dict):
        yield from node.items()
    else:
        yield from ((str(index), value) for index, value in enumerate(node))


def _entry(
    label: str, below: str, key: str, value: object, limits: TreeLimits, *, branches: bool
) -> Row:
    name = safe_text(key, limit=_KEY_LIMIT) or "“”"
    guide = Content.styled(label, "$line")
    follow = Content.styled(below, "$line")
    key_part = Content.styled(name, "$muted")
    if branches:
        return row(guide, key_part, follow)
    return row(guide, Content.assemble(key_part, "  ", _scalar(value, limits.text)), follow)


def _more(guides: str, count: int) -> Row:
    return row(
        Content.styled(f"{guides}└─ ", "$line"),
        Content.styled(f"… {count:,} more", "$muted"),
    )


def _scalar(value: object, limit: int) -> Content:
    match value:
        case Literal():
            return Content(safe_text(value, limit=limit))
        case str() if _could_be_json(value):
            return Content(f"“{safe_text(value, limit=limit)}”")
        case str():
            return Content(safe_text(value, limit=limit))
        case True:
            return Content("true")
        case False:
            return Content("false")
        case None:
            return Content("null")
        case dict():
            return Content("{}")
        case list():
            return Content("[]")
        case _:
            return Content(safe_text(str(value), limit=limit))


def _could_be_json(text: str) -> bool:
    """Whether a text, unquoted, would read as something else than a text."""
    bare = text.strip()
    if not bare or bare != text:
        return True
    return bare in _WORDS_OF_JSON or (bare[0] in '-0123456789[{"' and _parses(bare))


def _parses(text: str) -> bool:
    try:
        json.loads(text, parse_float=Literal, parse_int=Literal)
    except (ValueError, RecursionError):
        return False
    return True
