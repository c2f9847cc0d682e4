"""Which columns of the payment table fit, and how wide: a pure function of the width.

Where there is no room for all columns, they go one by one, the one furthest right first, so that a
person decides by their order; but asked, state and received stay longest. Before a column goes, the
others give up the cells beyond their least. The description only comes when all others have what
they need. A column of amounts never has fewer cells than its figures take. A width that a person
chose counts before any that the table would choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from opdash.ledger.records import SortColumn
from opdash.safetext import safe_text
from opdash.table_view import Column, ColumnChoice

GUTTER: Final = 3
"""Cells at the left edge: the cursor's sign, the mark of a changed row, a blank."""

GAP: Final = 2
"""Blank cells between two columns; one less between the state and an amount at its right."""

_HEADINGS: Final = {
    SortColumn.STATE: "State",
    SortColumn.ASKED: "Asked",
    SortColumn.RECEIVED: "Received",
    SortColumn.REFERENCE: "Reference",
    SortColumn.DESCRIPTION: "Description",
    SortColumn.CREATED: "Created",
    SortColumn.EXPIRES: "Expires",
    SortColumn.DIFFERENCE: "Difference",
    SortColumn.ASSET: "Asset",
    SortColumn.CHANGED: "Changed",
    SortColumn.FIRST_SEEN: "First seen",
    SortColumn.SCOPE: "Scope",
    SortColumn.ID: "Payment",
    SortColumn.LABELS: "Labels",
}

AMOUNTS: Final = frozenset({SortColumn.ASKED, SortColumn.RECEIVED, SortColumn.DIFFERENCE})

LAST_TO_GO: Final = (SortColumn.ASKED, SortColumn.STATE, SortColumn.RECEIVED)
"""What stays when all other columns have given way; the last of these stays longest."""

_STATE_WIDTH: Final = 17
_DESCRIPTION: Final = Column(SortColumn.DESCRIPTION)
_DESCRIPTION_LEAST: Final = 14
_DESCRIPTION_MOST: Final = 60
_LEAST: Final = {
    SortColumn.STATE: _STATE_WIDTH,
    SortColumn.REFERENCE: 9,
    SortColumn.DESCRIPTION: _DESCRIPTION_LEAST,
    SortColumn.CREATED: 7,
    SortColumn.EXPIRES: 7,
    SortColumn.ASSET: 5,
    SortColumn.CHANGED: 7,
    SortColumn.FIRST_SEEN: 10,
    SortColumn.SCOPE: 6,
    SortColumn.ID: 9,
    SortColumn.LABELS: 8,
    SortColumn.METADATA: 9,
}
_IDEAL: Final = _LEAST | {
    SortColumn.REFERENCE: 13,
    SortColumn.CREATED: 11,
    SortColumn.EXPIRES: 8,
    SortColumn.CHANGED: 11,
    SortColumn.FIRST_SEEN: 11,
    SortColumn.ID: 13,
    SortColumn.LABELS: 12,
    SortColumn.METADATA: 12,
}
_GROWTH: Final = (
    (SortColumn.EXPIRES, 8),
    (SortColumn.REFERENCE, 13),
    (SortColumn.CREATED, 11),
    (SortColumn.CHANGED, 11),
    (SortColumn.EXPIRES, 10),
    (SortColumn.REFERENCE, 14),
    (SortColumn.CREATED, 12),
    (SortColumn.CHANGED, 12),
    (SortColumn.FIRST_SEEN, 12),
    (SortColumn.ID, 13),
    (SortColumn.METADATA, 14),
    (SortColumn.REFERENCE, 18),
)
_LAST_GROWTH: Final = (
    (SortColumn.REFERENCE, 36),
    (SortColumn.METADATA, 24),
    (SortColumn.ID, 36),
    (SortColumn.LABELS, 36),
)
_SIGN: Final = 1
_DIFFERENCE_LEAST: Final = len("▲ Difference")


class Place(msgspec.Struct, frozen=True):
    """Where a column stands: its left edge and its width, in cells."""

    column: Column
    left: int
    width: int

    @property
    def right(self) -> int:
        """The first cell after it."""
        return self.left + self.width


def heading(column: Column) -> str:
    """Return what stands over a column, safe to show; a metadata value's is its path."""
    return _HEADINGS.get(column.kind) or safe_text(column.path, limit=40)


def lay_out(
    width: int, full: int, usual: int, choices: Sequence[ColumnChoice]
) -> tuple[Place, ...]:
    """Place the columns in a row of a table.

    Args:
        width: Cells of the row.
        full: Cells in which every amount can be written in full.
        usual: Cells that do for nearly all amounts; the largest ones then show their size only.
        choices: What a person wants to see, from left to right.

    Returns:
        The columns that are shown, from left to right. They never exceed the width, unless it is
        too small even for the last that stays.
    """
    wanted = {choice.column: choice.width for choice in choices}
    description = _DESCRIPTION if len(wanted) > 1 else None
    chosen = wanted.pop(description, None) if description else None
    fits = _taken(_each(wanted, _IDEAL, full)) <= width
    widths = _each(wanted, _LEAST, full if fits else usual)
    staying = [column for column in wanted if column.kind in LAST_TO_GO]
    staying.sort(key=lambda column: LAST_TO_GO.index(column.kind))
    for column in (*(one for one in reversed(wanted) if one not in staying), *staying):
        if _taken(widths) > width and len(widths) > 1:
            del widths[column]
    _grow(widths, wanted, width, _GROWTH)
    if chosen is not None:
        widths = _with_description(widths, chosen, [choice.column for choice in choices], width)
    _grow(widths, wanted, width, _LAST_GROWTH)
    return _placed(widths)


def _with_description(
    widths: dict[Column, int], chosen: int, order: Sequence[Column], width: int
) -> dict[Column, int]:
    """Add the description where there is room for it once all others have what they need."""
    spare = width - _taken(widths) - GAP
    if spare < min(chosen or _DESCRIPTION_LEAST, _DESCRIPTION_LEAST):
        return widths
    cells = min(spare, chosen or _DESCRIPTION_MOST)
    return {
        column: cells if column == _DESCRIPTION else widths[column]
        for column in order
        if column == _DESCRIPTION or column in widths
    }


def _each(
    wanted: dict[Column, int], by_kind: dict[SortColumn, int], amount: int
) -> dict[Column, int]:
    """Return the columns with the cells of their kinds; one that a person made narrow has fewer."""
    widths: dict[Column, int] = {}
    for column, chosen in wanted.items():
        least = amount if column.kind in AMOUNTS else by_kind[column.kind]
        if column.kind is SortColumn.DIFFERENCE:
            least = max(amount + _SIGN, _DIFFERENCE_LEAST)
        narrow = 0 < chosen < least and column.kind not in AMOUNTS
        widths[column] = chosen if narrow else least
    return widths


def _grow(
    widths: dict[Column, int],
    wanted: dict[Column, int],
    width: int,
    growth: Sequence[tuple[SortColumn, int]],
) -> None:
    """Give the cells that are left: first as a person chose, then to what gains the most."""
    _widen(widths, ((column, cells) for column, cells in wanted.items() if cells), width)
    free = [column for column in widths if wanted.get(column) == 0]
    for kind, cells in growth:
        _widen(widths, ((column, cells) for column in free if column.kind is kind), width)


def _widen(widths: dict[Column, int], targets: Iterable[tuple[Column, int]], width: int) -> None:
    for column, cells in targets:
        if column not in widths:
            continue
        spare = max(width - _taken(widths), 0)
        widths[column] = max(widths[column], min(cells, widths[column] + spare))


def _taken(widths: dict[Column, int]) -> int:
    columns = list(widths)
    gaps = sum(_gap(left, right) for left, right in pairwise(columns))
    return GUTTER + sum(widths.values()) + gaps


def _gap(left: Column, right: Column) -> int:
    narrow = left.kind is SortColumn.STATE and right.kind in AMOUNTS
    return GAP - 1 if narrow else GAP


def _placed(widths: dict[Column, int]) -> tuple[Place, ...]:
    places: list[Place] = []
    left = GUTTER
    for column, width in widths.items():
        if places:
            left += _gap(places[-1].column, column)
        places.append(Place(column, left, width))
        left += width
    return tuple(places)
