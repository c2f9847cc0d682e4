"""What works in the doctor's report."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def doctor() -> tuple[Action, ...]:
    """Return what works in the doctor's report."""
    here = (Place.DOCTOR,)
    return (
        Action("run_again", ("r",), "Run again", "Go through all steps once more.", here, rank=2),
        Action(
            "copy_report",
            ("y",),
            "Copy report",
            "Copy the whole report as text, secrets masked, to send it to somebody.",
            here,
            rank=4,
        ),
        Action(
            "verbose",
            ("v",),
            "Whole or brief",
            "Show the requests and answers of the step whole, secrets masked, or in brief.",
            here,
            rank=5,
        ),
        Action(
            "switch_pane",
            ("tab",),
            "Other pane",
            "Change between the steps and what there is to know of one, to scroll it.",
            here,
            rank=6,
            in_palette=False,
        ),
        Action("back", ("escape", "D"), "Back", "Go back.", here, rank=3, in_palette=False),
    )
