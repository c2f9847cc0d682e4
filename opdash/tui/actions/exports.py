"""What works in the export."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def exports() -> tuple[Action, ...]:
    """Return what works in the export."""
    here = (Place.EXPORT,)
    return (
        Action(
            "write_file",
            ("ctrl+s",),
            "Export",
            "Write the file; it is there whole or not at all.",
            here,
            rank=1,
            in_palette=False,
        ),
        Action(
            "leave",
            ("escape",),
            "Back",
            "Leave; an export that is under way is stopped, and nothing of it is left.",
            here,
            rank=2,
            in_palette=False,
        ),
    )
