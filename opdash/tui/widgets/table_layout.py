"""Which columns of the payment table fit, and how wide: a pure function of the width.

What a person needs least goes first: the description, then width of reference and instants, then
the instants themselves. State, asked and received always stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from opdash.ledger.records import Sort, SortColumn

GUTTER = 3
"""Cells at the left edge: the cursor's sign, the mark of a changed row, a blank."""

GAP = 2
"""Blank cells between two columns; one less before the first amount, which stands at the right."""

HEADINGS = {
    SortColumn.STATE: "State",
    SortColumn.ASKED: "Asked",
    SortColumn.RECEIVED: "Received",
    SortColumn.REFERENCE: "Reference",
    SortColumn.DESCRIPTION: "Description",
    SortColumn.CREATED: "Created",
    SortColumn.EXPIRES: "Expires",
}
"""The columns in their order; the keys 1 to 7 sort by them."""

COLUMNS = tuple(HEADINGS)

AMOUNTS = frozenset({SortColumn.ASKED, SortColumn.RECEIVED})

_GREATEST_FIRST = AMOUNTS | {SortColumn.CREATED, SortColumn.EXPIRES}

_STATE_WIDTH = 17
_LEAST = {
    SortColumn.STATE: _STATE_WIDTH,
    SortColumn.REFERENCE: 9,
    SortColumn.CREATED: 7,
    SortColumn.EXPIRES: 7,
}
_IDEAL = {
    SortColumn.STATE: _STATE_WIDTH,
    SortColumn.REFERENCE: 13,
    SortColumn.CREATED: 11,
    SortColumn.EXPIRES: 8,
}
_FIRST_TO_GO = (
    SortColumn.EXPIRES,
    SortColumn.CREATED,
    SortColumn.REFERENCE,
)
_GROWTH = (
    (SortColumn.EXPIRES, 8),
    (SortColumn.REFERENCE, 13),
    (SortColumn.CREATED, 11),
    (SortColumn.EXPIRES, 10),
    (SortColumn.REFERENCE, 14),
    (SortColumn.CREATED, 12),
    (SortColumn.REFERENCE, 18),
)
_DESCRIPTION_LEAST = 14
_DESCRIPTION_MOST = 60
_REFERENCE_MOST = 36


def next_order(column: SortColumn, current: Sort) -> Sort:
    """Return the order that choosing a column leads to.

    It begins with the newest, the largest or A first; choosing the column once more turns it round.
    """
    if column is current.column:
        return Sort(column, descending=not current.descending)
    return Sort(column, descending=column in _GREATEST_FIRST)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: its left edge and its width, in cells."""

    column: SortColumn
    left: int
    width: int

    @property
    def right(self) -> int:
        """The first cell after it."""
        return self.left + self.width


def lay_out(width: int, full: int, usual: int) -> tuple[Place, ...]:
    """Place the columns in a row of a table.

    Args:
        width: Cells of the row.
        full: Cells in which every amount can be written in full.
        usual: Cells that do for nearly all amounts; the largest ones then show their size only.

    Returns:
        The columns that are shown, from left to right. They never exceed the width, unless it is
        too small even for state and amounts.
    """
    fits = _taken(_IDEAL | dict.fromkeys(AMOUNTS, full)) <= width
    widths = _LEAST | dict.fromkeys(AMOUNTS, full if fits else usual)
    for column in _FIRST_TO_GO:
        if _taken(widths) > width:
            del widths[column]
    _grow(widths, width)
    return _placed(widths)


def _grow(widths: dict[SortColumn, int], width: int) -> None:
    for column, wanted in _GROWTH:
        if column in widths:
            spare = width - _taken(widths)
            widths[column] = max(widths[column], min(wanted, widths[column] + spare))
    spare = width - _taken(widths) - GAP
    if SortColumn.REFERENCE not in widths:
        return
    if spare >= _DESCRIPTION_LEAST:
        widths[SortColumn.DESCRIPTION] = min(spare, _DESCRIPTION_MOST)
    spare = width - _taken(widths)
    widths[SortColumn.REFERENCE] += max(min(spare, _REFERENCE_MOST - 18), 0)


def _taken(widths: dict[SortColumn, int]) -> int:
    return GUTTER + sum(widths.values()) + GAP * (len(widths) - 1) - 1


def _placed(widths: dict[SortColumn, int]) -> tuple[Place, ...]:
    places: list[Place] = []
    left = GUTTER
    for column in COLUMNS:
        if column in widths:
            places.append(Place(column, left, widths[column]))
            left += widths[column] + (1 if column is SortColumn.STATE else GAP)
    return tuple(places)
