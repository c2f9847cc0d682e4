"""What a person can do with labels, notes and resolutions."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def notes() -> tuple[Action, ...]:
    """Return what works where a payment is written on."""
    here = (Place.NOTE,)
    return (
        Action(
            "save",
            ("ctrl+s",),
            "Save",
            "Keep labels, note and resolution; what was written before stays in the time line.",
            here,
            rank=1,
            in_palette=False,
        ),
        Action(
            "leave",
            ("escape",),
            "Back",
            "Leave; you are asked if you changed something.",
            here,
            rank=2,
            in_palette=False,
        ),
    )
