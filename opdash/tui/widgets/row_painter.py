"""Paints one row of the payment table, and remembers what it painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from opdash.ledger.records import PaymentRow, Sort, SortColumn
from opdash.safetext import ELLIPSIS, safe_text
from opdash.tui import format as fmt
from opdash.tui.widgets.amount_column import AmountColumn, AmountWidths
from opdash.tui.widgets.table_layout import AMOUNTS, HEADINGS, Place

CURSOR = "▌"
"""Stands before the row under the cursor, so that it is found without colour."""

CHANGED = "•"
"""Stands before a row that changed since a person last looked at it."""

GONE = "†"
"""Follows the state of a payment that is no longer at the server."""

_ASCENDING, _DESCENDING = "▲", "▼"
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Look:
    """What a row looks like besides its content.

    Attributes:
        row: The component that gives the background: ``row``, ``cursor`` or ``cursor-blurred``.
        marked: Whether it changed since a person last looked.
    """

    row: str = "row"
    marked: bool = False


@dataclass(frozen=True, slots=True)
class _Painted:
    row: PaymentRow
    look: Look
    times: tuple[str, str]
    strip: Strip


class RowPainter:
    """Turns rows into strips for one layout and one set of styles.

    Args:
        style: Gives the style of a text tone on a row component.
    """

    def __init__(self, style: Callable[[str, str], Style]) -> None:
        self._style = style
        self._places: tuple[Place, ...] = ()
        self._amounts: dict[SortColumn, AmountColumn] = {}
        self._width = 0
        self._painted: dict[str, _Painted] = {}

    def lay_out(self, places: tuple[Place, ...], widths: AmountWidths, width: int) -> None:
        """Take another layout; what was painted is forgotten if it differs."""
        amounts = {
            place.column: widths.column(place.width) for place in places if place.column in AMOUNTS
        }
        if (places, amounts, width) != (self._places, self._amounts, self._width):
            self._places, self._amounts, self._width = places, amounts, width
            self.forget()

    def forget(self) -> None:
        """Forget what was painted, because styles changed."""
        self._painted.clear()

    def is_stale(self, row: PaymentRow, now: datetime) -> bool:
        """Return whether a row that was painted would say another time now."""
        painted = self._painted.get(row.id)
        return painted is None or painted.times != self._times(row, now)

    def paint(self, row: PaymentRow, look: Look, now: datetime) -> Strip:
        """Return a row's strip, as wide as the layout."""
        times = self._times(row, now)
        painted = self._painted.get(row.id)
        if painted and painted.look == look and painted.times == times and painted.row == row:
            return painted.strip
        strip = self._paint(row, look, times)
        if len(self._painted) >= _REMEMBERED:
            self._painted.clear()
        self._painted[row.id] = _Painted(row, look, times, strip)
        return strip

    def heading(self, sort: Sort) -> Strip:
        """Return the line of column headings; the sorted one carries an arrow."""
        segments: list[Segment] = []
        left = 0
        for place in self._places:
            sorted_by = place.column is sort.column
            segments.append(self._blank(place.left - left, "heading"))
            text = _heading(place, sort if sorted_by else None, self._amounts)
            tone = "heading-sorted" if sorted_by else "heading"
            segments.append(Segment(text, self._style(tone, "heading")))
            left = place.right
        segments.append(self._blank(self._width - left, "heading"))
        return Strip(segments, self._width)

    def _paint(self, row: PaymentRow, look: Look, times: tuple[str, str]) -> Strip:
        cursor = CURSOR if look.row != "row" else " "
        mark = CHANGED if look.marked else " "
        segments = [Segment(cursor + mark, self._style("accent", look.row))]
        left = cell_len(cursor + mark)
        for place in self._places:
            text, tone = self._cell(row, place, times)
            segments.append(self._blank(place.left - left, look.row))
            segments.append(Segment(text, self._style(tone, look.row)))
            left = place.right
        segments.append(self._blank(self._width - left, look.row))
        return Strip(segments, self._width).simplify()

    def _cell(self, row: PaymentRow, place: Place, times: tuple[str, str]) -> tuple[str, str]:
        match place.column:
            case SortColumn.STATE:
                gone = GONE if row.no_longer_at_server else ""
                text = f"{fmt.glyph(row.state)} {fmt.state_word(row)}{gone}"
                return fill(text, place.width), fmt.state_tone(row)
            case SortColumn.ASKED:
                cell = self._amounts[place.column].cell(row.asked, row.asked_asset)
                covered = row.received >= (row.asked or 0)
                return cell, "muted" if covered or fmt.state_tone(row) == "muted" else "plain"
            case SortColumn.RECEIVED:
                cell = self._amounts[place.column].cell(row.received, row.received_asset)
                return cell, "plain" if row.received else "muted"
            case SortColumn.REFERENCE:
                return fill(safe_text(row.reference, limit=200), place.width), "plain"
            case SortColumn.DESCRIPTION:
                return fill(safe_text(row.description, limit=200), place.width), "muted"
            case SortColumn.CREATED:
                return fill(times[0], place.width), "muted"
            case SortColumn.EXPIRES:
                return fill(times[1], place.width), "muted" if row.final else "plain"

    def _times(self, row: PaymentRow, now: datetime) -> tuple[str, str]:
        created = expires = ""
        for place in self._places:
            if place.column is SortColumn.CREATED:
                created = created_text(row.created_at, now, place.width)
            elif place.column is SortColumn.EXPIRES and row.expires_at is not None:
                expires = expires_text(row.expires_at, now, place.width)
        return created, expires

    def _blank(self, cells: int, row: str) -> Segment:
        return Segment(" " * max(cells, 0), self._style("plain", row))


def fill(text: str, width: int) -> str:
    """Return safe text in exactly so many cells; an ellipsis says that it was cut."""
    if cell_len(text) > width:
        text = set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS[:width]
    return set_cell_size(text, width)


def created_text(instant: datetime, now: datetime, width: int) -> str:
    """Return when a payment was created, in at most so many cells where possible."""
    text = fmt.moment(instant, now)
    return text if len(text) <= width else fmt.moment_short(instant, now)


def expires_text(instant: datetime, now: datetime, width: int) -> str:
    """Return when a payment expires or expired, in at most so many cells where possible."""
    text = fmt.relative(instant, now)
    return text if len(text) <= width else fmt.relative_short(instant, now)


def _heading(place: Place, sort: Sort | None, amounts: dict[SortColumn, AmountColumn]) -> str:
    name = HEADINGS[place.column]
    if sort is None:
        return fill(name.rjust(place.width) if place.column in amounts else name, place.width)
    arrow = _DESCENDING if sort.descending else _ASCENDING
    room = place.width - len(arrow)
    if place.column in amounts:
        return f"{arrow} {name}"[: place.width].rjust(place.width)
    return fill(f"{name} {arrow}" if len(name) < room else name[:room] + arrow, place.width)
