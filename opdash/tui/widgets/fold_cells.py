"""What a line that stands for several payments says in the columns of the table."""

from __future__ import annotations

from datetime import datetime

from opdash.ledger.folds import FoldRow
from opdash.ledger.records import SortColumn
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.widgets.amount_column import AmountColumn
from opdash.tui.widgets.cells import fill
from opdash.tui.widgets.table_layout import Place

FOLDED, UNFOLDED = "▸", "▾"
"""Stand before how many payments there are, and tell whether they stand below the line."""

_MOST_LETTERS = 200


def fold_cell(
    place: Place, fold: FoldRow, amounts: dict[Place, AmountColumn], now: datetime
) -> tuple[str, fmt.Tone]:
    """Return the text of a column, exactly as wide as it is, and its tone."""
    if place.column.kind is SortColumn.RECEIVED and place in amounts:
        return amounts[place].cell(fold.received, fold.received_asset), "plain"
    return fill(_text(place, fold, now), place.width), _TONES.get(place.column.kind, "muted")


def source_words(fold: FoldRow) -> str:
    """Return where the payments come from: what they tell, else what was searched for."""
    return safe_text(fold.source or fold.search, limit=_MOST_LETTERS)


def _text(place: Place, fold: FoldRow, now: datetime) -> str:
    match place.column.kind:
        case SortColumn.STATE:
            sign = UNFOLDED if fold.is_open else FOLDED
            return f"{sign} {fmt.count(fold.count, 'payment')}"
        case SortColumn.REFERENCE:
            return source_words(fold)
        case SortColumn.DESCRIPTION:
            return safe_text(fold.search, limit=_MOST_LETTERS)
        case SortColumn.CREATED:
            return fmt.day_word(fold.day, now)
        case SortColumn.ASSET:
            return fmt.asset_code(fold.received_asset)
        case _:
            return ""


_TONES: dict[SortColumn, fmt.Tone] = {
    SortColumn.STATE: "accent",
    SortColumn.REFERENCE: "plain",
}
