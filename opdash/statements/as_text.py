"""A document as lines for a terminal or a text file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from opdash.cellwidth import folded, padded, width_of
from opdash.safetext import safe_text
from opdash.statements.document import (
    Bar,
    Block,
    Cell,
    Column,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)

WIDTH: Final = 80
"""Cells of a line where nobody says otherwise."""

_GAP: Final = "  "
_INDENT: Final = "  "
_BAR_CELLS: Final = 20
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_LEAST_VALUE: Final = 16
_ADDRESSES: Final = ("https://", "http://")


class Weight(StrEnum):
    """How much a line matters; a terminal may show it."""

    PLAIN = "plain"
    STRONG = "strong"
    MUTED = "muted"
    NOTICE = "notice"


class TextLine(msgspec.Struct, frozen=True):
    """One line, safe to show."""

    text: str
    weight: Weight = Weight.PLAIN


def as_text(document: Document, width: int = WIDTH) -> str:
    """Return a document as text, each line ended.

    No line is wider than ``width`` cells, but where a web address among facts is.
    """
    return "".join(f"{line.text}\n" for line in text_lines(document, width))


def text_lines(
    document: Document, width: int = WIDTH, *, keeps_addresses: bool = True
) -> list[TextLine]:
    """Return the lines of a document.

    Args:
        document: What to write.
        width: Cells of a line, 40 at least; narrower ones are written as if they had so many.
        keeps_addresses: Whether a web address stays whole, however long, so that it can be copied.
    """
    width = max(width, 40)
    lines: list[TextLine] = []
    for block in document.blocks:
        if lines:
            lines.append(TextLine(""))
        lines += [
            msgspec.structs.replace(one, text=one.text.rstrip())
            for one in _lines(block, width, keeps_addresses=keeps_addresses)
        ]
    return lines


def _lines(block: Block, width: int, *, keeps_addresses: bool) -> Iterator[TextLine]:
    match block:
        case Heading():
            yield from _heading(block, width)
        case Paragraph():
            weight = Weight.NOTICE if block.is_notice else Weight.PLAIN
            weight = Weight.MUTED if block.is_aside else weight
            sign = "! " if block.is_notice else ""
            for number, line in enumerate(folded(safe_text(block.text), width - len(sign))):
                yield TextLine((" " * len(sign) if number else sign) + line, weight)
        case Facts():
            yield from _facts(block, width, keeps_addresses=keeps_addresses)
        case Table():
            yield from _table(block, width)


def _heading(block: Heading, width: int) -> Iterator[TextLine]:
    lines = folded(safe_text(block.text), width)
    yield from (TextLine(line, Weight.STRONG) for line in lines)
    if block.level <= 2:
        sign = "═" if block.level == 1 else "─"
        yield TextLine(sign * max(map(width_of, lines)), Weight.MUTED)


def _facts(block: Facts, width: int, *, keeps_addresses: bool) -> Iterator[TextLine]:
    names = [safe_text(name) for name, _ in block.pairs]
    widest = min(max(map(width_of, names), default=0), max(width - _LEAST_VALUE, 2))
    room = width - len(_INDENT) - widest - len(_GAP)
    for name, (_, remote) in zip(names, block.pairs, strict=True):
        value = safe_text(remote)
        is_address = value.startswith(_ADDRESSES) and " " not in value
        if keeps_addresses and is_address and width_of(value) > room:
            yield from (TextLine(f"{_INDENT}{head}") for head in folded(name, widest))
            yield TextLine(f"{_INDENT}{value}")
            continue
        heads, values = folded(name, widest), folded(value, room)
        for number in range(max(len(heads), len(values))):
            head = heads[number] if number < len(heads) else ""
            text = values[number] if number < len(values) else ""
            yield TextLine(f"{_INDENT}{padded(head, widest)}{_GAP}{text}")


def _table(block: Table, width: int) -> Iterator[TextLine]:
    if block.caption:
        for line in folded(safe_text(block.caption), width):
            yield TextLine(line, Weight.STRONG)
    heading = tuple(column.title for column in block.columns)
    rows = [_safe(row) for row in (heading, *block.rows, *((block.total,) if block.total else ()))]
    widths = _widths(block.columns, rows, width - len(_INDENT))
    rules = (
        (" " if column.is_bars else "─") * cells
        for column, cells in zip(block.columns, widths, strict=True)
    )
    rule = TextLine(_INDENT + _GAP.join(rules), Weight.MUTED)
    for number, row in enumerate(rows):
        is_total = bool(block.total) and number == len(rows) - 1
        if is_total:
            yield rule
        weight = Weight.MUTED if number == 0 else Weight.STRONG if is_total else Weight.PLAIN
        yield from (TextLine(line, weight) for line in _row(row, block.columns, widths))
        if number == 0:
            yield rule


def _row(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> Iterator[str]:
    parts = [folded(text, cells) for text, cells in zip(row, widths, strict=True)]
    for number in range(max(map(len, parts))):
        yield _INDENT + _GAP.join(
            padded(lines[number] if number < len(lines) else "", cells, right=column.is_figures)
            for lines, cells, column in zip(parts, widths, columns, strict=True)
        )


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return how wide columns are; where there is no room the widest ones give way, evenly."""
    widths = [max(width_of(row[number]) for row in rows) or 1 for number in range(len(columns))]
    room -= len(_GAP) * (len(columns) - 1)
    # Words are folded before figures are, and those only where nothing else is left.
    for floors in (
        [
            cells if one.is_figures or one.is_bars else one.least
            for one, cells in zip(columns, widths, strict=True)
        ],
        [2] * len(columns),
    ):
        while sum(widths) > room:
            spare = [cells - least for cells, least in zip(widths, floors, strict=True)]
            widest = max(
                (n for n in range(len(widths)) if spare[n] > 0),
                key=widths.__getitem__,
                default=None,
            )
            if widest is None:
                break
            widths[widest] -= 1
    return widths


def _safe(row: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(_bar(cell) if isinstance(cell, Bar) else safe_text(cell) for cell in row)


def _bar(bar: Bar) -> str:
    if bar.value <= 0 or bar.whole <= 0:
        return ""
    eighths = -(-bar.value * _BAR_CELLS * 8 // bar.whole)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
