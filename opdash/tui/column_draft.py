"""A choice of columns while a person makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from opdash.ledger.records import PaymentRow
from opdash.table_view import (
    FURTHER,
    LONGEST_PATH,
    MOST_COLUMNS,
    NARROWEST,
    STANDARD,
    STANDARD_CHOICE,
    WIDEST,
    Column,
    ColumnChoice,
    metadata_column,
)

_MOST_PATHS = 12
_DEEPEST = 3


class ColumnDraft:
    """The columns there are, in the order in which they would stand, and which of them do.

    Attributes:
        columns: All of them; those that are shown keep their order when others are hidden.
    """

    def __init__(self, choices: Sequence[ColumnChoice], offered: Iterable[Column] = ()) -> None:
        """Begin with a choice.

        Args:
            choices: What is shown now, from left to right.
            offered: Columns to offer beside those that every table has.
        """
        self._offered = tuple(offered)
        self._widths: dict[Column, int] = {}
        self._shown: set[Column] = set()
        self.columns: list[Column] = []
        self._begin(choices)

    @property
    def choices(self) -> tuple[ColumnChoice, ...]:
        """What is chosen, from left to right."""
        shown = (column for column in self.columns if column in self._shown)
        return tuple(ColumnChoice(column, self.width(column)) for column in shown)

    def is_shown(self, column: Column) -> bool:
        """Return whether a column is chosen."""
        return column in self._shown

    def width(self, column: Column) -> int:
        """Return the width that was chosen for a column; 0 for none."""
        return self._widths.get(column, 0)

    def toggle(self, column: Column) -> bool:
        """Show a column or hide it; returns whether that is possible: one always stays."""
        if column not in self._shown:
            if len(self._shown) >= MOST_COLUMNS:
                return False
            self._shown.add(column)
            return True
        if len(self._shown) == 1:
            return False
        self._shown.remove(column)
        return True

    def move(self, column: Column, by: int) -> None:
        """Move a column by so many places among all columns."""
        index = self.columns.index(column)
        target = min(max(index + by, 0), len(self.columns) - 1)
        self.columns.insert(target, self.columns.pop(index))

    def set_width(self, column: Column, width: int) -> None:
        """Choose a width for a column, within bounds; 0 lets the table choose."""
        self._widths[column] = min(max(width, NARROWEST), WIDEST) if width else 0

    def add(self, path: str, after: Column | None) -> Column:
        """Show the column of a metadata value, right of another one unless it is shown already.

        Raises:
            ViewError: There can be no such path.
        """
        column = metadata_column(path)
        if column in self._shown or len(self._shown) >= MOST_COLUMNS:
            return column
        others = [one for one in self.columns if one != column]
        index = others.index(after) + 1 if after in others else len(others)
        self.columns = [*others[:index], column, *others[index:]]
        self._shown.add(column)
        return column

    def reset(self) -> None:
        """Go back to what a table shows unless a person chooses otherwise."""
        self._offered = tuple(column for column in self.columns if column.path)
        self._begin(STANDARD_CHOICE)

    def _begin(self, choices: Sequence[ColumnChoice]) -> None:
        chosen = [choice.column for choice in choices]
        self._shown = set(chosen)
        self._widths = {choice.column: choice.width for choice in choices}
        self.columns = list(dict.fromkeys((*chosen, *STANDARD, *FURTHER, *self._offered)))


def metadata_columns(rows: Iterable[PaymentRow]) -> tuple[Column, ...]:
    """Return columns for the metadata values that some payments have, the most common first."""
    paths: Counter[str] = Counter()
    for row in rows:
        try:
            metadata = msgspec.json.decode(row.metadata_json) if row.metadata_json else {}
        except (msgspec.DecodeError, RecursionError):
            continue
        paths.update(set(_paths(metadata, _DEEPEST)))
    # What is not printable would be unreadable in the configuration file, or not be written at all.
    fit = [path for path in paths if path.isprintable() and len(path) <= LONGEST_PATH]
    best = sorted(fit, key=lambda path: (-paths[path], path))[:_MOST_PATHS]
    return tuple(metadata_column(path) for path in best)


def _paths(value: Any, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, member in value.items():
        if isinstance(member, dict):
            yield from (f"{name}.{path}" for path in _paths(member, depth - 1))
        elif name.strip():
            yield name
