"""What works at the till, and while a customer pays there.

No plain letter does anything: a barcode scanner types letters, figures and Enter at any moment.
"""

from __future__ import annotations

from opdash.tui.actions.base import Action, Place


def till() -> tuple[Action, ...]:
    """Return what works in the form of the till."""
    here = (Place.TILL,)
    return (
        Action(
            "go_on",
            ("enter",),
            "Next, create",
            "Go to what is still empty; from the last field, create the payment, once.",
            here,
            rank=1,
            in_palette=False,
        ),
        Action(
            "leave",
            ("escape",),
            "Clear, leave",
            "Empty the form; leave the till where it is empty.",
            here,
            rank=2,
            in_palette=False,
        ),
    )


def sales() -> tuple[Action, ...]:
    """Return what works while a customer pays, and when a sale is to end."""
    here, ending = (Place.SALE,), (Place.END_SALE,)

    def deed(
        id_: str, keys: tuple[str, ...], label: str, sentence: str, rank: int, *, end: bool = False
    ) -> Action:
        places = ending if end else here
        return Action(id_, keys, label, sentence, places, rank=rank, in_palette=False)

    return (
        deed(
            "next_customer",
            ("enter",),
            "Next customer",
            "Go on to the next customer, once it is decided what became of this payment.",
            1,
        ),
        deed(
            "end_sale",
            ("escape",),
            "Cancel",
            "Complete the payment now or let it expire; when it is over, the next customer.",
            2,
        ),
        deed("zoom_code", ("f2",), "QR code", "Draw the QR code on the whole screen.", 3),
        deed("copy_url", ("f3",), "Copy URL", "Copy the payment's URL.", 5),
        deed(
            "ask_again",
            ("f4",),
            "The rest",
            "Begin a new sale for what is still missing, with the same reference.",
            4,
        ),
        deed(
            "complete_for_good",
            ("ctrl+y",),
            "Complete",
            "Complete it now: nothing more can be paid. This cannot be undone.",
            1,
            end=True,
        ),
        deed(
            "let_expire",
            ("ctrl+e",),
            "Let expire",
            "Go on to the next customer; it can be paid until it expires.",
            2,
            end=True,
        ),
        deed("leave", ("escape",), "Go on waiting", "Go on waiting for the money.", 3, end=True),
    )
