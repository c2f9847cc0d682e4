"""What works in the books."""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def books() -> tuple[Action, ...]:
    """Return what works on a file of invoices, its rows and a choice."""
    return (*_file(), *_deciding(), *_review(), *_one(), *_choice(), *_split())


def _file() -> tuple[Action, ...]:
    here = (Place.INVOICES,)

    def one(id_: str, keys: tuple[str, ...], label: str, sentence: str, rank: int = 0) -> Action:
        return Action(id_, keys, label, sentence, here, rank=rank, in_palette=False)

    return (
        one("go_on", ("enter",), "Go on", "Read the file; once it is read, go to the invoices.", 2),
        one("leave", ("escape",), "Back", "Go back.", 3),
        one("switch_pane", ("tab", "shift+tab"), "File", "Go to the file or back.", 4),
        one("step_forward", ("right", "plus"), "Change", "Take the next column, mark or order.", 5),
        one("step_back", ("left", "minus"), "Before", "Take the one before."),
        one("choose", ("space",), "Choose", "Choose the column from a list.", 6),
        one("guess_again", ("ctrl+r",), "Guess", "Forget what was said, and guess again.", 7),
    )


_DECIDED = (Place.REVIEW, Place.INVOICE)


def _deciding() -> tuple[Action, ...]:
    return (
        Action(
            "accept",
            ("a",),
            "Accept",
            "Accept what is suggested: link the invoice and the payment.",
            _DECIDED,
            rank=4,
        ),
        Action(
            "reject",
            ("x",),
            "Reject",
            "Say that a payment is not this invoice's; no rule links the two again.",
            _DECIDED,
            rank=5,
        ),
        Action(
            "link",
            ("l",),
            "Link",
            "Link by hand: choose the payment, or the invoice, from a list.",
            _DECIDED,
            rank=6,
        ),
        Action(
            "split",
            ("S",),
            "Split",
            "Split a payment over several invoices, or an invoice over several payments.",
            _DECIDED,
            rank=11,
        ),
        Action("undo", ("u",), "Undo", "Take back the last decision.", _DECIDED, rank=10),
        Action(
            "undo_one",
            ("U",),
            "Undo one",
            "Choose a decision to take back, of all that stand.",
            _DECIDED,
            rank=19,
        ),
        Action(
            "open_payment",
            ("o",),
            "Payment",
            "Open the payment, with its time line.",
            _DECIDED,
            rank=12,
        ),
        Action(
            "copy",
            ("y",),
            "Copy",
            "Copy the invoice's number, or the payment's URL.",
            _DECIDED,
            rank=20,
        ),
    )


def _review() -> tuple[Action, ...]:
    here = (Place.REVIEW,)
    return (
        Action(
            "open",
            ("enter",),
            "Open",
            "Show the invoice with its whole row, or the payment.",
            here,
            rank=2,
        ),
        Action("back", ("escape", "B"), "Back", "Go back.", here, rank=3, in_palette=False),
        Action(
            "other_side",
            ("v",),
            "Payments",
            "Change between invoices and payments.",
            here,
            rank=7,
        ),
        Action("next_class", ("right",), "Next class", "Show the next class only.", here, rank=17),
        Action("previous_class", ("left",), "Class before", "Show the class before.", here),
        Action(
            "exceptions",
            ("e",),
            "Exceptions",
            "Show only what needs somebody, or everything again.",
            here,
            rank=9,
        ),
        Action(
            "filter",
            ("slash",),
            "Filter",
            "Show only what has all these words: number, customer, class, amount, rule.",
            here,
            rank=8,
        ),
        Action("pick", ("space",), "Pick", "Pick the invoice, or let go of it.", here, rank=14),
        Action(
            "pick_all",
            ("asterisk",),
            "Pick all",
            "Pick all invoices shown that have no payment, or let go of all.",
            here,
        ),
        Action(
            "bill",
            ("n",),
            "Create",
            "Create payments for the picked invoices, or all without one: shown first, sent once.",
            here,
            rank=13,
        ),
        Action("sort", ("s",), "Sort", "Sort by the next column.", here, rank=16),
        *(
            Action(
                "sort_by",
                (str(number),),
                f"Sort by column {number}",
                f"Sort by column {number}; once more turns the order round.",
                here,
                argument=number,
                family_help="Sort by that column; once more turns the order round.",
                in_palette=False,
            )
            for number in range(1, 9)
        ),
        Action(
            "wallets",
            ("w",),
            "Wallets",
            "Hold the file against one wallet after the other, or against all.",
            here,
            rank=18,
        ),
        Action(
            "file", ("f",), "File", "Choose another file, or change its columns.", here, rank=15
        ),
        Action("refresh", ("r",), "Refresh", "Ask the servers now.", here, rank=21),
        Action(
            "switch_pane",
            ("tab",),
            "Other pane",
            "Change between the list and the details at its right, to scroll them.",
            here,
            in_palette=False,
        ),
    )


def _one() -> tuple[Action, ...]:
    return (
        Action(
            "back",
            ("escape", "backspace"),
            "Back",
            "Go back to the invoices.",
            (Place.INVOICE,),
            rank=2,
            in_palette=False,
        ),
    )


def _choice() -> tuple[Action, ...]:
    here = (Place.PICK,)

    def one(id_: str, keys: tuple[str, ...], label: str, sentence: str, rank: int = 0) -> Action:
        return Action(id_, keys, label, sentence, here, rank=rank, in_palette=False)

    return (
        one("take", ("enter",), "Choose", "Take the one under the cursor.", 1),
        one("leave", ("escape",), "Back", "Choose nothing.", 2),
        one("move_up", ("up",), "Up", "Go one row up."),
        one("move_down", ("down",), "Down", "Go one row down."),
        one("screen_up", ("pageup",), "Screen up", "Go one screenful up."),
        one("screen_down", ("pagedown",), "Screen down", "Go one screenful down."),
    )


def _split() -> tuple[Action, ...]:
    here = (Place.SPLIT,)

    def one(id_: str, key: str, label: str, sentence: str, rank: int) -> Action:
        return Action(id_, (key,), label, sentence, here, rank=rank, in_palette=False)

    return (
        one("save", "ctrl+s", "Save", "Keep the split; it wins over every rule.", 1),
        one("leave", "escape", "Back", "Leave; you are asked if you typed something.", 2),
        one("add_row", "ctrl+n", "Add", "Add an invoice or a payment to the split.", 3),
    )
