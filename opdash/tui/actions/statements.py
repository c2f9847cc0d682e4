"""What works in statements and receipts."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def statements() -> tuple[Action, ...]:
    """Return what works in a statement, in a receipt, and where one is saved."""
    month, one, saving = (Place.STATEMENT,), (Place.RECEIPT,), (Place.SAVE_PAPER,)
    return (
        Action(
            "previous_month",
            ("left_square_bracket", "comma"),
            "Month before",
            "Show the statement of the month before.",
            month,
            rank=2,
        ),
        Action(
            "next_month",
            ("right_square_bracket", "full_stop"),
            "Next month",
            "Show the statement of the next month, as far as this one.",
            month,
            rank=3,
        ),
        Action(
            "previous_day",
            ("left",),
            "Day before",
            "Tell what arrived on the day before.",
            month,
            rank=7,
            in_palette=False,
        ),
        Action(
            "next_day",
            ("right",),
            "Next day",
            "Tell what arrived on the next day.",
            month,
            rank=8,
            in_palette=False,
        ),
        *(
            Action(
                "save_paper",
                ("s",),
                "Save",
                f"Save the {what} into a file, as text, Markdown or HTML.",
                (place,),
                rank=5,
            )
            for place, what in ((Place.STATEMENT, "statement"), (Place.RECEIPT, "receipt"))
        ),
        *(
            Action("copy_paper", ("y",), "Copy", f"Copy the {what} as text.", (place,), rank=6)
            for place, what in ((Place.STATEMENT, "statement"), (Place.RECEIPT, "receipt"))
        ),
        Action(
            "back",
            ("escape", "M", "backspace"),
            "Back",
            "Go back to the payments.",
            month,
            rank=4,
            in_palette=False,
        ),
        Action(
            "back",
            ("escape", "R", "backspace"),
            "Back",
            "Go back to the payment.",
            one,
            rank=4,
            in_palette=False,
        ),
        Action("save", ("ctrl+s",), "Save", "Write the file.", saving, rank=1, in_palette=False),
        Action(
            "leave",
            ("escape",),
            "Back",
            "Leave without saving.",
            saving,
            rank=2,
            in_palette=False,
        ),
    )
