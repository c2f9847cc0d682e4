"""What works while payments are created for invoices."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def billing() -> tuple[Action, ...]:
    """Return what works in the dialog that creates payments for invoices."""
    here = (Place.BILL,)

    def one(id_: str, keys: tuple[str, ...], label: str, sentence: str, rank: int = 0) -> Action:
        return Action(id_, keys, label, sentence, here, rank=rank, in_palette=False)

    return (
        one("create_all", ("ctrl+y",), "Create", "Create the payments; each is sent once.", 1),
        one(
            "leave",
            ("escape",),
            "Back",
            "Go back; while payments are created, stop after the one under way.",
            2,
        ),
        one("stop", ("x",), "Stop", "Stop after the payment that is under way.", 3),
        one(
            "once_more",
            ("a",),
            "Again",
            "Bill the invoice once more although its payment ended unpaid, or let go of that.",
            4,
        ),
        one("look_again", ("ctrl+r",), "Look again", "Ask the server, and plan anew.", 5),
        one(
            "save",
            ("ctrl+s",),
            "Write file",
            "Write the file once more, with the payments' URLs beside the invoices.",
            6,
        ),
        one("copy_url", ("y",), "Copy URL", "Copy the URL of the invoice's payment.", 7),
        one("move_up", ("up", "k"), "Up", "Go one row up."),
        one("move_down", ("down", "j"), "Down", "Go one row down."),
        one("first", ("home", "g"), "First", "Go to the first row."),
        one("last", ("end", "G"), "Last", "Go to the last row."),
    )
