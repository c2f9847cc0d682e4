"""How a person wants the table of payments: its columns, their widths, the order.

A column is written ``asked`` or ``metadata.orderId``, with a width of so many cells
``reference:24`` (``:auto`` says that there is none, for a path that itself ends so). An order is a
column and ``ascending`` or ``descending``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.safetext import safe_text

NARROWEST: Final = 4
"""The fewest cells that a person may give a column."""

WIDEST: Final = 80
"""The most."""

LONGEST_PATH: Final = 100
"""The most characters of a path into the metadata."""

MOST_COLUMNS: Final = 40
"""The most columns that a table can have."""

_METADATA: Final = f"{SortColumn.METADATA}."
_WIDTH: Final = r"(?s)(.*):(auto|[0-9]{1,4})"
_DIRECTIONS: Final = {"ascending": False, "descending": True}
_GREATEST_FIRST: Final = frozenset(
    {
        SortColumn.ASKED,
        SortColumn.RECEIVED,
        SortColumn.CREATED,
        SortColumn.EXPIRES,
        SortColumn.CHANGED,
        SortColumn.FIRST_SEEN,
    }
)


class ViewError(ValueError):
    """A text that is no column or no order; it says why, and what is near."""


class Column(msgspec.Struct, frozen=True):
    """What a column shows.

    Attributes:
        kind: Which of the things that are known of a payment.
        path: Which metadata value, a dotted path; empty for all other columns.
    """

    kind: SortColumn
    path: str = ""

    @property
    def name(self) -> str:
        """What the configuration file calls it."""
        return f"{_METADATA}{self.path}" if self.kind is SortColumn.METADATA else self.kind.value


class ColumnChoice(msgspec.Struct, frozen=True):
    """A column that a person wants to see.

    Attributes:
        column: Which.
        width: Its cells; 0 lets the table choose.
    """

    column: Column
    width: int = 0

    def __str__(self) -> str:
        name = self.column.name
        if self.width:
            return f"{name}:{self.width}"
        return f"{name}:auto" if re.fullmatch(_WIDTH, name) else name


def metadata_column(path: str) -> Column:
    """Return the column of a metadata value.

    Raises:
        ViewError: There can be no such path.
    """
    if not path.strip() or len(path) > LONGEST_PATH:
        raise ViewError(f"A path into the metadata has 1 to {LONGEST_PATH} characters.")
    return Column(SortColumn.METADATA, path)


STANDARD: Final = tuple(
    Column(kind)
    for kind in (
        SortColumn.STATE,
        SortColumn.ASKED,
        SortColumn.RECEIVED,
        SortColumn.REFERENCE,
        SortColumn.DESCRIPTION,
        SortColumn.CREATED,
        SortColumn.EXPIRES,
    )
)
"""The columns that are shown unless a person chooses others; the keys 1 to 7 sort by them."""

FURTHER: Final = tuple(
    Column(kind)
    for kind in (
        SortColumn.DIFFERENCE,
        SortColumn.ASSET,
        SortColumn.CHANGED,
        SortColumn.FIRST_SEEN,
        SortColumn.SCOPE,
        SortColumn.ID,
        SortColumn.LABELS,
    )
)
"""The others; beside them there is one for each value in the metadata."""

STANDARD_CHOICE: Final = tuple(ColumnChoice(column) for column in STANDARD)
"""What a table shows unless a person chooses otherwise."""

_NAMES: Final = {column.name: column for column in (*STANDARD, *FURTHER)}


class TableView(msgspec.Struct, frozen=True):
    """How a person left the table.

    Attributes:
        columns: What is shown, from left to right.
        sort: The order of the rows.
        page_size: Rows of a page.
        filter: What the rows are filtered by; empty for all.
    """

    columns: tuple[ColumnChoice, ...] = STANDARD_CHOICE
    sort: Sort = NEWEST_FIRST
    page_size: int = 50
    filter: str = ""


def next_order(column: Column, current: Sort) -> Sort:
    """Return the order that choosing a column leads to.

    It begins with the newest, the largest or A first; choosing the column once more turns it round.
    """
    if (column.kind, column.path) == (current.column, current.path):
        return Sort(column.kind, not current.descending, column.path)
    return Sort(column.kind, column.kind in _GREATEST_FIRST, column.path)


def read_columns(texts: Iterable[str]) -> tuple[ColumnChoice, ...]:
    """Read columns as the configuration file names them.

    Raises:
        ViewError: One is no column, or stands there twice, or there are none.
    """
    choices = tuple(_choice(text) for text in texts)
    if not choices:
        raise ViewError("A table has one column at the least.")
    if len(choices) > MOST_COLUMNS:
        raise ViewError(f"A table has {MOST_COLUMNS} columns at the most.")
    seen: set[Column] = set()
    for choice in choices:
        if choice.column in seen:
            raise ViewError(f"“{safe_text(choice.column.name, limit=40)}” stands there twice.")
        seen.add(choice.column)
    return choices


def read_sort(text: str) -> Sort:
    """Read an order as the configuration file names it.

    Raises:
        ViewError: It is none.
    """
    name, _, direction = text.rpartition(" ")
    if not name:
        raise ViewError("Write a column and a direction, such as “received descending”.")
    if direction not in _DIRECTIONS:
        near = _near(direction, _DIRECTIONS) or "ascending or descending"
        raise ViewError(f"“{safe_text(direction, limit=20)}” is no direction; write {near}.")
    column = _column(name)
    return Sort(column.kind, _DIRECTIONS[direction], column.path)


def write_sort(sort: Sort) -> str:
    """Write an order as `read_sort` reads it."""
    direction = "descending" if sort.descending else "ascending"
    return f"{Column(sort.column, sort.path).name} {direction}"


def _choice(text: str) -> ColumnChoice:
    found = re.fullmatch(_WIDTH, text)
    if found is None:
        return ColumnChoice(_column(text))
    column = _column(found[1])
    if found[2] == "auto":
        return ColumnChoice(column)
    width = int(found[2])
    if not NARROWEST <= width <= WIDEST:
        nearest = min(max(width, NARROWEST), WIDEST)
        raise ViewError(
            f"“{safe_text(column.name, limit=40)}” can be {NARROWEST} to {WIDEST} cells wide; "
            f"the nearest is {nearest}."
        )
    return ColumnChoice(column, width)


def _column(name: str) -> Column:
    if name.startswith(_METADATA):
        return metadata_column(name.removeprefix(_METADATA))
    if name in _NAMES:
        return _NAMES[name]
    near = _near(name, [*_NAMES, f"{_METADATA}…"])
    known = ", ".join([*_NAMES, f"{_METADATA}PATH"])
    advice = f"did you mean {near}?" if near else f"there are {known}."
    raise ViewError(f"“{safe_text(name, limit=40)}” is no column; {advice}")


def _near(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return f"“{near[0]}”" if near else ""
