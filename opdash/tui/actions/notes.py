"""What a person can do with labels, notes and resolutions."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def notes() -> tuple[Action, ...]:
    """Return the way to what is written on a payment, and what works there."""
    here = (Place.NOTE,)
    return (
        Action(
            "note",
            ("N",),
            "Note",
            "Label the payment, write a note on it, or say how you settled it; nothing of it is "
            "sent.",
            (Place.PAYMENTS, Place.DETAIL),
            rank=19,
        ),
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
