"""A document as Markdown (CommonMark with the tables of GitHub's dialect)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from opdash.safetext import safe_text
from opdash.statements.document import (
    Bar,
    Block,
    Cell,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)

_SPECIAL: Final = re.compile(
    r"""[\\`*_\[\]<>&|~!@$#^={}]     # emphasis, code, links, HTML, entities, cells, mathematics
      | :(?=[^\d\s])                 # what dialects make links of: https://, mailto:
      | (?<=\w)\.(?=[^\W\d])          # likewise www.example and shop.example
      | ^[-+]                        # a list, where a line begins
    """,
    re.VERBOSE,
)
_ORDERED: Final = re.compile(r"^(\d+)([.)])(?=\s|$)")


def as_markdown(document: Document) -> str:
    """Return a document as Markdown, its last line ended."""
    parts = ["\n".join(_lines(block)) for block in document.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is: no link, no emphasis, no HTML, one line."""
    escaped = _SPECIAL.sub(r"\\\g<0>", safe_text(text).strip())
    return _ORDERED.sub(r"\1\\\2", escaped)


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {plain(block.text)}".rstrip()
        case Paragraph():
            yield f"> **Note** {plain(block.text)}" if block.is_notice else plain(block.text)
        case Facts():
            yield from (
                f"- **{plain(name)}:** {plain(value)}".rstrip() for name, value in block.pairs
            )
        case Table():
            yield from _table(block)


def _table(block: Table) -> Iterator[str]:
    kept = [number for number, column in enumerate(block.columns) if not column.is_bars]
    if caption := plain(block.caption):
        yield f"**{caption}**"
        yield ""
    yield _row([block.columns[number].title for number in kept])
    rules = ("--:" if block.columns[number].is_figures else ":--" for number in kept)
    yield f"| {' | '.join(rules)} |"
    for row in block.rows:
        yield _row([row[number] for number in kept])
    if block.total:
        yield _row([block.total[number] for number in kept], strong=True)


def _row(cells: Sequence[Cell], *, strong: bool = False) -> str:
    texts = ["" if isinstance(cell, Bar) else plain(cell) for cell in cells]
    if strong:
        texts = [f"**{text}**" if text else "" for text in texts]
    return f"| {' | '.join(texts)} |"
