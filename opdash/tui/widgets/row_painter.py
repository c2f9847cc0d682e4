"""Paints one row of the payment table, and remembers what it painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from opdash.ledger.records import PaymentRow, Scope, Sort
from opdash.tui import format as fmt
from opdash.tui.widgets.amount_column import AmountColumn, AmountWidths
from opdash.tui.widgets.cells import (
    GONE,
    Cell,
    Clock,
    amount_columns,
    cell_of,
    clock_of,
    clock_tone,
    fill,
)
from opdash.tui.widgets.row_strip import RowStrip
from opdash.tui.widgets.row_window import TableRow
from opdash.tui.widgets.table_layout import AMOUNTS, Place, heading

__all__ = ["CHANGED", "CURSOR", "GONE", "MEMBER", "RowPainter"]

CURSOR = "▌"
"""Stands before the row under the cursor, so that it is found without colour."""

CHANGED = "•"
"""Stands before a row that changed since a person last looked at it."""

MEMBER = "┆"
"""Stands before a payment that belongs to the line above it."""

_ASCENDING, _DESCENDING = "▲", "▼"
_REMEMBERED = 256
_Key = tuple[str, str, bool, bool]


class _Painted(msgspec.Struct):
    """A strip, and what it was made of."""

    row: TableRow
    times: tuple[str, ...]
    at: datetime
    strip: Strip


class RowPainter:
    """Turns rows into strips for one layout and one set of styles.

    A strip that was painted is given out again, the very same object: Textual keeps with a strip
    what it made of it, down to the bytes for the terminal.
    """

    def __init__(self, style: Callable[[str, str], Style], now: datetime) -> None:
        """Prepare for no columns at all.

        Args:
            style: Gives the style of a text tone on a row component.
            now: The moment from which instants are seen at first.
        """
        self._style = style
        self._now = now
        self._places: tuple[Place, ...] = ()
        self._columns: list[tuple[Place, Cell | None]] = []
        self._clocks: list[Clock] = []
        self._width = 0
        self._painted: dict[_Key, _Painted] = {}
        self._before: dict[_Key, _Painted] = {}
        self._headings: dict[Sort, Strip] = {}
        self._amounts: dict[Place, AmountColumn] = {}
        self._members: AbstractSet[str] = frozenset()
        self._view = Scope.EVERYTHING

    def set_view(self, view: Scope) -> None:
        """Take the scope under which the server is asked, before anything is laid out."""
        self._view = view

    def set_members(self, members: AbstractSet[str]) -> None:
        """Take the ids of the payments that belong to a line above them."""
        self._members = members

    def lay_out(self, places: tuple[Place, ...], widths: AmountWidths, width: int) -> None:
        """Take another layout; what was painted is forgotten."""
        amounts = amount_columns(places, widths)
        clocks = [clock_of(place) for place in places]
        self._places, self._width, self._amounts = places, width, amounts
        self._columns = [(place, cell_of(place, amounts, self._view)) for place in places]
        self._clocks = [clock for clock in clocks if clock is not None]
        self.forget()

    def set_now(self, now: datetime) -> None:
        """Take another moment, from which instants are seen."""
        self._now = now

    def forget(self) -> None:
        """Forget what was painted, because styles changed."""
        self._painted.clear()
        self._before.clear()
        self._headings.clear()

    def is_stale(self, row: TableRow, ground: str, marked: bool) -> bool:
        """Return whether a row as it was painted would say another time now."""
        painted = self._painted.get((row.id, ground, marked, row.id in self._members))
        return painted is None or painted.times != self._times(row)

    def paint(self, row: TableRow, ground: str, marked: bool) -> Strip:
        """Return a row's strip, as wide as the layout.

        Args:
            row: What to paint.
            ground: The component below it: ``row``, ``cursor`` or ``cursor-blurred``.
            marked: Whether it changed since a person last looked.
        """
        key = (row.id, ground, marked, row.id in self._members)
        painted = self._painted.get(key)
        if painted is not None and painted.row is row and painted.at is self._now:
            return painted.strip
        return self._paint_anew(key, row, painted or self._before.get(key))

    def heading(self, sort: Sort) -> Strip:
        """Return the line of column headings; the sorted one carries an arrow."""
        strip = self._headings.get(sort)
        if strip is None:
            strip = self._headings[sort] = self._paint_heading(sort)
        return strip

    def _paint_anew(self, key: _Key, row: TableRow, former: _Painted | None) -> Strip:
        times = self._times(row)
        if former is not None and former.times == times and former.row == row:
            former.row, former.at = row, self._now
            painted = former
        else:
            pieces = self._pieces(row, times, key)
            painted = _Painted(row, times, self._now, self._strip(pieces, key[1]))
        if len(self._painted) >= _REMEMBERED:
            self._before, self._painted = self._painted, {}
        self._painted[key] = painted
        return painted.strip

    def _pieces(self, row: TableRow, times: tuple[str, ...], key: _Key) -> list[tuple[str, str]]:
        """Return the texts of a row from its left edge on, and their tones."""
        _, ground, marked, is_member = key
        signs = (CURSOR if ground != "row" else " ") + (CHANGED if marked else " ")
        signs += _note_mark(row) or (MEMBER if is_member else "")
        pieces: list[tuple[str, str]] = [(signs, "accent")]
        following = iter(times)
        left = len(signs)
        for place, cell in self._columns:
            text, tone = self._cell(place, cell, row, following)
            pieces.append((" " * (place.left - left) + text, tone))
            left = place.right
        return pieces

    def _cell(
        self, place: Place, cell: Cell | None, row: TableRow, times: Iterator[str]
    ) -> tuple[str, str]:
        if not isinstance(row, PaymentRow):
            from opdash.tui.widgets.fold_cells import fold_cell

            return fold_cell(place, row, self._amounts, self._now)
        return cell(row) if cell is not None else (next(times), clock_tone(place, row))

    def _strip(self, pieces: Sequence[tuple[str, str]], ground: str) -> Strip:
        """Make a strip of pieces, those of one tone joined: each costs as much as its text."""
        segments: list[Segment] = []
        text, tone = "", ""
        for more, of_tone in pieces:
            if of_tone != tone and text:
                segments.append(Segment(text, self._style(tone, ground)))
                text = ""
            text, tone = text + more, of_tone
        rest = self._width - (self._places[-1].right if self._places else 0)
        segments.append(Segment(text + " " * rest, self._style(tone, ground)))
        return RowStrip(segments, self._width)

    def _times(self, row: TableRow) -> tuple[str, ...]:
        now = self._now
        if not isinstance(row, PaymentRow):
            return (fmt.day_word(row.day, now),)
        return tuple(clock(row, now) for clock in self._clocks)

    def _paint_heading(self, sort: Sort) -> Strip:
        pieces = [(" ", "heading")]
        left = 1
        for place in self._places:
            column = place.column
            is_sorted = (column.kind, column.path) == (sort.column, sort.path)
            text = _heading(place, sort if is_sorted else None)
            gap = " " * (place.left - left)
            pieces += [(gap, "heading"), (text, "heading-sorted" if is_sorted else "heading")]
            left = place.right
        return self._strip([*pieces, ("", "heading")], "heading")


def _note_mark(row: TableRow) -> str:
    if not isinstance(row, PaymentRow) or not row.note.bits:
        return ""
    from opdash.tui.widgets.note_mark import note_mark

    return note_mark(row)


def _heading(place: Place, sort: Sort | None) -> str:
    name, of_amounts = heading(place.column), place.column.kind in AMOUNTS
    if sort is None:
        return fill(name.rjust(place.width) if of_amounts else name, place.width)
    arrow = _DESCENDING if sort.descending else _ASCENDING
    room = place.width - len(arrow)
    if of_amounts:
        gap = " " if cell_len(name) + 2 <= place.width else ""
        return f"{arrow}{gap}{name}"[: place.width].rjust(place.width)
    if cell_len(name) < room:
        return fill(f"{name} {arrow}", place.width)
    return set_cell_size(name, room) + arrow
