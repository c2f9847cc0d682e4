"""What a person can do with the columns of the table."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def columns() -> tuple[Action, ...]:
    """Return what works in the choice of columns."""

    def here(id_: str, keys: tuple[str, ...], label: str, sentence: str, rank: int) -> Action:
        return Action(id_, keys, label, sentence, (Place.COLUMNS,), rank=rank, in_palette=False)

    return (
        here("toggle_column", ("space",), "On/off", "Show the column, or hide it.", 2),
        here("column_left", ("K", "shift+up"), "Left", "Move the column to the left.", 9),
        here("column_right", ("J", "shift+down"), "Right", "Move the column to the right.", 9),
        here("narrower", ("left",), "Narrower", "Give the column one cell less.", 10),
        here("wider", ("right",), "Wider", "Give the column one cell more.", 10),
        here("width_auto", ("a",), "Auto width", "Let the table choose the column's width.", 10),
        here("metadata", ("m",), "Metadata", "Add a column by its path in the metadata.", 3),
        here("standard", ("r",), "Reset", "Go back to the columns that opdash begins with.", 4),
        here("use", ("enter",), "Use", "Use these columns, now and after the next start.", 1),
        here("cancel", ("escape", "v", "q"), "Cancel", "Leave the columns as they were.", 2),
    )
