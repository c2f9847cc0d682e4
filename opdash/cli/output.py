"""Standard output is data, standard error is talk; both are safe to look at.

Human output has aligned columns and no escape sequences unless it goes to a terminal. Machine
output (``--json``) is JSON Lines in ASCII: what a server sent is escaped, never altered.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TextIO

from opdash.cellwidth import width_of
from opdash.cli.common import ask as ask
from opdash.cli.common import can_show_screen as can_show_screen
from opdash.cli.common import is_interactive as is_interactive
from opdash.cli.common import talk as talk
from opdash.safetext import ELLIPSIS, safe_text

_GAP = "  "

_LONGEST = 60
"""Cells that one long text moves the columns after it away by, where nothing is cut."""


class Style(Enum):
    """How a cell may be set off on a terminal that shows colours."""

    PLAIN = ""
    HEADING = "2"
    GOOD = "32"
    ATTENTION = "1;33"


class Cell(NamedTuple):
    """One cell of a table.

    Attributes:
        text: What it shows; made safe when printed.
        style: How it is set off.
    """

    text: str
    style: Style = Style.PLAIN


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: Its heading.
        right: Whether figures end at the same place.
        shrinks: Whether it is cut first where the terminal is too narrow.
        spare: How soon it is left out where that is not enough; 1 goes first, 0 never.
    """

    title: str
    right: bool = False
    shrinks: bool = False
    spare: int = 0


def print_json(record: Mapping[str, object]) -> None:
    """Print one JSON line and flush it."""
    import json

    line = json.dumps(record, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_lines(*lines: str) -> None:
    """Print lines of data for people, safe to show."""
    for line in lines:
        sys.stdout.write(safe_text(line) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows under their headings, in columns as wide as what they hold."""
    safe = [[Cell(safe_text(cell.text), cell.style) for cell in row] for row in rows]
    heading = [Cell(column.title, Style.HEADING) for column in columns]
    widths = [
        max(width_of(row[index].text) for row in [heading, *safe]) for index in range(len(columns))
    ]
    kept = _fit(columns, widths)
    coloured = shows_colour(sys.stdout)
    for row in [heading, *safe]:
        cells = [_padded(row[index], columns[index], widths[index], coloured) for index in kept]
        sys.stdout.write(_GAP.join(cells).rstrip() + "\n")
    sys.stdout.flush()


def print_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values in two columns; fields without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((width_of(name) for name, _ in shown), default=0)
    for name, value in shown:
        print_lines(f"{name}{' ' * (width - width_of(name))}{_GAP}{value}")


def painted(text: str, style: Style, stream: TextIO) -> str:
    """Return a text set off by its style where the stream shows colours."""
    if style is Style.PLAIN or not shows_colour(stream):
        return text
    return f"\x1b[{style.value}m{text}\x1b[0m"


def shows_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that wants colours (see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _fit(columns: Sequence[Column], widths: list[int]) -> list[int]:
    """Take widths back to what there is room for, and return which columns are shown."""
    shown = list(range(len(columns)))
    shrinking = [index for index in shown if columns[index].shrinks]
    if not sys.stdout.isatty():
        for index in shrinking:
            widths[index] = min(widths[index], _LONGEST)
        return shown
    import shutil

    room = shutil.get_terminal_size().columns
    for index in shrinking:
        least = min(widths[index], max(width_of(columns[index].title), 8))
        widths[index] = max(widths[index] - max(_excess(shown, widths, room), 0), least)
    for index in sorted(shown, key=lambda index: columns[index].spare):
        if columns[index].spare and _excess(shown, widths, room) > 0:
            shown.remove(index)
    return shown


def _excess(shown: Sequence[int], widths: Sequence[int], room: int) -> int:
    return sum(widths[index] for index in shown) + len(_GAP) * (len(shown) - 1) - room


def _padded(cell: Cell, column: Column, width: int, coloured: bool) -> str:
    text = _cut(cell.text, width) if sys.stdout.isatty() else cell.text
    blanks = " " * (width - width_of(text))
    if coloured and cell.style is not Style.PLAIN:
        text = f"\x1b[{cell.style.value}m{text}\x1b[0m"
    return blanks + text if column.right else text + blanks


def _cut(text: str, width: int) -> str:
    if width_of(text) <= width:
        return text
    kept = ""
    used = 1
    for character in text:
        used += width_of(character)
        if used > width:
            break
        kept += character
    return kept + ELLIPSIS
