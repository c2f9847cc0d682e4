"""What stands in the columns of the payment table: safe text of a fixed width, and its tone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size

from opdash.ledger.records import PaymentRow, Scope, SortColumn
from opdash.safetext import ELLIPSIS, safe_text
from opdash.tui import format as fmt
from opdash.tui.widgets.amount_column import AmountColumn, AmountWidths
from opdash.tui.widgets.beyond import BEYOND, is_beyond
from opdash.tui.widgets.table_layout import AMOUNTS, Place

GONE = "†"
"""Follows the state of a payment that is no longer at the server."""

_MOST_LETTERS = 200

Cell: TypeAlias = Callable[[PaymentRow], tuple[str, fmt.Tone]]
"""Writes one column of a payment: exactly as wide as the column, and how it is toned."""

Clock: TypeAlias = Callable[[PaymentRow, datetime], str]
"""Writes an instant of a payment as seen from now, exactly as wide as the column."""


def amount_columns(places: Sequence[Place], widths: AmountWidths) -> dict[Place, AmountColumn]:
    """Return how the amounts of each column of amounts are written."""
    return {
        place: widths.column(place.width - (place.column.kind is SortColumn.DIFFERENCE))
        for place in places
        if place.column.kind in AMOUNTS
    }


def cell_of(
    place: Place, amounts: dict[Place, AmountColumn], view: Scope = Scope.EVERYTHING
) -> Cell | None:
    """Return what writes a column; None for one whose text depends on the moment.

    Args:
        place: The column.
        amounts: How each column of amounts is written.
        view: The scope under which the server is asked; what it does not show is marked.
    """
    kind, width = place.column.kind, place.width
    if kind in AMOUNTS:
        return partial(_AMOUNT_CELLS[kind], amounts[place])
    if kind is SortColumn.METADATA:
        return _metadata(place.column.path, width)
    if kind is SortColumn.STATE:
        return partial(_state, view, width)
    return partial(_TEXT_CELLS[kind], width) if kind in _TEXT_CELLS else None


def clock_of(place: Place) -> Clock | None:
    """Return what writes a column whose text depends on the moment; None for all others."""
    clock = _CLOCKS.get(place.column.kind)
    return None if clock is None else partial(clock, place.width)


def clock_tone(place: Place, row: PaymentRow) -> fmt.Tone:
    """Return how an instant is toned: what can still run out stands out."""
    return "plain" if place.column.kind is SortColumn.EXPIRES and not row.final else "muted"


def fill(text: str, width: int) -> str:
    """Return safe text in exactly so many cells; an ellipsis says that it was cut."""
    if text.isascii() and len(text) <= width:
        return text.ljust(width)
    if cell_len(text) > width:
        text = set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS[:width]
    return set_cell_size(text, width)


# Texts


def _state(view: Scope, width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    sign = GONE if row.no_longer_at_server else BEYOND if is_beyond(row, view) else ""
    return fill(f"{fmt.glyph(row.state)} {fmt.state_word(row)}{sign}", width), fmt.state_tone(row)


def _reference(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return fill(safe_text(row.reference, limit=_MOST_LETTERS), width), "plain"


def _description(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return fill(safe_text(row.description, limit=_MOST_LETTERS), width), "muted"


def _asset(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return fill(fmt.asset_code(row.received_asset), width), "muted"


def _scope(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return fill("own" if row.scope is Scope.OWN else "everything", width), "muted"


def _id(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    segment = row.id.rstrip("/").rpartition("/")[2]
    return fill(safe_text(segment, limit=_MOST_LETTERS), width), "muted"


def _labels(width: int, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return fill(safe_text(" ".join(row.note.names), limit=_MOST_LETTERS), width), "accent"


def _metadata(path: str, width: int) -> Cell:
    from opdash.ledger.search.folding import values_at

    def cell(row: PaymentRow) -> tuple[str, fmt.Tone]:
        values = values_at(row.metadata_json, path) or ()
        return fill(safe_text(", ".join(values), limit=_MOST_LETTERS), width), "plain"

    return cell


_TEXT_CELLS: dict[SortColumn, Callable[[int, PaymentRow], tuple[str, fmt.Tone]]] = {
    SortColumn.REFERENCE: _reference,
    SortColumn.DESCRIPTION: _description,
    SortColumn.ASSET: _asset,
    SortColumn.SCOPE: _scope,
    SortColumn.ID: _id,
    SortColumn.LABELS: _labels,
}


# Amounts


def _asked(amounts: AmountColumn, row: PaymentRow) -> tuple[str, fmt.Tone]:
    covered = row.received >= (row.asked or 0)
    tone: fmt.Tone = "muted" if covered or fmt.state_tone(row) == "muted" else "plain"
    return amounts.cell(row.asked, row.asked_asset), tone


def _received(amounts: AmountColumn, row: PaymentRow) -> tuple[str, fmt.Tone]:
    return amounts.cell(row.received, row.received_asset), "plain" if row.received else "muted"


def _difference(amounts: AmountColumn, row: PaymentRow) -> tuple[str, fmt.Tone]:
    text = amounts.signed(row.difference, row.received_asset)
    return text, "plain" if row.difference else "muted"


_AMOUNT_CELLS: dict[SortColumn, Callable[[AmountColumn, PaymentRow], tuple[str, fmt.Tone]]] = {
    SortColumn.ASKED: _asked,
    SortColumn.RECEIVED: _received,
    SortColumn.DIFFERENCE: _difference,
}


# Instants


def _created(width: int, row: PaymentRow, now: datetime) -> str:
    return fill(_moment(row.created_at, now, width), width)


def _changed(width: int, row: PaymentRow, now: datetime) -> str:
    return fill(_moment(row.changed_at, now, width), width)


def _first_seen(width: int, row: PaymentRow, now: datetime) -> str:
    return fill(_moment(row.first_seen_at, now, width), width)


def _expires(width: int, row: PaymentRow, now: datetime) -> str:
    if row.expires_at is None:
        return " " * width
    text = fmt.relative(row.expires_at, now)
    return fill(text if len(text) <= width else fmt.relative_short(row.expires_at, now), width)


def _moment(instant: datetime, now: datetime, width: int) -> str:
    text = fmt.moment(instant, now)
    return text if len(text) <= width else fmt.moment_short(instant, now)


_CLOCKS: dict[SortColumn, Callable[[int, PaymentRow, datetime], str]] = {
    SortColumn.CREATED: _created,
    SortColumn.CHANGED: _changed,
    SortColumn.FIRST_SEEN: _first_seen,
    SortColumn.EXPIRES: _expires,
}
