"""What works in the receipts per hour and day."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def receipts() -> tuple[Action, ...]:
    """Return what works in the receipts per hour and day."""
    here = (Place.RECEIPTS,)
    stretches = ("24 hours", "48 hours", "30 days", "90 days")
    return (
        Action(
            "earlier",
            ("left",),
            "Earlier",
            "Go to the hour or day before.",
            here,
            2,
            in_palette=False,
        ),
        Action(
            "later", ("right",), "Later", "Go to the next hour or day.", here, 3, in_palette=False
        ),
        Action(
            "earliest",
            ("home", "g"),
            "First",
            "Go to the first hour or day that is shown.",
            here,
            in_palette=False,
        ),
        Action(
            "latest",
            ("end", "G"),
            "Last",
            "Go to the present hour or day, and stay with it.",
            here,
            in_palette=False,
        ),
        Action(
            "next_stretch",
            ("space", "tab"),
            "Hours, days",
            "Change between 24 hours, 48 hours, 30 days and 90 days.",
            here,
            rank=5,
        ),
        *(
            Action(
                "stretch",
                (str(number),),
                f"Last {words}",
                f"Show the last {words}.",
                here,
                argument=number,
                family_help="Show the last 24 hours, 48 hours, 30 days or 90 days.",
            )
            for number, words in enumerate(stretches, start=1)
        ),
        Action(
            "back",
            ("escape", "h", "backspace"),
            "Back",
            "Go back to the payments.",
            here,
            rank=4,
            in_palette=False,
        ),
    )
